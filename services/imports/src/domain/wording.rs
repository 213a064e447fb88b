//! Questions in words that a person can answer from their own statement, with rows as they would
//! read under each answer. What an answer is filed under stays what it is: templates keep it.

use super::amount::{Amount, Plan, Signs, Unknown};
use super::description::example;
use super::layout::Layout;
use super::question::{Choice, Question};
use super::reading::{ReadError, Reading, Source, Undated};
use super::sample;
use super::trial::Findings;
use super::when::{Day, title};

/// The key of the question about dates.
pub(super) const DATE: &str = "date";
/// The key of the question about amounts.
pub(super) const AMOUNT: &str = "amount";
/// The key of the question about rows that may not count.
pub(super) const ROWS: &str = "rows";

/// A choice with the rows that show it.
fn choices(
    labelled: impl IntoIterator<Item = (String, String)>,
    samples: Vec<Vec<String>>,
) -> Vec<Choice> {
    let together = labelled.into_iter().zip(samples);
    together
        .map(|((value, label), samples)| Choice {
            value,
            label,
            samples,
        })
        .collect()
}

/// Which day a row was booked on.
pub(super) fn date(
    source: &dyn Source,
    layout: &Layout,
    readings: Vec<Reading>,
) -> Result<Question, ReadError> {
    let samples = sample::samples(source, &readings)?;
    let first = readings.first().map(|reading| reading.day);
    let of_first = |same: fn(Day, Day) -> bool| {
        let mut days = readings.iter().map(|reading| reading.day);
        days.all(|day| first.is_none_or(|first| same(first, day)))
    };
    let one_column = of_first(|first, day| first.column == day.column);
    let one_order = of_first(|first, day| first.order == day.order);
    let prompt = match first {
        Some(day) if one_column => format!(
            "Which number in {} is the day? Look for a booking whose day you know.",
            title(layout, day.column)
        ),
        _ if one_order => "Which of these dates is the day of the booking?".to_owned(),
        _ => {
            "Which date is the day of the booking, and which of its numbers is the day?".to_owned()
        }
    };
    let labelled = readings
        .iter()
        .map(|reading| (reading.day.token(), day(layout, reading.day)));
    Ok(Question {
        key: DATE.to_owned(),
        prompt,
        choices: choices(labelled, samples.by_choice),
    })
}

/// A choice of the day in words.
pub(super) fn day(layout: &Layout, day: Day) -> String {
    let column = title(layout, day.column);
    format!("The date is in {column}, written {}.", day.order.label())
}

/// Where the amount is and what its sign means.
pub(super) fn amount(
    source: &dyn Source,
    layout: &Layout,
    readings: Vec<Reading>,
) -> Result<Question, ReadError> {
    let samples = sample::samples(source, &readings)?;
    let prompt = if samples.sizes_differ {
        "Which amounts are those of your statement? A minus is money out, a plus money in."
    } else {
        "Which way did the money go in these rows? A minus is money out, a plus money in."
    };
    let plans: Vec<Plan> = readings.into_iter().map(|reading| reading.plan).collect();
    let labelled = plans
        .iter()
        .map(|choice| (choice.token(), plan(layout, choice, &plans)));
    Ok(Question {
        key: AMOUNT.to_owned(),
        prompt: prompt.to_owned(),
        choices: choices(labelled, samples.by_choice),
    })
}

/// A choice of the amount in words; `open` are all that there are to choose from.
pub(super) fn plan(layout: &Layout, plan: &Plan, open: &[Plan]) -> String {
    let text = label(layout, plan);
    let alike = |other: &&Plan| label(layout, other) == text;
    if open.iter().filter(alike).count() < 2 {
        return text;
    }
    // Only the numbers themselves read differently.
    let format = plan.amount.cell().format;
    format!(
        "{}, written as in {}.",
        text.trim_end_matches('.'),
        example(format)
    )
}

fn label(layout: &Layout, plan: &Plan) -> String {
    let title = |column: usize| title(layout, column);
    let text = match &plan.amount {
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
    match plan.fee {
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
    /// They stand at the edge and have none of the texts that all others have, or are their sum.
    Odd,
}

impl Rows {
    /// What is open after the trial. Only one of these is asked: where it is another one, odd rows
    /// are left out and shown.
    pub(super) fn open(findings: &Findings, status: Option<usize>, odd: bool) -> Option<Self> {
        match status {
            Some(status) if findings.void > 0 => Some(Self::Void(status)),
            _ if findings.undated > 0 => Some(Self::Undated),
            _ => odd.then_some(Self::Odd),
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
            Self::Odd => reading.clone(),
        }
    }

    fn second(self, reading: &Reading) -> Reading {
        let left_out = match self {
            Self::Odd => Vec::new(),
            Self::Void(_) | Self::Undated => reading.left_out.clone(),
        };
        Reading {
            void_status: None,
            undated: Undated::Rejected,
            left_out,
            ..reading.clone()
        }
    }

    /// The possible answers, the first one first. Their values differ between the two questions,
    /// or a template would answer the one with the other's.
    pub(super) fn answers(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Void(_) => [
                ("drop", "No: leave them out."),
                ("keep", "Yes, money moved: keep them."),
            ],
            Self::Undated => [
                ("date_above", "The day of the row above."),
                ("leave_out", "None that is known: leave them out."),
            ],
            Self::Odd => [
                (
                    "balance",
                    "No, it states a balance or a total: leave it out.",
                ),
                ("booking", "Yes, money moved: keep it."),
            ],
        }
    }

    /// The reading under an answer; that of the first one for any other text.
    pub(super) fn answered(self, answer: &str, reading: &Reading) -> Reading {
        match self.answers() {
            [_, (second, _)] if second == answer => self.second(reading),
            _ => self.first(reading),
        }
    }

    /// An answer in words.
    pub(super) fn label(self, answer: &str) -> String {
        let about = match self {
            Self::Void(_) => "Do declined, cancelled or pending rows count?",
            Self::Undated => "Which day have rows without a date?",
            Self::Odd => "Does a first or last row that is not like the others count?",
        };
        let answers = self.answers();
        let chosen = answers.iter().find(|(value, _)| *value == answer);
        format!("{about} {}", chosen.map_or("", |(_, label)| *label))
    }

    /// The question; the reading becomes that of the first choice. None where the choices come to
    /// the same, as for declined rows that have no date anyway: there is nothing to ask before
    /// another answer gives them one.
    pub(super) fn question(
        self,
        source: &dyn Source,
        reading: &mut Reading,
    ) -> Result<Option<Question>, ReadError> {
        let prompt = match self {
            Self::Void(_) => {
                "Some rows were declined, cancelled or turned back, or are pending. Do they count?"
            }
            Self::Undated => {
                "Some rows between the others have an amount and no date. Which day do they have?"
            }
            Self::Odd => {
                "The first or the last row has none of the texts that all others have. \
                           Does it count?"
            }
        };
        let readings = [self.first(reading), self.second(reading)];
        let samples = sample::samples(source, &readings)?;
        *reading = self.first(reading);
        if samples.are_alike() {
            return Ok(None);
        }
        let labelled = self.answers();
        let labelled = labelled.map(|(value, label)| (value.to_owned(), label.to_owned()));
        Ok(Some(Question {
            key: ROWS.to_owned(),
            prompt: prompt.to_owned(),
            choices: choices(labelled, samples.by_choice),
        }))
    }
}
