//! Time stamps and the day on which they fall in the account's time zone (algorithms C.3.5): what
//! was bought in Berlin half an hour after midnight is of the day before where its bank writes UTC.
//!
//! Only a time that tells its offset moves to another day; one that does not is the bank's own, and
//! its date stands.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::column::{self, Survey};
use super::date;
use super::header;
use super::layout::Layout;

/// No place on earth is further from UTC, in hours.
const HOURS_MAX: i32 = 14;

/// The time of day behind a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    time: NaiveTime,
    /// How far it is ahead of UTC, if it says so.
    pub(super) ahead: Option<FixedOffset>,
}

impl Clock {
    /// Whether it is one that programs write where they know the day alone.
    pub(super) fn vague(self) -> bool {
        let noon = NaiveTime::from_hms_opt(12, 0, 0);
        self.time == NaiveTime::MIN || Some(self.time) == noon
    }
}

/// How the time stamps of a file become days.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// The time zone of the account's holder.
    pub zone: Tz,
    /// Columns whose cells tell their offset.
    pub offset: Vec<usize>,
    /// Columns of which the header says that they are in UTC.
    pub utc: Vec<usize>,
}

impl Stamps {
    /// The day of a cell in the account's time zone; `written` is the date it shows.
    pub(super) fn day(&self, column: usize, cell: &str, written: NaiveDate) -> NaiveDate {
        let Some(clock) = clock(cell) else {
            return written;
        };
        let utc = FixedOffset::east_opt(0).filter(|_| self.utc.contains(&column));
        let ahead = clock.ahead.filter(|_| self.offset.contains(&column));
        let moment = ahead.or(utc).and_then(|ahead| {
            let local = NaiveDateTime::new(written, clock.time);
            ahead.from_local_datetime(&local).single()
        });
        moment.map_or(written, |moment: DateTime<FixedOffset>| {
            moment.with_timezone(&self.zone).date_naive()
        })
    }
}

/// What the columns of days say of their offsets: the stamps, if the account's time zone is known,
/// and the evidence.
pub(super) fn find(
    survey: &Survey,
    layout: &Layout,
    columns: &[usize],
    zone: Option<Tz>,
) -> (Option<Stamps>, Option<String>) {
    let dates = |column: &usize| survey.facts(*column).dates;
    let named = |column: &usize| header::names_utc(column::name(layout, *column));
    let (offset, rest): (Vec<usize>, Vec<usize>) = columns.iter().partition(|c| dates(c).zoned);
    let utc = rest.into_iter().filter(|c| dates(c).timed && named(c));
    let utc: Vec<usize> = utc.collect();
    let what = match (offset.is_empty(), utc.is_empty()) {
        (false, _) => "Time stamps carry an offset from UTC",
        (true, false) => "The header says that times are in UTC",
        (true, true) => {
            let names = layout.names.as_deref();
            let evidence = names.is_some_and(header::name_zone).then(|| {
                "The file names a time zone apart from its days: the date counts as it is written."
                    .to_owned()
            });
            return (None, evidence);
        }
    };
    // A column of days is none of time stamps, whatever stands beside it.
    let ticking = |columns: Vec<usize>| -> Vec<usize> {
        columns.into_iter().filter(|c| dates(c).ticks).collect()
    };
    let (offset, utc) = (ticking(offset), ticking(utc));
    if offset.is_empty() && utc.is_empty() {
        let evidence = format!("{what}, and all are midnight or noon: they mean the day alone.");
        return (None, Some(evidence));
    }
    match zone {
        Some(zone) => {
            let name = zone.name();
            let evidence = format!("{what}: the date is that of the time zone {name}.");
            (Some(Stamps { zone, offset, utc }), Some(evidence))
        }
        None => {
            let evidence = format!(
                "{what}, and the account has no time zone: the date counts as it is written."
            );
            (None, Some(evidence))
        }
    }
}

/// The time of day behind the date of a cell.
pub(super) fn clock(cell: &str) -> Option<Clock> {
    let rest = date::behind(cell)?.trim_matches(['\'', '"']);
    let rest = rest.trim_start_matches(['T', 't', '-', ',', ' ', '_']);
    let rest = rest.strip_prefix("at ").unwrap_or(rest);
    let (hour, rest) = digits(rest)?;
    // `120000`, as OFX writes it, or `12:00:00`.
    let (hour, minute, second, rest) = if hour.len() == 6 {
        (hour.get(..2)?, hour.get(2..4)?, hour.get(4..)?, rest)
    } else {
        let (minute, rest) = digits(rest.strip_prefix([':', '.', 'h'])?)?;
        let (second, rest) = match rest.strip_prefix([':', '.']) {
            Some(rest) => digits(rest)?,
            None => ("0", rest),
        };
        (hour, minute, second, rest)
    };
    let rest = match rest.strip_prefix(['.', ',', ':']) {
        Some(rest) => digits(rest)?.1,
        None => rest,
    };
    let rest = rest.trim();
    let upper = rest.get(..2).map(str::to_ascii_uppercase);
    let (half, rest) = match upper.as_deref() {
        Some(half @ ("AM" | "PM")) => (half, rest.get(2..)?.trim_start()),
        _ => ("", rest),
    };
    let number = |text: &str| text.parse::<u32>().ok();
    let hour = match (number(hour)?, half) {
        (12, "AM") => 0,
        (hour @ 1..=11, "PM") => hour + 12,
        (hour, _) => hour,
    };
    // A leap second is of the minute it ends.
    let time = NaiveTime::from_hms_opt(hour, number(minute)?, number(second)?.min(59))?;
    let ahead = match rest {
        "" => None,
        zone => Some(ahead(zone)?),
    };
    Some(Clock { time, ahead })
}

/// Leading digits and the rest.
fn digits(text: &str) -> Option<(&str, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count > 0).then(|| text.split_at_checked(count)).flatten()
}

/// `Z`, `UTC`, `+02:00`, `GMT-5`, `[-5:EST]`. Other abbreviations mean several zones each.
fn ahead(zone: &str) -> Option<FixedOffset> {
    let zone = match zone.strip_prefix('[') {
        Some(inside) => {
            let inside = inside.strip_suffix(']')?;
            let offset = inside.split_once(':').map_or(inside, |(offset, _)| offset);
            return hours(offset);
        }
        None => zone.to_ascii_uppercase(),
    };
    let offset = zone
        .strip_prefix("UTC")
        .or_else(|| zone.strip_prefix("GMT"))
        .or_else(|| zone.strip_prefix('Z'));
    match offset.map_or(zone.as_str(), str::trim_start) {
        "" => FixedOffset::east_opt(0),
        offset => hours(offset).filter(|_| offset.starts_with(['+', '-'])),
    }
}

/// An offset in hours, and minutes if it has them: `+2`, `-0530`, `+05:30`, `5.5`.
fn hours(offset: &str) -> Option<FixedOffset> {
    let behind = offset.starts_with('-');
    let size = offset.strip_prefix(['+', '-']).unwrap_or(offset);
    let (hours, minutes) = match (size.split_once(':'), size.split_once('.')) {
        (Some((hours, minutes)), _) if minutes.len() == 2 => (hours, minutes.parse().ok()?),
        // Tenths of an hour.
        (None, Some((hours, tenths))) if tenths.len() == 1 => {
            (hours, tenths.parse::<i32>().ok()?.checked_mul(6)?)
        }
        (None, None) if size.len() == 4 => (size.get(..2)?, size.get(2..)?.parse().ok()?),
        (None, None) => (size, 0),
        _ => return None,
    };
    let plain = hours.len() <= 2 && hours.bytes().all(|byte| byte.is_ascii_digit());
    let hours = hours.parse::<i32>().ok().filter(|_| plain)?;
    let minutes: i32 = minutes;
    let inside = hours <= HOURS_MAX && (0..60).contains(&minutes);
    let seconds = hours * 3600 + minutes * 60;
    let seconds = if behind { -seconds } else { seconds };
    FixedOffset::east_opt(seconds).filter(|_| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_behind_dates() {
        for (cell, expected) in [
            ("2024-01-15T23:30:00Z", "23:30:00 +00:00"),
            ("2024-01-15T23:30:00.123456Z", "23:30:00 +00:00"),
            ("2024-01-15 23:30:00 +0200", "23:30:00 +02:00"),
            ("2024-01-15 23:30:00+05:30", "23:30:00 +05:30"),
            ("2024-01-15 23:30:00 UTC", "23:30:00 +00:00"),
            ("2024-01-15T23:30:00 GMT-5", "23:30:00 -05:00"),
            ("2024-01-15 at 11:30 PM UTC", "23:30:00 +00:00"),
            ("01/15/2024 12:05 AM", "00:05:00"),
            ("15.01.2024, 9:05", "09:05:00"),
            ("15.01.2024 9.05.59", "09:05:59"),
            ("20240131233000[-5:EST]", "23:30:00 -05:00"),
            ("20240131233000.000[+5.5:IST]", "23:30:00 +05:30"),
            ("20240131233000", "23:30:00"),
            ("2013-07-03-08.21.36.47192", "08:21:36"),
            ("2024-06-30T23:59:60Z", "23:59:59 +00:00"),
            // Abbreviations of several zones, offsets of no place, no time of day.
            ("2024-01-15 23:30:00 CST", "none"),
            ("2024-01-15 23:30:00+15:00", "none"),
            ("2024-01-15 24:30:00Z", "none"),
            ("2024-01-15", "none"),
            ("23:30:00Z", "none"),
        ] {
            let found = clock(cell).map_or("none".to_owned(), |clock| match clock.ahead {
                Some(ahead) => format!("{} {ahead}", clock.time),
                None => clock.time.to_string(),
            });
            assert_eq!(found, expected, "{cell:?}");
        }
    }

    #[test]
    fn days_in_a_time_zone() {
        let stamps = |zone| Stamps {
            zone,
            offset: vec![0],
            utc: vec![1],
        };
        let berlin = chrono_tz::Europe::Berlin;
        let new_york = chrono_tz::America::New_York;
        let kiritimati = chrono_tz::Pacific::Kiritimati;
        for (zone, column, cell, expected) in [
            (berlin, 0, "2024-01-15T22:59:59Z", "2024-01-15"),
            (berlin, 0, "2024-01-15T23:30:00Z", "2024-01-16"),
            // An hour earlier in summer, and still of the year before at its end.
            (berlin, 0, "2024-07-15T22:30:00Z", "2024-07-16"),
            (berlin, 0, "2024-12-31T23:00:00Z", "2025-01-01"),
            (new_york, 0, "2024-03-01T03:00:00Z", "2024-02-29"),
            (new_york, 0, "2024-03-01T03:00:00-05:00", "2024-03-01"),
            (kiritimati, 0, "2024-01-15T10:00:00Z", "2024-01-16"),
            // The night in which an hour does not exist.
            (berlin, 0, "2024-03-31T02:30:00+01:00", "2024-03-31"),
            (berlin, 1, "2024-01-15 23:30", "2024-01-16"),
            // Its own time, and a column of which nothing is known.
            (berlin, 0, "2024-01-15 23:30", "2024-01-15"),
            (berlin, 2, "2024-01-15T23:30:00Z", "2024-01-15"),
        ] {
            let written = date::read(cell, date::Order::Ymd, NaiveDate::default())
                .or_else(|| cell.get(..10)?.parse().ok())
                .unwrap();
            let found = stamps(zone).day(column, cell, written);
            assert_eq!(found.to_string(), expected, "{cell} in {zone}");
        }
    }
}
