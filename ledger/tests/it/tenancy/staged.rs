//! `imports.staged_row` has no row-level security, because COPY needs it so: grants, a default and
//! a view stand in for it.

use djinn_chassis::{auth::UserId, postgres::UserTransaction};
use sqlx::Executor;
use uuid::Uuid;

use super::{DENIED, Users, make_peek, users};
use crate::fixture::{count, run, sqlstate};

const COLUMNS: &str = "import_id, generation, row_number, line, account_id, transaction_id, \
     booked_on, amount_minor, currency_code, description, counterparty, fingerprint";

/// A view's check option is not met.
const CHECK_OPTION: &str = "44000";

fn line(import_id: Uuid, row_number: i32) -> String {
    let id = Uuid::from_u128(u128::from(row_number.unsigned_abs()));
    format!("{import_id}\t1\t{row_number}\t1\t{id}\t{id}\t2026-01-31\t-5\tEUR\tREWE\t\t\\\\x00\n")
}

async fn stage(transaction: &mut UserTransaction, import_id: Uuid, rows: i32) -> u64 {
    let sql = format!("COPY imports.staged_row ({COLUMNS}) FROM STDIN");
    let mut copy = transaction.copy_in_raw(&sql).await.unwrap();
    for row in 1..=rows {
        copy.send(line(import_id, row).into_bytes()).await.unwrap();
    }
    copy.finish().await.unwrap()
}

/// Ann has staged three rows, Bob one, under the same import id.
async fn staged() -> (Users, Uuid) {
    let users = users().await;
    let import_id = users.fixture.clock.id();
    for (user, rows) in [(users.ann, 3), (users.bob, 1)] {
        let mut transaction = users.fixture.imports.user(user).await.unwrap();
        let copied = stage(&mut transaction, import_id, rows).await;
        assert_eq!(i64::try_from(copied).unwrap(), i64::from(rows));
        transaction.commit().await.unwrap();
    }
    (users, import_id)
}

async fn own_rows(users: &Users, user: UserId) -> i64 {
    let mut transaction = users.fixture.imports.user(user).await.unwrap();
    let sql = "SELECT count(*) FROM imports.staged";
    count(&mut transaction, sql).await.unwrap()
}

#[tokio::test]
async fn copied_rows_are_the_sessions_users() {
    let (users, _) = staged().await;
    assert_eq!(own_rows(&users, users.ann).await, 3);
    assert_eq!(own_rows(&users, users.bob).await, 1);
    let mut superuser = users.fixture.superuser().await;
    let sql = format!(
        "SELECT count(*) FROM imports.staged_row WHERE user_id = '{}'",
        users.ann
    );
    assert_eq!(count(&mut superuser, sql).await.unwrap(), 3);
}

#[tokio::test]
async fn copy_and_insert_cannot_name_the_user() {
    let (users, import_id) = staged().await;
    for statement in [
        format!("COPY imports.staged_row (user_id, {COLUMNS}) FROM STDIN"),
        "COPY imports.staged_row FROM STDIN".to_owned(),
        "COPY imports.staged_row TO STDOUT".to_owned(),
        "COPY imports.staged FROM STDIN".to_owned(),
    ] {
        let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
        let copy = theirs.copy_in_raw(&statement).await.map(|_| "copying");
        assert_eq!(sqlstate(copy), DENIED, "{statement}");
    }
    let values = format!(
        "'{import_id}', 1, 9, 1, '{import_id}', '{import_id}', '2026-01-31', 1, 'EUR', '', '', ''"
    );
    for table in ["staged_row", "staged"] {
        let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
        let sql = format!(
            "INSERT INTO imports.{table} (user_id, {COLUMNS}) VALUES ('{}', {values})",
            users.ann
        );
        assert_eq!(sqlstate(run(&mut theirs, sql).await), DENIED, "{table}");
    }
}

#[tokio::test]
async fn without_a_user_nothing_can_be_copied() {
    let users = users().await;
    // Used before, so that the setting is known and empty.
    users
        .fixture
        .imports
        .user(users.ann)
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
    let mut nobody = users.fixture.imports.unscoped().await.unwrap();
    let sql = format!("COPY imports.staged_row ({COLUMNS}) FROM STDIN");
    let copied = async {
        let mut copy = nobody.copy_in_raw(&sql).await?;
        copy.send(line(users.account, 1).into_bytes()).await?;
        copy.finish().await
    };
    assert!(copied.await.is_err());
}

#[tokio::test]
async fn the_table_itself_is_closed() {
    let (users, _) = staged().await;
    for sql in [
        "SELECT count(*) FROM imports.staged_row",
        "UPDATE imports.staged_row SET action = 'add'",
        "DELETE FROM imports.staged_row",
        "TRUNCATE imports.staged_row",
        "INSERT INTO imports.staged_row SELECT * FROM imports.staged",
    ] {
        let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
        assert_eq!(sqlstate(run(&mut theirs, sql).await), DENIED, "{sql}");
    }
}

#[tokio::test]
async fn the_view_changes_own_rows_only_and_never_their_keys() {
    let (users, import_id) = staged().await;
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    let seen = format!(
        "SELECT count(*) FROM imports.staged WHERE user_id = '{}'",
        users.ann
    );
    assert_eq!(count(&mut theirs, seen).await.unwrap(), 0);
    let update = "UPDATE imports.staged SET action = 'add'";
    assert_eq!(run(&mut theirs, update).await.unwrap(), 1);
    let delete = format!("DELETE FROM imports.staged WHERE import_id = '{import_id}'");
    assert_eq!(run(&mut theirs, delete).await.unwrap(), 1);
    theirs.commit().await.unwrap();
    assert_eq!(own_rows(&users, users.ann).await, 3);

    for column in [
        "user_id",
        "import_id",
        "generation",
        "row_number",
        "transaction_id",
        "line",
        "currency_code",
    ] {
        let mut own = users.fixture.imports.user(users.ann).await.unwrap();
        let sql = format!("UPDATE imports.staged SET {column} = {column}");
        assert_eq!(sqlstate(run(&mut own, sql).await), DENIED, "{column}");
    }
    let mut own = users.fixture.imports.user(users.ann).await.unwrap();
    let sql = "SELECT count(*) FROM imports.staged WHERE action IS NOT NULL";
    assert_eq!(count(&mut own, sql).await.unwrap(), 0);
}

/// The second lock: were the keys ever granted, the view would still refuse another user's.
#[tokio::test]
async fn the_views_check_holds_even_with_every_grant() {
    let (users, import_id) = staged().await;
    let mut superuser = users.fixture.superuser().await;
    superuser.execute("SET ROLE djinn_owner").await.unwrap();
    sqlx::query("SELECT set_config('djinn.user_id', $1, false)")
        .bind(users.bob.to_string())
        .execute(&mut superuser)
        .await
        .unwrap();
    let seen = count(&mut superuser, "SELECT count(*) FROM imports.staged").await;
    assert_eq!(seen.unwrap(), 1);
    let ann = users.ann;
    // To a row number that Ann has not: the unique index is looked at before the check.
    let moved = run(
        &mut superuser,
        format!("UPDATE imports.staged SET user_id = '{ann}', row_number = 9"),
    )
    .await;
    assert_eq!(sqlstate(moved), CHECK_OPTION);
    let inserted = run(
        &mut superuser,
        format!(
            "INSERT INTO imports.staged (user_id, {COLUMNS}) VALUES ('{ann}', '{import_id}', 1, 9, \
             1, '{import_id}', '{import_id}', '2026-01-31', 1, 'EUR', '', '', '')"
        ),
    )
    .await;
    assert_eq!(sqlstate(inserted), CHECK_OPTION);
    // Row-level security is forced: it binds the owner of the tables too.
    let seen = count(&mut superuser, "SELECT count(*) FROM ledger.transaction").await;
    assert_eq!(seen.unwrap(), 0);
}

#[tokio::test]
async fn a_cheap_function_meets_no_other_users_staged_row() {
    let (users, _) = staged().await;
    let mut theirs = users.fixture.imports.user(users.bob).await.unwrap();
    make_peek(&mut theirs).await;
    let sql = "SELECT count(*) FROM imports.staged WHERE pg_temp.peek(user_id)";
    assert_eq!(count(&mut theirs, sql).await.unwrap(), 1);
}

#[tokio::test]
async fn only_the_imports_service_renews_the_statistics() {
    let users = users().await;
    let sql = "SELECT imports.analyze_staged()";
    let mut imports = users.fixture.imports.user(users.ann).await.unwrap();
    run(&mut imports, sql).await.unwrap();
    let mut sync = users.fixture.sync.user(users.ann).await.unwrap();
    assert_eq!(sqlstate(run(&mut sync, sql).await), DENIED);
}
