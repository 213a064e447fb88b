//! A Temporal of a test's own, where the server itself is to die: the stack's is everybody's.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its server can only stop, with what the server said"
)]

use std::{process::Stdio, time::Duration};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Process, eventually, free_port, process::inherited, stack};

/// It takes 2 s on a quiet machine, and much longer on one that is busy.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// A development server that keeps its state in a file, and so survives its own death.
#[derive(Debug)]
pub struct TemporalServer {
    process: Option<Process>,
    port: u16,
    folder: TempDir,
}

impl TemporalServer {
    /// Starts it, empty.
    ///
    /// # Panics
    /// When it does not answer in time; the message says what it said.
    pub async fn start() -> Self {
        let mut server = Self {
            process: None,
            port: free_port(),
            folder: TempDir::with_prefix("djinn-temporal-").expect("a temporary folder"),
        };
        server.start_again().await;
        server
    }

    /// Where it listens, as `127.0.0.1:7233`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill(&mut self) {
        let process = self.process.take().expect("the server was started");
        process.kill().await;
    }

    /// Starts it on the state it had, and waits until its namespace is there.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub async fn start_again(&mut self) {
        let mut command = self.program();
        command
            .args(["server", "start-dev", "--ip", "127.0.0.1", "--headless"])
            .args(["--log-level", "warn", "--port", &self.port.to_string()])
            .arg("--db-filename")
            .arg(self.folder.path().join("temporal.db"))
            // As the stack's own: priorities by user, and a file that only a process may lose.
            .args(["--dynamic-config-value", "matching.enableFairness=true"])
            .args(["--sqlite-pragma", "synchronous=off"]);
        self.process = Some(Process::spawn(command));
        let answers = async || {
            let mut describe = self.program();
            describe
                .args(["operator", "namespace", "describe", "--namespace"])
                .args([&stack().temporal_namespace, "--address"])
                .arg(self.address())
                .stdin(Stdio::null());
            let output = describe.output().await.ok()?;
            output.status.success().then_some(())
        };
        let answer = eventually("Temporal's answer", START_DEADLINE * 2, answers);
        if tokio::time::timeout(START_DEADLINE, answer).await.is_err() {
            let log = self.process.as_ref().map(Process::log);
            panic!("Temporal does not answer:\n{}", log.unwrap_or_default());
        }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(&stack().temporal_program);
        command.env_clear().envs(inherited()).current_dir("/");
        command
    }
}
