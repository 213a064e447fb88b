//! Redis stopped, slow, and forgetful. Whatever it does, calls are answered as soon as before, and
//! it is no way around the limits.

use std::time::Duration;

use tokio::time::Instant;

use djinn_chassis::{
    cache::ANSWER_TIMEOUT,
    testing::{RedisServer, eventually, user},
};

use super::{limited, read, retry, token, write};
use crate::{
    backend::Backend,
    edge::{Gateway, SOON},
};

/// Calls in one look at how long they take.
const CALLS: usize = 300;

/// What an outage may add.
const ADDED_P99_MAX: Duration = Duration::from_millis(50);

/// How many of ten reads and of ten writes of one user pass.
async fn passed(gateway: &Gateway, token: &str) -> (usize, usize) {
    let (mut reads, mut writes) = (0, 0);
    for _ in 0..10 {
        reads += usize::from(read(gateway, token).await.is_ok());
        writes += usize::from(write(gateway, token).await.is_ok());
    }
    (reads, writes)
}

/// The time that 99 of a hundred calls stay under, and that of the longest.
async fn taken(gateway: &Gateway) -> (Duration, Duration) {
    let token = gateway.keys.token();
    let channel = gateway.channel();
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let mut client = super::Imports::new(channel.clone());
        let asked = crate::edge::request(&token, crate::grpc::get("one"));
        let began = Instant::now();
        client.get_import(asked).await.expect("an answer");
        times.push(began.elapsed());
    }
    times.sort_unstable();
    (times[CALLS * 99 / 100], times[CALLS - 1])
}

#[tokio::test]
async fn stopped_it_leaves_each_gateway_its_own_limits_and_is_found_again() {
    let backend = Backend::start().await;
    let mut redis = RedisServer::start(&[]).await;
    let url = redis.url();
    let one = limited(&backend, "4+1/min", Some(&url)).await;
    let other = limited(&backend, "4+1/min", Some(&url)).await;
    redis.kill().await;
    // Reads keep their rate, what changes something has half of it.
    assert_eq!(passed(&one, &one.keys.token()).await, (4, 2));
    redis.start_again().await;
    eventually("both ask Redis again", SOON, async || {
        let sub = user().to_string();
        let (here, there) = (token(&one, &sub), token(&other, &sub));
        let first = passed(&one, &here).await;
        let second = passed(&other, &there).await;
        (first == (4, 4) && second == (0, 0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gateway_starts_without_it_and_takes_it_up_when_it_comes() {
    let backend = Backend::start().await;
    let mut redis = RedisServer::start(&[]).await;
    let url = redis.url();
    redis.kill().await;
    let gateway = limited(&backend, "4+1/min", Some(&url)).await;
    assert_eq!(passed(&gateway, &gateway.keys.token()).await, (4, 2));
    redis.start_again().await;
    eventually("Redis counts", SOON, async || {
        let token = gateway.keys.token();
        (passed(&gateway, &token).await == (4, 4)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn stopped_or_slow_it_adds_next_to_nothing() {
    let backend = Backend::start().await;
    let mut redis = RedisServer::start(&[]).await;
    let gateway = limited(&backend, "10000+60/min", Some(&redis.url())).await;
    let (well, _) = taken(&gateway).await;
    assert_eq!(redis.ask("CLIENT PAUSE 2000 ALL").await, "+OK");
    let (slow, longest) = taken(&gateway).await;
    assert!(longest >= ANSWER_TIMEOUT, "it was slow: {longest:?}");
    let counted = redis.ask("DBSIZE").await;
    eventually("it is asked again", SOON, async || {
        read(&gateway, &gateway.keys.token()).await.ok()?;
        (redis.ask("DBSIZE").await != counted).then_some(())
    })
    .await;
    redis.kill().await;
    let (stopped, _) = taken(&gateway).await;
    println!("p99 with Redis {well:?}, slow {slow:?} (at most {longest:?}), stopped {stopped:?}");
    for (state, p99) in [("slow", slow), ("stopped", stopped)] {
        let added = p99.saturating_sub(well);
        assert!(added <= ADDED_P99_MAX, "{state} it adds {added:?}");
    }
}

#[tokio::test]
async fn full_it_refuses_to_count_and_the_gateway_does() {
    let backend = Backend::start().await;
    // Less than it needs for itself, and nothing is given up for something new.
    let redis = RedisServer::start(&["--maxmemory", "500kb"]).await;
    let answer = redis.ask("SET any thing").await;
    assert!(answer.starts_with("-OOM"), "{answer}");
    let gateway = limited(&backend, "4+1/min", Some(&redis.url())).await;
    assert_eq!(passed(&gateway, &gateway.keys.token()).await, (4, 2));
}

#[tokio::test]
async fn evicting_it_forgets_counts_and_every_call_is_answered() {
    let backend = Backend::start().await;
    let redis = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let gateway = limited(&backend, "4+1/min", Some(&redis.url())).await;
    let token = gateway.keys.token();
    assert_eq!(passed(&gateway, &token).await, (4, 4));
    retry(&read(&gateway, &token).await.expect_err("one too many"));
    // Everything has to go for this.
    assert_eq!(redis.ask("CONFIG SET maxmemory 1").await, "+OK");
    eventually("everything is forgotten", SOON, async || {
        (redis.ask("DBSIZE").await == ":0").then_some(())
    })
    .await;
    let passed = passed(&gateway, &token).await;
    assert!(passed >= (4, 2), "somebody is locked out: {passed:?}");
    assert_eq!(redis.ask("CONFIG SET maxmemory 32mb").await, "+OK");
    eventually("it counts again", SOON, async || {
        let token = gateway.keys.token();
        (self::passed(&gateway, &token).await == (4, 4)).then_some(())
    })
    .await;
}
