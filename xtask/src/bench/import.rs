//! `cargo xtask bench import`: a statement of a million rows from the stored file to the ledger,
//! beside psql's `\copy` of the same rows, beside one INSERT for each, beside a small file, and
//! once more when every row is already there.

use std::ffi::OsStr;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::RangedU64ValueParser;
use serde_json::{Value, json};

use super::baseline::Baseline;
use super::history::{self, History, STEPS};
use super::report::{Limit, Ratio, median};
use super::{Outcome, memory, statement};
use crate::demo::client::Client;
use crate::demo::money;
use crate::services::Services;
use crate::stack::{self, Listen, Parts, Profile, Stack};
use crate::workspace::Workspace;

/// How long the steps take is told for a file of this share of the rows, too.
const TENTH: u64 = 10;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rows of the large file.
    #[arg(long, default_value_t = 1_000_000, value_parser = rows(1_000..=1_900_000))]
    rows: u64,
    /// Rows of the small one.
    #[arg(long, default_value_t = 10_000, value_parser = rows(100..=100_000))]
    rows_few: u64,
    /// How often import and `\copy` take turns; medians count.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=9))]
    rounds: u8,
    #[command(flatten)]
    outcome: Outcome,
}

/// A count of rows within what one file may hold.
fn rows(within: RangeInclusive<u64>) -> RangedU64ValueParser {
    clap::value_parser!(u64).range(within)
}

/// Measures, prints and writes.
pub(super) async fn run(workspace: Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = &arguments.outcome.build(workspace).await?;
    let measured = stack::with(workspace, Profile::Bench, Parts::All, async |stack| {
        let services = Services::start_on(stack, Listen::spare(stack)?).await?;
        let folder = stack.home.join("bench");
        fs::create_dir_all(&folder).context("cannot make the folder for statements")?;
        let client = Client::sign_in(stack, services.gateway_url(), false).await?;
        let bench = ImportBench {
            stack,
            client,
            baseline: Baseline::prepare(stack, &folder).await?,
            folder,
            arguments,
        };
        Ok((bench.measure().await?, false))
    })
    .await?;
    let ratios = measured.ratios();
    measured.print();
    let outcome = &arguments.outcome;
    outcome.conclude(workspace, "import.json", &ratios, &measured.runs_json())
}

struct ImportBench<'a> {
    stack: &'a Stack<'a>,
    client: Client,
    baseline: Baseline<'a>,
    folder: PathBuf,
    arguments: &'a Arguments,
}

/// One import.
struct Run {
    name: &'static str,
    import_id: String,
    rows: u64,
    history: History,
    peak_kib: u64,
}

/// Everything that was measured.
struct Measured {
    few: Run,
    many: Vec<Run>,
    copy_seconds: Vec<f64>,
    /// The large file again.
    again: Vec<Run>,
    /// A tenth of it, again.
    tenth_again: Run,
    insert_seconds: f64,
}

impl ImportBench<'_> {
    async fn measure(&self) -> anyhow::Result<Measured> {
        let Arguments { rows, rows_few, .. } = *self.arguments;
        let few = self.statement("few", rows_few)?;
        let tenth = self.statement("tenth", rows / TENTH)?;
        let many = self.statement("many", rows)?;
        // Connections, caches and prepared statements come first: what is measured is the rest.
        let account = self.account().await?;
        self.import("warm-up", &few, &account, rows_few).await?;
        let account = self.account().await?;
        let few = self.import("few", &few, &account, rows_few).await?;
        let insert_seconds = self.baseline.insert_seconds(&few.import_id).await?;
        let account = self.account().await?;
        self.import("tenth", &tenth, &account, rows / TENTH).await?;
        let tenth_again = self.import("tenth again", &tenth, &account, 0).await?;
        let mut measured = Measured {
            few,
            many: Vec::new(),
            copy_seconds: Vec::new(),
            again: Vec::new(),
            tenth_again,
            insert_seconds,
        };
        for _ in 0..self.arguments.rounds {
            let account = self.account().await?;
            let run = self.import("many", &many, &account, rows).await?;
            let before = self.baseline.row_count().await?;
            let copied = self.baseline.copy_seconds(&run.import_id).await?;
            let added = self.baseline.row_count().await? - before;
            if added != rows {
                bail!("\\copy added {added} rows of {rows}");
            }
            println!("{:<12} {copied:>8.2} s", "\\copy");
            measured.copy_seconds.push(copied);
            let again = self.import("many again", &many, &account, 0).await?;
            measured.many.push(run);
            measured.again.push(again);
        }
        Ok(measured)
    }

    fn statement(&self, name: &str, rows: u64) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("{name}.csv"));
        let size = statement::write(&path, rows)?;
        println!("{name}.csv: {rows} rows, {} KiB", size / 1024);
        Ok(path)
    }

    async fn account(&self) -> anyhow::Result<String> {
        self.client
            .create_account("Bench", "checking", "EUR", None)
            .await
    }

    /// Imports a file; of its rows exactly `rows_new` must be added.
    async fn import(
        &self,
        name: &'static str,
        file: &Path,
        account_id: &str,
        rows_new: u64,
    ) -> anyhow::Result<Run> {
        self.baseline.settle().await?;
        let record = self.stack.processes.alive("djinn-imports");
        let pid = record.context("the imports service has died")?.pid;
        memory::forget_peak(pid)?;
        let account = format!("--account={account_id}");
        let arguments = ["import", &account, "--auto-confirm"].map(OsStr::new);
        let import = self
            .client
            .call(&[&arguments[..], &[file.as_os_str()]].concat())
            .await?
            .expect_success("djinn import")?;
        let included = money::integer(&import["counts"]["includedCount"])?;
        if u64::try_from(included).ok() != Some(rows_new) {
            bail!("{name}: {included} rows were added, not {rows_new}");
        }
        let import_id = import["importId"]
            .as_str()
            .context("an import without an id")?;
        let run = Run {
            name,
            rows: u64::try_from(money::integer(&import["counts"]["rowCount"])?)?,
            history: history::read(self.stack, import_id).await?,
            peak_kib: memory::peak_kib(pid)?,
            import_id: import_id.to_owned(),
        };
        println!("{:<12} {:>8.2} s", name, run.history.total_seconds);
        Ok(run)
    }
}

impl Run {
    fn rows_per_second(&self) -> f64 {
        rate(self.rows, self.history.total_seconds)
    }
}

/// Rows per second; a count of rows is exact as a float.
fn rate(rows: u64, seconds: f64) -> f64 {
    f64::from(u32::try_from(rows).unwrap_or(u32::MAX)) / seconds
}

/// A count as a float, for a ratio.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Measured {
    fn ratios(&self) -> Vec<Ratio> {
        let of = |runs: &[Run], what: fn(&Run) -> f64| {
            median(&runs.iter().map(what).collect::<Vec<_>>())
        };
        let rows = self.many.first().map_or(0, |run| run.rows);
        let speed = of(&self.many, Run::rows_per_second);
        let seconds = |run: &Run| run.history.total_seconds;
        let ratio = |name, unit, of, by, limit| Ratio {
            name,
            unit,
            of,
            by,
            limit,
        };
        vec![
            ratio(
                "import beside \\copy",
                "rows/s",
                speed,
                rate(rows, median(&self.copy_seconds)),
                Limit::AtLeast(0.5),
            ),
            ratio(
                "import beside one INSERT per row",
                "rows/s",
                speed,
                rate(self.few.rows, self.insert_seconds),
                Limit::AtLeast(60.0),
            ),
            ratio(
                "peak memory, many beside few",
                "MiB",
                of(&self.many, |run| float(run.peak_kib) / 1024.0),
                float(self.few.peak_kib) / 1024.0,
                Limit::AtMost(1.15),
            ),
            ratio(
                "events, many beside few",
                "events",
                of(&self.many, |run| float(run.history.event_count as u64)),
                float(self.few.history.event_count as u64),
                Limit::AtMost(1.2),
            ),
            ratio(
                "the same file again",
                "s",
                of(&self.again, seconds),
                of(&self.many, seconds),
                Limit::AtMost(0.5),
            ),
            ratio(
                "matching, many beside a tenth",
                "s",
                of(&self.again, |run| run.history.step("match_rows")),
                self.tenth_again.history.step("match_rows"),
                Limit::AtMost(12.0),
            ),
        ]
    }

    fn runs(&self) -> impl Iterator<Item = &Run> {
        let few = [&self.few, &self.tenth_again].into_iter();
        few.chain(&self.many).chain(&self.again)
    }

    /// Where the time goes, so that the next step is known.
    fn print(&self) {
        println!();
        print!("{:<12} {:>9} {:>8} {:>9}", "run", "rows", "s", "rows/s");
        for step in STEPS {
            print!(" {step:>11}");
        }
        println!(" {:>7} {:>9}", "events", "peak MiB");
        for run in self.runs() {
            let history = &run.history;
            print!(
                "{:<12} {:>9} {:>8.2} {:>9.0}",
                run.name,
                run.rows,
                history.total_seconds,
                run.rows_per_second()
            );
            for step in STEPS {
                let seconds = history.step(step);
                let share = 100.0 * seconds / history.total_seconds;
                print!(" {seconds:>6.2} {share:>3.0}%");
            }
            println!(" {:>7} {:>9}", history.event_count, run.peak_kib / 1024);
        }
        println!();
        let copies = self
            .copy_seconds
            .iter()
            .map(|seconds| format!("{seconds:.2} s"));
        println!("\\copy: {}", copies.collect::<Vec<_>>().join(", "));
        // What the disk lets any import hope for: where a commit costs it little, \copy itself is
        // not far from single INSERTs.
        let copied = self
            .many
            .first()
            .map_or(f64::NAN, |run| rate(run.rows, median(&self.copy_seconds)));
        println!(
            "INSERT: {} rows in {:.2} s; \\copy is {:.1} times as fast",
            self.few.rows,
            self.insert_seconds,
            copied / rate(self.few.rows, self.insert_seconds),
        );
    }

    fn runs_json(&self) -> Value {
        self.runs()
            .map(|run| {
                json!({
                    "name": run.name,
                    "rows": run.rows,
                    "seconds": run.history.total_seconds,
                    "step_seconds": run.history.step_seconds,
                    "events": run.history.event_count,
                    "peak_kib": run.peak_kib,
                })
            })
            .collect()
    }
}
