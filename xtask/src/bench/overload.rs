//! `cargo xtask bench overload`: how much good work the mesh does when three times as much is asked
//! of it as it can do, beside the most that it does when nobody asks for more.
//!
//! Short calls of many users go through the gateway to the ledger and its database. The best rate
//! is found with so many calls at a time, each followed by the next; then that and three times that
//! rate, whatever becomes of the calls, take turns. The load has processors of its own: on shared
//! ones it would be measured how many calls its own side can make.

use std::collections::BTreeMap;
use std::thread::available_parallelism;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use super::Outcome;
use super::report::{Limit, Ratio, median};
use crate::command;
use crate::demo::client::Client;
use crate::services::Services;
use crate::stack::{self, Listen, Parts, Profile, Stack};
use crate::workspace::Workspace;

/// How much more is asked than can be done.
const TIMES: f64 = 3.0;

/// What must be left of the best rate then.
const LEFT_MIN: f64 = 0.9;

/// Users, who have a few calls at a time each.
const USERS: usize = 16;

/// Calls at a time with which the best rate is looked for: from the fewest that keep a processor
/// busy to nearly as many as the gateway takes.
const AT_A_TIME: [u32; 5] = [8, 16, 32, 64, 96];

/// Seconds of each of these looks.
const LOOK_SECONDS: u32 = 3;

/// What the services stand on for these calls, and the services themselves.
const BELOW: [&str; 2] = ["postgres", "redis"];
const SERVICES: [&str; 2] = ["djinn-gateway", "djinn-sync"];

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Seconds of each turn.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=60))]
    seconds: u32,
    /// How often both take turns; medians count.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    rounds: u8,
    #[command(flatten)]
    outcome: Outcome,
}

/// Measures, prints and writes.
pub(super) async fn run(workspace: Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = &arguments.outcome.build(workspace).await?;
    crate::interrupt::guard(workspace.build_load()).await?;
    let measured = stack::with(workspace, Profile::Bench, Parts::All, async |stack| {
        // Before the services connect: the processes of Postgres' connections inherit it.
        apart(stack, &BELOW).await?;
        let services = Services::start_on(stack, Listen::spare(stack)?).await?;
        let bench = OverloadBench::prepare(stack, &services, arguments).await?;
        Ok((bench.measure().await?, false))
    })
    .await?;
    let outcome = &arguments.outcome;
    let (name, ratios) = ("overload.json", measured.ratios());
    outcome.conclude(workspace, name, &ratios, &measured.json())
}

struct OverloadBench<'a> {
    arguments: &'a Arguments,
    program: std::path::PathBuf,
    url: String,
    tokens: String,
    /// The processors of the load, as `taskset` names them; none on a machine with one.
    processors: Option<String>,
}

/// What came of some seconds of load, as `load` prints it.
#[derive(Deserialize, Default, Clone)]
struct Run {
    good_per_s: u32,
    ended_per_s: u32,
    refused: BTreeMap<String, u64>,
    unsent: u64,
    p50_us: u32,
    p99_us: u32,
}

struct Measured {
    at_a_time: u32,
    best: Vec<Run>,
    over: Vec<Run>,
}

impl<'a> OverloadBench<'a> {
    async fn prepare(
        stack: &Stack<'_>,
        services: &Services,
        arguments: &'a Arguments,
    ) -> anyhow::Result<Self> {
        let mut tokens = Vec::new();
        for _ in 0..USERS {
            let client = Client::sign_in(stack, services.gateway_url(), false).await?;
            client
                .create_account("Bench", "checking", "EUR", None)
                .await?;
            tokens.push(client.token().context("a user without a token")?);
        }
        Ok(Self {
            arguments,
            program: stack.workspace.example("load"),
            url: services.gateway_url(),
            tokens: tokens.join(","),
            processors: apart(stack, &SERVICES).await?,
        })
    }

    async fn measure(&self) -> anyhow::Result<Measured> {
        let mut found = (0, 0);
        for at_a_time in AT_A_TIME {
            let run = self.at_a_time(at_a_time, LOOK_SECONDS).await?;
            run.print(&format!("{at_a_time} at a time"));
            found = found.max((run.good_per_s, at_a_time));
        }
        let (_, at_a_time) = found;
        let (mut best, mut over) = (Vec::new(), Vec::new());
        for _ in 0..self.arguments.rounds {
            let run = self.at_a_time(at_a_time, self.arguments.seconds).await?;
            run.print(&format!("{at_a_time} at a time"));
            let rate = format!("{:.0}", f64::from(run.good_per_s) * TIMES);
            best.push(run);
            let run = self.load("--rate", &rate, self.arguments.seconds).await?;
            run.print(&format!("{rate} a second"));
            run.check()?;
            over.push(run);
        }
        Ok(Measured {
            at_a_time,
            best,
            over,
        })
    }

    async fn at_a_time(&self, count: u32, seconds: u32) -> anyhow::Result<Run> {
        let run = self
            .load("--at-a-time", &count.to_string(), seconds)
            .await?;
        if run.good_per_s == 0 || !run.refused.is_empty() {
            bail!(
                "calls failed before there was too much load: {:?}",
                run.refused
            );
        }
        Ok(run)
    }

    async fn load(&self, how: &str, much: &str, seconds: u32) -> anyhow::Result<Run> {
        let mut load = match &self.processors {
            Some(list) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["--cpu-list", list]).arg(&self.program);
                taskset
            }
            None => Command::new(&self.program),
        };
        load.args(["--url", &self.url, how, much])
            .args(["--seconds", &seconds.to_string()])
            .env("LOAD_TOKENS", &self.tokens);
        let printed = command::capture(&mut load).await?;
        serde_json::from_str(&printed).context("cannot read what the load came to")
    }
}

/// Gives these servers one half of the processors, and says which the other half is.
async fn apart(stack: &Stack<'_>, servers: &[&str]) -> anyhow::Result<Option<String>> {
    let count = available_parallelism().context("how many processors there are")?;
    let half = count.get() / 2;
    if half == 0 {
        println!("one processor alone: the load shares it with the servers");
        return Ok(None);
    }
    let first = format!("0-{}", half - 1);
    for name in servers {
        let record = stack.processes.alive(name);
        let record = record.with_context(|| format!("{name} does not run"))?;
        let mut taskset = Command::new("taskset");
        taskset
            .args(["--all-tasks", "--cpu-list", "--pid", &first])
            .arg(record.pid.to_string());
        command::capture(&mut taskset).await?;
    }
    Ok(Some(format!("{half}-{}", count.get() - 1)))
}

impl Run {
    fn print(&self, what: &str) {
        let ms = |micros: u32| f64::from(micros) / 1000.0;
        println!(
            "{what:<20} {:>6} good of {:>6} a second, p50 {:>7.1} ms, p99 {:>7.1} ms",
            self.good_per_s,
            self.ended_per_s,
            ms(self.p50_us),
            ms(self.p99_us),
        );
    }

    /// Whether the load was what it was to be: a load that could not be made proves nothing, nor
    /// does one that was refused for its users' rates.
    fn check(&self) -> anyhow::Result<()> {
        if self.unsent > 0 {
            bail!("{} calls could not be sent", self.unsent);
        }
        match self.refused.get("ResourceExhausted") {
            Some(count) => bail!("{count} calls were refused for their users' rates"),
            None => Ok(()),
        }
    }

    fn json(&self) -> Value {
        json!({
            "good_per_s": self.good_per_s,
            "ended_per_s": self.ended_per_s,
            "refused": self.refused,
            "p50_us": self.p50_us,
            "p99_us": self.p99_us,
        })
    }
}

impl Measured {
    fn ratios(&self) -> Vec<Ratio> {
        let middle = |runs: &[Run]| {
            let good: Vec<f64> = runs.iter().map(|run| f64::from(run.good_per_s)).collect();
            median(&good)
        };
        vec![Ratio {
            name: "good calls at three times the load",
            unit: "calls/s",
            of: middle(&self.over),
            by: middle(&self.best),
            limit: Limit::AtLeast(LEFT_MIN),
        }]
    }

    fn json(&self) -> Value {
        let runs = |runs: &[Run]| -> Value { runs.iter().map(Run::json).collect() };
        json!({
            "at_a_time": self.at_a_time,
            "best": runs(&self.best),
            "over": runs(&self.over),
        })
    }
}
