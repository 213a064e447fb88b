//! Evidence for what a sign means when no column tells it: the words of the rows, and states under
//! which no money moved.

use std::sync::LazyLock;

use super::fingerprint::normalise;
use super::header::{Phrase, phrases};
use super::record::Record;
use super::vocabulary;

/// Words are looked for in so many bytes of a row's texts.
const TEXT_BYTES_MAX: usize = 400;

static INFLOW: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::INFLOW));
static OUTFLOW: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::OUTFLOW));
static OUT: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::OUT));
static IN: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::IN));
static VOID: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::VOID));

/// Whether the words of a row tell that money came in (true) or went out (false).
pub(super) fn told(record: &Record, texts: &[usize]) -> Option<bool> {
    let mut text = String::new();
    for column in texts {
        if text.len() < TEXT_BYTES_MAX {
            text.push_str(&normalise(record.cell(*column)));
            text.push(' ');
        }
    }
    let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.word_in(text.trim_end()));
    match (says(&INFLOW), says(&OUTFLOW)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Pairs of single letters that tell a direction: debit and credit in Latin, Lithuanian, German,
/// Hungarian and Greek, and plain signs.
const LETTERS: [&str; 6] = ["dc", "dk", "sh", "tj", "χπ", "+-"];

/// Whether the values are words, or single letters of one known pair.
pub(super) fn letters<'a>(values: impl Iterator<Item = &'a str>) -> bool {
    // A lone slash or asterisk says nothing.
    let told = |value: &&str| value.contains(|c: char| c.is_alphanumeric() || "+-".contains(c));
    let letters: Vec<String> = values
        .filter(told)
        .filter(|value| value.chars().count() == 1)
        .map(str::to_lowercase)
        .collect();
    letters.is_empty()
        || LETTERS
            .iter()
            .any(|pair| letters.iter().all(|letter| pair.contains(letter.as_str())))
}

/// The direction that a value of an indicator column names: in (true), out (false).
pub(super) fn indicated(value: &str) -> Option<bool> {
    match value.trim() {
        "+" => return Some(true),
        "-" | "\u{2212}" => return Some(false),
        _ => {}
    }
    let text = normalise(value);
    let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.equals(&text));
    match (says(&IN), says(&OUT)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Whether a state says that no money moved.
pub(super) fn void(state: &str) -> bool {
    let text = normalise(state);
    !text.is_empty() && VOID.iter().any(|phrase| phrase.found_in(&text))
}
