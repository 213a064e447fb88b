//! `cargo xtask bench idle`: what each service holds in memory a minute after its start, while
//! nobody asks for anything, and after as many imports as a busy day has: what a service
//! never gives back, a small server misses.

use std::ffi::OsStr;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::report::{Limit, Ratio};
use super::{Outcome, statement};
use crate::demo::client::Client;
use crate::services::Services;
use crate::stack::{self, Listen, Parts, Profile, Stack};
use crate::workspace::Workspace;

/// When a service counts as idle: schedules are made and caches are empty by then.
const SETTLED: Duration = Duration::from_secs(60);

/// What one service may hold then, in MiB (DESIGN section 9).
const SERVICE_MIB_MAX: f64 = 26.0;

/// How much more all of them together may hold after the imports.
const GROWTH_MAX: f64 = 1.2;

/// Rows of each statement, as a week of an account has.
const ROWS: u64 = 30;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many statements are imported between the two looks.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    imports: u32,
    #[command(flatten)]
    outcome: Outcome,
}

/// Measures, prints and writes.
pub(super) async fn run(workspace: Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = &arguments.outcome.build(workspace).await?;
    let measured = stack::with(workspace, Profile::Bench, Parts::All, async |stack| {
        let services = Services::start_on(stack, Listen::spare(stack)?).await?;
        Ok((measure(stack, &services, arguments).await?, false))
    })
    .await?;
    let outcome = &arguments.outcome;
    outcome.conclude(workspace, "idle.json", &measured.ratios(), &measured.json())
}

/// What every service holds, in KiB.
type Held = Vec<(&'static str, u64)>;

struct Measured {
    idle: Held,
    after: Held,
}

async fn measure(
    stack: &Stack<'_>,
    services: &Services,
    arguments: &Arguments,
) -> anyhow::Result<Measured> {
    println!("waiting {} s for the services to settle", SETTLED.as_secs());
    tokio::time::sleep(SETTLED).await;
    let idle = Services::memory_kib(stack);
    let folder = stack.home.join("bench");
    fs::create_dir_all(&folder).context("cannot make the folder for statements")?;
    let file = folder.join("week.csv");
    statement::write(&file, ROWS)?;
    let client = Client::sign_in(stack, services.gateway_url(), false).await?;
    println!("importing {} statements", arguments.imports);
    for _ in 0..arguments.imports {
        import(&client, file.as_os_str()).await?;
    }
    println!("waiting {} s for the services to settle", SETTLED.as_secs());
    tokio::time::sleep(SETTLED).await;
    let after = Services::memory_kib(stack);
    Ok(Measured { idle, after })
}

/// A statement of its own account, so that all its rows are new.
async fn import(client: &Client, file: &OsStr) -> anyhow::Result<()> {
    let account = client
        .create_account("Bench", "checking", "EUR", None)
        .await?;
    let account = format!("--account={account}");
    let arguments = ["import", &account, "--auto-confirm"].map(OsStr::new);
    client
        .call(&[&arguments[..], &[file]].concat())
        .await?
        .expect_success("djinn import")?;
    Ok(())
}

/// KiB as MiB; what a process holds is exact as a float.
fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

fn sum(held: &Held) -> f64 {
    held.iter().map(|(_, kib)| mib(*kib)).sum()
}

impl Measured {
    fn ratios(&self) -> Vec<Ratio> {
        let each = self.idle.iter().map(|(program, kib)| Ratio {
            name: program,
            unit: "MiB",
            of: mib(*kib),
            by: SERVICE_MIB_MAX,
            limit: Limit::AtMost(1.0),
        });
        let growth = Ratio {
            name: "together, after the imports",
            unit: "MiB",
            of: sum(&self.after),
            by: sum(&self.idle),
            limit: Limit::AtMost(GROWTH_MAX),
        };
        each.chain([growth]).collect()
    }

    fn json(&self) -> Value {
        let held = |held: &Held| -> Value {
            let held = held
                .iter()
                .map(|(program, kib)| ((*program).to_owned(), json!(kib)));
            held.collect()
        };
        json!({ "idle_kib": held(&self.idle), "after_kib": held(&self.after) })
    }
}
