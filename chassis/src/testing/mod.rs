//! What tests stand on: one database each, tokens, a network that can be broken, services as
//! processes, and servers of a test's own where the server itself is to die. The stack (Postgres,
//! Temporal, the store, clamd) is brought up by `cargo xtask test`, which names it in
//! `DJINN_TEST_STACK`.
//!
//! Here alone a test may wait by the clock: [`eventually`] asks again until a condition holds.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its stack can only stop, with a message that says what to do"
)]

mod collector;
mod database;
mod keys;
mod postgres_server;
mod process;
mod proxy;
mod redis_server;
mod temporal_server;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    ops::Range,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use uuid::Uuid;

#[cfg(test)]
pub(crate) use self::keys::claims;
pub use self::{
    collector::{Collected, Collector, Figure, FigureKey},
    database::{Database, Weight, database},
    keys::{AUDIENCE, ISSUER, Keys, auth, token, token_with},
    postgres_server::PostgresServer,
    process::{Process, pause_at},
    proxy::Proxy,
    redis_server::RedisServer,
    temporal_server::TemporalServer,
};
use crate::{auth::UserId, clock::Clock};

/// The environment variable that names the stack's JSON file.
const STACK_VARIABLE: &str = "DJINN_TEST_STACK";

/// The pause between two looks at a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running stack, as `cargo xtask test` describes it in a JSON file with these names.
#[derive(Clone, Debug, Deserialize)]
pub struct Stack {
    /// A superuser's connection to the maintenance database, by TCP:
    /// `postgres://name:password@host:port/postgres`. It creates and drops databases, nothing else.
    pub admin_database_url: String,
    /// The migrated database that each test's own is copied from.
    pub template: String,
    /// The password of each role.
    pub passwords: BTreeMap<String, String>,
    /// The object store's address.
    pub s3_endpoint: String,
    /// A bucket that exists.
    pub s3_bucket: String,
    /// The public half of the store's credentials.
    pub s3_access_key_id: String,
    /// The secret half.
    pub s3_secret_access_key: String,
    /// clamd's address, as `127.0.0.1:3310`.
    pub clamd_address: String,
    /// Temporal's address, as `127.0.0.1:7233`.
    pub temporal_address: String,
    /// A namespace that exists.
    pub temporal_namespace: String,
    /// Keys: `user.pem` (private), `user.pub.pem`, `services/<name>.pem`,
    /// `services/public/<name>.pem`.
    pub keys_dir: PathBuf,
    /// Where the services' binaries are.
    pub bin_dir: PathBuf,
    /// Where Postgres' programs are, for a server of a test's own.
    pub postgres_bin_dir: PathBuf,
    /// Temporal's program with its development server, for the same.
    pub temporal_program: PathBuf,
    /// The Redis that all tests share, as `redis://127.0.0.1:6379`.
    pub redis_url: String,
    /// Redis' program, for a server of a test's own.
    pub redis_program: PathBuf,
}

/// The stack of this test run.
///
/// # Panics
/// When there is none: run the tests with `cargo xtask test`. A test that skipped itself would be
/// one that nobody misses.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        let path = std::env::var_os(STACK_VARIABLE)
            .unwrap_or_else(|| panic!("run the tests with `cargo xtask test`"));
        let path = PathBuf::from(path);
        let text = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{STACK_VARIABLE}: {}: {error}", path.display()));
        serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{STACK_VARIABLE}: {}: {error}", path.display()))
    })
}

/// A user nobody has seen before: what tests write never meets.
#[must_use]
pub fn user() -> UserId {
    UserId::new(Uuid::new_v4())
}

/// The machine's clock, for tests that need the real time.
#[must_use]
pub fn clock() -> Clock {
    Clock::system()
}

/// Ports for [`free_port`]: below those that the system gives to connections, which would otherwise
/// take one between the look and the use.
const PORTS: Range<u16> = 23_000..32_000;

/// A port that was free a moment ago, for a process that cannot be told to choose its own. Prefer
/// port 0 where it can. No two calls of one process get the same.
///
/// # Panics
/// When no port is left.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicUsize> = OnceLock::new();
    // Another process that tests at the same time begins elsewhere.
    let begin = || AtomicUsize::new(std::process::id() as usize * 97);
    let next = NEXT.get_or_init(begin);
    PORTS
        .map(|_| {
            let step = next.fetch_add(1, Ordering::Relaxed) % PORTS.len();
            PORTS.start + u16::try_from(step).unwrap_or_default()
        })
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// Asks again and again until there is an answer, and gives it.
///
/// # Panics
/// When there is none within the deadline; the message says what was waited for, and where.
#[track_caller]
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let end = Instant::now() + deadline;
        loop {
            // The question itself may hang, for instance on a frozen connection.
            let asked = tokio::time::timeout_at(end, condition()).await;
            match asked {
                Ok(Some(answer)) => return answer,
                Ok(None) if Instant::now() < end => tokio::time::sleep(POLL_INTERVAL).await,
                _ => panic!("{place}: not within {deadline:?}: {what}"),
            }
        }
    }
}

/// Asks an HTTP/1.1 server without a body, as the admin port: status and body, or `None` without an
/// answer.
pub async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn eventually_asks_until_there_is_an_answer() {
        let mut left = 3;
        let answer = eventually("three questions", Duration::from_secs(5), async || {
            left -= 1;
            (left == 0).then_some("answer")
        });
        assert_eq!(answer.await, "answer");
    }

    #[test]
    fn a_stack_is_read_from_json() {
        let text = r#"{
            "admin_database_url": "postgres://postgres:x@127.0.0.1:5432/postgres",
            "template": "djinn_template", "passwords": {"djinn_imports": "secret"},
            "s3_endpoint": "http://127.0.0.1:9000", "s3_bucket": "djinn",
            "s3_access_key_id": "id", "s3_secret_access_key": "key",
            "clamd_address": "127.0.0.1:3310", "temporal_address": "127.0.0.1:7233",
            "temporal_namespace": "default", "keys_dir": "/keys", "bin_dir": "/bin",
            "postgres_bin_dir": "/postgres", "temporal_program": "/temporal",
            "redis_url": "redis://127.0.0.1:6379", "redis_program": "/redis"
        }"#;
        let stack: Stack = serde_json::from_str(text).unwrap();
        assert_eq!(stack.passwords["djinn_imports"], "secret");
    }
}
