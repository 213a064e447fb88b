//! Whether the texts of a column come back on other days, as those of monthly bookings do and
//! those of a week of purchases do not. One pass, bounded memory.

use std::collections::BTreeMap;

use super::layout::Layout;
use super::record::Record;

/// More days than this are more than a month, and nothing is told any more.
const DAYS_MAX: usize = 31;

/// So many words of a column are remembered.
const WORDS_MAX: usize = 2_000;

/// Shorter words are of every text.
const WORD_CHARS_MIN: usize = 4;

/// One row in so many may repeat a word of another day by chance.
const SHARE: u64 = 4;

/// What is known of one column.
#[derive(Clone, Debug, Default)]
struct Words {
    /// Each word with the first day it stood beside.
    days: BTreeMap<String, usize>,
    /// Rows with words.
    rows: u64,
    /// Rows with a word that had stood beside another day.
    again: u64,
}

/// What is known of all columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Recurrence {
    days: Vec<String>,
    columns: Vec<Words>,
    rows: u64,
    ended: bool,
}

impl Recurrence {
    /// Takes note of a row.
    pub(super) fn observe(&mut self, record: &Record, layout: &Layout) {
        if self.ended {
            return;
        }
        self.rows += 1;
        let mut dates = layout.date_columns.iter().map(|c| record.cell(*c));
        let Some(cell) = dates.find(|cell| !cell.is_empty()) else {
            return;
        };
        let day: String = cell.chars().take(10).collect();
        let index = self.days.iter().position(|known| *known == day);
        let index = index.unwrap_or_else(|| {
            self.days.push(day);
            self.days.len() - 1
        });
        if self.columns.len() < record.cells.len() {
            self.columns.resize_with(record.cells.len(), Words::default);
        }
        for (words, cell) in self.columns.iter_mut().zip(&record.cells) {
            words.observe(cell, index);
        }
        let full = self.columns.iter().any(|c| c.days.len() > WORDS_MAX);
        self.ended = full || self.days.len() > DAYS_MAX;
    }

    /// Whether the texts of the columns differ from day to day. Columns in which every row has the
    /// same text must not be among them.
    pub(super) fn strangers(&self, columns: &[usize]) -> bool {
        let known = columns
            .iter()
            .filter_map(|column| self.columns.get(*column));
        let told = known.clone().any(|words| words.rows * 2 >= self.rows);
        !self.ended
            && told
            && known
                .into_iter()
                .all(|words| words.again * SHARE <= self.rows)
    }
}

impl Words {
    fn observe(&mut self, cell: &str, day: usize) {
        let words = cell.split(|c: char| !c.is_alphabetic());
        let long = words.filter(|word| word.chars().count() >= WORD_CHARS_MIN);
        let (mut any, mut again) = (false, false);
        for word in long.take(12) {
            any = true;
            let first = *self.days.entry(word.to_lowercase()).or_insert(day);
            again |= first != day;
        }
        self.rows += u64::from(any);
        self.again += u64::from(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers(rows: &[(&str, &str)]) -> bool {
        let layout = Layout {
            date_columns: vec![0],
            ..Layout::default()
        };
        let mut found = Recurrence::default();
        for (day, text) in rows {
            let record = Record {
                cells: vec![(*day).to_owned(), (*text).to_owned()],
                ..Record::default()
            };
            found.observe(&record, &layout);
        }
        found.strangers(&[1])
    }

    #[test]
    fn texts_that_come_back_and_texts_that_do_not() {
        let purchases = [("01/05", "Baker"), ("01/06", "Cinema"), ("01/07", "Petrol")];
        assert!(strangers(&purchases));
        let monthly = [
            ("01/05", "Interest January"),
            ("02/05", "Interest February"),
            ("03/05", "Interest March"),
        ];
        assert!(!strangers(&monthly));
        assert!(!strangers(&[
            ("01/05", "1"),
            ("01/06", "2"),
            ("01/07", "3")
        ]));
    }
}
