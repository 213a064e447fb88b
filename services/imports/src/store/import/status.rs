//! The moves of an import's status, and what is noted beside a move.
//!
//! A status moves only with a condition on where it comes from and on the generation. No row
//! updated means that somebody else has moved it: the caller stops.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::Failure;
use crate::{Error, domain::status::Status};

/// A move from one status to another.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The import.
    pub import_id: Uuid,
    /// Which recognition of its file.
    pub generation: i32,
    /// Where it must be.
    pub from: Status,
    /// Where it goes.
    pub to: Status,
}

/// Keeps the import as it is until the transaction ends, for whoever changes its rows.
///
/// # Errors
/// As the database answers.
pub async fn lock_for_edit(
    transaction: &mut UserTransaction,
    import_id: Uuid,
) -> Result<(), Error> {
    sqlx::query!(
        "SELECT FROM imports.import WHERE import_id = $1 FOR SHARE",
        import_id
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(())
}

/// Keeps everybody else away from the import until the transaction ends.
///
/// # Errors
/// As the database answers.
pub async fn lock(transaction: &mut UserTransaction, import_id: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "SELECT FROM imports.import WHERE import_id = $1 FOR UPDATE",
        import_id
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(())
}

/// Moves the status. What the old status left behind (progress, failure, deadline) goes with it.
///
/// # Errors
/// [`Error::Overtaken`] if the import is not where it must be.
pub async fn move_on(
    transaction: &mut UserTransaction,
    step: Move,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let ended_at = (!step.to.is_open()).then_some(now);
    let moved = sqlx::query!(
        r#"
        UPDATE imports.import
        SET status = $4, updated_at = $5, ended_at = $6, progress_done = 0, progress_total = 0,
            failure_reason = NULL, failure_message = NULL, expires_at = NULL
        WHERE import_id = $1 AND generation = $2 AND status = $3
        "#,
        step.import_id,
        step.generation,
        step.from.as_str(),
        step.to.as_str(),
        now,
        ended_at,
    )
    .execute(&mut **transaction)
    .await?;
    match moved.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Overtaken {
            import_id: step.import_id,
        }),
    }
}

/// Says why an import ended or was handed back, in the transaction that moved it.
///
/// # Errors
/// As the database answers.
pub async fn note_failure(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    failure: &Failure,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.import SET failure_reason = $2, failure_message = $3 WHERE import_id = $1",
        import_id,
        failure.reason,
        failure.message,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Says until when a review or a question waits.
///
/// # Errors
/// As the database answers.
pub async fn set_deadline(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.import SET expires_at = $2 WHERE import_id = $1",
        import_id,
        expires_at,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes the change that brought it into the ledger.
///
/// # Errors
/// As the database answers.
pub async fn note_change(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    change_id: Uuid,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.import SET change_id = $2 WHERE import_id = $1",
        import_id,
        change_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
