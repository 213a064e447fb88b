//! Rows at the edge of a table that are not like the others: banks put the closing balance behind
//! the last row, or in front of the first one, as a row that has a date and a sum and none of the
//! texts that all other rows have, or a total in words that nobody knows. Whether such a row counts
//! is told by nothing else.

use chrono::NaiveDate;

use super::column::Survey;
use super::layout::Layout;
use super::record::Record;
use super::{date, number};

/// Fewer rows than this tell nothing of what all others have.
const ROWS_MIN: u64 = 3;

/// So many letters in a row are a word.
const WORD_CHARS_MIN: usize = 3;

/// The first and the last row of a table, as far as they may be told from the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    first: Option<Record>,
    last: Option<Record>,
    /// The most cells of a row between them.
    width: usize,
}

/// Whether a text says anything. Scripts without spaces need no three letters to do so.
fn wordy(cell: &str) -> bool {
    let mut words = cell.split(|letter: char| !letter.is_alphabetic());
    words.any(|word| word.chars().count() >= WORD_CHARS_MIN || !word.is_ascii())
}

/// A row at the edge that lacks what all others have.
struct Stranger {
    line: u64,
    /// Whether it is put together in another way as well, so that it is none of the others.
    sure: bool,
}

impl Edges {
    /// Takes note of a row; they come in the order of the file.
    pub(super) fn observe(&mut self, record: &Record) {
        if self.first.is_none() {
            self.first = Some(record.clone());
        } else if let Some(last) = &mut self.last {
            self.width = self.width.max(last.cells.len());
            last.set(record);
        } else {
            self.last = Some(record.clone());
        }
    }

    /// The lines of the rows at the edges that are not like the others; `summed` says that the last
    /// one is the sum of all others. And whether it takes a person to say that they do not count.
    pub(super) fn left_out(
        &self,
        survey: &Survey,
        layout: &Layout,
        summed: bool,
    ) -> (Vec<u64>, bool) {
        let mut strangers = self.strangers(survey, layout);
        let total = self.last.as_ref().filter(|_| summed);
        let total = total.map(|record| Stranger {
            line: record.line,
            sure: false,
        });
        let known = |line: u64| strangers.iter().any(|stranger| stranger.line == line);
        strangers.extend(total.filter(|total| !known(total.line)));
        let doubted = strangers.iter().any(|stranger| !stranger.sure);
        let lines = strangers.iter().map(|stranger| stranger.line);
        (lines.collect(), doubted)
    }

    /// The rows at the edges that have no word and lack the texts that every other row has.
    fn strangers(&self, survey: &Survey, layout: &Layout) -> Vec<Stranger> {
        if survey.rows < ROWS_MIN {
            return Vec::new();
        }
        let edges = [&self.first, &self.last].into_iter().flatten();
        edges
            .filter_map(|row| self.stranger(row, survey, layout))
            .collect()
    }

    fn stranger(&self, row: &Record, survey: &Survey, layout: &Layout) -> Option<Stranger> {
        let texts = |column: &usize| {
            let facts = survey.facts(*column);
            !layout.date_columns.contains(column) && !facts.numeric() && !facts.currency()
        };
        let mut columns = 0..survey.columns.len();
        if columns.any(|column| texts(&column) && wordy(row.cell(column))) {
            return None;
        }
        // Texts of which this row alone has none.
        let lacking = (0..survey.columns.len())
            .filter(|column| row.cell(*column).is_empty() && texts(column))
            .filter(|column| survey.facts(*column).filled + 1 == survey.rows)
            .count();
        (lacking > 0).then_some(Stranger {
            line: row.line,
            sure: lacking > 1 && row.cells.len() < self.width,
        })
    }
}

/// Whether the first row of a table without a header is a heading: its date is spelt in another way
/// than that of all rows behind it, and it repeats the balance of the newest of them.
pub(super) fn heads(records: &[Record], first: usize, today: NaiveDate) -> bool {
    let Some((row, others)) = records.get(first..).and_then(<[Record]>::split_first) else {
        return false;
    };
    let columns = 0..row.cells.len();
    let spelt = |record: &Record, column: usize| {
        let cell = record.cell(column);
        date::dated(cell, today).then(|| spelling(cell))
    };
    let odd = |column: usize| {
        let mut all: Vec<String> = others.iter().filter_map(|o| spelt(o, column)).collect();
        let count = all.len();
        all.dedup();
        let own = spelt(row, column);
        count > 1 && all.len() == 1 && own.is_some() && all.first() != own.as_ref()
    };
    let repeats = |column: usize| {
        let cell = row.cell(column);
        let sum = cell.contains([',', '.']) && matches!(number::anatomy(cell), Ok(Some(_)));
        let edges = [others.first(), others.last()].into_iter().flatten();
        sum && !date::dated(cell, today) && edges.into_iter().any(|o| o.cell(column) == cell)
    };
    columns.clone().any(odd) && columns.into_iter().any(repeats)
}

/// A date with its figures masked.
fn spelling(cell: &str) -> String {
    let mask = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
    cell.chars().map(mask).collect()
}
