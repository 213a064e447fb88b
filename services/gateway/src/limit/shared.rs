//! The same buckets in Redis, where all gateways see them: one key each, with one time in it, moved
//! on by one script.

use djinn_chassis::{
    auth::UserId,
    cache::{Away, Cache, Script},
};

use crate::domain::{Class, Quota, Taken};

/// The arithmetic.
pub(super) const GCRA: &str = include_str!("gcra.lua");

/// Redis' own clock, in microseconds: that of the gateways may differ.
const CLOCK: &str = "local clock = redis.call('TIME')\n\
                     local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])\n";

/// Buckets in Redis.
pub(super) struct Shared {
    cache: Cache,
    script: Script,
}

impl Shared {
    pub(super) fn new(cache: Cache) -> Self {
        let script = Script::new(&format!("{CLOCK}{GCRA}"));
        Self { cache, script }
    }

    pub(super) async fn take(
        &self,
        user: UserId,
        class: Class,
        quota: Quota,
        units: u32,
    ) -> Result<Taken, Away> {
        // Another kind of key may come to live beside these.
        let key = format!("rate:{}:{}", class.name(), user.uuid().simple());
        let arguments = arguments(quota, units);
        let answer = self.cache.run(&self.script, &key, &arguments).await?;
        Ok(read(&answer))
    }
}

/// What the script is given.
pub(super) fn arguments(quota: Quota, units: u32) -> [i64; 3] {
    let interval = i64::try_from(quota.interval_us()).unwrap_or(i64::MAX);
    [interval, i64::from(quota.burst), i64::from(units)]
}

/// What it gave.
pub(super) fn read(answer: &[i64]) -> Taken {
    let number = |at| {
        let number = answer.get(at).copied();
        number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or_default()
    };
    Taken {
        allowed: number(0) == 1,
        remaining: number(1),
        full_us: number(2),
        retry_us: number(3),
    }
}
