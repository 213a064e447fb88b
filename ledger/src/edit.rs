//! Transactions edited, unlocked and deleted, and who may write which field (algorithms C.14).
//!
//! Everybody who changes a transaction that is there comes through here, a person as well as a
//! rule or a bank. The order of locks is the same for all: first the account's row, then the
//! transaction's, last the user's counter, by [`Change::commit`](crate::Change::commit) with the
//! account, whose version thereby tells a review that waits. An import that is undone takes the
//! account's row too, so an edit is wholly before it or wholly after. Edits write no fingerprints
//! and wait for no import: the lock of [`account::lock`] is not theirs.
//!
//! A field that a person has set is locked, even if it was set to what it was or to nothing. The
//! history has an entry for each field that got another value or a new lock, so that every lock is
//! explained. In one change a transaction is written by one author.

mod filled;
pub mod history;
mod log;
mod reviewed;
mod rule;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

pub(crate) use self::filled::{Blanks, note_emptied, note_filled};
use self::log::{Line, Log};
pub(crate) use self::reviewed::{Reviewed, note_reviewed};
pub use self::rule::{Outcome, Writer};
use crate::{
    Change, Error,
    account::{self, Account},
    transaction::{self, Field, Transaction},
};

/// A transaction that nobody else can change until the database transaction ends.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its account, with its row locked.
    pub account: Account,
    /// The transaction.
    pub transaction: Transaction,
}

/// Who edits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// What they are.
    pub writer: Writer,
    /// Which rule, model or connection it is; `None` for people.
    pub reference: Option<String>,
    /// How sure they are, in ten-thousandths; `None` for people.
    pub confidence: Option<i32>,
}

impl Author {
    /// A person.
    #[must_use]
    pub fn user() -> Self {
        Self {
            writer: Writer::User,
            reference: None,
            confidence: None,
        }
    }
}

/// New values for some of a transaction's fields; `None` keeps what is there.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The amount, in minor units of the account's currency.
    pub amount_minor: Option<i64>,
    /// The date of booking.
    pub booked_on: Option<NaiveDate>,
    /// The other party.
    pub counterparty: Option<String>,
    /// What the booking says.
    pub description: Option<String>,
    /// What the user notes about it.
    pub note: Option<String>,
    /// Whether it was checked against a statement.
    pub reconciled: Option<bool>,
    /// The date of value; the inner `None` clears it.
    pub value_on: Option<Option<NaiveDate>>,
}

impl Edit {
    /// What the edit sets, in the order of the names, and what was there.
    fn lines(&self, seen: &Transaction) -> Vec<(Field, Line)> {
        let new_values = Field::ALL.into_iter().filter_map(|field| {
            // The outer `Option` is whether the edit names the field, the inner one its value.
            let new_value = match field {
                Field::Amount => self.amount_minor.map(|minor| Some(seen.amount_text(minor))),
                Field::BookedOn => self.booked_on.map(|date| Some(date.to_string())),
                Field::Counterparty => self.counterparty.as_deref().map(transaction::text),
                Field::Description => self.description.as_deref().map(transaction::text),
                Field::Note => self.note.as_deref().map(transaction::text),
                Field::Reconciled => self.reconciled.map(|checked| Some(checked.to_string())),
                Field::ValueOn => self.value_on.map(|date| date.map(|date| date.to_string())),
            };
            Some((field, new_value?))
        });
        let lines = new_values.map(|(field, new_value)| {
            let line = Line {
                field: field.as_str(),
                old_value: seen.value(field),
                new_value,
            };
            (field, line)
        });
        lines.collect()
    }

    /// The edit without every field but these.
    fn only(&self, fields: &[Field]) -> Self {
        let has = |field| fields.contains(&field);
        Self {
            amount_minor: self.amount_minor.filter(|_| has(Field::Amount)),
            booked_on: self.booked_on.filter(|_| has(Field::BookedOn)),
            counterparty: self
                .counterparty
                .clone()
                .filter(|_| has(Field::Counterparty)),
            description: self.description.clone().filter(|_| has(Field::Description)),
            note: self.note.clone().filter(|_| has(Field::Note)),
            reconciled: self.reconciled.filter(|_| has(Field::Reconciled)),
            value_on: self.value_on.filter(|_| has(Field::ValueOn)),
        }
    }
}

/// What became of the fields of an edit, in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written(Vec<(Field, Outcome)>);

impl Written {
    /// What became of each.
    #[must_use]
    pub fn outcomes(&self) -> &[(Field, Outcome)] {
        &self.0
    }

    /// The fields that were written, be it their locks alone. If there are none nothing was, and
    /// the change is not to be committed.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let written = self.0.iter();
        written
            .filter(|(_, outcome)| *outcome == Outcome::Written)
            .map(|(field, _)| *field)
            .collect()
    }
}

/// The transaction and its account, both locked in this order, if the user has it.
///
/// # Errors
/// As the database answers.
pub async fn open(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Option<Opened>, Error> {
    let user = transaction.user_id().uuid();
    // An account never changes, so it may be read before anything is locked.
    let account_id = sqlx::query_scalar!(
        "SELECT account_id FROM ledger.transaction WHERE user_id = $1 AND transaction_id = $2",
        user,
        transaction_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(account_id) = account_id else {
        return Ok(None);
    };
    let account = account::get_for_update(transaction, account_id).await?;
    // Read again: it may have been changed or deleted while the account was waited for.
    let found = transaction::get_for_update(transaction, transaction_id).await?;
    Ok(account.zip(found).map(|(account, transaction)| Opened {
        account,
        transaction,
    }))
}

/// Whether the user had the transaction once: its tombstone is there.
///
/// # Errors
/// As the database answers.
pub async fn was_removed(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<bool, Error> {
    let user = transaction.user_id().uuid();
    let removed = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM ledger.tombstone
            WHERE user_id = $1 AND kind = 'transaction' AND subject_id = $2
        ) AS "removed!"
        "#,
        user,
        transaction_id,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(removed)
}

/// Writes those fields of the edit that the author may write, with their provenance and history,
/// and locks them if the author is a person. `seen` comes from [`open`]. A person may write
/// everything here; whether they may change a reconciled transaction has been asked before.
///
/// # Errors
/// As the database answers.
pub async fn write(
    transaction: &mut UserTransaction,
    change: &Change,
    seen: &Transaction,
    author: &Author,
    edit: &Edit,
    now: DateTime<Utc>,
) -> Result<Written, Error> {
    let provenance = provenance(transaction, seen.transaction_id).await?;
    let (mut outcomes, mut lines) = (Vec::new(), Vec::new());
    for (field, line) in edit.lines(seen) {
        let held = rule::held(seen, field, provenance.get(&field).copied());
        let equal = line.old_value == line.new_value;
        let outcome = rule::outcome(author.writer, field, held, equal);
        outcomes.push((field, outcome));
        if outcome == Outcome::Written {
            lines.push(line);
        }
    }
    let written = Written(outcomes);
    let fields = written.fields();
    if fields.is_empty() {
        return Ok(written);
    }
    let edit = edit.only(&fields);
    update(transaction, change, seen.transaction_id, &edit, now).await?;
    let names = fields.iter().filter(|field| field.lockable());
    let names: Vec<String> = names.map(|field| field.as_str().to_owned()).collect();
    let log = Log {
        change,
        kind: history::Kind::Edited,
        transaction_id: seen.transaction_id,
        author,
        now,
    };
    log.name_source(transaction, &names).await?;
    if author.writer == Writer::User {
        log.lock(transaction, &names).await?;
    }
    log.write(transaction, lines).await?;
    Ok(written)
}

/// Gives these fields back: their locks go, their values stay until somebody else writes them.
/// Returns whether one of them was locked; if none was, nothing is written and the change is not to
/// be committed. `seen` comes from [`open`].
///
/// # Errors
/// As the database answers.
pub async fn unlock(
    transaction: &mut UserTransaction,
    change: &Change,
    seen: &Transaction,
    fields: &[Field],
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let locked = seen.locked.iter().filter(|field| fields.contains(field));
    let lines: Vec<Line> = locked
        .map(|field| Line {
            field: field.as_str(),
            old_value: None,
            new_value: None,
        })
        .collect();
    if lines.is_empty() {
        return Ok(false);
    }
    let user = transaction.user_id().uuid();
    let names: Vec<String> = lines.iter().map(|line| line.field.to_owned()).collect();
    sqlx::query!(
        "DELETE FROM ledger.field_lock \
         WHERE user_id = $1 AND transaction_id = $2 AND field = ANY($3)",
        user,
        seen.transaction_id,
        &names,
    )
    .execute(&mut **transaction)
    .await?;
    // A lock leaves no tombstone: the pull learns of its end from the transaction's new change.
    let edit = Edit::default();
    update(transaction, change, seen.transaction_id, &edit, now).await?;
    let log = Log {
        change,
        kind: history::Kind::Unlocked,
        transaction_id: seen.transaction_id,
        author: &Author::user(),
        now,
    };
    log.write(transaction, lines).await?;
    Ok(true)
}

/// Removes the transaction for good. Its tombstone keeps what an import is compared with, its
/// history all that it was; locks and provenance go with it. `seen` comes from [`open`].
///
/// # Errors
/// As the database answers.
pub async fn delete(
    transaction: &mut UserTransaction,
    change: &Change,
    seen: &Transaction,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let log = Log {
        change,
        kind: history::Kind::Deleted,
        transaction_id: seen.transaction_id,
        author: &Author::user(),
        now,
    };
    log.write(transaction, log::remains(seen)).await?;
    let user = transaction.user_id().uuid();
    sqlx::query!(
        r#"
        WITH gone AS (
            DELETE FROM ledger.transaction WHERE user_id = $1 AND transaction_id = $2
            RETURNING user_id, transaction_id, account_id, fingerprint, occurrence
        )
        INSERT INTO ledger.tombstone (
            user_id, kind, subject_id, account_id, fingerprint, occurrence, cause, change_id,
            created_at
        )
        SELECT user_id, 'transaction', transaction_id, account_id, fingerprint, occurrence, 'user',
               $3, $4
        FROM gone
        "#,
        user,
        seen.transaction_id,
        change.id(),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Whose the fields are that are not the row's own source's.
async fn provenance(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<HashMap<Field, Writer>, Error> {
    let user = transaction.user_id().uuid();
    let rows = sqlx::query!(
        "SELECT field, source FROM ledger.provenance WHERE user_id = $1 AND transaction_id = $2",
        user,
        transaction_id,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let undecodable = |column| Error::Undecodable {
        table: "provenance",
        column,
        id: transaction_id,
    };
    rows.iter()
        .map(|row| {
            let field = Field::parse(&row.field).ok_or_else(|| undecodable("field"))?;
            let writer = Writer::parse(&row.source).ok_or_else(|| undecodable("source"))?;
            Ok((field, writer))
        })
        .collect()
}

/// The row itself: the fields of the edit, the change and the time.
async fn update(
    transaction: &mut UserTransaction,
    change: &Change,
    transaction_id: Uuid,
    edit: &Edit,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    sqlx::query!(
        "UPDATE ledger.transaction SET amount_minor = coalesce($3, amount_minor), \
         booked_on = coalesce($4, booked_on), counterparty = coalesce($5, counterparty), \
         description = coalesce($6, description), note = coalesce($7, note), \
         reconciled_at = CASE $8::boolean WHEN true THEN $12 WHEN false THEN NULL \
                         ELSE reconciled_at END, \
         value_on = CASE WHEN $9 THEN $10 ELSE value_on END, change_id = $11, updated_at = $12 \
         WHERE user_id = $1 AND transaction_id = $2",
        user,
        transaction_id,
        edit.amount_minor,
        edit.booked_on,
        edit.counterparty.as_deref(),
        edit.description.as_deref(),
        edit.note.as_deref(),
        edit.reconciled,
        edit.value_on.is_some(),
        edit.value_on.flatten(),
        change.id(),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
