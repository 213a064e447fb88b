//! Whose rows a file holds: the column that names the account of each row, or the one account that
//! the lines in front of the table name. Most files that name accounts name the other side's too;
//! only a name or a pattern that tells the two apart is taken, and what is left open is nobody's.
//! A column that no name tells of is one of accounts if the balance says so ([`super::pocket`]).
//!
//! It finds what the file says. Which of the user's accounts that is, is for [`super::routing`].

use std::sync::LazyLock;

use djinn_ledger::money::Currency;
use djinn_ledger::number;
use serde::{Deserialize, Serialize};

use super::column::{self, Survey};
use super::header::{self, Phrase, TextKind};
use super::layout::Layout;
use super::pocket;
use super::reading::{ReadError, Reading, Source};
use super::record::{Record, Records};
use super::row::{self, Entry};
use super::seen::Seen;
use super::table::Table;

mod words;

/// Accounts in one file; a column with more different values is something else.
pub const ACCOUNTS_MAX: usize = 50;
/// The longest name of an account, in characters.
const NAME_MAX: usize = 64;
/// Columns that are looked at more closely.
const CANDIDATES_MAX: usize = 4;
/// How far behind the name of the other side its account may stand.
const REACH: usize = 3;

/// Whose rows a file holds, as it says itself.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The column that names the account of each row.
    pub column: Option<usize>,
    /// The account that the lines in front of the table name, where no column does.
    pub text: Option<String>,
    /// The different accounts that the file names, in its order.
    pub accounts: Vec<Named>,
}

/// An account as the file names it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name or number, as the first of its rows has it.
    pub text: String,
    /// How many rows name it.
    pub rows: u64,
    /// Their currency, if they all say one and the same.
    pub currency: Option<Currency>,
}

/// What the name of a column says of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It is that of the rows.
    Own,
    /// It is some account.
    Any,
    /// It is the other side's.
    Other,
    /// Nothing.
    Nothing,
}

static ACCOUNT: LazyLock<Vec<&str>> = LazyLock::new(|| words::ACCOUNT.split(' ').collect());
static BESIDE: LazyLock<Vec<&str>> = LazyLock::new(|| words::BESIDE.split(' ').collect());
static OWN: LazyLock<Vec<&str>> = LazyLock::new(|| words::OWN.split(' ').collect());
static WHOLE: LazyLock<Vec<Phrase>> = LazyLock::new(|| header::phrases(words::WHOLE));
static OTHER: LazyLock<Vec<Phrase>> = LazyLock::new(|| header::phrases(words::OTHER));

fn says(name: &str) -> Says {
    let name = header::plain(name);
    if OTHER.iter().any(|phrase| phrase.found_in(&name)) {
        return Says::Other;
    }
    let parts: Vec<&str> = name.split_whitespace().collect();
    let is = |list: &[&str], word: &str| list.contains(&word);
    let own = parts.iter().any(|word| is(&OWN, word));
    let whole = WHOLE.iter().any(|phrase| phrase.equals(&name));
    let known = |word: &&str| is(&ACCOUNT, word) || is(&BESIDE, word) || is(&OWN, word);
    let account = parts.iter().any(|word| is(&ACCOUNT, word)) && parts.iter().all(known);
    match (own, whole || account) {
        (true, true) => Says::Own,
        (false, true) if name.contains("iban bban") => Says::Own,
        (false, true) => Says::Any,
        _ => Says::Nothing,
    }
}

/// Whether some account that a column names is rather that of the other side: it stands behind the
/// other side's name, and no other column is that side's account.
fn is_other(layout: &Layout, column: usize) -> bool {
    let name = |at: usize| column::name(layout, at);
    let names = layout.names.as_deref().unwrap_or_default();
    let of_account = |name: &str| {
        let name = header::plain(name);
        name.split_whitespace().any(|word| ACCOUNT.contains(&word))
            || ACCOUNT
                .iter()
                .any(|word| word.len() > 4 && name.contains(word))
    };
    if names
        .iter()
        .any(|name| says(name) == Says::Other && of_account(name))
    {
        return false;
    }
    (column.saturating_sub(REACH)..column)
        .any(|at| header::text(name(at)) == TextKind::Counterparty || says(name(at)) == Says::Other)
}

/// A column that may name the account of each row.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    column: usize,
    says: Says,
    /// Whether it may be the other side's as well.
    other: bool,
}

fn candidates(survey: &Survey, layout: &Layout, reading: &Reading) -> Vec<Candidate> {
    let mut taken = reading.plan.amount.columns();
    taken.extend(reading.balance.map(|cell| cell.column));
    taken.extend(reading.date_columns.iter().copied());
    taken.extend(reading.currency_columns.iter().copied());
    taken.extend(reading.external_id);
    let mut found: Vec<Candidate> = Vec::new();
    for (column, facts) in survey.columns.iter().enumerate() {
        let says = says(column::name(layout, column));
        // Nearly every row has it: a gap of one row in twenty is a booking of the bank's own.
        let filled = facts.filled * 20 >= survey.rows * 19;
        if matches!(says, Says::Own | Says::Any) && filled && !taken.contains(&column) {
            let other = says == Says::Any && is_other(layout, column);
            found.push(Candidate {
                column,
                says,
                other,
            });
        }
    }
    found.sort_by_key(|candidate| (candidate.says != Says::Own, candidate.column));
    found.truncate(CANDIDATES_MAX);
    found
}

/// Notes whose rows the file holds, and takes the account's currency for rows that name none,
/// unless they are of several accounts, which may each have another. `unbroken` says that one
/// balance follows through all of them: then no column breaks it up, and the file is not read again
/// to look for one.
pub(super) fn note(
    source: &dyn Source,
    seen: &Seen,
    hint: Option<Currency>,
    unbroken: bool,
    reading: &mut Reading,
) -> Result<(), ReadError> {
    let (survey, layout) = (&seen.survey, &seen.layout);
    let named = by_name(source, survey, layout, reading)?;
    let several = named.as_ref().is_some_and(|owner| owner.accounts.len() > 1);
    let found = match several || unbroken {
        true => named,
        false => by_balance(source, survey, layout, reading)?.or(named),
    };
    reading.owner = match found {
        Some(owner) => owner,
        None => in_front(source, reading)?.unwrap_or_default(),
    };
    if reading.owner.accounts.len() < 2 {
        reading.currency = reading.currency.or(hint);
    }
    Ok(())
}

/// The column that a name says to be that of the rows' accounts.
fn by_name(
    source: &dyn Source,
    survey: &Survey,
    layout: &Layout,
    reading: &mut Reading,
) -> Result<Option<Owner>, ReadError> {
    let mut named: Vec<Owner> = Vec::new();
    for candidate in candidates(survey, layout, reading) {
        if let Some(owner) = tally(source, reading, candidate.column)?
            && fits(candidate, &owner.accounts)
        {
            named.push(owner);
        }
    }
    // A column of numbers says it better than one of names.
    let numbers = |owner: &Owner| owner.accounts.iter().any(|it| is_number(&it.text));
    let best = named.iter().position(numbers).unwrap_or(0);
    let found = (best < named.len()).then(|| named.swap_remove(best));
    if let Some(Owner {
        column, accounts, ..
    }) = &found
        && accounts.len() > 1
    {
        let name = column.map_or("", |column| column::name(layout, column));
        let count = accounts.len();
        let text = format!("Column {name:?} names the account of each row, {count} in all.");
        reading.evidence.push(text);
    }
    Ok(found)
}

/// The column for each of whose values the balance runs on for itself.
fn by_balance(
    source: &dyn Source,
    survey: &Survey,
    layout: &Layout,
    reading: &mut Reading,
) -> Result<Option<Owner>, ReadError> {
    let balances = Table::new(survey, layout, reading.currency).balances();
    let Some(column) = pocket::column(source, survey, &balances, reading)? else {
        return Ok(None);
    };
    let found = tally(source, reading, column)?;
    if found.is_some() {
        let name = column::name(layout, column);
        let text = format!(
            "The balance runs on for each value of column {name:?} alone: they are accounts."
        );
        reading.evidence.push(text);
    }
    Ok(found)
}

fn is_number(text: &str) -> bool {
    text.chars().filter(char::is_ascii_digit).count() >= number::SIGNIFICANT_MIN
}

/// Whether the values look like accounts of the rows: they repeat. Accounts of other sides differ
/// from row to row.
fn fits(candidate: Candidate, accounts: &[Named]) -> bool {
    let rows: u64 = accounts.iter().map(|it| it.rows).sum();
    let distinct = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    match candidate.says {
        Says::Own => true,
        _ if accounts.iter().any(|it| is_number(&it.text)) => {
            !candidate.other && rows > 1 && distinct * 2 <= rows
        }
        _ => distinct < rows,
    }
}

/// The different values of a column of accounts with their rows; none if there are too many, or if
/// one is no name.
fn tally(
    source: &dyn Source,
    reading: &Reading,
    column: usize,
) -> Result<Option<Owner>, ReadError> {
    let mut reading = reading.clone();
    reading.owner.column = Some(column);
    let mut found: Vec<Named> = Vec::new();
    for entry in row::rows(source, &reading)? {
        let Entry::Row(row) = entry? else { continue };
        if row.account.is_empty() {
            continue;
        }
        let known = found.iter().position(|it| is_alike(&it.text, &row.account));
        if let Some(named) = known.and_then(|at| found.get_mut(at)) {
            named.rows += 1;
            named.currency = named.currency.filter(|code| Some(*code) == row.currency);
        } else if found.len() < ACCOUNTS_MAX && row.account.chars().count() <= NAME_MAX {
            found.push(Named {
                text: row.account,
                rows: 1,
                currency: row.currency,
            });
        } else {
            return Ok(None);
        }
    }
    Ok((!found.is_empty()).then_some(Owner {
        column: Some(column),
        text: None,
        accounts: found,
    }))
}

/// Whether two texts of a file name one account: spaces and case do not matter.
fn is_alike(left: &str, right: &str) -> bool {
    left == right || number::normalise(left) == number::normalise(right)
}

/// The one IBAN that the lines in front of the table name.
fn in_front(source: &dyn Source, reading: &Reading) -> Result<Option<Owner>, ReadError> {
    let mut records = Records::open(source, &reading.charset, &reading.dialect)?;
    let (mut found, mut record) = (None::<String>, Record::default());
    while records.read_into(&mut record)? {
        if record.line >= reading.before {
            break;
        }
        for cell in &record.cells {
            let text = cell.rsplit_once(':').map_or(&**cell, |(_, text)| text);
            let text = collapsed(text);
            if !number::is_iban(&text) {
                continue;
            }
            if found.as_ref().is_some_and(|old| !is_alike(old, &text)) {
                return Ok(None);
            }
            found = Some(text);
        }
    }
    Ok(found.map(|text| Owner {
        column: None,
        text: Some(text.clone()),
        accounts: vec![Named {
            text,
            rows: reading.rows,
            currency: None,
        }],
    }))
}

fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The account that a record names; empty if none.
pub(super) fn of(reading: &Reading, record: &Record) -> String {
    match reading.owner.column {
        Some(column) => collapsed(record.cell(column)),
        None => reading.owner.text.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
