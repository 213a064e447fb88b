//! Blanks of many transactions at once, filled by an import that was linked with them or emptied
//! again: what that leaves in provenance and history. Whether a field may be filled is decided by
//! the statement that fills it.

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Author, history::Kind};
use crate::{
    Change, Error,
    transaction::{self, Field},
};

/// A blank field and the value it got, or had until now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Filled {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// The field.
    pub(crate) field: Field,
    /// The value as text.
    pub(crate) value: String,
}

/// The fields of a transaction that a linked import may fill, with their values where it does.
pub(crate) struct Blanks {
    pub(crate) value_on: Option<NaiveDate>,
    pub(crate) counterparty: Option<String>,
    pub(crate) description: Option<String>,
}

impl Blanks {
    /// Those that have a value.
    pub(crate) fn of(self, transaction_id: Uuid) -> impl Iterator<Item = Filled> {
        let values = [
            (Field::Counterparty, self.counterparty),
            (Field::Description, self.description),
            (Field::ValueOn, self.value_on.map(|date| date.to_string())),
        ];
        values.into_iter().filter_map(move |(field, value)| {
            Some(Filled {
                transaction_id,
                field,
                value: transaction::text(&value?)?,
            })
        })
    }
}

/// Says that these fields have their values from the author, and writes the history.
pub(crate) async fn note_filled(
    transaction: &mut UserTransaction,
    change: &Change,
    author: &Author,
    filled: &[Filled],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    let Columns { ids, fields, .. } = columns(filled);
    sqlx::query!(
        r#"
        INSERT INTO ledger.provenance (
            user_id, transaction_id, field, source, reference, confidence, change_id, written_at
        )
        SELECT $1, f.transaction_id, f.field, $4, $5, $6, $7, $8
        FROM unnest($2::uuid[], $3::text[]) AS f (transaction_id, field)
        ON CONFLICT (user_id, transaction_id, field) DO UPDATE
        SET source = excluded.source, reference = excluded.reference,
            confidence = excluded.confidence, change_id = excluded.change_id,
            written_at = excluded.written_at
        "#,
        user,
        &ids,
        &fields,
        author.writer.as_str(),
        author.reference.as_deref(),
        author.confidence,
        change.id(),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    write_history(transaction, change, author, filled, Way::Filled, now).await
}

/// Forgets that these fields had their values from the author, and writes the history.
pub(crate) async fn note_emptied(
    transaction: &mut UserTransaction,
    change: &Change,
    author: &Author,
    emptied: &[Filled],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    let Columns { ids, fields, .. } = columns(emptied);
    sqlx::query!(
        r#"
        DELETE FROM ledger.provenance p
        USING unnest($2::uuid[], $3::text[]) AS f (transaction_id, field)
        WHERE p.user_id = $1 AND p.transaction_id = f.transaction_id AND p.field = f.field
        "#,
        user,
        &ids,
        &fields,
    )
    .execute(&mut **transaction)
    .await?;
    write_history(transaction, change, author, emptied, Way::Emptied, now).await
}

/// On which side of the history the values stand.
#[derive(Clone, Copy)]
enum Way {
    Filled,
    Emptied,
}

struct Columns {
    ids: Vec<Uuid>,
    fields: Vec<String>,
    values: Vec<String>,
}

fn columns(filled: &[Filled]) -> Columns {
    let of = |it: &Filled| it.field.as_str().to_owned();
    Columns {
        ids: filled.iter().map(|it| it.transaction_id).collect(),
        fields: filled.iter().map(of).collect(),
        values: filled.iter().map(|it| it.value.clone()).collect(),
    }
}

async fn write_history(
    transaction: &mut UserTransaction,
    change: &Change,
    author: &Author,
    filled: &[Filled],
    way: Way,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    let Columns {
        ids,
        fields,
        values,
    } = columns(filled);
    let edit_ids: Vec<Uuid> = filled.iter().map(|_| change.next_id()).collect();
    sqlx::query!(
        r#"
        INSERT INTO ledger.edit (
            user_id, edit_id, transaction_id, kind, field, old_value, new_value, source,
            reference, confidence, change_id, written_at
        )
        SELECT $1, f.edit_id, f.transaction_id, $2, f.field,
               CASE WHEN $11 THEN NULL ELSE f.value END, CASE WHEN $11 THEN f.value END,
               $3, $4, $5, $6, $12
        FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[])
            AS f (edit_id, transaction_id, field, value)
        "#,
        user,
        Kind::Edited.as_str(),
        author.writer.as_str(),
        author.reference.as_deref(),
        author.confidence,
        change.id(),
        &edit_ids,
        &ids,
        &fields,
        &values,
        matches!(way, Way::Filled),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
