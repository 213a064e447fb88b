//! How the lines of a file become cells: delimiter and quoting, judged by what the cells then are.

use chrono::NaiveDate;

use super::encoding::{Charset, Level, Stream};
use super::reading::{ReadError, Source};
use super::record::{Dialect, Record, Records};
use super::{date, figures, header, number};

/// How much text the first look takes, in bytes.
const SAMPLE_BYTES: usize = 512 * 1024;

/// How many records the first look takes.
const SAMPLE_RECORDS: usize = 1500;

/// Delimiters in order of preference among equals.
const DELIMITERS: [char; 5] = [';', '\t', ',', '|', '~'];

/// The beginning of a file, in memory.
struct Sample(Vec<u8>);

impl Source for Sample {
    fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        Ok(Box::new(std::io::Cursor::new(self.0.clone())))
    }
}

/// The dialect, with the first records under it.
pub(super) struct Found {
    pub(super) dialect: Dialect,
    pub(super) records: Vec<Record>,
}

/// Tries every delimiter, or the one that a person says it is, on the beginning of the file and
/// keeps the best table.
pub(super) fn detect(
    source: &dyn Source,
    charset: &Charset,
    today: NaiveDate,
    said: Option<char>,
) -> Result<Found, ReadError> {
    let sample = sample(source, charset)?;
    let utf8 = Charset {
        name: "UTF-8".to_owned(),
        level: Level::Certain,
    };
    let text = std::str::from_utf8(&sample.0).unwrap_or_default();
    let foreign = figures::foreign(text);
    // A backslash in front of a mark counts only where it makes more rows even.
    let mut variants = vec![(false, false), (true, false)];
    if text.contains("\\\"") {
        variants.push((false, true));
    }
    let mut best: Option<((usize, u32, usize), Found)> = None;
    let mut too_large: Option<ReadError> = None;
    let delimiters = said.map_or_else(|| DELIMITERS.to_vec(), |said| vec![said]);
    for delimiter in delimiters {
        for (wrapped, escaped) in variants.iter().copied() {
            let dialect = Dialect {
                delimiter,
                quoted: true,
                wrapped,
                width: 0,
                escaped,
                bare: true,
                foreign,
                years: None,
            };
            let found = match table(&sample, &utf8, dialect, today) {
                // Under the wrong delimiter anything may be too large.
                Err(limit @ ReadError::Limit { .. }) => {
                    let telling = too_large.as_ref().map(telling);
                    if telling.is_none_or(|old| self::telling(&limit) > old) {
                        too_large = Some(limit);
                    }
                    continue;
                }
                found => found?,
            };
            let Some(found) = found else { continue };
            let score = score(&found.records, found.dialect.width, today);
            if best.as_ref().is_none_or(|(old, _)| score > *old) {
                best = Some((score, found));
            }
        }
    }
    let none = || {
        let dialect = Dialect {
            delimiter: ',',
            quoted: true,
            wrapped: false,
            width: 1,
            escaped: false,
            bare: true,
            foreign: false,
            years: None,
        };
        Found {
            dialect,
            records: Vec::new(),
        }
    };
    match (best, too_large) {
        (Some((_, found)), _) => Ok(found),
        (None, Some(limit)) => Err(limit),
        (None, None) => Ok(none()),
    }
}

/// How much a limit says of the file: too many columns are told only by the right delimiter, a line
/// is too long under each, and a cell may be one because the delimiter is wrong.
fn telling(limit: &ReadError) -> u8 {
    match limit {
        ReadError::Limit {
            what: "columns", ..
        } => 2,
        ReadError::Limit { what: "line", .. } => 1,
        _ => 0,
    }
}

/// The beginning as a table of this dialect, if it has more columns than one.
fn table(
    sample: &Sample,
    charset: &Charset,
    mut dialect: Dialect,
    today: NaiveDate,
) -> Result<Option<Found>, ReadError> {
    dialect.width = width(&records(sample, charset, &dialect, today)?);
    if dialect.width < 2 {
        return Ok(None);
    }
    // Read again: the width tells which open quotes are only letters.
    let records = records(sample, charset, &dialect, today)?;
    Ok(Some(Found { dialect, records }))
}

fn sample(source: &dyn Source, charset: &Charset) -> Result<Sample, ReadError> {
    let mut stream = Stream::open(source, charset)?;
    let mut text = String::new();
    let mut whole = false;
    while text.len() < SAMPLE_BYTES {
        if !stream.read_into(&mut text)? {
            whole = true;
            break;
        }
    }
    if !whole && let Some(end) = text.rfind(['\n', '\r']) {
        text.truncate(end);
    }
    Ok(Sample(text.into_bytes()))
}

fn records(
    sample: &Sample,
    charset: &Charset,
    dialect: &Dialect,
    today: NaiveDate,
) -> Result<Vec<Record>, ReadError> {
    let mut stream = Records::open(sample, charset, dialect)?;
    let mut records = Vec::new();
    while records.len() < SAMPLE_RECORDS {
        let mut record = Record::default();
        match stream.read_into(&mut record) {
            Ok(true) => records.push(record),
            Ok(false) => break,
            // A row before it is enough to judge by.
            Err(ReadError::Limit { .. }) if records.iter().any(|row| dated(row, today)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(records)
}

/// The most frequent number of cells among records with more than one: preambles have one.
fn width(records: &[Record]) -> usize {
    let mut counts = std::collections::BTreeMap::new();
    for record in records.iter().filter(|record| record.cells.len() > 1) {
        *counts.entry(record.cells.len()).or_insert(0_usize) += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(width, count)| (*count, *width))
        .map_or(0, |(width, _)| width)
}

fn dated(record: &Record, today: NaiveDate) -> bool {
    record.cells.iter().any(|cell| date::dated(cell, today))
}

/// Records that hold both a date and a number, the best header, and records of equal width.
fn score(records: &[Record], width: usize, today: NaiveDate) -> (usize, u32, usize) {
    let row = |record: &&Record| {
        let dated = dated(record, today);
        let numeric = record
            .cells
            .iter()
            .any(|cell| !date::dated(cell, today) && matches!(number::anatomy(cell), Ok(Some(_))));
        dated && numeric
    };
    let rows = records.iter().filter(row).count();
    let names = |record: &Record| record.cells.iter().map(|cell| header::weight(cell)).sum();
    let best: u32 = records.iter().take(60).map(names).max().unwrap_or(0);
    let even = records
        .iter()
        .filter(|record| record.cells.len() == width)
        .count();
    (rows, best, even)
}
