//! Uploads in chunks: what was announced, what has arrived. A chunk's row is older than its bytes
//! in the object store and fixes what they are.

use chrono::{DateTime, Utc};
use djinn_chassis::{
    objects::{Checksum, Part},
    postgres::UserTransaction,
};
use uuid::Uuid;

use super::due::Duty;
use crate::{Error, domain::chunk::Cut};

/// What a client announces.
#[derive(Clone, Copy, Debug)]
pub struct Announced<'a> {
    /// The name of the file.
    pub file_name: &'a str,
    /// How it is cut.
    pub cut: Cut,
    /// The hash of the whole file, if the client knows it.
    pub sha256: Option<&'a [u8; 32]>,
}

/// Where an upload in chunks stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Chunks may come.
    Receiving,
    /// The file is whole, though a finding may have deleted it since.
    Whole,
    /// It was swept, or was not the file that was announced.
    GivenUp,
}

/// An upload in chunks.
#[derive(Clone, Debug)]
pub struct Chunked {
    /// Its id.
    pub upload_id: Uuid,
    /// The key of the object that it becomes.
    pub object_key: String,
    /// The store's id of its parts, once there is one.
    pub multipart_id: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// How it is cut.
    pub cut: Cut,
    /// The hash that the whole file should have.
    pub sha256: Option<Vec<u8>>,
    /// When the sweep gives it up.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A chunk that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Its hash.
    pub sha256: Vec<u8>,
    /// Whether the object store has it.
    pub stored: bool,
}

/// How many uploads in chunks of the user are not whole, counted in turn with whoever else begins
/// one: the limit would otherwise be passed by those who come at one time.
///
/// # Errors
/// As the database answers.
pub async fn count_unfinished(transaction: &mut UserTransaction) -> Result<i64, Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('imports.chunks:' || $1::text, 0))",
        user_id.to_string(),
    )
    .execute(&mut **transaction)
    .await?;
    let count = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM imports.upload
        WHERE state = 'receiving' AND chunk_bytes IS NOT NULL
        "#
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(count)
}

/// Notes an upload whose chunks may come.
///
/// # Errors
/// As the database answers.
pub async fn begin(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    object_key: &str,
    announced: Announced<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        INSERT INTO imports.upload (
            user_id, upload_id, file_name, object_key, state, created_at,
            announced_bytes, announced_sha256, chunk_bytes
        ) VALUES ($1, $2, $3, $4, 'receiving', $5, $6, $7, $8)
        "#,
        user_id,
        upload_id,
        announced.file_name,
        object_key,
        now,
        announced.cut.size_bytes,
        announced.sha256.map(|hash| &hash[..]),
        announced.cut.chunk_bytes,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// An upload in chunks.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
) -> Result<Option<Chunked>, Error> {
    let found = sqlx::query!(
        r#"
        SELECT u.object_key, u.multipart_id, u.state, u.stored_at IS NOT NULL AS "whole!",
               u.announced_bytes AS "announced_bytes!", u.announced_sha256,
               u.chunk_bytes AS "chunk_bytes!", d.due_at AS "due_at?"
        FROM imports.upload u
        LEFT JOIN imports.due d
            ON d.user_id = u.user_id AND d.kind = $2 AND d.subject_id = u.upload_id
        WHERE u.upload_id = $1 AND u.chunk_bytes IS NOT NULL AND u.announced_bytes IS NOT NULL
        "#,
        upload_id,
        Duty::AbortUpload.as_str(),
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.map(|row| Chunked {
        upload_id,
        object_key: row.object_key,
        multipart_id: row.multipart_id,
        stage: match (row.whole, row.state.as_str()) {
            (true, _) => Stage::Whole,
            (false, "receiving") => Stage::Receiving,
            (false, _) => Stage::GivenUp,
        },
        cut: Cut {
            size_bytes: row.announced_bytes,
            chunk_bytes: row.chunk_bytes,
        },
        sha256: row.announced_sha256,
        expires_at: row.due_at,
    }))
}

/// Keeps whoever would give the upload up, or make it whole, waiting for the end of the
/// transaction; chunks wait for nobody. What was read before must be read again.
///
/// # Errors
/// As the database answers.
pub async fn hold(transaction: &mut UserTransaction, upload_id: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "SELECT upload_id FROM imports.upload WHERE upload_id = $1 FOR SHARE",
        upload_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(())
}

/// The same for whoever gives it up or makes it whole: chunks wait too.
///
/// # Errors
/// As the database answers.
pub async fn lock(transaction: &mut UserTransaction, upload_id: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "SELECT upload_id FROM imports.upload WHERE upload_id = $1 FOR UPDATE",
        upload_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes the store's id of the parts. False if there is one already, or nobody waits for parts.
///
/// # Errors
/// As the database answers.
pub async fn note_multipart(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    multipart_id: &str,
) -> Result<bool, Error> {
    let noted = sqlx::query!(
        r#"
        UPDATE imports.upload SET multipart_id = $2
        WHERE upload_id = $1 AND multipart_id IS NULL AND state = 'receiving'
        "#,
        upload_id,
        multipart_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// A chunk, if it is known.
///
/// # Errors
/// As the database answers.
pub async fn find(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    number: i32,
) -> Result<Option<Chunk>, Error> {
    let chunk = sqlx::query_as!(
        Chunk,
        r#"
        SELECT sha256, etag IS NOT NULL AS "stored!" FROM imports.upload_chunk
        WHERE upload_id = $1 AND number = $2
        "#,
        upload_id,
        number,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(chunk)
}

/// Fixes what the chunk of this number holds. False if that is fixed already; whoever fixes it at
/// the same time is waited for.
///
/// # Errors
/// As the database answers.
pub async fn claim(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    number: i32,
    sha256: &[u8; 32],
) -> Result<bool, Error> {
    let user_id = transaction.user_id().uuid();
    let claimed = sqlx::query!(
        r#"
        INSERT INTO imports.upload_chunk (user_id, upload_id, number, sha256)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, upload_id, number) DO NOTHING
        "#,
        user_id,
        upload_id,
        number,
        &sha256[..],
    )
    .execute(&mut **transaction)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Notes that the object store has a chunk. False if nobody waits for it any more.
///
/// # Errors
/// As the database answers.
pub async fn note_stored(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    number: i32,
    part: &Part,
) -> Result<bool, Error> {
    let noted = sqlx::query!(
        r#"
        UPDATE imports.upload_chunk SET etag = $3
        WHERE upload_id = $1 AND number = $2
        "#,
        upload_id,
        number,
        part.etag,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// The parts that the object store has, in their order.
///
/// # Errors
/// As the database answers.
pub async fn parts(transaction: &mut UserTransaction, upload_id: Uuid) -> Result<Vec<Part>, Error> {
    let parts = sqlx::query!(
        r#"
        SELECT number + 1 AS "number!", etag AS "etag!", sha256 FROM imports.upload_chunk
        WHERE upload_id = $1 AND etag IS NOT NULL
        ORDER BY number
        "#,
        upload_id,
    )
    .map(|row| Part {
        number: row.number,
        etag: row.etag,
        checksum: Some(Checksum::Sha256(row.sha256)),
    })
    .fetch_all(&mut **transaction)
    .await?;
    Ok(parts)
}

/// Forgets the chunks of an upload that is given up.
///
/// # Errors
/// As the database answers.
pub async fn forget(transaction: &mut UserTransaction, upload_id: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM imports.upload_chunk WHERE upload_id = $1",
        upload_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
