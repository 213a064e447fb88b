//! Which of the user's accounts the rows of a file go into. A whole number of an open account is a
//! proof; everything else (a masked number, a name) is asked, with the likeliest account first.
//! A file that names one account goes where the person sent it, unless a number says otherwise.

use std::collections::BTreeMap;

use djinn_ledger::money::Currency;
use djinn_ledger::number;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answer::Given;
use super::fingerprint::normalise;
use super::ownership::Named;
use super::question::{Choice, QUESTIONS_MAX, Question, SAMPLES_MAX};
use super::reading::{Hints, ReadError, Reading, Source};
use super::row::{self, Entry, StatementRow};
use super::sample;

/// What the key of a question about an account begins with; the account as the file names it
/// follows.
pub const PREFIX: &str = "account:";
/// The choice that leaves the rows out.
pub const SKIP: &str = "skip";
/// The accounts that a question offers.
const CHOICES_MAX: usize = 100;
/// A name that is longer than this in bytes stands in a key by its beginning and a hash.
const KEY_BYTES_MAX: usize = 64;
/// Characters of the beginning of such a name.
const KEY_HEAD: usize = 24;

/// An open account of the user.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its id.
    pub account_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its number; empty if none is noted.
    pub number: String,
    /// Its currency.
    pub currency: Currency,
}

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into this account.
    Into(Uuid),
    /// Nowhere: the person left them out.
    LeftOut,
}

/// Where the rows of each account go that a file names, by [`number::normalise`] of its name.
pub type Ways = BTreeMap<String, Way>;

/// What came of looking for the ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Every account has one.
    Found(Ways),
    /// A person must tell first: at most [`QUESTIONS_MAX`] at a time.
    Asks(Vec<Question>),
}

/// What the answer for an account of the file is filed under.
#[must_use]
pub fn key(text: &str) -> String {
    let name = number::normalise(text);
    let plain = |letter: &char| letter.is_alphanumeric() || "-./*•_:".contains(*letter);
    if name.len() <= KEY_BYTES_MAX && name.chars().all(|letter| plain(&letter)) {
        return format!("{PREFIX}{name}");
    }
    let head: String = name.chars().filter(plain).take(KEY_HEAD).collect();
    let hash = hex::encode(Sha256::digest(&name));
    let tail = hash.get(..8).unwrap_or_default();
    format!("{PREFIX}{head}#{tail}")
}

/// An account of the file without a way.
struct Open<'a> {
    named: &'a Named,
    choices: Vec<Choice>,
    /// Whether it is the file's only account, and says otherwise than the person.
    alone: bool,
}

/// Finds the ways, with the answers that are there. Those that were used are noted in the reading.
///
/// # Errors
/// When the source fails.
pub fn route(
    source: &dyn Source,
    reading: &mut Reading,
    own: &[Own],
    chosen: Uuid,
    hints: &Hints,
) -> Result<Routing, ReadError> {
    let accounts = std::mem::take(&mut reading.owner.accounts);
    let alone = accounts.len() == 1;
    let mut ways = Ways::new();
    let mut open = Vec::new();
    for named in &accounts {
        let way = if alone {
            sent(&named.text, own, chosen)
        } else {
            proven(&named.text, own)
        };
        let way = way.map(Way::Into).or_else(|| {
            let choices = choices(named, own, chosen);
            // Without an open account there is nothing to choose: the commit will refuse.
            if choices.len() < 2 {
                return Some(Way::Into(chosen));
            }
            answered(named, choices, alone, hints, reading, &mut open)
        });
        if let Some(way) = way {
            ways.insert(number::normalise(&named.text), way);
        }
    }
    let questions = open.into_iter().take(QUESTIONS_MAX);
    let questions = questions.map(|open| ask(source, reading, own, open));
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    reading.owner.accounts = accounts;
    if questions.is_empty() {
        Ok(Routing::Found(ways))
    } else {
        Ok(Routing::Asks(questions))
    }
}

/// The way that was answered; without an answer the account stays open.
fn answered<'a>(
    named: &'a Named,
    mut choices: Vec<Choice>,
    alone: bool,
    hints: &Hints,
    reading: &mut Reading,
    open: &mut Vec<Open<'a>>,
) -> Option<Way> {
    let given = hints.settle(&mut choices, &key(&named.text), |it| it.value.clone());
    let Some(Given { value, by, .. }) = &given else {
        open.push(Open {
            named,
            choices,
            alone,
        });
        return None;
    };
    let label = choices.first().map_or("", |choice| &*choice.label);
    let text = format!("Rows of {:?}: {label}.", named.text);
    reading.evidence.push(hints.credit(*by, &text));
    let way = Uuid::try_parse(value).map_or(Way::LeftOut, Way::Into);
    reading.answers.extend(given);
    Some(way)
}

/// The one account that a whole number proves.
fn proven(text: &str, own: &[Own]) -> Option<Uuid> {
    let mut same = own.iter().filter(|it| number::is_same(&it.number, text));
    match (same.next(), same.next()) {
        (Some(only), None) => Some(only.account_id),
        _ => None,
    }
}

/// The one account whose number a masked one may stand for.
fn suggested(text: &str, own: &[Own]) -> Option<Uuid> {
    let mut fits = own.iter().filter(|it| number::suggests(text, &it.number));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Some(only.account_id),
        _ => None,
    }
}

/// Where the person sent a file of one account, unless its number is that of another account or
/// differs from the one noted.
fn sent(text: &str, own: &[Own], chosen: Uuid) -> Option<Uuid> {
    let noted = own.iter().find(|it| it.account_id == chosen);
    let noted = noted.map_or("", |it| &*it.number);
    let other = match proven(text, own) {
        Some(proven) => proven != chosen,
        None if number::is_masked(text) => {
            let suggested = suggested(text, own).is_some_and(|it| it != chosen);
            !number::suggests(text, noted) && (suggested || !noted.is_empty())
        }
        None => number::is_whole(text) && !noted.is_empty() && !number::is_same(text, noted),
    };
    (!other).then_some(chosen)
}

/// The accounts that rows can go into, the likeliest first, and that they can be left out. The
/// chosen account is there in whatever currency: rows in another one are shown as such.
fn choices(named: &Named, own: &[Own], chosen: Uuid) -> Vec<Choice> {
    let fits = |it: &&Own| {
        it.account_id == chosen || named.currency.is_none_or(|code| code == it.currency)
    };
    let likely = proven(&named.text, own).or_else(|| suggested(&named.text, own));
    let text = normalise(&named.text);
    let alike = |it: &Own| {
        let name = normalise(&it.name);
        !name.is_empty() && !text.is_empty() && (text.contains(&name) || name.contains(&text))
    };
    let mut fitting: Vec<&Own> = own.iter().filter(fits).collect();
    fitting.sort_by_key(|it| {
        (
            Some(it.account_id) != likely,
            !alike(it),
            it.account_id != chosen,
        )
    });
    fitting.truncate(CHOICES_MAX);
    let choice = |value: String, label: String| Choice {
        value,
        label,
        samples: Vec::new(),
    };
    let accounts = fitting.into_iter().map(|it| {
        let number = match &*it.number {
            "" => String::new(),
            number => format!(" {number}"),
        };
        let label = format!("into {:?}{number} ({})", it.name, it.currency);
        choice(it.account_id.to_string(), label)
    });
    let skip = choice(SKIP.to_owned(), "left out".to_owned());
    accounts.chain([skip]).collect()
}

/// The question, with rows of the account as they would go under each choice.
fn ask(
    source: &dyn Source,
    reading: &Reading,
    own: &[Own],
    open: Open<'_>,
) -> Result<Question, ReadError> {
    let Open {
        named,
        mut choices,
        alone,
    } = open;
    let rows = samples(source, reading, &named.text)?;
    for choice in &mut choices {
        let into = own
            .iter()
            .find(|it| it.account_id.to_string() == choice.value);
        choice.samples = rows.iter().map(|row| show(row, into)).collect();
    }
    let text = sample::cut(&named.text);
    let prompt = if alone {
        format!(
            "The file says it is of {text}, another number than the chosen account's. Where do its \
             rows go?"
        )
    } else {
        let rows = named.rows;
        format!(
            "The file holds several accounts. {rows} of its rows are of {text}, and none of your \
             open accounts has that as its number. Where do they go?"
        )
    };
    Ok(Question {
        key: key(&named.text),
        prompt,
        choices,
    })
}

fn samples(
    source: &dyn Source,
    reading: &Reading,
    text: &str,
) -> Result<Vec<StatementRow>, ReadError> {
    let wanted = number::normalise(text);
    let mut found = Vec::new();
    for entry in row::rows(source, reading)? {
        if let Entry::Row(row) = entry?
            && number::normalise(&row.account) == wanted
        {
            found.push(row);
        }
        if found.len() == SAMPLES_MAX {
            break;
        }
    }
    Ok(found)
}

fn show(row: &StatementRow, into: Option<&Own>) -> String {
    let text = sample::read(row);
    match into {
        Some(own) if row.currency.is_none_or(|code| code == own.currency) => {
            format!("{}: {text}", own.name)
        }
        _ => format!("left out: {text}"),
    }
}

#[cfg(test)]
mod tests;
