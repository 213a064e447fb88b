//! Programs that stay: the parts of a stack and Djinn's own services.
//!
//! Each runs in a process group of its own with its output in a log file, and leaves a record
//! behind: its id and the moment it started. So any later `cargo xtask down` finds it, and never
//! ends a stranger who was given the same id.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::{command, wait};

/// How long a part may take to end by itself. Longer than the services' own grace of 20 s.
const STOP_LIMIT: Duration = Duration::from_secs(25);

/// How long the kernel may take to end a part that was killed.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// What to run.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, String)>,
    /// The user to become, when we are root and the program should not be.
    pub(crate) user: Option<(u32, u32)>,
    pub(crate) stop: Stop,
}

/// How a program is asked to end.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Stop {
    /// SIGTERM.
    Terminate,
    /// SIGINT, which for Postgres means: now, without waiting for its clients.
    Interrupt,
}

/// Where the records and logs of a stack's processes are.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) records: PathBuf,
    pub(crate) logs: PathBuf,
}

/// A process that was started, by us or by an earlier run.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) pid: i32,
    /// Start time in clock ticks since boot: with the id it names one process for good.
    started: u64,
    stop: Stop,
}

/// A child of this run.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
    started_at: Instant,
}

impl Folder {
    /// Starts a program and leaves its record.
    pub(crate) fn start(&self, spec: &Spec) -> anyhow::Result<Running> {
        fs::create_dir_all(&self.records).context("cannot make the folder for records")?;
        fs::create_dir_all(&self.logs).context("cannot make the folder for logs")?;
        let log = self.log(spec.name);
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&spec.program);
        clean(&mut command);
        command
            .args(&spec.arguments)
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("cannot share a log file")?)
            .stderr(output)
            .process_group(0);
        if let Some((user, group)) = spec.user {
            command.uid(user).gid(group);
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {} ({})", spec.name, spec.program.display()))?;
        let pid = i32::try_from(child.id()).context("a process id beyond 31 bits")?;
        let started = stat(pid).map_or(0, |stat| stat.started);
        let record = serde_json::to_string(&Record {
            pid,
            started,
            stop: spec.stop,
        })?;
        fs::write(self.record_path(spec.name), record).context("cannot write a record")?;
        Ok(Running {
            name: spec.name,
            child,
            log,
            started_at: Instant::now(),
        })
    }

    /// The process of this name, if it still runs.
    pub(crate) fn alive(&self, name: &str) -> Option<Record> {
        let text = fs::read_to_string(self.record_path(name)).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        record.alive().then_some(record)
    }

    /// Ends the process of this name, if it still runs, and takes its record away.
    pub(crate) async fn stop(&self, name: &str) -> anyhow::Result<bool> {
        let Some(record) = self.alive(name) else {
            fs::remove_file(self.record_path(name)).ok();
            return Ok(false);
        };
        let signal = match record.stop {
            Stop::Terminate => Signal::SIGTERM,
            Stop::Interrupt => Signal::SIGINT,
        };
        // An error means that it has just ended by itself.
        kill(Pid::from_raw(record.pid), signal).ok();
        if record.ended(name, STOP_LIMIT).await.is_err() {
            println!(
                "  {name} did not end within {} s: killed",
                STOP_LIMIT.as_secs()
            );
            killpg(Pid::from_raw(record.pid), Signal::SIGKILL).ok();
            record.ended(name, KILL_LIMIT).await?;
        }
        fs::remove_file(self.record_path(name)).ok();
        Ok(true)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    fn record_path(&self, name: &str) -> PathBuf {
        self.records.join(format!("{name}.json"))
    }
}

impl Record {
    /// Whether this very process runs. A zombie does not.
    fn alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !stat.ended)
    }

    async fn ended(self, name: &str, limit: Duration) -> anyhow::Result<()> {
        wait::until(&format!("stopping {name}"), limit, async || {
            if self.alive() {
                Err(anyhow!("it still runs"))
            } else {
                Ok(Ok(()))
            }
        })
        .await
    }

    /// Its proportional share of memory in KiB, as the kernel counts it.
    pub(crate) fn proportional_kib(self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }
}

impl Running {
    /// Waits until `ready` answers; if the process ends first or time is up, the error shows the
    /// end of its log. Prints one line when it is ready.
    pub(crate) async fn ready(
        mut self,
        address: &str,
        limit: Duration,
        mut ready: impl AsyncFnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (name, started_at) = (self.name, self.started_at);
        let outcome = wait::until(&format!("starting {name}"), limit, async || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(Err(anyhow!("{name} ended while starting ({status})")));
            }
            ready().await.map(Ok)
        })
        .await;
        outcome.with_context(|| {
            format!(
                "its log {} ends with:\n{}",
                self.log.display(),
                tail(&self.log)
            )
        })?;
        println!(
            "  {name:<14} {address}  ({} ms)",
            started_at.elapsed().as_millis()
        );
        Ok(())
    }
}

/// A program of a stack sees only what it is given: settings of Djinn, Temporal, Postgres or cargo
/// in our own environment would make it another program than the one that was tested.
fn clean(command: &mut Command) {
    const OTHERS: [&str; 5] = ["DJINN_", "TEMPORAL_", "PG", "CARGO", "SQLX_"];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OTHERS.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

fn tail(log: &Path) -> String {
    command::tail(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()))
}

struct Stat {
    started: u64,
    ended: bool,
}

/// Reads `/proc/PID/stat`. The name in it may hold anything, so counting begins behind its bracket.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    // The state is field 3 of the line, the start time field 22.
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat {
        started,
        ended: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_alive_under_its_own_start_time_only() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let started = stat(pid).unwrap().started;
        assert!(
            Record {
                pid,
                started,
                stop: Stop::Terminate
            }
            .alive()
        );
        assert!(
            !Record {
                pid,
                started: started + 1,
                stop: Stop::Terminate
            }
            .alive()
        );
    }

    #[tokio::test]
    async fn a_program_is_started_seen_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder {
            records: folder.path().join("run"),
            logs: folder.path().join("logs"),
        };
        let spec = Spec {
            name: "sleeper",
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), "echo hello; exec sleep 600".into()],
            environment: Vec::new(),
            user: None,
            stop: Stop::Terminate,
        };
        let running = folder.start(&spec).unwrap();
        running
            .ready("", Duration::from_secs(5), async || {
                match tail(&folder.log("sleeper")).as_str() {
                    "hello" => Ok(()),
                    other => Err(anyhow!("it said {other:?}")),
                }
            })
            .await
            .unwrap();
        assert!(folder.alive("sleeper").is_some());
        assert!(folder.stop("sleeper").await.unwrap());
        assert!(folder.alive("sleeper").is_none());
        assert!(!folder.stop("sleeper").await.unwrap());
    }
}
