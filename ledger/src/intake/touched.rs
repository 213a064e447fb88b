//! Rows of a batch that a person has changed after it was matched: what follows from them, and from
//! them alone, is found again. What comes of it is what a whole matching would come to.
//!
//! A row is known again by what the file says of it, which an edit does not change. So sweeps 1 and
//! 2 run only for the fingerprints of rows that came or went, and sweeps 3 and 4, which the caller
//! drives, for the amounts that an edit brings into play.

use djinn_chassis::postgres::UserTransaction;

use super::{Batch, claim_by_fingerprint, claim_by_id};
use crate::Error;

/// What a person's changes touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The amounts of the rows, in minor units, before and after.
    pub amounts: Vec<i64>,
    /// Fingerprints of rows that came, went, or changed what they are known by.
    pub fingerprints: Vec<Vec<u8>>,
}

/// Sweeps 1 and 2 for what was touched. Returns the amounts for which sweeps 3 and 4 must run;
/// their old verdicts are gone.
///
/// # Errors
/// As the database answers.
pub async fn match_touched(
    transaction: &mut UserTransaction,
    batch: Batch,
    touched: Touched,
    ids_are_stable: bool,
) -> Result<Vec<i64>, Error> {
    let Touched {
        mut amounts,
        fingerprints,
    } = touched;
    // What one of the rows claims by its content may be what another one resembles.
    if !fingerprints.is_empty() {
        amounts.extend(amounts_of(transaction, batch, &fingerprints).await?);
    }
    amounts.sort_unstable();
    amounts.dedup();
    forget_resemblances(transaction, batch, &amounts).await?;
    if !fingerprints.is_empty() {
        forget_claims(transaction, batch, &fingerprints).await?;
        if batch.has_ids {
            claim_by_id(transaction, batch, Some(&fingerprints)).await?;
        }
        claim_by_fingerprint(transaction, batch, ids_are_stable, Some(&fingerprints)).await?;
    }
    Ok(amounts)
}

/// The amounts that transactions with these fingerprints have now.
async fn amounts_of(
    transaction: &mut UserTransaction,
    batch: Batch,
    fingerprints: &[Vec<u8>],
) -> Result<Vec<i64>, Error> {
    let user = transaction.user_id().uuid();
    let amounts = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT t.amount_minor
        FROM ledger.transaction t
        WHERE t.user_id = $1 AND t.fingerprint = ANY($4) AND t.account_id IN (
            SELECT account_id FROM imports.staged WHERE import_id = $2 AND generation = $3
        )
        "#,
        user,
        batch.import_id,
        batch.generation,
        fingerprints,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(amounts)
}

/// Rows of these amounts resemble nothing any more. A row keeps which of the equal ones it is. The
/// rows come as an array, and not by a join: verdicts have no statistics yet, and a join that is
/// planned for one of them reads the file once for each.
async fn forget_resemblances(
    transaction: &mut UserTransaction,
    batch: Batch,
    amounts: &[i64],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE imports.verdict v
        SET verdict = 'new', transaction_id = NULL, reason = NULL, linkable = false
        WHERE v.import_id = $1 AND v.generation = $2 AND v.verdict IN ('linked', 'suspected')
          AND v.row_number = ANY (ARRAY(
              SELECT s.row_number FROM imports.staged s
              WHERE s.import_id = $1 AND s.generation = $2 AND s.amount_minor = ANY($3)
          ))
        "#,
        batch.import_id,
        batch.generation,
        amounts,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Rows with these fingerprints are no longer claimed; as an array for the same reason.
async fn forget_claims(
    transaction: &mut UserTransaction,
    batch: Batch,
    fingerprints: &[Vec<u8>],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        DELETE FROM imports.verdict v
        WHERE v.import_id = $1 AND v.generation = $2
          AND v.row_number = ANY (ARRAY(
              SELECT s.row_number FROM imports.staged s
              WHERE s.import_id = $1 AND s.generation = $2 AND s.fingerprint = ANY($3)
          ))
        "#,
        batch.import_id,
        batch.generation,
        fingerprints,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
