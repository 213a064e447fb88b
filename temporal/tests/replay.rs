//! Replays the golden history of every release on the code of today, without a server.
//!
//! A history may be a week old when its workflow goes on. One that does not replay means that an
//! import of last week would stand still: make the change under `ctx.patched(..)`, then record a
//! history of the new way beside the old ones with `cargo xtask record`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use djinn_temporal::{
    imports::{ImportStatement, SweepImports},
    revert::RevertImport,
};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

/// Every workflow, by the name of its folder. One without a history fails the test.
const WORKFLOWS: [&str; 3] = ["ImportStatement", "RevertImport", "SweepImports"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

fn histories(workflow: &str) -> Vec<PathBuf> {
    let folder = folder().join(workflow);
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|_| panic!("{workflow} has no history: run `cargo xtask record`"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    assert!(
        !files.is_empty(),
        "{workflow} has no history: run `cargo xtask record`"
    );
    files
}

fn replayer() -> WorkflowReplayer {
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<ImportStatement>()
        .unwrap()
        .register_workflow::<RevertImport>()
        .unwrap()
        .register_workflow::<SweepImports>()
        .unwrap()
        .build();
    WorkflowReplayer::new(options).unwrap()
}

#[tokio::test]
async fn every_golden_history_replays() {
    for workflow in WORKFLOWS {
        for path in histories(workflow) {
            let json = fs::read(&path).unwrap();
            let history = WorkflowHistory::from_json(&json).unwrap();
            if let Err(error) = replayer().replay_workflow(history).await {
                panic!("{} does not replay: {error}", path.display());
            }
        }
    }
}

#[test]
fn every_folder_of_histories_belongs_to_a_workflow() {
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            WORKFLOWS.contains(&name.as_str()),
            "no workflow is called {name}"
        );
    }
}
