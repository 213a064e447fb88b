//! What one user has, no other can see, change, copy or refer to.

mod edit;
mod pool;
mod role;
mod staged;
mod undo;

use djinn_chassis::{auth::UserId, testing};
use djinn_ledger::{
    Change,
    account::{self, Query},
    transaction::{self, Filter, Page},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fixture::{Fixture, ROLES, booking, count, insert, run, sqlstate};

/// Privileges do not suffice, or a row breaks a policy's check.
const DENIED: &str = "42501";
/// A setting that nobody has made.
const SETTING_UNKNOWN: &str = "42704";
/// A text that is no UUID.
const TEXT_INVALID: &str = "22P02";
/// A foreign key leads nowhere.
const REFERENCE: &str = "23503";
/// COPY into a table under row-level security.
const UNSUPPORTED: &str = "0A000";

/// Every table of the ledger.
const TABLES: [&str; 8] = [
    "account",
    "transaction",
    "counter",
    "change",
    "tombstone",
    "provenance",
    "field_lock",
    "edit",
];

/// Two users; the first has an account with a transaction, the second an account.
struct Users {
    fixture: Fixture,
    ann: UserId,
    bob: UserId,
    account: Uuid,
    transaction: Uuid,
}

async fn users() -> Users {
    let fixture = Fixture::new().await;
    let (ann, bob) = (testing::user(), testing::user());
    let account = fixture.account(ann, 100).await;
    fixture.account(bob, 0).await;
    let transaction = fixture.book_amount(ann, account, -250).await;
    Users {
        fixture,
        ann,
        bob,
        account,
        transaction,
    }
}

#[tokio::test]
async fn another_users_rows_are_as_unknown_ones() {
    let users = users().await;
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    for id in [users.account, Uuid::nil()] {
        assert_eq!(account::get(&mut theirs, id).await.unwrap(), None);
        assert_eq!(
            account::get_for_update(&mut theirs, id).await.unwrap(),
            None
        );
        assert_eq!(account::balance(&mut theirs, id).await.unwrap(), None);
        assert_eq!(account::version(&mut theirs, id).await.unwrap(), None);
    }
    let found = transaction::get(&mut theirs, users.transaction).await;
    assert_eq!(found.unwrap(), None);
    let query = Query {
        closed: None,
        after: None,
        limit: 10,
    };
    let listed = account::list(&mut theirs, &query).await.unwrap();
    assert!(
        listed
            .iter()
            .all(|account| account.account_id != users.account)
    );
    assert_eq!(listed.len(), 1);
    for account_id in [None, Some(users.account)] {
        let filter = Filter {
            account_id,
            ..Filter::default()
        };
        let page = Page {
            after: None,
            rows_max: 10,
            bytes_max: 1_000,
        };
        let listed = transaction::list(&mut theirs, &filter, &page)
            .await
            .unwrap();
        assert_eq!(listed.transactions, []);
    }
    // And its own user still sees it.
    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    assert_eq!(
        account::balance(&mut own, users.account).await.unwrap(),
        Some(-150)
    );
}

#[tokio::test]
async fn every_statement_without_a_filter_sees_own_rows_only() {
    let users = users().await;
    for role in ROLES {
        for (user, expected) in [(users.ann, [1, 1, 1, 2]), (users.bob, [1, 0, 1, 1])] {
            let mut transaction = users.fixture.pool(role).user(user).await.unwrap();
            for (table, rows) in ["account", "transaction", "counter", "change"]
                .iter()
                .zip(expected)
            {
                let sql = format!("SELECT count(*) FROM ledger.{table}");
                let seen = count(&mut transaction, sql).await.unwrap();
                assert_eq!(seen, rows, "{role} {table}");
            }
        }
    }
}

#[tokio::test]
async fn another_users_rows_cannot_be_written() {
    let users = users().await;
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    let account = users.account;
    let sql = format!("UPDATE ledger.account SET name = 'x' WHERE account_id = '{account}'");
    assert_eq!(run(&mut theirs, sql).await.unwrap(), 0);
    let sql = format!(
        "UPDATE ledger.counter SET version = 0 WHERE user_id = '{}'",
        users.ann
    );
    assert_eq!(run(&mut theirs, sql).await.unwrap(), 0);
    let edit = account::Edit {
        name: Some("x".to_owned()),
        ..account::Edit::default()
    };
    let change = Change::begin(&users.fixture.clock);
    let now = users.fixture.clock.now();
    account::update(&mut theirs, &change, account, &edit, now)
        .await
        .unwrap();
    account::close(&mut theirs, &change, account, now)
        .await
        .unwrap();
    // A change of Bob's that names Ann's account moves Bob's counter and nothing of hers.
    assert_eq!(change.commit(theirs, &[account]).await.unwrap(), 2);

    let mut own = users.fixture.sync.user(users.ann).await.unwrap();
    let found = account::get(&mut own, account).await.unwrap().unwrap();
    assert_eq!(
        (&*found.name, found.closed_at, found.version),
        ("Giro", None, 2)
    );
}

#[tokio::test]
async fn rows_cannot_be_inserted_for_another_user() {
    let users = users().await;
    let change = Uuid::nil();
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let booking = booking(users.account, 1);
    let refused = insert(
        &mut theirs,
        users.ann,
        users.fixture.clock.id(),
        &booking,
        change,
    );
    let text = format!("{:?}", refused.await.unwrap_err());
    assert!(text.contains("row-level security"), "{text}");

    for (role, sql) in [
        ("djinn_sync", "INSERT INTO ledger.counter VALUES ($1, 9)"),
        ("djinn_imports", "INSERT INTO ledger.counter VALUES ($1, 9)"),
        (
            "djinn_imports",
            "INSERT INTO ledger.change VALUES ($1, 9, $1, now())",
        ),
        (
            "djinn_sync",
            "INSERT INTO ledger.change VALUES ($1, 9, $1, now())",
        ),
        (
            "djinn_sync",
            "INSERT INTO sync.request VALUES ($1, 'x', $1, sha256(''), $1, now())",
        ),
        (
            "djinn_imports",
            "INSERT INTO imports.request VALUES ($1, 'x', $1, sha256(''), $1, now())",
        ),
        (
            "djinn_sync",
            "INSERT INTO ledger.account VALUES \
             ($1, $1, 'x', 'cash', 'EUR', 0, NULL, 0, $1, now(), now())",
        ),
    ] {
        let mut theirs = users.fixture.pool(role).user(users.bob).await.unwrap();
        let done = sqlx::query(sql)
            .bind(users.ann.uuid())
            .execute(&mut *theirs)
            .await;
        assert_eq!(sqlstate(done), DENIED, "{role}: {sql}");
    }
}

#[tokio::test]
async fn foreign_keys_do_not_reach_another_user() {
    let users = users().await;
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let booking = booking(users.account, 1);
    let refused = insert(
        &mut theirs,
        users.bob,
        users.fixture.clock.id(),
        &booking,
        Uuid::nil(),
    );
    let text = format!("{:?}", refused.await.unwrap_err());
    assert!(text.contains("Constraint"), "{text}");
    assert!(
        text.contains("transaction_user_id_account_id_fkey"),
        "{text}"
    );

    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let upload = sqlx::query(
        "INSERT INTO imports.upload (user_id, upload_id, file_name, object_key, state, created_at) \
         VALUES ($1, $1, 'a.csv', 'k', 'stored', now())",
    )
    .bind(users.bob.uuid())
    .execute(&mut *theirs)
    .await;
    assert_eq!(upload.unwrap().rows_affected(), 1);
    let import = sqlx::query(
        "INSERT INTO imports.import (user_id, import_id, upload_id, account_id, \
         currency_code, status, auto_confirm, created_at, updated_at) \
         VALUES ($1, $1, $1, $2, 'EUR', 'created', false, now(), now())",
    )
    .bind(users.bob.uuid())
    .bind(users.account)
    .execute(&mut *theirs)
    .await;
    assert_eq!(sqlstate(import), REFERENCE);
}

#[tokio::test]
async fn copy_neither_reads_nor_writes_another_user() {
    let users = users().await;
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let copied = theirs
        .copy_in_raw("COPY ledger.transaction FROM STDIN")
        .await
        .map(|_| "copying");
    assert_eq!(sqlstate(copied), UNSUPPORTED);

    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let mut out = theirs
        .copy_out_raw("COPY ledger.account (user_id) TO STDOUT")
        .await
        .unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = futures::TryStreamExt::try_next(&mut out).await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text, format!("{}\n", users.bob));
}

#[tokio::test]
async fn without_a_user_nothing_is_seen_and_nothing_is_silent() {
    let users = users().await;
    for role in ROLES {
        let pool = users.fixture.pool(role);
        for table in TABLES {
            // A connection nobody has used yet does not know the setting at all.
            let fresh = crate::fixture::pool(&users.fixture.database, role, 1).await;
            let sql = format!("SELECT count(*) FROM ledger.{table}");
            let mut nobody = fresh.unscoped().await.unwrap();
            let seen = count(&mut nobody, sql.clone()).await;
            assert_eq!(sqlstate(seen), SETTING_UNKNOWN, "{role} {table}");
            // A used one knows it as empty.
            pool.user(users.ann).await.unwrap().commit().await.unwrap();
            for empty in ["", "x", "00000000-0000-0000-0000-00000000000"] {
                let mut nobody = pool.unscoped().await.unwrap();
                sqlx::query("SELECT set_config('djinn.user_id', $1, true)")
                    .bind(empty)
                    .execute(&mut *nobody)
                    .await
                    .unwrap();
                let seen = count(&mut nobody, sql.clone()).await;
                assert_eq!(sqlstate(seen), TEXT_INVALID, "{role} {table} {empty:?}");
            }
        }
    }
    let mut nobody = users.fixture.imports.unscoped().await.unwrap();
    let seen = count(&mut nobody, "SELECT count(*) FROM imports.staged").await;
    assert!(seen.is_err(), "{seen:?}");
    let mut nobody = users.fixture.imports.unscoped().await.unwrap();
    let inserted = run(
        &mut nobody,
        "INSERT INTO ledger.counter VALUES (gen_random_uuid(), 1)",
    );
    assert!(inserted.await.is_err());
}

#[tokio::test]
async fn row_level_security_cannot_be_switched_off() {
    let users = users().await;
    for role in ROLES {
        let mut theirs = users.fixture.pool(role).user(users.bob).await.unwrap();
        run(&mut theirs, "SET LOCAL row_security = off")
            .await
            .unwrap();
        let seen = count(&mut theirs, "SELECT count(*) FROM ledger.account").await;
        assert_eq!(sqlstate(seen), DENIED);
        for sql in [
            "SET ROLE djinn_owner",
            "SET ROLE djinn_migrator",
            "ALTER TABLE ledger.account NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE ledger.account DISABLE ROW LEVEL SECURITY",
            "DROP POLICY own ON ledger.account",
            "CREATE POLICY mine ON ledger.account USING (true)",
            "TRUNCATE ledger.account CASCADE",
            "DELETE FROM ledger.account",
            "ALTER ROLE CURRENT_USER BYPASSRLS",
        ] {
            let mut theirs = users.fixture.pool(role).user(users.bob).await.unwrap();
            assert_eq!(
                sqlstate(run(&mut theirs, sql).await),
                DENIED,
                "{role}: {sql}"
            );
        }
    }
}

#[tokio::test]
async fn keys_cannot_be_changed() {
    let users = users().await;
    for role in ROLES {
        for (table, column) in [
            ("account", "user_id"),
            ("account", "account_id"),
            ("account", "currency_code"),
            ("transaction", "user_id"),
            ("transaction", "transaction_id"),
            ("transaction", "account_id"),
            ("transaction", "currency_code"),
            ("transaction", "source"),
            ("transaction", "import_id"),
            ("transaction", "created_at"),
            ("tombstone", "subject_id"),
            ("tombstone", "fingerprint"),
            ("tombstone", "occurrence"),
            ("tombstone", "cause"),
            ("provenance", "transaction_id"),
            ("provenance", "field"),
            ("field_lock", "transaction_id"),
            ("field_lock", "field"),
            ("edit", "edit_id"),
            ("edit", "transaction_id"),
            ("edit", "new_value"),
            ("counter", "user_id"),
            ("change", "user_id"),
            ("change", "version"),
            ("change", "change_id"),
        ] {
            let mut own = users.fixture.pool(role).user(users.ann).await.unwrap();
            let sql = format!("UPDATE ledger.{table} SET {column} = {column}");
            assert_eq!(
                sqlstate(run(&mut own, sql).await),
                DENIED,
                "{role} {table}.{column}"
            );
        }
    }
    // What a statement says of a transaction is for the imports service to write, and only for it.
    for column in [
        "external_id",
        "fingerprint",
        "occurrence",
        "linked_import_id",
    ] {
        let mut own = users.fixture.sync.user(users.ann).await.unwrap();
        let sql = format!("UPDATE ledger.transaction SET {column} = {column}");
        assert_eq!(sqlstate(run(&mut own, sql).await), DENIED, "{column}");
    }
}

/// Makes a function that fails when it sees another user's row, so cheap that the planner would
/// call it first, and takes away the indexes that would keep such rows from it.
async fn make_peek(connection: &mut PgConnection) {
    for sql in [
        "CREATE FUNCTION pg_temp.peek(owner uuid) RETURNS boolean LANGUAGE plpgsql \
         COST 0.0000001 AS $$ BEGIN \
         IF owner <> current_setting('djinn.user_id')::uuid THEN RAISE 'seen'; END IF; \
         RETURN true; END $$",
        "SET LOCAL enable_indexscan = off",
        "SET LOCAL enable_indexonlyscan = off",
        "SET LOCAL enable_bitmapscan = off",
    ] {
        run(connection, sql).await.unwrap();
    }
}

/// A condition that looks at rows before the policy does would tell of other users' by its errors.
#[tokio::test]
async fn a_cheap_function_meets_no_other_users_row() {
    let users = users().await;
    let mut theirs = users.fixture.sync.user(users.bob).await.unwrap();
    make_peek(&mut theirs).await;
    for table in TABLES {
        let sql = format!("SELECT count(*) FROM ledger.{table} WHERE pg_temp.peek(user_id)");
        count(&mut theirs, sql).await.unwrap();
    }
}
