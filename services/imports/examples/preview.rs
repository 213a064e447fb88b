//! Prints how the reader reads a statement, as JSON:
//! `preview [--currency CODE] [--kind KIND] [--answer KEY=CHOICE].. FILE`. Currency and kind are
//! the account's, which an import knows and a bare file does not.

#![expect(clippy::print_stdout, reason = "printing is what this example does")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use djinn_imports::domain::reading::{Hints, Reading, Recognition, Source, recognise};
use djinn_imports::domain::row::{Entry, rows};
use djinn_ledger::account::Kind;
use djinn_ledger::money::Currency;
use serde_json::{Value, json};

struct Path(PathBuf);

impl Source for Path {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut answers = BTreeMap::new();
    let mut file = None;
    let mut currency = None;
    let mut kind = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--answer" {
            let answer = arguments.next().ok_or("--answer needs KEY=CHOICE")?;
            let (key, choice) = answer.split_once('=').ok_or("--answer needs KEY=CHOICE")?;
            answers.insert(key.to_owned(), choice.to_owned());
        } else if argument == "--currency" {
            let code = arguments.next().ok_or("--currency needs a code as EUR")?;
            currency = Some(Currency::parse(&code)?);
        } else if argument == "--kind" {
            let word = arguments.next().ok_or("--kind needs a word as checking")?;
            kind = Some(Kind::parse(&word).ok_or("--kind needs a word as checking")?);
        } else {
            file = Some(PathBuf::from(argument));
        }
    }
    let source = Path(
        file.ok_or("usage: preview [--currency CODE] [--kind KIND] [--answer KEY=CHOICE].. FILE")?,
    );
    let today = chrono::Local::now().date_naive();
    let hints = Hints {
        today,
        currency,
        kind,
        time_zone: None,
        answers,
        template: None,
        mapping: None,
    };
    let report = match recognise(&source, &hints)? {
        Recognition::Ready(reading) => report("ready", &source, &reading, json!([]))?,
        Recognition::Asks { reading, questions } => {
            let asked = questions.iter().map(|question| {
                let choices: Vec<&str> = question
                    .choices
                    .iter()
                    .map(|choice| choice.value.as_str())
                    .collect();
                json!({ "key": question.key, "choices": choices, "detail": question })
            });
            report("asks", &source, &reading, Value::Array(asked.collect()))?
        }
        Recognition::Refused(refusal) => json!({
            "outcome": "refused", "questions": [], "transactions": [],
            "rejected": [{ "line": 0, "reason": refusal.reason, "detail": refusal.detail }],
        }),
    };
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn report(
    outcome: &str,
    source: &dyn Source,
    reading: &Reading,
    questions: Value,
) -> Result<Value, Box<dyn std::error::Error>> {
    let mut transactions = Vec::new();
    let mut rejected = Vec::new();
    for entry in rows(source, reading)? {
        match entry? {
            Entry::Row(row) => transactions.push(json!({
                "line": row.line,
                "booked_on": row.booked_on.to_string(),
                "value_on": row.value_on.map(|day| day.to_string()),
                "amount": row.amount.to_string(),
                "currency": row.currency.map(|currency| currency.code().to_owned()),
                "description": row.description,
                "counterparty": row.counterparty,
                "external_id": row.external_id,
                "balance_after": row.balance_after.map(|balance| balance.to_string()),
                "account": row.account,
            })),
            Entry::Rejected(row) => rejected.push(json!({
                "line": row.line, "reason": row.reason, "detail": row.detail,
                "original": row.original,
            })),
        }
    }
    Ok(json!({
        "outcome": outcome, "questions": questions, "transactions": transactions,
        "rejected": rejected, "reading": reading,
    }))
}
