//! What the services of these tests know.

use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use djinn_proto::{
    common::v1::{Job, JobKind, JobProgress, JobState, Money},
    imports::v1::{
        BalanceGap, Import, ImportCounts, ImportRow, ImportState, ImportWarning, Question,
        QuestionChoice, Reading, ReadingColumn, RowAction, RowProblem, RowResemblance, RowVerdict,
        Template, UnreadRow, Upload,
    },
    sync::v1::{
        Account, AccountKind, AccountState, Transaction, TransactionChange, TransactionChangeActor,
        TransactionChangeKind, TransactionFieldChange, TransactionSource,
    },
};

/// A fixed moment for a field of any timestamp.
macro_rules! moment {
    () => {
        Some(serde_json::from_str("\"2026-02-28T12:00:00.123456Z\"").expect("a timestamp"))
    };
}

pub(super) fn money(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

pub(super) fn account(id: &str) -> Account {
    Account {
        account_id: id.to_owned(),
        name: format!("Account {id}"),
        kind: AccountKind::CreditCard.into(),
        currency_code: "EUR".to_owned(),
        opening_balance: money(0),
        balance: money(-123_456),
        state: AccountState::Open.into(),
        etag: "e1".to_owned(),
        create_time: moment!(),
        update_time: moment!(),
        close_time: None,
        number: String::new(),
        time_zone: String::new(),
    }
}

pub(super) fn transaction(id: &str, account_id: &str) -> Transaction {
    Transaction {
        transaction_id: id.to_owned(),
        account_id: account_id.to_owned(),
        booked_on: "2026-02-28".to_owned(),
        value_on: String::new(),
        amount: money(i64::MIN),
        description: "Groceries".to_owned(),
        source: TransactionSource::Import.into(),
        import_id: "i1".to_owned(),
        create_time: moment!(),
        locked_fields: vec!["booked_on".to_owned()],
        etag: "e1".to_owned(),
        ..Transaction::default()
    }
}

pub(super) fn change() -> TransactionChange {
    TransactionChange {
        kind: TransactionChangeKind::Edited.into(),
        actor: TransactionChangeActor::User.into(),
        change_time: moment!(),
        fields: vec![TransactionFieldChange {
            field: "note".to_owned(),
            old_value: String::new(),
            new_value: "mine".to_owned(),
        }],
        ..TransactionChange::default()
    }
}

pub(crate) fn import(id: &str) -> Import {
    let choice = QuestionChoice {
        value: "dmy".to_owned(),
        label: "day first".to_owned(),
        samples: vec!["01.02.2026".to_owned()],
    };
    Import {
        import_id: id.to_owned(),
        account_id: "a1".to_owned(),
        upload: Some(Upload {
            upload_id: "u1".to_owned(),
            file_name: "may.csv".to_owned(),
            size_bytes: 5_000_000_000,
            sha256: "00".repeat(32),
            create_time: moment!(),
        }),
        state: ImportState::Asking.into(),
        job: Some(Job {
            kind: JobKind::Import.into(),
            job_id: id.to_owned(),
            state: JobState::Waiting.into(),
            progress: Some(JobProgress {
                done_count: 7,
                total_count: 0,
                unit: "rows".to_owned(),
            }),
            create_time: moment!(),
            update_time: moment!(),
            ..Job::default()
        }),
        etag: "e1".to_owned(),
        generation: 1,
        reading: Some(Reading {
            encoding: "UTF-8".to_owned(),
            columns: vec![ReadingColumn {
                position: 1,
                role: "booked_on".to_owned(),
                ..ReadingColumn::default()
            }],
            ..Reading::default()
        }),
        counts: Some(ImportCounts {
            row_count: 7,
            edited_count: 2,
            ..ImportCounts::default()
        }),
        balance_after: money(5),
        questions: vec![Question {
            key: "date".to_owned(),
            prompt: "Which comes first?".to_owned(),
            choices: vec![choice],
        }],
        warnings: vec![ImportWarning {
            reason: "ID_CONFLICT".to_owned(),
            message: "ids were ignored".to_owned(),
        }],
        answers: [("b", "2"), ("a", "1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        balance_gaps: vec![gap()],
        balance_gap_count: 21,
        ..Import::default()
    }
}

fn gap() -> BalanceGap {
    BalanceGap {
        row_above: 3,
        row_below: 5,
        line_above: 4,
        line_below: 6,
        booked_above: "2026-02-01".to_owned(),
        booked_below: "2026-02-03".to_owned(),
        expected: "110.00".to_owned(),
        found: "80.00".to_owned(),
        difference: "-30.00".to_owned(),
        unread: vec![UnreadRow {
            row_number: 4,
            line: 5,
            reason: "BAD_DATE".to_owned(),
        }],
        unread_count: 1,
    }
}

/// Odd rows are new, even ones cannot be read.
pub(super) fn row(number: i64) -> ImportRow {
    let good = number % 2 == 1;
    let problem = RowProblem {
        reason: "BAD_DATE".to_owned(),
        message: "no date".to_owned(),
        original: "x;y".to_owned(),
    };
    ImportRow {
        row_number: number,
        line: number + 1,
        verdict: match good {
            true => RowVerdict::New.into(),
            false => RowVerdict::Invalid.into(),
        },
        included: good,
        action: match good {
            true => RowAction::Add.into(),
            false => RowAction::Skip.into(),
        },
        resembles: (number == 3).then(|| RowResemblance {
            transaction_id: "t9".to_owned(),
            booked_on: "2025-01-30".to_owned(),
            amount: money(number),
            description: "Coffee".to_owned(),
            days_apart: -2,
            reason: "SAME_AMOUNT".to_owned(),
            message: "Like that one.".to_owned(),
            ..RowResemblance::default()
        }),
        amount: money(number).filter(|_| good),
        problem: Some(problem).filter(|_| !good),
        ..ImportRow::default()
    }
}

pub(super) fn template(id: &str) -> Template {
    Template {
        template_id: id.to_owned(),
        account_id: "a1".to_owned(),
        name: "may.csv".to_owned(),
        columns: vec!["Datum".to_owned()],
        create_time: moment!(),
        update_time: moment!(),
        ..Template::default()
    }
}

/// A page of a list whose tokens serve only the scope they were made for.
pub(super) fn page<T>(
    all: impl Iterator<Item = T>,
    size: i32,
    token: &str,
    scope: &str,
) -> Result<(Vec<T>, String), Status> {
    let begin = match token.split_once('@') {
        None if token.is_empty() => 0,
        Some((at, of)) if of == scope => at.parse().expect("ours"),
        _ => {
            let wrong = [("page_token", "is not a token of this list")];
            let code = Code::InvalidArgument;
            return Err(refusal(code, "FIELDS_INVALID", "a field is wrong", &wrong));
        }
    };
    let size = match usize::try_from(size).expect("checked at the edge") {
        0 => 100,
        size => size,
    };
    let mut rest: Vec<T> = all.skip(begin).collect();
    let next = match rest.len() > size {
        true => format!("{}@{scope}", begin + size),
        false => String::new(),
    };
    rest.truncate(size);
    Ok((rest, next))
}

/// A refusal with everything a service can say.
pub(super) fn refusal(
    code: Code,
    reason: &str,
    message: &str,
    violations: &[(&str, &str)],
) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "djinn", []);
    for (field, description) in violations {
        details.add_bad_request_violation(*field, *description);
    }
    Status::with_error_details(code, message, details)
}

/// Every text in a message.
pub(super) fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
