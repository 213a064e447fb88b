//! The invented statements in `tests/statements`, and what the reader makes of each. Their formats
//! are those of banks in many countries, their contents are made up, and what they hold is in
//! `manifest.tsv`, counted by hand.

use std::path::PathBuf;

use djinn_ledger::account::Kind;
use djinn_ledger::money::{Currency, Decimal};

use super::super::reading::{Hints, Reading, Recognition, recognise};
use super::super::row::{Entry, StatementRow, rows};
use super::super::specimen::{Bytes, hints};

/// Figures are compared at this many decimals.
const SCALE: u8 = 8;

/// One line of the manifest.
struct Expected<'a> {
    file: &'a str,
    currency: &'a str,
    kind: &'a str,
    outcome: &'a str,
    /// The right answers to what is asked, or the reason of a refusal.
    answers: &'a str,
    rows: usize,
    rejected: usize,
    sum: &'a str,
    first: (&'a str, &'a str),
    last: (&'a str, &'a str),
}

fn expected(line: &str) -> Expected<'_> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
        file,
        _,
        _,
        currency,
        kind,
        outcome,
        answers,
        rows,
        rejected,
        sum,
        first_day,
        first,
        last_day,
        last,
    ] = cells[..]
    else {
        panic!("{line:?} has not fourteen cells")
    };
    Expected {
        file,
        currency,
        kind,
        outcome,
        answers,
        rows: rows.parse().unwrap(),
        rejected: rejected.parse().unwrap(),
        sum,
        first: (first_day, first),
        last: (last_day, last),
    }
}

fn units(figure: &str) -> i128 {
    let (digits, scale) = figure.split_once('.').map_or_else(
        || (figure.to_owned(), 0),
        |(whole, part)| (format!("{whole}{part}"), part.len()),
    );
    let decimal = Decimal {
        digits: digits.parse().unwrap(),
        scale: u8::try_from(scale).unwrap(),
    };
    decimal.at_scale(SCALE).unwrap()
}

fn amount(row: &StatementRow) -> i128 {
    row.amount.at_scale(SCALE).unwrap()
}

/// What differs from the manifest; nothing when the statement reads as it should.
fn differences(expected: &Expected<'_>, source: &Bytes, reading: &Reading) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken = Vec::new();
    let mut rejected = 0;
    for entry in rows(source, reading).unwrap() {
        match entry.unwrap() {
            Entry::Row(row) => taken.push(row),
            Entry::Rejected(_) => rejected += 1,
        }
    }
    let mut compare = |what: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{what} {is} not {should}"));
        }
    };
    let count = |count: usize| count.to_string();
    compare("rows", count(taken.len()), count(expected.rows));
    compare("rejected", count(rejected), count(expected.rejected));
    let total = count(expected.rows + expected.rejected);
    compare("count", reading.rows.to_string(), total);
    let sum: i128 = taken.iter().map(amount).sum();
    compare("sum", sum.to_string(), units(expected.sum).to_string());
    for (what, row, (day, figure)) in [
        ("first", taken.first(), expected.first),
        ("last", taken.last(), expected.last),
    ] {
        let is = row.map_or_else(String::new, |row| {
            format!("{} {}", row.booked_on, amount(row))
        });
        compare(what, is, format!("{day} {}", units(figure)));
    }
    found
}

fn check(expected: &Expected<'_>, bytes: Vec<u8>) -> Vec<String> {
    let source = Bytes(bytes);
    let known = Hints {
        currency: Currency::parse(expected.currency).ok(),
        kind: Kind::parse(expected.kind),
        ..hints(&[])
    };
    let recognition = recognise(&source, &known).unwrap();
    let outcome = match &recognition {
        Recognition::Ready(_) => "ready",
        Recognition::Asks { .. } => "asks",
        Recognition::Refused(_) => "refused",
    };
    if outcome != expected.outcome {
        return vec![format!("{outcome} not {}", expected.outcome)];
    }
    let reading = match recognition {
        Recognition::Ready(reading) => reading,
        Recognition::Refused(refusal) if refusal.reason == expected.answers => return Vec::new(),
        Recognition::Refused(refusal) => return vec![refusal.reason.to_owned()],
        Recognition::Asks { .. } => {
            let pairs = expected
                .answers
                .split(' ')
                .map(|answer| answer.split_once('=').unwrap());
            let answers: Vec<(&str, &str)> = pairs.collect();
            let answered = Hints {
                answers: hints(&answers).answers,
                ..known
            };
            match recognise(&source, &answered).unwrap() {
                Recognition::Ready(reading) => reading,
                _ => return vec!["its answers do not settle it".to_owned()],
            }
        }
    };
    differences(expected, &source, &reading)
}

#[test]
fn every_statement_reads_as_its_manifest_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for line in manifest.lines().skip(1) {
        let expected = expected(line);
        let bytes = std::fs::read(folder.join(expected.file)).unwrap();
        for difference in check(&expected, bytes) {
            wrong.push(format!("{}: {difference}", expected.file));
        }
        files.push(expected.file.to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "manifest.tsv")
        .collect();
    found.sort();
    files.sort();
    assert_eq!(found, files, "the manifest lists every file once");
}
