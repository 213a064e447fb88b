//! `cargo xtask bench`: what is measured beside something else on the same machine in the same run,
//! because a figure alone says more of the machine than of Djinn. Release builds, on a stack of its
//! own whose data is made anew.

#![expect(
    clippy::float_arithmetic,
    reason = "seconds and ratios of seconds; no money is near"
)]

mod baseline;
mod history;
mod import;
mod memory;
mod report;
mod statement;

use crate::workspace::Workspace;

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// A large statement from the stored file to the ledger, beside psql's `\copy`.
    Import(import::Arguments),
}

/// Runs a measurement.
pub(crate) async fn run(workspace: Workspace, bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Import(arguments) => import::run(workspace, &arguments).await,
    }
}
