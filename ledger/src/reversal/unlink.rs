//! What an undone import was linked with: it stays, and is as it was before.

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{
    Change, Error,
    edit::{Blanks, note_emptied},
    intake,
    transaction::Source,
};

/// Transactions that are freed by one statement; few, as when they were linked.
const CHUNK_ROWS_MAX: i64 = 1_000;

/// One transaction that was freed, with the values it lost.
struct Row {
    transaction_id: Uuid,
    value_on: Option<NaiveDate>,
    counterparty: Option<String>,
    description: Option<String>,
}

/// Frees the transactions that the import was linked with and returns how many they were. They lose
/// fingerprint, occurrence and the bank's id, and those fields that the import filled and nobody
/// has touched since: a field that a person or a rule has set is theirs, and what was reconciled
/// since keeps what it says.
///
/// # Errors
/// As the database answers.
pub async fn unlink(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let author = intake::author(import_id);
    let mut count = 0;
    loop {
        let rows = unlink_chunk(transaction, import_id, change, now).await?;
        if rows.is_empty() {
            return Ok(count);
        }
        let mut emptied = Vec::new();
        for row in rows {
            count += 1;
            let transaction_id = row.transaction_id;
            emptied.extend(row.blanks().of(transaction_id));
        }
        note_emptied(transaction, change, &author, &emptied, now).await?;
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

async fn unlink_chunk(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Error> {
    let user = transaction.user_id().uuid();
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH linked AS MATERIALIZED (
            SELECT t.transaction_id, t.value_on, t.counterparty, t.description,
                   t.reconciled_at IS NULL AND 'value_on' = ANY(p.fields) AS empties_value_on,
                   t.reconciled_at IS NULL AND 'counterparty' = ANY(p.fields)
                       AS empties_counterparty,
                   t.reconciled_at IS NULL AND 'description' = ANY(p.fields)
                       AS empties_description
            FROM ledger.transaction t
            CROSS JOIN LATERAL (
                SELECT ARRAY(
                    SELECT p.field FROM ledger.provenance p
                    WHERE p.user_id = $1 AND p.transaction_id = t.transaction_id
                      AND p.source = 'provider' AND p.reference = $2::uuid::text
                      AND NOT EXISTS (
                          SELECT FROM ledger.field_lock l
                          WHERE l.user_id = $1 AND l.transaction_id = t.transaction_id
                            AND l.field = p.field
                      )
                ) AS fields
            ) p
            WHERE t.user_id = $1 AND t.linked_import_id = $2
            ORDER BY t.transaction_id LIMIT $3
        ),
        freed AS (
            UPDATE ledger.transaction t
            SET fingerprint = NULL, occurrence = NULL, linked_import_id = NULL,
                external_id = CASE WHEN t.source = $6 THEN NULL ELSE t.external_id END,
                value_on = CASE WHEN l.empties_value_on THEN NULL ELSE t.value_on END,
                counterparty = CASE WHEN l.empties_counterparty THEN '' ELSE t.counterparty END,
                description = CASE WHEN l.empties_description THEN '' ELSE t.description END,
                change_id = $4,
                updated_at = CASE WHEN l.empties_value_on OR l.empties_counterparty
                                       OR l.empties_description
                                  THEN $5 ELSE t.updated_at END
            FROM linked l
            WHERE t.user_id = $1 AND t.transaction_id = l.transaction_id
              AND t.linked_import_id = $2
            RETURNING t.transaction_id
        )
        SELECT l.transaction_id AS "transaction_id!",
               CASE WHEN l.empties_value_on THEN l.value_on END AS value_on,
               CASE WHEN l.empties_counterparty THEN l.counterparty END AS counterparty,
               CASE WHEN l.empties_description THEN l.description END AS description
        FROM linked l JOIN freed USING (transaction_id)
        "#,
        user,
        import_id,
        CHUNK_ROWS_MAX,
        change.id(),
        now,
        Source::User.as_str(),
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows)
}
