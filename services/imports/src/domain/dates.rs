//! A column of dates (algorithms C.3) in streaming form: it keeps what each order of day, month and
//! year makes of it, never the cells.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::date::{ORDERS, Order, day, parts};
use super::stamp;

/// A reading of the dates that spans so many times the days of another is not the right one.
const SPAN_FACTOR: i64 = 10;

/// How many distinct dates a column needs before its order is evidence (C.3).
const DISTINCT_MIN: u64 = 3;

/// As many days as a month has at most.
const DAYS_MAX: usize = 31;

/// Days of one statement that lie in one month.
const DAYS_SPAN: i64 = 11;

/// So many different days tell a few days from one day of several months.
const DAYS_MIN: usize = 3;

/// What one order makes of a column.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    parsed: u64,
    last: Option<NaiveDate>,
    changes: u64,
    rising: u64,
    falling: u64,
    /// The first and the last of the dates.
    span: Option<(NaiveDate, NaiveDate)>,
}

impl Reading {
    fn days(&self) -> i64 {
        self.span
            .map_or(0, |(first, last)| (last - first).num_days())
    }
}

/// What is known of a column as dates after all its cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Dates {
    /// Cells that are not empty.
    pub(super) filled: u64,
    readings: [Reading; 3],
    /// For the pairs day-month, day-year, year-month of [`ORDERS`]: some cell differs.
    differ: [bool; 3],
    /// The first date, and whether all are equal to it.
    constant: Option<NaiveDate>,
    pub(super) varies: bool,
    /// Whether some cell has a time with an offset from UTC.
    pub(super) zoned: bool,
    /// Whether some time of day is none that stands for the day alone.
    pub(super) ticks: bool,
    /// Whether all years are those of the Buddhist calendar.
    pub(super) buddhist: bool,
    /// Whether some cell has a time of day.
    pub(super) timed: bool,
    /// Whether a year in front would have two digits somewhere.
    pub(super) short_first: bool,
    /// The distinct days per order, as long as they fit into a month.
    days: [BTreeSet<NaiveDate>; 3],
    many: bool,
    /// Whether some day or month is written without its leading zero.
    pub(super) unpadded: bool,
}

/// How a column's order of day and month was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Only one order fits, or all that fit agree.
    Fits(Order),
    /// The order of the rows tells.
    ByOrder(Order),
    /// Several fit and differ; likeliest first.
    Open([Option<Order>; 3]),
    /// No date column.
    None,
}

impl Dates {
    pub(super) fn observe(&mut self, cell: &str, today: NaiveDate) {
        if cell.trim().is_empty() {
            return;
        }
        self.filled += 1;
        let Some(parts) = parts(cell) else { return };
        self.buddhist = parts.buddhist() && (self.buddhist || self.constant.is_none());
        self.short_first |= parts.short_first();
        if let Some(clock) = stamp::clock(cell) {
            self.zoned |= clock.ahead.is_some();
            self.ticks |= !clock.vague();
        }
        self.timed |= cell.contains(':');
        self.unpadded |= parts.unpadded();
        let days = ORDERS.map(|order| day(parts, order, today));
        for (reading, day) in self.readings.iter_mut().zip(days) {
            let Some(day) = day else { continue };
            reading.parsed += 1;
            if let Some(last) = reading.last {
                reading.changes += u64::from(last != day);
                reading.rising += u64::from(last < day);
                reading.falling += u64::from(last > day);
            }
            reading.last = Some(day);
            let (from, to) = reading.span.unwrap_or((day, day));
            reading.span = Some((from.min(day), to.max(day)));
        }
        if !self.many {
            for (known, day) in self.days.iter_mut().zip(days) {
                known.extend(day);
                self.many |= known.len() > DAYS_MAX;
            }
        }
        let [first, second, third] = days;
        let pairs = [(first, third), (first, second), (second, third)];
        for (differ, (left, right)) in self.differ.iter_mut().zip(pairs) {
            *differ |= matches!((left, right), (Some(left), Some(right)) if left != right);
        }
        let any = first.or(second).or(third);
        self.varies |= self.constant.is_some() && self.constant != any;
        self.constant = self.constant.or(any);
    }

    /// Whether the days lie close together under one order, while the other would have all of them
    /// on one day of the month, month after month.
    pub(super) fn clustered(&self, order: Order, other: Order) -> bool {
        let days = |wanted: Order| {
            let mut known = ORDERS.iter().zip(&self.days);
            known
                .find(|(order, _)| **order == wanted)
                .map(|(_, days)| days)
        };
        let (Some(own), Some(rival)) = (days(order), days(other)) else {
            return false;
        };
        let mut steps = own
            .iter()
            .zip(own.iter().skip(1))
            .map(|(a, b)| (*b - *a).num_days());
        // Rows on the first of every quarter step evenly.
        let first = steps.next().unwrap_or(0);
        let even = first > 1 && steps.all(|step| step == first);
        let (from, to) = (own.first(), own.last());
        let close = from
            .zip(to)
            .is_some_and(|(from, to)| (*to - *from).num_days() <= DAYS_SPAN);
        let mut numbers = rival.iter().map(Datelike::day);
        let number = numbers.next();
        !self.many
            && own.len() >= DAYS_MIN
            && rival.len() == own.len()
            && close
            && !even
            && numbers.all(|day| Some(day) == number)
    }

    /// The most cells any order parses.
    pub(super) fn best(&self) -> u64 {
        self.readings
            .iter()
            .map(|reading| reading.parsed)
            .max()
            .unwrap_or(0)
    }

    fn reading(&self, order: Order) -> Reading {
        let place = ORDERS.iter().position(|other| *other == order);
        place
            .and_then(|place| self.readings.get(place))
            .copied()
            .unwrap_or_default()
    }

    fn differ(&self, left: Order, right: Order) -> bool {
        let [day_month, day_year, year_month] = self.differ;
        match (left, right) {
            (Order::Dmy, Order::Mdy) | (Order::Mdy, Order::Dmy) => day_month,
            (Order::Dmy, Order::Ymd) | (Order::Ymd, Order::Dmy) => day_year,
            (Order::Ymd, Order::Mdy) | (Order::Mdy, Order::Ymd) => year_month,
            _ => false,
        }
    }

    /// The orders under which the most cells are plausible dates.
    pub(super) fn fitting(&self) -> Vec<Order> {
        let best = self.best();
        if best == 0 || best * 100 < self.filled * 95 {
            return Vec::new();
        }
        ORDERS
            .into_iter()
            .filter(|order| self.reading(*order).parsed == best)
            .collect()
    }

    /// Decides among the orders that fit, of which `allowed` may keep only some.
    pub(super) fn settle(&self, allowed: &[Order]) -> Settled {
        let mut fitting = self.fitting();
        if fitting.iter().any(|order| allowed.contains(order)) {
            fitting.retain(|order| allowed.contains(order));
        }
        let Some(first) = fitting.first().copied() else {
            return Settled::None;
        };
        if fitting.iter().all(|order| !self.differ(first, *order)) {
            return Settled::Fits(first);
        }
        // Days read as short years scatter a month over decades: the reading with by far the
        // shortest span is the statement's.
        if fitting.contains(&Order::Ymd) {
            let shortest = fitting
                .iter()
                .map(|order| self.reading(*order).days())
                .min();
            let shortest = shortest.unwrap_or(0).max(1);
            let several = |order: &Order| self.reading(*order).changes + 1 >= DISTINCT_MIN;
            if fitting.iter().all(several) {
                fitting.retain(|order| self.reading(*order).days() < shortest * SPAN_FACTOR);
            }
            let first = fitting.first().copied().unwrap_or(first);
            if fitting.iter().all(|order| !self.differ(first, *order)) {
                return Settled::Fits(first);
            }
        }
        let monotone = |order: &&Order| {
            let reading = self.reading(**order);
            reading.rising == 0 || reading.falling == 0
        };
        let ordered: Vec<Order> = fitting.iter().filter(monotone).copied().collect();
        if let [only] = ordered.as_slice()
            && self.reading(*only).changes + 1 >= DISTINCT_MIN
        {
            return Settled::ByOrder(*only);
        }
        let mut open = [None; 3];
        for (slot, order) in open.iter_mut().zip(fitting) {
            *slot = Some(order);
        }
        Settled::Open(open)
    }

    /// Whether the dates only rise or only fall through the file, over enough of them to tell.
    pub(super) fn sorted(&self, order: Order) -> bool {
        let reading = self.reading(order);
        (reading.rising == 0 || reading.falling == 0) && reading.changes + 1 >= DISTINCT_MIN
    }

    /// Whether the dates both rise and fall.
    pub(super) fn unsorted(&self, order: Order) -> bool {
        let reading = self.reading(order);
        reading.rising > 0 && reading.falling > 0
    }

    /// Whether the dates rise or fall through the file; `None` when they do neither or both.
    pub(super) fn direction(&self, order: Order) -> Option<bool> {
        let reading = self.reading(order);
        match (reading.rising, reading.falling) {
            (0, 0) => None,
            // A few rows out of place do not change the direction of a file.
            (up, down) if down * 10 <= up => Some(true),
            (up, down) if up * 10 <= down => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::date::read;
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, 15).unwrap()
    }

    #[track_caller]
    fn check(cells: &[&str], expected: &str) {
        let mut dates = Dates::default();
        cells.iter().for_each(|cell| dates.observe(cell, today()));
        let settled = match dates.settle(&ORDERS) {
            Settled::Open(open) => {
                let open = open.into_iter().flatten();
                format!(
                    "asks {}",
                    open.map(Order::token).collect::<Vec<_>>().join(" ")
                )
            }
            Settled::Fits(order) => format!("{}", read(cells[0], order, today()).unwrap()),
            Settled::ByOrder(order) => {
                format!("{} by order", read(cells[0], order, today()).unwrap())
            }
            Settled::None => "none".to_owned(),
        };
        assert_eq!(settled, expected, "{cells:?}");
    }

    #[test]
    fn columns_of_dates() {
        check(&["01/02/2024", "13/02/2024"], "2024-02-01");
        check(
            &["11/02/2024", "03/04/2024", "05/01/2024", "02/12/2024"],
            "asks dmy mdy",
        );
        check(
            &["05/01/2024", "12/01/2024", "02/02/2024"],
            "2024-01-05 by order",
        );
        check(&["01/02/2024", "02/02/2024", "03/02/2024"], "asks dmy mdy");
        check(&["31.02.2024"], "none");
        let mut many = vec!["01/02/2024"; 59];
        many.push("02/13/2024");
        check(&many, "2024-01-02");
    }

    #[test]
    fn single_dates() {
        let cases = [
            ("2019.04.19.", "2019-04-19"),
            ("2012:03:01", "2012-03-01"),
            ("20240131", "2024-01-31"),
            ("31 Jan 2020", "2020-01-31"),
            ("Jan 31, 2020", "2020-01-31"),
            ("31-ene-24", "2024-01-31"),
            ("31JAN2020", "2020-01-31"),
            ("2024年1月31日", "2024-01-31"),
            ("31.12.78", "1978-12-31"),
            ("31.12.68", "none"),
            ("31/12/2567", "2024-12-31"),
            ("113/12/31", "2024-12-31"),
            ("1111-11-11", "none"),
            ("15 ianuarie 2024", "2024-01-15"),
            ("15 iunie 2024", "2024-06-15"),
            ("15 юни 2024", "2024-06-15"),
            ("2020-01-01T13:00:00Z", "2020-01-01"),
            ("2025-03-26 00:00:00.0", "2025-03-26"),
            ("2013-07-03-08.21.36.47192", "2013-07-03"),
            ("24-08-2020 13:43:54.496", "2020-08-24"),
            ("15/01/2024-10:00:00", "2024-01-15"),
            ("'31/01/2024'", "2024-01-31"),
            ("2024/1/31(水)", "2024-01-31"),
            ("1er mars 2024", "2024-03-01"),
            ("1st March 2024", "2024-03-01"),
            ("20240131120000[0:GMT]", "2024-01-31"),
            ("20240131120000.000[-5:EST]", "2024-01-31"),
            ("2024.01.31., szerda", "2024-01-31"),
            ("20240131120000[", "none"),
            ("Fri, 31 Jan 2020", "2020-01-31"),
            ("12:30:45", "none"),
            ("1.234.56", "none"),
            ("31/01/2024 - 28/02/2024", "none"),
            ("2024-13-01", "none"),
            ("26/02", "none"),
            ("DE12 3456", "none"),
            ("", "none"),
        ];
        for (cell, expected) in cases {
            check(&[cell], expected);
        }
    }
}
