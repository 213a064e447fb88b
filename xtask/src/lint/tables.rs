//! Tables of user data: their keys and their row-level security, read from the migrations.

use std::collections::BTreeSet;

use super::Scene;
use super::sql::{Kind, Token, tokens};
use super::tree::{Finding, SourceFile};

/// The column that every key begins with.
const USER: &str = "user_id";

/// Tables of users without row-level security, for the reasons of DESIGN section 5: COPY into a
/// protected table is refused, and a sweep cannot see across users.
const WITHOUT_ROW_SECURITY: [&str; 1] = ["imports.staged_row"];
const DUTIES: &str = ".due";

/// Tables that hold nothing of a user.
const NOT_OF_USERS: [&str; 0] = [];

/// A table as the migrations make it.
struct Table<'a> {
    name: String,
    file: &'a SourceFile,
    line: usize,
    of_users: bool,
    /// Every key with its first column: what kind, which column, where.
    keys: Vec<(&'static str, String, usize)>,
}

/// Keys that do not begin with the user.
pub(super) fn keys(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    let migrations: Vec<_> = scene
        .tree
        .files
        .iter()
        .filter(|it| it.migration())
        .collect();
    let tables: Vec<Table<'_>> = migrations.iter().flat_map(|file| tables(file)).collect();
    for table in &tables {
        if !table.of_users {
            if !NOT_OF_USERS.contains(&table.name.as_str()) {
                let what = format!("{} has no {USER}; if it is nobody's, list it", table.name);
                findings.push(table.file.finding(table.line, what));
            }
            continue;
        }
        if !table.keys.iter().any(|(kind, ..)| *kind == "primary key") {
            let what = format!("{} has no primary key", table.name);
            findings.push(table.file.finding(table.line, what));
        }
        for (kind, column, line) in table.keys.iter().filter(|(_, column, _)| column != USER) {
            let what = format!("a {kind} of {} begins with {column}", table.name);
            findings.push(table.file.finding(*line, what));
        }
    }
    for file in migrations {
        for (table, kind, column, line) in later_keys(file) {
            let of_users = tables.iter().any(|it| it.name == table && it.of_users);
            if of_users && column != USER {
                let what = format!("a {kind} of {table} begins with {column}");
                findings.push(file.finding(line, what));
            }
        }
    }
    findings
}

/// Tables of users without protection.
pub(super) fn row_security(scene: &Scene) -> Vec<Finding> {
    let migrations: Vec<_> = scene
        .tree
        .files
        .iter()
        .filter(|it| it.migration())
        .collect();
    let mut protection = BTreeSet::new();
    let mut findings = Vec::new();
    for file in &migrations {
        for statement in statements(&file.text) {
            protect(&statement, &mut protection);
            if let Some(token) = taken_away(&statement) {
                findings.push(file.finding(token.line, "takes protection away"));
            }
        }
    }
    for table in migrations
        .iter()
        .flat_map(|file| tables(file))
        .filter(|it| it.of_users)
    {
        if WITHOUT_ROW_SECURITY.contains(&table.name.as_str()) || table.name.ends_with(DUTIES) {
            continue;
        }
        for needed in ["ENABLE", "FORCE", "POLICY"] {
            if !protection.contains(&(needed, table.name.clone())) {
                let what = format!("{} lacks {needed}", table.name);
                findings.push(table.file.finding(table.line, what));
            }
        }
    }
    findings
}

fn statements(sql: &str) -> Vec<Vec<Token>> {
    let tokens = tokens(sql, 1);
    tokens
        .split(|token| token.sign(";"))
        .map(<[Token]>::to_vec)
        .collect()
}

/// The tables that a migration creates.
fn tables(file: &SourceFile) -> Vec<Table<'_>> {
    statements(&file.text)
        .iter()
        .filter_map(|statement| table(file, statement))
        .collect()
}

fn table<'a>(file: &'a SourceFile, statement: &[Token]) -> Option<Table<'a>> {
    let opening = statement.iter().position(|token| token.sign("("))?;
    let (head, body) = statement.split_at(opening);
    let creates = head.first()?.is("CREATE") && head.iter().any(|token| token.is("TABLE"));
    let name = head.last()?;
    if !creates
        || head
            .iter()
            .any(|token| token.is("PARTITION") || token.is("AS"))
    {
        return None;
    }
    let elements = elements(body);
    let of_users = elements
        .iter()
        .any(|it| it.first().is_some_and(|token| token.is(USER)));
    let keys = elements.iter().filter_map(|element| key(element)).collect();
    Some(Table {
        name: name.text.clone(),
        file,
        line: name.line,
        of_users,
        keys,
    })
}

/// What stands between the outermost brackets, cut at its commas.
fn elements(body: &[Token]) -> Vec<Vec<Token>> {
    let (mut depth, mut elements) = (0_u32, vec![Vec::new()]);
    for token in body {
        let closing = token.sign(")");
        depth = if closing {
            depth.saturating_sub(1)
        } else {
            depth
        };
        if closing && depth == 0 {
            break;
        }
        if token.sign(",") && depth == 1 {
            elements.push(Vec::new());
        } else if depth > 0
            && let Some(last) = elements.last_mut()
        {
            last.push(token.clone());
        }
        depth += u32::from(token.sign("("));
    }
    elements
}

/// The key that an element of a table makes, with its first column.
fn key(element: &[Token]) -> Option<(&'static str, String, usize)> {
    let named = element.first()?.is("CONSTRAINT");
    let element = if named { element.get(2..)? } else { element };
    let first = element.first()?;
    let line = first.line;
    for (word, kind) in [
        ("PRIMARY", "primary key"),
        ("UNIQUE", "unique key"),
        ("FOREIGN", "foreign key"),
    ] {
        if first.is(word) {
            return Some((kind, first_column(element)?, line));
        }
    }
    // A column that is a key by itself.
    for (word, kind) in [
        ("PRIMARY", "primary key"),
        ("UNIQUE", "unique key"),
        ("REFERENCES", "foreign key"),
    ] {
        if element.iter().any(|token| token.is(word)) {
            return Some((kind, first.text.clone(), line));
        }
    }
    None
}

fn first_column(tokens: &[Token]) -> Option<String> {
    let opening = tokens.iter().position(|token| token.sign("("))?;
    tokens.get(opening + 1).map(|token| token.text.clone())
}

/// Keys that are added to a table: (table, kind, first column, line).
fn later_keys(file: &SourceFile) -> Vec<(String, &'static str, String, usize)> {
    let mut found = Vec::new();
    for statement in statements(&file.text) {
        let position = |word: &str| statement.iter().position(|token| token.is(word));
        let first = |word: &str| statement.first().is_some_and(|token| token.is(word));
        if first("CREATE") && statement.get(1).is_some_and(|token| token.is("UNIQUE")) {
            let table = position("ON").and_then(|at| statement.get(at + 1));
            if let (Some(table), Some(column)) = (table, first_column(&statement)) {
                found.push((table.text.clone(), "unique index", column, table.line));
            }
        }
        if first("ALTER")
            && let Some(at) = position("ADD")
            && let Some(table) = statement.get(2)
            && let Some((kind, column, line)) = statement.get(at + 1..).and_then(key)
        {
            found.push((table.text.clone(), kind, column, line));
        }
    }
    found
}

/// Notes what a statement does for the protection of tables.
fn protect(statement: &[Token], protection: &mut BTreeSet<(&'static str, String)>) {
    let at = |index: usize, word: &str| statement.get(index).is_some_and(|token| token.is(word));
    if at(0, "ALTER") && at(1, "TABLE") && statement.iter().any(|token| token.is("ROW")) {
        let name = if at(2, "ONLY") {
            statement.get(3)
        } else {
            statement.get(2)
        };
        for needed in ["ENABLE", "FORCE"] {
            if statement.iter().any(|token| token.is(needed)) {
                protection.extend(name.map(|name| (needed, name.text.clone())));
            }
        }
    }
    if at(0, "CREATE") && at(1, "POLICY") {
        let on = statement.iter().position(|token| token.is("ON"));
        let name = on.and_then(|on| statement.get(on + 1));
        protection.extend(name.map(|name| ("POLICY", name.text.clone())));
    }
    if at(0, "DO") {
        let bodies = statement.iter().filter(|token| token.kind == Kind::Body);
        bodies.for_each(|body| protect_in_loop(&body.text, protection));
    }
}

/// Reads `FOREACH name IN ARRAY ARRAY['a', 'b'] LOOP EXECUTE format('ALTER TABLE s.%I ..')`.
fn protect_in_loop(body: &str, protection: &mut BTreeSet<(&'static str, String)>) {
    let tokens = tokens(body, 1);
    let opening = tokens
        .iter()
        .position(|token| token.sign("["))
        .unwrap_or(tokens.len());
    let names: Vec<&str> = tokens
        .iter()
        .skip(opening)
        .take_while(|token| !token.sign("]"))
        .filter(|token| token.kind == Kind::Text)
        .map(|token| token.text.as_str())
        .collect();
    for command in tokens.iter().filter(|token| token.kind == Kind::Text) {
        let Some((before, after)) = command.text.split_once(".%I") else {
            continue;
        };
        let schema = before.rsplit(' ').next().unwrap_or_default();
        let doing = [
            ("ENABLE", after.contains("ENABLE ROW LEVEL SECURITY")),
            ("FORCE", after.contains(" FORCE ROW LEVEL SECURITY")),
            ("POLICY", before.starts_with("CREATE POLICY")),
        ];
        for (what, _) in doing.into_iter().filter(|(_, does)| *does) {
            protection.extend(names.iter().map(|name| (what, format!("{schema}.{name}"))));
        }
    }
}

/// The word by which a statement takes protection away, if it does.
fn taken_away(statement: &[Token]) -> Option<&Token> {
    let pair = |one: &str, other: &str| {
        statement.windows(2).find_map(|pair| match pair {
            [first, second] if first.is(one) && second.is(other) => Some(first),
            _ => None,
        })
    };
    pair("NO", "FORCE")
        .or_else(|| pair("DISABLE", "ROW"))
        .or_else(|| pair("DROP", "POLICY"))
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn keys_without_the_user_first() {
        assert_eq!(
            found(keys, "keys"),
            [
                "ledger/migrations/0001_ledger.sql:11: a primary key of ledger.a begins with a_id",
                "ledger/migrations/0001_ledger.sql:12: a unique key of ledger.a begins with name",
                "ledger/migrations/0001_ledger.sql:13: a foreign key of ledger.a begins with b_id",
                "ledger/migrations/0001_ledger.sql:15: ledger.rate has no user_id; \
                 if it is nobody's, list it",
                "ledger/migrations/0001_ledger.sql:18: a unique index of ledger.a begins with name",
                "ledger/migrations/0001_ledger.sql:19: a unique key of ledger.a begins with a_id",
            ]
        );
    }

    #[test]
    fn tables_without_protection() {
        assert_eq!(
            found(row_security, "row-security"),
            [
                "ledger/migrations/0001_ledger.sql:27: takes protection away",
                "ledger/migrations/0001_ledger.sql:3: ledger.open lacks ENABLE",
                "ledger/migrations/0001_ledger.sql:3: ledger.open lacks FORCE",
                "ledger/migrations/0001_ledger.sql:3: ledger.open lacks POLICY",
                "ledger/migrations/0001_ledger.sql:4: ledger.half lacks FORCE",
            ]
        );
    }
}
