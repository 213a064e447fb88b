//! Questions in words, with rows as they would read under each answer.

use super::amount::{Amount, Signs, Unknown};
use super::layout::Layout;
use super::question::{Choice, Question, SAMPLES_MAX};
use super::reading::{ReadError, Reading, Source, Undated};
use super::row::{self, Entry};
use super::trial::Findings;
use super::when::title;

/// The key of the question about dates.
pub(super) const DATE: &str = "date";
/// The key of the question about amounts.
pub(super) const AMOUNT: &str = "amount";
/// The key of the question about rows that may not count.
pub(super) const ROWS: &str = "rows";

/// The first rows as they would read.
fn samples(source: &dyn Source, reading: &Reading) -> Result<Vec<String>, ReadError> {
    let mut samples = Vec::new();
    for entry in row::rows(source, reading)?.take(SAMPLES_MAX * 4) {
        if let Entry::Row(row) = entry?
            && samples.len() < SAMPLES_MAX
        {
            let text: String = row.description.chars().take(60).collect();
            let currency = row
                .currency
                .map_or(String::new(), |currency| format!(" {currency}"));
            samples.push(format!(
                "{}  {}{currency}  {text}",
                row.booked_on, row.amount
            ));
        }
    }
    Ok(samples)
}

/// Which day a row was booked on.
pub(super) fn date(
    source: &dyn Source,
    layout: &Layout,
    readings: Vec<Reading>,
) -> Result<Question, ReadError> {
    let mut choices = Vec::new();
    for reading in &readings {
        let column = title(layout, reading.day.column);
        choices.push(Choice {
            value: reading.day.token(),
            label: format!(
                "The date is in {column}, written {}.",
                reading.day.order.label()
            ),
            samples: samples(source, reading)?,
        });
    }
    let prompt = "Which date is meant, and which number is the day?".to_owned();
    Ok(Question {
        key: DATE.to_owned(),
        prompt,
        choices,
    })
}

/// Where the amount is and what its sign means.
pub(super) fn amount(
    source: &dyn Source,
    layout: &Layout,
    readings: Vec<Reading>,
) -> Result<Question, ReadError> {
    let mut choices = Vec::new();
    for reading in &readings {
        choices.push(Choice {
            value: reading.plan.token(),
            label: label(layout, reading),
            samples: samples(source, reading)?,
        });
    }
    let prompt = "Which of these reads the amounts rightly? Money out is negative.".to_owned();
    Ok(Question {
        key: AMOUNT.to_owned(),
        prompt,
        choices,
    })
}

fn label(layout: &Layout, reading: &Reading) -> String {
    let title = |column: usize| title(layout, column);
    let text = match &reading.plan.amount {
        Amount::Signed {
            cell,
            inverted: false,
        } => {
            format!("Signs as written in {}", title(cell.column))
        }
        Amount::Signed {
            cell,
            inverted: true,
        } => {
            format!("Positive means money out in {}", title(cell.column))
        }
        Amount::Marked {
            cell,
            inverted,
            bare: Unknown::Rejected,
        } => {
            let side = if *inverted { "in" } else { "out" };
            format!("A debit mark in {} means money {side}", title(cell.column))
        }
        Amount::Marked { cell, bare, .. } => {
            let side = if *bare == Unknown::In { "in" } else { "out" };
            format!(
                "Amounts without a mark in {} mean money {side}",
                title(cell.column)
            )
        }
        Amount::Pair { out, into, signs } => {
            let signs = match signs {
                Signs::Ignored => "",
                Signs::Reversal => "; a minus is a reversal",
                Signs::Direction => "; signs as written",
            };
            let (out, into) = (title(out.column), title(into.column));
            format!("Money out in {out}, money in in {into}{signs}")
        }
        Amount::Indicated {
            cell,
            indicator,
            unknown,
            signs,
            ..
        } => {
            let signs = match signs {
                Signs::Ignored => "tells the direction",
                Signs::Reversal => "tells the direction, a minus turns it",
                Signs::Direction => "does not count, signs as written",
            };
            let unknown = match unknown {
                Unknown::Rejected => "",
                Unknown::Out => "; other values mean money out",
                Unknown::In => "; other values mean money in",
            };
            format!(
                "Amounts in {}; {} {signs}{unknown}",
                title(cell.column),
                title(*indicator)
            )
        }
    };
    match reading.plan.fee {
        Some(fee) => format!("{text}, less the fee in {}.", title(fee.column)),
        None => format!("{text}."),
    }
}

/// Rows of which it is open whether they count.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    /// Their state says that no money moved.
    Void(usize),
    /// They have an amount and no date.
    Undated,
}

impl Rows {
    /// What is open after the trial.
    pub(super) fn open(findings: &Findings, status: Option<usize>) -> Option<Self> {
        match status {
            Some(status) if findings.void > 0 => Some(Self::Void(status)),
            _ if findings.undated > 0 => Some(Self::Undated),
            _ => None,
        }
    }

    /// The reading under the first choice.
    pub(super) fn first(self, reading: &Reading) -> Reading {
        match self {
            Self::Void(status) => Reading {
                void_status: Some(status),
                ..reading.clone()
            },
            Self::Undated => Reading {
                undated: Undated::Carried,
                ..reading.clone()
            },
        }
    }

    fn second(self, reading: &Reading) -> Reading {
        Reading {
            void_status: None,
            undated: Undated::Rejected,
            ..reading.clone()
        }
    }

    /// The reading under an answer.
    pub(super) fn answered(self, answer: &str, reading: &Reading) -> Option<Reading> {
        match (self, answer) {
            (Self::Void(_), "leave_out") | (Self::Undated, "date_above") => {
                Some(self.first(reading))
            }
            (Self::Void(_), "keep") | (Self::Undated, "leave_out") => Some(self.second(reading)),
            _ => None,
        }
    }

    /// The question; the reading becomes that of the first choice.
    pub(super) fn question(
        self,
        source: &dyn Source,
        reading: &mut Reading,
    ) -> Result<Question, ReadError> {
        let (prompt, values) = match self {
            Self::Void(_) => (
                "Some rows were declined, cancelled or turned back. Do they count?",
                [
                    ("leave_out", "Leave them out."),
                    ("keep", "They moved money: keep them."),
                ],
            ),
            Self::Undated => (
                "Some rows between the others have an amount and no date.",
                [
                    ("date_above", "They have the date of the row above."),
                    ("leave_out", "Leave them out."),
                ],
            ),
        };
        let mut choices = Vec::new();
        for (value, label) in values {
            let answered = self
                .answered(value, reading)
                .unwrap_or_else(|| reading.clone());
            let samples = samples(source, &answered)?;
            choices.push(Choice {
                value: value.to_owned(),
                label: label.to_owned(),
                samples,
            });
        }
        *reading = self.first(reading);
        Ok(Question {
            key: ROWS.to_owned(),
            prompt: prompt.to_owned(),
            choices,
        })
    }
}
