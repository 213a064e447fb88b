//! Rows that state a balance or a total and are no transactions, told by a whole cell that says so.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::header::folded;
use super::month;
use super::record::Record;
use super::vocabulary;

/// No summary is longer than this, in bytes.
const CELL_BYTES_MAX: usize = 80;

static SUMMARY: LazyLock<Sayings> = LazyLock::new(|| Sayings::of(vocabulary::SUMMARY));

static PAYEES: LazyLock<Sayings> = LazyLock::new(|| Sayings::of(vocabulary::SUMMARY_OR_PAYEE));

/// What a cell may say. Nearly every cell of a statement is looked up, several times, and nearly
/// none is there: most are told by their length and their first and last byte, without a hash of
/// the text.
struct Sayings {
    texts: HashSet<String>,
    /// For each first byte the lengths of the texts that begin with it, as bits.
    beginning: [u128; 256],
    /// The same for each last byte.
    ending: [u128; 256],
}

impl Sayings {
    fn of(list: &str) -> Self {
        let texts: HashSet<String> = list.split('|').map(folded).collect();
        let (mut beginning, mut ending) = ([0; 256], [0; 256]);
        for text in &texts {
            if let Some((first, last, length)) = place(text) {
                beginning[first] |= length;
                ending[last] |= length;
            }
        }
        Self {
            texts,
            beginning,
            ending,
        }
    }

    fn contains(&self, text: &str) -> bool {
        place(text).is_some_and(|(first, last, length)| {
            self.beginning[first] & self.ending[last] & length != 0
        }) && self.texts.contains(text)
    }
}

/// The first and the last byte of a text, and its length as a bit; none if it is empty or longer
/// than any saying.
fn place(text: &str) -> Option<(usize, usize, u128)> {
    let (first, last) = (text.bytes().next()?, text.bytes().next_back()?);
    let length = 1_u128.checked_shl(u32::try_from(text.len()).ok()?)?;
    Some((first.into(), last.into(), length))
}

/// Whether a row that has a date is a summary: a payee may well be called Total.
pub(super) fn dated(record: &Record) -> bool {
    record.cells.iter().any(|cell| says(cell, false))
}

/// Whether a row without a date is a summary.
pub(super) fn undated(record: &Record) -> bool {
    record.cells.iter().any(|cell| says(cell, true))
}

fn says(cell: &str, payees: bool) -> bool {
    if cell.is_empty() || cell.len() > CELL_BYTES_MAX || !cell.contains(char::is_alphabetic) {
        return false;
    }
    let known = |text: &str| SUMMARY.contains(text) || (payees && PAYEES.contains(text));
    let text = folded(cell);
    if known(&text) {
        return true;
    }
    // `S A L D O` is how some banks set a word off.
    if text.chars().nth(1) == Some(' ') && text.split(' ').all(|word| word.chars().count() == 1) {
        return known(&text.replace(' ', ""));
    }
    // `Opening balance 01/02/2024` says the same without its figures, `Total January` without
    // its month, which no payee has beside the name.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return of_month(&text);
    }
    let figures = |word: &&str| !word.chars().all(|c| c.is_ascii_digit());
    let words: Vec<&str> = text.split(' ').filter(figures).collect();
    let text = words.join(" ");
    known(&text) || of_month(&text)
}

fn of_month(text: &str) -> bool {
    let word = |word: &str| SUMMARY.contains(word) || PAYEES.contains(word);
    text.split_once(' ').is_some_and(|(first, last)| {
        (word(first) && month::month(last).is_some())
            || (word(last) && month::month(first).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_saying_is_found_and_nothing_else() {
        for sayings in [&SUMMARY, &PAYEES] {
            for text in &sayings.texts {
                assert!(sayings.contains(text), "{text}");
                assert!(!sayings.contains(&format!("{text}x")), "{text}");
            }
            assert!(!sayings.contains(""));
            assert!(!sayings.contains(&"o".repeat(200)));
        }
    }

    #[test]
    fn cells_that_say_a_summary() {
        for (cell, dated, undated) in [
            ("Opening balance", true, true),
            ("OPENING BALANCE 01/02/2024", true, true),
            ("S A L D O", true, true),
            ("Total", false, true),
            ("Total January", true, true),
            ("January", false, false),
            ("Total Wine January sale", false, false),
            ("Opening balance sheet", false, false),
            ("12.50", false, false),
            ("", false, false),
        ] {
            let told = (says(cell, false), says(cell, true));
            assert_eq!(told, (dated, undated), "{cell}");
        }
    }
}
