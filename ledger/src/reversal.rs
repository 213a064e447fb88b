//! An import taken back: what it added goes, what a person has edited since stays, and what it was
//! linked with is as it was.
//!
//! The counterpart of [`crate::intake`], and like it a handful of set operations in the transaction
//! that moves the import's status. It joins the staging area of the imports service for one check
//! only. It decides nothing about an import, and takes no lock: the caller holds the account's two
//! locks, [`crate::account::lock`] against whoever writes fingerprints and the account's row
//! against edits by hand, so that each edit lies wholly before it or wholly behind.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{Change, Error, intake::Batch};

mod unlink;

pub use self::unlink::unlink;

/// What was found and what was done. Counted by different statements' own results, so that the
/// caller can see whether they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Transactions of the import that the ledger held.
    pub found: i64,
    /// Transactions removed.
    pub removed: i64,
    /// Tombstones written for them.
    pub buried: i64,
}

impl Removal {
    /// Transactions that stay.
    #[must_use]
    pub fn kept(self) -> i64 {
        self.found - self.removed
    }
}

/// Removes what the import added, but for what a person has edited since.
///
/// This is the one place that says what "edited" means: a field is locked, a field's value is the
/// user's, or the row was reconciled, which is a person's word that it is right. What a person set
/// in the review of this import is part of the import: its provenance names it, until it is edited
/// once more.
///
/// A removed row leaves a tombstone that serves the offline pull alone: it has neither fingerprint
/// nor occurrence, which are free again. A row that was deleted by hand before and that this import
/// had brought back is deleted by hand again. Locks and provenance of the removed rows, which are a
/// rule's, a bank's or this import's, go with them by their foreign keys.
///
/// # Errors
/// As the database answers. A tombstone that is there already is an error: nothing that lies in the
/// ledger can have been deleted before under the same id.
pub async fn remove(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Removal, Error> {
    let user = transaction.user_id().uuid();
    // One statement, and so one snapshot: `found` counts what `removed` looked at.
    let removal = sqlx::query_as!(
        Removal,
        r#"
        WITH removed AS (
            DELETE FROM ledger.transaction t
            WHERE t.user_id = $1 AND t.import_id = $2 AND t.reconciled_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM ledger.field_lock l
                  WHERE l.user_id = t.user_id AND l.transaction_id = t.transaction_id
                    AND NOT EXISTS (
                        SELECT FROM ledger.provenance p
                        WHERE p.user_id = l.user_id AND p.transaction_id = l.transaction_id
                          AND p.field = l.field AND p.source = 'user'
                          AND p.reference = $2::uuid::text
                    )
              )
              AND NOT EXISTS (
                  SELECT FROM ledger.provenance p
                  WHERE p.user_id = t.user_id AND p.transaction_id = t.transaction_id
                    AND p.source = 'user' AND p.reference IS DISTINCT FROM $2::uuid::text
              )
            RETURNING t.transaction_id, t.account_id
        ),
        buried AS (
            INSERT INTO ledger.tombstone
                (user_id, kind, subject_id, account_id, cause, change_id, created_at)
            SELECT $1, 'transaction', r.transaction_id, r.account_id, 'revert', $3, $4
            FROM removed r
            RETURNING subject_id
        ),
        deleted_again AS (
            UPDATE ledger.tombstone b SET restored_by = NULL, change_id = $3
            FROM removed r
            WHERE b.user_id = $1 AND b.restored_by = r.transaction_id
        )
        SELECT (
                   SELECT count(*) FROM ledger.transaction t
                   WHERE t.user_id = $1 AND t.import_id = $2
               ) AS "found!",
               (SELECT count(*) FROM removed) AS "removed!",
               (SELECT count(*) FROM buried) AS "buried!"
        "#,
        user,
        import_id,
        change.id(),
        now,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(removal)
}

/// How many rows the import added, and how many of those a person has deleted since, as far as the
/// staged rows still tell: they are purged some time after the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Staged rows that the commit added.
    pub included: i64,
    /// Those of them that were deleted by hand.
    pub deleted_by_hand: i64,
}

/// Looks the rows of the import up in its staging area.
///
/// # Errors
/// As the database answers.
pub async fn staged(transaction: &mut UserTransaction, batch: Batch) -> Result<Staged, Error> {
    let user = transaction.user_id().uuid();
    let staged = sqlx::query_as!(
        Staged,
        r#"
        SELECT count(*) AS "included!", count(b.subject_id) AS "deleted_by_hand!"
        FROM imports.staged s
        LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
        LEFT JOIN ledger.tombstone b
          ON b.user_id = $1 AND b.kind = 'transaction' AND b.cause = 'user'
          AND b.subject_id = s.transaction_id
        WHERE s.import_id = $2 AND s.generation = $3
          AND imports.row_action(s.action, v.verdict, v.linkable) = 'add'
        "#,
        user,
        batch.import_id,
        batch.generation,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(staged)
}
