//! The imports service deletes transactions and writes tombstones: its own user's, and only so.

use djinn_ledger::{Change, reversal};

use super::{DENIED, Users, users};
use crate::fixture::{Booking, booking, count, run, sqlstate};

/// Ann's transaction gets a tombstone beside it, of another one that she deleted by hand.
async fn with_tombstone() -> Users {
    let users = users().await;
    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    let change = Change::begin(&users.fixture.clock);
    let sql = format!(
        "INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, fingerprint, \
         occurrence, cause, change_id, created_at) VALUES ('{}', 'transaction', \
         gen_random_uuid(), '{}', sha256(''), 1, 'user', '{}', now())",
        users.ann,
        users.account,
        change.id()
    );
    assert_eq!(run(&mut own, sql).await.unwrap(), 1);
    change.commit(own, &[users.account]).await.unwrap();
    users
}

#[tokio::test]
async fn another_users_transactions_and_tombstones_cannot_be_removed_or_changed() {
    let users = with_tombstone().await;
    let (ann, account, transaction) = (users.ann, users.account, users.transaction);
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    for sql in [
        "DELETE FROM ledger.transaction".to_owned(),
        format!("DELETE FROM ledger.transaction WHERE transaction_id = '{transaction}'"),
        format!("DELETE FROM ledger.transaction WHERE user_id = '{ann}'"),
        "UPDATE ledger.transaction SET linked_import_id = NULL".to_owned(),
        "UPDATE ledger.transaction SET description = '', counterparty = ''".to_owned(),
        "UPDATE ledger.provenance SET source = 'rule'".to_owned(),
        "DELETE FROM ledger.provenance".to_owned(),
        "UPDATE ledger.tombstone SET restored_by = gen_random_uuid()".to_owned(),
        format!("UPDATE ledger.tombstone SET restored_by = NULL WHERE user_id = '{ann}'"),
        "UPDATE ledger.tombstone SET change_id = gen_random_uuid()".to_owned(),
    ] {
        assert_eq!(run(&mut theirs, sql.clone()).await.unwrap(), 0, "{sql}");
    }
    theirs.commit().await.unwrap();
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let sql = format!(
        "INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, cause, change_id, \
         created_at) VALUES ('{ann}', 'transaction', '{transaction}', '{account}', 'revert', \
         gen_random_uuid(), now())"
    );
    assert_eq!(sqlstate(run(&mut theirs, sql).await), DENIED);

    let mut own = users.fixture.sync.user(ann).await.unwrap();
    for (table, expected) in [
        ("transaction", 1),
        ("tombstone WHERE restored_by IS NULL", 1),
    ] {
        let sql = format!("SELECT count(*) FROM ledger.{table}");
        assert_eq!(count(&mut own, sql).await.unwrap(), expected, "{table}");
    }
}

#[tokio::test]
async fn another_users_import_cannot_be_taken_back() {
    let users = users().await;
    let import_id = users.fixture.clock.id();
    let row = Booking {
        import_id: Some(import_id),
        ..booking(users.account, -100)
    };
    users.fixture.book(users.ann, &[row]).await;
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let change = Change::begin(&users.fixture.clock);
    let now = users.fixture.clock.now();
    let removal = reversal::remove(&mut theirs, import_id, &change, now)
        .await
        .unwrap();
    assert_eq!((removal.found, removal.removed, removal.buried), (0, 0, 0));
    change.commit(theirs, &[]).await.unwrap();
    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    let sql = "SELECT count(*) FROM ledger.transaction";
    assert_eq!(count(&mut own, sql).await.unwrap(), 2);
}

#[tokio::test]
async fn what_another_users_import_is_linked_with_cannot_be_freed() {
    let users = users().await;
    let import_id = users.fixture.clock.id();
    let link = format!(
        "UPDATE ledger.transaction SET linked_import_id = '{import_id}', \
         fingerprint = sha256(''), occurrence = 1"
    );
    let mut superuser = users.fixture.superuser().await;
    let link = format!("{link} WHERE user_id = '{}'", users.ann);
    assert_eq!(run(&mut superuser, link).await.unwrap(), 1);
    for (user, expected) in [(users.bob, 0), (users.ann, 1)] {
        let mut own = users.fixture.imports.user(user).await.unwrap();
        let change = Change::begin(&users.fixture.clock);
        let now = users.fixture.clock.now();
        let freed = reversal::unlink(&mut own, import_id, &change, now).await;
        assert_eq!(freed.unwrap(), expected);
        change.commit(own, &[]).await.unwrap();
    }
}

/// What a person has locked or deleted, the imports service cannot make otherwise.
#[tokio::test]
async fn what_a_tombstone_knows_and_what_a_person_locked_is_not_the_imports_services_to_change() {
    let users = with_tombstone().await;
    for sql in [
        "UPDATE ledger.tombstone SET fingerprint = NULL, occurrence = NULL",
        "UPDATE ledger.tombstone SET cause = 'revert'",
        "DELETE FROM ledger.tombstone",
        "DELETE FROM ledger.field_lock",
        "UPDATE ledger.transaction SET reconciled_at = NULL",
        "UPDATE ledger.transaction SET amount_minor = 1",
        "UPDATE ledger.transaction SET booked_on = booked_on",
        "UPDATE ledger.transaction SET note = ''",
        "UPDATE ledger.edit SET new_value = ''",
        "DELETE FROM ledger.edit",
    ] {
        let mut own = users.fixture.imports.user(users.ann).await.unwrap();
        assert_eq!(sqlstate(run(&mut own, sql).await), DENIED, "{sql}");
    }
}
