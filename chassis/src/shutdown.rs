//! Stopping: first no new work, then a grace period for what is under way, then the end.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal as listen},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// How a process stops.
#[derive(clap::Args, Clone, Debug)]
// Every section is called Config; clap wants the groups of one command apart.
#[group(id = "shutdown")]
pub struct Config {
    /// How long work under way may take after a signal to stop. The supervisor must wait longer
    /// than this before it kills.
    #[arg(
        id = "shutdown_grace",
        long = "shutdown-grace",
        env = "DJINN_SHUTDOWN_GRACE",
        value_name = "DURATION",
        default_value = "20s",
        value_parser = crate::config::duration
    )]
    pub grace: Duration,
}

/// The two stages of stopping, shared by every part of a process.
///
/// The soft stage ([`Shutdown::requested`]) means: take no new work, finish what you have. The hard
/// stage ([`Shutdown::overdue`]) means: the grace period is over, drop it.
#[derive(Clone, Debug)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    began: Arc<OnceLock<Instant>>,
    grace: Duration,
}

/// Begins the shutdown on SIGTERM or SIGINT; a second signal ends the grace period at once, for the
/// person at the keyboard who means it.
///
/// Call it inside the runtime. Where signals cannot be listened to, this is logged and the process
/// keeps their default effect.
#[must_use]
pub fn signal(config: &Config) -> Shutdown {
    let shutdown = Shutdown::manual(config.grace);
    let signals = listen(SignalKind::terminate())
        .and_then(|terminate| Ok((terminate, listen(SignalKind::interrupt())?)));
    match signals {
        Ok((terminate, interrupt)) => {
            tokio::spawn(follow(shutdown.clone(), terminate, interrupt));
        }
        Err(error) => tracing::error!(%error, "signals cannot be listened to"),
    }
    shutdown
}

async fn follow(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal) {
    for stage in ["stopping", "stopping at once"] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(grace = ?shutdown.grace, "signal received, {stage}");
        if shutdown.soft.is_cancelled() {
            shutdown.hard.cancel();
        }
        shutdown.begin();
    }
}

impl Shutdown {
    /// A shutdown that begins only by [`Shutdown::begin`].
    #[must_use]
    pub fn manual(grace: Duration) -> Self {
        Self {
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            began: Arc::new(OnceLock::new()),
            grace,
        }
    }

    /// Begins the soft stage; the grace period counts from the first call.
    pub fn begin(&self) {
        self.began.get_or_init(Instant::now);
        self.soft.cancel();
    }

    /// Waits until no new work may be taken.
    pub async fn requested(&self) {
        self.soft.cancelled().await;
    }

    /// Waits until the grace period is over.
    pub async fn overdue(&self) {
        self.soft.cancelled().await;
        let began = *self.began.get_or_init(Instant::now);
        tokio::select! {
            () = tokio::time::sleep_until(began + self.grace) => {}
            () = self.hard.cancelled() => {}
        }
    }

    /// The time between the two stages.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// The soft stage as a token, for code that takes one.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.soft.clone()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_hard_stage_follows_the_soft_one_by_the_grace_period() {
        let shutdown = Shutdown::manual(Duration::from_secs(20));
        assert!(shutdown.requested().now_or_never().is_none());

        let start = Instant::now();
        shutdown.begin();
        shutdown.requested().await;
        assert!(shutdown.token().is_cancelled());
        assert_eq!(start.elapsed(), Duration::ZERO);

        shutdown.begin();
        shutdown.overdue().await;
        assert_eq!(start.elapsed(), Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_period_counts_from_the_beginning_not_from_the_question() {
        let shutdown = Shutdown::manual(Duration::from_secs(20));
        shutdown.begin();
        tokio::time::advance(Duration::from_secs(15)).await;
        let start = Instant::now();
        shutdown.clone().overdue().await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }
}
