//! Redis, which counts what each user asks of the edge. It holds no truth: nothing is written to
//! disk, and what does not fit into its memory is forgotten.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::Stack;
use crate::process::{Spec, Stop};
use crate::{install, wait};

/// Where Debian puts the program.
pub(super) const PLACE: &str = "/usr/bin/redis-server";

/// As much as on a small server.
const MEMORY_MAX: &str = "32mb";

const START_LIMIT: Duration = Duration::from_secs(20);

/// The program.
pub(crate) async fn find_or_install() -> anyhow::Result<PathBuf> {
    let candidates = ["redis-server", PLACE];
    if install::find(&candidates).is_none() {
        install::apt(&["redis-server"], "it counts calls for rate limits").await?;
    }
    install::find(&candidates).context("redis-server was installed but is not to be found")
}

/// Starts the server unless it runs.
pub(crate) async fn start(stack: &Stack<'_>, program: &Path) -> anyhow::Result<()> {
    let port = stack.state.ports.redis;
    let address = format!("127.0.0.1:{port}");
    if stack.processes.alive("redis").is_some() {
        println!("  {:<14} {address}  (was up)", "redis");
        return Ok(());
    }
    let folder = stack.home.join("redis");
    fs::create_dir_all(&folder).context("cannot make Redis' folder")?;
    let port_text = port.to_string();
    let folder_text = folder.display().to_string();
    let settings = [
        ("--bind", "127.0.0.1"),
        ("--port", &port_text),
        ("--dir", &folder_text),
        ("--maxmemory", MEMORY_MAX),
        // Whatever is forgotten costs somebody's count, and the least used is missed least.
        ("--maxmemory-policy", "allkeys-lru"),
        ("--save", ""),
        ("--appendonly", "no"),
    ];
    let running = stack.processes.start(&Spec {
        name: "redis",
        program: program.to_owned(),
        arguments: settings
            .iter()
            .flat_map(|(name, value)| [(*name).into(), (*value).into()])
            .collect(),
        environment: Vec::new(),
        user: None,
        stop: Stop::Terminate,
    })?;
    running
        .ready(&address, START_LIMIT, async || {
            let answer =
                wait::exchange(port, b"PING\r\n", |answer| answer.ends_with(b"\n")).await?;
            if answer != b"+PONG\r\n" {
                bail!("it answers {:?}", String::from_utf8_lossy(&answer));
            }
            Ok(())
        })
        .await
}

/// Its address as programs are told.
pub(crate) fn url(stack: &Stack<'_>) -> String {
    format!("redis://127.0.0.1:{}", stack.state.ports.redis)
}
