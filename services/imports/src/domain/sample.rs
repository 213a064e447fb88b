//! Sample rows for a question: the same lines of the file under every choice, chosen so that the
//! choices visibly differ in them. Whoever answers compares one booking they remember.

use djinn_ledger::money::Decimal;

use super::question::SAMPLES_MAX;
use super::reading::{ReadError, Reading, Source};
use super::row::{self, Entry, Rows, StatementRow};

/// Once rows have been found that tell choices apart, so many more are looked at for ones that tell
/// more of them apart.
const FURTHER_ROWS_MAX: u64 = 10_000;
/// Ways in which lines tell the choices apart that are kept.
const KINDS_MAX: usize = 32;
/// Characters of a text that are shown.
const TEXT_MAX: usize = 60;

/// The samples of all choices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Samples {
    /// For each choice, in their order, the lines as they read.
    pub(super) by_choice: Vec<Vec<String>>,
    /// Whether some line has amounts of different sizes, not only of different signs.
    pub(super) sizes_differ: bool,
}

impl Samples {
    /// Whether the file reads the same under every choice.
    pub(super) fn are_alike(&self) -> bool {
        self.by_choice.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// One line of the file as it reads under each choice.
struct Line {
    number: u64,
    /// The text under each choice; none where the line is no row of its own.
    texts: Vec<Option<String>>,
    sizes: Vec<Option<Decimal>>,
}

impl Line {
    /// For each pair of choices whether the line tells them apart.
    fn tells(&self) -> Vec<bool> {
        let texts = &self.texts;
        let rest = |index: usize| texts.iter().skip(index + 1);
        let pairs = texts.iter().enumerate();
        pairs
            .flat_map(|(index, left)| rest(index).map(move |right| left != right))
            .collect()
    }
}

/// Lines that tell the same choices apart, the first ones of the file.
struct Kind {
    tells: Vec<bool>,
    lines: Vec<Line>,
}

/// Reads a file under every choice side by side and keeps what tells them apart.
pub(super) fn samples(source: &dyn Source, readings: &[Reading]) -> Result<Samples, ReadError> {
    let mut side_by_side = SideBySide::open(source, readings)?;
    let mut kinds: Vec<Kind> = Vec::new();
    let mut further = 0;
    while let Some(line) = side_by_side.next_line()? {
        let tells = line.tells();
        match kinds.iter().position(|kind| kind.tells == tells) {
            Some(index) => {
                let known = kinds.get_mut(index);
                if let Some(kind) = known.filter(|kind| kind.lines.len() < SAMPLES_MAX) {
                    kind.lines.push(line);
                }
            }
            None if kinds.len() < KINDS_MAX => kinds.push(Kind {
                tells,
                lines: vec![line],
            }),
            None => {}
        }
        let full = |kind: &Kind| kind.lines.len() == SAMPLES_MAX;
        let best = |kind: &Kind| kind.tells.iter().all(|told| *told);
        if kinds.iter().any(|kind| full(kind) && best(kind)) {
            break;
        }
        further += u64::from(kinds.iter().any(|kind| kind.tells.contains(&true)));
        if further > FURTHER_ROWS_MAX {
            break;
        }
    }
    Ok(show(choose(kinds), readings.len()))
}

/// The lines that together tell most choices apart, in the order of the file. Lines that tell
/// nothing are shown only where there are no others.
fn choose(mut kinds: Vec<Kind>) -> Vec<Line> {
    if kinds.iter().any(|kind| kind.tells.contains(&true)) {
        kinds.retain(|kind| kind.tells.contains(&true));
    }
    let pairs = kinds.first().map_or(0, |kind| kind.tells.len());
    let mut told = vec![false; pairs];
    let mut chosen = Vec::new();
    while chosen.len() < SAMPLES_MAX {
        let gain = |kind: &Kind| {
            let fresh = kind.tells.iter().zip(&told);
            let fresh = fresh.filter(|(tells, told)| **tells && !**told).count();
            (fresh, kind.tells.iter().filter(|tells| **tells).count())
        };
        kinds.retain(|kind| !kind.lines.is_empty());
        // Of equals the first: `max_by_key` takes the last, so it looks from behind.
        let Some(best) = kinds.iter_mut().rev().max_by_key(|kind| gain(kind)) else {
            break;
        };
        chosen.push(best.lines.remove(0));
        for (told, tells) in told.iter_mut().zip(&best.tells) {
            *told |= tells;
        }
    }
    chosen.sort_by_key(|line| line.number);
    chosen
}

fn show(lines: Vec<Line>, choices: usize) -> Samples {
    let mut samples = Samples {
        by_choice: vec![Vec::new(); choices],
        sizes_differ: false,
    };
    for line in lines {
        let mut sizes = line.sizes.iter().flatten();
        if let Some(first) = sizes.next() {
            samples.sizes_differ |= sizes.any(|size| size != first);
        }
        for (shown, text) in samples.by_choice.iter_mut().zip(line.texts) {
            shown.extend(text);
        }
    }
    samples
}

/// The rows of a file under several readings, line by line.
struct SideBySide {
    readers: Vec<(Rows, Option<Entry>)>,
}

impl SideBySide {
    fn open(source: &dyn Source, readings: &[Reading]) -> Result<Self, ReadError> {
        let mut readers = Vec::new();
        for reading in readings {
            let mut rows = row::rows(source, reading)?;
            let next = rows.next().transpose()?;
            readers.push((rows, next));
        }
        Ok(Self { readers })
    }

    /// The next line that is a row under at least one reading.
    fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        let heads = self.readers.iter().filter_map(|(_, next)| next.as_ref());
        let Some(number) = heads.map(line_of).min() else {
            return Ok(None);
        };
        let (mut texts, mut sizes) = (Vec::new(), Vec::new());
        for (rows, next) in &mut self.readers {
            let here = next.as_ref().is_some_and(|entry| line_of(entry) == number);
            let entry = if here { next.take() } else { None };
            if here {
                *next = rows.next().transpose()?;
            }
            sizes.push(match &entry {
                Some(Entry::Row(row)) => Some(row.amount.magnitude()),
                _ => None,
            });
            texts.push(entry.as_ref().map(text));
        }
        Ok(Some(Line {
            number,
            texts,
            sizes,
        }))
    }
}

fn line_of(entry: &Entry) -> u64 {
    match entry {
        Entry::Row(row) => row.line,
        Entry::Rejected(rejected) => rejected.line,
    }
}

fn text(entry: &Entry) -> String {
    match entry {
        Entry::Row(row) => read(row),
        Entry::Rejected(rejected) => format!("left out: {}", cut(&rejected.original)),
    }
}

/// A row in words. The month by its name: in figures a date would ask the very question again.
pub(super) fn read(row: &StatementRow) -> String {
    let sign = if row.amount.digits > 0 { "+" } else { "" };
    let currency = row
        .currency
        .map_or(String::new(), |currency| currency.to_string());
    let parts = [
        row.booked_on.format("%-d %B %Y").to_string(),
        format!("{sign}{} {currency}", row.amount)
            .trim_end()
            .to_owned(),
        cut(&row.counterparty),
        cut(&row.description),
    ];
    let mut shown: Vec<String> = Vec::new();
    for part in parts {
        if !part.is_empty() && !shown.contains(&part) {
            shown.push(part);
        }
    }
    shown.join("  ")
}

pub(super) fn cut(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default().trim_end()),
        None => words,
    }
}
