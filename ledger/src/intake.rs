//! Many rows into the ledger at once: matching against what is there, and the commit.
//!
//! An import of a million rows is compared and committed by a handful of statements, in the
//! transaction that moves the import's status. They join the ledger with the staging area of the
//! imports service (`imports.staged`, `imports.verdict`), which is why they stand here: the ledger
//! is a shared kernel, and every statement on it is in this crate. The rules are algorithms C.1.
//!
//! * here: sweeps 1 and 2.
//! * [`resemblance`]: what sweeps 3 and 4 choose from, and what they found.
//! * [`touched`]: the same for rows that a person has changed in review.
//! * `added`: the rows that are new in the ledger.
//! * `link`: transactions that were there already and take over what the file says.
//! * `edited`: fields of added rows that are a person's.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{Error, transaction::Source};

mod added;
mod edited;
mod link;
pub mod resemblance;
pub mod touched;

pub use self::added::commit_batch;
pub(crate) use self::link::author;
pub use self::link::{Linked, link_batch};

/// The `source` of rows that came from a statement file; ids of the bank are unique within it.
pub const SOURCE: &str = "import";

/// Memory of one sort of a statement over a whole file; a hash may take twice as much. A plan of
/// two of each takes 96 MB, and five connections at once stay within the 704 MB of a small server's
/// Postgres. What it gives is told by `cargo xtask bench import`.
const WORK_MEMORY: &str = "16MB";

/// Each statement is planned for the file at hand. A connection that has matched five small files
/// would take a plan for any file from then on, which takes half as long again for a million rows.
const PLAN_EACH: &str = "force_custom_plan";

/// The same is not for rows with foreign keys: Postgres checks these by a statement for each row,
/// and would plan that a million times.
const PLAN_ONCE: &str = "auto";

/// Where ids of the bank are looked for: a transaction that a person entered has one when a
/// statement was linked with it, and that is the statement's.
fn sources_of_ids() -> [String; 2] {
    [SOURCE.to_owned(), Source::User.as_str().to_owned()]
}

/// The rows of one import, as one recognition of its file staged them.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// The import.
    pub import_id: Uuid,
    /// Which recognition of the file.
    pub generation: i32,
    /// Whether the file has a column of the bank's ids: in one without, nobody looks for them.
    pub has_ids: bool,
}

/// What matching found, apart from the verdicts it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Ids of the bank that the ledger knows for something else. They are ignored, not stored.
    pub id_conflict_count: i64,
    /// Whether the file's ids stay the same from file to file, so that two of them are two
    /// bookings.
    pub ids_are_stable: bool,
}

/// Compares the batch with the ledger and writes the verdicts that are not simply `new`: sweeps 1
/// and 2 of algorithms C.1; [`resemblance`] has the candidates of 3 and 4. Verdicts of an earlier
/// matching of the batch are replaced.
///
/// `id_conflict_count` is what an earlier matching found: once an id of a file was wrong, none of
/// its ids proves that two rows differ.
///
/// # Errors
/// As the database answers.
pub async fn match_batch(
    transaction: &mut UserTransaction,
    batch: Batch,
    id_conflict_count: i64,
) -> Result<Matched, Error> {
    give_room(transaction, PLAN_EACH).await?;
    clear_verdicts(transaction, batch).await?;
    let (mut conflicts, mut proven) = (id_conflict_count, 0);
    if batch.has_ids {
        conflicts += drop_conflicting_ids(transaction, batch).await?;
        proven = claim_by_id(transaction, batch, None).await?;
    }
    let ids_are_stable = conflicts == 0 && proven > 0;
    claim_by_fingerprint(transaction, batch, ids_are_stable, None).await?;
    Ok(Matched {
        id_conflict_count: conflicts,
        ids_are_stable,
    })
}

/// Sets the transaction up for statements over a whole file: sorts and hashes of some hundred
/// thousand rows spill less, and nothing is compiled for them, which takes longer than it gives
/// back.
async fn give_room(transaction: &mut UserTransaction, plans: &str) -> Result<(), Error> {
    sqlx::query!(
        r#"
        SELECT set_config('work_mem', $1, true) AS memory, set_config('jit', 'off', true) AS jit,
               set_config('plan_cache_mode', $2, true) AS plans
        "#,
        WORK_MEMORY,
        plans,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(())
}

async fn clear_verdicts(transaction: &mut UserTransaction, batch: Batch) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM imports.verdict WHERE import_id = $1 AND generation = $2",
        batch.import_id,
        batch.generation,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Forgets the ids that the ledger has with another sign or currency: banks that number their rows
/// anew in each file would overwrite a toll with a salary. One such id also discredits those that
/// differ in the amount alone. What the file says counts, not what a person made of it here or
/// there: with an equal fingerprint it is the same row. Returns how many were wrong.
async fn drop_conflicting_ids(
    transaction: &mut UserTransaction,
    batch: Batch,
) -> Result<i64, Error> {
    let conflicts = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!"
        FROM imports.staged s
        JOIN ledger.transaction t
          ON t.account_id = s.account_id AND t.source = ANY($3) AND t.external_id = s.external_id
        WHERE s.import_id = $1 AND s.generation = $2
          AND t.fingerprint IS DISTINCT FROM s.fingerprint
          AND (t.currency_code <> s.currency_code
               OR sign(t.amount_minor) <> sign(coalesce(s.source_amount_minor, s.amount_minor)))
        "#,
        batch.import_id,
        batch.generation,
        &sources_of_ids(),
    )
    .fetch_one(&mut **transaction)
    .await?;
    if conflicts == 0 {
        return Ok(0);
    }
    sqlx::query!(
        r#"
        UPDATE imports.staged s SET external_id = NULL
        WHERE s.import_id = $1 AND s.generation = $2 AND EXISTS (
            SELECT FROM ledger.transaction t
            WHERE t.account_id = s.account_id AND t.source = ANY($3)
              AND t.external_id = s.external_id
              AND t.fingerprint IS DISTINCT FROM s.fingerprint
              AND (t.currency_code <> s.currency_code
                   OR t.amount_minor <> coalesce(s.source_amount_minor, s.amount_minor))
        )
        "#,
        batch.import_id,
        batch.generation,
        &sources_of_ids(),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(conflicts)
}

/// Sweep 1: the bank's own id says it is the same booking, of all rows or of those with some
/// fingerprints. Returns how many amounts agreed too.
async fn claim_by_id(
    transaction: &mut UserTransaction,
    batch: Batch,
    fingerprints: Option<&[Vec<u8>]>,
) -> Result<i64, Error> {
    let proven = sqlx::query_scalar!(
        r#"
        WITH claimed AS (
            INSERT INTO imports.verdict (
                user_id, import_id, generation, row_number, verdict, transaction_id, occurrence,
                by_id
            )
            SELECT s.user_id, s.import_id, s.generation, s.row_number,
                   CASE WHEN t.amount_minor = coalesce(s.source_amount_minor, s.amount_minor)
                             OR t.fingerprint = s.fingerprint
                        THEN 'duplicate' ELSE 'changed' END,
                   t.transaction_id, coalesce(t.occurrence, 1), true
            FROM imports.staged s
            JOIN ledger.transaction t
              ON t.account_id = s.account_id AND t.source = ANY($3)
             AND t.external_id = s.external_id
            WHERE s.import_id = $1 AND s.generation = $2
              AND ($4::bytea[] IS NULL OR s.fingerprint = ANY($4))
            RETURNING verdict
        )
        SELECT count(*) FILTER (WHERE verdict = 'duplicate') AS "count!" FROM claimed
        "#,
        batch.import_id,
        batch.generation,
        &sources_of_ids(),
        fingerprints,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(proven)
}

/// Sweep 2: equal content. The n-th unclaimed row of the file with a fingerprint pairs with the
/// n-th unclaimed row of the ledger, or tombstone, that has it; what is left over is new and takes
/// the next free occurrences. A fingerprint is of one account, which is hashed into it.
///
/// A tombstone whose row was brought back claims nothing: the row that brought it back stands for
/// it, or that row's own tombstone. Its occurrence is theirs and stays taken.
///
/// A file of a million rows is sorted by its fingerprints once, and each row looks up the ledger's
/// with its fingerprint and, as its occurrence, its own rank: mostly they are a pair as they are,
/// and a row without one is new. A fingerprint is `contested` where that would be wrong: a ledger's
/// row is not free, a tombstone has it, or one row finds none although the ledger has a later
/// occurrence. Only of these the ledger's side is ranked as well; the number of the first row
/// stands for a fingerprint there. Verdicts are written in the order of the rows, as their index is
/// sorted: in that of fingerprints each would touch another page.
///
/// That nothing was `found` is an inequality where a test for null would do: of the former the
/// planner expects a third of the rows, which is wrong by a little, and of the latter one in two
/// hundred.
#[expect(
    clippy::too_many_lines,
    reason = "it is one statement, and its parts name each other"
)]
async fn claim_by_fingerprint(
    transaction: &mut UserTransaction,
    batch: Batch,
    ids_are_stable: bool,
    fingerprints: Option<&[Vec<u8>]>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        WITH file AS (
            SELECT s.row_number, s.account_id, s.fingerprint,
                   first_value(s.row_number) OVER equal AS first,
                   (row_number() OVER equal)::integer AS rank
            FROM imports.staged s
            LEFT JOIN (
                SELECT row_number FROM imports.verdict WHERE import_id = $1 AND generation = $2
            ) claimed USING (row_number)
            WHERE s.import_id = $1 AND s.generation = $2 AND claimed.row_number IS NULL
              AND ($4::bytea[] IS NULL OR s.fingerprint = ANY($4))
            WINDOW equal AS (PARTITION BY s.fingerprint ORDER BY s.row_number)
        ),
        looked_up AS MATERIALIZED (
            SELECT f.row_number, f.first, f.rank, t.transaction_id,
                   coalesce(t.occurrence, 0) AS found,
                   CASE WHEN t.transaction_id IS NULL THEN f.account_id END AS account_id,
                   CASE WHEN t.transaction_id IS NULL THEN f.fingerprint END AS fingerprint,
                   ($3 AND t.external_id IS NOT NULL) OR EXISTS (
                       SELECT FROM imports.verdict v
                       WHERE v.import_id = $1 AND v.generation = $2 AND v.by_id
                         AND v.transaction_id = t.transaction_id
                   ) OR f.rank < 2 AND EXISTS (
                       SELECT FROM ledger.tombstone b
                       WHERE b.account_id = f.account_id AND b.fingerprint = f.fingerprint
                         AND b.kind = 'transaction' AND b.cause = 'user'
                   ) AS contested
            FROM file f
            LEFT JOIN ledger.transaction t
              ON t.account_id = f.account_id AND t.fingerprint = f.fingerprint
             AND t.occurrence = f.rank
        ),
        contested AS MATERIALIZED (
            SELECT first FROM looked_up WHERE contested
            UNION
            SELECT l.first FROM looked_up l
            JOIN ledger.transaction t
              ON t.account_id = l.account_id AND t.fingerprint = l.fingerprint
             AND t.occurrence > l.rank
            WHERE l.found < 1 AND t.occurrence > 1
        ),
        ranked AS MATERIALIZED (
            SELECT row_number, first, rank FROM looked_up
            WHERE first IN (SELECT first FROM contested)
        ),
        content AS MATERIALIZED (
            SELECT c.first, s.account_id, s.fingerprint
            FROM contested c JOIN imports.staged s ON s.row_number = c.first
            WHERE s.import_id = $1 AND s.generation = $2
        ),
        rivals AS MATERIALIZED (
            SELECT c.first, t.occurrence, t.transaction_id AS subject_id, 'duplicate' AS verdict,
                   NOT ($3 AND t.external_id IS NOT NULL) AND NOT EXISTS (
                       SELECT FROM imports.verdict v
                       WHERE v.import_id = $1 AND v.generation = $2 AND v.by_id
                         AND v.transaction_id = t.transaction_id
                   ) AS free
            FROM content c
            JOIN ledger.transaction t
              ON t.account_id = c.account_id AND t.fingerprint = c.fingerprint
            UNION ALL
            SELECT c.first, b.occurrence, b.subject_id, 'deleted_before', b.restored_by IS NULL
            FROM content c
            JOIN ledger.tombstone b
              ON b.account_id = c.account_id AND b.fingerprint = c.fingerprint
            WHERE b.kind = 'transaction' AND b.cause = 'user'
        ),
        available AS (
            SELECT first, occurrence, subject_id, verdict,
                   row_number() OVER (PARTITION BY first ORDER BY occurrence) AS rank
            FROM rivals WHERE free
        ),
        counted AS (
            SELECT first, max(occurrence) - count(*) FILTER (WHERE free) AS taken
            FROM rivals GROUP BY first
        ),
        paired AS (
            SELECT row_number, CASE WHEN found < 1 THEN 'new' ELSE 'duplicate' END AS verdict,
                   transaction_id AS subject_id, rank AS occurrence
            FROM looked_up l WHERE NOT EXISTS (
                SELECT FROM contested c WHERE c.first = l.first
            )
            UNION ALL
            SELECT r.row_number, coalesce(a.verdict, 'new'), a.subject_id,
                   coalesce(a.occurrence, r.rank + coalesce(c.taken, 0))::integer
            FROM ranked r
            LEFT JOIN available a USING (first, rank)
            LEFT JOIN counted c USING (first)
        )
        INSERT INTO imports.verdict
            (user_id, import_id, generation, row_number, verdict, transaction_id, occurrence)
        SELECT $5, $1, $2, row_number, verdict, subject_id, occurrence
        FROM paired WHERE subject_id IS NOT NULL OR occurrence > 1
        ORDER BY row_number
        "#,
        batch.import_id,
        batch.generation,
        ids_are_stable,
        fingerprints,
        user,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// A number that differs whenever the verdicts differ, to tell whether a second matching of a batch
/// came to the same result. Independent of the order of rows, in constant memory.
///
/// # Errors
/// As the database answers.
pub async fn digest(transaction: &mut UserTransaction, batch: Batch) -> Result<String, Error> {
    let digest = sqlx::query_scalar!(
        r#"
        SELECT coalesce(sum(hashtextextended(
            concat_ws(':', row_number, verdict, transaction_id), 0
        )::numeric), 0)::text AS "digest!"
        FROM imports.verdict
        WHERE import_id = $1 AND generation = $2
          AND NOT (verdict = 'new' AND transaction_id IS NULL)
        "#,
        batch.import_id,
        batch.generation,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(digest)
}
