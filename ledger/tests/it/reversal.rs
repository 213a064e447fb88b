//! Taking an import back: what goes, what stays, and what the offline pull learns of it.

use std::collections::BTreeMap;

use djinn_chassis::testing;
use djinn_ledger::{Change, reversal};
use uuid::Uuid;

use crate::fixture::{Booking, Fixture, booking, count, run};

/// What a person, a rule or nobody did to a row, and whether it stays.
const MARKS: [(&str, bool); 6] = [
    ("SELECT", false),
    (
        "INSERT INTO ledger.field_lock (user_id, transaction_id, field, change_id, locked_at) \
         SELECT user_id, transaction_id, 'note', $2, now() FROM ledger.transaction \
         WHERE transaction_id = $1",
        true,
    ),
    (
        "INSERT INTO ledger.provenance \
         (user_id, transaction_id, field, source, change_id, written_at) \
         SELECT user_id, transaction_id, 'note', 'user', $2, now() FROM ledger.transaction \
         WHERE transaction_id = $1",
        true,
    ),
    (
        "INSERT INTO ledger.provenance \
         (user_id, transaction_id, field, source, change_id, written_at) \
         SELECT user_id, transaction_id, 'category', 'rule', $2, now() FROM ledger.transaction \
         WHERE transaction_id = $1",
        false,
    ),
    (
        "UPDATE ledger.transaction SET reconciled_at = now(), change_id = $2 \
         WHERE transaction_id = $1",
        true,
    ),
    // A rule's text in the row itself, and nothing that says a person was there.
    (
        "UPDATE ledger.transaction SET description = 'x', updated_at = now(), change_id = $2 \
         WHERE transaction_id = $1",
        false,
    ),
];

#[tokio::test]
async fn what_a_person_touched_stays_and_all_else_goes() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    let (import_id, other) = (fixture.clock.id(), fixture.clock.id());
    let of = |import_id| Booking {
        import_id: Some(import_id),
        ..booking(account, -100)
    };
    let rows = fixture
        .book(user, &[(); MARKS.len()].map(|()| of(import_id)))
        .await;
    let others = fixture
        .book(user, &[of(other), booking(account, -100)])
        .await;
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let change = Change::begin(&fixture.clock);
    for (row, (sql, _)) in rows
        .iter()
        .zip(&MARKS)
        .filter(|(_, (sql, _))| *sql != "SELECT")
    {
        let marked = sqlx::query(*sql)
            .bind(row)
            .bind(change.id())
            .execute(&mut *transaction)
            .await;
        assert_eq!(marked.unwrap().rows_affected(), 1, "{sql}");
    }
    change.commit(transaction, &[account]).await.unwrap();

    let mut transaction = fixture.imports.user(user).await.unwrap();
    let change = Change::begin(&fixture.clock);
    let now = fixture.clock.now();
    let removal = reversal::remove(&mut transaction, import_id, &change, now)
        .await
        .unwrap();
    assert_eq!((removal.found, removal.removed, removal.buried), (6, 3, 3));
    assert_eq!(removal.kept(), 3);
    let version = change.commit(transaction, &[account]).await.unwrap();

    let mut transaction = fixture.imports.user(user).await.unwrap();
    let left: Vec<Uuid> =
        sqlx::query_scalar("SELECT transaction_id FROM ledger.transaction ORDER BY transaction_id")
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
    let stays = rows.iter().zip(&MARKS).filter(|(_, (_, stays))| *stays);
    let mut expected: Vec<Uuid> = stays.map(|(row, _)| *row).chain(others).collect();
    expected.sort_unstable();
    assert_eq!(left, expected);
    // Each removed row is a tombstone of the same change, and what was noted of it is gone.
    let sql = format!(
        "SELECT count(*) FROM ledger.tombstone b JOIN ledger.change c USING (user_id, change_id) \
         WHERE c.version = {version} AND b.cause = 'revert' AND b.account_id = '{account}' \
         AND b.fingerprint IS NULL AND b.occurrence IS NULL"
    );
    assert_eq!(count(&mut transaction, sql).await.unwrap(), 3);
    let sql = "SELECT count(*) FROM ledger.provenance WHERE source = 'rule'";
    assert_eq!(count(&mut transaction, sql).await.unwrap(), 0);
    drop(transaction);
    assert_eq!(fixture.rows_without_a_change(user).await, BTreeMap::new());
}

#[tokio::test]
async fn taken_back_again_there_is_nothing_left_to_remove() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    let import_id = fixture.clock.id();
    let row = Booking {
        import_id: Some(import_id),
        ..booking(account, -100)
    };
    fixture.book(user, &[row]).await;
    for expected in [(1, 1, 1), (0, 0, 0)] {
        let mut transaction = fixture.imports.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        let now = fixture.clock.now();
        let removal = reversal::remove(&mut transaction, import_id, &change, now)
            .await
            .unwrap();
        assert_eq!((removal.found, removal.removed, removal.buried), expected);
        change.commit(transaction, &[account]).await.unwrap();
    }
}

#[tokio::test]
async fn a_row_brought_back_and_removed_is_deleted_by_hand_again() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    let import_id = fixture.clock.id();
    let row = Booking {
        import_id: Some(import_id),
        ..booking(account, -100)
    };
    let rows = fixture.book(user, &[row, booking(account, -100)]).await;
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let change = Change::begin(&fixture.clock);
    for row in &rows {
        let sql = format!(
            "INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, fingerprint, \
             occurrence, cause, change_id, created_at, restored_by) VALUES ('{user}', \
             'transaction', gen_random_uuid(), '{account}', sha256(''), 1, 'user', '{}', now(), \
             '{row}')",
            change.id()
        );
        assert_eq!(run(&mut transaction, sql).await.unwrap(), 1);
    }
    change.commit(transaction, &[account]).await.unwrap();

    let mut transaction = fixture.imports.user(user).await.unwrap();
    let change = Change::begin(&fixture.clock);
    let now = fixture.clock.now();
    reversal::remove(&mut transaction, import_id, &change, now)
        .await
        .unwrap();
    change.commit(transaction, &[account]).await.unwrap();
    let mut transaction = fixture.imports.user(user).await.unwrap();
    let back: Vec<Option<Uuid>> = sqlx::query_scalar(
        "SELECT restored_by FROM ledger.tombstone WHERE cause = 'user' \
         AND fingerprint IS NOT NULL AND occurrence = 1 ORDER BY restored_by NULLS FIRST",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(back, [None, Some(rows[1])]);
    drop(transaction);
    assert_eq!(fixture.rows_without_a_change(user).await, BTreeMap::new());
}
