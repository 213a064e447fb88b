//! SQL as a sequence of words, and rules about what may be written in it.

use super::Scene;
use super::tree::{Finding, SourceFile};

/// A piece of SQL. Comments are gone; strings and bodies in dollar quotes are one token each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or name, with its schema: `ledger.account`.
    Word,
    Text,
    Body,
    Sign,
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// Cuts SQL into tokens.
pub(super) fn tokens(sql: &str, first_line: usize) -> Vec<Token> {
    let (mut rest, mut line, mut tokens) = (sql, first_line, Vec::new());
    while let Some(first) = rest.chars().next() {
        let (length, kind) = next(rest, first);
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let line_breaks = text.matches('\n').count();
        if let Some(kind) = kind {
            let text = match kind {
                Kind::Text => text.trim_matches('\'').replace("''", "'"),
                Kind::Body => body(text).to_owned(),
                Kind::Word | Kind::Sign => text.to_owned(),
            };
            tokens.push(Token { text, kind, line });
        }
        line += line_breaks;
        rest = after;
    }
    tokens
}

/// Length and kind of what stands first; white space and comments have no kind.
fn next(rest: &str, first: char) -> (usize, Option<Kind>) {
    let until = |end: &str, from: usize| {
        let found = rest.get(from..).and_then(|tail| tail.find(end));
        found.map_or(rest.len(), |at| from + at + end.len())
    };
    let word = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.');
    if rest.starts_with("--") {
        return (until("\n", 0), None);
    }
    if rest.starts_with("/*") {
        return (until("*/", 2), None);
    }
    match first {
        '\'' => (text_length(rest), Some(Kind::Text)),
        '$' => match tag(rest) {
            Some(tag) => (until(tag, tag.len()), Some(Kind::Body)),
            None => (1, Some(Kind::Sign)),
        },
        it if it.is_whitespace() => (it.len_utf8(), None),
        it if word(it) => (
            rest.find(|it| !word(it)).unwrap_or(rest.len()),
            Some(Kind::Word),
        ),
        it => (it.len_utf8(), Some(Kind::Sign)),
    }
}

/// Length of the string that stands first; two quotes inside are one.
fn text_length(rest: &str) -> usize {
    let mut at = 1;
    loop {
        let Some(found) = rest.get(at..).and_then(|tail| tail.find('\'')) else {
            return rest.len();
        };
        at += found + 1;
        if !rest.get(at..).is_some_and(|tail| tail.starts_with('\'')) {
            return at;
        }
        at += 1;
    }
}

/// The opening of a body: `$$` or `$name$`. `$1` is a parameter.
fn tag(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..end)?;
    let name = tag.trim_matches('$');
    let named = name.chars().all(|it| it.is_alphabetic() || it == '_');
    named.then_some(tag)
}

/// A body without its dollar quotes.
fn body(text: &str) -> &str {
    let Some(tag) = tag(text) else { return text };
    text.strip_prefix(tag)
        .and_then(|text| text.strip_suffix(tag))
        .unwrap_or(text)
}

/// Words after which SQL names a table that it reads or writes.
const BEFORE_A_TABLE: [&str; 8] = [
    "from", "join", "into", "update", "using", "table", "truncate", "copy",
];

/// Statements on the ledger's tables outside `ledger/` and `migrate/`. Tests may look at anything.
pub(super) fn ledger_only(scene: &Scene) -> Vec<Finding> {
    let outside = |file: &&SourceFile| {
        let ours = ["ledger", "migrate", "xtask"]
            .iter()
            .any(|it| file.path.starts_with(it));
        !ours && !file.below("tests")
    };
    let mut findings = Vec::new();
    for file in scene
        .tree
        .with_ending("rs")
        .chain(scene.tree.with_ending("sql"))
        .filter(outside)
    {
        let mut before = String::new();
        for (number, line) in file.lines() {
            let trimmed = line.trim_start();
            if trimmed.starts_with("//") || trimmed.starts_with("--") {
                continue;
            }
            for word in line.split(|it: char| !(it.is_alphanumeric() || matches!(it, '_' | '.'))) {
                let word = word.to_lowercase();
                if word.starts_with("ledger.") && BEFORE_A_TABLE.contains(&before.as_str()) {
                    findings.push(file.finding(number, format!("a statement on {word}")));
                }
                if !word.is_empty() {
                    before = word;
                }
            }
        }
    }
    findings
}

/// Types of SQL that money must never have.
const FLOATS: [&str; 6] = ["real", "float", "float4", "float8", "double", "money"];

/// Floating point in migrations, and casts to it in statements.
pub(super) fn floats(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in scene.tree.with_ending("sql") {
        for token in tokens(&file.text, 1) {
            if FLOATS.iter().any(|name| token.is(name)) {
                findings.push(file.finding(token.line, format!("the type `{}`", token.text)));
            }
        }
    }
    for file in scene
        .tree
        .with_ending("rs")
        .filter(|file| !file.path.starts_with("xtask"))
    {
        for (number, line) in file.lines() {
            // `::money` is left out: it would find paths to modules of that name.
            let casts = ["real", "float", "double precision"];
            for name in casts
                .iter()
                .filter(|name| line.contains(&format!("::{name}")))
            {
                findings.push(file.finding(number, format!("a cast to `{name}`")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn sql_is_cut_into_tokens() {
        let sql = "SELECT 'it''s' -- no\nFROM a.b /* ; */ WHERE x = $1; DO $x$ BEGIN; $x$";
        let tokens = tokens(sql, 1);
        let texts: Vec<&str> = tokens.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "SELECT", "it's", "FROM", "a.b", "WHERE", "x", "=", "$", "1", ";", "DO", " BEGIN; "
            ]
        );
        assert_eq!(tokens[2].line, 2);
        assert_eq!(tokens[11].kind, Kind::Body);
    }

    #[test]
    fn statements_on_the_ledger_elsewhere() {
        assert_eq!(
            found(ledger_only, "ledger"),
            ["services/sync/src/store.rs:4: a statement on ledger.transaction"]
        );
    }

    #[test]
    fn floating_point_in_sql() {
        assert_eq!(
            found(floats, "floats"),
            [
                "ledger/migrations/0001_ledger.sql:4: the type `double`",
                "ledger/migrations/0001_ledger.sql:5: the type `money`",
                "ledger/src/lib.rs:2: a cast to `float`",
            ]
        );
    }
}
