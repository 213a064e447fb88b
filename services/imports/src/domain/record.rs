//! Splits text into records with line numbers, as a stream. Own code over lines rather than a CSV
//! parser, since real exports leave quotes open, forget them, and mix line ends: a quoted cell may
//! span lines, but a quote that swallows complete rows is taken as a letter.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::encoding::{Charset, Stream};
use super::figures;
use super::reading::{ReadError, Source};
use super::year::Years;

/// The most columns a table may have (DESIGN 6).
pub const COLUMNS_MAX: usize = 512;
/// The largest cell, in bytes (DESIGN 6).
pub const CELL_BYTES_MAX: usize = 64 * 1024;
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

    pub(super) fn next_line(&mut self) -> Result<Option<(u64, String)>, ReadError> {
        loop {
            let rest = self.rest();
            let end = rest.bytes().position(|byte| matches!(byte, b'\n' | b'\r'));
            if let Some(end) = end {
                let tail = rest.get(end..).unwrap_or_default();
                // The end may be CR CR LF of which only a part has been read.
                if tail.len() >= 3 || self.ended {
                    let marks = ["\r\r\n", "\r\n", "\n", "\r"];
                    let mark = marks.iter().find(|mark| tail.starts_with(**mark));
                    let line = rest.get(..end).unwrap_or_default().to_owned();
                    self.at += end + mark.map_or(1, |mark| mark.len());
                    self.line += 1;
                    return Ok(Some((self.line, line)));
                }
            } else if self.ended {
                if rest.is_empty() {
                    return Ok(None);
                }
                let line = rest.to_owned();
                self.at = self.buffer.len();
                self.line += 1;
                return Ok(Some((self.line, line)));
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

    fn line(&mut self) -> Result<Option<(u64, String)>, ReadError> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next_line(),
        }
    }

    /// The next record that is not an empty line.
    pub(super) fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let Some((line, text)) = self.line()? else {
                return Ok(None);
            };
            if text
                .trim_matches(|c: char| c.is_whitespace() || c == '\u{1a}')
                .is_empty()
            {
                continue;
            }
            if text.len() > LINE_BYTES_MAX {
                return Err(ReadError::limit("line", "1 MiB"));
            }
            let mut split = split(&text, &self.dialect);
            let mut original = text;
            if split.open
                && let Some((longer, whole)) = self.joined(&original)?
            {
                split = longer;
                original = whole;
            }
            if split.open {
                split = literal(&original, &self.dialect);
            }
            if split.cells.len() > COLUMNS_MAX {
                return Err(ReadError::limit("columns", "512"));
            }
            if split.cells.iter().any(|cell| cell.len() > CELL_BYTES_MAX) {
                return Err(ReadError::limit("cell", "64 KiB"));
            }
            let mut cells = split.cells;
            if self.dialect.foreign {
                for cell in &mut cells {
                    if let Some(figure) = figures::plain(cell) {
                        *cell = figure;
                    }
                }
            }
            let mut record = Record {
                line,
                cells,
                original,
            };
            if let Some(years) = &self.dialect.years {
                years.complete(&mut record);
            }
            return Ok(Some(record));
        }
    }

    /// Joins further lines until the open quote closes. `None`, with the lines put back, when it
    /// does not, or when it would swallow a line that is a complete record by itself.
    fn joined(&mut self, first: &str) -> Result<Option<(Split, String)>, ReadError> {
        let mut whole = first.to_owned();
        let mut taken = Vec::new();
        let mut found = None;
        while taken.len() < QUOTED_LINES_MAX && whole.len() < CELL_BYTES_MAX {
            let Some((line, text)) = self.line()? else {
                break;
            };
            whole.push('\n');
            whole.push_str(&text);
            let alone = split(&text, &self.dialect);
            let complete =
                !alone.open && self.dialect.width > 2 && alone.cells.len() == self.dialect.width;
            taken.push((line, text));
            if complete {
                break;
            }
            let split = split(&whole, &self.dialect);
            if !split.open {
                found = Some((split, whole));
                break;
            }
        }
        if found.is_none() {
            for line in taken.into_iter().rev() {
                self.ahead.push_front(line);
            }
        }
        Ok(found)
    }
}

/// Reads all records, to see that none is over a limit.
pub(super) fn check(
    source: &dyn Source,
    charset: &Charset,
    dialect: &Dialect,
) -> Result<(), ReadError> {
    let mut records = Records::open(source, charset, dialect)?;
    while records.next_record()?.is_some() {}
    Ok(())
}

/// Cells, and whether a quote was still open at the end.
pub(super) struct Split {
    pub(super) cells: Vec<String>,
    pub(super) open: bool,
}

pub(super) fn split(text: &str, dialect: &Dialect) -> Split {
    if !dialect.quoted {
        return literal(text, dialect);
    }
    let quotes = Quotes {
        escaped: dialect.escaped,
        bare: dialect.bare,
    };
    let outer = split_quoted(text, dialect.delimiter, quotes);
    match outer.cells.as_slice() {
        [only] if dialect.wrapped && !outer.open => split_quoted(only, dialect.delimiter, quotes),
        _ => outer,
    }
}

/// Splits at every delimiter; quotation marks stay, but for a pair around a cell.
fn literal(text: &str, dialect: &Dialect) -> Split {
    let cells = text.split(dialect.delimiter).map(|cell| {
        let cell = cell.trim();
        let inner = cell
            .strip_prefix('"')
            .and_then(|cell| cell.strip_suffix('"'));
        inner.unwrap_or(cell).trim().to_owned()
    });
    Split {
        cells: cells.collect(),
        open: false,
    }
}

/// Which quotation marks inside a quoted cell are letters.
#[derive(Clone, Copy)]
struct Quotes {
    /// Those behind a backslash.
    escaped: bool,
    /// Of two in front of a delimiter the first one, where it closes one that nobody doubled.
    bare: bool,
}

fn split_quoted(text: &str, delimiter: char, quotes: Quotes) -> Split {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let blank = |c: char| c.is_whitespace() && c != delimiter;
        let start = rest.trim_start_matches(blank);
        // `="0123"` is how Excel is told to keep a text; it is a quoted cell.
        let opened = start
            .strip_prefix('"')
            .or_else(|| start.strip_prefix("=\""));
        if let Some(inner) = opened {
            let (cell, after) = quoted(inner, delimiter, quotes);
            cells.push(cell.trim().to_owned());
            match after {
                After::Delimiter(next) => rest = next,
                After::End => return Split { cells, open: false },
                After::Open => return Split { cells, open: true },
            }
            continue;
        }
        match rest.split_once(delimiter) {
            Some((cell, next)) => {
                cells.push(cell.trim().to_owned());
                rest = next;
            }
            None => {
                cells.push(rest.trim().to_owned());
                return Split { cells, open: false };
            }
        }
    }
}

enum After<'a> {
    Delimiter(&'a str),
    End,
    Open,
}

/// Reads a quoted cell behind its opening mark. A mark closes it only before a delimiter or the
/// end; two marks are one letter; any other mark is a letter too.
fn quoted(inner: &str, delimiter: char, quotes: Quotes) -> (String, After<'_>) {
    let blank = |c: char| c.is_whitespace() && c != delimiter;
    let mut cell = String::new();
    let mut open = false;
    let mut rest = inner;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            cell.push_str(rest);
            return (cell, After::Open);
        };
        let slash = before
            .strip_suffix('\\')
            .filter(|before| !before.ends_with('\\'));
        if let Some(before) = slash.filter(|_| quotes.escaped) {
            cell.push_str(before);
            cell.push('"');
            rest = after;
            continue;
        }
        cell.push_str(before);
        if let Some(next) = after.strip_prefix('"') {
            cell.push('"');
            let tail = next.trim_start_matches(blank);
            // `"the "Mill"",` ends here: the first of the two closes the name.
            let ends = tail.is_empty() || tail.starts_with(delimiter);
            rest = if quotes.bare && open && ends {
                after
            } else {
                next
            };
            open = false;
            continue;
        }
        let tail = after.trim_start_matches(blank);
        if tail.is_empty() {
            return (cell, After::End);
        }
        if let Some(next) = tail.strip_prefix(delimiter) {
            return (cell, After::Delimiter(next));
        }
        cell.push('"');
        open = !open;
        rest = after;
    }
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

    fn records(text: &str, width: usize) -> Result<Vec<String>, ReadError> {
        let charset = Charset {
            name: "UTF-8".to_owned(),
            level: Level::Certain,
        };
        let dialect = Dialect {
            delimiter: ',',
            quoted: true,
            wrapped: false,
            width,
            escaped: false,
            bare: true,
            foreign: false,
            years: None,
        };
        let mut records = Records::open(&Text(text.to_owned()), &charset, &dialect)?;
        let mut found = Vec::new();
        while let Some(record) = records.next_record()? {
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
