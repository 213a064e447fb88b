//! Rows that state a balance or a total and are no transactions, told by a whole cell that says so.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::fingerprint::normalise;
use super::record::Record;
use super::vocabulary;

/// In a row with a date, only phrases of this many bytes count: a payee may well be called Total.
const DATED_BYTES_MIN: usize = 8;

/// No summary is longer than this, in bytes.
const CELL_BYTES_MAX: usize = 80;

static SUMMARY: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| vocabulary::SUMMARY.split('|').map(normalise).collect());

/// Whether a row that has a date is a summary.
pub(super) fn dated(record: &Record) -> bool {
    record.cells.iter().any(|cell| says(cell, DATED_BYTES_MIN))
}

/// Whether a row without a date is a summary.
pub(super) fn undated(record: &Record) -> bool {
    record.cells.iter().any(|cell| says(cell, 1))
}

fn says(cell: &str, bytes_min: usize) -> bool {
    if cell.is_empty() || cell.len() > CELL_BYTES_MAX || !cell.contains(char::is_alphabetic) {
        return false;
    }
    let text = normalise(cell);
    if SUMMARY.contains(&text) {
        return text.len() >= bytes_min;
    }
    // `Opening balance 01/02/2024` says the same without its figures.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let words = text
        .split(' ')
        .filter(|word| !word.chars().all(|c| c.is_ascii_digit()));
    let text = words.collect::<Vec<_>>().join(" ");
    text.len() >= bytes_min && SUMMARY.contains(&text)
}
