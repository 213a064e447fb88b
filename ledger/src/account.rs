//! Accounts: what they are called, what they hold, and who may write to them now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::{self, UserTransaction};
use uuid::Uuid;

use crate::{
    Change, Error, Version,
    money::{Currency, Money},
    zone::Zone,
};

/// The index by which no two open accounts of a user have one number.
const NUMBER_INDEX: &str = "account_number";

/// What kind of account it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A current account.
    Checking,
    /// A savings account.
    Savings,
    /// A credit card: purchases are negative, payments positive.
    CreditCard,
    /// Cash.
    Cash,
    /// A loan.
    Loan,
    /// Investments.
    Investment,
    /// Anything else.
    Other,
}

impl Kind {
    /// The kind as the column `kind` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Savings => "savings",
            Self::CreditCard => "credit_card",
            Self::Cash => "cash",
            Self::Loan => "loan",
            Self::Investment => "investment",
            Self::Other => "other",
        }
    }

    /// The kind that a word of the column `kind` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Checking,
            Self::Savings,
            Self::CreditCard,
            Self::Cash,
            Self::Loan,
            Self::Investment,
            Self::Other,
        ];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id, UUIDv7.
    pub account_id: Uuid,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The number that its bank knows it by, as [`crate::number`] keeps it; empty if not told.
    pub number: String,
    /// The time zone of its holder, in which time stamps of statements become days.
    pub time_zone: Zone,
    /// The balance before its first transaction, in the currency of all its amounts.
    pub opening: Money,
    /// When it was closed. A closed account takes no transactions.
    pub closed_at: Option<DateTime<Utc>>,
    /// The user's version at which a transaction of this account last changed; 0 before the first.
    pub version: Version,
    /// The change that last wrote its own fields: the etag of whoever edits it.
    pub change_id: Uuid,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its own fields last changed.
    pub updated_at: DateTime<Utc>,
}

/// An account that does not exist yet.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its id, UUIDv7.
    pub account_id: Uuid,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The number that its bank knows it by, as [`crate::number`] keeps it; empty if not told.
    pub number: String,
    /// The time zone of its holder, in which time stamps of statements become days.
    pub time_zone: Zone,
    /// The balance before its first transaction, in the currency of all its amounts.
    pub opening: Money,
    /// When it is created.
    pub created_at: DateTime<Utc>,
}

/// New values for some of an account's fields; `None` keeps what is there. The currency is not
/// among them: it is that of amounts long written.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Its name, 1 to 100 characters.
    pub name: Option<String>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// The number that its bank knows it by; empty to forget it.
    pub number: Option<String>,
    /// The time zone of its holder; none to forget it.
    pub time_zone: Option<Zone>,
    /// The balance before its first transaction, in minor units of the account's currency.
    pub opening_minor: Option<i64>,
}

/// Which accounts to list, and where to go on.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Only closed ones (`true`) or only open ones (`false`), if set.
    pub closed: Option<bool>,
    /// Only those behind this one.
    pub after: Option<Uuid>,
    /// How many at most.
    pub limit: i64,
}

/// Adds an account, which carries the change.
///
/// # Errors
/// [`Error::NumberTaken`], or as the database answers.
pub async fn create(
    transaction: &mut UserTransaction,
    change: &Change,
    account: &NewAccount,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        "INSERT INTO ledger.account (user_id, account_id, name, kind, currency_code, \
         opening_minor, change_id, created_at, updated_at, number, time_zone) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)",
        user,
        account.account_id,
        account.name,
        account.kind.as_str(),
        account.opening.currency.code(),
        account.opening.minor_units,
        change.id(),
        account.created_at,
        account.number,
        account.time_zone.name(),
    )
    .execute(&mut **transaction)
    .await
    .map_err(taken)?;
    Ok(())
}

/// The account, if the user has it.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Option<Account>, Error> {
    let user = transaction.user_id().uuid();
    let row = sqlx::query_as!(
        Row,
        "SELECT account_id, name, kind, number, time_zone, currency_code, opening_minor, \
         closed_at, version, change_id, created_at, updated_at \
         FROM ledger.account WHERE user_id = $1 AND account_id = $2",
        user,
        account_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The account as [`get`], with its row locked against other edits until the transaction ends, so
/// that what was compared is what is changed.
///
/// # Errors
/// As the database answers.
pub async fn get_for_update(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Option<Account>, Error> {
    let user = transaction.user_id().uuid();
    let row = sqlx::query_as!(
        Row,
        "SELECT account_id, name, kind, number, time_zone, currency_code, opening_minor, \
         closed_at, version, change_id, created_at, updated_at \
         FROM ledger.account WHERE user_id = $1 AND account_id = $2 FOR NO KEY UPDATE",
        user,
        account_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The user's accounts in the order of their ids, which is that of their creation.
///
/// # Errors
/// As the database answers.
pub async fn list(transaction: &mut UserTransaction, query: &Query) -> Result<Vec<Account>, Error> {
    let user = transaction.user_id().uuid();
    let rows = sqlx::query_as!(
        Row,
        "SELECT account_id, name, kind, number, time_zone, currency_code, opening_minor, \
         closed_at, version, change_id, created_at, updated_at \
         FROM ledger.account \
         WHERE user_id = $1 AND account_id > $2 \
           AND ($3::boolean IS NULL OR (closed_at IS NOT NULL) = $3) \
         ORDER BY account_id LIMIT $4",
        user,
        query.after.unwrap_or(Uuid::nil()),
        query.closed,
        query.limit,
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Writes the fields of the edit, the change and the time. Read the account by [`get_for_update`]
/// first: this compares nothing.
///
/// # Errors
/// [`Error::NumberTaken`], or as the database answers.
pub async fn update(
    transaction: &mut UserTransaction,
    change: &Change,
    account_id: Uuid,
    edit: &Edit,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        "UPDATE ledger.account SET name = coalesce($3, name), kind = coalesce($4, kind), \
         opening_minor = coalesce($5, opening_minor), change_id = $6, updated_at = $7, \
         number = coalesce($8, number), time_zone = coalesce($9, time_zone) \
         WHERE user_id = $1 AND account_id = $2",
        user,
        account_id,
        edit.name.as_deref(),
        edit.kind.map(Kind::as_str),
        edit.opening_minor,
        change.id(),
        now,
        edit.number.as_deref(),
        edit.time_zone.map(Zone::name),
    )
    .execute(&mut **transaction)
    .await
    .map_err(taken)?;
    Ok(())
}

/// The number of another open account of the user.
fn taken(error: sqlx::Error) -> Error {
    match postgres::Error::from(error) {
        postgres::Error::Constraint { name, .. } if name == NUMBER_INDEX => Error::NumberTaken,
        error => error.into(),
    }
}

/// Closes an open account; a closed one stays as it is. Call it under [`lock`]: whoever adds
/// transactions has made sure under the same lock that the account is open.
///
/// # Errors
/// As the database answers.
pub async fn close(
    transaction: &mut UserTransaction,
    change: &Change,
    account_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        "UPDATE ledger.account SET closed_at = $4, change_id = $3, updated_at = $4 \
         WHERE user_id = $1 AND account_id = $2 AND closed_at IS NULL",
        user,
        account_id,
        change.id(),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Waits until nobody else adds or removes transactions of these accounts, and keeps others out
/// until the transaction ends. Whoever writes fingerprints, or closes an account, takes it before
/// anything else is locked.
///
/// The locks are taken in the order of the ids, however the slice is sorted, so that two callers
/// cannot wait for each other.
///
/// # Errors
/// As the database answers.
pub async fn lock(transaction: &mut UserTransaction, accounts: &[Uuid]) -> Result<(), Error> {
    let user = transaction.user_id();
    let mut accounts = accounts.to_vec();
    accounts.sort_unstable();
    accounts.dedup();
    for account in accounts {
        // Advisory locks know no user, so the key must.
        let key = format!("ledger.account:{user}:{account}");
        // One statement each: the order in which one would call the function is the planner's.
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// The opening balance plus all transactions, in minor units; `None` if the user has no such
/// account. It reads every transaction of the account.
///
/// # Errors
/// [`Error::BalanceOutOfRange`] when the sum does not fit 64 bits.
pub async fn balance(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Option<i64>, Error> {
    let balances = balances(transaction, &[account_id]).await?;
    Ok(balances.get(&account_id).copied())
}

/// The balances of several accounts as [`balance`], without those the user does not have.
///
/// # Errors
/// [`Error::BalanceOutOfRange`] for the first one that does not fit 64 bits.
pub async fn balances(
    transaction: &mut UserTransaction,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, i64>, Error> {
    let sums = sums(transaction, accounts).await?;
    sums.into_iter()
        .map(|(account_id, sum)| match i64::try_from(sum) {
            Ok(minor) => Ok((account_id, minor)),
            Err(_) => Err(Error::BalanceOutOfRange { account_id }),
        })
        .collect()
}

/// Refuses what was just written if the balance does not fit 64 bits any more. `delta_minor` is
/// what that added to the sum. A balance that was out of range before, as bookings of a file can
/// make it, may come nearer: otherwise nobody could repair it.
///
/// # Errors
/// [`Error::BalanceOutOfRange`].
pub async fn check_balance(
    transaction: &mut UserTransaction,
    account_id: Uuid,
    delta_minor: i128,
) -> Result<(), Error> {
    if delta_minor == 0 {
        return Ok(());
    }
    for (account_id, after) in sums(transaction, &[account_id]).await? {
        let before = after.saturating_sub(delta_minor);
        let nearer = after.unsigned_abs() < before.unsigned_abs();
        if i64::try_from(after).is_err() && !nearer {
            return Err(Error::BalanceOutOfRange { account_id });
        }
    }
    Ok(())
}

/// Opening balances plus all transactions, whatever their size, in the order of the ids.
async fn sums(
    transaction: &mut UserTransaction,
    accounts: &[Uuid],
) -> Result<Vec<(Uuid, i128)>, Error> {
    let user = transaction.user_id().uuid();
    // A sum of bigint is numeric, which cannot overflow; as text it comes over without a crate for
    // numbers of any length.
    let rows = sqlx::query!(
        r#"
        SELECT a.account_id, (a.opening_minor + coalesce((
            SELECT sum(t.amount_minor) FROM ledger.transaction t
            WHERE t.user_id = a.user_id AND t.account_id = a.account_id
        ), 0))::text AS "balance!"
        FROM ledger.account a
        WHERE a.user_id = $1 AND a.account_id = ANY($2)
        ORDER BY a.account_id
        "#,
        user,
        accounts,
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter()
        .map(|row| match row.balance.parse() {
            Ok(sum) => Ok((row.account_id, sum)),
            // It takes 2^64 bookings to get here.
            Err(_) => Err(Error::BalanceOutOfRange {
                account_id: row.account_id,
            }),
        })
        .collect()
}

/// The user's version at which a transaction of the account last changed; `None` if the user has no
/// such account. Compare it before acting on what was computed from the account's transactions.
///
/// # Errors
/// As the database answers.
pub async fn version(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Option<Version>, Error> {
    let user = transaction.user_id().uuid();
    let version = sqlx::query_scalar!(
        "SELECT version FROM ledger.account WHERE user_id = $1 AND account_id = $2",
        user,
        account_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(version)
}

struct Row {
    account_id: Uuid,
    name: String,
    kind: String,
    number: String,
    time_zone: String,
    currency_code: String,
    opening_minor: i64,
    closed_at: Option<DateTime<Utc>>,
    version: i64,
    change_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Account {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let undecodable = |column| Error::Undecodable {
            table: "account",
            column,
            id: row.account_id,
        };
        let currency =
            Currency::parse(&row.currency_code).map_err(|_| undecodable("currency_code"))?;
        Ok(Self {
            account_id: row.account_id,
            kind: Kind::parse(&row.kind).ok_or_else(|| undecodable("kind"))?,
            opening: Money {
                currency,
                minor_units: row.opening_minor,
            },
            name: row.name,
            number: row.number,
            time_zone: Zone::parse(&row.time_zone).map_err(|_| undecodable("time_zone"))?,
            closed_at: row.closed_at,
            version: row.version,
            change_id: row.change_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
