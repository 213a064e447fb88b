//! The cache: a Redis that may be slow, away or forget everything at any moment. So nothing that
//! must be true is kept in it, and nobody waits for it.
//!
//! An answer comes within [`ANSWER_TIMEOUT`], or there is none. A cache that failed, or was late
//! [`LATE_MAX`] times in a row, is not asked again until a look in the background finds it well:
//! so an outage costs each caller that time at most, and nearly all of them nothing.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, RedisError,
    aio::{ConnectionLike, MultiplexedConnection},
    cmd,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{error::Elapsed, sleep, timeout};

use crate::fault;

/// The longest that a caller waits for an answer. On the same machine it takes a few hundred
/// microseconds; what takes longer than this takes longer than doing without.
pub const ANSWER_TIMEOUT: Duration = Duration::from_millis(30);

/// Late answers in a row after which the cache counts as away: one alone may be our own machine's
/// fault.
const LATE_MAX: u32 = 3;

/// The longest that connecting may take, greetings included. Nobody waits for it but the start.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// The pause between two looks at a cache that is away.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Where the cache is. It may be left out: then there is none.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "cache")]
pub struct Config {
    /// The Redis that all replicas share, as `redis://:password@127.0.0.1:6379/0`. Without it each
    /// process keeps to itself what it would share.
    #[arg(
        id = "redis_url",
        long = "redis-url",
        env = "DJINN_REDIS_URL",
        value_name = "URL"
    )]
    pub url: Option<Address>,
}

/// The URL of a cache, which may hold a password; an empty one stands for none, because an unset
/// line of an environment file is empty.
#[derive(Clone)]
pub struct Address(Option<SecretString>);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        // The error of the library could repeat the password.
        match Client::open(text) {
            Ok(_) => Ok(Self(Some(text.into()))),
            Err(_) => {
                Err("expected redis://host:port, with :password@ before the host if it has one")
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() {
            "Address(..)"
        } else {
            "Address(none)"
        })
    }
}

/// A program that the cache runs in one piece, in Lua.
pub struct Script(redis::Script);

impl Script {
    /// The script with this text. It is sent once to each server and called by its hash from then
    /// on.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(redis::Script::new(text))
    }
}

/// Why there is no answer. All of them mean the same to a caller: do without.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    /// It is not asked, because it failed a moment ago.
    #[error("the cache is away")]
    Resting,
    /// The answer did not come in time.
    #[error("the cache is slow")]
    Late(#[from] Elapsed),
    /// It refused, or the connection broke.
    #[error("the cache failed")]
    Failed(#[from] RedisError),
}

/// A connection to the cache, made again when it was lost; cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    client: Client,
    state: Mutex<State>,
    /// Late answers since the last one in time.
    late: AtomicU32,
}

#[derive(Default)]
struct State {
    /// `None` while the cache is away.
    link: Option<MultiplexedConnection>,
    /// Which link it is: what a call on a former one met says nothing about this one.
    number: u64,
}

impl Cache {
    /// Connects to the cache, if there is to be one. That it is away does not keep a service from
    /// starting: it is said in the log, and looked for from then on.
    pub async fn open(config: &Config) -> Option<Self> {
        let url = config.url.as_ref()?.0.as_ref()?;
        // It was parsed before.
        let client = Client::open(url.expose_secret()).ok()?;
        let shared = Arc::new(Shared {
            client,
            state: Mutex::default(),
            late: AtomicU32::new(0),
        });
        match shared.connect().await {
            Ok(link) => shared.take(link),
            Err(error) => {
                shared.away(&error);
                look(Arc::downgrade(&shared));
            }
        }
        Some(Self(shared))
    }

    /// Runs a script over one key, with whole numbers in and out.
    ///
    /// # Errors
    /// [`Away`] when there is no answer within [`ANSWER_TIMEOUT`]. Whether the script ran is
    /// unknown then.
    pub async fn run(
        &self,
        script: &Script,
        key: &str,
        arguments: &[i64],
    ) -> Result<Vec<i64>, Away> {
        let (link, number) = {
            let state = self.0.state();
            (state.link.clone(), state.number)
        };
        let mut link = link.ok_or(Away::Resting)?;
        let mut call = script.0.key(key);
        for argument in arguments {
            call.arg(*argument);
        }
        let answer = timeout(ANSWER_TIMEOUT, call.invoke_async(&mut link)).await;
        let answer = answer.map_err(Away::from).and_then(|answer| Ok(answer?));
        match &answer {
            Ok(_) => self.0.late.store(0, Ordering::Relaxed),
            Err(away) => self.0.failed(number, away),
        }
        answer
    }

    /// Whether it is asked at present.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.0.state().link.is_some()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that answers in time.
    async fn connect(&self) -> Result<MultiplexedConnection, Away> {
        // The time is kept here, for each call.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut link = timeout(CONNECT_TIMEOUT, connecting).await??;
        timeout(ANSWER_TIMEOUT, link.req_packed_command(&cmd("PING"))).await??;
        Ok(link)
    }

    fn take(&self, link: MultiplexedConnection) {
        self.late.store(0, Ordering::Relaxed);
        let mut state = self.state();
        state.number += 1;
        state.link = Some(link);
        metrics::gauge!("cache_away").set(0);
    }

    /// What becomes of the link after a call on it failed.
    fn failed(self: &Arc<Self>, number: u64, away: &Away) {
        if matches!(away, Away::Late(_)) {
            metrics::counter!("cache_late_total").increment(1);
            if self.late.fetch_add(1, Ordering::Relaxed) + 1 < LATE_MAX {
                return;
            }
        }
        let mut state = self.state();
        // Of many calls that fail together, the first one says so.
        if state.number == number && state.link.take().is_some() {
            drop(state);
            self.away(away);
            look(Arc::downgrade(self));
        }
    }

    fn away(&self, why: &Away) {
        metrics::gauge!("cache_away").set(1);
        tracing::warn!(error = %fault::chain(why), "the cache is away");
    }
}

/// Looks for a cache until it is well, or nobody is left to need it.
fn look(shared: Weak<Shared>) {
    tokio::spawn(async move {
        loop {
            sleep(LOOK_PAUSE).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            match shared.connect().await {
                Ok(link) => {
                    shared.take(link);
                    tracing::info!("the cache is back");
                    return;
                }
                Err(error) => tracing::debug!(error = %fault::chain(&error), "still away"),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_of_redis_and_keeps_its_password_to_itself() {
        for good in [
            "",
            "redis://127.0.0.1:6379",
            "redis://:hunter2@cache:6379/1",
        ] {
            let address = good.parse::<Address>().unwrap();
            assert!(!format!("{address:?}").contains("hunter2"), "{good}");
        }
        for bad in [
            "127.0.0.1:6379",
            "http://:hunter2@cache",
            "redis://:hunter2@",
        ] {
            let error = bad.parse::<Address>().expect_err(bad);
            assert!(!error.contains("hunter2"), "{bad}");
        }
    }
}
