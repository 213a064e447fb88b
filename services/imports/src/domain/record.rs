//! Splits text into records with line numbers, as a stream. Own code over lines rather than a CSV
//! parser, since real exports leave quotes open, forget them, and mix line ends: a quoted cell may
//! span lines, but a quote that swallows complete rows is taken as a letter. How one line becomes
//! cells is in `cells`.

use std::collections::VecDeque;

use memchr::memchr2;
use serde::{Deserialize, Serialize};

use super::cells::{literal, split};
use super::encoding::{Charset, Stream};
use super::figures;
use super::reading::{ReadError, Source};
use super::year::Years;

/// The most columns a table may have (DESIGN 6).
pub const COLUMNS_MAX: usize = 512;
/// The largest cell, in bytes (DESIGN 6).
pub const CELL_BYTES_MAX: usize = 64 * 1024;
/// What a cell keeps for the next record, in bytes: more than most texts have, and little for all
/// columns together, in which a file might have its largest cells one after the other.
pub(super) const CELL_KEPT_BYTES_MAX: usize = 1024;
/// The longest line, in bytes (DESIGN 6).
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The most rows (DESIGN 6).
pub const ROWS_MAX: u64 = 2_000_000;
/// A quoted cell of more lines than this was never meant to be one.
const QUOTED_LINES_MAX: usize = 100;

/// How lines become cells.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The ASCII character between cells.
    pub delimiter: char,
    /// Whether quotation marks wrap cells; false when they are only letters in the texts.
    pub quoted: bool,
    /// Whether each whole line is wrapped in quotation marks once more.
    pub wrapped: bool,
    /// How many cells most records have.
    pub width: usize,
    /// Whether a backslash in front of a quotation mark makes it a letter.
    #[serde(default)]
    pub escaped: bool,
    /// Whether a name between marks that nobody doubled may end its cell.
    #[serde(default)]
    pub bare: bool,
    /// Whether figures in other digits than ours are put into ours.
    #[serde(default)]
    pub foreign: bool,
    /// How days without a year get theirs, where there are such.
    #[serde(default)]
    pub years: Option<Years>,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    /// The cells, quotes removed, trimmed.
    pub(super) cells: Vec<String>,
    /// The text as it stands in the file.
    pub(super) original: String,
}

impl Record {
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Makes it equal to another one, in the memory that it has.
    pub(super) fn set(&mut self, other: &Self) {
        self.line = other.line;
        self.cells.clone_from(&other.cells);
        for cell in &mut self.cells {
            cell.shrink_to(CELL_KEPT_BYTES_MAX);
        }
        self.original.clone_from(&other.original);
    }

    pub(super) fn blank(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// The lines of a text: ends are LF, CR, CR LF and CR CR LF.
pub(super) struct Lines {
    stream: Stream,
    buffer: String,
    at: usize,
    line: u64,
    ended: bool,
}

impl Lines {
    pub(super) fn open(source: &dyn Source, charset: &Charset) -> Result<Self, ReadError> {
        let stream = Stream::open(source, charset)?;
        Ok(Self {
            stream,
            buffer: String::new(),
            at: 0,
            line: 0,
            ended: false,
        })
    }

    fn rest(&self) -> &str {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Reads more text; what is consumed is dropped first.
    fn more(&mut self) -> Result<(), ReadError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.buffer.len() > LINE_BYTES_MAX {
            return Err(ReadError::limit("line", "1 MiB"));
        }
        self.ended = !self.stream.read_into(&mut self.buffer)?;
        Ok(())
    }

    /// Puts the next line, without its end, into `text`; its number, if there is one.
    pub(super) fn read_into(&mut self, text: &mut String) -> Result<Option<u64>, ReadError> {
        text.clear();
        loop {
            let rest = self.rest();
            let end = memchr2(b'\n', b'\r', rest.as_bytes());
            if let Some(end) = end {
                let tail = rest.get(end..).unwrap_or_default();
                // The end may be CR CR LF of which only a part has been read.
                if tail.len() >= 3 || self.ended {
                    let marks = ["\r\r\n", "\r\n", "\n", "\r"];
                    let mark = marks.iter().find(|mark| tail.starts_with(**mark));
                    text.push_str(rest.get(..end).unwrap_or_default());
                    self.at += end + mark.map_or(1, |mark| mark.len());
                    self.line += 1;
                    return Ok(Some(self.line));
                }
            } else if self.ended {
                if rest.is_empty() {
                    return Ok(None);
                }
                text.push_str(rest);
                self.at = self.buffer.len();
                self.line += 1;
                return Ok(Some(self.line));
            }
            self.more()?;
        }
    }
}

/// The records of a text.
pub(super) struct Records {
    lines: Lines,
    dialect: Dialect,
    ahead: VecDeque<(u64, String)>,
}

impl Records {
    pub(super) fn open(
        source: &dyn Source,
        charset: &Charset,
        dialect: &Dialect,
    ) -> Result<Self, ReadError> {
        let lines = Lines::open(source, charset)?;
        Ok(Self {
            lines,
            dialect: dialect.clone(),
            ahead: VecDeque::new(),
        })
    }

    fn line(&mut self, text: &mut String) -> Result<Option<u64>, ReadError> {
        match self.ahead.pop_front() {
            Some((line, ahead)) => {
                *text = ahead;
                Ok(Some(line))
            }
            None => self.lines.read_into(text),
        }
    }

    /// Makes `record` the next one that is not an empty line; false when there is none. A record
    /// that is handed in again keeps its memory: of a million rows each has a dozen texts.
    pub(super) fn read_into(&mut self, record: &mut Record) -> Result<bool, ReadError> {
        loop {
            let Some(line) = self.line(&mut record.original)? else {
                return Ok(false);
            };
            let blank = |c: char| c.is_whitespace() || c == '\u{1a}';
            if record.original.chars().all(blank) {
                continue;
            }
            record.line = line;
            self.split(record)?;
            if let Some(years) = &self.dialect.years {
                years.complete(record);
            }
            return Ok(true);
        }
    }

    /// Makes cells of the text of a record, and of lines behind it that belong to it.
    fn split(&mut self, record: &mut Record) -> Result<(), ReadError> {
        let Record {
            cells, original, ..
        } = record;
        if original.len() > LINE_BYTES_MAX {
            return Err(ReadError::limit("line", "1 MiB"));
        }
        let mut open = split(original, &self.dialect, cells);
        if open && let Some(whole) = self.joined(original, cells)? {
            *original = whole;
            open = false;
        }
        if open {
            literal(original, &self.dialect, cells);
        }
        if cells.len() > COLUMNS_MAX {
            return Err(ReadError::limit("columns", "512"));
        }
        if cells.iter().any(|cell| cell.len() > CELL_BYTES_MAX) {
            return Err(ReadError::limit("cell", "64 KiB"));
        }
        if self.dialect.foreign {
            for cell in cells {
                if let Some(figure) = figures::plain(cell) {
                    *cell = figure;
                }
            }
        }
        Ok(())
    }

    /// Joins further lines until the open quote closes, and puts the cells of all into `cells`.
    /// `None`, with the lines put back, when it does not, or when it would swallow a line that is a
    /// complete record by itself.
    fn joined(
        &mut self,
        first: &str,
        cells: &mut Vec<String>,
    ) -> Result<Option<String>, ReadError> {
        let mut whole = first.to_owned();
        let mut taken = Vec::new();
        while taken.len() < QUOTED_LINES_MAX && whole.len() < CELL_BYTES_MAX {
            let mut text = String::new();
            let Some(line) = self.line(&mut text)? else {
                break;
            };
            whole.push('\n');
            whole.push_str(&text);
            let open = split(&text, &self.dialect, cells);
            let complete = !open && self.dialect.width > 2 && cells.len() == self.dialect.width;
            taken.push((line, text));
            if complete {
                break;
            }
            if !split(&whole, &self.dialect, cells) {
                return Ok(Some(whole));
            }
        }
        for line in taken.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(None)
    }
}

/// Reads all records, to see that none is over a limit.
pub(super) fn check(
    source: &dyn Source,
    charset: &Charset,
    dialect: &Dialect,
) -> Result<(), ReadError> {
    let mut records = Records::open(source, charset, dialect)?;
    let mut record = Record::default();
    while records.read_into(&mut record)? {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::super::encoding::Level;
    use super::*;

    struct Text(String);

    impl Source for Text {
        fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(self.0.clone().into_bytes())))
        }
    }

    fn charset() -> Charset {
        Charset {
            name: "UTF-8".to_owned(),
            level: Level::Certain,
        }
    }

    fn dialect(width: usize) -> Dialect {
        Dialect {
            delimiter: ',',
            quoted: true,
            wrapped: false,
            width,
            escaped: false,
            bare: true,
            foreign: false,
            years: None,
        }
    }

    fn records(text: &str, width: usize) -> Result<Vec<String>, ReadError> {
        let source = Text(text.to_owned());
        let mut records = Records::open(&source, &charset(), &dialect(width))?;
        let (mut found, mut record) = (Vec::new(), Record::default());
        while records.read_into(&mut record)? {
            found.push(format!("{} {}", record.line, record.cells.join("|")));
        }
        Ok(found)
    }

    #[test]
    fn lines_and_quotes() {
        let cases: [(&str, &[&str]); 12] = [
            ("\"the \"Mill\"\",b,c", &["1 the \"Mill\"|b|c"]),
            ("\"a \"\"b\"\"\",\"x\",c", &["1 a \"b\"|x|c"]),
            ("a,b\rc,d\r", &["1 a|b", "2 c|d"]),
            ("a,b\r\r\nc,d\r\r\n", &["1 a|b", "2 c|d"]),
            ("a,b\r\n\r\n\n c , d ", &["1 a|b", "4 c|d"]),
            ("a,\"x\ny\"\nc,d\n", &["1 a|x\ny", "3 c|d"]),
            ("\"a \"\"b\"\"\",\"\"\n", &["1 a \"b\"|"]),
            ("=\"0123\",'5'", &["1 0123|'5'"]),
            ("NL\",\"EUR\"", &["1 NL\"|EUR"]),
            ("\"5\"\t,x", &["1 5|x"]),
            ("a,\"TV 12\" inch\",c", &["1 a|TV 12\" inch|c"]),
            (
                "a,\"open,1\nb,\"x\",2\nc,\"y\",3\n",
                &["1 a|\"open|1", "2 b|x|2", "3 c|y|3"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(records(text, 3).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_record_that_is_read_again_holds_the_largest_cell_of_one_column() {
        let columns = COLUMNS_MAX / 4;
        let rows = (0..columns).map(|large| {
            let cells = (0..columns).map(|column| match column == large {
                true => "x".repeat(CELL_BYTES_MAX),
                false => "y".to_owned(),
            });
            cells.collect::<Vec<_>>().join(",") + "\n"
        });
        let source = Text(rows.collect());
        let mut records = Records::open(&source, &charset(), &dialect(columns)).unwrap();
        let (mut record, mut last) = (Record::default(), Record::default());
        let held = |record: &Record| record.cells.iter().map(String::capacity).sum::<usize>();
        let held_max = 2 * CELL_BYTES_MAX + columns * CELL_KEPT_BYTES_MAX;
        let mut count = 0;
        while records.read_into(&mut record).unwrap() {
            last.set(&record);
            assert_eq!(last, record);
            assert!(held(&record) <= held_max && held(&last) <= held_max);
            count += 1;
        }
        assert_eq!(count, columns);
    }

    #[test]
    fn limits() {
        let what = |text: String| match records(&text, 2) {
            Err(ReadError::Limit { what, .. }) => what,
            _ => "read",
        };
        assert_eq!(what("x".repeat(LINE_BYTES_MAX + 1)), "line");
        assert_eq!(what("x".repeat(CELL_BYTES_MAX + 1)), "cell");
        assert_eq!(what(",".repeat(COLUMNS_MAX)), "columns");
        assert_eq!(what(",".repeat(COLUMNS_MAX - 1)), "read");
    }
}
