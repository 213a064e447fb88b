//! Services as processes, which can be killed.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its process can only stop, and shows what the process said"
)]

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};

use super::{eventually, get, stack};

/// How long a service may take until it is ready.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long a service may take to end after SIGTERM, which is more than its own grace period.
const STOP_DEADLINE: Duration = Duration::from_secs(40);

/// The most that is kept of what a process says, in bytes; the oldest goes first.
const LOG_BYTES_MAX: usize = 256 * 1024;

/// Variables that a process gets besides those it is given.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"];

/// The failpoint at which a process rests each time it passes, or only so many times: long
/// enough for a test to find it there.
#[must_use]
pub fn pause_at(place: &str, times: Option<u32>, pause: Duration) -> String {
    let pause = pause.as_millis();
    match times {
        Some(times) => format!("{place}={times}*sleep({pause})->off"),
        None => format!("{place}=sleep({pause})"),
    }
}

/// A running service. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a binary of the stack's `bin_dir` in this environment and no other, and waits until
    /// `/readyz` on its admin address says that it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready within a minute; the message carries its log.
    pub async fn start<Name, Value>(
        binary: &str,
        environment: impl IntoIterator<Item = (Name, Value)>,
        admin: SocketAddr,
    ) -> Self
    where
        Name: AsRef<str>,
        Value: AsRef<str>,
    {
        let mut command = Command::new(stack().bin_dir.join(binary));
        command.env_clear();
        command.envs(inherited());
        for (name, value) in environment {
            command.env(name.as_ref(), value.as_ref());
        }
        let mut process = Self::spawn(command);
        let name = process.name.clone();
        let log = Arc::clone(&process.log);
        let child = &mut process.child;
        let ready = async || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("{name} ended with {status}:\n{}", text(&log));
            }
            get(admin, "/readyz")
                .await
                .filter(|(status, _)| *status == 200)
        };
        let started = tokio::time::timeout(
            START_DEADLINE,
            eventually("readiness", START_DEADLINE * 2, ready),
        );
        if started.await.is_err() {
            let answer = get(admin, "/readyz").await;
            panic!("{name} is not ready: {answer:?}\n{}", process.log());
        }
        process
    }

    /// Runs this program as a child of ours, and keeps what it says on standard error.
    pub(super) fn spawn(mut command: Command) -> Self {
        let name = Path::new(command.as_std().get_program()).to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", name.display()));
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("standard error is piped");
        tokio::spawn(keep(stderr, Arc::clone(&log)));
        Self {
            name: name
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            child,
            log,
        }
    }

    /// What the process has said on standard error so far.
    #[must_use]
    pub fn log(&self) -> String {
        text(&self.log)
    }

    /// Sends a signal, as SIGSTOP to freeze it.
    ///
    /// # Panics
    /// When the process has ended already.
    pub fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.id()), signal).expect("a signal to our own child");
    }

    /// Stops it where it stands, as a machine that hangs would, until [`Process::thaw`].
    ///
    /// # Panics
    /// When the process has ended already.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When the process has ended already.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// The most memory the process has had in use at one time, in KiB, by Linux's `VmHWM`.
    ///
    /// # Panics
    /// When the process has ended already.
    #[must_use]
    pub fn memory_peak_kib(&self) -> u64 {
        let file = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&file).expect("our own child's status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let figure = peak.and_then(|peak| peak.split_whitespace().next());
        figure
            .and_then(|figure| figure.parse().ok())
            .unwrap_or_else(|| panic!("{file}: {status}"))
    }

    fn id(&self) -> i32 {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        id.unwrap_or_else(|| panic!("{} has ended:\n{}", self.name, self.log()))
    }

    /// Ends the process at once, as a crash or the out-of-memory killer would.
    ///
    /// # Panics
    /// When the system cannot tell that it has ended.
    pub async fn kill(mut self) {
        self.child
            .kill()
            .await
            .expect("our own child can be killed");
    }

    /// Asks the process to end and waits for it.
    ///
    /// # Panics
    /// When it has not ended after 40 s; the message carries its log.
    pub async fn terminate(self) -> ExitStatus {
        self.end(Signal::SIGTERM).await
    }

    /// As [`Process::terminate`], by another signal.
    pub(super) async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        match tokio::time::timeout(STOP_DEADLINE, self.child.wait()).await {
            Ok(status) => status.expect("our own child can be waited for"),
            Err(_) => panic!("{} does not end:\n{}", self.name, self.log()),
        }
    }
}

/// The variables that every program gets.
pub(super) fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    INHERITED
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

async fn keep(stderr: ChildStderr, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&line);
        log.push('\n');
        if log.len() > LOG_BYTES_MAX {
            let half = log.len() / 2;
            let end = log.bytes().skip(half).position(|byte| byte == b'\n');
            let from = end.map_or(log.len(), |end| half + end + 1);
            log.drain(..from);
        }
    }
}

fn text(log: &Mutex<String>) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
