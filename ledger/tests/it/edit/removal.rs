//! Deletions: what stays of a transaction, and that a file does not bring it back.

use djinn_ledger::intake::{self, Batch};

use super::*;
use crate::fixture::{run, stage};

/// The verdicts of an import of one row with this fingerprint.
async fn verdicts(shelf: &Shelf, fingerprint: u8) -> Vec<String> {
    let mut transaction = shelf.fixture.imports.user(shelf.user).await.unwrap();
    let batch = Batch {
        import_id: shelf.fixture.clock.id(),
        generation: 1,
        has_ids: true,
    };
    let row = stage::row(shelf.account, fingerprint);
    stage::copy(&mut transaction, batch, &[row]).await;
    intake::match_batch(&mut transaction, batch, 0)
        .await
        .unwrap();
    let sql = "SELECT concat_ws(' ', verdict, transaction_id, occurrence) FROM imports.verdict \
         WHERE import_id = $1 ORDER BY row_number";
    let rows = sqlx::query_scalar(sql).bind(batch.import_id);
    rows.fetch_all(&mut *transaction).await.unwrap()
}

/// A shelf whose transaction came from a file, with a fingerprint of this byte.
async fn imported(fingerprint: u8) -> Shelf {
    let shelf = shelf().await;
    let mut superuser = shelf.fixture.superuser().await;
    let sql = format!(
        "UPDATE ledger.transaction SET occurrence = 3, \
         fingerprint = decode(repeat('{fingerprint:02x}', 32), 'hex') \
         WHERE transaction_id = '{}'",
        shelf.id
    );
    assert_eq!(run(&mut superuser, sql).await.unwrap(), 1);
    shelf
}

#[tokio::test]
async fn a_deletion_leaves_a_tombstone_and_a_history() {
    let shelf = imported(7).await;
    shelf.edit(&Author::user(), &note("mine")).await;
    let version = shelf.account().await.version;
    shelf.delete().await;
    let mut own = shelf.begin().await;
    let found = transaction::get(&mut own, shelf.id).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(shelf.rows(LOCKS).await, [""; 0]);
    assert_eq!(shelf.rows(PROVENANCE).await, [""; 0]);
    let tombstones = "SELECT concat_ws(' ', kind, subject_id, account_id, cause, occurrence, \
         left(encode(fingerprint, 'hex'), 4)) FROM ledger.tombstone";
    let expected = format!("transaction {} {} user 3 0707", shelf.id, shelf.account);
    assert_eq!(shelf.rows(tombstones).await, [expected]);
    assert!(shelf.account().await.version > version);
    // What is gone by the cascade the pull learns of from the tombstone's change.
    let pulled = "SELECT c.version::text FROM ledger.tombstone b \
         JOIN ledger.change c USING (user_id, change_id)";
    let version = shelf.account().await.version.to_string();
    assert_eq!(shelf.rows(pulled).await, [version]);
    let without = shelf.fixture.rows_without_a_change(shelf.user).await;
    assert_eq!(without, [].into());
}

#[tokio::test]
async fn an_entered_one_leaves_no_fingerprint() {
    let shelf = shelf().await;
    shelf.delete().await;
    let bare = "SELECT count(*) FROM ledger.tombstone \
         WHERE fingerprint IS NULL AND occurrence IS NULL";
    let mut own = shelf.begin().await;
    assert_eq!(count(&mut own, bare).await.unwrap(), 1);
    assert!(
        edit::was_removed(&mut shelf.begin().await, shelf.id)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_file_does_not_bring_back_what_was_deleted_by_hand() {
    let shelf = imported(7).await;
    let known = [format!("duplicate {} 3", shelf.id)];
    assert_eq!(verdicts(&shelf, 7).await, known);
    // Edits change nothing of what a file is compared with.
    let edit = Edit {
        amount_minor: Some(99),
        booked_on: NaiveDate::from_ymd_opt(2020, 1, 1),
        ..note("mine")
    };
    shelf.edit(&Author::user(), &edit).await;
    assert_eq!(verdicts(&shelf, 7).await, known);
    shelf.delete().await;
    let gone = format!("deleted_before {} 3", shelf.id);
    assert_eq!(verdicts(&shelf, 7).await, [gone]);
    // Another booking is new, which needs no verdict.
    assert_eq!(verdicts(&shelf, 8).await, [""; 0]);
}

/// Whoever comes second finds the transaction gone.
#[tokio::test]
async fn an_edit_that_waited_for_a_deletion_finds_nothing() {
    let shelf = shelf().await;
    let mut deleting = shelf.begin().await;
    let opened = edit::open(&mut deleting, shelf.id).await.unwrap().unwrap();
    let clock = &shelf.fixture.clock;
    let (change, seen) = (Change::begin(clock), opened.transaction);
    edit::delete(&mut deleting, &change, &seen, clock.now())
        .await
        .unwrap();
    let waiting = {
        let (pool, user, id) = (shelf.fixture.sync.clone(), shelf.user, shelf.id);
        tokio::spawn(async move {
            let mut transaction = pool.user(user).await.unwrap();
            edit::open(&mut transaction, id).await.unwrap().is_none()
        })
    };
    somebody_waits(&shelf.fixture).await;
    change.commit(deleting, &[shelf.account]).await.unwrap();
    assert!(waiting.await.unwrap());
}
