//! A Redis of a test's own, where the server itself is to die, to be slow or to forget: the stack's
//! is everybody's.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its server can only stop, with what the server said"
)]

use std::time::Duration;

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
};

use super::{Process, eventually, free_port, process::inherited, stack};

/// It takes a moment on a quiet machine, and longer on one that is busy.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A server that keeps nothing over its own death.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts it with settings as on its command line, as `["--maxmemory", "2mb"]`.
    ///
    /// # Panics
    /// When it does not answer in time; the message says what it said.
    pub async fn start(settings: &[&str]) -> Self {
        let mut server = Self {
            process: None,
            port: free_port(),
            settings: settings.iter().map(ToString::to_string).collect(),
            folder: TempDir::with_prefix("djinn-redis-").expect("a temporary folder"),
        };
        server.start_again().await;
        server
    }

    /// Where it is, as `redis://127.0.0.1:6379`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill(&mut self) {
        let process = self.process.take().expect("the server was started");
        process.kill().await;
    }

    /// Starts it, empty, and waits for its first answer.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub async fn start_again(&mut self) {
        let mut command = Command::new(&stack().redis_program);
        command
            .env_clear()
            .envs(inherited())
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(&self.settings);
        self.process = Some(Process::spawn(command));
        let answers = async || self.asked("PING").await.filter(|answer| answer == "+PONG");
        let answer = eventually("Redis' answer", START_DEADLINE * 2, answers);
        if tokio::time::timeout(START_DEADLINE, answer).await.is_err() {
            let log = self.process.as_ref().map(Process::log);
            panic!("Redis does not answer:\n{}", log.unwrap_or_default());
        }
    }

    /// The first line of its answer to a command, as `CLIENT PAUSE 2000 ALL`.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask(&self, command: &str) -> String {
        let answer = tokio::time::timeout(START_DEADLINE, self.asked(command)).await;
        let answer = answer.ok().flatten();
        answer.unwrap_or_else(|| panic!("Redis does not answer {command}"))
    }

    async fn asked(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let line = format!("{command}\r\n");
        stream.write_all(line.as_bytes()).await.ok()?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await.ok()?;
        Some(answer.trim_end().to_owned())
    }
}
