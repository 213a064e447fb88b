//! Rows on their way in, in chunks. Each chunk is one transaction that first moves the progress row
//! from the number it expects under the generation it expects, and stops if it cannot: a worker
//! that was taken for dead may still be running beside its successor, and only one of them can.

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{Error, domain::row::RejectedRow};

/// Rows per chunk: large enough that the commit does not count, small enough to lose and to hold.
pub const CHUNK_ROWS_MAX: usize = 10_000;
/// Bytes of a row as most are.
const ROW_BYTES: usize = 256;
/// Bytes that go to Postgres in one message.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A row as it will be in the ledger.
#[derive(Clone, Debug)]
pub struct StagedRow {
    /// Position among all rows of the file, from 1.
    pub row_number: i32,
    /// Line in the file.
    pub line: i64,
    /// The account.
    pub account_id: Uuid,
    /// The id it will have in the ledger.
    pub transaction_id: Uuid,
    /// Date of booking.
    pub booked_on: NaiveDate,
    /// Date of value.
    pub value_on: Option<NaiveDate>,
    /// The amount in minor units of the currency.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency_code: String,
    /// What the booking says.
    pub description: String,
    /// The other party.
    pub counterparty: String,
    /// The bank's id.
    pub external_id: Option<String>,
    /// What makes it the same booking in another file.
    pub fingerprint: [u8; 32],
}

/// A part of a file, its rows as COPY takes them: a chunk is held while the next one is read, and
/// this is the smallest form of it.
#[derive(Debug)]
pub struct Chunk {
    target: Target,
    copy: BytesMut,
    row_count: usize,
    rejected: Vec<(i32, RejectedRow)>,
}

impl Chunk {
    /// An empty one.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let mut copy = BytesMut::with_capacity(HEADER.len() + CHUNK_ROWS_MAX * ROW_BYTES);
        copy.put_slice(HEADER);
        Self {
            target,
            copy,
            row_count: 0,
            rejected: Vec::new(),
        }
    }

    /// Adds a row that can be read.
    ///
    /// # Errors
    /// When a text is longer than COPY can take, which no cell is.
    pub fn add(&mut self, row: &StagedRow) -> Result<(), Error> {
        encode(&mut self.copy, self.target, row)?;
        self.row_count += 1;
        Ok(())
    }

    /// Adds one that cannot, with its position.
    pub fn reject(&mut self, row_number: i32, row: RejectedRow) {
        self.rejected.push((row_number, row));
    }

    /// Rows in it, good and bad.
    #[must_use]
    pub fn len(&self) -> usize {
        self.row_count + self.rejected.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How far staging has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Chunks staged.
    pub chunk: i32,
    /// Rows in them, good and bad.
    pub row_count: i64,
}

/// The rows of one recognition of an import.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The import.
    pub import_id: Uuid,
    /// Which recognition of its file.
    pub generation: i32,
}

/// Begins staging: from here on only this generation may write.
///
/// # Errors
/// As the database answers.
pub async fn begin(transaction: &mut UserTransaction, target: Target) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        INSERT INTO imports.progress (user_id, import_id, generation, chunk, row_count)
        VALUES ($1, $2, $3, 0, 0)
        ON CONFLICT (user_id, import_id)
        DO UPDATE SET generation = excluded.generation, chunk = 0, row_count = 0
        "#,
        user_id,
        target.import_id,
        target.generation,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// How far an earlier try came.
///
/// # Errors
/// [`Error::Overtaken`] if another generation has begun.
pub async fn progress(
    transaction: &mut UserTransaction,
    target: Target,
) -> Result<Progress, Error> {
    sqlx::query_as!(
        Progress,
        "SELECT chunk, row_count FROM imports.progress WHERE import_id = $1 AND generation = $2",
        target.import_id,
        target.generation,
    )
    .fetch_optional(&mut **transaction)
    .await?
    .ok_or(Error::Overtaken {
        import_id: target.import_id,
    })
}

/// Writes one chunk behind `from` and returns how far it is now. The caller commits.
///
/// # Errors
/// [`Error::Overtaken`] if somebody else has moved the progress, the generation or the status.
pub async fn write(
    transaction: &mut UserTransaction,
    from: Progress,
    chunk: &Chunk,
    now: DateTime<Utc>,
) -> Result<Progress, Error> {
    let size = i64::try_from(chunk.len()).map_err(|error| Error::Task(error.into()))?;
    let to = Progress {
        chunk: from.chunk + 1,
        row_count: from.row_count + size,
    };
    advance(transaction, chunk.target, from, to, now).await?;
    fail::fail_point!("before_copy", |_| Err(Error::killed()));
    copy(transaction, chunk).await?;
    reject(transaction, chunk.target, &chunk.rejected).await?;
    Ok(to)
}

async fn advance(
    transaction: &mut UserTransaction,
    target: Target,
    from: Progress,
    to: Progress,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let moved = sqlx::query!(
        r#"
        UPDATE imports.progress SET chunk = $4, row_count = $5
        WHERE import_id = $1 AND generation = $2 AND chunk = $3
        "#,
        target.import_id,
        target.generation,
        from.chunk,
        to.chunk,
        to.row_count,
    )
    .execute(&mut **transaction)
    .await?;
    let seen = sqlx::query!(
        r#"
        UPDATE imports.import SET progress_done = $3, updated_at = $4
        WHERE import_id = $1 AND generation = $2 AND status = 'staging'
        "#,
        target.import_id,
        target.generation,
        to.row_count,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    match (moved.rows_affected(), seen.rows_affected()) {
        (1, 1) => Ok(()),
        _ => Err(Error::Overtaken {
            import_id: target.import_id,
        }),
    }
}

/// user_id is missing on purpose: it comes from the session and may not be written.
const COPY: &str = "COPY imports.staged_row (import_id, generation, row_number, line, account_id, \
     transaction_id, booked_on, value_on, amount_minor, currency_code, description, counterparty, \
     external_id, fingerprint) FROM STDIN (FORMAT binary)";

async fn copy(transaction: &mut UserTransaction, chunk: &Chunk) -> Result<(), Error> {
    if chunk.row_count == 0 {
        return Ok(());
    }
    let mut copy = transaction.copy_in_raw(COPY).await?;
    // A connection keeps the buffer that the largest message needed.
    for message in chunk.copy.chunks(MESSAGE_BYTES_MAX) {
        copy.send(message).await?;
    }
    copy.send(END.to_be_bytes().as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

/// Days from the Unix epoch to Postgres's own, 2000-01-01.
const POSTGRES_EPOCH_DAYS: i32 = 10_957;
/// Signature, flags and header extension of the binary format:
/// <https://www.postgresql.org/docs/current/sql-copy.html>.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const FIELD_COUNT: i16 = 14;
const END: i16 = -1;
const NULL: i32 = -1;

fn encode(out: &mut BytesMut, target: Target, row: &StagedRow) -> Result<(), Error> {
    out.put_i16(FIELD_COUNT);
    put(out, target.import_id.as_bytes())?;
    put(out, &target.generation.to_be_bytes())?;
    put(out, &row.row_number.to_be_bytes())?;
    put(out, &row.line.to_be_bytes())?;
    put(out, row.account_id.as_bytes())?;
    put(out, row.transaction_id.as_bytes())?;
    put(out, &days(row.booked_on).to_be_bytes())?;
    match row.value_on {
        Some(date) => put(out, &days(date).to_be_bytes())?,
        None => out.put_i32(NULL),
    }
    put(out, &row.amount_minor.to_be_bytes())?;
    put(out, row.currency_code.as_bytes())?;
    put(out, row.description.as_bytes())?;
    put(out, row.counterparty.as_bytes())?;
    match &row.external_id {
        Some(id) => put(out, id.as_bytes())?,
        None => out.put_i32(NULL),
    }
    put(out, &row.fingerprint)
}

fn put(out: &mut BytesMut, value: &[u8]) -> Result<(), Error> {
    let length = i32::try_from(value.len()).map_err(|error| Error::Task(error.into()))?;
    out.put_i32(length);
    out.put_slice(value);
    Ok(())
}

fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days() - POSTGRES_EPOCH_DAYS
}

async fn reject(
    transaction: &mut UserTransaction,
    target: Target,
    rejected: &[(i32, RejectedRow)],
) -> Result<(), Error> {
    if rejected.is_empty() {
        return Ok(());
    }
    let user_id = transaction.user_id().uuid();
    let numbers: Vec<i32> = rejected.iter().map(|(number, _)| *number).collect();
    let lines: Vec<i64> = rejected
        .iter()
        .map(|(_, row)| i64::try_from(row.line).unwrap_or(i64::MAX))
        .collect();
    let reasons: Vec<String> = rejected
        .iter()
        .map(|(_, row)| row.reason.to_owned())
        .collect();
    let messages: Vec<String> = rejected.iter().map(|(_, row)| row.detail.clone()).collect();
    let originals: Vec<String> = rejected
        .iter()
        .map(|(_, row)| row.original.clone())
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO imports.rejected_row
            (user_id, import_id, generation, row_number, line, reason, message, original)
        SELECT $1, $2, $3, r.* FROM unnest(
            $4::integer[], $5::bigint[], $6::text[], $7::text[], $8::text[]
        ) AS r (row_number, line, reason, message, original)
        "#,
        user_id,
        target.import_id,
        target.generation,
        &numbers,
        &lines,
        &reasons,
        &messages,
        &originals,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Renews the statistics of the staging table, without which the matching that follows a bulk load
/// is planned for an empty table.
///
/// # Errors
/// As the database answers.
pub async fn analyze(transaction: &mut UserTransaction) -> Result<(), Error> {
    sqlx::query("SELECT imports.analyze_staged()")
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Deletes the rows of earlier recognitions of a file. At most `count_max` staged rows go in one
/// call; false while some are left.
///
/// # Errors
/// As the database answers.
pub async fn purge_earlier(
    transaction: &mut UserTransaction,
    target: Target,
    count_max: i64,
) -> Result<bool, Error> {
    let purged = sqlx::query!(
        r#"
        DELETE FROM imports.staged s
        WHERE s.import_id = $1 AND (s.generation, s.row_number) IN (
            SELECT p.generation, p.row_number FROM imports.staged p
            WHERE p.import_id = $1 AND p.generation < $2
            ORDER BY p.generation, p.row_number LIMIT $3
        )
        "#,
        target.import_id,
        target.generation,
        count_max,
    )
    .execute(&mut **transaction)
    .await?;
    if i64::try_from(purged.rows_affected()).is_ok_and(|count| count >= count_max) {
        return Ok(false);
    }
    sqlx::query!(
        "DELETE FROM imports.verdict WHERE import_id = $1 AND generation < $2",
        target.import_id,
        target.generation,
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM imports.rejected_row WHERE import_id = $1 AND generation < $2",
        target.import_id,
        target.generation,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(true)
}

/// Deletes the rows of an import that ended. At most `count_max` staged rows go in one call; false
/// while some are left.
///
/// # Errors
/// As the database answers.
pub async fn purge(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    count_max: i64,
) -> Result<bool, Error> {
    let purged = sqlx::query!(
        r#"
        DELETE FROM imports.staged s WHERE s.import_id = $1 AND s.row_number IN (
            SELECT p.row_number FROM imports.staged p
            WHERE p.import_id = $1 ORDER BY p.row_number LIMIT $2
        )
        "#,
        import_id,
        count_max,
    )
    .execute(&mut **transaction)
    .await?;
    if i64::try_from(purged.rows_affected()).is_ok_and(|count| count >= count_max) {
        return Ok(false);
    }
    sqlx::query!(
        "DELETE FROM imports.verdict WHERE import_id = $1",
        import_id
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM imports.rejected_row WHERE import_id = $1",
        import_id
    )
    .execute(&mut **transaction)
    .await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_postgres_epoch() {
        for (date, expected) in [("2000-01-01", 0), ("1999-12-31", -1), ("2024-02-29", 8_825)] {
            assert_eq!(days(date.parse().unwrap()), expected, "{date}");
        }
    }
}
