//! How the lines of a file become cells: delimiter and quoting, judged by what the cells then are.

use chrono::NaiveDate;

use super::encoding::{Charset, Level, Stream};
use super::reading::{ReadError, Source};
use super::record::{Dialect, Record, Records};
use super::{date, header, number};

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
    let mut best: Option<((usize, u32, usize), Found)> = None;
    let delimiters = said.map_or_else(|| DELIMITERS.to_vec(), |said| vec![said]);
    for delimiter in delimiters {
        for (quoted, wrapped) in [(true, false), (true, true)] {
            let mut dialect = Dialect {
                delimiter,
                quoted,
                wrapped,
                width: 0,
            };
            let records = records(&sample, &utf8, &dialect)?;
            dialect.width = width(&records);
            if dialect.width < 2 {
                continue;
            }
            // Read again: the width tells which open quotes are only letters.
            let records = self::records(&sample, &utf8, &dialect)?;
            let score = score(&records, dialect.width, today);
            if best.as_ref().is_none_or(|(old, _)| score > *old) {
                best = Some((score, Found { dialect, records }));
            }
        }
    }
    let none = || {
        let dialect = Dialect {
            delimiter: ',',
            quoted: true,
            wrapped: false,
            width: 1,
        };
        Found {
            dialect,
            records: Vec::new(),
        }
    };
    Ok(best.map_or_else(none, |(_, found)| found))
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
) -> Result<Vec<Record>, ReadError> {
    let mut stream = Records::open(sample, charset, dialect)?;
    let mut records = Vec::new();
    while records.len() < SAMPLE_RECORDS {
        match stream.next_record() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => break,
            // Under the wrong delimiter anything may be too large; the right one reports it.
            Err(ReadError::Limit { .. }) => break,
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

/// Records that hold both a date and a number, the best header, and records of equal width.
fn score(records: &[Record], width: usize, today: NaiveDate) -> (usize, u32, usize) {
    let row = |record: &&Record| {
        let dated = record.cells.iter().any(|cell| date::dated(cell, today));
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
