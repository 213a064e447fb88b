//! What becomes of files, by their names.

use djinn_proto::{
    common::v1::{Job, JobFailure, Money},
    imports::v1::{
        Import, ImportCounts, ImportReversal, ImportRow, ImportState, Question, QuestionChoice,
        Reading, ReadingColumn, RowProblem, RowVerdict,
    },
};

/// What an import of this file goes through.
pub(super) fn states(name: &str, import: &Import, confirmed: bool) -> Vec<Import> {
    use ImportState as S;
    let at = |state: S| Import {
        state: state.into(),
        ..import.clone()
    };
    let clean = Import {
        counts: Some(ImportCounts::default()),
        ..review(import, S::Review)
    };
    if import.state() == S::Cancelled {
        return vec![review(import, S::Review), at(S::Cancelled)];
    }
    if import.state() == S::Reverting {
        return undoing(name, import);
    }
    match (name, confirmed) {
        ("refused.csv", _) => vec![
            at(S::Scanning),
            failed(at(S::Refused), "INFECTED", "The file is infected."),
        ],
        ("asking.csv" | "twice.csv", false) => asking(name, import),
        ("forever.csv", _) => vec![at(S::Scanning)],
        ("auto.csv", _) => vec![
            clean,
            review(import, S::Committing),
            review(import, S::Committed),
        ],
        ("back.csv", true) => vec![
            review(import, S::Committing),
            Import {
                etag: "e2".to_owned(),
                ..failed(
                    review(import, S::Review),
                    "VERDICTS_CHANGED",
                    "The account changed meanwhile.",
                )
            },
        ],
        (_, false) => vec![at(S::Scanning), at(S::Matching), review(import, S::Review)],
        (_, true) => vec![
            review(import, S::Review),
            review(import, S::Committing),
            review(import, S::Committed),
        ],
    }
}

/// What the undoing of this file's import goes through.
fn undoing(name: &str, import: &Import) -> Vec<Import> {
    let reversal = ImportReversal {
        removed_count: 1,
        kept_count: if name == "kept.csv" { 2 } else { 0 },
    };
    let undone = Import {
        state: ImportState::Reverted.into(),
        reversal: Some(reversal),
        ..import.clone()
    };
    let stuck = Import {
        state: ImportState::Committed.into(),
        ..failed(import.clone(), "REVERSAL_MISMATCH", "Nothing was removed.")
    };
    let last = if name == "stuck.csv" { stuck } else { undone };
    vec![import.clone(), last]
}

fn failed(import: Import, reason: &str, message: &str) -> Import {
    Import {
        job: Some(Job {
            failure: Some(JobFailure {
                reason: reason.to_owned(),
                message: message.to_owned(),
            }),
            ..Job::default()
        }),
        ..import
    }
}

/// `asking.csv` asks once; `twice.csv` asks something else when the first question is answered.
fn asking(name: &str, import: &Import) -> Vec<Import> {
    use ImportState as S;
    let working = Import {
        state: S::Recognising.into(),
        ..import.clone()
    };
    let asks = |etag: &str, question: Question| Import {
        state: S::Asking.into(),
        questions: vec![question],
        etag: etag.to_owned(),
        ..import.clone()
    };
    let first = asks("1-0", question());
    let second = asks("2-0", rows_question());
    match (name, import.answers.len()) {
        (_, 0) => vec![working, first],
        ("twice.csv", 1) if import.etag == "2-0" => vec![second],
        ("twice.csv", 1) => vec![first, working, second],
        ("twice.csv", _) => vec![second, working, review(import, S::Review)],
        _ => vec![first, working, review(import, S::Review)],
    }
}

fn review(import: &Import, state: ImportState) -> Import {
    let money = |minor_units| {
        Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units,
        })
    };
    Import {
        state: state.into(),
        etag: "e1".to_owned(),
        reading: Some(reading()),
        counts: Some(ImportCounts {
            row_count: 3,
            new_count: 1,
            duplicate_count: 1,
            invalid_count: 1,
            included_count: 1,
            ..ImportCounts::default()
        }),
        included_amount: money(-1999),
        balance_before: money(10_000),
        balance_after: money(8_001),
        ..import.clone()
    }
}

pub(super) fn rows() -> Vec<ImportRow> {
    let row = |row_number, verdict: RowVerdict, included| ImportRow {
        row_number,
        line: row_number + 1,
        verdict: verdict.into(),
        included,
        booked_on: "2025-01-31".to_owned(),
        amount: Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units: -1999,
        }),
        description: "Coffee".to_owned(),
        ..ImportRow::default()
    };
    vec![
        row(1, RowVerdict::New, true),
        row(2, RowVerdict::Duplicate, false),
        ImportRow {
            problem: Some(problem()),
            amount: None,
            ..row(3, RowVerdict::Invalid, false)
        },
    ]
}

pub(super) fn problem() -> RowProblem {
    RowProblem {
        reason: "BAD_DATE".to_owned(),
        message: "31.02.2025 is not a day".to_owned(),
        original: "31.02.2025;-1,00".to_owned(),
    }
}

pub(super) fn reading() -> Reading {
    Reading {
        encoding: "windows-1252".to_owned(),
        delimiter: ";".to_owned(),
        header_line: 1,
        columns: vec![ReadingColumn {
            position: 1,
            name: "Datum".to_owned(),
            role: "booked_on".to_owned(),
            format: "%d.%m.%Y".to_owned(),
        }],
        currency_code: "EUR".to_owned(),
        evidence: vec!["Day 31 occurs".to_owned()],
    }
}

pub(super) fn question() -> Question {
    Question {
        key: "date_order".to_owned(),
        prompt: "Which comes first?".to_owned(),
        choices: vec![QuestionChoice {
            value: "day_first".to_owned(),
            label: "the day".to_owned(),
            samples: vec!["2 January 2025".to_owned()],
        }],
    }
}

fn rows_question() -> Question {
    let choice = |value: &str, label: &str, sample: &str| QuestionChoice {
        value: value.to_owned(),
        label: label.to_owned(),
        samples: vec![sample.to_owned()],
    };
    Question {
        key: "rows".to_owned(),
        prompt: "Do they count?".to_owned(),
        choices: vec![
            choice("drop", "No.", "left out: 16.01.2025;Hotel"),
            choice("keep", "Yes.", "16 January 2025  -80.00 EUR  Hotel"),
        ],
    }
}
