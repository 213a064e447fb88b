//! Fields of added rows that a person has set in review: they are that person's, with provenance,
//! lock and history, as if the transaction had been edited the moment it came. The provenance names
//! the import, by which [`crate::reversal`] tells such an edit, which is part of the import, from
//! one that was made since.

use chrono::{DateTime, NaiveDate, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::Batch;
use crate::{
    Change, Error,
    edit::{Reviewed, note_reviewed},
    money::{Currency, Decimal},
    transaction::{self, Field},
};

/// Rows that are noted by one statement.
const CHUNK_ROWS_MAX: i64 = 1_000;

struct Row {
    row_number: i32,
    transaction_id: Uuid,
    currency_code: String,
    fields: Vec<String>,
    booked_on: NaiveDate,
    value_on: Option<NaiveDate>,
    amount_minor: i64,
    description: String,
    counterparty: String,
    source_booked_on: Option<NaiveDate>,
    source_value_on: Option<NaiveDate>,
    source_amount_minor: Option<i64>,
    source_description: Option<String>,
    source_counterparty: Option<String>,
}

/// Notes the person's fields of the rows that were added.
pub(super) async fn note(
    transaction: &mut UserTransaction,
    batch: Batch,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let rows = chunk(transaction, batch, after).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.row_number;
        let mut reviewed = Vec::new();
        for row in &rows {
            for name in &row.fields {
                reviewed.push(row.reviewed(name)?);
            }
        }
        note_reviewed(transaction, change, batch.import_id, &reviewed, now).await?;
    }
}

impl Row {
    /// One of its fields, with what the file says and what the person says.
    fn reviewed(&self, name: &str) -> Result<Reviewed, Error> {
        let undecodable = |column| Error::Undecodable {
            table: "staged_row",
            column,
            id: self.transaction_id,
        };
        let field = Field::parse(name).ok_or_else(|| undecodable("edited_fields"))?;
        let currency =
            Currency::parse(&self.currency_code).map_err(|_| undecodable("currency_code"))?;
        let money = |digits| {
            let scale = currency.exponent();
            Decimal { digits, scale }.to_string()
        };
        let date = |date: NaiveDate| date.to_string();
        let text = |text: &Option<String>| text.as_deref().and_then(transaction::text);
        let (old_value, new_value) = match field {
            Field::Amount => (
                self.source_amount_minor.map(money),
                Some(money(self.amount_minor)),
            ),
            Field::BookedOn => (self.source_booked_on.map(date), Some(date(self.booked_on))),
            Field::Counterparty => (
                text(&self.source_counterparty),
                transaction::text(&self.counterparty),
            ),
            Field::Description => (
                text(&self.source_description),
                transaction::text(&self.description),
            ),
            Field::ValueOn => (self.source_value_on.map(date), self.value_on.map(date)),
            Field::Note | Field::Reconciled => return Err(undecodable("edited_fields")),
        };
        Ok(Reviewed {
            transaction_id: self.transaction_id,
            field,
            old_value,
            new_value,
        })
    }
}

async fn chunk(
    transaction: &mut UserTransaction,
    batch: Batch,
    after: i32,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT s.row_number AS "row_number!", s.transaction_id AS "transaction_id!",
               s.currency_code AS "currency_code!", s.edited_fields AS "fields!",
               s.booked_on AS "booked_on!", s.value_on, s.amount_minor AS "amount_minor!",
               s.description AS "description!", s.counterparty AS "counterparty!",
               s.source_booked_on, s.source_value_on, s.source_amount_minor,
               s.source_description, s.source_counterparty
        FROM imports.staged s
        LEFT JOIN imports.verdict v USING (user_id, import_id, generation, row_number)
        WHERE s.import_id = $1 AND s.generation = $2 AND s.row_number > $3
          AND s.edited_fields IS NOT NULL
          AND imports.row_action(s.action, v.verdict, v.linkable) = 'add'
        ORDER BY s.row_number LIMIT $4
        "#,
        batch.import_id,
        batch.generation,
        after,
        CHUNK_ROWS_MAX,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows)
}
