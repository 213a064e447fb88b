//! Statements whose contents are known, changed in ways whose truth is known: the reader may read
//! what is left, ask or refuse, but it may never be ready and wrong.
//!
//! It works on the invented statements in `tests/statements` and, where `DJINN_STATEMENTS` names a
//! folder with a `MANIFEST.tsv`, on the real ones there too.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use encoding_rs::{UTF_16LE, WINDOWS_1252};

use super::super::amount::{Amount, Numeral};
use super::super::date::Order;
use super::super::encoding::Stream;
use super::super::header::{self, NumberKind};
use super::super::number::{self, Format};
use super::super::reading::{Reading, Recognition, recognise};
use super::super::record::{Record, Records};
use super::super::row::{Entry, rows};
use super::super::specimen::{Bytes, hints};

/// Figures are compared at this many decimals.
const SCALE: u8 = 8;

/// More combinations of answers are not tried.
const ANSWERS_MAX: usize = 24;

type Rows = Vec<(NaiveDate, i128)>;

/// A statement with what it holds.
struct Known {
    file: String,
    reading: Reading,
    text: String,
    /// The line each row begins on.
    lines: Vec<usize>,
    rows: Rows,
    rejected: usize,
    records: Vec<Vec<String>>,
}

/// A changed statement: what was done, the bytes, and what they hold.
struct Mutant {
    what: String,
    bytes: Vec<u8>,
    rows: Rows,
}

fn taken(source: &Bytes, reading: &Reading) -> (Rows, Vec<usize>, usize) {
    let (mut found, mut lines, mut rejected) = (Vec::new(), Vec::new(), 0);
    for entry in rows(source, reading).unwrap() {
        match entry.unwrap() {
            Entry::Row(row) => {
                found.push((row.booked_on, row.amount.at_scale(SCALE).unwrap()));
                lines.push(usize::try_from(row.line).unwrap());
            }
            Entry::Rejected(_) => rejected += 1,
        }
    }
    (found, lines, rejected)
}

fn units(figure: &str) -> i128 {
    let figure = figure.replace(' ', "");
    let format = Format::DotComma;
    let read = number::read(&figure, format).unwrap().unwrap();
    read.value.at_scale(SCALE).unwrap()
}

/// The reading that gives the known count and sum, under whatever answers it takes.
fn reading(source: &Bytes, count: usize, sum: i128) -> Option<Reading> {
    let fits = |reading: &Reading| {
        let (rows, _, _) = taken(source, reading);
        rows.len() == count && rows.iter().map(|(_, amount)| amount).sum::<i128>() == sum
    };
    let questions = match recognise(source, &hints(&[])).unwrap() {
        Recognition::Ready(reading) => return fits(&reading).then_some(reading),
        Recognition::Refused(_) => return None,
        Recognition::Asks { questions, .. } => questions,
    };
    let mut picks: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
    for question in &questions {
        let mut longer = Vec::new();
        for pick in &picks {
            for choice in &question.choices {
                let answer = (question.key.as_str(), choice.value.as_str());
                longer.push([pick.as_slice(), &[answer]].concat());
            }
        }
        longer.truncate(ANSWERS_MAX);
        picks = longer;
    }
    picks
        .iter()
        .find_map(|pick| match recognise(source, &hints(pick)).unwrap() {
            Recognition::Ready(reading) if fits(&reading) => Some(reading),
            _ => None,
        })
}

fn known(folder: &Path, manifest: &str) -> Vec<Known> {
    let manifest = std::fs::read_to_string(folder.join(manifest)).unwrap();
    let mut lines = manifest
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let place = |wanted: [&str; 2]| names.iter().position(|name| wanted.contains(name)).unwrap();
    let count = place(["rows", "n_transactions"]);
    let sum = place(["sum", "sum_signed"]);
    let mut found = Vec::new();
    for cells in lines.filter(|cells| cells[count] != "0") {
        let source = Bytes(std::fs::read(folder.join(cells[0])).unwrap());
        let rows = cells[count].parse().unwrap();
        let Some(reading) = reading(&source, rows, units(cells[sum])) else {
            continue;
        };
        let mut stream = Stream::open(&source, &reading.charset).unwrap();
        let mut text = String::new();
        while stream.read_into(&mut text).unwrap() {}
        let mut records = Records::open(&source, &reading.charset, &reading.dialect).unwrap();
        let mut cut = Vec::new();
        let mut record = Record::default();
        while records.read_into(&mut record).unwrap() {
            cut.push(record.cells.clone());
        }
        let (rows, lines, rejected) = taken(&source, &reading);
        found.push(Known {
            file: cells[0].to_owned(),
            reading,
            text,
            lines,
            rows,
            rejected,
            records: cut,
        });
    }
    found
}

impl Known {
    fn columns(&self) -> Vec<Numeral> {
        match &self.reading.plan.amount {
            Amount::Signed { cell, .. }
            | Amount::Marked { cell, .. }
            | Amount::Indicated { cell, .. } => vec![*cell],
            Amount::Pair { out, into, .. } => vec![*out, *into],
        }
    }

    /// Whether the file turns its signs against custom, which few rows cannot show.
    fn turned(&self) -> bool {
        match &self.reading.plan.amount {
            Amount::Signed { inverted, .. } | Amount::Marked { inverted, .. } => *inverted,
            Amount::Pair { into, .. } => {
                let name = self.reading.names.get(into.column);
                name.is_some_and(|name| header::number(name) == NumberKind::Debit)
            }
            Amount::Indicated { .. } => false,
        }
    }

    /// The text in front of the rows, each row with all its lines, and what stands behind.
    fn blocks(&self) -> (Vec<&str>, Vec<Vec<&str>>, Vec<&str>) {
        let text = &self.text;
        let mark = ["\r\r\n", "\r\n", "\n", "\r"];
        let mark = mark
            .iter()
            .find(|mark| text.contains(**mark))
            .unwrap_or(&"\n");
        let lines: Vec<&str> = text.split(mark).collect();
        let ends = self.lines.iter().skip(1).map(|line| line - 1);
        let ends = ends.chain([lines.len()]);
        let starts = self.lines.iter().map(|line| line - 1);
        let cut = starts
            .zip(ends)
            .map(|(start, end)| lines[start..end].to_vec());
        let mut blocks: Vec<Vec<&str>> = cut.collect();
        let last = blocks.last_mut().unwrap();
        let closed = |count: &usize| last[..*count].concat().matches('"').count() % 2 == 0;
        let end = (1..last.len()).find(closed).unwrap_or(last.len());
        let behind = last.split_off(end);
        (lines[..self.lines[0] - 1].to_vec(), blocks, behind)
    }

    /// Rows in another order, fewer of them, or other lines around them.
    fn rearranged(&self, out: &mut Vec<Mutant>) {
        let (front, blocks, behind) = self.blocks();
        let mut put = |what: String, front: &[&str], order: &[usize], behind: &[&str]| {
            let body = order
                .iter()
                .flat_map(|index| blocks[*index].iter().copied());
            let lines = front
                .iter()
                .copied()
                .chain(body)
                .chain(behind.iter().copied());
            out.push(Mutant {
                what,
                bytes: lines.collect::<Vec<_>>().join("\n").into_bytes(),
                rows: order.iter().map(|index| self.rows[*index]).collect(),
            });
        };
        let all: Vec<usize> = (0..blocks.len()).collect();
        let reversed: Vec<usize> = all.iter().rev().copied().collect();
        put("reversed".to_owned(), &front, &reversed, &behind);
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|index| (index + 1) * 7919 % 101);
        put("shuffled".to_owned(), &front, &shuffled, &behind);
        put(
            "twice".to_owned(),
            &front,
            &[all.clone(), all.clone()].concat(),
            &behind,
        );
        put("without what stands in front".to_owned(), &[], &all, &[]);
        for count in [1, 2, 3, 5] {
            if count < all.len() && !(self.turned() && count < 5) {
                put(format!("first {count}"), &front, &all[..count], &[]);
                put(
                    format!("last {count}"),
                    &front,
                    &all[all.len() - count..],
                    &[],
                );
            }
        }
        for gap in 1..all.len().min(4) {
            let rest: Vec<usize> = all.iter().filter(|index| **index != gap).copied().collect();
            put(format!("without row {gap}"), &front, &rest, &behind);
        }
        if !self.reading.names.is_empty()
            && let Some(header) = front.last()
        {
            put("header alone".to_owned(), &[header], &all, &[]);
            let (before, after) = blocks.split_at(blocks.len() / 2);
            let halves = [before.concat(), vec![*header], after.concat()];
            let lines = front
                .iter()
                .copied()
                .chain(halves.concat())
                .chain(behind.clone());
            out.push(Mutant {
                what: "header again".to_owned(),
                bytes: lines.collect::<Vec<_>>().join("\n").into_bytes(),
                rows: self.rows.clone(),
            });
        }
    }

    /// The same cells between other marks, with a total, or without the balance.
    fn recut(&self, out: &mut Vec<Mutant>) {
        let own = self.reading.dialect.delimiter;
        let mut put = |what: String, records: &[Vec<String>], delimiter: char| {
            out.push(Mutant {
                what,
                bytes: written(records, delimiter).into_bytes(),
                rows: self.rows.clone(),
            });
        };
        for delimiter in [';', ',', '\t', '|'] {
            put(format!("between {delimiter:?}"), &self.records, delimiter);
        }
        // A heading of totals is known by the balance alone, and so is that a pending row is none.
        let headed = self.reading.names.is_empty() && self.reading.before > 0;
        let known = headed || self.reading.void_status.is_some();
        if let Some(balance) = self.reading.balance.filter(|_| !known) {
            let mut records = self.records.clone();
            for cells in records
                .iter_mut()
                .filter(|cells| cells.len() > balance.column)
            {
                cells.remove(balance.column);
            }
            put("without the balance".to_owned(), &records, own);
        }
        let description = self.reading.descriptions.first();
        if let (Some(column), [amount]) = (description, self.columns().as_slice()) {
            let sum: i128 = self.rows.iter().map(|(_, amount)| amount).sum();
            let hundredths = sum / 1_000_000;
            let mark = if amount.format.mark() == Some(',') {
                ','
            } else {
                '.'
            };
            let sign = if sum < 0 { "-" } else { "" };
            let size = hundredths.abs();
            for word in ["Total", "Summe", "Итого", "合计"] {
                let mut records = self.records.clone();
                let width = self.reading.dialect.width.max(amount.column + 1);
                let mut cells = vec![String::new(); width.max(*column + 1)];
                cells[*column] = word.to_owned();
                cells[amount.column] = format!("{sign}{}{mark}{:02}", size / 100, size % 100);
                records.push(cells);
                put(format!("with a row {word}"), &records, own);
            }
        }
    }

    /// The same figures, or a thousand times as much, in other ways to write numbers.
    fn rewritten(&self, out: &mut Vec<Mutant>) {
        let mut columns = self.columns();
        columns.extend(self.reading.balance);
        for (what, mark, group, factor) in [
            ("comma and dots", ',', ".", 1),
            ("dot and commas", '.', ",", 1),
            ("comma and spaces", ',', "\u{a0}", 1),
            ("dot and apostrophes", '.', "'", 1),
            ("a thousand times as much", '.', ",", 1000),
        ] {
            // Nobody writes decimal commas and the month first.
            if mark == ',' && self.reading.day.order == Order::Mdy {
                continue;
            }
            let mut records = self.records.clone();
            let mut plain = true;
            for cells in &mut records {
                for column in &columns {
                    let Some(cell) = cells.get_mut(column.column) else {
                        continue;
                    };
                    if let Ok(Some(figure)) = number::read(cell, column.format) {
                        let signed = cell.contains('+') && figure.side.is_none();
                        plain &= figure.side.is_none() && figure.value.scale <= 2;
                        let scaled = figure.value.at_scale(2).unwrap() * factor;
                        let plus = if signed { "+" } else { "" };
                        *cell = format!("{plus}{}", grouped(scaled, mark, group));
                    }
                }
            }
            if plain {
                let rows = self
                    .rows
                    .iter()
                    .map(|(day, amount)| (*day, amount * factor));
                out.push(Mutant {
                    what: what.to_owned(),
                    bytes: written(&records, '\t').into_bytes(),
                    rows: rows.collect(),
                });
            }
        }
    }

    /// The same text in other encodings.
    fn encoded(&self, out: &mut Vec<Mutant>) {
        let utf16: Vec<u8> = self
            .text
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut all = vec![
            ("UTF-8", self.text.clone().into_bytes()),
            (
                "UTF-8 with a mark",
                [b"\xef\xbb\xbf", self.text.as_bytes()].concat(),
            ),
            (
                "UTF-16 with a mark",
                [b"\xff\xfe", utf16.as_slice()].concat(),
            ),
            (UTF_16LE.name(), utf16.clone()),
        ];
        if let (bytes, _, false) = WINDOWS_1252.encode(&self.text) {
            all.push((WINDOWS_1252.name(), bytes.into_owned()));
        }
        for (what, bytes) in all {
            out.push(Mutant {
                what: what.to_owned(),
                bytes,
                rows: self.rows.clone(),
            });
        }
    }

    fn mutants(&self) -> Vec<Mutant> {
        let mut all = Vec::new();
        if self.rejected == 0 {
            self.rearranged(&mut all);
        }
        self.recut(&mut all);
        self.rewritten(&mut all);
        self.encoded(&mut all);
        all
    }
}

/// Hundredths as text.
fn grouped(hundredths: i128, mark: char, group: &str) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.abs();
    let mut whole = (size / 100).to_string();
    let mut at = whole.len();
    while at > 3 {
        at -= 3;
        whole.insert_str(at, group);
    }
    format!("{sign}{whole}{mark}{:02}", size % 100)
}

fn written(records: &[Vec<String>], delimiter: char) -> String {
    let mut text = String::new();
    for cells in records {
        let quoted = cells
            .iter()
            .map(|cell| match cell.contains(['"', '\n', delimiter]) {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            });
        text += &quoted.collect::<Vec<_>>().join(&delimiter.to_string());
        text.push('\n');
    }
    text
}

/// What is wrong with the reading of a mutant, if it is ready at all.
fn wrong(mutant: &Mutant) -> Option<String> {
    let source = Bytes(mutant.bytes.clone());
    let Recognition::Ready(reading) = recognise(&source, &hints(&[])).unwrap() else {
        return None;
    };
    let (rows, _, _) = taken(&source, &reading);
    (rows != mutant.rows).then(|| {
        let first = rows
            .iter()
            .zip(&mutant.rows)
            .find(|(is, should)| is != should);
        format!("{} rows not {}, {first:?}", rows.len(), mutant.rows.len())
    })
}

#[test]
fn no_mutant_is_ready_and_wrong() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let mut all = known(&own, "manifest.tsv");
    match std::env::var("DJINN_STATEMENTS") {
        Ok(folder) => all.extend(known(Path::new(&folder), "MANIFEST.tsv")),
        Err(_) => eprintln!("DJINN_STATEMENTS names no folder: only invented statements change"),
    }
    let mut found = Vec::new();
    let mut count = 0;
    for known in &all {
        for mutant in known.mutants() {
            count += 1;
            if let Some(why) = wrong(&mutant) {
                found.push(format!("{} {}: {why}", known.file, mutant.what));
            }
        }
    }
    eprintln!("{count} mutants of {} statements", all.len());
    assert!(
        found.is_empty(),
        "{} are wrong:\n{}",
        found.len(),
        found.join("\n")
    );
    assert!(all.len() > 50 && count > 1000, "{count} of {}", all.len());
}
