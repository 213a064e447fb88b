//! What each column holds, over all rows of the file: one pass, bounded memory.

use chrono::NaiveDate;
use djinn_ledger::money::Currency;

use super::date;
use super::dates::Dates;
use super::edge::Edges;
use super::encoding::Charset;
use super::header::{self, TextKind};
use super::layout::{self, Layout};
use super::number::Format;
use super::numbers::Numbers;
use super::reading::{ReadError, Source};
use super::record::{Dialect, ROWS_MAX, Record, Records};
use super::recurrence::Recurrence;
use super::section::Sections;
use super::{sign, summary};

/// Columns with more different values than this are no indicators.
const VALUES_MAX: usize = 24;

/// Longer cells are no value of an indicator.
const VALUE_BYTES_MAX: usize = 40;

/// What is known of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Cells that are not empty, in rows with a date.
    pub(super) filled: u64,
    pub(super) dates: Dates,
    pub(super) numbers: Numbers,
    /// Cells that are ISO codes.
    pub(super) currencies: u64,
    /// Cells that look like a code of up to five letters.
    pub(super) codes: u64,
    /// The different values with their counts; none when there are too many.
    pub(super) values: Option<Vec<(String, u64)>>,
    /// Bytes of text over all cells.
    pub(super) bytes: u64,
}

impl Facts {
    fn new() -> Self {
        Self {
            values: Some(Vec::new()),
            ..Self::default()
        }
    }

    fn observe(&mut self, cell: &str, dates: bool, today: NaiveDate) {
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        self.bytes += u64::try_from(cell.len()).unwrap_or(0);
        if dates {
            self.dates.observe(cell, today);
        }
        self.numbers.observe(cell);
        let code = cell.len() <= 5 && cell.chars().all(char::is_alphabetic);
        self.codes += u64::from(code);
        self.currencies += u64::from(currency(cell).is_some());
        let Some(values) = &mut self.values else {
            return;
        };
        if let Some((_, count)) = values.iter_mut().find(|(value, _)| value == cell) {
            *count += 1;
        } else if values.len() < VALUES_MAX && cell.len() <= VALUE_BYTES_MAX {
            values.push((cell.to_owned(), 1));
        } else {
            self.values = None;
        }
    }

    /// Whether the column holds numbers and nothing else.
    pub(super) fn numeric(&self) -> bool {
        self.numbers.numeric() && self.dates.best() * 2 < self.filled.max(1)
    }

    /// Whether most cells are numbers and none is a date: where the column is headed as money, the
    /// others are errors of their rows.
    pub(super) fn mostly_numeric(&self) -> bool {
        let numbers = self.numbers.best();
        numbers > 1 && numbers * 2 > self.filled && self.dates.best() == 0
    }

    /// Whether the column holds numbers that only groups of lakhs explain.
    pub(super) fn lakhs(&self) -> bool {
        self.numeric() && self.numbers.formats(None).first() == Some(&Format::DotLakh)
    }

    /// Whether the column holds codes of currencies.
    pub(super) fn currency(&self) -> bool {
        self.currencies > 0 && self.codes == self.filled && self.currencies * 10 >= self.filled * 6
    }
}

/// The currency of a cell: a code, an old code that banks still write, or a sign.
pub(super) fn currency(cell: &str) -> Option<Currency> {
    match cell.trim() {
        "RUR" | "₽" => Currency::parse("RUB").ok(),
        "€" => Currency::parse("EUR").ok(),
        "£" => Currency::parse("GBP").ok(),
        "₪" => Currency::parse("ILS").ok(),
        "₺" => Currency::parse("TRY").ok(),
        "₴" => Currency::parse("UAH").ok(),
        "₹" => Currency::parse("INR").ok(),
        "RMB" | "人民币" | "人民币元" => Currency::parse("CNY").ok(),
        "NTD" => Currency::parse("TWD").ok(),
        "Kč" => Currency::parse("CZK").ok(),
        "Ft" => Currency::parse("HUF").ok(),
        "zł" => Currency::parse("PLN").ok(),
        code if code.len() == 3 => Currency::parse(code).ok(),
        _ => None,
    }
}

/// What the pass over all rows finds.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// Rows with a date that are no summaries.
    pub(super) rows: u64,
    pub(super) columns: Vec<Facts>,
    /// The line where another table with other columns begins, if rows follow it.
    pub(super) other_table: Option<u64>,
    /// Rows with a date that only state a balance or a total.
    pub(super) summaries: u64,
    /// Pairs of date columns that differ in some row.
    unlike: Vec<(usize, usize)>,
    /// Rows that lack one of the dates, and those of them whose state says that they are not
    /// booked.
    gappy: u64,
    unsettled: u64,
    /// Whether texts come back on other days.
    pub(super) recurrence: Recurrence,
    /// The first and the last row.
    pub(super) edges: Edges,
}

impl Survey {
    pub(super) fn facts(&self, column: usize) -> Facts {
        self.columns.get(column).cloned().unwrap_or_default()
    }

    /// Whether two columns of dates differ in some row.
    pub(super) fn dates_differ(&self, left: usize, right: usize) -> bool {
        self.unlike.contains(&(left.min(right), left.max(right)))
    }

    /// Whether all rows that lack one of their dates say that they are not booked, or not yet.
    pub(super) fn gaps_are_unsettled(&self) -> bool {
        self.gappy > 0 && self.gappy == self.unsettled
    }

    /// Takes note of a row that lacks one of the dates.
    fn gap(&mut self, record: &Record, layout: &Layout, states: &[usize]) {
        if layout
            .date_columns
            .iter()
            .all(|c| !record.cell(*c).is_empty())
        {
            return;
        }
        self.gappy += 1;
        let says = |column: &usize| sign::unsettled(record.cell(*column));
        self.unsettled += u64::from(states.iter().any(says));
    }

    /// Balances and totals are dated as the rows are.
    fn dates(&mut self, record: &Record, layout: &Layout, today: NaiveDate) {
        for column in &layout.date_columns {
            if let Some(facts) = self.columns.get_mut(*column) {
                facts.dates.observe(record.cell(*column), today);
            }
        }
    }

    fn compare(&mut self, record: &Record, columns: &[usize], today: NaiveDate) {
        for (place, left) in columns.iter().enumerate() {
            for right in columns.iter().skip(place + 1) {
                let pair = (*left, *right);
                if !self.unlike.contains(&pair)
                    && !date::same(record.cell(*left), record.cell(*right), today)
                {
                    self.unlike.push(pair);
                }
            }
        }
    }
}

/// More columns of dates than this are not compared.
const DATE_COLUMNS_MAX: usize = 6;

/// Reads all rows once.
pub(super) fn survey(
    source: &dyn Source,
    charset: &Charset,
    dialect: &Dialect,
    layout: &Layout,
    today: NaiveDate,
) -> Result<Survey, ReadError> {
    let mut records = Records::open(source, charset, dialect)?;
    let mut survey = Survey::default();
    let mut other = None;
    let mut sections = Sections::default();
    let names = layout.names.as_deref().unwrap_or_default();
    survey.columns.resize_with(names.len(), Facts::new);
    let state = |column: &usize| header::text(name(layout, *column)) == TextKind::Status;
    let states: Vec<usize> = (0..names.len()).filter(state).collect();
    let compared = layout.date_columns.as_slice();
    let compared = compared.get(..DATE_COLUMNS_MAX).unwrap_or(compared);
    let mut record = Record::default();
    while records.read_into(&mut record)? {
        if record.line <= layout.before {
            sections.preamble(&record, layout);
            continue;
        }
        if !dated(&record, layout, today) {
            let headed = record.cells != names && layout::headed(&record, today);
            let another = survey.rows > 0 && layout.another_account(&record);
            if other.is_none() && (headed || another) {
                other = Some(record.line);
            }
            let begun = sections
                .between(&record, layout)
                .filter(|_| survey.rows > 0);
            other = other.or(begun);
            continue;
        }
        sections.row();
        if other.is_some() {
            survey.other_table = other;
        }
        if summary::dated(&record) {
            survey.summaries += 1;
            survey.dates(&record, layout, today);
            continue;
        }
        survey.compare(&record, compared, today);
        survey.gap(&record, layout, &states);
        survey.recurrence.observe(&record, layout);
        survey.rows += 1;
        if survey.rows > ROWS_MAX {
            return Err(ReadError::limit("rows", "2,000,000"));
        }
        if survey.columns.len() < record.cells.len() {
            survey.columns.resize_with(record.cells.len(), Facts::new);
        }
        for (column, (facts, cell)) in survey.columns.iter_mut().zip(&record.cells).enumerate() {
            facts.observe(cell, layout.date_columns.contains(&column), today);
        }
        survey.edges.observe(&record);
    }
    Ok(survey)
}

/// Whether the record has a date where the table has its dates.
pub(super) fn dated(record: &Record, layout: &Layout, today: NaiveDate) -> bool {
    layout
        .date_columns
        .iter()
        .any(|column| date::dated(record.cell(*column), today))
}

/// The name by which a column is understood: what a person says of it before what is written.
pub(super) fn name(layout: &Layout, column: usize) -> &str {
    let meaning = layout.meanings.get(column).copied().flatten();
    meaning.unwrap_or_else(|| written(layout, column))
}

/// The names by which the columns are understood, in their order.
pub(super) fn names(layout: &Layout) -> Vec<String> {
    let width = layout.names.as_ref().map_or(0, Vec::len);
    let width = width.max(layout.meanings.len());
    (0..width)
        .map(|column| name(layout, column).to_owned())
        .collect()
}

/// The name of a column as it is written, empty when it has none.
pub(super) fn written(layout: &Layout, column: usize) -> &str {
    let names = layout.names.as_deref().unwrap_or_default();
    names.get(column).map_or("", String::as_str)
}

/// The currency that a column's name carries.
pub(super) fn named_currency(layout: &Layout, column: usize) -> Option<Currency> {
    header::currency(written(layout, column))
}
