//! Undone at the worst moments: every row gone once, or none.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use djinn_temporal::{
    imports::{self, ImportStatement},
    revert::{self as reverting, RevertImport},
};
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use super::{FOUR, FOUR_MINOR, undone, verdicts};
use crate::world::{
    PATIENCE, World, begin, confirm, get, import, many, reach, revert, statement, sum_of_many,
};

const ROWS: usize = 25_000;

async fn temporal() -> Client {
    let stack = testing::stack();
    let url = format!("http://{}", stack.temporal_address)
        .parse::<url::Url>()
        .unwrap();
    let connection = Connection::connect(ConnectionOptions::new(url).build())
        .await
        .unwrap();
    let options = ClientOptions::new(stack.temporal_namespace.clone()).build();
    Client::new(connection, options).unwrap()
}

/// The status that the workflow of an undoing ended with, once it has.
pub(crate) async fn outcome(import_id: &str) -> Option<String> {
    let handle = temporal()
        .await
        .get_workflow_handle::<RevertImport>(reverting::workflow_id(import_id));
    let result = handle.get_result(Default::default()).await;
    result.ok().map(|output| output.status)
}

async fn survives(failpoint: &str) {
    let mut world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = many(ROWS);
    let done = import(&mut client, &file, account_id).await;
    let version = world.version(user, account_id).await;
    world.kill().await;
    world.start(&[("FAILPOINTS", failpoint)]).await;
    let mut client = world.client(user);
    // The answer may be lost with the process; the wish is not.
    drop(revert(&mut client, &done.import_id).await);
    world.died().await;
    let rows = world.ledger(user, account_id).await.len();
    let expected = if failpoint.starts_with("revert_before") {
        ROWS
    } else {
        0
    };
    assert_eq!(rows, expected, "all or nothing");
    world.start(&[]).await;
    let mut client = world.client(user);
    assert_eq!(undone(&mut client, &done.import_id).await.1, (25_000, 0));
    assert_eq!(outcome(&done.import_id).await.as_deref(), Some("reverted"));
    assert_eq!(world.ledger(user, account_id).await, [0_i64; 0]);
    assert_eq!(world.balance(user, account_id).await, 10_000);
    assert_eq!(world.version(user, account_id).await, version + 1);
    assert_eq!(world.tombstones(user).await.len(), ROWS);
    assert_eq!(world.rows_without_a_version(user).await, 0);
    let again = import(&mut client, &file, account_id).await;
    assert_eq!(verdicts(&again), (25_000, 0, 0));
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(
        (ledger.len(), ledger.iter().sum::<i64>()),
        (ROWS, sum_of_many(ROWS))
    );
}

#[tokio::test]
async fn killed_before_the_removal_is_committed() {
    survives("revert_before_commit=return").await;
}

#[tokio::test]
async fn killed_between_the_removal_and_its_report() {
    survives("revert_after_commit=return").await;
}

#[tokio::test]
async fn a_wish_accepted_while_temporal_is_away_is_fulfilled_by_the_sweep() {
    let mut world = World::with_temporal_behind_a_proxy(&[]).await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    world.temporal.as_ref().unwrap().cut();
    let accepted = revert(&mut client, &done.import_id).await.unwrap();
    assert_eq!(accepted.state(), ImportState::Reverting);
    assert_eq!(world.ledger(user, account_id).await, FOUR_MINOR);
    world.temporal.as_ref().unwrap().heal();
    world.hurry_duties(user).await;
    assert_eq!(undone(&mut client, &done.import_id).await.1, (4, 0));
    assert_eq!(world.ledger(user, account_id).await, [0_i64; 0]);
    world.process();
}

/// The commit's report is lost, and before it is tried again the import is undone: what the commit
/// did is then still its answer.
#[tokio::test]
async fn undone_before_the_workflow_of_the_import_has_heard_of_its_commit() {
    let mut world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    world.kill().await;
    world
        .start(&[("FAILPOINTS", "commit_after_commit=return")])
        .await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &statement(FOUR), account_id).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    drop(confirm(&mut client, &review).await);
    world.died().await;
    world.start(&[]).await;
    let mut client = world.client(user);
    assert_eq!(
        get(&mut client, &import_id).await.state(),
        ImportState::Committed
    );
    revert(&mut client, &import_id).await.unwrap();
    let (last, reversal) = undone(&mut client, &import_id).await;
    assert_eq!(reversal, (4, 0));
    let handle = temporal()
        .await
        .get_workflow_handle::<ImportStatement>(imports::workflow_id(&import_id));
    let output = handle.get_result(Default::default()).await.unwrap();
    assert_eq!(output.status, "committed");
    assert_eq!(get(&mut client, &import_id).await, last);
}

#[tokio::test]
async fn numbers_that_disagree_remove_nothing_and_leave_the_import_committed() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    world.add_stray(user, &done.import_id).await;
    let version = world.version(user, account_id).await;
    revert(&mut client, &done.import_id).await.unwrap();
    let back = testing::eventually("the import committed again", PATIENCE, async || {
        let import = get(&mut client, &done.import_id).await;
        (import.state() == ImportState::Committed).then_some(import)
    })
    .await;
    let job = back.job.clone().unwrap();
    let failure = job.failure.unwrap();
    assert_eq!(failure.reason, "REVERSAL_MISMATCH");
    assert!(
        failure.message.contains("nothing was removed"),
        "{failure:?}"
    );
    assert!(
        job.end_time.is_some() && back.reversal.is_none(),
        "{back:?}"
    );
    assert_eq!(world.ledger(user, account_id).await.len(), 5);
    assert_eq!(world.version(user, account_id).await, version);
    assert_eq!(world.tombstones(user).await, []);
    assert_eq!(
        outcome(&done.import_id).await,
        None,
        "the workflow has failed"
    );

    // Repaired, it can be wished for once more.
    world.remove_strays(user, &done.import_id).await;
    revert(&mut client, &done.import_id).await.unwrap();
    let (last, reversal) = undone(&mut client, &done.import_id).await;
    assert_eq!(reversal, (4, 0));
    assert_eq!(last.job.unwrap().failure, None);
    assert_eq!(outcome(&done.import_id).await.as_deref(), Some("reverted"));
}

/// A row that is gone without a tombstone was lost, and not deleted by a person.
#[tokio::test]
async fn a_row_lost_without_a_trace_is_noticed() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    world.delete_by_hand(user, account_id, -320).await;
    let mut transaction = world.as_imports(user).await;
    sqlx::query("DELETE FROM ledger.transaction WHERE amount_minor = 250000")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    revert(&mut client, &done.import_id).await.unwrap();
    testing::eventually("the failure", PATIENCE, async || {
        let import = get(&mut client, &done.import_id).await;
        let failure = import.job.as_ref()?.failure.clone()?;
        assert_eq!(import.state(), ImportState::Committed);
        (failure.reason == "REVERSAL_MISMATCH").then_some(())
    })
    .await;
    assert_eq!(world.ledger(user, account_id).await, [-90_050, -320]);
}
