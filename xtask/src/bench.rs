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
mod overload;
mod report;
mod statement;

use std::fs;
use std::path::PathBuf;

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
    /// What is left of the best rate when three times as much is asked.
    Overload(overload::Arguments),
}

/// Runs a measurement.
pub(crate) async fn run(workspace: Workspace, bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Import(arguments) => import::run(workspace, &arguments).await,
        Bench::Idle(arguments) => idle::run(workspace, &arguments).await,
        Bench::Overload(arguments) => overload::run(workspace, &arguments).await,
    }
}

/// What is measured, and what becomes of the figures.
#[derive(clap::Args)]
struct Outcome {
    /// Fail when a limit is missed.
    #[arg(long, conflicts_with = "debug")]
    check: bool,
    /// Measure the builds of the demo: they are there sooner, and slower than what a server runs.
    #[arg(long)]
    debug: bool,
    /// Where the figures go as JSON.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Outcome {
    /// Builds what is measured.
    async fn build(&self, workspace: Workspace) -> anyhow::Result<Workspace> {
        let workspace = if self.debug {
            workspace
        } else {
            workspace.optimised()
        };
        println!("building Djinn (a first build takes some minutes)");
        crate::interrupt::guard(workspace.build()).await?;
        Ok(workspace)
    }

    /// Prints the ratios and writes all figures, into the file of this name if no other is wanted.
    fn conclude(
        &self,
        workspace: &Workspace,
        name: &str,
        ratios: &[Ratio],
        runs: &Value,
    ) -> anyhow::Result<()> {
        report::print(ratios);
        let path = self.output.clone();
        let path = path.unwrap_or_else(|| workspace.target.join("bench").join(name));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context("cannot make the folder for figures")?;
        }
        let ratios_json = report::json(ratios);
        let figures = json!({ "debug": self.debug, "ratios": ratios_json, "runs": runs });
        fs::write(&path, serde_json::to_string_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!();
        println!("figures: {}", path.display());
        let missed = ratios.iter().filter(|ratio| !ratio.holds()).count();
        if self.check && missed > 0 {
            bail!("{missed} limits are missed");
        }
        Ok(())
    }
}
