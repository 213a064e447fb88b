//! Duties for the sweep: written in the transaction that creates a duty, taken away in the one that
//! does it. The only table that is read across users; it holds no personal data.

use chrono::{DateTime, Utc};
use djinn_chassis::{
    auth::UserId,
    postgres::{Transaction, UserTransaction},
};
use uuid::Uuid;

use crate::Error;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Start the workflow of an import that a crash left `created`.
    StartImport,
    /// Give up an upload that nobody finished.
    AbortUpload,
    /// Delete the staged rows of an import that ended long ago.
    PurgeRows,
    /// Start the workflow that undoes an import.
    StartRevert,
}

impl Duty {
    /// The word in Postgres.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartImport => "start_import",
            Self::AbortUpload => "abort_upload",
            Self::PurgeRows => "purge_rows",
            Self::StartRevert => "start_revert",
        }
    }
}

/// One duty that is due.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// For whom.
    pub user: UserId,
    /// On what.
    pub subject_id: Uuid,
}

/// Creates a duty, or moves the one that is there.
///
/// # Errors
/// As the database answers.
pub async fn set(
    transaction: &mut UserTransaction,
    duty: Duty,
    subject_id: Uuid,
    due_at: DateTime<Utc>,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        INSERT INTO imports.due (user_id, kind, subject_id, due_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, kind, subject_id) DO UPDATE SET due_at = excluded.due_at
        "#,
        user_id,
        duty.as_str(),
        subject_id,
        due_at,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Takes a duty away, if it is there.
///
/// # Errors
/// As the database answers.
pub async fn clear(
    transaction: &mut UserTransaction,
    duty: Duty,
    subject_id: Uuid,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        "DELETE FROM imports.due WHERE user_id = $1 AND kind = $2 AND subject_id = $3",
        user_id,
        duty.as_str(),
        subject_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The oldest duties of a kind that are due, at most `count_max`.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut Transaction,
    duty: Duty,
    now: DateTime<Utc>,
    count_max: i64,
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT user_id, subject_id FROM imports.due
        WHERE kind = $1 AND due_at <= $2
        ORDER BY due_at, user_id, subject_id LIMIT $3
        "#,
        duty.as_str(),
        now,
        count_max,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due {
            user: UserId::new(row.user_id),
            subject_id: row.subject_id,
        })
        .collect())
}
