//! Ctrl-C: whatever is going on ends, and what was started is stopped in an orderly way.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// A person, or whoever started us, asked us to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Runs `work` until it is done or a signal comes; then it is dropped where it stands and the
/// caller cleans up. From here on a signal no longer ends this process by itself.
pub(crate) async fn guard<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(Interrupted.into()),
        _ = terminate.recv() => Err(Interrupted.into()),
        _ = hangup.recv() => Err(Interrupted.into()),
    }
}
