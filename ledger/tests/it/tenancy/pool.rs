//! A connection that one user's work leaves behind knows nothing of that user.

use std::time::Duration;

use djinn_chassis::{postgres::Postgres, testing};
use sqlx::Executor;

use super::{TEXT_INVALID, Users, users};
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
    assert_eq!(sqlstate(seen), TEXT_INVALID);
}

/// A call whose client hung up is dropped between two polls, with its statement still running.
#[tokio::test]
async fn after_a_future_that_was_dropped_mid_statement() {
    let users = users().await;
    let pool = pool(&users.fixture.database, "djinn_imports", 1).await;
    let running = {
        let (pool, ann) = (pool.clone(), users.ann);
        tokio::spawn(async move {
            let mut transaction = pool.user(ann).await.unwrap();
            transaction.execute("SELECT pg_sleep(600)").await.unwrap();
        })
    };
    let mut superuser = users.fixture.superuser().await;
    let sleeping = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(600)' \
         AND usename = 'djinn_imports'";
    testing::eventually("a statement under way", Duration::from_secs(20), async || {
        let found = count(&mut superuser, sleeping).await.unwrap();
        (found == 1).then_some(())
    })
    .await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    sees_nobody(&users, &pool).await;
    testing::eventually("the statement's end", Duration::from_secs(20), async || {
        let found = count(&mut superuser, sleeping).await.unwrap();
        (found == 0).then_some(())
    })
    .await;
}
