//! Edits by hand: another user's transactions, locks, provenance, history and tombstones.

use djinn_ledger::edit::{
    self, Author, Edit,
    history::{self, Page},
};

use super::*;

/// Both users, of whom Ann has edited her transaction and deleted another.
async fn edited() -> (Users, Uuid) {
    let users = users().await;
    let deleted = users.fixture.book_amount(users.ann, users.account, 5).await;
    let clock = &users.fixture.clock;
    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    let change = Change::begin(clock);
    let author = Author::user();
    let mine = Edit {
        note: Some("mine".to_owned()),
        ..Edit::default()
    };
    let opened = edit::open(&mut own, users.transaction).await.unwrap();
    let (seen, now) = (opened.unwrap().transaction, clock.now());
    edit::write(&mut own, &change, &seen, &author, &mine, now)
        .await
        .unwrap();
    let opened = edit::open(&mut own, deleted).await.unwrap().unwrap();
    edit::delete(&mut own, &change, &opened.transaction, now)
        .await
        .unwrap();
    change.commit(own, &[users.account]).await.unwrap();
    (users, deleted)
}

/// What Ann has by then.
const KEPT: [(&str, i64); 5] = [
    ("transaction", 1),
    ("provenance", 1),
    ("field_lock", 1),
    ("tombstone", 1),
    // The note, and six fields of the deleted one.
    ("edit", 7),
];

async fn nothing_of_anns_changed(users: &Users) {
    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    for (table, expected) in KEPT {
        let sql = format!("SELECT count(*) FROM ledger.{table}");
        assert_eq!(count(&mut own, sql).await.unwrap(), expected, "{table}");
    }
    let found = transaction::get(&mut own, users.transaction).await;
    assert_eq!(found.unwrap().unwrap().note, "mine");
}

#[tokio::test]
async fn another_users_edits_are_as_unknown_ones() {
    let (users, deleted) = edited().await;
    let page = Page {
        after: None,
        entries_max: 10,
        bytes_max: 1_000,
    };
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    for id in [users.transaction, deleted, users.account, Uuid::nil()] {
        assert!(edit::open(&mut theirs, id).await.unwrap().is_none());
        assert!(!edit::was_removed(&mut theirs, id).await.unwrap());
        let history = history::list(&mut theirs, id, &page).await.unwrap();
        assert_eq!(history, None);
    }
    for role in ROLES {
        let mut theirs = users.fixture.pool(role).user(users.bob).await.unwrap();
        for (table, _) in KEPT {
            let sql = format!("SELECT count(*) FROM ledger.{table}");
            assert_eq!(count(&mut theirs, sql).await.unwrap(), 0, "{role} {table}");
        }
    }
    nothing_of_anns_changed(&users).await;
}

/// Were what Ann has read ever to reach Bob, writing it back would do nothing.
#[tokio::test]
async fn another_users_transaction_cannot_be_written() {
    let (users, _) = edited().await;
    let clock = &users.fixture.clock;
    let seen = {
        let mut own = users.fixture.sync.user(users.ann).await.unwrap();
        let opened = edit::open(&mut own, users.transaction).await.unwrap();
        opened.unwrap().transaction
    };
    let stolen = Edit {
        description: Some("stolen".to_owned()),
        ..Edit::default()
    };
    let (author, now) = (Author::user(), clock.now());
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    let change = Change::begin(clock);
    let written = edit::write(&mut theirs, &change, &seen, &author, &stolen, now).await;
    // The row is not there for Bob, so its provenance has nothing to refer to.
    let text = format!("{:?}", written.unwrap_err());
    let constraint = "provenance_user_id_transaction_id_fkey";
    assert!(text.contains(constraint), "{text}");

    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    edit::delete(&mut theirs, &change, &seen, now)
        .await
        .unwrap();
    for sql in [
        "UPDATE ledger.transaction SET note = 'x'",
        "DELETE FROM ledger.transaction",
        "UPDATE ledger.provenance SET source = 'rule'",
        "DELETE FROM ledger.provenance",
        "UPDATE ledger.field_lock SET locked_at = now()",
        "DELETE FROM ledger.field_lock",
    ] {
        assert_eq!(run(&mut theirs, sql).await.unwrap(), 0, "{sql}");
    }
    change.commit(theirs, &[users.account]).await.unwrap();
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    let sql = "SELECT count(*) FROM ledger.tombstone";
    assert_eq!(count(&mut theirs, sql).await.unwrap(), 0);
    nothing_of_anns_changed(&users).await;
}

/// Statements that insert a row of this user about that transaction and account, by table.
fn inserts(user: UserId, transaction: Uuid, account: Uuid) -> [(&'static str, String); 5] {
    let about = format!("'{user}', '{transaction}'");
    [
        (
            "provenance",
            format!(
                "(user_id, transaction_id, field, source, change_id, written_at) \
                 VALUES ({about}, 'amount', 'user', '{account}', now())"
            ),
        ),
        (
            "field_lock",
            format!(
                "(user_id, transaction_id, field, change_id, locked_at) \
                 VALUES ({about}, 'amount', '{account}', now())"
            ),
        ),
        (
            "edit",
            format!(
                "(user_id, transaction_id, edit_id, kind, field, source, change_id, written_at) \
                 VALUES ({about}, gen_random_uuid(), 'edited', 'note', 'user', '{account}', now())"
            ),
        ),
        (
            "tombstone",
            format!(
                "(user_id, subject_id, kind, cause, change_id, created_at) \
                 VALUES ({about}, 'transaction', 'user', '{account}', now())"
            ),
        ),
        (
            "transaction",
            format!(
                "(user_id, account_id, transaction_id, booked_on, amount_minor, currency_code, \
                 description, counterparty, source, change_id, created_at) \
                 VALUES ('{user}', '{account}', gen_random_uuid(), now(), 1, 'EUR', '', '', \
                 'user', '{account}', now())"
            ),
        ),
    ]
}

#[tokio::test]
async fn rows_of_edits_cannot_be_inserted_for_another_user() {
    let (users, _) = edited().await;
    for (table, row) in inserts(users.ann, users.transaction, users.account) {
        let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
        let inserted = run(&mut theirs, format!("INSERT INTO ledger.{table} {row}")).await;
        assert_eq!(sqlstate(inserted), DENIED, "{table}");
    }
    nothing_of_anns_changed(&users).await;
}

/// History and tombstones outlive what they tell of and refer to nothing: a row of Bob's with an id
/// of Ann's tells him of nothing but itself.
#[tokio::test]
async fn locks_provenance_and_bookings_do_not_refer_to_another_users_rows() {
    let (users, _) = edited().await;
    for (table, row) in inserts(users.bob, users.transaction, users.account) {
        let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
        let inserted = run(&mut theirs, format!("INSERT INTO ledger.{table} {row}")).await;
        match table {
            "edit" | "tombstone" => assert_eq!(inserted.unwrap(), 1, "{table}"),
            _ => assert_eq!(sqlstate(inserted), REFERENCE, "{table}"),
        }
    }
    nothing_of_anns_changed(&users).await;
}

#[tokio::test]
async fn without_a_user_nothing_is_edited() {
    let (users, _) = edited().await;
    let pool = &users.fixture.sync;
    pool.user(users.bob).await.unwrap().commit().await.unwrap();
    let inserts = inserts(users.ann, users.transaction, users.account);
    let mut statements = inserts
        .map(|(table, row)| format!("INSERT INTO ledger.{table} {row}"))
        .to_vec();
    statements.extend(
        [
            "UPDATE ledger.transaction SET note = 'x'",
            "DELETE FROM ledger.transaction",
            "DELETE FROM ledger.field_lock",
            "DELETE FROM ledger.provenance",
        ]
        .map(str::to_owned),
    );
    for sql in statements {
        let mut nobody = pool.unscoped().await.unwrap();
        let done = run(&mut nobody, sql.clone()).await;
        let state = sqlstate(done);
        // Unknown on a new connection, empty on a used one.
        assert!(
            [TEXT_INVALID, SETTING_UNKNOWN].contains(&&*state),
            "{sql}: {state}"
        );
    }
    nothing_of_anns_changed(&users).await;
}

/// History is written once; what a deletion keeps of fingerprints is nobody's to change.
#[tokio::test]
async fn history_and_tombstones_stay_as_they_were_written() {
    let (users, _) = edited().await;
    for (role, sql) in [
        ("djinn_sync", "UPDATE ledger.edit SET new_value = 'x'"),
        ("djinn_sync", "DELETE FROM ledger.edit"),
        ("djinn_sync", "UPDATE ledger.tombstone SET cause = 'revert'"),
        (
            "djinn_sync",
            "UPDATE ledger.tombstone SET restored_by = NULL",
        ),
        ("djinn_sync", "DELETE FROM ledger.tombstone"),
        ("djinn_imports", "UPDATE ledger.edit SET new_value = 'x'"),
        ("djinn_imports", "DELETE FROM ledger.edit"),
        ("djinn_imports", "DELETE FROM ledger.tombstone"),
        ("djinn_imports", "UPDATE ledger.transaction SET note = 'x'"),
        ("djinn_imports", "DELETE FROM ledger.field_lock"),
    ] {
        let mut own = users.fixture.pool(role).user(users.ann).await.unwrap();
        assert_eq!(sqlstate(run(&mut own, sql).await), DENIED, "{role}: {sql}");
    }
    nothing_of_anns_changed(&users).await;
}
