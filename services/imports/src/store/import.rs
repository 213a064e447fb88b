//! The import: what it is, and how it is found.
//!
//! * [`status`]: the moves of its status.
//! * [`reading`]: how its file reads, what that rests on, and where its balance breaks off.

use chrono::{DateTime, Utc};
use djinn_chassis::{postgres::UserTransaction, temporal::Owned};
use djinn_ledger::money::{Currency, Money};
use uuid::Uuid;

use crate::{
    Error,
    domain::{
        answer::Answers,
        gap::Gaps,
        mapping::Mapping,
        question::Question,
        reading::Reading,
        review::{Counts, Etag, Totals},
        status::Status,
    },
};

mod reading;
mod status;

pub use reading::{Change, Frozen, answer, freeze_reading, leave_mapping, note_gaps, reread};
pub use status::{Move, lock, lock_for_edit, move_on, note_change, note_failure, set_deadline};

/// The id of an import, in the type that a workflow is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportId(pub Uuid);

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its id.
    pub import_id: Uuid,
    /// The account it goes into.
    pub account_id: Uuid,
    /// The account's currency.
    pub currency: Currency,
    /// The file.
    pub upload_id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// Which recognition, and which state of its review.
    pub etag: Etag,
    /// Whether it may commit by itself.
    pub auto_confirm: bool,
    /// How the file reads.
    pub reading: Option<Reading>,
    /// What the file leaves open.
    pub questions: Vec<Question>,
    /// What the reading rests on beside the file.
    pub answers: Answers,
    /// The template that answered, unless a person did.
    pub template_id: Option<Uuid>,
    /// What a person says the columns mean.
    pub mapping: Option<Mapping>,
    /// Why a mapping was left out.
    pub mapping_problem: Option<String>,
    /// Why it ended or was handed back.
    pub failure: Option<Failure>,
    /// Rows done in the current step.
    pub progress_done: i64,
    /// Rows in all, or 0 while that is not known.
    pub progress_total: i64,
    /// What matching found; zero before.
    pub totals: Totals,
    /// Ids of the file that stand for other bookings.
    pub id_conflict_count: i64,
    /// Whether two of the file's ids prove that two rows differ.
    pub ids_are_stable: bool,
    /// Where the file's balance does not follow; of an import in a list only how often.
    pub gaps: Gaps,
    /// The account's version at which it was matched.
    pub account_version: i64,
    /// When a review expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Why an import ended or was handed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// What a new import is made of.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Its id.
    pub import_id: Uuid,
    /// The file.
    pub upload_id: Uuid,
    /// The account.
    pub account_id: Uuid,
    /// The account's currency.
    pub currency: Currency,
    /// Whether it may commit by itself.
    pub auto_confirm: bool,
    /// What a person says the columns mean.
    pub mapping: Option<Mapping>,
}

struct Row {
    import_id: Uuid,
    account_id: Uuid,
    currency_code: String,
    upload_id: Uuid,
    status: String,
    generation: i32,
    revision: i64,
    auto_confirm: bool,
    reading: Option<serde_json::Value>,
    questions: Option<serde_json::Value>,
    answers: serde_json::Value,
    template_id: Option<Uuid>,
    mapping: Option<serde_json::Value>,
    mapping_problem: Option<String>,
    failure_reason: Option<String>,
    failure_message: Option<String>,
    progress_done: i64,
    progress_total: i64,
    row_count: i64,
    new_count: i64,
    duplicate_count: i64,
    deleted_before_count: i64,
    changed_count: i64,
    invalid_count: i64,
    included_count: i64,
    linked_count: i64,
    suspected_count: i64,
    included_minor: i64,
    balance_before_minor: i64,
    id_conflict_count: i64,
    edited_count: i64,
    ids_are_stable: bool,
    balance_gaps: serde_json::Value,
    balance_gap_count: i64,
    account_version: i64,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Import {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let undecodable = |source: Box<dyn std::error::Error + Send + Sync>| Error::Undecodable {
            table: "imports.import",
            id: row.import_id,
            source,
        };
        let currency =
            Currency::parse(&row.currency_code).map_err(|error| undecodable(error.into()))?;
        let money = |minor_units| Money {
            currency,
            minor_units,
        };
        Ok(Self {
            import_id: row.import_id,
            account_id: row.account_id,
            currency,
            upload_id: row.upload_id,
            status: Status::parse(&row.status)
                .map_err(|error| Error::status(row.import_id, error))?,
            etag: Etag {
                generation: row.generation,
                revision: row.revision,
            },
            auto_confirm: row.auto_confirm,
            reading: decoded(row.reading).map_err(undecodable)?,
            questions: decoded(row.questions)
                .map_err(undecodable)?
                .unwrap_or_default(),
            answers: serde_json::from_value(row.answers)
                .map_err(|error| undecodable(error.into()))?,
            template_id: row.template_id,
            mapping: decoded(row.mapping).map_err(undecodable)?,
            mapping_problem: row.mapping_problem,
            failure: row.failure_reason.map(|reason| Failure {
                reason,
                message: row.failure_message.unwrap_or_default(),
            }),
            progress_done: row.progress_done,
            progress_total: row.progress_total,
            totals: Totals {
                counts: Counts {
                    rows: row.row_count,
                    new: row.new_count,
                    duplicate: row.duplicate_count,
                    deleted_before: row.deleted_before_count,
                    changed: row.changed_count,
                    invalid: row.invalid_count,
                    included: row.included_count,
                    linked: row.linked_count,
                    suspected: row.suspected_count,
                    edited: row.edited_count,
                },
                included: money(row.included_minor),
                balance_before: money(row.balance_before_minor),
            },
            id_conflict_count: row.id_conflict_count,
            ids_are_stable: row.ids_are_stable,
            gaps: gaps(row.balance_gaps, row.balance_gap_count).map_err(undecodable)?,
            account_version: row.account_version,
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
        })
    }
}

fn decoded<T: serde::de::DeserializeOwned>(
    value: Option<serde_json::Value>,
) -> Result<Option<T>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(value.map(serde_json::from_value).transpose()?)
}

fn gaps(
    first: serde_json::Value,
    count: i64,
) -> Result<Gaps, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Gaps {
        first: serde_json::from_value(first)?,
        count: count.try_into()?,
    })
}

/// Writes a new import in `created`.
///
/// # Errors
/// As the database answers.
pub async fn create(
    transaction: &mut UserTransaction,
    new: &NewImport,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    let mapping = new.mapping.as_ref().map(reading::json).transpose()?;
    sqlx::query!(
        r#"
        INSERT INTO imports.import
            (user_id, import_id, upload_id, account_id, currency_code, status, auto_confirm,
             mapping, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, 'created', $6, $7, $8, $8)
        "#,
        user_id,
        new.import_id,
        new.upload_id,
        new.account_id,
        new.currency.code(),
        new.auto_confirm,
        mapping,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// How many imports of the user are open. Calls of one user wait for each other here, so that two
/// at once cannot both be the last one allowed.
///
/// # Errors
/// As the database answers.
pub async fn count_open(transaction: &mut UserTransaction) -> Result<i64, Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('imports.open:' || $1::text, 0))",
        user_id.to_string(),
    )
    .fetch_one(&mut **transaction)
    .await?;
    let open = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM imports.import
        WHERE status NOT IN
            ('committed', 'reverted', 'refused', 'failed', 'cancelled', 'expired')
        "#
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(open)
}

/// The key that reaches the import's workflow: only for an import this user has.
///
/// # Errors
/// As the database answers.
pub async fn own(
    transaction: &mut UserTransaction,
    import_id: Uuid,
) -> Result<Option<Owned<ImportId>>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT import_id FROM imports.import WHERE import_id = $1",
        import_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.map(|import_id| Owned::proven(transaction, ImportId(import_id))))
}

/// An import.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    import_id: Uuid,
) -> Result<Option<Import>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT i.import_id, i.account_id, i.currency_code, i.upload_id, i.status, i.generation,
               i.revision, i.auto_confirm, i.reading, i.questions, i.answers, i.template_id,
               i.mapping, i.mapping_problem, i.failure_reason, i.failure_message,
               i.progress_done, i.progress_total, i.row_count, i.new_count, i.duplicate_count,
               i.deleted_before_count, i.changed_count, i.invalid_count, i.included_count,
               i.linked_count, i.suspected_count, i.included_minor, i.balance_before_minor,
               i.id_conflict_count, i.edited_count, i.ids_are_stable, i.balance_gaps,
               i.balance_gap_count, i.account_version, i.expires_at,
               i.created_at, i.updated_at, i.ended_at
        FROM imports.import i
        WHERE i.import_id = $1
        "#,
        import_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Import::try_from).transpose()
}

/// Which imports to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those that rows of this account are in, or that were begun for it.
    pub account_id: Option<Uuid>,
    /// Only in one of these states, if any.
    pub statuses: Vec<Status>,
    /// Only older than this one.
    pub before: Option<Uuid>,
}

/// Imports, newest first.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut UserTransaction,
    filter: &Filter,
    count_max: i64,
) -> Result<Vec<Import>, Error> {
    let statuses: Vec<String> = filter
        .statuses
        .iter()
        .map(|status| status.as_str().to_owned())
        .collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT i.import_id, i.account_id, i.currency_code, i.upload_id, i.status, i.generation,
               i.revision, i.auto_confirm, i.reading, i.questions, i.answers, i.template_id,
               i.mapping, i.mapping_problem, i.failure_reason, i.failure_message,
               i.progress_done, i.progress_total, i.row_count, i.new_count, i.duplicate_count,
               i.deleted_before_count, i.changed_count, i.invalid_count, i.included_count,
               i.linked_count, i.suspected_count, i.included_minor, i.balance_before_minor,
               i.id_conflict_count, i.edited_count, i.ids_are_stable,
               '[]'::jsonb AS "balance_gaps!", i.balance_gap_count, i.account_version, i.expires_at,
               i.created_at, i.updated_at, i.ended_at
        FROM imports.import i
        WHERE ($1::uuid IS NULL OR i.account_id = $1 OR EXISTS (
                   SELECT FROM imports.import_account a
                   WHERE a.import_id = i.import_id AND a.generation = i.generation
                     AND a.account_id = $1
               ))
          AND ($2::text[] = '{}' OR i.status = ANY($2))
          AND ($3::uuid IS NULL OR i.import_id < $3)
        ORDER BY i.import_id DESC LIMIT $4
        "#,
        filter.account_id,
        &statuses,
        filter.before,
        count_max,
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(Import::try_from).collect()
}
