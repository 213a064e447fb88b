//! Rows that a person sets right in review. What they say stands in the staged row, where matching
//! and commit see it; what the file says is kept beside it. A row that could not be read and was
//! repaired is a staged row too, and its rejection is kept and marked.
//!
//! Every call names rows by their numbers, and the caller limits how many.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{
    Error,
    domain::edit::{Field, Row, Values},
    store::staging::Target,
};

/// A row as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What it says, and who says so.
    pub row: Row,
    /// The account.
    pub account_id: Uuid,
    /// ISO 4217 code of its amount.
    pub currency_code: String,
    /// What it is known by.
    pub fingerprint: Vec<u8>,
}

/// A row as it becomes.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its number.
    pub row_number: i32,
    /// What it says, and who says so.
    pub row: Row,
    /// What it is known by.
    pub fingerprint: Vec<u8>,
}

/// A row that could not be read and becomes one that a person has repaired.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// What it becomes.
    pub written: Written,
    /// The account.
    pub account_id: Uuid,
    /// The id it will have in the ledger.
    pub transaction_id: Uuid,
    /// ISO 4217 code.
    pub currency_code: String,
}

/// Those of the rows that are staged, by number.
///
/// # Errors
/// As the database answers.
pub async fn staged(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
) -> Result<BTreeMap<i32, Stored>, Error> {
    let found = sqlx::query!(
        r#"
        SELECT row_number AS "row_number!", account_id AS "account_id!",
               currency_code AS "currency_code!",
               fingerprint AS "fingerprint!", booked_on AS "booked_on!", value_on,
               amount_minor AS "amount_minor!", description AS "description!",
               counterparty AS "counterparty!", coalesce(edited_fields, '{}') AS "edited_fields!",
               source_booked_on, source_value_on, source_amount_minor, source_description,
               source_counterparty
        FROM imports.staged
        WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3)
        "#,
        target.import_id,
        target.generation,
        rows,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let stored = found.into_iter().map(|found| {
        let values = Values {
            booked_on: found.booked_on,
            value_on: found.value_on,
            amount_minor: found.amount_minor,
            description: found.description,
            counterparty: found.counterparty,
        };
        let edited = found.edited_fields.iter().map(|name| {
            Field::parse(name).ok_or_else(|| Error::Undecodable {
                table: "imports.staged_row",
                id: target.import_id,
                source: format!("{name:?} is not a field").into(),
            })
        });
        let source = Source {
            booked_on: found.source_booked_on,
            value_on: found.source_value_on,
            amount_minor: found.source_amount_minor,
            description: found.source_description,
            counterparty: found.source_counterparty,
        };
        let edited: BTreeSet<Field> = edited.collect::<Result<_, _>>()?;
        let row = Row {
            source: source.beside(&values, &edited),
            values,
            edited,
        };
        let stored = Stored {
            row,
            account_id: found.account_id,
            currency_code: found.currency_code,
            fingerprint: found.fingerprint,
        };
        Ok((found.row_number, stored))
    });
    stored.collect()
}

/// What the file says of the fields that are a person's.
#[derive(Default)]
struct Source {
    booked_on: Option<NaiveDate>,
    value_on: Option<NaiveDate>,
    amount_minor: Option<i64>,
    description: Option<String>,
    counterparty: Option<String>,
}

impl Source {
    /// All that the file says; nothing if it says no date or no amount.
    fn beside(self, values: &Values, edited: &BTreeSet<Field>) -> Option<Values> {
        let own = |field| !edited.contains(&field);
        let text = |field, source: Option<String>, value: &String| match own(field) {
            true => value.clone(),
            false => source.unwrap_or_default(),
        };
        Some(Values {
            booked_on: match own(Field::BookedOn) {
                true => values.booked_on,
                false => self.booked_on?,
            },
            amount_minor: match own(Field::Amount) {
                true => values.amount_minor,
                false => self.amount_minor?,
            },
            value_on: match own(Field::ValueOn) {
                true => values.value_on,
                false => self.value_on,
            },
            description: text(Field::Description, self.description, &values.description),
            counterparty: text(Field::Counterparty, self.counterparty, &values.counterparty),
        })
    }

    /// What is to be kept of a row beside its values.
    fn of(row: &Row) -> Self {
        let Some(source) = &row.source else {
            return Self::default();
        };
        let edited = |field| row.edited.contains(&field);
        Self {
            booked_on: Some(source.booked_on).filter(|_| edited(Field::BookedOn)),
            value_on: source.value_on.filter(|_| edited(Field::ValueOn)),
            amount_minor: Some(source.amount_minor).filter(|_| edited(Field::Amount)),
            description: Some(source.description.clone()).filter(|_| edited(Field::Description)),
            counterparty: Some(source.counterparty.clone()).filter(|_| edited(Field::Counterparty)),
        }
    }
}

/// Those of the rows that could not be read and are not repaired.
///
/// # Errors
/// As the database answers.
pub async fn rejected(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
) -> Result<BTreeSet<i32>, Error> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT row_number FROM imports.rejected_row
        WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3) AND NOT repaired
        "#,
        target.import_id,
        target.generation,
        rows,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(found.into_iter().collect())
}

/// Writes staged rows. A decision to link was about the row as it was and goes.
///
/// # Errors
/// As the database answers.
pub async fn write(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[Written],
) -> Result<(), Error> {
    let columns = Columns::of(rows);
    sqlx::query!(
        r#"
        UPDATE imports.staged s
        SET booked_on = e.booked_on, value_on = e.value_on, amount_minor = e.amount_minor,
            description = e.description, counterparty = e.counterparty,
            fingerprint = e.fingerprint,
            edited_fields = nullif(string_to_array(e.edited_fields, ','), '{}'),
            source_booked_on = e.source_booked_on, source_value_on = e.source_value_on,
            source_amount_minor = e.source_amount_minor,
            source_description = e.source_description,
            source_counterparty = e.source_counterparty, action = nullif(s.action, 'link')
        FROM unnest(
            $3::integer[], $4::date[], $5::date[], $6::bigint[], $7::text[], $8::text[],
            $9::bytea[], $10::text[], $11::date[], $12::date[], $13::bigint[], $14::text[],
            $15::text[]
        ) AS e (
            row_number, booked_on, value_on, amount_minor, description, counterparty, fingerprint,
            edited_fields, source_booked_on, source_value_on, source_amount_minor,
            source_description, source_counterparty
        )
        WHERE s.import_id = $1 AND s.generation = $2 AND s.row_number = e.row_number
        "#,
        target.import_id,
        target.generation,
        &columns.row_numbers,
        &columns.booked_on,
        &columns.value_on as &[Option<NaiveDate>],
        &columns.amounts,
        &columns.descriptions,
        &columns.counterparties,
        &columns.fingerprints,
        &columns.edited,
        &columns.source_booked_on as &[Option<NaiveDate>],
        &columns.source_value_on as &[Option<NaiveDate>],
        &columns.source_amounts as &[Option<i64>],
        &columns.source_descriptions as &[Option<String>],
        &columns.source_counterparties as &[Option<String>],
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The rows by column, for one statement over all of them.
#[derive(Default)]
struct Columns {
    row_numbers: Vec<i32>,
    booked_on: Vec<NaiveDate>,
    value_on: Vec<Option<NaiveDate>>,
    amounts: Vec<i64>,
    descriptions: Vec<String>,
    counterparties: Vec<String>,
    fingerprints: Vec<Vec<u8>>,
    /// Names joined by commas: an array of arrays has to be as wide everywhere.
    edited: Vec<String>,
    source_booked_on: Vec<Option<NaiveDate>>,
    source_value_on: Vec<Option<NaiveDate>>,
    source_amounts: Vec<Option<i64>>,
    source_descriptions: Vec<Option<String>>,
    source_counterparties: Vec<Option<String>>,
}

impl Columns {
    fn of<'a>(rows: impl IntoIterator<Item = &'a Written>) -> Self {
        let mut columns = Self::default();
        for written in rows {
            let (row, source) = (&written.row, Source::of(&written.row));
            let edited: Vec<&str> = row.edited.iter().map(|field| field.as_str()).collect();
            columns.row_numbers.push(written.row_number);
            columns.booked_on.push(row.values.booked_on);
            columns.value_on.push(row.values.value_on);
            columns.amounts.push(row.values.amount_minor);
            columns.descriptions.push(row.values.description.clone());
            columns.counterparties.push(row.values.counterparty.clone());
            columns.fingerprints.push(written.fingerprint.clone());
            columns.edited.push(edited.join(","));
            columns.source_booked_on.push(source.booked_on);
            columns.source_value_on.push(source.value_on);
            columns.source_amounts.push(source.amount_minor);
            columns.source_descriptions.push(source.description);
            columns.source_counterparties.push(source.counterparty);
        }
        columns
    }
}

/// Makes rows of rejected ones. The import was looked up in the same transaction, which proves that
/// it is the user's: the table behind the view has no row-level security.
///
/// # Errors
/// As the database answers.
pub async fn repair(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[Repaired],
) -> Result<(), Error> {
    let columns = Columns::of(rows.iter().map(|row| &row.written));
    let accounts: Vec<Uuid> = rows.iter().map(|row| row.account_id).collect();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.transaction_id).collect();
    let currencies: Vec<String> = rows.iter().map(|row| row.currency_code.clone()).collect();
    sqlx::query!(
        r#"
        WITH repaired AS (
            UPDATE imports.rejected_row r SET repaired = true
            WHERE r.import_id = $1 AND r.generation = $2 AND r.row_number = ANY($3)
            RETURNING r.row_number, r.line
        )
        INSERT INTO imports.staged_row (
            import_id, generation, row_number, line, account_id, transaction_id, booked_on,
            value_on, amount_minor, currency_code, description, counterparty, fingerprint,
            edited_fields
        )
        SELECT $1, $2, r.row_number, r.line, e.account_id, e.transaction_id, e.booked_on,
               e.value_on, e.amount_minor, e.currency_code, e.description, e.counterparty,
               e.fingerprint, string_to_array(e.edited_fields, ',')
        FROM repaired r
        JOIN unnest(
            $3::integer[], $4::uuid[], $5::uuid[], $6::date[], $7::date[], $8::bigint[],
            $9::text[], $10::text[], $11::text[], $12::bytea[], $13::text[]
        ) AS e (
            row_number, account_id, transaction_id, booked_on, value_on, amount_minor,
            currency_code, description, counterparty, fingerprint, edited_fields
        ) USING (row_number)
        "#,
        target.import_id,
        target.generation,
        &columns.row_numbers,
        &accounts,
        &ids,
        &columns.booked_on,
        &columns.value_on as &[Option<NaiveDate>],
        &columns.amounts,
        &currencies,
        &columns.descriptions,
        &columns.counterparties,
        &columns.fingerprints,
        &columns.edited,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Makes rejected rows again of repaired ones.
///
/// # Errors
/// As the database answers.
pub async fn give_up(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH rejected AS (
            UPDATE imports.rejected_row SET repaired = false
            WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3)
        ),
        unmatched AS (
            DELETE FROM imports.verdict
            WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3)
        )
        DELETE FROM imports.staged
        WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3)
        "#,
        target.import_id,
        target.generation,
        rows,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Why a row could not be read.
#[derive(Clone, Debug)]
pub struct Problem {
    /// For programs.
    pub reason: String,
    /// For people.
    pub message: String,
    /// The line as it stands in the file.
    pub original: String,
}

/// What was wrong with those of the rows that were repaired.
///
/// # Errors
/// As the database answers.
pub async fn repaired(
    transaction: &mut UserTransaction,
    target: Target,
    rows: &[i32],
) -> Result<BTreeMap<i32, Problem>, Error> {
    let found = sqlx::query!(
        r#"
        SELECT row_number, reason, message, original FROM imports.rejected_row
        WHERE import_id = $1 AND generation = $2 AND row_number = ANY($3) AND repaired
        "#,
        target.import_id,
        target.generation,
        rows,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let problems = found.into_iter().map(|found| {
        let problem = Problem {
            reason: found.reason,
            message: found.message,
            original: found.original,
        };
        (found.row_number, problem)
    });
    Ok(problems.collect())
}
