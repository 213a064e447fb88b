//! Where a running balance breaks off: two rows whose balances differ by anything but the amounts
//! between them have a row between them that is missing, in the file or among those that can be
//! read.
//!
//! The rows pass by once, and what is kept does not grow with them. Which way the file runs, and
//! whether a balance stands behind its row or before it, is certain only at the end, so every way
//! is followed at once, each with the first of its gaps. It speaks of the file alone: what a person
//! leaves out or edits is nothing to it.

mod balances;

use std::cmp::Ordering;

use chrono::NaiveDate;
use djinn_ledger::money::{Decimal, SCALE_MAX};
use serde::{Deserialize, Serialize};

use super::row::{Entry, StatementRow};

pub use self::balances::Balances;

/// Gaps that are kept: a person who looks at so many has understood, and the rest is counted.
pub const GAPS_MAX: usize = 20;

/// Rows that cannot be read that are named with a gap.
pub const UNREAD_MAX: usize = 5;

/// A place where the balance does not follow.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The row above it in the file.
    pub above: Edge,
    /// The row below it.
    pub below: Edge,
    /// The balance that the later of the two rows ought to state.
    pub expected: String,
    /// The balance that it states.
    pub found: String,
    /// What is missing: found less expected.
    pub difference: String,
    /// The first of the rows between the two that cannot be read, and may explain it.
    pub unread: Vec<Unread>,
    /// How many of them there are.
    pub unread_count: u64,
}

/// One of the two rows at a gap.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its number among all rows of the file, from 1.
    pub row_number: i32,
    /// Its line.
    pub line: u64,
    /// The day it was booked.
    pub booked_on: NaiveDate,
}

/// A row that cannot be read.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its number among all rows of the file, from 1.
    pub row_number: i32,
    /// Its line.
    pub line: u64,
    /// Why, for programs.
    pub reason: String,
}

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The first of them, in the order of the file.
    pub first: Vec<Gap>,
    /// How many there are.
    pub count: u64,
}

/// How the balance of a row may follow from the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In order of time: it is the one above plus the row's own amount.
    Rising,
    /// The same of a debt; or newest first, and stated before the row.
    RisingInverted,
    /// Newest first: the one above is this one plus the amount above.
    Falling,
    /// The same of a debt; or in order of time, and stated before the row.
    FallingInverted,
}

const WAYS: [Way; 4] = [
    Way::Rising,
    Way::RisingInverted,
    Way::Falling,
    Way::FallingInverted,
];

impl Way {
    fn inverse(self) -> Self {
        match self {
            Self::Rising => Self::RisingInverted,
            Self::RisingInverted => Self::Rising,
            Self::Falling => Self::FallingInverted,
            Self::FallingInverted => Self::Falling,
        }
    }

    /// By how much the balance ought to differ from the one above: with all amounts in between, and
    /// without those of rows that state no balance and may be pending.
    fn steps(self, last: &Last, since: i128, amount: i128) -> [i128; 2] {
        let with = |own: i128| [own.saturating_add(since), own];
        match self {
            Self::Rising => with(amount),
            Self::RisingInverted => with(amount).map(i128::saturating_neg),
            Self::Falling => with(last.own).map(i128::saturating_neg),
            Self::FallingInverted => with(last.own),
        }
    }

    /// Which is believed of two that are as good, by the order of the dates: equal amounts one
    /// behind the other step as both.
    fn rank(self, order: Ordering) -> usize {
        let ranked = match order {
            Ordering::Less => [
                Self::Falling,
                Self::RisingInverted,
                Self::FallingInverted,
                Self::Rising,
            ],
            Ordering::Equal | Ordering::Greater => [
                Self::Rising,
                Self::FallingInverted,
                Self::RisingInverted,
                Self::Falling,
            ],
        };
        ranked
            .iter()
            .position(|way| *way == self)
            .unwrap_or(WAYS.len())
    }
}

/// The last row with a balance.
#[derive(Clone, Copy)]
struct Last {
    edge: Edge,
    balance: i128,
    own: i128,
}

/// A gap under one way, before it is known which row is the later one.
struct Break {
    above: Edge,
    below: Edge,
    balances: [i128; 2],
    step: i128,
    unread: Vec<Unread>,
    unread_count: u64,
}

/// What one way has come to.
#[derive(Default)]
struct Tally {
    /// Rows whose balance follows and is another one.
    followed: u64,
    /// Rows whose balance does not follow.
    broken: u64,
    /// The first of those.
    breaks: Vec<Break>,
}

/// Follows the balance of one account from row to row.
#[derive(Default)]
pub struct Follower {
    last: Option<Last>,
    /// The amounts of rows without a balance since the last one.
    since: i128,
    /// Pairs of rows with both balances and an amount other than zero.
    steps: u64,
    tallies: [Tally; 4],
    /// Decimals of the finest number so far.
    scale: u8,
    day: Option<NaiveDate>,
    /// How often the date went up from row to row, and how often down.
    order: (u64, u64),
    unread: Vec<Unread>,
    unread_count: u64,
}

impl Follower {
    /// Takes note of a row, good or bad.
    pub fn observe(&mut self, row_number: i32, entry: &Entry) {
        match entry {
            Entry::Row(row) => self.row(row_number, row),
            Entry::Rejected(row) => self.unread(Unread {
                row_number,
                line: row.line,
                reason: row.reason.to_owned(),
            }),
        }
    }

    fn unread(&mut self, unread: Unread) {
        self.unread_count += 1;
        if self.unread.len() < UNREAD_MAX {
            self.unread.push(unread);
        }
    }

    fn row(&mut self, row_number: i32, row: &StatementRow) {
        if let Some(day) = self.day.replace(row.booked_on) {
            self.order.0 += u64::from(row.booked_on > day);
            self.order.1 += u64::from(row.booked_on < day);
        }
        // Finer than what a decimal can hold there is nothing, so both are always there.
        let units = |value: Decimal| value.at_scale(SCALE_MAX).unwrap_or_default();
        let amount = units(row.amount);
        self.scale = self.scale.max(row.amount.scale);
        let Some(stated) = row.balance_after else {
            self.since = self.since.saturating_add(amount);
            return;
        };
        self.scale = self.scale.max(stated.scale);
        let next = Last {
            edge: Edge {
                row_number,
                line: row.line,
                booked_on: row.booked_on,
            },
            balance: units(stated),
            own: amount,
        };
        let (unread, unread_count) = (
            std::mem::take(&mut self.unread),
            std::mem::take(&mut self.unread_count),
        );
        let since = std::mem::take(&mut self.since);
        let Some(last) = self.last.replace(next) else {
            return;
        };
        self.steps += u64::from(amount != 0 || last.own != 0 || since != 0);
        let delta = next.balance.saturating_sub(last.balance);
        for (way, tally) in WAYS.into_iter().zip(&mut self.tallies) {
            let steps = way.steps(&last, since, amount);
            if steps.contains(&delta) {
                tally.followed += u64::from(delta != 0);
                continue;
            }
            tally.broken += 1;
            if tally.breaks.len() < GAPS_MAX {
                tally.breaks.push(Break {
                    above: last.edge,
                    below: next.edge,
                    balances: [last.balance, next.balance],
                    step: steps[0],
                    unread: unread.clone(),
                    unread_count,
                });
            }
        }
    }

    /// The gaps, if the balance is a running one at all: six steps of ten follow, as recognition
    /// wants it of a proof.
    #[must_use]
    pub fn end(self) -> Gaps {
        let Self {
            tallies,
            steps,
            scale,
            order,
            ..
        } = self;
        let order = order.0.cmp(&order.1);
        let followed = |way: Way| {
            let place = WAYS.iter().position(|other| *other == way);
            place
                .and_then(|at| tallies.get(at))
                .map_or(0, |it| it.followed)
        };
        let proven = |way: Way| {
            let (count, rival) = (followed(way), followed(way.inverse()));
            count > 0 && count * 10 >= steps * 6 && rival * 4 <= count
        };
        let ways = WAYS.into_iter().zip(&tallies);
        let best = ways
            .filter(|(way, _)| proven(*way))
            .min_by_key(|(way, tally)| (tally.broken, way.rank(order)));
        let Some((way, tally)) = best else {
            return Gaps::default();
        };
        let above_is_later = match order {
            Ordering::Greater => false,
            Ordering::Less => true,
            Ordering::Equal => way == Way::Falling,
        };
        let gaps = tally.breaks.iter();
        Gaps {
            first: gaps.map(|gap| gap.told(above_is_later, scale)).collect(),
            count: tally.broken,
        }
    }
}

impl Break {
    fn told(&self, above_is_later: bool, scale: u8) -> Gap {
        let [above, below] = self.balances;
        let (expected, found) = if above_is_later {
            (below.saturating_sub(self.step), above)
        } else {
            (above.saturating_add(self.step), below)
        };
        Gap {
            above: self.above,
            below: self.below,
            expected: text(expected, scale),
            found: text(found, scale),
            difference: text(found.saturating_sub(expected), scale),
            unread: self.unread.clone(),
            unread_count: self.unread_count,
        }
    }
}

/// A number of units of the finest scale, with so many decimals; no number had more.
fn text(units: i128, scale: u8) -> String {
    let scale = scale.min(SCALE_MAX);
    let units = units / 10_i128.pow(u32::from(SCALE_MAX - scale));
    let sign = if units < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests;
