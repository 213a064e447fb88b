//! `cargo xtask record`: golden histories of the workflows, from real runs on a stack.

use std::ffi::OsString;

use crate::command;
use crate::stack::{self, Parts, Profile};
use crate::workspace::Workspace;

/// Runs the recording program on the stack of the tests; it writes `temporal/histories`.
pub(crate) async fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<()> {
    workspace.build().await?;
    workspace.build_record().await?;
    stack::with(workspace, Profile::Test, Parts::All, async |stack| {
        // Not `cargo run --package`, which would build with other features than everything else.
        let mut record = tokio::process::Command::new(workspace.example("record"));
        record
            .args(arguments)
            .current_dir(&workspace.root)
            .env("DJINN_TEST_STACK", stack.folder.join("stack.json"));
        command::run(&mut record).await?;
        Ok(((), false))
    })
    .await
}
