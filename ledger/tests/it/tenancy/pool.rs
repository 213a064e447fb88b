//! A connection that one user's work leaves behind knows nothing of that user.

use std::time::Duration;

use djinn_chassis::{postgres::Postgres, testing};
use sqlx::Executor;

use super::{SETTING_UNKNOWN, TEXT_INVALID, Users, users};
use crate::fixture::{count, pool, sqlstate};

/// Whom the pool's only connection works for when nobody is set, and what it sees.
async fn sees_nobody(users: &Users, pool: &Postgres) {
    let mut nobody = pool.unscoped().await.unwrap();
    let user: Option<String> =
        sqlx::query_scalar("SELECT nullif(current_setting('djinn.user_id', true), '')")
            .fetch_one(&mut *nobody)
            .await
            .unwrap();
    assert_eq!(user, None);
    drop(nobody);
    let mut theirs = pool.user(users.bob).await.unwrap();
    let sql = "SELECT count(*) FROM ledger.transaction";
    assert_eq!(count(&mut theirs, sql).await.unwrap(), 0);
}

#[tokio::test]
async fn after_a_commit_a_rollback_and_an_error() {
    let users = users().await;
    let pool = pool(&users.fixture.database, "djinn_imports", 1).await;
    pool.user(users.ann).await.unwrap().commit().await.unwrap();
    sees_nobody(&users, &pool).await;

    let mut dropped = pool.user(users.ann).await.unwrap();
    dropped.execute("SELECT 1").await.unwrap();
    drop(dropped);
    sees_nobody(&users, &pool).await;

    let mut failed = pool.user(users.ann).await.unwrap();
    assert!(failed.execute("SELECT 1 / 0").await.is_err());
    drop(failed);
    sees_nobody(&users, &pool).await;

    let mut nobody = pool.unscoped().await.unwrap();
    let seen = count(&mut nobody, "SELECT count(*) FROM ledger.account").await;
    // Empty on a connection that was used before; unknown on one that had to be made anew.
    let state = sqlstate(seen);
    assert!(
        [TEXT_INVALID, SETTING_UNKNOWN].contains(&&*state),
        "{state}"
    );
}

/// A call whose client hung up is dropped between two polls, with its statement still running.
#[tokio::test]
async fn after_a_future_that_was_dropped_mid_statement() {
    let users = users().await;
    let pool = pool(&users.fixture.database, "djinn_imports", 1).await;
    let mut superuser = users.fixture.superuser().await;
    superuser
        .execute("SELECT pg_advisory_lock(7)")
        .await
        .unwrap();
    let running = {
        let (pool, ann) = (pool.clone(), users.ann);
        tokio::spawn(async move {
            let mut transaction = pool.user(ann).await.unwrap();
            let waiting = transaction.execute("SELECT pg_advisory_xact_lock(7)");
            waiting.await.unwrap();
        })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND usename = 'djinn_imports' \
         AND state = 'active' AND wait_event = 'advisory'";
    let what = "a statement under way";
    testing::eventually(what, Duration::from_secs(20), async || {
        let found = count(&mut superuser, waiting).await.unwrap();
        (found == 1).then_some(())
    })
    .await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    sees_nobody(&users, &pool).await;
    // The server notices that nobody waits for the answer, although the lock is never given.
    let what = "the statement's end";
    testing::eventually(what, Duration::from_secs(20), async || {
        let found = count(&mut superuser, waiting).await.unwrap();
        (found == 0).then_some(())
    })
    .await;
}
