//! Clients that nobody here wrote do the whole job against the running services: grpcurl, Connect
//! in Node and in a browser, Google's gRPC for Python, curl. What other people's code does not get
//! through is broken, however well our own gets on with itself. The documents are one of them:
//! their snippets are run, and print what the documents say.
//!
//! | file | what it does |
//! |---|---|
//! | `tools` | the programs of others, installed when they are missing |
//! | `tree` | the sources of the clients below `target/`, where things may be built and installed |
//! | `program` | one client: its command line, how it ended, what it counted |
//!
//! The programs lie in `tests/clients` and `examples/clients`. A client that cannot be installed
//! fails the run: nothing is left out silently.

mod program;
mod tools;
mod tree;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::demo::manifest::{self, Example};
use crate::services::Services;
use crate::stack::{self, Listen, Parts, Profile, Stack, postgres};
use crate::workspace::Workspace;
use crate::{demo::money, interrupt};
use program::Scene;
use tools::Tools;
use tree::Tree;

/// A client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Client {
    Grpcurl,
    ConnectGrpc,
    ConnectWeb,
    Browser,
    Grpcio,
    Curl,
    Graphql,
    Docs,
}

impl Client {
    const ALL: [Self; 8] = [
        Self::Grpcurl,
        Self::ConnectGrpc,
        Self::ConnectWeb,
        Self::Browser,
        Self::Grpcio,
        Self::Curl,
        Self::Graphql,
        Self::Docs,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Grpcurl => "grpcurl",
            Self::ConnectGrpc => "connect-grpc",
            Self::ConnectWeb => "connect-web",
            Self::Browser => "browser",
            Self::Grpcio => "grpcio",
            Self::Curl => "curl",
            Self::Graphql => "graphql",
            Self::Docs => "docs",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Grpcurl => "list, describe, health and the job: by the gateway, at each service",
            Self::ConnectGrpc => "the job in Node over gRPC (HTTP/2), upload as a stream",
            Self::ConnectWeb => "the job in Node over gRPC-Web (HTTP/1.1), upload by POST",
            Self::Browser => "the job in Chromium from a listed origin; another is kept out",
            Self::Grpcio => "the job in Python, all four kinds of call, deadlines, cancellation",
            Self::Curl => "uploads raw, as a form and again, refusals, health",
            Self::Graphql => "the job over GraphQL, progress by subscription",
            Self::Docs => "every snippet of the documents, with what it prints",
        }
    }

    /// The example it imports: together they are several encodings, formats and currencies. The
    /// documents name theirs themselves.
    fn file(self) -> &'static str {
        match self {
            Self::Grpcurl | Self::Curl | Self::Docs => "de-giro.csv",
            Self::ConnectGrpc => "pl-konto.csv",
            Self::ConnectWeb => "se-konto.csv",
            Self::Browser => "jp-futsu.csv",
            Self::Grpcio => "ch-compte.csv",
            Self::Graphql => "uk-current.csv",
        }
    }
}

/// What became of one client.
struct Outcome {
    client: Client,
    elapsed: Duration,
    result: anyhow::Result<String>,
}

/// `cargo xtask clients`: all of them, or those that are named, on a stack of its own.
pub(crate) async fn run(workspace: &Workspace, names: &[String]) -> anyhow::Result<()> {
    let chosen = chosen(names)?;
    interrupt::guard(workspace.build()).await?;
    stack::with(workspace, Profile::Test, Parts::All, async |stack| {
        Ok((check(stack, &chosen).await, false))
    })
    .await?
}

/// Every client, as part of `cargo xtask test`.
pub(crate) async fn check_all(stack: &Stack<'_>) -> anyhow::Result<()> {
    check(stack, &Client::ALL).await
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Client>> {
    if names.is_empty() {
        return Ok(Client::ALL.into());
    }
    let known = Client::ALL.map(Client::name).join(", ");
    let find = |name: &String| {
        let found = Client::ALL.into_iter().find(|it| it.name() == name);
        found.with_context(|| format!("there is no client {name}; there are {known}"))
    };
    names.iter().map(find).collect()
}

async fn check(stack: &Stack<'_>, clients: &[Client]) -> anyhow::Result<()> {
    println!("clients of others");
    let started = Instant::now();
    let tree = Tree::lay(stack.workspace)?;
    let examples = manifest::read(&stack.workspace.root.join("examples"))?;
    let tools = Tools::install(stack.workspace, &tree, clients).await?;
    let installed = started.elapsed();
    let installation = postgres::Installation::find_or_install().await?;
    postgres::recreate(stack, &installation, postgres::CLIENTS_DATABASE).await?;
    let services = Services::start_on(stack, Listen::spare(stack)?).await?;
    let mut outcomes = Vec::new();
    for client in clients {
        let scene = Scene {
            stack,
            services: &services,
            tools: &tools,
            tree: &tree,
        };
        let started = Instant::now();
        let result = one(&scene, *client, &examples).await;
        outcomes.push(Outcome {
            client: *client,
            elapsed: started.elapsed(),
            result,
        });
    }
    Services::stop(stack).await?;
    report(&outcomes, installed)
}

/// Runs one client and compares what it counted with the manifest; says what came out.
async fn one(scene: &Scene<'_>, client: Client, examples: &[Example]) -> anyhow::Result<String> {
    let example = examples.iter().find(|it| it.file == client.file());
    let example = example.with_context(|| format!("no example {}", client.file()))?;
    let (count, sum) = program::run(scene, client, example).await?;
    match client {
        Client::Curl => return Ok(format!("{count} bytes")),
        Client::Docs => return Ok(format!("{count} snippets, {sum} outputs")),
        _ => {}
    }
    let expected = (
        example.figures.rows.to_string(),
        example.figures.sum.to_string(),
    );
    if (&count, &sum) != (&expected.0, &expected.1) {
        bail!("it counted {count} rows and {sum}, but the manifest says {expected:?}");
    }
    let shown = money::show(example.figures.sum, &example.currency);
    Ok(format!("{count} rows, {shown} {}", example.currency))
}

/// Prints what each client did; an error if one failed.
fn report(outcomes: &[Outcome], installed: Duration) -> anyhow::Result<()> {
    println!();
    println!("{:<13} {:>5}  {:<26} what", "client", "s", "result");
    let mut failed = Vec::new();
    for outcome in outcomes {
        let (name, seconds) = (outcome.client.name(), outcome.elapsed.as_secs_f32());
        let result = match &outcome.result {
            Ok(result) => result,
            Err(_) => "FAILED",
        };
        println!(
            "{name:<13} {seconds:>5.1}  {result:<26} {}",
            outcome.client.what()
        );
        if let Err(error) = &outcome.result {
            println!("  {}", format!("{error:#}").replace('\n', "\n  "));
            failed.push(name);
        }
    }
    println!(
        "installing and building them took {:.1} s",
        installed.as_secs_f32()
    );
    if !failed.is_empty() {
        bail!("clients failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_chosen_by_name() {
        assert_eq!(chosen(&[]).unwrap(), Client::ALL);
        let names = ["curl".to_owned(), "grpcio".to_owned()];
        assert_eq!(chosen(&names).unwrap(), [Client::Curl, Client::Grpcio]);
        chosen(&["wget".to_owned()]).unwrap_err();
    }
}
