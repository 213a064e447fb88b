//! `cargo xtask test`: every test, on a stack of its own, then the clients of others against the
//! services on that stack, then the score of the statement reader.

use std::ffi::{OsStr, OsString};

use tokio::process::Command;

use crate::stack::{self, Parts, Profile, Stack};
use crate::workspace::Workspace;
use crate::{clients, command, interrupt};

/// What the reader must reach on real banks' files: nothing wrong, ever, and nine in ten read
/// unasked.
const SCORE: [&str; 4] = ["--max-wrong", "0", "--min-correct", "92"];

/// Runs the tests.
pub(crate) async fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<()> {
    interrupt::guard(workspace.build()).await?;
    // Whatever the tests say, clients are run and the reader is scored: one run tells everything
    // there is to repair.
    let (tests, clients) = stack::with(workspace, Profile::Test, Parts::All, async |stack| {
        let tests = tests(stack, arguments).await;
        let clients = if arguments.is_empty() {
            clients::check_all(stack).await
        } else {
            Ok(())
        };
        Ok(((tests, clients), false))
    })
    .await?;
    let score = if arguments.is_empty() {
        interrupt::guard(score(workspace)).await
    } else {
        Ok(())
    };
    tests?;
    clients?;
    score
}

async fn tests(stack: &Stack<'_>, arguments: &[OsString]) -> anyhow::Result<()> {
    let mut cargo = stack.workspace.cargo();
    cargo.args(["test", "--no-fail-fast"]);
    let selects = |argument: &OsString| {
        argument == OsStr::new("-p") || argument.to_string_lossy().starts_with("--package")
    };
    if !arguments.iter().any(selects) {
        cargo.arg("--workspace").args(stack.workspace.features());
    }
    cargo
        .args(arguments)
        .env("DJINN_TEST_STACK", stack.folder.join("stack.json"));
    command::run(&mut cargo).await
}

/// Scores the reader against real banks' files, where they are: they are not ours to publish, so
/// they lie beside the repository.
async fn score(workspace: &Workspace) -> anyhow::Result<()> {
    let tool = workspace.root.join("../shared/tools/check-statements");
    if !tool.is_file() {
        println!("statement score: skipped, there is no {}", tool.display());
        return Ok(());
    }
    let preview = workspace.example("preview");
    println!("statement score ({})", SCORE.join(" "));
    let mut check = Command::new(tool);
    check
        .args(SCORE)
        .arg("--program")
        .arg(preview)
        .current_dir(&workspace.root);
    command::run(&mut check).await
}
