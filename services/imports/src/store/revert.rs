//! What undoing an import did, beside its status.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::Error;

/// What undoing an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Transactions removed from the ledger.
    pub removed: i64,
    /// Transactions that stay because a person has edited them since.
    pub kept: i64,
}

/// Says how many rows there are to go through, for whoever watches. To be called in the transaction
/// that moves the status.
///
/// # Errors
/// As the database answers.
pub async fn expect(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    row_count: i64,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        "UPDATE imports.import SET progress_total = $3 WHERE user_id = $1 AND import_id = $2",
        user_id,
        import_id,
        row_count,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes what was done, in the transaction that did it.
///
/// # Errors
/// As the database answers.
pub async fn note(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    reversal: Reversal,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        "UPDATE imports.import SET removed_count = $3, kept_count = $4 \
         WHERE user_id = $1 AND import_id = $2",
        user_id,
        import_id,
        reversal.removed,
        reversal.kept,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What was noted of an import that the user has; zero before.
///
/// # Errors
/// As the database answers.
pub async fn get(transaction: &mut UserTransaction, import_id: Uuid) -> Result<Reversal, Error> {
    let user_id = transaction.user_id().uuid();
    let reversal = sqlx::query_as!(
        Reversal,
        "SELECT removed_count AS removed, kept_count AS kept FROM imports.import \
         WHERE user_id = $1 AND import_id = $2",
        user_id,
        import_id,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(reversal)
}
