//! Temporal's development server, on a SQLite file.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use super::{Profile, Stack};
use crate::command;
use crate::process::{Spec, Stop};

/// The namespace that the development server makes by itself.
pub(crate) const NAMESPACE: &str = "default";

/// It takes 2 s on a quiet machine, and much longer on one that compiles.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Starts the server unless it runs.
pub(crate) async fn start(stack: &Stack<'_>, program: &Path) -> anyhow::Result<()> {
    let address = format!("127.0.0.1:{}", stack.state.ports.temporal);
    if stack.processes.alive("temporal").is_some() {
        println!("  {:<14} {address}  (was up)", "temporal");
        return Ok(());
    }
    let running = stack.processes.start(&Spec {
        name: "temporal",
        program: program.to_owned(),
        arguments: arguments(stack),
        environment: Vec::new(),
        user: None,
        stop: Stop::Terminate,
    })?;
    running
        .ready(&address, START_LIMIT, async || {
            let mut describe = Command::new(program);
            describe
                .args([
                    "operator",
                    "namespace",
                    "describe",
                    "--namespace",
                    NAMESPACE,
                ])
                .args(["--address", &address]);
            command::capture(&mut describe).await.map(|_| ())
        })
        .await
}

fn arguments(stack: &Stack<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["server", "start-dev", "--ip", "127.0.0.1"]
        .into_iter()
        .map(Into::into)
        .collect();
    arguments.extend(["--log-level".into(), "warn".into()]);
    arguments.extend([
        "--port".into(),
        stack.state.ports.temporal.to_string().into(),
    ]);
    arguments.extend([
        "--db-filename".into(),
        stack.home.join("temporal.db").into(),
    ]);
    // Without it the fairness keys of activities (the user's id) are ignored.
    let fairness = "matching.enableFairness=true";
    arguments.extend(["--dynamic-config-value".into(), fairness.into()]);
    match stack.profile {
        Profile::Demo => {
            let port = stack.state.ports.temporal_ui.to_string();
            arguments.extend(["--ui-port".into(), port.into()]);
        }
        Profile::Bench => arguments.push("--headless".into()),
        Profile::Test => {
            arguments.push("--headless".into());
            // Like Postgres here: nothing outlives the run anyway.
            arguments.extend(["--sqlite-pragma".into(), "synchronous=off".into()]);
        }
    }
    arguments
}
