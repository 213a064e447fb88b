//! Where the table is: the rows in front of it, its header, and which columns hold dates.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::date::Order;
use super::header::folded;
use super::record::Record;
use super::{column, date, edge, header, number, part};

/// Banks put names, balances and periods in front of the table, but not more than this.
const PREAMBLE_RECORDS_MAX: usize = 120;

/// Longer texts in front of the table are notices.
const PREFACE_BYTES_MAX: usize = 200;

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
    /// Their texts, folded.
    pub(super) preface: Vec<String>,
    /// The decimal mark that their figures show beyond doubt, as `1.234,56` does.
    pub(super) mark: Option<char>,
    /// The order of day, month and year that their dates show beyond doubt.
    pub(super) order: Option<Order>,
    /// Names that a person says the columns ought to have, where they say something.
    pub(super) meanings: Vec<Option<&'static str>>,
}

/// What stands in front of the number of an account.
const ACCOUNT: &str = "konto|kontonummer|konto nr|kontonr|iban|account|account number|account no|\
    compte|numero de compte|conto|numero conto|rekening|rekeningnummer|cuenta|numero de cuenta|\
    conta|счет|номер счета|ucet|cislo uctu|rachunek|numer rachunku|szamlaszam|tili|tilinumero";

static ACCOUNTS: LazyLock<Vec<String>> = LazyLock::new(|| ACCOUNT.split('|').map(folded).collect());

impl Layout {
    /// Whether a record names another account than what stands in front of the table: what
    /// follows it is another statement.
    pub(super) fn another_account(&self, record: &Record) -> bool {
        let mut filled = record.cells.iter().filter(|cell| !cell.is_empty());
        let (Some(first), second) = (filled.next(), filled.next()) else {
            return false;
        };
        let label = folded(first);
        let number = second.map(|cell| folded(cell));
        let known = |text: &String| self.preface.contains(text);
        let named = ACCOUNTS.contains(&label) && known(&label);
        if named {
            return number.is_some_and(|number| !known(&number));
        }
        // Label and number may share a cell.
        ACCOUNTS.iter().any(|account| {
            let labelled = |text: &String| {
                let rest = text.strip_prefix(account.as_str());
                rest.is_some_and(|rest| rest.starts_with(' '))
            };
            let digits = label.bytes().any(|byte| byte.is_ascii_digit());
            let before = self.preface.iter().any(labelled);
            labelled(&label) && digits && before && !known(&label)
        })
    }
}

/// The number that a record names behind a word for an account, in the next cell or in the same.
pub(super) fn account_number(record: &Record) -> Option<String> {
    let mut filled = record.cells.iter().filter(|cell| !cell.is_empty());
    let label = folded(filled.next()?);
    let number = match filled.next() {
        Some(cell) if ACCOUNTS.contains(&label) => folded(cell),
        _ => ACCOUNTS.iter().find_map(|account| {
            let rest = label.strip_prefix(account.as_str())?;
            rest.strip_prefix(' ').map(str::to_owned)
        })?,
    };
    number
        .bytes()
        .any(|byte| byte.is_ascii_digit())
        .then_some(number)
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
    let header = index.map(|index| Header::around(records, index, today));
    let headed = header.is_none() && edge::heads(records, first, today);
    let first = first + usize::from(headed);
    let start = header.as_ref().map_or(first, |header| header.last + 1);
    let rows: Vec<&Record> = records.iter().skip(start).collect();
    let before = start.checked_sub(1).and_then(|last| records.get(last));
    let preamble = header.as_ref().map_or(first, |header| header.first);
    let cells = || {
        records
            .iter()
            .take(preamble)
            .flat_map(|record| &record.cells)
    };
    Layout {
        before: before.map_or(0, |record| record.line),
        names: header.map(|header| header.names),
        date_columns: date_columns(&rows, today),
        preamble,
        iban: cells().any(|cell| part::iban(cell)),
        preface: cells()
            .filter(|cell| cell.len() <= PREFACE_BYTES_MAX)
            .map(|cell| folded(cell))
            .filter(|text| !text.is_empty())
            .collect(),
        mark: mark(cells()),
        order: order(cells(), today),
        meanings: Vec::new(),
    }
}

/// Whether the header calls a column the day of value.
pub(super) fn names_value_day(layout: &Layout, column: usize) -> bool {
    header::date(column::written(layout, column)) == header::DateKind::Value
}

/// The order of dates that read as day and month in one way only; none when two disagree.
fn order<'a>(cells: impl Iterator<Item = &'a String>, today: NaiveDate) -> Option<Order> {
    let mut found = None;
    for cell in cells.filter(|cell| cell.len() <= PREFACE_BYTES_MAX) {
        let words = cell.split(|c: char| c.is_whitespace() || ":;,()".contains(c));
        for word in words.filter(|word| word.contains('/')) {
            let read = |order| date::read(word, order, today).is_some();
            let only = match (read(Order::Dmy), read(Order::Mdy)) {
                (true, false) => Order::Dmy,
                (false, true) => Order::Mdy,
                _ => continue,
            };
            if found.is_some_and(|old| old != only) {
                return None;
            }
            found = Some(only);
        }
    }
    found
}

/// The decimal mark of figures that have both marks, the last before two digits; none when two
/// figures disagree.
fn mark<'a>(cells: impl Iterator<Item = &'a String>) -> Option<char> {
    let mut found = None;
    for cell in cells {
        for word in cell.split(char::is_whitespace) {
            let last = word.rfind(['.', ',']);
            let (Some(last), Ok(Some(figure))) = (last, number::anatomy(word)) else {
                continue;
            };
            let (before, behind) = (word.get(..last), word.get(last + 1..));
            let mark = word.get(last..).and_then(|rest| rest.chars().next());
            let other = if mark == Some(',') { '.' } else { ',' };
            let grouped = before.is_some_and(|text| text.contains(other));
            let cents =
                behind.is_some_and(|text| text.bytes().take_while(u8::is_ascii_digit).count() == 2);
            if !grouped || !cents || figure.body.len() < 6 {
                continue;
            }
            if found.is_some() && found != mark {
                return None;
            }
            found = mark;
        }
    }
    found
}

/// A header, of one record or of several that name each other's gaps.
struct Header {
    first: usize,
    last: usize,
    names: Vec<String>,
}

impl Header {
    /// The header at an index with the records above and below that belong to it.
    fn around(records: &[Record], index: usize, today: NaiveDate) -> Self {
        let cells = |index: usize| records.get(index).map(|record| record.cells.clone());
        let mut header = Self {
            first: index,
            last: index,
            names: cells(index).unwrap_or_default(),
        };
        let next = |index: usize| records.get(index);
        if let Some(below) = next(index + 1)
            && header.completed_by(below, today)
        {
            header.names = joined(&header.names, &below.cells);
            header.last = index + 1;
        }
        if let Some(above) = index.checked_sub(1).and_then(next)
            && header.completed_by(above, today)
        {
            header.names = joined(&above.cells, &header.names);
            header.first = index - 1;
        }
        header
    }

    /// Whether a record beside the header has its width, holds names that are known and nothing
    /// else, and names a column that the header does not. A preamble does none of that.
    fn completed_by(&self, record: &Record, today: NaiveDate) -> bool {
        let filled = || record.cells.iter().filter(|cell| !cell.is_empty());
        let names = filled().all(|cell| {
            header::weight(cell) > 0
                && !date::dated(cell, today)
                && !matches!(number::anatomy(cell), Ok(Some(_)))
        });
        let gaps = self.names.iter().zip(&record.cells);
        let completes = gaps.filter(|(name, cell)| name.is_empty() && !cell.is_empty());
        record.cells.len() == self.names.len() && names && completes.count() > 0
    }
}

/// Names over two rows, column by column.
fn joined(above: &[String], below: &[String]) -> Vec<String> {
    let pairs = above.iter().zip(below);
    pairs
        .map(|(above, below)| format!("{above} {below}").trim().to_owned())
        .collect()
}

/// Whether a record states one fact behind its label, as what stands in front of a table does.
fn labelled(record: &Record) -> bool {
    let mut filled = record.cells.iter().filter(|cell| !cell.is_empty());
    filled
        .next()
        .is_some_and(|cell| cell.ends_with([':', '\u{ff1a}']))
}

fn row(record: &Record, today: NaiveDate) -> bool {
    let numbers = record
        .cells
        .iter()
        .filter(|cell| !date::dated(cell, today) && matches!(number::anatomy(cell), Ok(Some(_))));
    record.cells.len() > 2 && !labelled(record) && dated(record, today) && numbers.count() > 0
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
