//! `cargo xtask bench`: what is measured beside something else on the same machine in the same run,
//! because a figure alone says more of the machine than of Djinn. Release builds, on a stack of its
//! own whose data is made anew.

#![expect(
    clippy::float_arithmetic,
    reason = "seconds and ratios of seconds; no money is near"
)]

mod baseline;
mod history;
mod idle;
mod import;
mod memory;
mod report;
mod statement;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use self::report::Ratio;
use crate::workspace::Workspace;

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// A large statement from the stored file to the ledger, beside psql's `\copy`.
    Import(import::Arguments),
    /// What the services hold in memory when nothing happens, and after many imports.
    Idle(idle::Arguments),
}

/// Runs a measurement.
pub(crate) async fn run(workspace: Workspace, bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Import(arguments) => import::run(workspace, &arguments).await,
        Bench::Idle(arguments) => idle::run(workspace, &arguments).await,
    }
}

/// Prints the ratios and writes all figures; with `check` a limit that is missed is an error.
fn conclude(
    path: &Path,
    debug: bool,
    ratios: &[Ratio],
    runs: Value,
    check: bool,
) -> anyhow::Result<()> {
    report::print(ratios);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).context("cannot make the folder for figures")?;
    }
    let figures = json!({ "debug": debug, "ratios": report::json(ratios), "runs": runs });
    fs::write(path, serde_json::to_string_pretty(&figures)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!();
    println!("figures: {}", path.display());
    let missed = ratios.iter().filter(|ratio| !ratio.holds()).count();
    if check && missed > 0 {
        bail!("{missed} limits are missed");
    }
    Ok(())
}
