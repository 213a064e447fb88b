//! Rows that state a balance or a total and are no transactions, told by a whole cell that says so.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::header::folded;
use super::month;
use super::record::Record;
use super::vocabulary;

/// No summary is longer than this, in bytes.
const CELL_BYTES_MAX: usize = 80;

// Nearly every cell of a statement is looked up in them, and nearly none is there.
static SUMMARY: LazyLock<HashSet<String>> = LazyLock::new(|| words(vocabulary::SUMMARY));

static PAYEES: LazyLock<HashSet<String>> = LazyLock::new(|| words(vocabulary::SUMMARY_OR_PAYEE));

fn words(list: &str) -> HashSet<String> {
    list.split('|').map(folded).collect()
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
