//! Files in the object store. The row is older than the first byte, so a sweep finds what a crash
//! leaves.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::Error;

/// A file as stored.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id.
    pub upload_id: Uuid,
    /// Its name on the user's device.
    pub file_name: String,
    /// Its key in the object store.
    pub object_key: String,
    /// Its size.
    pub size_bytes: i64,
    /// Its hash.
    pub sha256: Vec<u8>,
    /// `waiting`, `clean` or `infected`.
    pub scan: String,
    /// When its last byte was stored.
    pub stored_at: DateTime<Utc>,
}

/// Notes an upload that is about to begin.
///
/// # Errors
/// As the database answers.
pub async fn begin(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    file_name: &str,
    object_key: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        INSERT INTO imports.upload (user_id, upload_id, file_name, object_key, state, created_at)
        VALUES ($1, $2, $3, $4, 'receiving', $5)
        "#,
        user_id,
        upload_id,
        file_name,
        object_key,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes the store's own id of it, without which nobody could abort it.
///
/// # Errors
/// As the database answers.
pub async fn note_parts(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    multipart_id: &str,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.upload SET multipart_id = $2 WHERE upload_id = $1",
        upload_id,
        multipart_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes that every byte is stored. False if a sweep has given the upload up meanwhile.
///
/// # Errors
/// As the database answers.
pub async fn finish(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    size_bytes: i64,
    sha256: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let finished = sqlx::query!(
        r#"
        UPDATE imports.upload SET state = 'stored', size_bytes = $2, sha256 = $3, stored_at = $4
        WHERE upload_id = $1 AND state = 'receiving'
        "#,
        upload_id,
        size_bytes,
        sha256,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(finished.rows_affected() == 1)
}

/// Notes that the object is gone, or is about to go.
///
/// # Errors
/// As the database answers.
pub async fn mark_deleted(transaction: &mut UserTransaction, upload_id: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.upload SET state = 'deleted' WHERE upload_id = $1",
        upload_id
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes what the scanner said.
///
/// # Errors
/// As the database answers.
pub async fn note_scan(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    scan: &'static str,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.upload SET scan = $2 WHERE upload_id = $1",
        upload_id,
        scan
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// A file that is whole, also one whose object a finding has deleted since.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
) -> Result<Option<Upload>, Error> {
    let upload = sqlx::query_as!(
        Upload,
        r#"
        SELECT upload_id, file_name, object_key, size_bytes, sha256 AS "sha256!", scan,
               stored_at AS "stored_at!"
        FROM imports.upload
        WHERE upload_id = $1 AND stored_at IS NOT NULL
        "#,
        upload_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(upload)
}

/// An upload that never became whole: its key and the store's id of its parts.
///
/// # Errors
/// As the database answers.
pub async fn unfinished(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
) -> Result<Option<(String, Option<String>)>, Error> {
    let found = sqlx::query!(
        r#"
        SELECT object_key, multipart_id FROM imports.upload
        WHERE upload_id = $1 AND stored_at IS NULL
        FOR UPDATE
        "#,
        upload_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.map(|row| (row.object_key, row.multipart_id)))
}

/// Writes down what was found in a file.
///
/// # Errors
/// As the database answers.
pub async fn audit(
    transaction: &mut UserTransaction,
    audit_id: Uuid,
    upload_id: Uuid,
    event: &'static str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        INSERT INTO imports.audit (user_id, audit_id, upload_id, event, detail, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        "#,
        user_id,
        audit_id,
        upload_id,
        event,
        detail,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
