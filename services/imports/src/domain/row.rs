//! The rows of a statement by a frozen reading, as a stream: what the import stages.

use chrono::NaiveDate;
use djinn_ledger::money::{Currency, Decimal, SCALE_MAX};

use super::amount::Unreadable;
use super::number::Figure;
use super::reading::{ReadError, Reading, Source, Undated};
use super::record::{ROWS_MAX, Record, Records};
use super::when::Day;
use super::{column, date, ownership, shape, sign, summary};

/// How much of a rejected line is shown, in bytes.
const ORIGINAL_BYTES_MAX: usize = 1024;

/// One transaction as the file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The day it was booked.
    pub booked_on: NaiveDate,
    /// The same as the file writes it, whatever the account's time zone: by it the row is known
    /// again, also when the zone was told in between.
    pub written_on: NaiveDate,
    /// The day the money counts, if the file has it.
    pub value_on: Option<NaiveDate>,
    /// Outflow negative, inflow positive; exact as written. Whether the currency has so many
    /// decimals is told by [`Decimal::to_minor`].
    pub amount: Decimal,
    /// The row's currency, or the file's; none when the file names none.
    pub currency: Option<Currency>,
    /// What it was for, spaces collapsed.
    pub description: String,
    /// Who it was with; empty when the file does not tell.
    pub counterparty: String,
    /// The bank's id of the transaction, only when the file's ids are all filled and distinct.
    pub external_id: Option<String>,
    /// The balance that the row states; negative under a debit mark.
    pub balance_after: Option<Decimal>,
    /// The account it is of, as the file names it; empty when the file does not tell.
    pub account: String,
}

/// A row that is not taken over, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The reason for machines, such as `NO_DATE`.
    pub reason: &'static str,
    /// The reason for people.
    pub detail: String,
    /// The line as it stands in the file, cut at 1 KiB.
    pub original: String,
}

/// What a record turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A transaction.
    Row(StatementRow),
    /// A row that has to be shown and is not taken over.
    Rejected(RejectedRow),
}

/// The rows of a source in file order.
pub struct Rows {
    records: Records,
    /// The memory of the record that is being read.
    record: Record,
    reading: Reading,
    /// The last row, held back until it is known that no further text belongs to it.
    held: Option<StatementRow>,
    /// A rejection found behind the held row.
    next: Option<RejectedRow>,
    /// The line of the held row as it stands in the file, kept where it may turn out a summary.
    line: String,
    day: Option<Dated>,
    rows: u64,
    /// The sum of the rows since the last total, and their number.
    sum: (i128, u64),
    ended: bool,
}

/// The day of a row: as the file writes it, and in the account's time zone.
#[derive(Clone, Copy)]
struct Dated {
    written: NaiveDate,
    booked: NaiveDate,
}

/// From this version of a reading on, a dated row is a total by its word and its sum, texts of
/// nothing but marks are blank, and beside a balance pending rows are like declined ones.
const TOTALS_VERSION: u16 = 3;

/// Reads a source by a frozen reading.
///
/// # Errors
/// When the source cannot be opened.
pub fn rows(source: &dyn Source, reading: &Reading) -> Result<Rows, ReadError> {
    Ok(Rows {
        records: Records::open(source, &reading.charset, &reading.dialect)?,
        record: Record::default(),
        reading: reading.clone(),
        held: None,
        next: None,
        line: String::new(),
        day: None,
        rows: 0,
        sum: (0, 0),
        ended: false,
    })
}

/// Whether there is anything to import.
pub(super) fn any(source: &dyn Source, reading: &Reading) -> Result<bool, ReadError> {
    for entry in rows(source, reading)? {
        if matches!(entry?, Entry::Row(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Iterator for Rows {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.held.is_none()
                && let Some(rejected) = self.next.take()
            {
                return Some(Ok(Entry::Rejected(rejected)));
            }
            if self.ended {
                return self.held.take().map(|row| Ok(Entry::Row(row)));
            }
            let mut record = std::mem::take(&mut self.record);
            let found = match self.records.read_into(&mut record) {
                Ok(true) => self.record(&record),
                Ok(false) => {
                    self.ended = true;
                    None
                }
                Err(error) => Some(Err(self.fail(error))),
            };
            self.record = record;
            if found.is_some() {
                return found;
            }
        }
    }
}

/// Which of two neighbours only repeats the balance.
enum Restated {
    This(RejectedRow),
    Before(RejectedRow),
}

impl Rows {
    /// Takes in the next record. Gives what is certain with it: mostly the row before.
    fn record(&mut self, record: &Record) -> Option<Result<Entry, ReadError>> {
        if record.line <= self.reading.before || record.blank() {
            return None;
        }
        let before = self.held.take();
        match self.entry(record) {
            Some(Entry::Row(row)) => match self.restated(before.as_ref(), &row, record) {
                Some(Restated::Before(rejected)) => {
                    self.held = Some(row);
                    return Some(Ok(Entry::Rejected(rejected)));
                }
                Some(Restated::This(rejected)) => self.next = Some(rejected),
                None if self.rows == ROWS_MAX => {
                    let error = ReadError::limit("rows", "2,000,000");
                    return Some(Err(self.fail(error)));
                }
                None => self.hold(row),
            },
            Some(Entry::Rejected(rejected)) => {
                if rejected.reason == "SUMMARY" {
                    self.sum = (0, 0);
                }
                self.next = Some(rejected);
            }
            None => {
                self.held = before.map(|row| self.continued(row, record));
                return None;
            }
        }
        before.map(|row| Ok(Entry::Row(row)))
    }

    fn hold(&mut self, row: StatementRow) {
        self.rows += 1;
        self.day = Some(Dated {
            written: row.written_on,
            booked: row.booked_on,
        });
        let amount = row.amount.at_scale(SCALE_MAX).unwrap_or(0);
        self.sum = (self.sum.0.saturating_add(amount), self.sum.1 + 1);
        self.held = Some(row);
    }

    /// Nothing comes behind an error.
    fn fail(&mut self, error: ReadError) -> ReadError {
        self.ended = true;
        self.held = None;
        error
    }

    /// Whether a row, or the one in front of it, is a balance in the guise of a transaction: its
    /// amount is the balance, which is that of its neighbour in time.
    fn restated(
        &mut self,
        before: Option<&StatementRow>,
        row: &StatementRow,
        record: &Record,
    ) -> Option<Restated> {
        let rising = self.reading.restated?;
        let line = std::mem::replace(&mut self.line, record.original.clone());
        let before = before?;
        let size = |value: Decimal| value.magnitude().at_scale(SCALE_MAX);
        let balance = |row: &StatementRow| row.balance_after.and_then(size);
        let later = if rising { row } else { before };
        let repeats = later.amount.digits != 0
            && size(later.amount) == balance(later)
            && balance(row) == balance(before);
        let detail = "The row only repeats the balance.".to_owned();
        repeats.then(|| {
            if rising {
                Restated::This(rejected(record, "SUMMARY", detail))
            } else {
                let record = Record {
                    line: before.line,
                    cells: Vec::new(),
                    original: line,
                };
                Restated::Before(rejected(&record, "SUMMARY", detail))
            }
        })
    }

    /// What a record is; none for headers, further text and what lies around the table.
    fn entry(&self, record: &Record) -> Option<Entry> {
        let reading = &self.reading;
        if record.cells == reading.names {
            return None;
        }
        let reject = |reason, detail: &str| {
            Some(Entry::Rejected(rejected(record, reason, detail.to_owned())))
        };
        let today = reading.today;
        let day = self.day_of(record, reading.day);
        let amount = reading.plan.read(record);
        let Some(day) = day else {
            let other = reading
                .date_columns
                .iter()
                .any(|c| date::dated(record.cell(*c), today));
            let blank = reading
                .date_columns
                .iter()
                .all(|c| record.cell(*c).is_empty());
            return match (amount, self.day, reading.undated) {
                (Ok(Some(_)), ..) if summary::undated(record) => {
                    reject("SUMMARY", "The row states a balance or a total.")
                }
                (Ok(Some(amount)), Some(day), Undated::Carried) if blank => {
                    Some(self.row(record, day, amount))
                }
                (Ok(Some(_)), ..) => {
                    reject("NO_DATE", "The row has an amount and no readable date.")
                }
                (Ok(None), ..) if other => {
                    reject("NO_DATE", "The date does not read as the others.")
                }
                (Err(_), ..) if other => reject("NO_DATE", "Neither date nor amount can be read."),
                _ => None,
            };
        };
        if summary::dated(record) {
            return reject("SUMMARY", "The row states a balance or a total.");
        }
        if reading.left_out.contains(&record.line) {
            let detail = "The row is not like the others: it states a balance or a total.";
            return reject("SUMMARY", detail);
        }
        match amount {
            Ok(None) => reject(
                "NO_AMOUNT",
                "The row has no amount in the account's currency.",
            ),
            Err(Unreadable { reason, detail }) => reject(reason, &detail),
            Ok(Some(amount)) if self.sums_up(record, amount) => {
                reject("SUMMARY", "The row is the total of those above.")
            }
            Ok(Some(_)) if self.slipped(record) => reject(
                "SLIPPED",
                "The row has another number of cells than the others, and they stand in the \
                 wrong columns.",
            ),
            Ok(Some(_)) if self.torn(record) => reject(
                "SPLIT_AMOUNT",
                "The amount is split at a comma that lacks quotation marks.",
            ),
            Ok(Some(_)) if self.void(record) => reject(
                "VOID",
                "By its state no money moved in this row, or not yet.",
            ),
            Ok(Some(amount)) => Some(self.row(record, day, amount)),
        }
    }

    /// Whether an amount with an unquoted group or decimal comma fell apart into two cells, which
    /// makes the row wider than the others.
    fn torn(&self, record: &Record) -> bool {
        let width = self.reading.names.len().max(self.reading.dialect.width);
        let digits = |cell: &str| !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
        let filled = record
            .cells
            .iter()
            .rposition(|cell| !cell.is_empty())
            .unwrap_or(0);
        filled >= width
            && self.reading.plan.amount.columns().iter().any(|column| {
                let left = record
                    .cell(*column)
                    .trim_start_matches(['-', '+', '$', '€', '£']);
                let right = record.cell(column + 1);
                let start = right.split_once('.').map_or(right, |(start, _)| start);
                digits(left) && left.len() <= 3 && digits(start) && matches!(start.len(), 2 | 3)
            })
    }

    /// Whether a row with a date calls itself a total and is the sum of the rows since the last
    /// one. A shop may be called so; its price is not the sum of everything above.
    fn sums_up(&self, record: &Record, amount: Decimal) -> bool {
        let (sum, rows) = self.sum;
        self.reading.version >= TOTALS_VERSION
            && rows > 1
            && amount.at_scale(SCALE_MAX) == Some(sum)
            && summary::undated(record)
    }

    fn slipped(&self, record: &Record) -> bool {
        let reading = &self.reading;
        let width = reading.dialect.width;
        shape::slipped(record, &reading.shapes, width, reading.today)
    }

    /// What is pending is in doubt only where there is a balance, which may not count it. Without
    /// one it is told as everything else is, and what the bank makes of it later resembles it.
    fn void(&self, record: &Record) -> bool {
        let reading = &self.reading;
        let says = if reading.version < TOTALS_VERSION || reading.balance.is_none() {
            sign::void
        } else {
            sign::unsettled
        };
        reading
            .void_status
            .is_some_and(|status| says(record.cell(status)))
    }

    fn day_of(&self, record: &Record, day: Day) -> Option<Dated> {
        let reading = &self.reading;
        let cell = record.cell(day.column);
        let written = date::read(cell, day.order, reading.today)?;
        let stamps = reading.stamps.as_ref();
        let booked = stamps.map_or(written, |stamps| stamps.day(day.column, cell, written));
        Some(Dated { written, booked })
    }

    fn row(&self, record: &Record, day: Dated, amount: Decimal) -> Entry {
        let reading = &self.reading;
        let mut codes = reading
            .currency_columns
            .iter()
            .map(|column| record.cell(*column));
        let code = codes.find(|code| !code.is_empty());
        let currency = match code {
            Some(code) => match column::currency(code).or_else(|| Currency::parse(code).ok()) {
                Some(currency) => Some(currency),
                None => {
                    let detail = format!("{code:?} is no ISO 4217 currency.");
                    return Entry::Rejected(rejected(record, "UNKNOWN_CURRENCY", detail));
                }
            },
            None => reading.currency,
        };
        let id = reading
            .external_id
            .map(|column| record.cell(column).to_owned());
        let value = reading
            .value_day
            .and_then(|value| self.day_of(record, value))
            .map(|day| day.booked);
        let balance = reading.balance.and_then(|cell| {
            super::amount::figure(record, cell)
                .ok()
                .flatten()
                .map(Figure::balance)
        });
        let mut description = self.texts(record, &reading.descriptions);
        let counterparty = self.texts(record, &reading.counterparties);
        if description.is_empty() && counterparty.is_empty() {
            let mut spare = reading.spare.iter().map(|c| self.texts(record, &[*c]));
            description = spare.find(|text| !text.is_empty()).unwrap_or_default();
        }
        Entry::Row(StatementRow {
            line: record.line,
            booked_on: day.booked,
            written_on: day.written,
            value_on: value,
            amount,
            currency,
            description,
            counterparty,
            external_id: id.filter(|id| !id.is_empty()),
            balance_after: balance,
            account: ownership::of(reading, record),
        })
    }

    fn texts(&self, record: &Record, columns: &[usize]) -> String {
        texts(record, columns, self.reading.version < TOTALS_VERSION)
    }

    /// Adds the text of a record without date and amount to the row above, if it stands where
    /// descriptions stand; disclaimers stand elsewhere.
    fn continued(&self, mut row: StatementRow, record: &Record) -> StatementRow {
        let filled = record
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty());
        let inside = filled
            .clone()
            .all(|(column, _)| column > 0 && self.reading.descriptions.contains(&column));
        if inside && filled.count() > 0 && row.description.len() < ORIGINAL_BYTES_MAX {
            let text = self.texts(record, &self.reading.descriptions);
            if !row.description.is_empty() {
                row.description.push(' ');
            }
            row.description.push_str(&text);
        }
        row
    }
}

/// The texts of some columns, spaces collapsed, repetitions left out; with `marks` those too that
/// are nothing but marks, as `/` and `*` are where a bank has nothing to say.
fn texts(record: &Record, columns: &[usize], marks: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    for column in columns {
        let cell = record.cell(*column);
        let mut text = String::with_capacity(cell.len());
        for word in cell.split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        let says = marks || text.contains(char::is_alphanumeric);
        if !text.is_empty() && says && !parts.contains(&text) {
            parts.push(text);
        }
    }
    match parts.len() {
        1 => parts.remove(0),
        _ => parts.join(" "),
    }
}

fn rejected(record: &Record, reason: &'static str, detail: String) -> RejectedRow {
    let mut original = record.original.clone();
    let mut end = ORIGINAL_BYTES_MAX.min(original.len());
    while !original.is_char_boundary(end) {
        end -= 1;
    }
    original.truncate(end);
    RejectedRow {
        line: record.line,
        reason,
        detail,
        original,
    }
}
