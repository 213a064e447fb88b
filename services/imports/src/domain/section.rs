//! The same table once more under another account: a bank that puts several accounts into one file
//! often writes them one behind the other, each with a line that names it and with its header
//! again. A header that only comes again, as on a new page, begins nothing.

use super::header::folded;
use super::layout::{self, Layout};
use super::part;
use super::record::Record;

/// What stands between rows and a header that comes again.
#[derive(Default)]
pub(super) struct Sections {
    /// The one text of the line in front of the first header.
    title: Option<String>,
    /// The same of the line that was read last.
    last: Option<(u64, String)>,
    /// A line since the last row that names an account which nothing in front of the table names.
    named: Option<u64>,
}

impl Sections {
    /// Takes note of a record in front of the rows.
    pub(super) fn preamble(&mut self, record: &Record, layout: &Layout) {
        if record.line < layout.before && !record.blank() {
            self.title = title(record);
        }
    }

    /// Takes note of a row.
    pub(super) fn row(&mut self) {
        self.last = None;
        self.named = None;
    }

    /// Takes note of a record behind rows that is none. Tells the line where another account
    /// begins, once its header has come.
    pub(super) fn between(&mut self, record: &Record, layout: &Layout) -> Option<u64> {
        if record.blank() {
            return None;
        }
        if layout.names.as_ref() != Some(&record.cells) {
            if self.named.is_none() && names_another(record, layout) {
                self.named = Some(record.line);
            }
            self.last = title(record).map(|text| (record.line, text));
            return None;
        }
        let entitled = self.last.as_ref().filter(|(_, text)| {
            // Pages differ by their numbers.
            let first = self.title.as_deref();
            first.is_some_and(|first| letters(first) != letters(text))
        });
        self.named.or(entitled.map(|(line, _)| *line))
    }
}

/// The text of a record with one cell that is filled.
fn title(record: &Record) -> Option<String> {
    let mut filled = record.cells.iter().filter(|cell| !cell.is_empty());
    let only = filled.next()?;
    filled.next().is_none().then(|| folded(only))
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_alphabetic())
        .collect()
}

/// Whether a record names an account by an IBAN, or by a number behind a word for it, and nothing
/// in front of the table does.
fn names_another(record: &Record, layout: &Layout) -> bool {
    let compact = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let known = |number: &str| {
        let number = compact(&folded(number));
        layout
            .preface
            .iter()
            .any(|text| compact(text).contains(&number))
    };
    let behind = |cell: &String| match cell.rsplit_once(':') {
        Some((_, number)) => number.trim().to_owned(),
        None => cell.clone(),
    };
    let mut ibans = record
        .cells
        .iter()
        .map(behind)
        .filter(|cell| part::iban(cell));
    if ibans.any(|iban| !known(&iban)) {
        return true;
    }
    layout::account_number(record).is_some_and(|number| !known(&number))
}

#[cfg(test)]
mod tests {
    use super::super::specimen::recognised;

    /// Blocks of rows, each behind its own lines and the same header.
    fn outcome(blocks: &[&str]) -> String {
        let mut text = String::new();
        for (index, lines) in blocks.iter().enumerate() {
            let day = 13 + index * 3;
            text += &format!(
                "{lines}Datum;Text;Betrag\n{day}.03.2026;Kauf;-20,00\n{}.03.2026;Lohn;1000,00\n\n",
                day + 1
            );
        }
        let found = recognised(text.as_bytes(), &[]);
        let reason = found.lines().nth(1).unwrap_or_default();
        if found.starts_with("refused") {
            reason.to_owned()
        } else {
            let rows = found.lines().filter(|line| line.contains(" EUR")).count();
            let rows = rows.max(
                found
                    .lines()
                    .filter(|line| line.starts_with("2026"))
                    .count(),
            );
            format!("{} {rows}", found.lines().next().unwrap_or_default())
        }
    }

    #[test]
    fn the_same_header_under_another_account_is_another_table() {
        let several = "0 SEVERAL_TABLES";
        for blocks in [
            ["Konto;DE111;\n", "Konto;DE222;\n"],
            ["Konto: DE111\n", "Konto: DE222\n"],
            ["Kontonummer;12345678;\n", "Kontonummer;87654321;\n"],
            ["", "Konto;87654321;\n"],
            ["Bank\n", "Account number: 87654321\n"],
            ["DE71500105170012345678\n", "DE96500105170087654321\n"],
            ["", "IBAN: DE96 5001 0517 0087 6543 21\n"],
            ["Girokonto\n", "Tagesgeld\n"],
            ["Bank\n\nGirokonto\n", "Bank\n\nTagesgeld\n"],
        ] {
            assert_eq!(outcome(&blocks), several, "{blocks:?}");
        }
    }

    #[test]
    fn the_same_header_under_the_same_account_is_a_page() {
        for blocks in [
            ["", ""],
            ["Konto;DE111;\n", "Konto;DE111;\n"],
            ["Konto;DE111;\n", ""],
            ["DE71500105170012345678\n", "DE71 5001 0517 0012 3456 78\n"],
            ["Seite 1\n", "Seite 2\n"],
            ["Girokonto\n", "Girokonto\n"],
            ["", "Seite 2\n"],
        ] {
            assert_eq!(outcome(&blocks), "ready 4", "{blocks:?}");
        }
    }
}
