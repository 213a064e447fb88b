//! Programs that we run and wait for.

use std::process::{ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// How much of a failed program's output goes into the error.
const TAIL_LINES: usize = 20;

/// Runs a program that writes to our terminal; an error if it fails.
pub(crate) async fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command).await?;
    if !status.success() {
        bail!("`{}` failed ({status})", display(command));
    }
    Ok(())
}

/// Runs a program that writes to our terminal and says how it ended.
pub(crate) async fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let mut group = Group::spawn(command.stdin(Stdio::null()))?;
    let status = group
        .child
        .wait()
        .await
        .context("cannot wait for a program")?;
    group.ended = true;
    Ok(status)
}

/// Runs a program quietly and returns what it wrote; the end of its messages if it fails.
pub(crate) async fn capture(command: &mut Command) -> anyhow::Result<String> {
    let output = output(command).await?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({})\n{}",
            display(command),
            output.status,
            output.tail()
        );
    }
    Ok(output.stdout)
}

/// What a program wrote and how it ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The end of what it said about its failure.
    pub(crate) fn tail(&self) -> String {
        let text = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        tail(text)
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

/// Runs a program quietly and returns everything about it.
pub(crate) async fn output(command: &mut Command) -> anyhow::Result<Output> {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let (mut stdout, mut stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let (out, err, status) = tokio::join!(read(&mut stdout), read(&mut stderr), group.child.wait());
    group.ended = true;
    Ok(Output {
        status: status.context("cannot wait for a program")?,
        stdout: out?,
        stderr: err?,
    })
}

async fn read<R: tokio::io::AsyncRead + Unpin>(source: &mut Option<R>) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if let Some(source) = source {
        tokio::io::AsyncReadExt::read_to_end(source, &mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A command as one would type it.
pub(crate) fn display(command: &Command) -> String {
    let command = command.as_std();
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A child with a process group of its own, so that ending it ends what it started: cargo's
/// compilers and test programs do not outlive an interrupted `cargo xtask`.
struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.process_group(0).spawn().with_context(|| {
            format!("cannot run `{}`", command.as_std().get_program().display())
        })?;
        Ok(Self {
            child,
            ended: false,
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()) else {
            return;
        };
        if !self.ended {
            // It may have ended by itself just now: then there is nobody left to tell.
            killpg(Pid::from_raw(pid), Signal::SIGTERM).ok();
        }
    }
}
