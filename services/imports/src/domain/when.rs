//! Which column tells the day of a row, and in which order it writes day and month.

use serde::{Deserialize, Serialize};

use super::column::{self, Survey};
use super::date::Order;
use super::dates::Settled;
use super::header::{self, DateKind};
use super::layout::Layout;
use super::reading::Refusal;

/// From so many rows on, a column with one and the same date is suspicious.
const CONSTANT_ROWS_MIN: u64 = 4;

/// A column of dates with its order.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The column, from 0.
    pub column: usize,
    /// The order of day, month and year.
    pub order: Order,
}

impl Day {
    /// The value of a choice.
    pub(super) fn token(self) -> String {
        format!("{}:{}", self.column, self.order.token())
    }
}

/// What is decided, or stays open.
pub(super) struct When {
    /// Likeliest first; one when nothing is open.
    pub(super) choices: Vec<Day>,
    /// The day the money counts, when the file has that too.
    pub(super) value: Option<Day>,
    pub(super) evidence: Vec<String>,
}

impl When {
    /// How the dates run through the file under every order that is still possible.
    pub(super) fn direction(&self, survey: &Survey) -> Option<bool> {
        let mut found = None;
        for day in &self.choices {
            let direction = survey.facts(day.column).dates.direction(day.order)?;
            if found.is_some_and(|old| old != direction) {
                return None;
            }
            found = Some(direction);
        }
        found
    }
}

/// A column that may be the day of a row.
#[derive(Clone, Copy)]
struct Candidate {
    column: usize,
    kind: DateKind,
    filled: u64,
}

/// Decides over the surveyed columns. `comma` tells that the file writes decimal commas.
pub(super) fn decide(survey: &Survey, layout: &Layout, comma: bool) -> Result<When, Refusal> {
    let candidates = candidates(survey, layout);
    let columns = columns(&candidates, survey);
    if columns.is_empty() {
        let detail = "No column holds dates in every row. Is this a statement of transactions?";
        return Err(Refusal::new("NO_DATE_COLUMN", detail));
    }
    let mut allowed = allowed(survey, &candidates);
    let east = layout.names.as_deref().is_none_or(header::east_asian);
    let short = candidates
        .iter()
        .all(|candidate| survey.facts(candidate.column).dates.short_first);
    if short && !east && allowed.len() > 1 {
        // Short years come first in East Asia only.
        allowed.retain(|order| *order != Order::Ymd);
    }
    let mut when = When {
        choices: Vec::new(),
        value: None,
        evidence: Vec::new(),
    };
    for candidate in &columns {
        let name = title(layout, candidate.column);
        for order in orders(
            survey,
            *candidate,
            &allowed,
            comma,
            &name,
            &mut when.evidence,
        ) {
            when.choices.push(Day {
                column: candidate.column,
                order,
            });
        }
    }
    when.choices.truncate(4);
    let zoned = |candidate: &Candidate| survey.facts(candidate.column).dates.zoned;
    if columns.iter().any(zoned) {
        let text = "Time stamps carry an offset from UTC: the date counts as it is written.";
        when.evidence.push(text.to_owned());
    }
    let value = candidates.iter().find(|candidate| {
        candidate.kind == DateKind::Value && columns.iter().all(|c| c.column != candidate.column)
    });
    when.value = value.and_then(|candidate| {
        let first = when.choices.first()?;
        let fitting = survey.facts(candidate.column).dates.fitting();
        let same = fitting.iter().find(|order| **order == first.order);
        let order = *same.or_else(|| fitting.first().filter(|_| fitting.len() == 1))?;
        Some(Day {
            column: candidate.column,
            order,
        })
    });
    Ok(when)
}

/// A column in words.
pub(super) fn title(layout: &Layout, column: usize) -> String {
    match column::written(layout, column) {
        "" => format!("column {}", column + 1),
        name => format!("column {name:?}"),
    }
}

fn candidates(survey: &Survey, layout: &Layout) -> Vec<Candidate> {
    let mut found = Vec::new();
    for column in &layout.date_columns {
        let facts = survey.facts(*column);
        if facts.dates.fitting().is_empty() || facts.filled * 2 < survey.rows {
            continue;
        }
        let kind = header::date(column::name(layout, *column));
        found.push(Candidate {
            column: *column,
            kind,
            filled: facts.filled,
        });
    }
    found
}

/// The column of the day; several when it takes a person to tell, likeliest first.
fn columns(candidates: &[Candidate], survey: &Survey) -> Vec<Candidate> {
    let of = |kinds: &[DateKind]| -> Vec<Candidate> {
        candidates
            .iter()
            .filter(|candidate| kinds.contains(&candidate.kind))
            .copied()
            .collect()
    };
    let mut days = of(&[DateKind::Booking, DateKind::Transaction, DateKind::Generic]);
    for kind in [
        DateKind::Unnamed,
        DateKind::Started,
        DateKind::Value,
        DateKind::Period,
    ] {
        if days.is_empty() {
            days = of(&[kind]);
        }
    }
    let Some(first) = days.first().copied() else {
        return Vec::new();
    };
    let differs = |other: &Candidate| survey.dates_differ(first.column, other.column);
    // A fuller column beside a gappy one: which of them dates the rows is not ours to say.
    let fuller = |other: &&Candidate| {
        other.column != first.column
            && other.filled > first.filled
            && other.kind != DateKind::Period
    };
    if let Some(other) = candidates.iter().find(fuller) {
        return vec![first, *other];
    }
    // A day that stays the same beside one that moves is that of the print, not of the rows.
    let moves = |candidate: &Candidate| survey.facts(candidate.column).dates.varies;
    if survey.rows >= CONSTANT_ROWS_MIN
        && !moves(&first)
        && let Some(other) = days.iter().find(|other| moves(other))
    {
        return vec![*other, first];
    }
    // The day of the purchase in front of the day of the booking is the custom of card
    // statements; where the day of the booking comes first, it is meant by its name. Only a day
    // that may be another one, further left, takes a person.
    // Of columns that nothing names, that of the booking is the one by which a statement is sorted.
    if first.kind == DateKind::Unnamed && !sorted(survey, &first) {
        let mut others = days
            .iter()
            .filter(|other| sorted(survey, other) && differs(other));
        if let (Some(other), None) = (others.next(), others.next()) {
            return vec![*other];
        }
    }
    let early = |other: &&Candidate| {
        let odd = other.kind == DateKind::Started
            || (other.kind == DateKind::Value && first.kind == DateKind::Transaction);
        odd && other.column < first.column && differs(other)
    };
    match candidates.iter().find(early) {
        Some(other) => vec![first, *other],
        None => vec![first],
    }
}

/// Whether the dates of a column rise or fall through the whole file in every order that fits.
fn sorted(survey: &Survey, candidate: &Candidate) -> bool {
    let dates = survey.facts(candidate.column).dates;
    let fitting = dates.fitting();
    !fitting.is_empty() && fitting.iter().all(|order| dates.sorted(*order))
}

/// Orders that all date columns have in common: one file writes dates in one way.
fn allowed(survey: &Survey, candidates: &[Candidate]) -> Vec<Order> {
    let mut allowed: Option<Vec<Order>> = None;
    for candidate in candidates {
        let fitting = survey.facts(candidate.column).dates.fitting();
        let common = match &allowed {
            None => fitting,
            Some(old) => old
                .iter()
                .filter(|order| fitting.contains(order))
                .copied()
                .collect(),
        };
        if !common.is_empty() {
            allowed = Some(common);
        }
    }
    allowed.unwrap_or_default()
}

fn orders(
    survey: &Survey,
    candidate: Candidate,
    allowed: &[Order],
    comma: bool,
    name: &str,
    evidence: &mut Vec<String>,
) -> Vec<Order> {
    let dates = survey.facts(candidate.column).dates;
    match dates.settle(allowed) {
        Settled::None => Vec::new(),
        Settled::Fits(order) => {
            evidence.push(format!(
                "The dates of {name} read only as {}.",
                order.label()
            ));
            vec![order]
        }
        Settled::ByOrder(order) => {
            evidence.push(format!(
                "The rows of {name} are in order as {}.",
                order.label()
            ));
            vec![order]
        }
        Settled::Open(open) => {
            let open: Vec<Order> = open.into_iter().flatten().collect();
            let months = open
                .iter()
                .all(|order| matches!(order, Order::Dmy | Order::Mdy));
            if comma && months {
                // No country that writes decimal commas puts the month first.
                evidence.push(format!("Decimal commas: the day comes first in {name}."));
                return vec![Order::Dmy];
            }
            open
        }
    }
}
