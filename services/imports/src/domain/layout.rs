//! Where the table is: the rows in front of it, its header, and which columns hold dates.

use chrono::NaiveDate;

use super::record::Record;
use super::{column, date, header, number, part};

/// Banks put names, balances and periods in front of the table, but not more than this.
const PREAMBLE_RECORDS_MAX: usize = 120;

/// A header's names weigh at least this much: one date or amount and another known name.
const WEIGHT_MIN: u32 = 3;

/// Where the table begins and what its columns are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The line of the header, or of the last record in front of the rows; 0 when the rows begin
    /// at once.
    pub(super) before: u64,
    /// The names; none without a header.
    pub(super) names: Option<Vec<String>>,
    /// The columns that hold dates in most rows.
    pub(super) date_columns: Vec<usize>,
    /// Records in front of the header.
    pub(super) preamble: usize,
    /// Whether one of them names an IBAN, which is that of the account.
    pub(super) iban: bool,
    /// Names that a person says the columns ought to have, where they say something.
    pub(super) meanings: Vec<Option<&'static str>>,
}

/// Whether the record could be a header: names only, no dates, no amounts.
fn nameable(record: &Record, today: NaiveDate) -> bool {
    let filled = record.cells.iter().filter(|cell| !cell.is_empty()).count();
    filled >= 2
        && record
            .cells
            .iter()
            .all(|cell| !date::dated(cell, today) && !matches!(number::anatomy(cell), Ok(Some(_))))
}

fn weight(record: &Record) -> u32 {
    record.cells.iter().map(|cell| header::weight(cell)).sum()
}

fn dated(record: &Record, today: NaiveDate) -> bool {
    record.cells.len() > 1 && record.cells.iter().any(|cell| date::dated(cell, today))
}

/// Whether the record looks like the header of some table: it names a date and weighs enough.
pub(super) fn headed(record: &Record, today: NaiveDate) -> bool {
    nameable(record, today)
        && weight(record) > WEIGHT_MIN + 1
        && record.cells.iter().any(|cell| header::names_date(cell))
}

/// Finds the table in the first records.
pub(super) fn find(records: &[Record], today: NaiveDate) -> Layout {
    let head = records.len().min(PREAMBLE_RECORDS_MAX);
    let mut best: Option<(u32, usize)> = None;
    for (index, record) in records.iter().take(head).enumerate() {
        if !nameable(record, today) {
            continue;
        }
        let weight = weight(record);
        // A row of data follows soon, perhaps behind a blank or a balance.
        let followed = records
            .iter()
            .skip(index + 1)
            .take(4)
            .any(|next| dated(next, today));
        if weight >= WEIGHT_MIN && followed && best.is_none_or(|(old, _)| weight > old) {
            best = Some((weight, index));
        }
    }
    let first = records
        .iter()
        .position(|record| row(record, today))
        .unwrap_or(0);
    let rows = |records: &[Record]| records.iter().filter(|record| row(record, today)).count();
    let named = best.map(|(_, index)| index).filter(|index| {
        // A line of the account with a date and a balance may stand in front, a table may not.
        let (before, after) = records.split_at(*index);
        let before = rows(before);
        before == 0 || (before <= 2 && before < rows(after))
    });
    let index = named.or_else(|| unknown_header(records, first, today));
    laid_out(records, index, first, today)
}

/// The table under the header that is said to begin on this line; none if there is no row of
/// names.
pub(super) fn under(records: &[Record], line: u64, today: NaiveDate) -> Option<Layout> {
    let index = records.iter().position(|record| record.line == line)?;
    let named = records
        .get(index)
        .is_some_and(|record| nameable(record, today));
    named.then(|| laid_out(records, Some(index), index + 1, today))
}

/// The table behind a header, or from the first row on.
fn laid_out(records: &[Record], index: Option<usize>, first: usize, today: NaiveDate) -> Layout {
    let start = index.map_or(first, |index| index + 1);
    let rows: Vec<&Record> = records.iter().skip(start).collect();
    let before = start.checked_sub(1).and_then(|last| records.get(last));
    Layout {
        before: before.map_or(0, |record| record.line),
        names: index
            .and_then(|index| records.get(index))
            .map(|record| record.cells.clone()),
        date_columns: date_columns(&rows, today),
        preamble: index.unwrap_or(first),
        iban: records
            .iter()
            .take(index.unwrap_or(first))
            .any(|record| record.cells.iter().any(|cell| part::iban(cell))),
        meanings: Vec::new(),
    }
}

/// Whether the header calls a column the day of value.
pub(super) fn names_value_day(layout: &Layout, column: usize) -> bool {
    header::date(column::written(layout, column)) == header::DateKind::Value
}

fn row(record: &Record, today: NaiveDate) -> bool {
    let numbers = record
        .cells
        .iter()
        .filter(|cell| !date::dated(cell, today) && matches!(number::anatomy(cell), Ok(Some(_))));
    record.cells.len() > 2 && dated(record, today) && numbers.count() > 0
}

/// A header in a language that no vocabulary knows: names directly in front of the rows.
fn unknown_header(records: &[Record], first: usize, today: NaiveDate) -> Option<usize> {
    let index = first.checked_sub(1)?;
    let (record, row) = (records.get(index)?, records.get(first)?);
    let filled = record.cells.iter().filter(|cell| !cell.is_empty()).count();
    let like = record.cells.len().abs_diff(row.cells.len()) <= 1;
    (like && filled >= 3 && filled * 2 > record.cells.len() && nameable(record, today))
        .then_some(index)
}

/// Columns with dates in at least six of ten of the rows of the best column.
fn date_columns(rows: &[&Record], today: NaiveDate) -> Vec<usize> {
    let mut counts = Vec::new();
    for record in rows {
        for (column, cell) in record.cells.iter().enumerate() {
            if counts.len() <= column {
                counts.resize(column + 1, 0_usize);
            }
            if date::dated(cell, today)
                && let Some(count) = counts.get_mut(column)
            {
                *count += 1;
            }
        }
    }
    let best = counts.iter().copied().max().unwrap_or(0);
    let most = |(_, count): &(usize, &usize)| **count > 0 && **count * 10 >= best * 6;
    counts
        .iter()
        .enumerate()
        .filter(most)
        .map(|(column, _)| column)
        .collect()
}
