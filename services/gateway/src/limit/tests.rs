//! The same sum in Rust and in Lua; and what becomes of calls when Redis cannot be asked.

use std::str::FromStr;

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use djinn_chassis::{
    cache::{Address, Cache, Config, Script},
    testing::{RedisServer, stack, user},
};

use super::*;

/// The time as an argument in place of Redis' own clock.
const GIVEN_CLOCK: &str = "local now = tonumber(ARGV[4])\n";

fn limits() -> Limits {
    let quota = |text| Quota::from_str(text).expect("a quota");
    Limits {
        reads: quota("4+1/min"),
        writes: quota("4+1/min"),
        uploads: quota("4+1/min"),
        chunks: quota("4+1/min"),
        links: quota("4+1/min"),
        strangers: quota("4+1/min"),
    }
}

async fn cache(url: &str) -> Option<Cache> {
    let url = Some(Address::from_str(url).expect("a URL"));
    Cache::open(&Config { url }).await
}

/// How many of ten calls pass.
async fn passed(limiter: &Limiter, user: UserId, class: Class) -> usize {
    let mut passed = 0;
    for _ in 0..10 {
        let standing = limiter.take(user, class, 1).await;
        passed += usize::from(standing.refusal().is_none());
    }
    passed
}

/// Quotas, and calls with the microseconds since the one before and their units.
fn sequences() -> impl Strategy<Value = (Quota, Vec<(u64, u32)>)> {
    let quota =
        (1..50_u32, 1..5_000_u32).prop_map(|(burst, per_minute)| Quota { burst, per_minute });
    let pauses = prop_oneof![Just(0), 0..5_000_u64, 0..5_000_000_u64, 0..200_000_000_u64];
    (quota, vec((pauses, 0..12_u32), 1..40))
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_and_lua_come_to_the_same_sum() {
    let cache = cache(&stack().redis_url).await.expect("a cache");
    // Keys live by the real clock, and here they must live by the given one.
    let immortal = shared::GCRA.replace(", 'PX', life", "");
    assert_ne!(immortal, shared::GCRA);
    let script = Script::new(&format!("{GIVEN_CLOCK}{immortal}"));
    let run = |key: &str, arguments: &[i64]| {
        let answer = cache.run(&script, key, arguments);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(answer))
    };
    let outcome = TestRunner::default().run(&sequences(), |(quota, calls)| {
        let key = format!("test:{}", user());
        // As large as the real time is: there Lua's numbers would be the first to lose exactness.
        let (mut now, mut full_at) = (1_900_000_000_000_000_u64, None);
        for (pause, units) in calls {
            now += pause;
            let (taken, after) = quota.take(full_at, now, units);
            full_at = Some(after);
            let mut arguments = shared::arguments(quota, units).to_vec();
            arguments.push(i64::try_from(now).expect("a time"));
            // A machine that is busy may be late; the script has run or not, and nobody knows.
            let Ok(answer) = run(&key, &arguments) else {
                return Err(TestCaseError::reject("the cache was late"));
            };
            prop_assert_eq!(shared::read(&answer), taken);
        }
        Ok(())
    });
    outcome.expect("the same sum");
}

#[tokio::test]
async fn without_a_cache_the_whole_rate_is_counted_here() {
    let limiter = Limiter::new(limits(), None);
    for class in [Class::Read, Class::Upload] {
        let (one, other) = (user(), user());
        assert_eq!(passed(&limiter, one, class).await, 4);
        assert_eq!(
            passed(&limiter, other, class).await,
            4,
            "users do not share"
        );
    }
}

#[tokio::test]
async fn without_an_answer_sensitive_calls_have_half_the_rate() {
    let mut server = RedisServer::start(&[]).await;
    let limiter = Limiter::new(limits(), cache(&server.url()).await);
    assert_eq!(passed(&limiter, user(), Class::Write).await, 4);
    server.kill().await;
    for class in Class::ALL {
        let expected = if class.sensitive() { 2 } else { 4 };
        assert_eq!(passed(&limiter, user(), class).await, expected, "{class:?}");
    }
}

#[tokio::test]
async fn a_graph_counts_as_what_it_costs_and_no_call_costs_more_than_there_is() {
    let limiter = Limiter::new(limits(), None);
    let user = user();
    let after = async |units| {
        let standing = limiter.take(user, Class::Read, units).await;
        standing.refusal().is_none()
    };
    assert!(after(3).await);
    assert!(!after(2).await);
    assert!(after(1).await);
    assert!(!after(1_000).await);
}

#[test]
fn a_call_that_cannot_be_counted_passes_only_if_it_does_no_harm() {
    for class in Class::ALL {
        let taken = uncounted(class);
        assert_eq!(taken.allowed, !class.sensitive(), "{class:?}");
        assert_eq!(taken.retry_us == 0, taken.allowed, "{class:?}");
    }
}
