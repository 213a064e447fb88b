//! Which column tells the day of a row, and in which order it writes day and month.

use chrono_tz::Tz;
use djinn_ledger::money::Currency;
use serde::{Deserialize, Serialize};

use super::column::{self, Survey};
use super::custom;
use super::date::Order;
use super::dates::{Dates, Settled};
use super::header::{self, DateKind};
use super::layout::Layout;
use super::reading::Refusal;
use super::stamp::{self, Stamps};

/// From so many rows on, a column with one and the same date is suspicious.
const CONSTANT_ROWS_MIN: u64 = 4;

/// So few rows tell nothing of the days on which a bank's customer spends.
const ROWS_MIN: u64 = 4;

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
    /// How its time stamps become days.
    pub(super) stamps: Option<Stamps>,
    pub(super) evidence: Vec<String>,
}

/// A column that may be the day of a row.
#[derive(Clone, Copy)]
struct Candidate {
    column: usize,
    kind: DateKind,
    filled: u64,
}

impl When {
    /// Settles how time stamps become days in the account's time zone, once it is known which
    /// columns hold the days.
    pub(super) fn stamp(&mut self, survey: &Survey, layout: &Layout, zone: Option<Tz>) {
        let days = self.choices.iter().chain(&self.value);
        let mut columns: Vec<usize> = days.map(|day| day.column).collect();
        columns.sort_unstable();
        columns.dedup();
        let (stamps, evidence) = stamp::find(survey, layout, &columns, zone);
        self.stamps = stamps;
        self.evidence.extend(evidence);
    }

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

/// What else the file tells of the order of its dates.
pub(super) struct Custom<'a> {
    /// Whether it writes decimal commas.
    pub(super) comma: bool,
    /// Whether it writes decimal points.
    pub(super) point: bool,
    /// Whether it writes groups of lakhs, as India and its neighbours do.
    pub(super) lakhs: bool,
    /// Whether the account has an IBAN.
    pub(super) iban: bool,
    /// Its currency.
    pub(super) currency: Option<Currency>,
    /// Columns that describe the rows.
    pub(super) texts: &'a [usize],
}

impl<'a> Custom<'a> {
    /// `mark` is the decimal mark of the file, if it has one.
    pub(super) fn new(
        survey: &Survey,
        mark: Option<char>,
        currency: Option<Currency>,
        texts: &'a [usize],
    ) -> Self {
        Self {
            comma: mark == Some(','),
            point: mark == Some('.'),
            iban: false,
            lakhs: survey.columns.iter().any(|facts| facts.lakhs()),
            currency,
            texts,
        }
    }
}

/// Decides over the surveyed columns.
pub(super) fn decide(
    survey: &Survey,
    layout: &Layout,
    custom: &Custom<'_>,
) -> Result<When, Refusal> {
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
        stamps: None,
        evidence: Vec::new(),
    };
    for candidate in &columns {
        let dates = survey.facts(candidate.column).dates;
        let settled = dates.settle(&allowed);
        let open = Open {
            survey,
            layout,
            custom,
            name: title(layout, candidate.column),
        };
        for order in open.orders(settled, &dates, &mut when.evidence) {
            when.choices.push(Day {
                column: candidate.column,
                order,
            });
        }
    }
    when.choices.truncate(4);
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

/// The candidates of the kind that most likely holds the day, in their order.
fn likeliest(candidates: &[Candidate]) -> Vec<Candidate> {
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
    days
}

/// The column of the day; several when it takes a person to tell, likeliest first.
fn columns(candidates: &[Candidate], survey: &Survey) -> Vec<Candidate> {
    let days = likeliest(candidates);
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
    // Rows that were begun and not booked lack the day of the booking, which is no gap.
    let unsettled = |other: &Candidate| {
        first.kind == DateKind::Booking
            && other.kind == DateKind::Started
            && survey.gaps_are_unsettled()
    };
    if let Some(other) = candidates.iter().find(fuller)
        && !unsettled(other)
    {
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
    if first.kind == DateKind::Unnamed && unsorted(survey, &first) {
        let mut others = days
            .iter()
            .filter(|other| sorted(survey, other) && differs(other))
            .filter(|other| other.filled >= first.filled);
        if let (Some(other), None) = (others.next(), others.next()) {
            return vec![*other];
        }
    }
    // Two time stamps that nothing names are those of a beginning and of an end.
    let timed = |candidate: &Candidate| survey.facts(candidate.column).dates.timed;
    let mut stamps = days.iter().filter(|other| differs(other) && timed(other));
    if first.kind == DateKind::Unnamed
        && timed(&first)
        && let Some(other) = stamps.next()
    {
        return vec![first, *other];
    }
    // What was begun on one day and completed on another was booked on the latter.
    let early = |other: &&Candidate| {
        let odd = (other.kind == DateKind::Started && first.kind != DateKind::Booking)
            || (other.kind == DateKind::Value && first.kind == DateKind::Transaction);
        odd && other.column < first.column && differs(other)
    };
    match candidates.iter().find(early) {
        Some(other) if unsorted(survey, &first) && sorted(survey, other) => vec![*other],
        Some(other) if sorted(survey, &first) && unsorted(survey, other) => vec![first],
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

/// Whether the dates of a column go up and down in every order that fits.
fn unsorted(survey: &Survey, candidate: &Candidate) -> bool {
    let dates = survey.facts(candidate.column).dates;
    let fitting = dates.fitting();
    !fitting.is_empty() && fitting.iter().all(|order| dates.unsorted(*order))
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

/// A column of dates whose order may be open.
struct Open<'a> {
    survey: &'a Survey,
    layout: &'a Layout,
    custom: &'a Custom<'a>,
    /// The column in words.
    name: String,
}

impl Open<'_> {
    /// The orders that remain.
    fn orders(&self, settled: Settled, dates: &Dates, evidence: &mut Vec<String>) -> Vec<Order> {
        let name = &self.name;
        let (order, text) = match settled {
            Settled::None => return Vec::new(),
            Settled::Fits(order) => {
                let label = order.label();
                (order, format!("The dates of {name} read only as {label}."))
            }
            Settled::ByOrder(order) => {
                let label = order.label();
                (
                    order,
                    format!("The rows of {name} are in order as {label}."),
                )
            }
            Settled::Open(open) => {
                let open: Vec<Order> = open.into_iter().flatten().collect();
                match self.by_custom(&open, dates) {
                    Some(found) => found,
                    None => return open,
                }
            }
        };
        evidence.push(text);
        vec![order]
    }

    /// What decimal commas, the language, or the texts of the rows tell of day and month.
    fn by_custom(&self, open: &[Order], dates: &Dates) -> Option<(Order, String)> {
        let months = |order: &Order| matches!(order, Order::Dmy | Order::Mdy);
        if !open.iter().all(months) {
            return None;
        }
        let name = &self.name;
        // Programs that leave out leading zeros write American dates in other languages too.
        let columns = self.layout.date_columns.iter();
        let padded = columns
            .map(|c| self.survey.facts(*c))
            .all(|facts| !facts.dates.unpadded);
        if self.custom.comma && padded {
            // No country that writes decimal commas puts the month first.
            let text = format!("Decimal commas: the day comes first in {name}.");
            return Some((Order::Dmy, text));
        }
        let names = self.layout.names.as_deref().unwrap_or_default();
        if let Some(order) = self.layout.order.filter(|order| open.contains(order)) {
            let label = order.label();
            let text = format!("The dates in front of the table read only as {label}.");
            return Some((order, text));
        }
        if self.custom.lakhs {
            let text = format!("Groups of lakhs: the day comes first in {name}.");
            return Some((Order::Dmy, text));
        }
        if dates.buddhist {
            let text = format!("Buddhist years: the day comes first in {name}.");
            return Some((Order::Dmy, text));
        }
        if padded && self.custom.iban {
            let text = format!("The account has an IBAN: the day comes first in {name}.");
            return Some((Order::Dmy, text));
        }
        if padded && custom::day_first(names, self.custom.currency, self.custom.point) {
            let text = format!("The header's language puts the day first in {name}.");
            return Some((Order::Dmy, text));
        }
        let texts: Vec<usize> = self
            .custom
            .texts
            .iter()
            .copied()
            .filter(|c| self.told(*c))
            .collect();
        let pairs = [(Order::Dmy, Order::Mdy), (Order::Mdy, Order::Dmy)];
        let mut pairs = pairs.into_iter();
        let (order, _) = pairs.find(|(own, other)| dates.clustered(*own, *other))?;
        let strangers = self.survey.rows >= ROWS_MIN && self.survey.recurrence.strangers(&texts);
        let text = format!(
            "Read the other way round, all rows of {name} would fall on one day of the month, \
             with other texts each time."
        );
        strangers.then_some((order, text))
    }

    /// Whether a column of texts says anything of single rows.
    fn told(&self, column: usize) -> bool {
        let values = self.survey.facts(column).values;
        values.is_none_or(|values| values.len() > 1)
    }
}
