//! Splits a line into cells: quotation marks as real exports have them, closed or not. It writes
//! over the texts of the line before, since a statement may have millions of them.

use super::record::{CELL_KEPT_BYTES_MAX, Dialect};

/// The cells of a record as they are found. Texts of the record before are written over.
struct Cells<'a> {
    cells: &'a mut Vec<String>,
    count: usize,
}

impl<'a> Cells<'a> {
    fn new(cells: &'a mut Vec<String>) -> Self {
        Self { cells, count: 0 }
    }

    /// The next one, empty.
    fn next(&mut self) -> &mut String {
        if self.count == self.cells.len() {
            self.cells.push(String::new());
        }
        self.count += 1;
        let cell = &mut self.cells[self.count - 1];
        cell.clear();
        cell.shrink_to(CELL_KEPT_BYTES_MAX);
        cell
    }

    fn push(&mut self, cell: &str) {
        self.next().push_str(cell);
    }

    fn end(self) {
        self.cells.truncate(self.count);
    }
}

/// Makes cells of a text; whether a quote was still open at its end.
pub(super) fn split(text: &str, dialect: &Dialect, cells: &mut Vec<String>) -> bool {
    if !dialect.quoted {
        literal(text, dialect, cells);
        return false;
    }
    let quotes = Quotes {
        escaped: dialect.escaped,
        bare: dialect.bare,
    };
    let open = split_quoted(text, dialect.delimiter, quotes, cells);
    match cells.as_slice() {
        [only] if dialect.wrapped && !open => {
            let only = only.clone();
            split_quoted(&only, dialect.delimiter, quotes, cells)
        }
        _ => open,
    }
}

/// Splits at every delimiter; quotation marks stay, but for a pair around a cell.
pub(super) fn literal(text: &str, dialect: &Dialect, cells: &mut Vec<String>) {
    let mut cells = Cells::new(cells);
    for cell in text.split(dialect.delimiter) {
        let cell = cell.trim();
        let inner = cell
            .strip_prefix('"')
            .and_then(|cell| cell.strip_suffix('"'));
        cells.push(inner.unwrap_or(cell).trim());
    }
    cells.end();
}

/// Which quotation marks inside a quoted cell are letters.
#[derive(Clone, Copy)]
struct Quotes {
    /// Those behind a backslash.
    escaped: bool,
    /// Of two in front of a delimiter the first one, where it closes one that nobody doubled.
    bare: bool,
}

fn split_quoted(text: &str, delimiter: char, quotes: Quotes, cells: &mut Vec<String>) -> bool {
    let mut cells = Cells::new(cells);
    let mut rest = Some(text);
    let mut open = false;
    while let Some(text) = rest {
        let blank = |c: char| c.is_whitespace() && c != delimiter;
        let start = text.trim_start_matches(blank);
        // `="0123"` is how Excel is told to keep a text; it is a quoted cell.
        let opened = start
            .strip_prefix('"')
            .or_else(|| start.strip_prefix("=\""));
        rest = match opened {
            Some(inner) => {
                let cell = cells.next();
                let after = quoted(inner, delimiter, quotes, cell);
                trim(cell);
                open = matches!(after, After::Open);
                match after {
                    After::Delimiter(next) => Some(next),
                    After::End | After::Open => None,
                }
            }
            None => {
                let (cell, next) = match text.split_once(delimiter) {
                    Some((cell, next)) => (cell, Some(next)),
                    None => (text, None),
                };
                cells.push(cell.trim());
                next
            }
        };
    }
    cells.end();
    open
}

/// Takes the white space at both ends away.
fn trim(cell: &mut String) {
    cell.truncate(cell.trim_end().len());
    let blank = cell.len() - cell.trim_start().len();
    cell.drain(..blank);
}

enum After<'a> {
    Delimiter(&'a str),
    End,
    Open,
}

/// Reads a quoted cell behind its opening mark into `cell`. A mark closes it only before a
/// delimiter or the end; two marks are one letter; any other mark is a letter too.
fn quoted<'a>(inner: &'a str, delimiter: char, quotes: Quotes, cell: &mut String) -> After<'a> {
    let blank = |c: char| c.is_whitespace() && c != delimiter;
    let mut open = false;
    let mut rest = inner;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            cell.push_str(rest);
            return After::Open;
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
            return After::End;
        }
        if let Some(next) = tail.strip_prefix(delimiter) {
            return After::Delimiter(next);
        }
        cell.push('"');
        open = !open;
        rest = after;
    }
}
