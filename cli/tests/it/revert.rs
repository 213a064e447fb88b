//! `djinn imports revert`: undoing a committed import.

use crate::{
    process::{djinn, file},
    server::Fake,
};

/// A server with one import of this file, committed, its address and the import's id.
async fn committed(name: &str) -> (Fake, String, String) {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let (_folder, path) = file(name, b"x");
    let args = ["--json", "import", &path, "--account", "Main", "--yes"];
    let document = djinn(&url, &args).await.ended(0).document();
    let import_id = document["importId"].as_str().unwrap().to_owned();
    (fake, url, import_id)
}

#[tokio::test]
async fn an_import_is_undone() {
    let (fake, url, import_id) = committed("good.csv").await;
    let args = ["--json", "imports", "revert", &import_id, "--yes"];
    let done = djinn(&url, &args).await.ended(0).document();
    assert_eq!(done["state"], "IMPORT_STATE_REVERTED");
    assert_eq!(done["reversal"]["removedCount"], "1");
    assert_eq!(done["reversal"]["keptCount"], serde_json::Value::Null);

    // Undoing twice is undoing once, and there is nothing left to agree to.
    let text = djinn(&url, &["imports", "revert", &import_id])
        .await
        .ended(0)
        .stdout;
    let line = format!("Undone good.csv: removed 1 transaction (import {import_id})\n");
    assert_eq!(text, line);
    let state = fake.state();
    assert_eq!(state.reverts.len(), 2);
    assert_ne!(state.reverts[0].request_id, state.reverts[1].request_id);
}

#[tokio::test]
async fn what_stays_is_told_with_the_way_to_see_it() {
    let (_fake, url, import_id) = committed("kept.csv").await;
    let text = djinn(&url, &["imports", "revert", &import_id, "--yes"])
        .await
        .ended(0)
        .stdout;
    let line = format!(
        "Kept 2 transactions edited by hand since; `djinn transactions list --import {import_id}` \
         lists them\n"
    );
    assert!(text.ends_with(&line), "{text}");
    let shown = djinn(&url, &["imports", "show", &import_id])
        .await
        .ended(0)
        .stdout;
    assert!(
        shown.contains("State    reverted\nUndone   1 transaction removed, 2 kept\n"),
        "{shown}"
    );
}

#[tokio::test]
async fn without_a_terminal_nobody_agrees() {
    let (fake, url, import_id) = committed("good.csv").await;
    let waits = djinn(&url, &["--json", "imports", "revert", &import_id])
        .await
        .ended(5);
    assert_eq!(waits.document()["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(waits.failure()["reason"], "NOT_AGREED");
    let how = format!("`djinn imports revert {import_id} --yes`");
    assert!(waits.stderr.contains(&how), "{}", waits.stderr);
    assert!(fake.state().reverts.is_empty());
}

#[tokio::test]
async fn an_import_that_cannot_be_undone_is_a_failure() {
    let (_fake, url, import_id) = committed("stuck.csv").await;
    let args = ["--json", "imports", "revert", &import_id, "--yes"];
    let failed = djinn(&url, &args).await.ended(4);
    assert_eq!(failed.document()["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(failed.failure()["reason"], "REVERSAL_MISMATCH");
}

#[tokio::test]
async fn what_is_not_committed_is_refused_and_what_is_unknown_not_found() {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let (_folder, path) = file("good.csv", b"x");
    let args = ["--json", "import", &path, "--account", "Main"];
    let review = djinn(&url, &args).await.ended(5).document();
    let import_id = review["importId"].as_str().unwrap();
    // Nobody is asked about something that cannot be done.
    let refused = djinn(&url, &["--json", "imports", "revert", import_id])
        .await
        .ended(4);
    assert_eq!(refused.failure()["reason"], "WRONG_STATE");
    let unknown = "0190a0a0-0000-7000-8000-000000000009";
    djinn(&url, &["imports", "revert", unknown, "--yes"])
        .await
        .ended(6);
    assert!(
        fake.state()
            .reverts
            .iter()
            .all(|asked| asked.import_id == import_id)
    );
}
