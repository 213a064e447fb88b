//! Load for `cargo xtask bench overload`: short calls of many users, either so many at a time, each
//! followed by the next, or so many a second whatever becomes of them. Prints what came of them as
//! one line of JSON.
//!
//! Times begin when a call is due, not when it could be sent: whoever waits for a slow server waits
//! from then on.

#![expect(clippy::print_stdout, reason = "its output is read by a program")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Parser;
use serde_json::json;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tonic::{
    Code, Request,
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};

use djinn_proto::sync::v1::{ListAccountsRequest, ledger_service_client::LedgerServiceClient};

/// What comes before the calls that count: connections are made, caches filled.
const WARM_UP: Duration = Duration::from_secs(1);

/// A good answer comes within this.
const DEADLINE: Duration = Duration::from_secs(1);

/// Between two looks at which calls are due.
const TICK: Duration = Duration::from_millis(1);

/// Calls under way: more than come due within their deadline at any rate that one process can make.
const UNDER_WAY_MAX: usize = 50_000;

/// Makes load.
#[derive(Parser)]
struct Arguments {
    /// Where the ledger is asked for.
    #[arg(long)]
    url: tonic::codegen::http::Uri,
    /// How long calls count.
    #[arg(long)]
    seconds: u32,
    /// Calls at a time.
    #[arg(long, conflicts_with = "rate")]
    at_a_time: Option<usize>,
    /// Calls a second.
    #[arg(long)]
    rate: Option<u32>,
    /// A token for each user.
    #[arg(
        long,
        env = "LOAD_TOKENS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    tokens: Vec<String>,
}

/// What one user calls with.
#[derive(Clone)]
struct User {
    client: LedgerServiceClient<Channel>,
    authorization: AsciiMetadataValue,
}

#[derive(Default)]
struct Outcome {
    /// Microseconds of each good answer.
    good: Vec<u64>,
    /// Calls without one, by code.
    refused: BTreeMap<String, u64>,
    /// Calls that were due and not sent, since too many were under way.
    unsent: u64,
}

/// When calls count.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let users = users(&arguments)?;
    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(u64::from(arguments.seconds));
    let (window, outcome) = (Window { begin, end }, Arc::default());
    match (arguments.at_a_time, arguments.rate) {
        (Some(at_a_time), None) => closed(users, at_a_time, window, &outcome).await,
        (None, Some(rate)) => open(&users, rate, window, &outcome).await,
        _ => bail!("either --at-a-time or --rate"),
    }
    let outcome = std::mem::take(&mut *outcome.lock().unwrap_or_else(PoisonError::into_inner));
    print(outcome, arguments.seconds);
    Ok(())
}

/// Each user has a connection, as people have.
fn users(arguments: &Arguments) -> anyhow::Result<Vec<User>> {
    let users = arguments.tokens.iter().map(|token| {
        let channel = Endpoint::from(arguments.url.clone()).connect_lazy();
        let authorization = format!("Bearer {token}").parse().context("a token")?;
        let client = LedgerServiceClient::new(channel);
        Ok(User {
            client,
            authorization,
        })
    });
    let users: anyhow::Result<Vec<User>> = users.collect();
    users.and_then(|users| match users.is_empty() {
        true => bail!("LOAD_TOKENS is empty"),
        false => Ok(users),
    })
}

/// So many calls at a time.
async fn closed(users: Vec<User>, at_a_time: usize, window: Window, to: &Arc<Mutex<Outcome>>) {
    let mut callers = JoinSet::new();
    for user in users.iter().cycle().take(at_a_time) {
        let (user, to) = (user.clone(), Arc::clone(to));
        callers.spawn(async move {
            while Instant::now() < window.end {
                call(user.clone(), Instant::now(), window, &to).await;
            }
        });
    }
    callers.join_all().await;
}

/// So many calls a second.
async fn open(users: &[User], rate: u32, window: Window, to: &Arc<Mutex<Outcome>>) {
    let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let began = Instant::now();
    let mut turns = users.iter().cycle();
    let mut sent = 0;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < window.end {
        ticks.tick().await;
        let due = u128::from(rate) * began.elapsed().as_micros() / 1_000_000;
        while sent < due {
            let at = began + Duration::from_micros(micros(sent * 1_000_000 / u128::from(rate)));
            sent += 1;
            let Some(user) = turns.next().cloned() else {
                return;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                noted(to, |outcome| outcome.unsent += 1);
                continue;
            };
            let to = Arc::clone(to);
            tokio::spawn(async move {
                call(user, at, window, &to).await;
                drop(place);
            });
        }
    }
    // What is under way has no effect on the window any more; it is not left without an answer.
    sleep_until(window.end + DEADLINE).await;
}

/// One call that was due at some time; it counts if it ends within the window.
async fn call(mut user: User, due: Instant, window: Window, to: &Mutex<Outcome>) {
    let mut request = Request::new(ListAccountsRequest::default());
    request.set_timeout(DEADLINE);
    let metadata = request.metadata_mut();
    metadata.insert("authorization", user.authorization);
    let answer = user.client.list_accounts(request).await;
    let (now, taken) = (Instant::now(), due.elapsed());
    if now < window.begin || now >= window.end {
        return;
    }
    let code = match answer {
        Ok(_) if taken <= DEADLINE => None,
        Ok(_) => Some(Code::DeadlineExceeded),
        Err(refused) => Some(refused.code()),
    };
    noted(to, |outcome| match code {
        None => outcome.good.push(micros(taken.as_micros())),
        Some(code) => *outcome.refused.entry(format!("{code:?}")).or_default() += 1,
    });
}

fn noted(to: &Mutex<Outcome>, note: impl FnOnce(&mut Outcome)) {
    note(&mut to.lock().unwrap_or_else(PoisonError::into_inner));
}

fn micros(micros: u128) -> u64 {
    u64::try_from(micros).unwrap_or(u64::MAX)
}

fn print(mut outcome: Outcome, seconds: u32) {
    let seconds = u64::from(seconds.max(1));
    let count = outcome.good.len() as u64;
    let refused: u64 = outcome.refused.values().sum();
    outcome.good.sort_unstable();
    let percentile = |of: usize| {
        let at = (outcome.good.len() * of / 100).min(outcome.good.len().saturating_sub(1));
        outcome.good.get(at).copied().unwrap_or_default()
    };
    let line = json!({
        "good_per_s": count / seconds,
        "ended_per_s": (count + refused) / seconds,
        "refused": outcome.refused,
        "unsent": outcome.unsent,
        "p50_us": percentile(50),
        "p99_us": percentile(99),
    });
    println!("{line}");
}
