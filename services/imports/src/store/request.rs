//! Answers given once: check and claim are one statement, claim and work one transaction.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::Error;

/// A request as its repetition must look.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub rpc: &'static str,
    /// The client's id of it.
    pub request_id: Uuid,
    /// SHA-256 of its body.
    pub body_hash: &'a [u8; 32],
}

/// Claims the request for `subject_id`, or returns what an earlier one made. A concurrent claim of
/// the same id waits here for the other's end.
///
/// # Errors
/// [`Error::RequestIdReused`] if the earlier one had another body.
pub async fn claim(
    transaction: &mut UserTransaction,
    request: Request<'_>,
    subject_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, Error> {
    let user_id = transaction.user_id().uuid();
    let claimed = sqlx::query!(
        r#"
        INSERT INTO imports.request (user_id, rpc, request_id, body_hash, subject_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (user_id, rpc, request_id) DO NOTHING
        "#,
        user_id,
        request.rpc,
        request.request_id,
        &request.body_hash[..],
        subject_id,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    match find(transaction, request.rpc, request.request_id).await? {
        Some((hash, subject_id)) if hash == request.body_hash[..] => Ok(Some(subject_id)),
        _ => Err(Error::RequestIdReused {
            request_id: request.request_id,
        }),
    }
}

/// The body hash and subject of an earlier request.
///
/// # Errors
/// As the database answers.
pub async fn find(
    transaction: &mut UserTransaction,
    rpc: &'static str,
    request_id: Uuid,
) -> Result<Option<(Vec<u8>, Uuid)>, Error> {
    let found = sqlx::query!(
        "SELECT body_hash, subject_id FROM imports.request WHERE rpc = $1 AND request_id = $2",
        rpc,
        request_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.map(|row| (row.body_hash, row.subject_id)))
}

/// Notes that what a claimed request asked for is done, in the transaction that does it.
///
/// # Errors
/// As the database answers.
pub async fn take(
    transaction: &mut UserTransaction,
    rpc: &'static str,
    request_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.request SET taken_at = $3 WHERE rpc = $1 AND request_id = $2",
        rpc,
        request_id,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Whether what a claimed request asked for is done.
///
/// # Errors
/// As the database answers.
pub async fn is_taken(
    transaction: &mut UserTransaction,
    rpc: &'static str,
    request_id: Uuid,
) -> Result<bool, Error> {
    let taken = sqlx::query_scalar!(
        r#"
        SELECT taken_at IS NOT NULL AS "taken!" FROM imports.request
        WHERE rpc = $1 AND request_id = $2
        "#,
        rpc,
        request_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(taken.unwrap_or(false))
}
