//! Dates as banks write them (algorithms C.3), one cell at a time.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::month::month;

/// Years beyond today that a date may lie ahead (C.3).
pub(super) const YEARS_AHEAD: i32 = 5;

/// No statement is older: an earlier year is one of another calendar or no year at all (C.3).
pub(super) const YEAR_MIN: i32 = 1970;

/// Years by which the Buddhist calendar of Thailand is ahead.
const BUDDHIST_YEARS: i32 = 543;

/// Years by which the Minguo calendar of Taiwan, written with three digits, is behind.
const MINGUO_YEARS: i32 = 1911;

/// The order of day, month and year.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// 31.01.2024
    Dmy,
    /// 2024-01-31
    Ymd,
    /// 01/31/2024
    Mdy,
}

/// All orders, in order of preference among equals.
pub(super) const ORDERS: [Order; 3] = [Order::Dmy, Order::Ymd, Order::Mdy];

impl Order {
    /// The value of a choice.
    pub(super) fn token(self) -> &'static str {
        match self {
            Self::Dmy => "dmy",
            Self::Ymd => "ymd",
            Self::Mdy => "mdy",
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Dmy => "day, month, year",
            Self::Ymd => "year, month, day",
            Self::Mdy => "month, day, year",
        }
    }
}

/// The three numbers of a date before their order is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    numbers: [u32; 3],
    widths: [usize; 3],
    /// Which of the numbers was a month's name.
    named: Option<usize>,
    separator: char,
}

impl Parts {
    /// Whether one of the numbers in front has one digit.
    pub(super) fn unpadded(self) -> bool {
        self.named.is_none() && self.widths.iter().take(2).any(|width| *width == 1)
    }

    /// Whether the year is one of the Buddhist calendar, in which the day comes first.
    pub(super) fn buddhist(self) -> bool {
        let years = BUDDHIST_YEARS.unsigned_abs() + YEAR_MIN.unsigned_abs();
        self.numbers.iter().any(|number| *number >= years)
    }

    /// Whether the year would have two digits if it came first.
    pub(super) fn short_first(self) -> bool {
        self.widths.first().is_some_and(|width| *width <= 2)
    }
}

/// Whether a cell is a date under some order.
pub(super) fn dated(cell: &str, today: NaiveDate) -> bool {
    parts(cell).is_some_and(|parts| {
        ORDERS
            .iter()
            .any(|order| day(parts, *order, today).is_some())
    })
}

/// Whether two cells may be the same day, each in some order; an empty cell is no difference.
pub(super) fn same(left: &str, right: &str, today: NaiveDate) -> bool {
    let (Some(left), Some(right)) = (parts(left), parts(right)) else {
        return true;
    };
    let days = |parts| ORDERS.map(|order| day(parts, order, today));
    let right = days(right);
    days(left)
        .iter()
        .any(|day| day.is_some() && right.contains(day))
}

/// Reads a cell under one order.
pub(super) fn read(cell: &str, order: Order, today: NaiveDate) -> Option<NaiveDate> {
    day(parts(cell)?, order, today)
}

pub(super) fn day(parts: Parts, order: Order, today: NaiveDate) -> Option<NaiveDate> {
    let ([first, second, third], [wide_first, wide_second, wide_third]) =
        (parts.numbers, parts.widths);
    let (year, month, day) = match order {
        Order::Dmy => (
            (third, wide_third),
            (second, wide_second),
            (first, wide_first),
        ),
        Order::Mdy => (
            (third, wide_third),
            (first, wide_first),
            (second, wide_second),
        ),
        Order::Ymd => (
            (first, wide_first),
            (second, wide_second),
            (third, wide_third),
        ),
    };
    // Nobody writes month.day.year with dots.
    if order == Order::Mdy && parts.separator == '.' && parts.named.is_none() {
        return None;
    }
    // Nor do they put a short year in front of dots.
    if order == Order::Ymd && parts.separator == '.' && wide_first < 4 {
        return None;
    }
    if let Some(named) = parts.named {
        let place = if order == Order::Mdy { 0 } else { 1 };
        // With a name the month is known; a short number in front is the day.
        if named != place || (order == Order::Ymd && year.1 != 4) {
            return None;
        }
    }
    let minguo = year.1 == 3 && order == Order::Ymd && matches!(parts.separator, '/' | '.');
    if month.1 > 2 || day.1 > 2 || !(minguo || matches!(year.1, 2 | 4)) {
        return None;
    }
    let year = i32::try_from(year.0).ok().map(|number| match year.1 {
        2 if 2000 + number > today.year() + YEARS_AHEAD => 1900 + number,
        2 => 2000 + number,
        3 => MINGUO_YEARS + number,
        _ if number >= YEAR_MIN + BUDDHIST_YEARS => number - BUDDHIST_YEARS,
        _ => number,
    })?;
    let plausible = (YEAR_MIN..=today.year() + YEARS_AHEAD).contains(&year);
    NaiveDate::from_ymd_opt(year, month.0, day.0).filter(|_| plausible)
}

/// Whether a cell is put together like a date and is none that can be read: a month's name in an
/// unknown language, a day that no month has, a year of another calendar.
pub(super) fn shaped(cell: &str, today: NaiveDate) -> bool {
    let text = cell.trim();
    if text.len() < 6 || text.len() > 40 || dated(text, today) {
        return false;
    }
    let groups: Vec<&str> = text.split(separator).filter(|g| !g.is_empty()).collect();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    match groups.as_slice() {
        [first, second, third] if digits(first) && digits(third) => {
            let named = second.chars().count() >= 3 && second.chars().all(char::is_alphabetic);
            let widths = (first.len(), second.len(), third.len());
            let numbers =
                digits(second) && matches!(widths, (1..=2, 1..=2, 2 | 4) | (4, 1..=2, 1..=2));
            numbers || (named && first.len() <= 2 && matches!(third.len(), 2 | 4))
        }
        _ => false,
    }
}

fn separator(character: char) -> bool {
    matches!(
        character,
        '.' | '/' | '-' | ':' | ',' | '年' | '月' | '日' | '\u{2013}'
    ) || character.is_whitespace()
        || matches!(character, '년' | '월' | '일')
}

/// The three numbers of a date.
pub(super) fn parts(cell: &str) -> Option<Parts> {
    split(cell).map(|(parts, _)| parts)
}

/// What stands behind the date of a cell: nothing, or a time.
pub(super) fn behind(cell: &str) -> Option<&str> {
    split(cell).map(|(_, rest)| rest)
}

fn split(cell: &str) -> Option<(Parts, &str)> {
    match plain(cell) {
        Some(parts) => Some((parts, "")),
        None => take_apart(cell),
    }
}

/// `2024-01-31` or `31.01.2024`: nearly all dates of nearly all statements, of which every cell is
/// read several times.
fn plain(cell: &str) -> Option<Parts> {
    let bytes: &[u8; 10] = cell.as_bytes().try_into().ok()?;
    let (mark, starts, widths) = match bytes {
        [_, _, _, _, first @ (b'-' | b'.' | b'/'), _, _, second, ..] if first == second => {
            (first, [0, 5, 8], [4, 2, 2])
        }
        [_, _, first @ (b'-' | b'.' | b'/'), _, _, second, ..] if first == second => {
            (first, [0, 3, 6], [2, 2, 4])
        }
        _ => return None,
    };
    let mut numbers = [0; 3];
    for ((number, start), width) in numbers.iter_mut().zip(starts).zip(widths) {
        for byte in bytes.iter().skip(start).take(width) {
            *number = *number * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
    }
    Some(Parts {
        numbers,
        widths,
        named: None,
        separator: char::from(*mark),
    })
}

fn take_apart(cell: &str) -> Option<(Parts, &str)> {
    let text = cell.trim().trim_matches(['\'', '"', '=']).trim();
    if text.len() < 6 || text.len() > 60 {
        return None;
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = without_weekday(text);
    let leading = text.bytes().take_while(u8::is_ascii_digit).count();
    if leading == 8 || leading == 14 {
        return compact(text, leading);
    }
    let (first, width_first, rest) = component(text)?;
    let (gap_first, rest) = gap(rest);
    let (second, width_second, rest) = component(rest)?;
    let (gap_second, rest) = gap(rest);
    let (third, width_third, rest) = component(rest)?;
    let found = [first, second, third];
    let mut names = found.iter().enumerate().filter(|(_, (_, name))| *name);
    let named = names.next().map(|(index, _)| index);
    if names.next().is_some() || !time(rest) {
        return None;
    }
    let mark = gap_first.trim().chars().next().unwrap_or(' ');
    let parts = Parts {
        numbers: found.map(|(number, _)| number),
        widths: [width_first, width_second, width_third],
        named,
        separator: mark,
    };
    plausible(&parts, gap_first, gap_second).then_some((parts, rest))
}

/// Rules out times, ranges and numbers that only look like three parts.
fn plausible(parts: &Parts, gap_first: &str, gap_second: &str) -> bool {
    if parts.named.is_some() {
        return gap_first.chars().count() <= 3 && gap_second.chars().count() <= 3;
    }
    let [first, _, third] = parts.widths;
    let four = first == 4 || third == 4;
    let (before, after) = (gap_first.trim(), gap_second.trim());
    let ideographs = matches!((before, after), ("年", "月") | ("년", "월"));
    match (before, after) {
        _ if ideographs => true,
        ("", "") => four && !gap_first.is_empty() && !gap_second.is_empty(),
        (":", ":") => first == 4,
        (",", ",") => false,
        _ => before == after && before.chars().count() == 1,
    }
}

/// `20240131` or `31012024`, alone, with a time behind, or with six digits of time attached.
fn compact(text: &str, leading: usize) -> Option<(Parts, &str)> {
    if !time(text.get(leading..)?) {
        return None;
    }
    let digits = text.get(..8)?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    let year = number(0, 4)?;
    let (cuts, widths) = if (1900..=2100).contains(&year) {
        ([(0, 4), (4, 6), (6, 8)], [4, 2, 2])
    } else if leading == 8 {
        ([(0, 2), (2, 4), (4, 8)], [2, 2, 4])
    } else {
        return None;
    };
    let [first, second, third] = cuts.map(|(from, to)| number(from, to));
    let last = third?;
    if widths == [2, 2, 4] && !(1900..=2100).contains(&last) {
        return None;
    }
    let parts = Parts {
        numbers: [first?, second?, last],
        widths,
        named: None,
        separator: '0',
    };
    Some((parts, text.get(8..)?))
}

/// A number of up to four digits, or a month's name. Gives value, width and the rest.
fn component(text: &str) -> Option<((u32, bool), usize, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let number = text.get(..digits)?.parse().ok()?;
        let rest = without_ordinal(text.get(digits..)?);
        return (digits <= 4).then_some(((number, false), digits, rest));
    }
    let rest = text.trim_start_matches(|c: char| {
        c.is_alphabetic() && !separator(c) || unicode_normalization::char::is_combining_mark(c)
    });
    let name = text.strip_suffix(rest)?;
    Some(((month(name)?, true), 2, rest))
}

/// The rest behind a day that is written as an ordinal, as in `1er mars`.
fn without_ordinal(rest: &str) -> &str {
    let endings = ["er", "º", "ª", "°", "st", "nd", "rd", "th"];
    let behind = endings.iter().find_map(|ending| rest.strip_prefix(ending));
    let ends = |rest: &&str| rest.starts_with([' ', '.', '-', '/']);
    behind.filter(ends).unwrap_or(rest)
}

fn gap(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(separator);
    // Spanish and Portuguese dates put `de` between the parts.
    let after = rest.strip_prefix("de ").unwrap_or(rest);
    (text.strip_suffix(rest).unwrap_or_default(), after)
}

/// What may stand behind a date: nothing, a full stop, a time with or without a zone.
fn time(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['.', '日', '일', '\'', '"']).trim();
    let rest = match (rest.find('('), rest.strip_suffix(')')) {
        // A weekday in parentheses, as in Japan.
        (Some(0), Some(_)) if rest.chars().count() <= 5 => "",
        _ => rest,
    };
    // Or behind a comma, as in Hungary.
    let rest = match rest.strip_prefix(',').map(str::trim) {
        Some(day) if day.chars().count() >= 4 && day.chars().all(char::is_alphabetic) => "",
        _ => rest,
    };
    if rest.is_empty() {
        return true;
    }
    let clock = rest
        .trim_start_matches(['T', 't', '-', ',', ' ', '_'])
        .trim_start();
    let clock = clock.strip_prefix("at ").unwrap_or(clock);
    let clock = match without_zone(clock) {
        // Behind a date and a time without marks only thousandths of a second are left.
        Some(rest) if rest.len() <= 3 && rest.bytes().all(|b| b.is_ascii_digit()) => return true,
        Some(rest) => rest,
        None => clock,
    };
    clock.starts_with(|c: char| c.is_ascii_digit())
        && clock.len() <= 40
        && clock.contains([':', '.', 'h'])
        && clock.chars().all(|c| {
            c.is_ascii_digit()
                || c.is_whitespace()
                || matches!(c, ':' | '.' | ',' | '+' | '-' | 'h')
                || "ZAPMUTCGESDB".contains(c.to_ascii_uppercase())
        })
}

/// A time without `[-5:EST]`, as OFX names the zone of its time stamps.
fn without_zone(clock: &str) -> Option<&str> {
    let (before, zone) = clock.split_once('[')?;
    let inside = zone.strip_suffix(']')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
    (inside.len() <= 12 && inside.chars().all(fits)).then(|| before.trim_end())
}

/// Short names of days in front of a date, as in `Mon, 31 Jan 2024`.
fn without_weekday(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let word = text
        .strip_suffix(rest)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let short: String = word.chars().take(3).collect();
    let known = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(&short.as_str());
    if known && (word.ends_with("day") || word.len() == 3) {
        rest.trim_start_matches([',', '.', ' '])
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_date_reads_as_any_other() {
        let years = ["0000", "0099", "1969", "2024"];
        let pairs = ["00", "01", "12", "31", "99"];
        let mut cells = Vec::new();
        for year in years {
            for left in pairs {
                for right in pairs {
                    cells.extend([[year, left, right], [left, right, year]]);
                }
            }
        }
        for cell in cells {
            for mark in ["-", ".", "/"] {
                let cell = cell.join(mark);
                let parts = plain(&cell).expect(&cell);
                assert_eq!(take_apart(&cell), Some((parts, "")), "{cell}");
            }
        }
        let others = [
            "2024-01.31",
            "31:01:2024",
            "2024-1a-31",
            "2024-01-3",
            "-31-01-20",
            "1é-01-2024",
        ];
        for cell in others {
            assert_eq!(plain(cell), None, "{cell}");
        }
    }
}
