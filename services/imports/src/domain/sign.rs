//! Evidence for what a sign means when no column tells it: the words of the rows, and states under
//! which no money moved.

use std::sync::LazyLock;

use djinn_ledger::money::Decimal;

use super::header::{Phrase, folded, phrases};
use super::record::Record;
use super::trial::Outcome;
use super::vocabulary;

/// Words are looked for in so many bytes of a row's texts.
const TEXT_BYTES_MAX: usize = 400;

static INFLOW: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::INFLOW));
static OUTFLOW: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::OUTFLOW));
static COLLECTION: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::COLLECTION));
static CHARGED: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::CHARGED));
static CREDITED: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::CREDITED));
static OUT: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::OUT));
static IN: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::IN));
static VOID: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::VOID));
static PENDING: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::PENDING));
static SETTLEMENT: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::SETTLEMENT));
static REPAYMENT: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::REPAYMENT));

/// What the words of a row tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// That money came in (true) or went out (false).
    pub(super) inward: Option<bool>,
    /// That a card was paid for, in words that its bank says (true) or that stand on the
    /// statement of another account as well.
    pub(super) repaid: Option<bool>,
}

/// Reads the words of a row.
pub(super) fn told(record: &Record, texts: &[usize]) -> Told {
    let mut text = String::new();
    for column in texts {
        if text.len() < TEXT_BYTES_MAX {
            text.push_str(&folded(record.cell(*column)));
            text.push(' ');
        }
    }
    let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.word_in(text.trim_end()));
    Told {
        inward: match (says(&INFLOW), says(&OUTFLOW)) {
            // An incoming direct debit tells neither.
            (true, false) => (!says(&COLLECTION)).then_some(true),
            (false, true) => Some(false),
            _ => None,
        },
        repaid: match says(&REPAYMENT) {
            true => Some(true),
            false => says(&SETTLEMENT).then_some(false),
        },
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

/// Words beside one that names the side which change nothing about it.
const NEUTRAL: [&str; 10] = [
    "transfer",
    "transaction",
    "entry",
    "note",
    "advice",
    "booking",
    "posting",
    "amount",
    "memo",
    "movement",
];

/// The direction that a value of an indicator column names: in (true), out (false).
pub(super) fn indicated(value: &str) -> Option<bool> {
    match value.trim() {
        "+" => return Some(true),
        "-" | "\u{2212}" => return Some(false),
        _ => {}
    }
    let text = folded(value);
    let side = |text: &str| {
        let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.equals(text));
        match (says(&IN), says(&OUT)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    };
    side(&text).or_else(|| {
        // `借 Dr` says the same twice, `Credit Transfer` says what was moved; in `Credit card` the
        // word is part of a name.
        let words = text.split(' ').filter(|word| !NEUTRAL.contains(word));
        let sides: Vec<Option<bool>> = words.map(side).collect();
        let first = sides.first().copied().flatten()?;
        (sides.len() <= 3 && sides.iter().all(|side| *side == Some(first))).then_some(first)
    })
}

/// The side that a type of booking leans to on the statement of a card, in (true) or out (false).
pub(super) fn leaning(value: &str) -> Option<bool> {
    let text = folded(value);
    let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.word_in(&text));
    let into = says(&INFLOW) || says(&REPAYMENT) || says(&SETTLEMENT) || says(&CREDITED);
    match (into, says(&OUTFLOW) || says(&CHARGED)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Whether a value names a collected payment and says nothing else of its side.
pub(super) fn collected(value: &str) -> bool {
    let text = folded(value);
    let says = |list: &[Phrase]| list.iter().any(|phrase| phrase.word_in(&text));
    says(&COLLECTION) && !says(&OUTFLOW)
}

/// Whether a state says that no money moved.
pub(super) fn void(state: &str) -> bool {
    let text = folded(state);
    !text.is_empty() && VOID.iter().any(|phrase| phrase.found_in(&text))
}

/// Whether a state says that a row is not booked, or not yet.
pub(super) fn unsettled(state: &str) -> bool {
    let text = folded(state);
    void(state) || (!text.is_empty() && PENDING.iter().any(|phrase| phrase.found_in(&text)))
}

impl Outcome {
    /// Whether the words of at least so many rows, or the thanks for a card's payment, all agree
    /// with the signs (true) or all contradict them.
    pub(super) fn leans(&self, rows: u64) -> Option<bool> {
        let agree = self.agree >= rows || self.repaid_positive > 0;
        let disagree = self.disagree >= rows || self.thanked_negative > 0;
        let contrary = self.disagree + self.repaid_negative;
        let favourable = self.agree + self.repaid_positive;
        match (agree, disagree) {
            (true, false) if contrary == 0 => Some(true),
            (false, true) if favourable == 0 => Some(false),
            _ => None,
        }
    }

    /// Takes note of an amount and of the words beside it.
    pub(super) fn count(&mut self, value: Decimal, told: Told) {
        let (inward, outward) = (value.digits > 0, value.digits < 0);
        self.filled += 1;
        self.positive += u64::from(inward);
        self.negative += u64::from(outward);
        if !inward && !outward {
            return;
        }
        if let Some(said) = told.inward {
            self.agree += u64::from(said == inward);
            self.disagree += u64::from(said != inward);
            self.outward_positive += u64::from(inward && !said);
        }
        if let Some(thanked) = told.repaid {
            self.repaid_positive += u64::from(inward);
            self.repaid_negative += u64::from(outward);
            self.thanked_negative += u64::from(outward && thanked);
        }
    }
}
