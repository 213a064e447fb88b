//! The accounts that an import's rows go into: what the file calls each, and what a review shows of
//! it.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{Error, domain::review::Counts, store::staging::Target};

/// One of an import's accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The account.
    pub account_id: Uuid,
    /// What the file calls it, as names are compared; none where only rows come that name none.
    pub names: Vec<String>,
    /// Rows that go into it, whatever becomes of them.
    pub row_count: i64,
    /// Those that the ledger does not have.
    pub new_count: i64,
    /// Those that a commit adds.
    pub included_count: i64,
    /// Their sum in minor units of the account's currency.
    pub included_minor: i64,
    /// The account's balance without them.
    pub balance_before_minor: i64,
    /// The account's version when they were matched.
    pub account_version: i64,
}

impl Share {
    /// One that nothing has been counted of yet.
    #[must_use]
    pub fn new(account_id: Uuid, names: Vec<String>) -> Self {
        Self {
            account_id,
            names,
            row_count: 0,
            new_count: 0,
            included_count: 0,
            included_minor: 0,
            balance_before_minor: 0,
            account_version: 0,
        }
    }
}

/// Notes which accounts the rows of one recognition go into, before the first is staged.
///
/// # Errors
/// As the database answers.
pub async fn begin(
    transaction: &mut UserTransaction,
    target: Target,
    shares: &[Share],
) -> Result<(), Error> {
    let user_id = transaction.user_id().uuid();
    for share in shares {
        sqlx::query!(
            r#"
            INSERT INTO imports.import_account
                (user_id, import_id, generation, account_id, names)
            VALUES ($1, $2, $3, $4, $5)
            "#,
            user_id,
            target.import_id,
            target.generation,
            share.account_id,
            &share.names,
        )
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// The accounts of one recognition in the order of their ids. None before it has ended, and of
/// imports of an earlier release, which had one account each.
///
/// # Errors
/// As the database answers.
pub async fn list(transaction: &mut UserTransaction, target: Target) -> Result<Vec<Share>, Error> {
    let shares = sqlx::query_as!(
        Share,
        r#"
        SELECT account_id, names, row_count, new_count, included_count, included_minor,
               balance_before_minor, account_version
        FROM imports.import_account
        WHERE import_id = $1 AND generation = $2
        ORDER BY account_id
        "#,
        target.import_id,
        target.generation,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(shares)
}

/// Notes the ledger that the rows were matched with: for each account its version and balance.
///
/// # Errors
/// As the database answers.
pub async fn note_ledger(
    transaction: &mut UserTransaction,
    target: Target,
    accounts: &[(Uuid, i64, i64)],
) -> Result<(), Error> {
    let ids: Vec<Uuid> = accounts.iter().map(|(id, ..)| *id).collect();
    let versions: Vec<i64> = accounts.iter().map(|(_, version, _)| *version).collect();
    let balances: Vec<i64> = accounts.iter().map(|(.., balance)| *balance).collect();
    sqlx::query!(
        r#"
        UPDATE imports.import_account a
        SET account_version = n.version, balance_before_minor = n.balance
        FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) AS n (account_id, version, balance)
        WHERE a.import_id = $1 AND a.generation = $2 AND a.account_id = n.account_id
        "#,
        target.import_id,
        target.generation,
        &ids,
        &versions,
        &balances,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What a review has of the rows of one account.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The account.
    pub account_id: Uuid,
    /// Its rows, of which only `edited` is counted beside what else they are.
    pub counts: Counts,
    /// Sum of those that are included.
    pub included_minor: i64,
}

/// Counts the rows of each account, sums what is included, and notes it: one look at all rows of
/// the file, of which there may be millions: the join is on the one column that tells rows apart,
/// and of a file that comes again whole there is none to make. Rows are counted by kind before the
/// kinds are. Rows that cannot be read have no account.
///
/// The caller holds the import, for an edit or to move it: between the look at the verdicts and the
/// one at the rows nobody else changes either.
///
/// # Errors
/// As the database answers; [`Error::SumTooLarge`] when a sum passes 64 bits.
pub async fn count(
    transaction: &mut UserTransaction,
    target: Target,
) -> Result<Vec<Counted>, Error> {
    let common = common_verdict(transaction, target).await?;
    let (verdict, linkable) = common.unzip();
    let rows = sqlx::query!(
        r#"
        SELECT account_id AS "account_id!", sum(rows)::bigint AS "rows!",
               coalesce(sum(rows) FILTER (WHERE verdict = 'new'), 0)::bigint AS "new!",
               coalesce(sum(rows) FILTER (WHERE verdict = 'duplicate'), 0)::bigint
                   AS "duplicate!",
               coalesce(sum(rows) FILTER (WHERE verdict = 'deleted_before'), 0)::bigint
                   AS "deleted_before!",
               coalesce(sum(rows) FILTER (WHERE verdict = 'changed'), 0)::bigint AS "changed!",
               coalesce(sum(rows) FILTER (WHERE verdict = 'suspected'), 0)::bigint
                   AS "suspected!",
               coalesce(sum(rows) FILTER (WHERE action = 'add'), 0)::bigint AS "included!",
               coalesce(sum(rows) FILTER (WHERE action = 'link'), 0)::bigint AS "linked!",
               sum(edited)::bigint AS "edited!",
               coalesce(sum(minor) FILTER (WHERE action = 'add'), 0)::text AS "included_minor!"
        FROM (
            SELECT s.account_id, coalesce(v.verdict, $3, 'new') AS verdict,
                   imports.row_action(
                       s.action, coalesce(v.verdict, $3), coalesce(v.linkable, $4)
                   ) AS action,
                   count(*) AS rows, count(s.edited_fields) AS edited,
                   sum(s.amount_minor) AS minor
            FROM imports.staged s
            LEFT JOIN (
                SELECT row_number, verdict, linkable FROM imports.verdict
                WHERE import_id = $1 AND generation = $2 AND $3::text IS NULL
            ) v USING (row_number)
            WHERE s.import_id = $1 AND s.generation = $2
            GROUP BY 1, 2, 3
        ) kinds
        GROUP BY account_id
        "#,
        target.import_id,
        target.generation,
        verdict,
        linkable,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let mut counted = Vec::with_capacity(rows.len());
    for row in rows {
        counted.push(Counted {
            account_id: row.account_id,
            counts: Counts {
                rows: row.rows,
                new: row.new,
                duplicate: row.duplicate,
                deleted_before: row.deleted_before,
                changed: row.changed,
                invalid: 0,
                included: row.included,
                linked: row.linked,
                suspected: row.suspected,
                edited: row.edited,
            },
            // A sum of bigint is numeric, which cannot overflow.
            included_minor: row.included_minor.parse().map_err(|_| Error::SumTooLarge)?,
        });
    }
    note_counts(transaction, target, &counted).await?;
    Ok(counted)
}

/// The verdict that all rows of the file have, and whether they can be linked; none when they
/// differ or when rows have none. Each row of a file is staged or rejected.
async fn common_verdict(
    transaction: &mut UserTransaction,
    target: Target,
) -> Result<Option<(String, bool)>, Error> {
    let common = sqlx::query!(
        r#"
        SELECT verdict, linkable FROM imports.verdict
        WHERE import_id = $1 AND generation = $2
        GROUP BY verdict, linkable
        HAVING count(*) = (
            SELECT p.row_count - (
                SELECT count(*) FROM imports.rejected_row
                WHERE import_id = $1 AND generation = $2 AND NOT repaired
            )
            FROM imports.progress p WHERE p.import_id = $1 AND p.generation = $2
        )
        "#,
        target.import_id,
        target.generation,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(common.map(|row| (row.verdict, row.linkable)))
}

async fn note_counts(
    transaction: &mut UserTransaction,
    target: Target,
    counted: &[Counted],
) -> Result<(), Error> {
    let accounts: Vec<Uuid> = counted.iter().map(|it| it.account_id).collect();
    let of = |what: fn(&Counted) -> i64| counted.iter().map(what).collect::<Vec<i64>>();
    sqlx::query!(
        r#"
        UPDATE imports.import_account a
        SET row_count = coalesce(f.row_count, 0), new_count = coalesce(f.new_count, 0),
            included_count = coalesce(f.included_count, 0),
            included_minor = coalesce(f.included_minor, 0)
        FROM imports.import_account h LEFT JOIN unnest(
            $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]
        ) AS f (account_id, row_count, new_count, included_count, included_minor)
            USING (account_id)
        WHERE h.import_id = $1 AND h.generation = $2
          AND a.import_id = $1 AND a.generation = $2 AND a.account_id = h.account_id
        "#,
        target.import_id,
        target.generation,
        &accounts,
        &of(|it| it.counts.rows),
        &of(|it| it.counts.new),
        &of(|it| it.counts.included),
        &of(|it| it.included_minor),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
