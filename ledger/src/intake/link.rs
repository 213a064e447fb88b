//! Rows of the batch that are not added, because what they tell of was entered by hand: the
//! transaction that is there takes over the file's fingerprint, and what it has not said itself.

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Batch, PLAN_ONCE, give_room};
use crate::{
    Change, Error,
    edit::{Author, Blanks, Writer, note_filled},
};

/// Rows that are linked by one statement: few, because it is planned without statistics and may
/// compare each with each.
const CHUNK_ROWS_MAX: i64 = 1_000;

/// What linking came to; every row to link is one or the other, or the ledger is not as it was
/// when they were matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// Transactions that are linked now.
    pub written: i64,
    /// Transactions that were reconciled, to which nothing is written.
    pub untouched: i64,
}

impl Linked {
    /// Rows of the file that have their transaction.
    #[must_use]
    pub fn count(self) -> i64 {
        self.written + self.untouched
    }
}

/// One row to link, and what became of it.
struct Row {
    row_number: i32,
    written: Option<Uuid>,
    untouched: Option<Uuid>,
    value_on: Option<NaiveDate>,
    counterparty: Option<String>,
    description: Option<String>,
}

/// Links the rows of the batch that are to be linked. What is blank and not locked is filled, with
/// provenance and history; a reconciled transaction is left alone. Call it with the account's row
/// locked, by [`crate::account::get_for_update`]: a person may be editing what is linked.
///
/// # Errors
/// As the database answers.
pub async fn link_batch(
    transaction: &mut UserTransaction,
    batch: Batch,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Linked, Error> {
    give_room(transaction, PLAN_ONCE).await?;
    let author = author(batch.import_id);
    let (mut linked, mut after) = (Linked::default(), 0);
    loop {
        let rows = link_chunk(transaction, batch, after, change, now).await?;
        let Some(last) = rows.last() else {
            return Ok(linked);
        };
        after = last.row_number;
        let mut filled = Vec::new();
        for row in rows {
            linked.untouched += i64::from(row.untouched.is_some());
            if let Some(transaction_id) = row.written {
                linked.written += 1;
                filled.extend(row.blanks().of(transaction_id));
            }
        }
        note_filled(transaction, change, &author, &filled, now).await?;
    }
}

/// Who fills fields: the import, as a provider of facts.
pub(crate) fn author(import_id: Uuid) -> Author {
    Author {
        writer: Writer::Provider,
        reference: Some(import_id.to_string()),
        confidence: None,
    }
}

impl Row {
    fn blanks(self) -> Blanks {
        Blanks {
            value_on: self.value_on,
            counterparty: self.counterparty,
            description: self.description,
        }
    }
}

/// The next rows to link behind `after`. The statement asks once more for everything that made the
/// transaction the row's when they were matched.
async fn link_chunk(
    transaction: &mut UserTransaction,
    batch: Batch,
    after: i32,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Error> {
    let user = transaction.user_id().uuid();
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH wanted AS MATERIALIZED (
            SELECT s.row_number, s.account_id, s.amount_minor, s.currency_code, s.value_on,
                   s.counterparty, s.description, s.external_id, s.fingerprint, v.occurrence,
                   v.transaction_id
            FROM imports.staged s
            JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
            WHERE s.import_id = $1 AND s.generation = $2 AND s.row_number > $3
              AND imports.row_action(s.action, v.verdict, v.linkable) = 'link'
            ORDER BY s.row_number LIMIT $4
        ),
        found AS MATERIALIZED (
            SELECT w.*, t.reconciled_at IS NOT NULL AS reconciled,
                   CASE WHEN t.value_on IS NULL AND NOT 'value_on' = ANY(l.fields)
                        THEN w.value_on END AS fill_value_on,
                   CASE WHEN t.counterparty = '' AND NOT 'counterparty' = ANY(l.fields)
                        THEN nullif(w.counterparty, '') END AS fill_counterparty,
                   CASE WHEN t.description = '' AND NOT 'description' = ANY(l.fields)
                        THEN nullif(w.description, '') END AS fill_description
            FROM wanted w
            JOIN ledger.transaction t
              ON t.user_id = $5 AND t.transaction_id = w.transaction_id
             AND t.account_id = w.account_id AND t.amount_minor = w.amount_minor
             AND t.currency_code = w.currency_code AND t.fingerprint IS NULL
            CROSS JOIN LATERAL (
                SELECT ARRAY(SELECT k.field FROM ledger.field_lock k
                             WHERE k.user_id = $5 AND k.transaction_id = t.transaction_id) AS fields
            ) l
        ),
        written AS (
            UPDATE ledger.transaction t
            SET fingerprint = f.fingerprint, occurrence = f.occurrence, linked_import_id = $1,
                external_id = coalesce(t.external_id, f.external_id),
                value_on = coalesce(f.fill_value_on, t.value_on),
                counterparty = coalesce(f.fill_counterparty, t.counterparty),
                description = coalesce(f.fill_description, t.description), change_id = $6,
                updated_at = CASE WHEN num_nonnulls(f.fill_value_on, f.fill_counterparty,
                                                    f.fill_description) > 0
                                  THEN $7 ELSE t.updated_at END
            FROM found f
            WHERE t.user_id = $5 AND t.transaction_id = f.transaction_id
              AND (t.account_id, t.amount_minor) = (f.account_id, f.amount_minor)
              AND t.fingerprint IS NULL AND t.reconciled_at IS NULL
            RETURNING t.transaction_id
        )
        SELECT w.row_number AS "row_number!", d.transaction_id AS "written?",
               CASE WHEN f.reconciled THEN f.transaction_id END AS untouched,
               f.fill_value_on AS value_on, f.fill_counterparty AS counterparty,
               f.fill_description AS description
        FROM wanted w
        LEFT JOIN found f USING (row_number)
        LEFT JOIN written d ON d.transaction_id = f.transaction_id
        ORDER BY w.row_number
        "#,
        batch.import_id,
        batch.generation,
        after,
        CHUNK_ROWS_MAX,
        user,
        change.id(),
        now,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows)
}
