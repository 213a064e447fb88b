//! How many calls each user makes, over all gateways: the rates of `domain::rate`, counted in
//! Redis.
//!
//! Redis holds no truth and nobody waits for it. Without an answer this gateway counts by itself:
//!
//! | calls | Redis is away or slow | and no place is left to count in |
//! |---|---|---|
//! | uploads, chunks, writes, links | half the rate, the rest is refused | refused |
//! | reads | the whole rate, the rest is refused | allowed |
//!
//! So an outage is no way around the limits: what a user did at another gateway is not known, and
//! what could do harm is allowed less for it. Reads are not made worse by it: somebody who only
//! looks at the ledger should not notice. Where no Redis is configured, one gateway is all there
//! is: it counts by itself, at the whole rate.
//!
//! Whoever comes without a good token is counted by address, after the token was looked at, and by
//! this gateway alone: strangers can neither fill Redis nor make it work, and nobody with a good
//! token is refused for the company of others at one address. What a stranger is spared is an
//! answer that tells one bad token from another.

mod local;
mod shared;
mod told;
mod visit;

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::time::Instant;

use djinn_chassis::{
    auth::UserId,
    cache::{self, Cache},
};

use self::{local::Local, shared::Shared};
pub(crate) use self::{
    told::{NAMES as HEADERS, Standing},
    visit::{Peer, Visit},
};
use crate::{
    config::Limits,
    domain::{Class, Quota, Taken},
};

/// Buckets that this gateway remembers by itself, of users and as many again of strangers: 64 bytes
/// each. Those that are full again are forgotten.
const BUCKETS_MAX: usize = 20_000;

/// When somebody is told to come again for whom there is no place to count in.
const FULL_RETRY_US: u64 = 1_000_000;

/// Says whether a call may pass; cheap to clone.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<Parts>);

struct Parts {
    limits: Limits,
    shared: Option<Shared>,
    users: Local<(UserId, Class)>,
    strangers: Local<IpAddr>,
    began: Instant,
}

impl Limiter {
    /// Connects to Redis, if there is one.
    pub(crate) async fn open(limits: Limits, cache: &cache::Config) -> Self {
        let cache = Cache::open(cache).await;
        match &cache {
            Some(_) => tracing::info!("rates are limited in Redis, over all gateways"),
            None => tracing::info!(
                "DJINN_REDIS_URL is not set: rates are limited by this gateway alone"
            ),
        }
        Self::new(limits, cache)
    }

    fn new(limits: Limits, cache: Option<Cache>) -> Self {
        Self(Arc::new(Parts {
            limits,
            shared: cache.map(Shared::new),
            users: Local::new(BUCKETS_MAX),
            strangers: Local::new(BUCKETS_MAX),
            began: Instant::now(),
        }))
    }

    /// Counts `units` calls of a user.
    pub(crate) async fn take(&self, user: UserId, class: Class, units: u32) -> Standing {
        let quota = self.0.limits.of(class);
        let Some(shared) = &self.0.shared else {
            return self.alone(user, class, quota, units);
        };
        match shared.take(user, class, quota, units).await {
            Ok(taken) => Standing::new(class, quota, taken),
            // What happened is told by the cache, once.
            Err(_) => {
                metrics::counter!("rate_limit_local_total", "class" => class.name()).increment(1);
                let left = if class.sensitive() {
                    quota.halved()
                } else {
                    quota
                };
                self.alone(user, class, left, units)
            }
        }
    }

    /// Counts an attempt without a good token.
    pub(crate) fn stranger(&self, from: IpAddr) -> Standing {
        let (class, quota) = (Class::Stranger, self.0.limits.of(Class::Stranger));
        let taken = self.0.strangers.take(from, quota, self.now_us(), 1);
        Standing::new(class, quota, taken.unwrap_or_else(|| uncounted(class)))
    }

    fn alone(&self, user: UserId, class: Class, quota: Quota, units: u32) -> Standing {
        let taken = self
            .0
            .users
            .take((user, class), quota, self.now_us(), units);
        Standing::new(class, quota, taken.unwrap_or_else(|| uncounted(class)))
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX / 2)
    }
}

/// What becomes of a call that cannot be counted.
fn uncounted(class: Class) -> Taken {
    let allowed = !class.sensitive();
    let retry_us = if allowed { 0 } else { FULL_RETRY_US };
    Taken {
        allowed,
        remaining: 0,
        full_us: FULL_RETRY_US,
        retry_us,
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests;
