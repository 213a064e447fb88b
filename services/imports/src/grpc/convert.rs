//! Answers into messages. Generated types go no further than this room.

mod gap;
mod resemblance;

use chrono::{DateTime, NaiveDate, Utc};
use djinn_ledger::{account::Account, money::Money};
use djinn_proto::{
    common::v1::{self as common, JobKind, JobState},
    imports::v1::{self as proto, ImportState, RowAction, RowVerdict},
};
use pbjson_types::Timestamp;

pub(super) use self::gap::{gap_count, gaps};
use crate::{
    domain::{
        description::{Column, describe},
        mapping::{Mapping, Written},
        question::{Choice, Question},
        reading::Reading,
        review::{Action, Counts, Verdict},
        row::{Entry, RejectedRow},
        status::Status,
    },
    steps::chunk::Progress,
    store::{
        account::Share,
        import::Import,
        revert::Reversal,
        review::{Content, GoodRow, ReviewRow},
        template::Kept,
        upload::Upload,
    },
};

fn time(at: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp {
        seconds: at.timestamp(),
        nanos,
    }
}

fn money(money: Money) -> common::Money {
    common::Money {
        currency_code: money.currency.code().to_owned(),
        minor_units: money.minor_units,
    }
}

fn date(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

pub(super) fn upload(upload: &Upload) -> proto::Upload {
    proto::Upload {
        upload_id: upload.upload_id.to_string(),
        file_name: upload.file_name.clone(),
        size_bytes: upload.size_bytes,
        sha256: hex::encode(&upload.sha256),
        create_time: Some(time(upload.stored_at)),
    }
}

pub(super) fn progress(progress: &Progress) -> proto::UploadProgress {
    proto::UploadProgress {
        upload_id: progress.upload_id.to_string(),
        chunk_size_bytes: progress.chunk_bytes.into(),
        chunk_count: progress.chunk_count,
        received_chunks: progress.received.clone(),
        expire_time: progress.expires_at.map(time),
        upload: progress.upload.as_ref().map(upload),
    }
}

pub(super) fn import(import: &Import, file: Option<&Upload>) -> proto::Import {
    let matched = import.etag.revision > 0;
    let totals = import.totals;
    let balance_after = totals
        .balance_before
        .minor_units
        .checked_add(totals.included.minor_units)
        .map(|minor_units| Money {
            minor_units,
            ..totals.included
        });
    proto::Import {
        import_id: import.import_id.to_string(),
        account_id: import.account_id.to_string(),
        upload: file.map(upload),
        state: state(import.status).into(),
        job: Some(job(import)),
        etag: import.etag.to_string(),
        generation: import.etag.generation,
        reading: import.reading.as_ref().map(reading),
        counts: matched.then(|| counts(totals.counts)),
        included_amount: matched.then(|| money(totals.included)),
        balance_before: matched.then(|| money(totals.balance_before)),
        balance_after: balance_after.filter(|_| matched).map(money),
        questions: match import.status {
            Status::Asking => import.questions.iter().map(question).collect(),
            _ => Vec::new(),
        },
        expire_time: import.expires_at.map(time),
        auto_confirm: import.auto_confirm,
        warnings: warnings(import),
        answers: import.answers.clone().into_iter().collect(),
        template_id: import
            .template_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        mapping: import.mapping.as_ref().map(mapping),
        balance_gaps: gaps(&import.gaps),
        balance_gap_count: gap_count(&import.gaps),
        ..proto::Import::default()
    }
}

fn mapping(mapping: &Mapping) -> proto::Mapping {
    let columns = mapping.columns.iter().map(|mapped| proto::MappedColumn {
        position: i32::try_from(mapped.column + 1).unwrap_or(i32::MAX),
        role: mapped.role.as_str().to_owned(),
        format: mapped.format.map_or("", Written::as_str).to_owned(),
    });
    proto::Mapping {
        encoding: mapping.encoding.clone().unwrap_or_default(),
        delimiter: match mapping.delimiter {
            Some('\t') => "\\t".to_owned(),
            other => other.map(String::from).unwrap_or_default(),
        },
        header_line: i64::try_from(mapping.header_line.unwrap_or_default()).unwrap_or(i64::MAX),
        columns: columns.collect(),
    }
}

/// One of an import's accounts.
pub(super) fn import_account(share: &Share, account: &Account) -> proto::ImportAccount {
    let of = |minor_units| {
        money(Money {
            currency: account.opening.currency,
            minor_units,
        })
    };
    let after = share.balance_before_minor.checked_add(share.included_minor);
    proto::ImportAccount {
        account_id: share.account_id.to_string(),
        number: account.number.clone(),
        row_count: share.row_count,
        new_count: share.new_count,
        included_count: share.included_count,
        included_amount: Some(of(share.included_minor)),
        balance_before: Some(of(share.balance_before_minor)),
        balance_after: after.map(of),
        names: share.names.clone(),
    }
}

pub(super) fn reversal(reversal: Reversal) -> proto::ImportReversal {
    proto::ImportReversal {
        removed_count: reversal.removed,
        kept_count: reversal.kept,
    }
}

fn warnings(import: &Import) -> Vec<proto::ImportWarning> {
    let count = import.id_conflict_count;
    let conflicts = proto::ImportWarning {
        reason: "ID_CONFLICT".to_owned(),
        message: format!(
            "{count} ids of this file stand for other bookings of the account and were ignored"
        ),
    };
    let Counts { rows, invalid, .. } = import.totals.counts;
    let left_out = proto::ImportWarning {
        reason: "ROWS_LEFT_OUT".to_owned(),
        message: format!("{invalid} of {rows} rows are left out; look at them before confirming"),
    };
    let many = import.totals.counts.many_are_left_out();
    let unfit = import.mapping_problem.clone().unwrap_or_default();
    let unfit = proto::ImportWarning {
        reason: "MAPPING_UNFIT".to_owned(),
        message: format!("the mapping does not fit the file and was left out: {unfit}"),
    };
    let unmapped = import.mapping_problem.is_some();
    let warnings = [(count > 0, conflicts), (many, left_out), (unmapped, unfit)].into_iter();
    warnings
        .filter_map(|(applies, warning)| applies.then_some(warning))
        .chain(gap::warning(&import.gaps))
        .collect()
}

fn job(import: &Import) -> common::Job {
    common::Job {
        kind: JobKind::Import.into(),
        job_id: import.import_id.to_string(),
        state: job_state(import.status).into(),
        progress: Some(common::JobProgress {
            done_count: import.progress_done,
            total_count: import.progress_total,
            unit: "rows".to_owned(),
        }),
        failure: import.failure.as_ref().map(|failure| common::JobFailure {
            reason: failure.reason.clone(),
            message: failure.message.clone(),
        }),
        create_time: Some(time(import.created_at)),
        update_time: Some(time(import.updated_at)),
        end_time: import.ended_at.map(time),
    }
}

fn job_state(status: Status) -> JobState {
    match status {
        Status::Created => JobState::Queued,
        Status::Scanning
        | Status::Recognising
        | Status::Staging
        | Status::Matching
        | Status::Committing
        | Status::Reverting => JobState::Running,
        Status::Asking | Status::Review => JobState::Waiting,
        Status::Committed | Status::Reverted => JobState::Succeeded,
        Status::Refused | Status::Failed => JobState::Failed,
        Status::Cancelled => JobState::Cancelled,
        Status::Expired => JobState::Expired,
    }
}

fn state(status: Status) -> ImportState {
    match status {
        Status::Created => ImportState::Created,
        Status::Scanning => ImportState::Scanning,
        Status::Recognising => ImportState::Recognising,
        Status::Asking => ImportState::Asking,
        Status::Staging => ImportState::Staging,
        Status::Matching => ImportState::Matching,
        Status::Review => ImportState::Review,
        Status::Committing => ImportState::Committing,
        Status::Committed => ImportState::Committed,
        Status::Reverting => ImportState::Reverting,
        Status::Reverted => ImportState::Reverted,
        Status::Refused => ImportState::Refused,
        Status::Failed => ImportState::Failed,
        Status::Cancelled => ImportState::Cancelled,
        Status::Expired => ImportState::Expired,
    }
}

fn counts(counts: Counts) -> proto::ImportCounts {
    proto::ImportCounts {
        row_count: counts.rows,
        new_count: counts.new,
        duplicate_count: counts.duplicate,
        deleted_before_count: counts.deleted_before,
        changed_count: counts.changed,
        invalid_count: counts.invalid,
        included_count: counts.included,
        linked_count: counts.linked,
        suspected_count: counts.suspected,
        edited_count: counts.edited,
    }
}

pub(super) fn question(question: &Question) -> proto::Question {
    let choice = |choice: &Choice| proto::QuestionChoice {
        value: choice.value.clone(),
        label: choice.label.clone(),
        samples: choice.samples.clone(),
    };
    proto::Question {
        key: question.key.clone(),
        prompt: question.prompt.clone(),
        choices: question.choices.iter().map(choice).collect(),
    }
}

pub(super) fn reading(reading: &Reading) -> proto::Reading {
    let description = describe(reading);
    let column = |column: Column| proto::ReadingColumn {
        position: i32::try_from(column.position).unwrap_or(i32::MAX),
        name: column.name,
        role: column.role.to_owned(),
        format: column.format.to_owned(),
    };
    proto::Reading {
        encoding: description.encoding,
        delimiter: description.delimiter,
        header_line: i64::try_from(description.header_line).unwrap_or_default(),
        columns: description.columns.into_iter().map(column).collect(),
        currency_code: description
            .currency
            .map(|it| it.code().to_owned())
            .unwrap_or_default(),
        evidence: reading.evidence.clone(),
    }
}

pub(super) fn template(kept: &Kept) -> proto::Template {
    let heading = &kept.template.heading;
    proto::Template {
        template_id: kept.template_id.to_string(),
        account_id: kept.account_id.to_string(),
        name: kept.template.name.clone(),
        header_fingerprint: hex::encode(heading.fingerprint()),
        columns: heading.names().to_vec(),
        answers: kept.template.answers.clone().into_iter().collect(),
        create_time: Some(time(kept.created_at)),
        update_time: Some(time(kept.updated_at)),
    }
}

pub(super) fn row(row: &ReviewRow) -> proto::ImportRow {
    let base = proto::ImportRow {
        row_number: i64::from(row.row_number),
        line: row.line,
        ..proto::ImportRow::default()
    };
    match &row.content {
        Content::Row(good) => good_row(base, good),
        Content::Rejected {
            reason,
            message,
            original,
        } => proto::ImportRow {
            verdict: RowVerdict::Invalid.into(),
            action: RowAction::Skip.into(),
            problem: Some(proto::RowProblem {
                reason: reason.clone(),
                message: message.clone(),
                original: original.clone(),
            }),
            ..base
        },
    }
}

fn good_row(base: proto::ImportRow, row: &GoodRow) -> proto::ImportRow {
    let verdict = match row.verdict {
        Verdict::New => RowVerdict::New,
        Verdict::Duplicate => RowVerdict::Duplicate,
        Verdict::DeletedBefore => RowVerdict::DeletedBefore,
        Verdict::Changed => RowVerdict::Changed,
        Verdict::Linked => RowVerdict::Linked,
        Verdict::Suspected => RowVerdict::Suspected,
    };
    let action = match row.action {
        Action::Add => RowAction::Add,
        Action::Link => RowAction::Link,
        Action::Skip => RowAction::Skip,
    };
    proto::ImportRow {
        verdict: verdict.into(),
        included: row.action == Action::Add,
        action: action.into(),
        booked_on: date(row.booked_on),
        value_on: row.value_on.map(date).unwrap_or_default(),
        amount: Some(common::Money {
            currency_code: row.currency_code.clone(),
            minor_units: row.amount_minor,
        }),
        description: row.description.clone(),
        counterparty: row.counterparty.clone(),
        external_id: row.external_id.clone().unwrap_or_default(),
        transaction_id: row
            .transaction_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        resembles: row
            .resembles
            .as_ref()
            .map(|stored| resemblance::show(row, stored)),
        edited_fields: row.edited_fields.clone(),
        problem: row.problem.as_ref().map(|it| proto::RowProblem {
            reason: it.reason.clone(),
            message: it.message.clone(),
            original: it.original.clone(),
        }),
        account_id: row.account_id.to_string(),
        ..base
    }
}

pub(super) fn preview_row(entry: Entry) -> proto::PreviewRow {
    let line = |line: u64| i64::try_from(line).unwrap_or(i64::MAX);
    match entry {
        Entry::Row(row) => proto::PreviewRow {
            line: line(row.line),
            booked_on: date(row.booked_on),
            amount: row.amount.to_string(),
            currency_code: row
                .currency
                .map(|code| code.code().to_owned())
                .unwrap_or_default(),
            description: row.description,
            counterparty: row.counterparty,
            problem: None,
        },
        Entry::Rejected(RejectedRow {
            line: at,
            reason,
            detail,
            original,
        }) => proto::PreviewRow {
            line: line(at),
            problem: Some(proto::RowProblem {
                reason: reason.to_owned(),
                message: detail,
                original,
            }),
            ..proto::PreviewRow::default()
        },
    }
}
