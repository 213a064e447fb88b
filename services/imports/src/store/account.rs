//! The accounts that an import's rows go into: what the file calls each, and what a review shows of
//! it.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{Error, store::staging::Target};

/// What Postgres answers when a number passes its type: `numeric_value_out_of_range`.
const OUT_OF_RANGE: &str = "22003";

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

/// Counts the rows of each account and sums what is included, as the review has them now.
///
/// # Errors
/// As the database answers; [`Error::SumTooLarge`] when a sum passes 64 bits.
pub async fn count(transaction: &mut UserTransaction, target: Target) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH counted AS MATERIALIZED (
            SELECT s.account_id, count(*) AS row_count,
                   count(*) FILTER (WHERE coalesce(v.verdict, 'new') = 'new') AS new_count,
                   count(*) FILTER (
                       WHERE imports.row_action(s.action, v.verdict, v.linkable) = 'add'
                   ) AS included_count,
                   coalesce(sum(s.amount_minor) FILTER (
                       WHERE imports.row_action(s.action, v.verdict, v.linkable) = 'add'
                   ), 0)::bigint AS included_minor
            FROM imports.staged s
            LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
            WHERE s.import_id = $1 AND s.generation = $2
            GROUP BY s.account_id
        )
        UPDATE imports.import_account a
        SET row_count = coalesce(f.row_count, 0), new_count = coalesce(f.new_count, 0),
            included_count = coalesce(f.included_count, 0),
            included_minor = coalesce(f.included_minor, 0)
        FROM imports.import_account h LEFT JOIN counted f USING (account_id)
        WHERE h.import_id = $1 AND h.generation = $2
          AND a.import_id = $1 AND a.generation = $2 AND a.account_id = h.account_id
        "#,
        target.import_id,
        target.generation,
    )
    .execute(&mut **transaction)
    .await
    .map_err(|error| match error.as_database_error() {
        Some(found) if found.code().as_deref() == Some(OUT_OF_RANGE) => Error::SumTooLarge,
        _ => error.into(),
    })?;
    Ok(())
}
