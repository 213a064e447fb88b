//! `cargo xtask`: everything that is done to this repository rather than by it.
//!
//! | file | what it does |
//! |---|---|
//! | `workspace` | where things are, as cargo sees them |
//! | `command`, `process` | programs we wait for, and programs that stay |
//! | `install` | tools that are missing, fetched from apt or a package registry |
//! | `stack` | Postgres, clamd, Temporal, Redis and the object store, for the demo and for tests |
//! | `services` | Djinn's own services on a stack, as real processes |
//! | `clients` | clients that others wrote, against those services |
//! | `test`, `demo`, `lint`, `prepare`, `record`, `bench` | the commands |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

mod bench;
mod clients;
mod command;
mod demo;
mod install;
mod interrupt;
mod lint;
mod prepare;
mod process;
mod record;
mod services;
mod stack;
mod test;
mod wait;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::stack::Profile;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about,
    disable_help_subcommand = true
)]
/// Builds, runs, tests and checks Djinn on this machine.
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows everything that works, end to end, on a stack of its own.
    Demo(demo::Arguments),
    /// Runs every test on a stack of its own, then clients that others wrote, then scores the
    /// statement reader.
    Test {
        /// Arguments for `cargo test`, as in `cargo xtask test -- -p djinn-imports name`.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Runs the clients that others wrote against the services, as `test` does.
    Clients {
        /// Only these, as in `cargo xtask clients grpcurl browser`.
        names: Vec<String>,
    },
    /// Checks formatting, clippy, protos and the house rules.
    Lint(lint::Arguments),
    /// Brings up the local stack, without Djinn's own services, and leaves it running.
    Up {
        /// The stack of the tests instead of the demo's.
        #[arg(long)]
        test: bool,
    },
    /// Stops what `up`, `demo --keep` or a crash left running.
    Down {
        /// The stack of the tests instead of the demo's.
        #[arg(long)]
        test: bool,
        /// The stack of measurements instead of the demo's.
        #[arg(long, conflicts_with = "test")]
        bench: bool,
        /// Deletes its data too.
        #[arg(long)]
        wipe: bool,
    },
    /// Renews `.sqlx`, the metadata that SQL is checked against at build time.
    Prepare(prepare::Arguments),
    /// Measures Djinn beside something else in the same run, as release builds.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Records the golden histories under `temporal/histories`.
    Record {
        /// Arguments for the recording program.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<interrupt::Interrupted>() => {
            eprintln!("interrupted: everything that was started has been stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::load().await?;
    match command {
        Command::Demo(arguments) => demo::run(&workspace, arguments).await,
        Command::Test { arguments } => test::run(&workspace, &arguments).await,
        Command::Clients { names } => clients::run(&workspace, &names).await,
        Command::Lint(arguments) => lint::run(&workspace, arguments).await,
        Command::Up { test } => stack::up(&workspace, Profile::of(test)).await,
        Command::Down { test, bench, wipe } => {
            let profile = if bench {
                Profile::Bench
            } else {
                Profile::of(test)
            };
            stack::down(&workspace, profile, wipe).await
        }
        Command::Bench(bench) => bench::run(workspace, bench).await,
        Command::Prepare(arguments) => prepare::run(&workspace, arguments).await,
        Command::Record { arguments } => record::run(&workspace, &arguments).await,
    }
}
