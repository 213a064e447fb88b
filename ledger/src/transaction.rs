//! Transactions as people read them. How they get in is the business of [`crate::intake`].

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::{
    Error,
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

    fn parse(text: &str) -> Option<Self> {
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
    /// Where it came from.
    pub source: Source,
    /// The source's own id of it, if it has one.
    pub external_id: Option<String>,
    /// The import that added it, if one did.
    pub import_id: Option<Uuid>,
    /// The change that last wrote it.
    pub change_id: Uuid,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// Which transactions to list. What is `None` does not filter.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Only those of this account.
    pub account_id: Option<Uuid>,
    /// Only those added by this import.
    pub import_id: Option<Uuid>,
    /// Only those booked on this day or later.
    pub booked_from: Option<NaiveDate>,
    /// Only those booked on this day or earlier.
    pub booked_to: Option<NaiveDate>,
    /// Only those whose description or counterparty holds this text, in any case. It is taken
    /// literally: `%` and `_` stand for themselves.
    pub text: Option<String>,
}

/// Where a transaction stands in the list: newest booking first, equal ones by descending id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Its date of booking.
    pub booked_on: NaiveDate,
    /// Its id.
    pub transaction_id: Uuid,
}

/// How much of a list to read at once.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only those behind this one.
    pub after: Option<Position>,
    /// How many at most.
    pub rows_max: usize,
    /// How many bytes of text at most; one row always fits. A statement's cell may hold 64 KiB, so
    /// that a thousand rows would fill the memory of a small process.
    pub bytes_max: usize,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The transactions, newest booking first.
    pub transactions: Vec<Transaction>,
    /// Where to go on, if there are more.
    pub next: Option<Position>,
}

impl Transaction {
    /// Where it stands in a list.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            booked_on: self.booked_on,
            transaction_id: self.transaction_id,
        }
    }

    fn text_bytes(&self) -> usize {
        let external_id = self.external_id.as_ref().map_or(0, String::len);
        self.description.len() + self.counterparty.len() + external_id
    }
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
        "SELECT transaction_id, account_id, booked_on, value_on, amount_minor, currency_code, \
         description, counterparty, source, external_id, import_id, change_id, created_at \
         FROM ledger.transaction WHERE user_id = $1 AND transaction_id = $2",
        user,
        transaction_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Transaction::try_from).transpose()
}

/// The transactions that pass the filter, newest booking first. A text is looked for in every row
/// that the other filters leave.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut UserTransaction,
    filter: &Filter,
    page: &Page,
) -> Result<Listed, Error> {
    // A filter that is not set is `NULL IS NULL`, which only a plan for these very values can drop:
    // a plan for all values would read every row of the user.
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(&mut **transaction)
        .await?;
    let user = transaction.user_id().uuid();
    let (after_on, after_id) = page
        .after
        .map(|position| (position.booked_on, position.transaction_id))
        .unzip();
    // One more than asked for tells whether there are more.
    let limit = i64::try_from(page.rows_max.saturating_add(1)).unwrap_or(i64::MAX);
    // The index of bookings is per account, so each account gives its newest and the newest of
    // those are taken: a page costs pages, not the whole ledger.
    let mut rows = sqlx::query_as!(
        Row,
        r#"
        SELECT t.transaction_id AS "transaction_id!", t.account_id AS "account_id!",
               t.booked_on AS "booked_on!", t.value_on AS "value_on?",
               t.amount_minor AS "amount_minor!", t.currency_code AS "currency_code!",
               t.description AS "description!", t.counterparty AS "counterparty!",
               t.source AS "source!", t.external_id AS "external_id?",
               t.import_id AS "import_id?", t.change_id AS "change_id!",
               t.created_at AS "created_at!"
        FROM ledger.account a
        CROSS JOIN LATERAL (
            SELECT * FROM ledger.transaction b
            WHERE b.user_id = $1 AND b.account_id = a.account_id
              AND ($3::uuid IS NULL OR b.import_id = $3)
              AND ($4::date IS NULL OR b.booked_on >= $4)
              AND ($5::date IS NULL OR b.booked_on <= $5)
              AND ($6::text IS NULL OR b.description ILIKE $6 OR b.counterparty ILIKE $6)
              AND ($7::date IS NULL OR (b.booked_on, b.transaction_id) < ($7, $8::uuid))
            ORDER BY b.booked_on DESC, b.transaction_id DESC
            LIMIT $9
        ) t
        WHERE a.user_id = $1 AND ($2::uuid IS NULL OR a.account_id = $2)
        ORDER BY t.booked_on DESC, t.transaction_id DESC
        LIMIT $9
        "#,
        user,
        filter.account_id,
        filter.import_id,
        filter.booked_from,
        filter.booked_to,
        filter.text.as_deref().map(containing),
        after_on,
        after_id,
        limit,
    )
    .fetch(&mut **transaction);

    let mut listed = Listed {
        transactions: Vec::new(),
        next: None,
    };
    let mut bytes = 0_usize;
    while let Some(row) = rows.try_next().await? {
        let row = Transaction::try_from(row)?;
        bytes = bytes.saturating_add(row.text_bytes());
        let full = listed.transactions.len() >= page.rows_max || bytes > page.bytes_max;
        if let Some(last) = listed.transactions.last().filter(|_| full) {
            listed.next = Some(last.position());
            break;
        }
        listed.transactions.push(row);
    }
    Ok(listed)
}

/// The pattern of LIKE that any text holding this one matches.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
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
    source: String,
    external_id: Option<String>,
    import_id: Option<Uuid>,
    change_id: Uuid,
    created_at: DateTime<Utc>,
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
            description: row.description,
            counterparty: row.counterparty,
            external_id: row.external_id,
            import_id: row.import_id,
            change_id: row.change_id,
            created_at: row.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_literally() {
        for (text, pattern) in [
            ("rewe", "%rewe%"),
            ("100 %", "%100 \\%%"),
            ("a_b", "%a\\_b%"),
            ("c:\\", "%c:\\\\%"),
            ("Käse", "%Käse%"),
        ] {
            assert_eq!(containing(text), pattern);
        }
    }
}
