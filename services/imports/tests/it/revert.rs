//! Undoing an import: the account is as it was, what a person touched stays, and the file can come
//! again.

pub(crate) mod faults;
mod matching;

use djinn_chassis::{auth::UserId, testing};
use djinn_ledger::account;
use djinn_proto::imports::v1::{self as proto, Import, ImportState};
use tonic::Code;
use uuid::Uuid;

use crate::{
    by_hand::{Mark, set_mark},
    world::{
        Client, PATIENCE, World, begin, cancel, confirm, get, import, many, reach, refused, revert,
        statement, sum_of_many,
    },
};

/// Two of the rows are the same in every cell.
const FOUR: &[(&str, &str, &str)] = &[
    ("2024-01-31", "Salary", "2500.00"),
    ("2024-02-01", "Rent", "-900.50"),
    ("2024-02-13", "Coffee", "-3.20"),
    ("2024-02-13", "Coffee", "-3.20"),
];
const FOUR_MINOR: [i64; 4] = [250_000, -90_050, -320, -320];

/// Undoes and waits for the end: the import, and how many rows were removed and kept.
async fn undo(client: &mut Client, import_id: &str) -> (Import, (i64, i64)) {
    revert(client, import_id).await.unwrap();
    undone(client, import_id).await
}

async fn undone(client: &mut Client, import_id: &str) -> (Import, (i64, i64)) {
    let import = reach(client, import_id, ImportState::Reverted).await;
    let reversal = import.reversal.unwrap();
    (import, (reversal.removed_count, reversal.kept_count))
}

/// New, duplicate, deleted before.
fn verdicts(import: &Import) -> (i64, i64, i64) {
    let counts = import.counts.unwrap();
    (
        counts.new_count,
        counts.duplicate_count,
        counts.deleted_before_count,
    )
}

impl World {
    async fn balance(&self, user: UserId, account_id: Uuid) -> i64 {
        let mut transaction = self.as_sync(user).await;
        account::balance(&mut transaction, account_id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn version(&self, user: UserId, account_id: Uuid) -> i64 {
        let mut transaction = self.as_sync(user).await;
        account::version(&mut transaction, account_id)
            .await
            .unwrap()
            .unwrap()
    }

    /// Tombstones by cause, and whether they know a fingerprint, and whether their row is back.
    async fn tombstones(&self, user: UserId) -> Vec<(String, bool, bool)> {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_as(
            "SELECT cause, fingerprint IS NOT NULL AND occurrence IS NOT NULL, \
             restored_by IS NOT NULL FROM ledger.tombstone ORDER BY 1, 2, 3",
        )
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
    }

    /// Rows and tombstones that the offline pull would never see.
    async fn rows_without_a_version(&self, user: UserId) -> i64 {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT change_id FROM ledger.transaction \
             UNION ALL SELECT change_id FROM ledger.tombstone) written \
             LEFT JOIN ledger.change c USING (change_id) WHERE c.version IS NULL",
        )
        .fetch_one(&mut *transaction)
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn an_import_undone_leaves_the_account_as_it_was_and_comes_again_as_new() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let before = import(
        &mut client,
        &statement(&[("2024-01-01", "Tea", "-1.00")]),
        account_id,
    )
    .await;
    let first = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(first.reversal, None);
    let version = world.version(user, account_id).await;
    let asked = revert(&mut client, &first.import_id).await.unwrap();
    assert!(
        matches!(
            asked.state(),
            ImportState::Reverting | ImportState::Reverted
        ),
        "{asked:?}"
    );
    let (done, reversal) = undone(&mut client, &first.import_id).await;
    assert_eq!(reversal, (4, 0));
    assert!(done.job.as_ref().unwrap().failure.is_none(), "{done:?}");
    assert_eq!(done.counts, first.counts, "what it had added is still told");
    assert_eq!(world.ledger(user, account_id).await, [-100]);
    assert_eq!(world.balance(user, account_id).await, 9_900);
    assert_eq!(world.version(user, account_id).await, version + 1);
    assert_eq!(world.rows_without_a_version(user).await, 0);
    let freed = ("revert".to_owned(), false, false);
    assert_eq!(world.tombstones(user).await, vec![freed; 4]);

    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (4, 0, 0));
    assert_eq!(world.balance(user, account_id).await, 169_210);
    let all: Vec<i64> = std::iter::once(-100).chain(FOUR_MINOR).collect();
    assert_eq!(world.ledger(user, account_id).await, all);
    // The other import is as it was, and the one that was undone stays undone.
    assert_eq!(get(&mut client, &before.import_id).await, before);
    assert_eq!(get(&mut client, &first.import_id).await, done);
}

#[tokio::test]
async fn undone_twice_at_once_and_once_more_is_undone_once() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    let other = import(
        &mut client,
        &statement(&[("2024-01-01", "Tea", "-1.00")]),
        account_id,
    )
    .await;
    let version = world.version(user, account_id).await;
    let mut request = proto::RevertImportRequest {
        import_id: done.import_id.clone(),
        request_id: Uuid::new_v4().to_string(),
    };
    let (mut two, mut three) = (world.client(user), world.client(user));
    let answers = tokio::join!(
        client.revert_import(request.clone()),
        two.revert_import(request.clone()),
        revert(&mut three, &done.import_id),
    );
    for state in [
        answers.0.unwrap().into_inner().import.unwrap().state(),
        answers.1.unwrap().into_inner().import.unwrap().state(),
        answers.2.unwrap().state(),
    ] {
        assert!(
            matches!(state, ImportState::Reverting | ImportState::Reverted),
            "{state:?}"
        );
    }
    let (first, reversal) = undone(&mut client, &done.import_id).await;
    assert_eq!(reversal, (4, 0));
    // Another wish, and the first one again: the answer is what there is.
    assert_eq!(revert(&mut client, &done.import_id).await.unwrap(), first);
    let same = client.revert_import(request.clone()).await.unwrap();
    assert_eq!(same.into_inner().import.unwrap(), first);
    assert_eq!(world.version(user, account_id).await, version + 1);
    assert_eq!(world.tombstones(user).await.len(), 4);
    // The same request id for another import is a mistake of the caller.
    request.import_id = other.import_id;
    refused(
        client.revert_import(request).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
    assert_eq!(world.ledger(user, account_id).await, [-100]);
}

#[tokio::test]
async fn only_what_is_committed_can_be_undone() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &statement(FOUR), account_id).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let mut request = proto::RevertImportRequest {
        import_id: import_id.clone(),
        request_id: Uuid::new_v4().to_string(),
    };
    let answer = client.revert_import(request.clone()).await;
    let words = answer.as_ref().unwrap_err().message().to_owned();
    assert!(
        words.starts_with("the import is review: only a committed"),
        "{words}"
    );
    refused(answer, Code::FailedPrecondition, "WRONG_STATE");
    // A refusal uses the request id for nothing: it is good for the real wish.
    confirm(&mut client, &review).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    client.revert_import(request.clone()).await.unwrap();
    assert_eq!(undone(&mut client, &import_id).await.1, (4, 0));
    // What is undone is neither confirmed nor cancelled any more.
    let again = confirm(&mut client, &review).await;
    refused(again, Code::FailedPrecondition, "WRONG_STATE");
    let cancelled = cancel(&mut client, &import_id).await;
    refused(cancelled, Code::FailedPrecondition, "WRONG_STATE");

    let import_id = begin(&mut client, &statement(FOUR), account_id).await;
    reach(&mut client, &import_id, ImportState::Review).await;
    cancel(&mut client, &import_id).await.unwrap();
    reach(&mut client, &import_id, ImportState::Cancelled).await;
    let answer = revert(&mut client, &import_id).await;
    refused(answer, Code::FailedPrecondition, "WRONG_STATE");

    for (field, import_id, request_id) in [
        ("import_id", String::new(), Uuid::new_v4().to_string()),
        ("import_id", "x".repeat(100_000), Uuid::new_v4().to_string()),
        ("request_id", import_id.clone(), String::new()),
        ("request_id", import_id, "soon".to_owned()),
    ] {
        request.import_id = import_id;
        request.request_id = request_id;
        let status = client.revert_import(request.clone()).await.unwrap_err();
        let details = tonic_types::StatusExt::get_error_details(&status);
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, field);
    }
}

#[tokio::test]
async fn another_user_undoes_nothing() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let account_id = world.account(owner, "EUR").await;
    let mut mine = world.client(owner);
    let done = import(&mut mine, &statement(FOUR), account_id).await;
    let mut theirs = world.client(thief);
    let unknown = Uuid::new_v4().to_string();
    let found = revert(&mut theirs, &done.import_id).await.unwrap_err();
    let missing = revert(&mut theirs, &unknown).await.unwrap_err();
    assert_eq!(
        (found.code(), missing.code()),
        (Code::NotFound, Code::NotFound)
    );
    assert_eq!(
        found.message().replace(&done.import_id, "ID"),
        missing.message().replace(&unknown, "ID")
    );
    assert_eq!(get(&mut mine, &done.import_id).await, done);
    assert_eq!(world.ledger(owner, account_id).await, FOUR_MINOR);
}

#[tokio::test]
async fn what_a_person_touched_stays_and_is_counted() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = many(10);
    let done = import(&mut client, &file, account_id).await;
    let rows = world.ledger(user, account_id).await;
    for (row, mark) in [
        (0, Mark::Locked),
        (1, Mark::OfTheUser),
        (2, Mark::Reconciled),
        (3, Mark::OfARule),
        (4, Mark::Locked),
        (4, Mark::OfTheUser),
    ] {
        world.mark(user, account_id, rows[row], mark).await;
    }
    let (shown, reversal) = undo(&mut client, &done.import_id).await;
    assert_eq!(reversal, (6, 4));
    let mut kept = vec![rows[0], rows[1], rows[2], rows[4]];
    kept.sort_unstable();
    let mut left = world.ledger(user, account_id).await;
    left.sort_unstable();
    assert_eq!(left, kept);
    assert_eq!(world.rows_without_a_version(user).await, 0);
    let listed = client
        .list_imports(proto::ListImportsRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().imports, [shown]);

    let again = import(&mut client, &file, account_id).await;
    assert_eq!(verdicts(&again), (6, 4, 0));
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(
        (ledger.len(), ledger.iter().sum::<i64>()),
        (10, sum_of_many(10))
    );
}

#[tokio::test]
async fn of_identical_rows_the_edited_one_stays_and_the_others_come_again() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let coffee = ("2024-01-31", "Coffee", "-3.20");
    let file = statement(&[coffee, coffee, coffee]);
    let done = import(&mut client, &file, account_id).await;
    // The first of the three, so that the numbers of the others are free in front and behind.
    world.mark(user, account_id, -320, Mark::Locked).await;
    assert_eq!(undo(&mut client, &done.import_id).await.1, (2, 1));
    let again = import(&mut client, &file, account_id).await;
    assert_eq!(verdicts(&again), (2, 1, 0));
    assert_eq!(world.ledger(user, account_id).await, [-320; 3]);
    let once_more = import(&mut client, &file, account_id).await;
    assert_eq!(verdicts(&once_more), (0, 3, 0));
}

/// The edit is written when the undoing begins and committed while that waits for it. Did it not
/// wait, it would not see the lock of the field and would remove the row with it.
#[tokio::test]
async fn an_edit_at_the_same_moment_is_seen_whole() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    let (mut editing, change) = world.by_hand(user, account_id).await;
    set_mark(&mut editing, &change, account_id, 250_000, Mark::Locked).await;
    revert(&mut client, &done.import_id).await.unwrap();
    testing::eventually("the undoing to wait for the edit", PATIENCE, async || {
        let mut transaction = world.as_sync(user).await;
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
             WHERE NOT l.granted AND a.datname = current_database()",
        )
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    // Whoever looks meanwhile, or wishes again, does not wait.
    let looked = get(&mut client, &done.import_id).await;
    assert_eq!(looked.state(), ImportState::Reverting);
    let progress = looked.job.unwrap().progress.unwrap();
    assert_eq!((progress.done_count, progress.total_count), (0, 4));
    let wished = revert(&mut client, &done.import_id).await.unwrap();
    assert_eq!(
        (wished.state(), wished.reversal),
        (ImportState::Reverting, None)
    );
    change.commit(editing, &[account_id]).await.unwrap();
    assert_eq!(undone(&mut client, &done.import_id).await.1, (3, 1));
    assert_eq!(world.ledger(user, account_id).await, [250_000]);
}

#[tokio::test]
async fn watching_goes_on_until_the_import_is_undone() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    let (editing, change) = world.by_hand(user, account_id).await;
    revert(&mut client, &done.import_id).await.unwrap();
    let request = proto::WatchImportRequest {
        import_id: done.import_id,
    };
    let mut stream = world
        .client(user)
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    let first = stream.message().await.unwrap().unwrap().import.unwrap();
    assert_eq!(first.state(), ImportState::Reverting);
    assert_eq!(first.job.unwrap().end_time, None);
    change.commit(editing, &[account_id]).await.unwrap();
    let mut last = None;
    while let Some(message) = stream.message().await.unwrap() {
        last = message.import;
    }
    let last = last.unwrap();
    assert_eq!(last.state(), ImportState::Reverted);
    assert_eq!(last.reversal.unwrap().removed_count, 4);
}
