//! What the batch resembles: the candidates of sweeps 3 and 4 of algorithms C.1, in groups of equal
//! account, currency and amount, and the verdicts that come of them.
//!
//! Which row of a group resembles which is not decided here: a group is handed out, and what was
//! found in it is handed back. A group at a time is in memory.
//!
//! A row that a statement has told of before is a candidate only where the file covers its day:
//! there the bank's own file ought to have it, and does not, so it may well be the same booking
//! told otherwise. Outside of that it is missing because the file ends there, and a coffee or an
//! interest of each day would be suspected for the coffee of the day before.
//!
//! The file covers the days that it tells of itself. Around a row that a person has edited every
//! transaction of its amount is a candidate, wherever the person has put it.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Batch, SOURCE};
use crate::Error;

/// What is a candidate.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Whether two ids of the file prove that two rows differ.
    pub ids_are_stable: bool,
    /// Days outside of the file's in which a transaction may lie.
    pub days_max: i32,
    /// Only groups of these amounts, in minor units, if given.
    pub amounts: Option<&'a [i64]>,
}

/// Rows of equal account, currency and amount, of both sides, in no particular order.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Rows of the file that are new so far.
    pub rows: Vec<FileRow>,
    /// Transactions that no row of the file has claimed.
    pub stored: Vec<Stored>,
}

/// A row of the file.
#[derive(Clone, Debug)]
pub struct FileRow {
    /// Its number in the file.
    pub row_number: i32,
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// The other party, or empty.
    pub counterparty: String,
    /// What the booking says.
    pub description: String,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its id.
    pub transaction_id: Uuid,
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// The other party, or empty.
    pub counterparty: String,
    /// What the booking says.
    pub description: String,
    /// Whether no statement has told of it yet.
    pub linkable: bool,
}

/// What was found of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resemblance {
    /// The row of the file.
    pub row_number: i32,
    /// What it resembles.
    pub transaction_id: Uuid,
    /// Whether it is that transaction, unless a person says otherwise; else that is suspected.
    pub linked: bool,
    /// Whether the payee is the same too.
    pub same_payee: bool,
    /// Whether that transaction can take over what the file says.
    pub linkable: bool,
}

#[derive(sqlx::FromRow)]
struct Candidate {
    account_id: Uuid,
    currency_code: String,
    amount_minor: i64,
    row_number: Option<i32>,
    transaction_id: Option<Uuid>,
    booked_on: NaiveDate,
    created_at: Option<DateTime<Utc>>,
    counterparty: String,
    description: String,
    linkable: bool,
}

impl Candidate {
    fn key(&self) -> (Uuid, &str, i64) {
        (self.account_id, &self.currency_code, self.amount_minor)
    }
}

impl Group {
    fn add(&mut self, found: Candidate) -> Result<(), Error> {
        match (found.row_number, found.transaction_id, found.created_at) {
            (Some(row_number), None, None) => self.rows.push(FileRow {
                row_number,
                booked_on: found.booked_on,
                counterparty: found.counterparty,
                description: found.description,
            }),
            (None, Some(transaction_id), Some(created_at)) => self.stored.push(Stored {
                transaction_id,
                booked_on: found.booked_on,
                created_at,
                counterparty: found.counterparty,
                description: found.description,
                linkable: found.linkable,
            }),
            _ => {
                return Err(Error::Undecodable {
                    table: "transaction",
                    column: "transaction_id",
                    id: found.transaction_id.unwrap_or_default(),
                });
            }
        }
        Ok(())
    }
}

/// The groups that have rows of both sides, one after the other.
#[derive(Debug)]
pub struct Groups {
    fetched: VecDeque<Candidate>,
    ended: bool,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Candidate")
            .field("row_number", &self.row_number)
            .field("transaction_id", &self.transaction_id)
            .finish_non_exhaustive()
    }
}

impl Groups {
    /// Opens the cursor, of which a database transaction has one at a time. The rows are those that
    /// are there now: verdicts that are written meanwhile change nothing.
    ///
    /// # Errors
    /// As the database answers.
    pub async fn open(
        transaction: &mut UserTransaction,
        batch: Batch,
        query: Query<'_>,
    ) -> Result<Self, Error> {
        let possible = is_possible(transaction, batch, query).await?;
        if possible {
            declare(transaction, batch, query).await?;
        }
        Ok(Self {
            fetched: VecDeque::new(),
            ended: !possible,
        })
    }

    /// The next group. Call it until there is none, which closes the cursor.
    ///
    /// # Errors
    /// As the database answers.
    pub async fn next(
        &mut self,
        transaction: &mut UserTransaction,
    ) -> Result<Option<Group>, Error> {
        let Some(first) = self.candidate(transaction).await? else {
            return Ok(None);
        };
        let (account_id, currency_code, amount_minor) = (
            first.account_id,
            first.currency_code.clone(),
            first.amount_minor,
        );
        let mut group = Group::default();
        group.add(first)?;
        while let Some(next) = self.candidate(transaction).await? {
            if next.key() != (account_id, currency_code.as_str(), amount_minor) {
                self.fetched.push_front(next);
                break;
            }
            group.add(next)?;
        }
        Ok(Some(group))
    }

    async fn candidate(
        &mut self,
        transaction: &mut UserTransaction,
    ) -> Result<Option<Candidate>, Error> {
        if self.fetched.is_empty() && !self.ended {
            // The statement has no columns before the cursor is open, so that nothing can check it
            // earlier; it must not outlive the cursor as a prepared one either.
            let fetched = sqlx::query_as::<_, Candidate>("FETCH 1000 FROM resemblance");
            let fetched = fetched
                .persistent(false)
                .fetch_all(&mut **transaction)
                .await?;
            self.fetched = VecDeque::from(fetched);
            if self.fetched.is_empty() {
                self.ended = true;
                sqlx::query!("CLOSE resemblance")
                    .execute(&mut **transaction)
                    .await?;
            }
        }
        Ok(self.fetched.pop_front())
    }
}

/// Whether there is another side at all, a transaction in reach: all rows of a file would be sorted
/// for nothing in an account that is new.
async fn is_possible(
    transaction: &mut UserTransaction,
    batch: Batch,
    query: Query<'_>,
) -> Result<bool, Error> {
    let user = transaction.user_id().uuid();
    let possible = sqlx::query_scalar!(
        r#"
        WITH span AS MATERIALIZED (
            SELECT account_id, min(booked_on) AS first, max(booked_on) AS last
            FROM imports.staged WHERE import_id = $1 AND generation = $2 GROUP BY account_id
        )
        SELECT EXISTS (
            SELECT FROM span
            JOIN ledger.transaction t
              ON t.user_id = $3 AND t.account_id = span.account_id
             AND t.booked_on BETWEEN span.first - $4::integer AND span.last + $4
        ) AS "possible!"
        "#,
        batch.import_id,
        batch.generation,
        user,
        query.days_max,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(possible)
}

/// What is claimed and what has a counterpart is told by counting over sorted rows, and not by
/// joins: the verdicts were written a moment ago and have no statistics yet, and a join that is
/// planned for a few rows compares each with each. No plan of this is worse than n log n.
#[expect(
    clippy::too_many_lines,
    reason = "it is one statement, and its parts name each other"
)]
async fn declare(
    transaction: &mut UserTransaction,
    batch: Batch,
    query: Query<'_>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        DECLARE resemblance NO SCROLL CURSOR FOR
        WITH span AS MATERIALIZED (
            SELECT account_id, min(told_on) AS first, max(told_on) AS last
            FROM (
                SELECT account_id, CASE WHEN 'booked_on' = ANY(edited_fields)
                                        THEN source_booked_on ELSE booked_on END AS told_on
                FROM imports.staged WHERE import_id = $1 AND generation = $2
            ) told GROUP BY account_id
        ),
        edited AS MATERIALIZED (
            SELECT DISTINCT account_id, currency_code, amount_minor, booked_on
            FROM imports.staged
            WHERE import_id = $1 AND generation = $2 AND edited_fields IS NOT NULL
              AND ($7::bigint[] IS NULL OR amount_minor = ANY($7))
        ),
        stored AS (
            SELECT t.account_id, t.currency_code, t.amount_minor, t.transaction_id, t.booked_on,
                   t.created_at, t.counterparty, t.description,
                   t.fingerprint IS NULL AND t.source <> $5 AS linkable, false AS claimed
            FROM span
            JOIN ledger.transaction t
              ON t.user_id = $3 AND t.account_id = span.account_id
             AND t.booked_on BETWEEN span.first - $6::integer AND span.last + $6
            WHERE CASE WHEN t.source = $5 OR t.linked_import_id IS NOT NULL
                       THEN t.booked_on BETWEEN span.first AND span.last
                            AND NOT ($4 AND t.external_id IS NOT NULL)
                       ELSE true END
              AND ($7::bigint[] IS NULL OR t.amount_minor = ANY($7))
            UNION ALL
            SELECT DISTINCT t.account_id, t.currency_code, t.amount_minor, t.transaction_id,
                   t.booked_on, t.created_at, t.counterparty, t.description,
                   t.fingerprint IS NULL AND t.source <> $5, false
            FROM edited e
            LEFT JOIN span ON span.account_id = e.account_id
            JOIN ledger.transaction t
              ON t.user_id = $3 AND t.account_id = e.account_id
             AND t.booked_on BETWEEN e.booked_on - $6::integer AND e.booked_on + $6
             AND (t.currency_code, t.amount_minor) = (e.currency_code, e.amount_minor)
            WHERE coalesce(
                CASE WHEN t.source = $5 OR t.linked_import_id IS NOT NULL
                     THEN t.booked_on NOT BETWEEN span.first AND span.last
                          AND NOT ($4 AND t.external_id IS NOT NULL)
                     ELSE t.booked_on NOT BETWEEN span.first - $6 AND span.last + $6 END,
                true
            )
            UNION ALL
            SELECT NULL, NULL, NULL, transaction_id, NULL, NULL, NULL, NULL, NULL, true
            FROM imports.verdict
            WHERE import_id = $1 AND generation = $2 AND transaction_id IS NOT NULL
        ),
        candidate AS (
            SELECT s.account_id, s.currency_code, s.amount_minor, s.row_number,
                   NULL::uuid AS transaction_id, s.booked_on, NULL::timestamptz AS created_at,
                   s.counterparty, s.description, false AS linkable
            FROM imports.staged s
            LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
            WHERE s.import_id = $1 AND s.generation = $2 AND coalesce(v.verdict, 'new') = 'new'
              AND ($7::bigint[] IS NULL OR s.amount_minor = ANY($7))
            UNION ALL
            SELECT account_id, currency_code, amount_minor, NULL, transaction_id, booked_on,
                   created_at, counterparty, description, linkable
            FROM (
                SELECT stored.*, bool_or(claimed) OVER (PARTITION BY transaction_id) AS taken
                FROM stored
            ) all_stored
            WHERE NOT taken
        ),
        counted AS (
            SELECT candidate.*, count(row_number) OVER equal AS rows,
                   count(transaction_id) OVER equal AS stored
            FROM candidate
            WINDOW equal AS (PARTITION BY account_id, currency_code, amount_minor)
        )
        SELECT account_id, currency_code, amount_minor, row_number, transaction_id, booked_on,
               created_at, counterparty, description, linkable
        FROM counted WHERE rows > 0 AND stored > 0
        ORDER BY account_id, currency_code, amount_minor
        "#,
        batch.import_id,
        batch.generation,
        user,
        query.ids_are_stable,
        SOURCE,
        query.days_max,
        query.amounts,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Writes these verdicts. A row that had an occurrence keeps it, the others are the first of their
/// kind.
///
/// # Errors
/// As the database answers.
pub async fn note(
    transaction: &mut UserTransaction,
    batch: Batch,
    found: &[Resemblance],
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    let rows: Vec<i32> = found.iter().map(|it| it.row_number).collect();
    let ids: Vec<Uuid> = found.iter().map(|it| it.transaction_id).collect();
    let linked: Vec<bool> = found.iter().map(|it| it.linked).collect();
    let same_payee: Vec<bool> = found.iter().map(|it| it.same_payee).collect();
    let linkable: Vec<bool> = found.iter().map(|it| it.linkable).collect();
    sqlx::query!(
        r#"
        INSERT INTO imports.verdict (
            user_id, import_id, generation, row_number, verdict, transaction_id, occurrence,
            reason, linkable
        )
        SELECT $1, $2, $3, f.row_number, CASE WHEN f.linked THEN 'linked' ELSE 'suspected' END,
               f.transaction_id, 1,
               CASE WHEN f.same_payee THEN 'same_payee' ELSE 'same_amount' END, f.linkable
        FROM unnest($4::integer[], $5::uuid[], $6::boolean[], $7::boolean[], $8::boolean[])
            AS f (row_number, transaction_id, linked, same_payee, linkable)
        ON CONFLICT (user_id, import_id, generation, row_number) DO UPDATE
        SET verdict = excluded.verdict, transaction_id = excluded.transaction_id,
            reason = excluded.reason, linkable = excluded.linkable
        "#,
        user,
        batch.import_id,
        batch.generation,
        &rows,
        &ids,
        &linked,
        &same_payee,
        &linkable,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// A transaction that a row resembles, as a review shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resembled {
    /// Its id.
    pub transaction_id: Uuid,
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency_code: String,
    /// What the booking says.
    pub description: String,
    /// The other party, or empty.
    pub counterparty: String,
}

/// Those of the transactions that are there.
///
/// # Errors
/// As the database answers.
pub async fn resembled(
    transaction: &mut UserTransaction,
    transaction_ids: &[Uuid],
) -> Result<Vec<Resembled>, Error> {
    let user = transaction.user_id().uuid();
    let found = sqlx::query_as!(
        Resembled,
        "SELECT transaction_id, booked_on, amount_minor, currency_code, description, counterparty \
         FROM ledger.transaction WHERE user_id = $1 AND transaction_id = ANY($2)",
        user,
        transaction_ids,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(found)
}
