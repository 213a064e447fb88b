//! `cargo xtask demo`: everything that works, end to end, as a user would see it: real processes,
//! the public gateway, the command-line client, statements in banks' own formats.

mod accounts;
pub(crate) mod client;
mod examples;
mod folder;
pub(crate) mod manifest;
mod matching;
pub(crate) mod money;
mod questions;
mod undo;

use std::path::PathBuf;

use anyhow::bail;

use crate::interrupt;
use crate::services::Services;
use crate::stack::{self, Parts, Profile, Stack};
use crate::workspace::Workspace;
use client::Client;

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave everything running afterwards; `cargo xtask down` stops it.
    #[arg(long)]
    keep: bool,
    /// Import every *.csv of this folder, each into an account of its own, and say what became of
    /// it, instead of the examples.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Show each call of the command-line client.
    #[arg(long)]
    verbose: bool,
}

/// Runs the demo.
pub(crate) async fn run(workspace: &Workspace, arguments: Arguments) -> anyhow::Result<()> {
    println!("building Djinn (a first build takes some minutes)");
    interrupt::guard(workspace.build()).await?;
    stack::with(workspace, Profile::Demo, Parts::All, async |stack| {
        let services = Services::start(stack).await?;
        // A figure that differs is the demo's failure, but what ran is shown and kept all the same.
        let outcome = show(stack, &services, &arguments).await;
        Services::print_memory(stack);
        print_links(stack, &services, arguments.keep || stack.kept());
        Ok((outcome, arguments.keep))
    })
    .await?
}

async fn show(stack: &Stack<'_>, services: &Services, arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::sign_in(stack, services.gateway_url(), arguments.verbose).await?;
    if let Some(folder) = &arguments.from {
        return folder::import(&client, folder).await;
    }
    let folder = stack.workspace.root.join("examples");
    let mut wrong = examples::import(&client, &folder).await?;
    wrong += questions::show(&client, &folder.join("asking")).await?;
    wrong += matching::show(&client, &folder.join("matching")).await?;
    wrong += accounts::show(&client, &folder.join("accounts")).await?;
    if wrong > 0 {
        bail!("{wrong} figures differ from what the examples hold");
    }
    Ok(())
}

fn print_links(stack: &Stack<'_>, services: &Services, keep: bool) {
    println!();
    println!(
        "gateway      {}  (gRPC, gRPC-Web, POST /v1/statements)",
        services.gateway_url()
    );
    println!("GraphQL      {}/graphql", services.gateway_url());
    println!("health       {}/health", services.gateway_url());
    println!(
        "Temporal UI  http://127.0.0.1:{}",
        stack.state.ports.temporal_ui
    );
    println!("logs         {}", stack.processes.logs.display());
    if keep {
        println!();
        println!("everything stays up. To go on by hand, in this shell:");
        println!("  source {}", stack.folder.join("env").display());
        println!("  export DJINN_URL={}", services.gateway_url());
        println!(
            "  export DJINN_TOKEN=$({} token)",
            stack.workspace.binary("djinn").display()
        );
        println!("to stop: cargo xtask down");
    } else {
        println!("all of this stops now; `cargo xtask demo --keep` leaves it running");
    }
}
