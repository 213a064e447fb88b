//! Records golden histories: `cargo xtask record`.
//!
//! Each scene is played against the real service and a real Temporal; its history is written to
//! `temporal/histories/<workflow>/<name>.json`, where the replay test finds it. A file that is
//! there stays: histories of old releases must replay for ever. Delete one only if no server has
//! ever run the code that made it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of ours that stops at the first surprise and says what it wrote"
)]
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "the tests' world, of which only a part is used here"
)]

#[path = "../tests/it/by_hand.rs"]
mod by_hand;
#[path = "../tests/it/world.rs"]
mod world;

use std::path::{Path, PathBuf};

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState};
use djinn_temporal::{
    imports::{ImportStatement, SWEEP_ID, SweepImports, workflow_id},
    revert::{self as reverting, RevertImport},
};
use temporalio_client::{ClientOptions, Connection, ConnectionOptions};
use uuid::Uuid;
use world::{
    Client, World, ambiguous, ambiguous_twice, answer, begin, cancel, confirm, import, many, reach,
    revert,
};

fn target(workflow: &str, scene: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../temporal/histories")
        .join(workflow)
        .join(format!("{}-{scene}.json", env!("CARGO_PKG_VERSION")))
}

async fn temporal() -> temporalio_client::Client {
    let stack = testing::stack();
    let url = format!("http://{}", stack.temporal_address)
        .parse::<url::Url>()
        .unwrap();
    let connection = Connection::connect(ConnectionOptions::new(url).build())
        .await
        .unwrap();
    temporalio_client::Client::new(
        connection,
        ClientOptions::new(stack.temporal_namespace.clone()).build(),
    )
    .unwrap()
}

async fn write(path: &Path, json: Vec<u8>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    forget_machine(&mut value);
    std::fs::write(path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    println!("{}", path.display());
}

/// Workers sign with process id and host name, which are nobody's business, and name the queue of
/// their own after themselves, beside the name of the one that all share.
fn forget_machine(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            let is_own_queue = fields
                .get("normal_name")
                .and_then(serde_json::Value::as_str)
                .is_some_and(|shared| !shared.is_empty());
            for (name, field) in fields {
                if name == "identity" || (is_own_queue && name == "name") {
                    *field = "recorder".into();
                } else {
                    forget_machine(field);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_machine),
        _ => {}
    }
}

async fn keep(scene: &str, import_id: &str) {
    let path = target("ImportStatement", scene);
    if path.exists() {
        return;
    }
    let handle = temporal()
        .await
        .get_workflow_handle::<ImportStatement>(workflow_id(import_id));
    handle.get_result(Default::default()).await.unwrap();
    write(
        &path,
        handle
            .fetch_history(Default::default())
            .to_json()
            .await
            .unwrap(),
    )
    .await;
}

async fn scenes() {
    let world = World::with(&[("DJINN_IMPORTS_REVIEW_TTL", "3s")]).await;
    let user = testing::user();
    let mut client = world.client(user);

    let account_id = world.account(user, "EUR").await;
    let import_id = begin(&mut client, &many(12), account_id).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let other_id = begin(&mut client, &many(12), account_id).await;
    let other = reach(&mut client, &other_id, ImportState::Review).await;
    confirm(&mut client, &review).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    keep("committed", &import_id).await;

    // The other one saw an account that has changed since: back to review, then confirmed again.
    confirm(&mut client, &other).await.unwrap();
    let back = testing::eventually("the way back", world::PATIENCE, async || {
        let import = world::get(&mut client, &other_id).await;
        let handed_back = import.state() == ImportState::Review && import.etag != other.etag;
        handed_back.then_some(import)
    })
    .await;
    confirm(&mut client, &back).await.unwrap();
    reach(&mut client, &other_id, ImportState::Committed).await;
    keep("handed-back-and-committed", &other_id).await;

    let import_id = begin(&mut client, &many(3), account_id).await;
    reach(&mut client, &import_id, ImportState::Review).await;
    cancel(&mut client, &import_id).await.unwrap();
    reach(&mut client, &import_id, ImportState::Cancelled).await;
    keep("cancelled-in-review", &import_id).await;

    let import_id = begin(&mut client, &many(3), account_id).await;
    reach(&mut client, &import_id, ImportState::Expired).await;
    keep("expired", &import_id).await;

    read_otherwise(&mut client, account_id).await;
    asked_again(&mut client, account_id).await;
    let another_id = world.account(user, "EUR").await;
    answered(&mut client, another_id).await;

    let import_id = begin(&mut client, &ambiguous(), account_id).await;
    reach(&mut client, &import_id, ImportState::Asking).await;
    reach(&mut client, &import_id, ImportState::Expired).await;
    keep("asked-and-expired", &import_id).await;

    let import_id = begin(&mut client, &ambiguous(), account_id).await;
    reach(&mut client, &import_id, ImportState::Asking).await;
    cancel(&mut client, &import_id).await.unwrap();
    reach(&mut client, &import_id, ImportState::Cancelled).await;
    keep("asked-and-cancelled", &import_id).await;

    let import_id = begin(&mut client, b"<html></html>\n", account_id).await;
    reach(&mut client, &import_id, ImportState::Refused).await;
    keep("refused", &import_id).await;

    world.scanner.freeze();
    let import_id = begin(&mut client, &many(3), account_id).await;
    reach(&mut client, &import_id, ImportState::Scanning).await;
    cancel(&mut client, &import_id).await.unwrap();
    reach(&mut client, &import_id, ImportState::Cancelled).await;
    keep("cancelled-while-scanning", &import_id).await;
    world.scanner.heal();
    undone(&world).await;
    sweep(&world).await;
}

/// One import that is undone, and one of which the ledger holds a row too many.
async fn undone(world: &World) {
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    for (scene, stray) in [("reverted", false), ("given-up", true)] {
        let import_id = import(&mut client, &many(12), account_id).await.import_id;
        if stray {
            world.add_stray(user, &import_id).await;
        }
        revert(&mut client, &import_id).await.unwrap();
        let handle = temporal()
            .await
            .get_workflow_handle::<RevertImport>(reverting::workflow_id(&import_id));
        let ended = handle.get_result(Default::default()).await;
        assert_eq!(ended.is_err(), stray, "{ended:?}");
        let path = target("RevertImport", scene);
        if path.exists() {
            continue;
        }
        let history = handle.fetch_history(Default::default());
        write(&path, history.to_json().await.unwrap()).await;
    }
}

/// Beside these stands `asked-by-an-older-release`: it was asked by a release that took no answers,
/// and answered in this one.
async fn answered(client: &mut Client, account_id: Uuid) {
    let import_id = begin(client, &ambiguous(), account_id).await;
    let asks = reach(client, &import_id, ImportState::Asking).await;
    answer(client, &asks, &[("date", "0:dmy")]).await.unwrap();
    let review = reach(client, &import_id, ImportState::Review).await;
    confirm(client, &review).await.unwrap();
    reach(client, &import_id, ImportState::Committed).await;
    keep("answered-and-committed", &import_id).await;

    // The account has a template for the date now, so amount and rows are asked together.
    let import_id = begin(client, &ambiguous_twice(), account_id).await;
    let asks = reach(client, &import_id, ImportState::Asking).await;
    let given = [("amount", "signed:2:dot"), ("rows", "leave_out")];
    answer(client, &asks, &given).await.unwrap();
    reach(client, &import_id, ImportState::Review).await;
    reach(client, &import_id, ImportState::Expired).await;
    keep("answered-and-expired", &import_id).await;
}

/// Read under another mapping in review, and once more while it asks.
async fn read_otherwise(client: &mut Client, account_id: Uuid) {
    let dates = |format: &str| {
        let column = proto::MappedColumn {
            position: 1,
            role: "booked_on".to_owned(),
            format: format.to_owned(),
        };
        Some(proto::Mapping {
            columns: vec![column],
            ..proto::Mapping::default()
        })
    };
    let import_id = begin(client, &ambiguous(), account_id).await;
    let mut seen = reach(client, &import_id, ImportState::Asking).await;
    for (format, state) in [
        ("month, day, year", ImportState::Review),
        ("", ImportState::Asking),
        ("day, month, year", ImportState::Review),
    ] {
        let request = proto::RereadImportRequest {
            import_id: import_id.clone(),
            etag: seen.etag.clone(),
            request_id: Uuid::new_v4().to_string(),
            mapping: dates(format),
            answers: Default::default(),
        };
        client.reread_import(request).await.unwrap();
        seen = testing::eventually("another reading", world::PATIENCE, async || {
            let import = world::get(client, &import_id).await;
            (import.state() == state && import.generation > seen.generation).then_some(import)
        })
        .await;
    }
    confirm(client, &seen).await.unwrap();
    reach(client, &import_id, ImportState::Committed).await;
    keep("reread-and-committed", &import_id).await;
}

/// Asked twice, the second time about something that the first answer left open.
async fn asked_again(client: &mut Client, account_id: Uuid) {
    let import_id = begin(client, &ambiguous_twice(), account_id).await;
    let asks = reach(client, &import_id, ImportState::Asking).await;
    let given = [("date", "0:dmy"), ("amount", "signed:2:dot")];
    answer(client, &asks, &given).await.unwrap();
    let again = testing::eventually("the second question", world::PATIENCE, async || {
        let import = world::get(client, &import_id).await;
        (import.state() == ImportState::Asking && import.etag != asks.etag).then_some(import)
    })
    .await;
    answer(client, &again, &[("rows", "leave_out")])
        .await
        .unwrap();
    reach(client, &import_id, ImportState::Review).await;
    cancel(client, &import_id).await.unwrap();
    reach(client, &import_id, ImportState::Cancelled).await;
    keep("answered-twice-and-cancelled", &import_id).await;
}

async fn sweep(world: &World) {
    let path = target("SweepImports", "idle");
    if path.exists() {
        return;
    }
    let client = temporal().await;
    let schedule = client.get_schedule_handle(format!("{SWEEP_ID}:{}", world.queue));
    schedule
        .trigger(Default::default(), Default::default())
        .await
        .unwrap();
    let run = testing::eventually("a sweep", world::PATIENCE, async || {
        let description = schedule.describe(Default::default()).await.ok()?;
        let actions = description.recent_actions();
        actions.first().map(|action| action.workflow_id.clone())
    })
    .await;
    let handle = client.get_workflow_handle::<SweepImports>(run);
    handle.get_result(Default::default()).await.unwrap();
    write(
        &path,
        handle
            .fetch_history(Default::default())
            .to_json()
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::main]
async fn main() {
    scenes().await;
}
