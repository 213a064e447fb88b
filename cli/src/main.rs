//! `djinn`: the command-line client of the mesh.
//!
//! It talks to the gateway alone, by the public contract in `proto/`, and knows nothing that an app
//! on a phone could not know. The map, in reading order:
//!
//! * `args`: the commands and their flags, which are also the documentation (`djinn --help`)
//! * `command`: one module for each command; `command::review` is the way from REVIEW to COMMITTED
//! * `client`: the connection, with retries; `upload` and `watch` are its two streams
//! * `output`: tables for people, one JSON document for programs, progress on stderr
//! * `amount`: decimal numbers to minor units and back, without floating point
//! * `error`: everything that can go wrong, as one sentence and an exit code
//! * `clock`: the only place that reads the time and makes ids

#![expect(
    clippy::print_stderr,
    reason = "a command-line tool: its progress and its errors go to stderr"
)]

mod amount;
mod args;
mod client;
mod clock;
mod command;
mod error;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::{args::Args, error::Error};

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.global.json;
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error, json),
    }
}

/// Runs the command on a runtime that does not wait for what is still blocked at the end: after
/// Ctrl-C that is the thread which reads the answer to a question.
fn run(args: Args) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let result = runtime.block_on(command::run(args));
    runtime.shutdown_background();
    result
}
