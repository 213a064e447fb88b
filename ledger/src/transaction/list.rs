//! Lists of transactions: filters, order and pages.

use chrono::NaiveDate;
use djinn_chassis::postgres::UserTransaction;
use futures::TryStreamExt;
use uuid::Uuid;

use super::{Row, Transaction};
use crate::Error;

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
        self.description.len() + self.counterparty.len() + self.note.len() + external_id
    }
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
               t.note AS "note!", t.source AS "source!", t.external_id AS "external_id?",
               t.import_id AS "import_id?", t.reconciled_at AS "reconciled_at?",
               ARRAY(
                   SELECT l.field FROM ledger.field_lock l
                   WHERE l.user_id = $1 AND l.transaction_id = t.transaction_id ORDER BY l.field
               ) AS "locked!", t.change_id AS "change_id!", t.created_at AS "created_at!",
               t.updated_at AS "updated_at?"
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
