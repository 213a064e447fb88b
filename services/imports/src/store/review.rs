//! What a review shows and what a person changes in it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::intake::resemblance::{Resembled, resembled};
use uuid::Uuid;

use crate::{
    Error,
    domain::review::{Action, Counts, Verdict},
    store::{
        account::Counted,
        edit::{self, Problem},
        staging::Target,
    },
};

/// A row as a review shows it.
#[derive(Clone, Debug)]
pub struct ReviewRow {
    /// Position among all rows of the file, from 1.
    pub row_number: i32,
    /// Line in the file.
    pub line: i64,
    /// What it is.
    pub content: Content,
}

/// A row that can be read, or why it cannot.
#[derive(Clone, Debug)]
pub enum Content {
    /// It can.
    Row(Box<GoodRow>),
    /// It cannot.
    Rejected {
        /// For programs.
        reason: String,
        /// For people.
        message: String,
        /// The line as it stands in the file.
        original: String,
    },
}

/// A row that can be read.
#[derive(Clone, Debug)]
pub struct GoodRow {
    /// What matching says of it.
    pub verdict: Verdict,
    /// What a commit does with it.
    pub action: Action,
    /// Date of booking.
    pub booked_on: NaiveDate,
    /// Date of value.
    pub value_on: Option<NaiveDate>,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency_code: String,
    /// What the booking says.
    pub description: String,
    /// The other party.
    pub counterparty: String,
    /// The bank's id.
    pub external_id: Option<String>,
    /// The row of the ledger it resembles.
    pub transaction_id: Option<Uuid>,
    /// Whether it resembles that in the payee too; `None` where it is not for its payee or amount
    /// that it was found.
    pub same_payee: Option<bool>,
    /// Whether that can be linked.
    pub linkable: bool,
    /// That row as it is now, while it is there.
    pub resembles: Option<Resembled>,
    /// The names of the fields that are a person's.
    pub edited_fields: Vec<String>,
    /// Why it could not be read before a person repaired it.
    pub problem: Option<Problem>,
    /// The account it goes into.
    pub account_id: Uuid,
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Only with one of these verdicts, if any.
    pub verdicts: Vec<Verdict>,
    /// Also, or only, rows that cannot be read.
    pub invalid: bool,
    /// Only rows that a commit adds, or only those it does not.
    pub included: Option<bool>,
    /// Only rows that go into this account.
    pub account_id: Option<Uuid>,
    /// Only behind this one.
    pub after: i32,
}

impl RowFilter {
    fn is_unrestricted(&self) -> bool {
        self.verdicts.is_empty() && !self.invalid
    }
}

/// Rows in the order of the file.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut UserTransaction,
    target: Target,
    filter: &RowFilter,
    count_max: i64,
) -> Result<Vec<ReviewRow>, Error> {
    let mut rows = Vec::new();
    if filter.is_unrestricted() || !filter.verdicts.is_empty() {
        rows.extend(good(transaction, target, filter, count_max).await?);
        show_resembled(transaction, &mut rows).await?;
        show_repaired(transaction, target, &mut rows).await?;
    }
    // A row that cannot be read is never included and goes into no account.
    if (filter.is_unrestricted() || filter.invalid)
        && filter.included != Some(true)
        && filter.account_id.is_none()
    {
        rows.extend(rejected(transaction, target, filter.after, count_max).await?);
    }
    rows.sort_by_key(|row| row.row_number);
    rows.truncate(usize::try_from(count_max).unwrap_or(usize::MAX));
    Ok(rows)
}

async fn good(
    transaction: &mut UserTransaction,
    target: Target,
    filter: &RowFilter,
    count_max: i64,
) -> Result<Vec<ReviewRow>, Error> {
    let verdicts: Vec<String> = filter
        .verdicts
        .iter()
        .map(|verdict| verdict.as_str().to_owned())
        .collect();
    let rows = sqlx::query!(
        r#"
        SELECT s.row_number AS "row_number!", s.line AS "line!",
               coalesce(v.verdict, 'new') AS "verdict!",
               imports.row_action(s.action, v.verdict, v.linkable) AS "action!",
               s.booked_on AS "booked_on!", s.value_on, s.amount_minor AS "amount_minor!",
               s.currency_code AS "currency_code!", s.description AS "description!",
               s.counterparty AS "counterparty!", s.external_id,
               CASE WHEN v.verdict IN ('duplicate', 'changed', 'linked', 'suspected')
                    THEN v.transaction_id END AS transaction_id,
               v.reason = 'same_payee' AS same_payee, coalesce(v.linkable, false) AS "linkable!",
               coalesce(s.edited_fields, '{}') AS "edited_fields!",
               s.account_id AS "account_id!"
        FROM imports.staged s
        LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
        WHERE s.import_id = $1 AND s.generation = $2 AND s.row_number > $3
          AND ($4::text[] = '{}' OR coalesce(v.verdict, 'new') = ANY($4))
          AND ($5::boolean IS NULL
               OR (imports.row_action(s.action, v.verdict, v.linkable) = 'add') = $5)
          AND ($7::uuid IS NULL OR s.account_id = $7)
        ORDER BY s.row_number LIMIT $6
        "#,
        target.import_id,
        target.generation,
        filter.after,
        &verdicts,
        filter.included,
        count_max,
        filter.account_id,
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter()
        .map(|row| {
            let verdict = Verdict::parse(&row.verdict)
                .map_err(|error| Error::verdict(target.import_id, error))?;
            let action = Action::parse(&row.action)
                .map_err(|error| Error::action(target.import_id, error))?;
            let content = Content::Row(Box::new(GoodRow {
                verdict,
                action,
                booked_on: row.booked_on,
                value_on: row.value_on,
                amount_minor: row.amount_minor,
                currency_code: row.currency_code,
                description: row.description,
                counterparty: row.counterparty,
                external_id: row.external_id,
                transaction_id: row.transaction_id,
                same_payee: row.same_payee,
                linkable: row.linkable,
                resembles: None,
                edited_fields: row.edited_fields,
                problem: None,
                account_id: row.account_id,
            }));
            Ok(ReviewRow {
                row_number: row.row_number,
                line: row.line,
                content,
            })
        })
        .collect()
}

/// Looks up what the rows of a page resemble.
async fn show_resembled(
    transaction: &mut UserTransaction,
    rows: &mut [ReviewRow],
) -> Result<(), Error> {
    let id = |row: &ReviewRow| match &row.content {
        Content::Row(good) => good.transaction_id,
        Content::Rejected { .. } => None,
    };
    let ids: Vec<Uuid> = rows.iter().filter_map(id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let found = resembled(transaction, &ids).await?;
    let found: HashMap<Uuid, Resembled> = found
        .into_iter()
        .map(|found| (found.transaction_id, found))
        .collect();
    for row in rows {
        if let Content::Row(good) = &mut row.content {
            good.resembles = good.transaction_id.and_then(|id| found.get(&id).cloned());
        }
    }
    Ok(())
}

/// Looks up what was wrong with the rows of a page that a person has repaired.
async fn show_repaired(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &mut [ReviewRow],
) -> Result<(), Error> {
    let edited = |row: &&ReviewRow| match &row.content {
        Content::Row(good) => !good.edited_fields.is_empty(),
        Content::Rejected { .. } => false,
    };
    let numbers: Vec<i32> = rows
        .iter()
        .filter(edited)
        .map(|row| row.row_number)
        .collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let mut problems = edit::repaired(transaction, target, &numbers).await?;
    for row in rows {
        if let Content::Row(good) = &mut row.content {
            good.problem = problems.remove(&row.row_number);
        }
    }
    Ok(())
}

async fn rejected(
    transaction: &mut UserTransaction,
    target: Target,
    after: i32,
    count_max: i64,
) -> Result<Vec<ReviewRow>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT row_number, line, reason, message, original FROM imports.rejected_row
        WHERE import_id = $1 AND generation = $2 AND row_number > $3 AND NOT repaired
        ORDER BY row_number LIMIT $4
        "#,
        target.import_id,
        target.generation,
        after,
        count_max,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let row = |row_number, line, content| ReviewRow {
        row_number,
        line,
        content,
    };
    Ok(rows
        .into_iter()
        .map(|found| {
            let (reason, message, original) = (found.reason, found.message, found.original);
            row(
                found.row_number,
                found.line,
                Content::Rejected {
                    reason,
                    message,
                    original,
                },
            )
        })
        .collect())
}

/// Says what is to become of rows; returns how many of them exist.
///
/// # Errors
/// As the database answers.
pub async fn decide(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
    actions: &[Action],
) -> Result<u64, Error> {
    let actions: Vec<String> = actions.iter().map(|it| it.as_str().to_owned()).collect();
    let decided = sqlx::query!(
        r#"
        UPDATE imports.staged s SET action = d.action
        FROM unnest($3::integer[], $4::text[]) AS d (row_number, action)
        WHERE s.import_id = $1 AND s.generation = $2 AND s.row_number = d.row_number
        "#,
        target.import_id,
        target.generation,
        rows,
        &actions,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(decided.rows_affected())
}

/// The first of these rows that cannot be linked, and whether it resembles something at all.
///
/// # Errors
/// As the database answers.
pub async fn unlinkable(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
) -> Result<Option<(i32, bool)>, Error> {
    let found = sqlx::query!(
        r#"
        SELECT r.row_number AS "row_number!", v.reason IS NOT NULL AS "resembles!"
        FROM unnest($3::integer[]) AS r (row_number)
        LEFT JOIN imports.verdict v
          ON v.import_id = $1 AND v.generation = $2 AND v.row_number = r.row_number
        WHERE NOT coalesce(v.linkable, false)
        ORDER BY r.row_number LIMIT 1
        "#,
        target.import_id,
        target.generation,
        rows,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.map(|row| (row.row_number, row.resembles)))
}

/// All rows of the file by what is known of each account, and the sum of what is included of the
/// account that was chosen: others may have another currency.
///
/// # Errors
/// As the database answers.
pub async fn totals(
    transaction: &mut UserTransaction,
    target: Target,
    chosen: Uuid,
    counted: &[Counted],
) -> Result<(Counts, i64), Error> {
    let invalid = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM imports.rejected_row
        WHERE import_id = $1 AND generation = $2 AND NOT repaired
        "#,
        target.import_id,
        target.generation,
    )
    .fetch_one(&mut **transaction)
    .await?;
    let sum = |what: fn(&Counts) -> i64| counted.iter().map(|it| what(&it.counts)).sum::<i64>();
    let counts = Counts {
        rows: sum(|it| it.rows) + invalid,
        new: sum(|it| it.new),
        duplicate: sum(|it| it.duplicate),
        deleted_before: sum(|it| it.deleted_before),
        changed: sum(|it| it.changed),
        invalid,
        included: sum(|it| it.included),
        linked: sum(|it| it.linked),
        suspected: sum(|it| it.suspected),
        edited: sum(|it| it.edited),
    };
    let own = counted.iter().find(|it| it.account_id == chosen);
    Ok((counts, own.map_or(0, |it| it.included_minor)))
}

/// What a matching found, to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    /// Rows by verdict.
    pub counts: Counts,
    /// Sum of the included rows.
    pub included_minor: i64,
    /// The account's balance without them.
    pub balance_before_minor: i64,
    /// The account's version it holds for.
    pub account_version: i64,
    /// Ids of the file that stand for other bookings.
    pub id_conflict_count: i64,
    /// Whether two of the file's ids prove that two rows differ.
    pub ids_are_stable: bool,
}

/// Writes what the review shows and raises its revision.
///
/// # Errors
/// As the database answers.
pub async fn publish(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    found: Findings,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE imports.import
        SET revision = revision + 1, row_count = $2, new_count = $3, duplicate_count = $4,
            deleted_before_count = $5, changed_count = $6, invalid_count = $7,
            included_count = $8, included_minor = $9, balance_before_minor = $10,
            account_version = $11, id_conflict_count = $12, updated_at = $13,
            linked_count = $14, suspected_count = $15, edited_count = $16, ids_are_stable = $17
        WHERE import_id = $1
        "#,
        import_id,
        found.counts.rows,
        found.counts.new,
        found.counts.duplicate,
        found.counts.deleted_before,
        found.counts.changed,
        found.counts.invalid,
        found.counts.included,
        found.included_minor,
        found.balance_before_minor,
        found.account_version,
        found.id_conflict_count,
        now,
        found.counts.linked,
        found.counts.suspected,
        found.counts.edited,
        found.ids_are_stable,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
