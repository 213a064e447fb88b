//! Days without a year, as `05/09`, `01 Mrt` and `4月30日`. They have one where the statement names
//! its period, or its month, in front of the table: the year that puts them into it. Where nothing
//! names a period no year is guessed.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::date::{self, ORDERS, Order};
use super::dialect::Found;
use super::layout::{self, Layout};
use super::mapping::{Mapping, Unfit};
use super::month::month;
use super::record::{Dialect, Record};
use super::{header, number};

/// A longer period may hold a day twice, in days.
const PERIOD_DAYS_MAX: i64 = 300;

/// A purchase may lie so many days in front of the period of its booking.
const DAYS_BEFORE: u64 = 45;

/// The day of the value may lie so many days behind it.
const DAYS_BEHIND: u64 = 15;

/// Longer cells name no period, in bytes.
const CELL_BYTES_MAX: usize = 120;

/// No day without its year is longer, in bytes.
const DAY_BYTES_MAX: usize = 20;

/// How days without a year get theirs.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Years {
    /// The columns of such days.
    pub columns: Vec<usize>,
    /// Whether the day stands in front of the month.
    pub day_first: bool,
    /// The first day of the period.
    pub from: NaiveDate,
    /// The last day of the period.
    pub to: NaiveDate,
}

impl Years {
    /// Puts the year to the days of a record. One that does not lie in the period stays as it is:
    /// its row is rejected and shown.
    pub(super) fn complete(&self, record: &mut Record) {
        for column in &self.columns {
            let Some(cell) = record.cells.get_mut(*column) else {
                continue;
            };
            if let Some(day) = self.day(cell) {
                *cell = day.to_string();
            }
        }
    }

    fn day(&self, cell: &str) -> Option<NaiveDate> {
        let (month, day) = short(cell)?.read(self.day_first)?;
        let from = self.from.checked_sub_days(Days::new(DAYS_BEFORE))?;
        let to = self.to.checked_add_days(Days::new(DAYS_BEHIND))?;
        let mut years = from.year()..=to.year();
        years.find_map(|year| {
            let day = NaiveDate::from_ymd_opt(year, month, day);
            day.filter(|day| (from..=to).contains(day))
        })
    }

    /// What was decided, in words.
    pub(super) fn evidence(&self) -> String {
        let (from, to) = (self.from, self.to);
        format!("Days without a year lie in the period in front of the table, {from} to {to}.")
    }
}

/// A day and a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// Two numbers, which of them is the day is open.
    Numbers(u32, u32),
    /// The month by its name or its sign.
    Named { month: u32, day: u32 },
}

impl Short {
    /// Month and day.
    fn read(self, day_first: bool) -> Option<(u32, u32)> {
        let (month, day) = match (self, day_first) {
            (Self::Named { month, day }, _) => (month, day),
            (Self::Numbers(day, month), true) | (Self::Numbers(month, day), false) => (month, day),
        };
        // A leap year has every day that any year has.
        NaiveDate::from_ymd_opt(2024, month, day).map(|_| (month, day))
    }
}

/// The words and numbers of a text, with where they begin and end.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut last = None;
    for (at, letter) in text.char_indices() {
        let kind = match letter {
            letter if letter.is_ascii_digit() => Some(true),
            letter if letter.is_alphabetic() && !sign(letter) => Some(false),
            _ => None,
        };
        let end = at + letter.len_utf8();
        match (kind, found.last_mut()) {
            (Some(_), Some(token)) if kind == last => token.1 = end,
            (Some(_), _) => found.push((at, end)),
            (None, _) => {}
        }
        last = kind;
    }
    found
}

/// The signs of year, month and day in East Asia.
fn sign(letter: char) -> bool {
    matches!(letter, '年' | '月' | '日' | '년' | '월' | '일')
}

fn short(cell: &str) -> Option<Short> {
    let text = cell.trim().trim_matches(['\'', '"']).trim();
    if text.len() > DAY_BYTES_MAX || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let between = |letter: char| letter.is_whitespace() || "/-.".contains(letter) || sign(letter);
    if !text
        .chars()
        .all(|letter| letter.is_alphanumeric() || between(letter))
    {
        return None;
    }
    let words: Vec<&str> = tokens(text)
        .into_iter()
        .filter_map(|(from, to)| text.get(from..to))
        .collect();
    let [first, second] = words[..] else {
        return None;
    };
    let number = |word: &str| word.parse::<u32>().ok().filter(|_| word.len() <= 2);
    let found = match (number(first), number(second)) {
        (Some(month), Some(day)) if text.contains(['月', '월']) => Short::Named { month, day },
        (Some(left), Some(right)) => Short::Numbers(left, right),
        (Some(day), None) => Short::Named {
            month: month(second)?,
            day,
        },
        (None, Some(day)) => Short::Named {
            month: month(first)?,
            day,
        },
        (None, None) => return None,
    };
    let days = [true, false].map(|day_first| found.read(day_first));
    days.iter().any(Option::is_some).then_some(found)
}

/// Finds the table, or takes the one that a person tells. Where it has no dates, its days may lack
/// their year: then they get it.
pub(super) fn lay_out(
    found: Found,
    today: NaiveDate,
    mapping: &Mapping,
) -> Result<(Dialect, Layout), Unfit> {
    let Found {
        mut dialect,
        mut records,
    } = found;
    let dated = !layout::find(&records, today).date_columns.is_empty();
    if !dated && let Some(years) = find(&records, today) {
        for record in &mut records {
            years.complete(record);
        }
        dialect.years = Some(years);
    }
    Ok((dialect, mapping.layout(&records, today)?))
}

/// Finds columns of days without a year, and the period in which they lie.
fn find(records: &[Record], today: NaiveDate) -> Option<Years> {
    let rows: Vec<(usize, &Record)> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| row(record))
        .collect();
    let (first, _) = rows.first()?;
    let front = records.get(..*first)?;
    let columns = columns(front, &rows);
    let (from, to) = period(front, today)?;
    let fitting = [true, false].map(|day_first| {
        let years = Years {
            columns: columns.clone(),
            day_first,
            from,
            to,
        };
        let cells = rows.iter().flat_map(|(_, record)| {
            let cells = columns.iter().map(|column| record.cell(*column));
            cells
                .filter(|cell| short(cell).is_some())
                .collect::<Vec<_>>()
        });
        let days: Vec<Option<NaiveDate>> = cells.map(|cell| years.day(cell)).collect();
        let outside = days.iter().filter(|day| day.is_none()).count();
        (outside * 10 <= days.len() && !days.is_empty()).then_some((years, days))
    });
    match fitting {
        [Some((years, days)), Some((_, others))] => (days == others).then_some(years),
        [Some((years, _)), None] | [None, Some((years, _))] => Some(years),
        [None, None] => None,
    }
}

/// Whether a record has a day without a year and a number elsewhere.
fn row(record: &Record) -> bool {
    let day = record.cells.iter().position(|cell| short(cell).is_some());
    let mut cells = record.cells.iter().enumerate();
    day.is_some_and(|day| {
        cells.any(|(column, cell)| column != day && matches!(number::anatomy(cell), Ok(Some(_))))
    })
}

/// The columns of such days, which a header names as dates.
fn columns(front: &[Record], rows: &[(usize, &Record)]) -> Vec<usize> {
    let width = rows.iter().map(|(_, record)| record.cells.len()).max();
    let days = |column: &usize| {
        let cells = rows.iter().map(|(_, record)| record.cell(*column));
        cells.filter(|cell| short(cell).is_some()).count()
    };
    let named = |column: &usize| {
        let mut above = front.iter().map(|record| record.cell(*column));
        above.any(header::names_date)
    };
    (0..width.unwrap_or(0))
        .filter(|column| days(column) * 10 >= rows.len() * 3 && named(column))
        .collect()
}

/// The period that stands in front of a table: two dates in one record, or a month with its year.
fn period(front: &[Record], today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let texts = |record: &Record| -> Vec<String> {
        let cells = record.cells.iter();
        cells
            .filter(|cell| cell.len() <= CELL_BYTES_MAX)
            .cloned()
            .collect()
    };
    let spans = front
        .iter()
        .filter_map(|record| span(&texts(record), today));
    let months = front
        .iter()
        .flat_map(texts)
        .filter_map(|text| of_month(&text, today));
    let mut spans: Vec<(NaiveDate, NaiveDate)> = spans.collect();
    if spans.is_empty() {
        spans = months.collect();
    }
    spans.dedup();
    match spans[..] {
        [span] => Some(span),
        _ => None,
    }
}

/// The two dates of a record, if it has just two and they are a period. Under every order in which
/// they can be read they are one: the widest counts, since it only settles the year.
fn span(texts: &[String], today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let found: Vec<&str> = texts.iter().flat_map(|text| dates(text, today)).collect();
    let [first, second] = found[..] else {
        return None;
    };
    let periods = ORDERS.into_iter().filter_map(|order: Order| {
        let from = date::read(first, order, today)?;
        let to = date::read(second, order, today)?;
        let days = (to - from).num_days();
        (0..=PERIOD_DAYS_MAX).contains(&days).then_some((from, to))
    });
    let widest = periods.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))?;
    let days = (widest.1 - widest.0).num_days();
    (days <= PERIOD_DAYS_MAX).then_some(widest)
}

/// The parts of a text that are dates with their year.
fn dates(text: &str, today: NaiveDate) -> Vec<&str> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some([(from, _), _, (_, to)]) = tokens.get(at..at + 3) {
        match text.get(*from..*to) {
            Some(part) if date::dated(part, today) => {
                found.push(part);
                at += 3;
            }
            _ => at += 1,
        }
    }
    found
}

/// A month with its year, as `2024年01月` and `January 2024`; with the month before, since a card's
/// purchases are settled in the month that follows.
fn of_month(text: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    if !dates(text, today).is_empty() {
        return None;
    }
    let words: Vec<&str> = tokens(text)
        .into_iter()
        .filter_map(|(from, to)| text.get(from..to))
        .collect();
    let number = |word: &str, length: usize| {
        let number = word.parse::<u32>().ok();
        number.filter(|_| word.len() <= length)
    };
    let year = |word: &str| number(word, 4).filter(|_| word.len() == 4);
    let found = words.windows(2).find_map(|pair| {
        let [left, right] = pair else { return None };
        match (year(left), year(right)) {
            (Some(year), None) if text.contains(['月', '월']) => Some((year, number(right, 2)?)),
            (None, Some(year)) => Some((year, month(left)?)),
            _ => None,
        }
    })?;
    let (year, month) = (i32::try_from(found.0).ok()?, found.1);
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    let from = first.checked_sub_months(Months::new(1))?;
    (year <= today.year() + 1).then_some((from, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, 15).unwrap()
    }

    /// The days of a table under what stands in front of it.
    fn read(front: &[&str], days: &[&str]) -> String {
        let record = |cells: &[&str]| Record {
            line: 1,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            original: String::new(),
        };
        let mut records: Vec<Record> = front.iter().map(|text| record(&[text])).collect();
        records.push(record(&["Date", "Text", "Amount"]));
        records.extend(days.iter().map(|day| record(&[day, "Shop", "1.00"])));
        let Some(years) = find(&records, today()) else {
            return "none".to_owned();
        };
        let rows = records.iter_mut().skip(front.len() + 1);
        let days = rows.map(|record| {
            years.complete(record);
            record.cells[0].clone()
        });
        days.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn days_have_the_year_of_the_period() {
        let over = "Period: 20/12/2025 - 19/01/2026";
        for (front, days, expected) in [
            (
                &[over][..],
                &["24/12", "05/01"][..],
                "2025-12-24 2026-01-05",
            ),
            (&[over], &["'24/12", "'05/01"], "2025-12-24 2026-01-05"),
            (&[over], &["24 Dec", "5 Jan"], "2025-12-24 2026-01-05"),
            (
                &["Period: 12/20/2025 - 01/19/2026"],
                &["12/24", "01/05"],
                "2025-12-24 2026-01-05",
            ),
            (
                &["对账单 2026年01月"],
                &["12/29", "01/03"],
                "2025-12-29 2026-01-03",
            ),
            (
                &["Statement January 2026"],
                &["29 Dec", "3 Jan"],
                "2025-12-29 2026-01-03",
            ),
            (
                &["2026年5月"],
                &["4月30日", "5月1日"],
                "2026-04-30 2026-05-01",
            ),
            // Neither a period nor a month; one that is too long; two of them.
            (&["Printed 19/01/2026"], &["24/12", "05/01"], "none"),
            (
                &["Period: 01/01/2024 - 19/01/2026"],
                &["24/12", "05/01"],
                "none",
            ),
            (
                &[over, "01/05/2026 - 31/05/2026"],
                &["24/12", "05/01"],
                "none",
            ),
            // Outside of the period, and either way inside of it.
            (&[over], &["24/06", "05/07"], "none"),
            (
                &["Period: 01/01/2026 - 30/04/2026"],
                &["02/03", "03/02"],
                "none",
            ),
        ] {
            assert_eq!(read(front, days), expected, "{front:?} {days:?}");
        }
    }
}
