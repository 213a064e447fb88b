//! Transactions as people read them, and those they enter. How a statement's get in is the business
//! of [`crate::intake`]; what is done to one later that of [`crate::edit`].

mod field;
mod list;

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

pub(crate) use self::field::text;
pub use self::{
    field::Field,
    list::{Filter, Listed, Page, Position, list},
};
use crate::{
    Change, Error,
    money::{Currency, Money},
};

/// Where a transaction came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A statement file.
    Import,
    /// A bank connection.
    Bank,
    /// A person.
    User,
}

impl Source {
    /// The source as the column `source` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Bank => "bank",
            Self::User => "user",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Import, Self::Bank, Self::User];
        all.into_iter().find(|source| source.as_str() == text)
    }
}

/// A booking in an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Its id, UUIDv7.
    pub transaction_id: Uuid,
    /// Its account.
    pub account_id: Uuid,
    /// The civil date of booking.
    pub booked_on: NaiveDate,
    /// The civil date of value, if the source tells it.
    pub value_on: Option<NaiveDate>,
    /// The amount; outflow is negative.
    pub amount: Money,
    /// What the booking says.
    pub description: String,
    /// The other party, or empty.
    pub counterparty: String,
    /// What the user notes about it, or empty.
    pub note: String,
    /// Where it came from.
    pub source: Source,
    /// The source's own id of it, if it has one.
    pub external_id: Option<String>,
    /// The import that added it, if one did.
    pub import_id: Option<Uuid>,
    /// When it was checked against a statement, if it was: its date and amount stay as they are.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// The fields that nothing but a person changes, in the order of their names.
    pub locked: Vec<Field>,
    /// The change that last wrote it: the etag of whoever edits it.
    pub change_id: Uuid,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last edited, if ever.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A transaction that a person enters. It has no fingerprint until a statement is linked with it:
/// what statements say is compared with statements first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTransaction {
    /// Its id, UUIDv7.
    pub transaction_id: Uuid,
    /// Its account.
    pub account_id: Uuid,
    /// The civil date of booking.
    pub booked_on: NaiveDate,
    /// The civil date of value, if it is known.
    pub value_on: Option<NaiveDate>,
    /// The amount, in the account's currency; outflow is negative.
    pub amount: Money,
    /// What the booking says.
    pub description: String,
    /// The other party, or empty.
    pub counterparty: String,
    /// What the user notes about it, or empty.
    pub note: String,
    /// When it is entered.
    pub created_at: DateTime<Utc>,
}

/// Adds a transaction that a person entered, which carries the change. Call it with the account's
/// row locked, by [`crate::account::get_for_update`]: an account may be closed.
///
/// # Errors
/// As the database answers.
pub async fn create(
    transaction: &mut UserTransaction,
    change: &Change,
    new: &NewTransaction,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, booked_on, \
         value_on, amount_minor, currency_code, description, counterparty, note, source, \
         change_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        user,
        new.transaction_id,
        new.account_id,
        new.booked_on,
        new.value_on,
        new.amount.minor_units,
        new.amount.currency.code(),
        new.description,
        new.counterparty,
        new.note,
        Source::User.as_str(),
        change.id(),
        new.created_at,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The transaction, if the user has it.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Option<Transaction>, Error> {
    let user = transaction.user_id().uuid();
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT transaction_id, account_id, booked_on, value_on, amount_minor, currency_code,
               description, counterparty, note, source, external_id, import_id, reconciled_at,
               ARRAY(
                   SELECT l.field FROM ledger.field_lock l
                   WHERE l.user_id = $1 AND l.transaction_id = $2 ORDER BY l.field
               ) AS "locked!", change_id, created_at, updated_at
        FROM ledger.transaction WHERE user_id = $1 AND transaction_id = $2
        "#,
        user,
        transaction_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Transaction::try_from).transpose()
}

/// The transaction as [`get`], with its row locked until the database transaction ends. Lock the
/// account's row first, in a statement of its own: whoever edits holds it, so that the locks of
/// fields that are read here are those of the row.
///
/// # Errors
/// As the database answers.
pub(crate) async fn get_for_update(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Option<Transaction>, Error> {
    let user = transaction.user_id().uuid();
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT transaction_id, account_id, booked_on, value_on, amount_minor, currency_code,
               description, counterparty, note, source, external_id, import_id, reconciled_at,
               ARRAY(
                   SELECT l.field FROM ledger.field_lock l
                   WHERE l.user_id = $1 AND l.transaction_id = $2 ORDER BY l.field
               ) AS "locked!", change_id, created_at, updated_at
        FROM ledger.transaction WHERE user_id = $1 AND transaction_id = $2 FOR UPDATE
        "#,
        user,
        transaction_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Transaction::try_from).transpose()
}

struct Row {
    transaction_id: Uuid,
    account_id: Uuid,
    booked_on: NaiveDate,
    value_on: Option<NaiveDate>,
    amount_minor: i64,
    currency_code: String,
    description: String,
    counterparty: String,
    note: String,
    source: String,
    external_id: Option<String>,
    import_id: Option<Uuid>,
    reconciled_at: Option<DateTime<Utc>>,
    locked: Vec<String>,
    change_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Transaction {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let undecodable = |column| Error::Undecodable {
            table: "transaction",
            column,
            id: row.transaction_id,
        };
        let currency =
            Currency::parse(&row.currency_code).map_err(|_| undecodable("currency_code"))?;
        let locked = row.locked.iter().map(|name| Field::parse(name));
        let locked: Option<Vec<Field>> = locked.collect();
        Ok(Self {
            transaction_id: row.transaction_id,
            account_id: row.account_id,
            booked_on: row.booked_on,
            value_on: row.value_on,
            amount: Money {
                currency,
                minor_units: row.amount_minor,
            },
            source: Source::parse(&row.source).ok_or_else(|| undecodable("source"))?,
            locked: locked.ok_or(Error::Undecodable {
                table: "field_lock",
                column: "field",
                id: row.transaction_id,
            })?,
            description: row.description,
            counterparty: row.counterparty,
            note: row.note,
            external_id: row.external_id,
            import_id: row.import_id,
            reconciled_at: row.reconciled_at,
            change_id: row.change_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
