use super::*;
use crate::testing;
use sqlx::Connection;
use std::time::Instant;
use uuid::Uuid;

async fn pool(role: &str, n: u32) -> Postgres {
    let url = format!("postgres://{role}:x@127.0.0.1:55432/djinn");
    Postgres::connect(&Options { url: url.into(), connections_max: n }).await.unwrap()
}
async fn pid(c: &mut PgConnection) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(c).await.unwrap()
}

#[tokio::test]
async fn live_roles() {
    for role in ["postgres", "byp"] {
        let p = pool(role, 2).await;
        for _ in 0..2 {
            let s = Instant::now();
            let e = p.ping().await.unwrap_err();
            println!("{role}: {} after {:?}", crate::fault::chain(&e), s.elapsed());
            assert!(matches!(e, Error::Internal(_)));
        }
    }
    pool("svc", 2).await.ping().await.unwrap();
}

#[tokio::test]
async fn live_rls_and_reuse() {
    let p = pool("svc", 1).await;
    let (a, b) = (testing::user(), testing::user());
    let mut tx = p.user(a).await.unwrap();
    sqlx::query("insert into t values ($1, null)").bind(a.uuid()).execute(&mut *tx).await.unwrap();
    let first = pid(&mut tx).await;
    tx.commit().await.unwrap();
    let mut tx = p.user(b).await.unwrap();
    assert_eq!(pid(&mut tx).await, first);
    let n: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(n, 0);
    sqlx::query("insert into t values ($1, null)").bind(b.uuid()).execute(&mut *tx).await.unwrap();
    assert!(sqlx::query("insert into t values ($1, null)").bind(a.uuid()).execute(&mut *tx).await.is_err());
    drop(tx);
    let mut tx = p.unscoped().await.unwrap();
    assert_eq!(pid(&mut tx).await, first, "polite rollback reuses");
    let s: Option<String> = sqlx::query_scalar("select current_setting('djinn.user_id', true)").fetch_one(&mut *tx).await.unwrap();
    println!("setting {s:?}");
    assert!(s.unwrap_or_default().is_empty());
    let e = sqlx::query("select count(*) from t").fetch_one(&mut *tx).await.unwrap_err();
    println!("unscoped: {e}");
    drop(tx);
    let mut tx = p.user(b).await.unwrap();
    let n: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(n, 0);
    // nested
    {
        let mut inner = tx.begin().await.unwrap();
        sqlx::query("insert into t values ($1, null)").bind(b.uuid()).execute(&mut *inner).await.unwrap();
    }
    let n: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(n, 0);
    let mut inner = tx.begin().await.unwrap();
    sqlx::query("insert into t values ($1, null)").bind(b.uuid()).execute(&mut *inner).await.unwrap();
    inner.commit().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = p.user(b).await.unwrap();
    let n: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(n, 1);
    // swallowed error
    let v = (Uuid::new_v4().as_u128() % 1_000_000_000) as i32;
    sqlx::query("insert into t values ($1, $2)").bind(b.uuid()).bind(v).execute(&mut *tx).await.unwrap();
    let e: Error = sqlx::query("insert into t values ($1, $2)").bind(b.uuid()).bind(v).execute(&mut *tx).await.unwrap_err().into();
    assert!(matches!(&e, Error::Constraint { name, .. } if name == "t_v_key"), "{e:?}");
    let e = tx.commit().await.unwrap_err();
    println!("{}", crate::fault::chain(&e));
    p.ping().await.unwrap();
}

#[tokio::test]
async fn live_cancel() {
    let p = pool("svc", 1).await;
    let mut tx = p.user(testing::user()).await.unwrap();
    let first = pid(&mut tx).await;
    let r = tokio::time::timeout(Duration::from_millis(100), sqlx::query("select pg_sleep(30) /*cancelme*/").execute(&mut *tx)).await;
    assert!(r.is_err());
    drop(tx);
    let s = Instant::now();
    let mut tx = p.unscoped().await.unwrap();
    println!("got another after {:?}", s.elapsed());
    assert_ne!(pid(&mut tx).await, first);
    let gone = testing::eventually("the query ends", Duration::from_secs(5), async || {
        let n: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where query like '%cancelme%' and pid <> pg_backend_pid() and state = 'active'").fetch_one(&mut *tx).await.unwrap();
        (n == 0).then_some(())
    });
    gone.await;
    println!("query gone after {:?}", s.elapsed());
}

#[tokio::test]
async fn live_storm() {
    let p = pool("svc", 2).await;
    let mut ok = 0;
    let mut failed = 0;
    for i in 0..800u64 {
        let u = testing::user();
        let work = async {
            let mut tx = p.user(u).await?;
            for _ in 0..5 {
                sqlx::query("insert into t values ($1, null)").bind(u.uuid()).execute(&mut *tx).await?;
            }
            if i % 3 == 0 {
                let mut inner = tx.begin().await?;
                sqlx::query("insert into t values ($1, null)").bind(u.uuid()).execute(&mut *inner).await?;
                let mut copy = inner.copy_in_raw("copy t (v) from stdin").await;
                if let Ok(c) = &mut copy { c.send(&b"1\n"[..]).await?; }
                drop(copy);
                inner.commit().await?;
            }
            tx.commit().await
        };
        match tokio::time::timeout(Duration::from_micros(i % 400 * 20), work).await {
            Ok(Ok(())) => ok += 1,
            Ok(Err(e)) => { failed += 1; if failed < 4 { println!("{e:?}"); } }
            Err(_) => {}
        }
        let mut tx = p.unscoped().await.unwrap();
        let s: Option<String> = sqlx::query_scalar("select current_setting('djinn.user_id', true)").fetch_one(&mut *tx).await.unwrap();
        assert!(s.unwrap_or_default().is_empty(), "{i}");
        let sub: bool = sqlx::query_scalar("select pg_current_xact_id_if_assigned() is null").fetch_one(&mut *tx).await.unwrap();
        assert!(sub, "{i}");
        tx.commit().await.unwrap();
    }
    println!("ok {ok} failed {failed}");
    // no half transactions: 5 rows or none per user
    assert!(ok > 50);
}
