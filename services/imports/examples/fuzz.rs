//! Throws spoilt statements at the reader: `fuzz [--seed N] [--seconds S] [FOLDER]..`.
//!
//! It takes the statements of the folders (those of the tests if none is named), changes their
//! bytes in an order that the seed decides, and demands of each that the reader ends in time
//! without falling over, comes to the same twice, and can read every row by what it froze. What
//! fails is written to a file whose name is printed; make it a test in `domain/hostility.rs`.

#![expect(clippy::print_stdout, reason = "printing is what this example does")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::NaiveDate;
use clap::Parser;
use djinn_imports::domain::reading::{Hints, Recognition, Source, recognise};
use djinn_imports::domain::row::rows;
use fastrand::Rng;

/// Statements do not grow beyond this, so that many are tried.
const BYTES_MAX: usize = 64 * 1024;
/// Changes to one statement.
const CHANGES_MAX: usize = 12;
/// Bytes that one change moves or takes out.
const SPAN_MAX: usize = 200;
/// One statement of at most [`BYTES_MAX`]: a hundred times what it takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What has made readers fall over before.
const TOKENS: [&[u8]; 28] = [
    b"\0",
    b"\"",
    b"\"\"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r",
    b"\r\n",
    b"\n\n",
    b",",
    b";",
    b"\t",
    b"'",
    b"\\\"",
    b"\xc3",
    b"\xe2\x80\xae",
    b"1e309",
    b"-",
    b"--",
    b"(",
    b"99999999999999999999",
    b"-92233720368547758.08",
    b"31/02/2024",
    b"0000-00-00",
    b"0",
    b"=1+1",
    b"Saldo",
    b"Total",
    b"9999-12-31",
];

/// Throws spoilt statements at the reader.
#[derive(Parser)]
struct Arguments {
    /// Decides every change.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to go on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where statements lie; those of the tests if none is named.
    folders: Vec<PathBuf>,
}

struct Bytes(Vec<u8>);

impl Source for Bytes {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let statements = statements(&arguments.folders)?;
    let mut rng = Rng::with_seed(arguments.seed);
    let (begun, length) = (Instant::now(), Duration::from_secs(arguments.seconds));
    let mut counts = BTreeMap::<&str, u64>::new();
    while begun.elapsed() < length {
        let source = Bytes(spoil(&statements, &mut rng));
        // A panic is a finding like any other: the statement behind it is what counts.
        let outcome = catch_unwind(AssertUnwindSafe(|| judge(&source)))
            .unwrap_or_else(|_| bail!("it fell over"));
        match outcome {
            Ok(word) => *counts.entry(word).or_default() += 1,
            Err(error) => {
                let file = std::env::temp_dir().join(format!("fuzz-{}.csv", arguments.seed));
                std::fs::write(&file, &source.0)?;
                return Err(error.context(format!("found {}", file.display())));
            }
        }
    }
    println!("seed {}: {counts:?}, nothing found", arguments.seed);
    Ok(())
}

fn statements(folders: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    let own = [PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/statements"
    ))];
    let mut files = Vec::new();
    for folder in if folders.is_empty() {
        &own[..]
    } else {
        folders
    } {
        let entries = folder
            .read_dir()
            .with_context(|| format!("no {}", folder.display()))?;
        for entry in entries {
            files.push(entry?.path());
        }
    }
    // The order of a folder is no order; the seed alone decides.
    files.sort();
    let files = files
        .iter()
        .filter(|file| file.extension().is_some_and(|it| it == "csv"));
    let mut statements = files.map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    statements.retain(|statement| statement.len() <= BYTES_MAX);
    ensure!(!statements.is_empty(), "there are no statements");
    Ok(statements)
}

/// What becomes of a statement, or what is wrong with that.
fn judge(source: &Bytes) -> anyhow::Result<&'static str> {
    let hints = Hints {
        today: NaiveDate::from_ymd_opt(2026, 6, 15).context("no such day")?,
        currency: None,
        kind: None,
        time_zone: None,
        answers: BTreeMap::new(),
        template: None,
        mapping: None,
    };
    let begun = Instant::now();
    let recognition = recognise(source, &hints)?;
    let word = match &recognition {
        Recognition::Ready(_) => "ready",
        Recognition::Asks { .. } => "asks",
        Recognition::Refused(_) => "refused",
    };
    if let Some(reading) = recognition.reading() {
        let mut count = 0;
        for entry in rows(source, reading)? {
            entry?;
            count += 1;
        }
        ensure!(
            count == reading.rows,
            "{count} rows, {} were counted",
            reading.rows
        );
    }
    ensure!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
    ensure!(
        recognise(source, &hints)? == recognition,
        "twice is not the same"
    );
    Ok(word)
}

/// One statement with some changes.
fn spoil(statements: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let any = |rng: &mut Rng| {
        statements
            .get(rng.usize(..statements.len()))
            .map_or(&[][..], |it| it)
    };
    let mut bytes = any(rng).to_vec();
    for _ in 0..rng.usize(1..=CHANGES_MAX) {
        let (span, at) = (span(bytes.len(), rng), rng.usize(..=bytes.len()));
        match rng.u8(..8) {
            0 => {
                let token = TOKENS
                    .get(rng.usize(..TOKENS.len()))
                    .map_or(&[][..], |it| it);
                bytes.splice(at..at, token.iter().copied());
            }
            1 => drop(bytes.drain(span)),
            2 => {
                let copy = bytes.get(span).unwrap_or_default().to_vec();
                bytes.splice(at..at, copy);
            }
            3 => {
                let other = any(rng);
                let copy = other.get(self::span(other.len(), rng)).unwrap_or_default();
                bytes.splice(at..at, copy.iter().copied());
            }
            4 => bytes.truncate(at),
            5 => bytes.extend_from_within(span),
            6 => bytes.splice(at..at, [rng.u8(..)]).for_each(drop),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.u8(..8);
                }
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

/// Some bytes of so many.
fn span(length: usize, rng: &mut Rng) -> Range<usize> {
    let from = rng.usize(..=length);
    from..length.min(from + rng.usize(..SPAN_MAX))
}
