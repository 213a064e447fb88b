//! The rows of a batch that are new in the ledger, added by one statement.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;

use super::{Batch, PLAN_ONCE, SOURCE, edited, give_room};
use crate::{Change, Error};

/// Adds the included rows of the batch to the ledger and returns how many they were. Rows that are
/// included against their verdict get an occurrence of their own; a row that was deleted by hand
/// and is wanted back takes over the occurrence that its tombstone kept.
///
/// # Errors
/// A violated unique index is an error like any other: somebody wrote fingerprints without the lock
/// of the account.
pub async fn commit_batch(
    transaction: &mut UserTransaction,
    batch: Batch,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    give_room(transaction, PLAN_ONCE).await?;
    number_forced_rows(transaction, batch).await?;
    mark_restored(transaction, batch, change).await?;
    let inserted = insert_included(transaction, batch, change, now).await?;
    edited::note(transaction, batch, change, now).await?;
    Ok(inserted)
}

/// Rows the user adds once more although the ledger has them: the next free occurrences, behind
/// everything stored and everything this import adds.
async fn number_forced_rows(transaction: &mut UserTransaction, batch: Batch) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH forced AS MATERIALIZED (
            SELECT s.row_number, s.account_id, s.fingerprint
            FROM imports.staged s
            JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
            WHERE s.import_id = $1 AND s.generation = $2
              AND v.verdict IN ('duplicate', 'changed') AND s.action = 'add'
        ),
        taken AS (
            SELECT t.account_id, t.fingerprint, t.occurrence FROM ledger.transaction t
            WHERE (t.account_id, t.fingerprint) IN (SELECT account_id, fingerprint FROM forced)
            UNION ALL
            SELECT b.account_id, b.fingerprint, b.occurrence FROM ledger.tombstone b
            WHERE b.kind = 'transaction' AND b.cause = 'user'
              AND (b.account_id, b.fingerprint) IN (SELECT account_id, fingerprint FROM forced)
            UNION ALL
            SELECT s.account_id, s.fingerprint, coalesce(v.occurrence, 1)
            FROM imports.staged s
            LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
            WHERE s.import_id = $1 AND s.generation = $2
              AND coalesce(v.verdict, 'new') IN ('new', 'linked', 'suspected')
              AND (s.account_id, s.fingerprint) IN (SELECT account_id, fingerprint FROM forced)
        ),
        last AS (
            SELECT account_id, fingerprint, max(occurrence) AS occurrence
            FROM taken GROUP BY account_id, fingerprint
        ),
        numbered AS (
            SELECT f.row_number, coalesce(l.occurrence, 0) + row_number() OVER (
                PARTITION BY f.account_id, f.fingerprint ORDER BY f.row_number
            ) AS occurrence
            FROM forced f LEFT JOIN last l USING (account_id, fingerprint)
        )
        UPDATE imports.verdict v SET occurrence = n.occurrence::integer
        FROM numbered n
        WHERE v.import_id = $1 AND v.generation = $2 AND v.row_number = n.row_number
        "#,
        batch.import_id,
        batch.generation,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes on the tombstones of rows that are wanted back which row brings them back. They keep what
/// they know, so that they hold again when this import is undone.
async fn mark_restored(
    transaction: &mut UserTransaction,
    batch: Batch,
    change: &Change,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE ledger.tombstone b SET restored_by = s.transaction_id, change_id = $3
        FROM imports.staged s
        JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
        WHERE b.kind = 'transaction' AND b.subject_id = v.transaction_id
          AND s.import_id = $1 AND s.generation = $2
          AND v.verdict = 'deleted_before' AND s.action = 'add'
        "#,
        batch.import_id,
        batch.generation,
        change.id(),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// One plain INSERT .. SELECT, planned for this file alone. A row that is added although its id is
/// in the ledger goes in without the id, which already stands for the other one.
async fn insert_included(
    transaction: &mut UserTransaction,
    batch: Batch,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO ledger.transaction (
            user_id, transaction_id, account_id, booked_on, value_on, amount_minor,
            currency_code, description, counterparty, source, external_id, fingerprint,
            occurrence, import_id, change_id, created_at
        )
        SELECT s.user_id, s.transaction_id, s.account_id, s.booked_on, s.value_on, s.amount_minor,
               s.currency_code, s.description, s.counterparty, $3,
               CASE WHEN v.verdict IN ('duplicate', 'changed') THEN NULL ELSE s.external_id END,
               s.fingerprint, coalesce(v.occurrence, 1), s.import_id, $4, $5
        FROM imports.staged s
        LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
        WHERE s.import_id = $1 AND s.generation = $2
          AND imports.row_action(s.action, v.verdict, v.linkable) = 'add'
        "#,
        batch.import_id,
        batch.generation,
        SOURCE,
        change.id(),
        now,
    )
    .persistent(false)
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected())
}
