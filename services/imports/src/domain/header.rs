//! What the name of a column says. The contents of a column decide what kind of thing it holds;
//! the name only tells like things apart.

use std::sync::LazyLock;

use super::fingerprint::normalise;
use super::vocabulary;

/// What a column of numbers is headed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberKind {
    BalanceBefore,
    Balance,
    Booked,
    Foreign,
    Fee,
    Tax,
    Rate,
    Id,
    Debit,
    Credit,
    /// Both sides in one name: `Debit/Credit`.
    Either,
    Net,
    Gross,
    Amount,
    Currency,
    Other,
    Unnamed,
}

/// What a column of dates is headed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateKind {
    Period,
    Started,
    Value,
    Booking,
    Transaction,
    Generic,
    Unnamed,
}

/// What a column of texts is headed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextKind {
    Indicator,
    Status,
    Currency,
    Account,
    Id,
    Counterparty,
    Description,
    Type,
    Time,
    Other,
    Unnamed,
}

/// One phrase of a vocabulary, folded.
pub(super) struct Phrase {
    text: String,
    inside: bool,
    whole: bool,
}

/// Phrases with what they mean, in order.
type Table<Kind> = Vec<(Kind, Vec<Phrase>)>;

static NUMBER: LazyLock<Table<NumberKind>> = LazyLock::new(|| table(&vocabulary::NUMBER));
static DATE: LazyLock<Table<DateKind>> = LazyLock::new(|| table(&vocabulary::DATE));
static AMOUNTS: LazyLock<Vec<Phrase>> =
    LazyLock::new(|| phrases("amount|amt|betrag|bedrag|montant|importe|importo|belopp"));
static WITHDRAWALS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::WITHDRAWALS));
static DEPOSITS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(vocabulary::DEPOSITS));
static TEXT: LazyLock<Table<TextKind>> = LazyLock::new(|| table(&vocabulary::TEXT));

fn table<Kind: Copy>(rows: &[(Kind, &str)]) -> Table<Kind> {
    rows.iter()
        .map(|(kind, list)| (*kind, phrases(list)))
        .collect()
}

/// A text as vocabularies compare it: normalised, and letters of one alphabet alone in the letters
/// by which everybody else writes them, as in `Løn` and `Opłata`.
pub(super) fn folded(text: &str) -> String {
    let text = normalise(text);
    if text.is_ascii() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            other => out.push(other),
        }
    }
    out
}

/// Reads a list of a vocabulary.
pub(super) fn phrases(list: &str) -> Vec<Phrase> {
    let read = |phrase: &str| {
        let text = folded(phrase.trim().trim_start_matches(['~', '=']));
        // Scripts without spaces between words are always searched inside.
        let inside = phrase.trim().starts_with('~') || text.chars().any(|c| c >= '\u{2e80}');
        Phrase {
            text,
            inside,
            whole: phrase.trim().starts_with('='),
        }
    };
    list.split('|')
        .map(read)
        .filter(|phrase| !phrase.text.is_empty())
        .collect()
}

impl Phrase {
    /// Whether a folded text is, contains, or begins a word with the phrase.
    pub(super) fn found_in(&self, text: &str) -> bool {
        if self.inside || self.whole {
            return if self.whole {
                self.text == text
            } else {
                text.contains(&self.text)
            };
        }
        let open = self.text.len() >= 5;
        self.behind_in(text)
            .any(|rest| open || rest.is_empty() || rest.starts_with(' '))
    }

    /// Whether the text is the phrase, whole words only.
    pub(super) fn word_in(&self, text: &str) -> bool {
        if self.inside || self.whole {
            return if self.whole {
                self.text == text
            } else {
                text.contains(&self.text)
            };
        }
        self.behind_in(text)
            .any(|rest| rest.is_empty() || rest.starts_with(' '))
    }

    /// What stands behind the phrase, wherever a word begins with it.
    fn behind_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let spaces = text.bytes().enumerate().filter(|(_, byte)| *byte == b' ');
        let starts = std::iter::once(0).chain(spaces.map(|(at, _)| at + 1));
        starts.filter_map(|at| text.get(at..)?.strip_prefix(&self.text))
    }

    pub(super) fn equals(&self, text: &str) -> bool {
        self.text == text
    }
}

/// A name as the vocabularies see it: an account's currency in parentheses is kept, case is not.
pub(super) fn plain(name: &str) -> String {
    // `TransactionDate` and `bookingDate` are two words each.
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for character in name.chars() {
        if character.is_uppercase() && lower {
            spaced.push(' ');
        }
        lower = character.is_lowercase();
        spaced.push(character);
    }
    folded(&spaced)
}

fn find<Kind: Copy>(table: &Table<Kind>, name: &str) -> Option<Kind> {
    let exact = table
        .iter()
        .find(|(_, list)| list.iter().any(|phrase| phrase.equals(name)));
    let found = exact.or_else(|| {
        table
            .iter()
            .find(|(_, list)| list.iter().any(|p| p.found_in(name)))
    });
    found.map(|(kind, _)| *kind)
}

/// The kind of a column of numbers.
pub(super) fn number(name: &str) -> NumberKind {
    let name = plain(name);
    let Some(kind) = find(&NUMBER, &name) else {
        return NumberKind::Unnamed;
    };
    let says = |wanted: NumberKind| {
        let mut lists = NUMBER.iter().filter(|(kind, _)| *kind == wanted);
        lists.any(|(_, list)| list.iter().any(|phrase| phrase.word_in(&name)))
    };
    if matches!(kind, NumberKind::Debit | NumberKind::Credit)
        && says(NumberKind::Debit)
        && says(NumberKind::Credit)
    {
        return NumberKind::Either;
    }
    // `Account amount` is an amount, whatever else it names.
    if kind == NumberKind::Id && AMOUNTS.iter().any(|phrase| phrase.word_in(&name)) {
        return NumberKind::Amount;
    }
    kind
}

/// Whether a column that is headed so holds the amounts of its rows or one side of them.
pub(super) fn money(kind: NumberKind) -> bool {
    matches!(
        kind,
        NumberKind::Booked
            | NumberKind::Amount
            | NumberKind::Debit
            | NumberKind::Credit
            | NumberKind::Either
    )
}

/// The kind of a column of dates.
pub(super) fn date(name: &str) -> DateKind {
    find(&DATE, &plain(name)).unwrap_or(DateKind::Unnamed)
}

/// The kind of a column of texts.
pub(super) fn text(name: &str) -> TextKind {
    find(&TEXT, &plain(name)).unwrap_or(TextKind::Unnamed)
}

/// Whether a name can only be that of money out, as `Debit` is not: banks write it from their side
/// as well as from their customer's.
pub(super) fn withdrawal(name: &str) -> bool {
    let name = plain(name);
    WITHDRAWALS.iter().any(|phrase| phrase.word_in(&name))
}

/// Whether a name can only be that of money in.
pub(super) fn deposit(name: &str) -> bool {
    let name = plain(name);
    DEPOSITS.iter().any(|phrase| phrase.word_in(&name))
}

/// What a cell weighs as a part of a header row: two when it names a date or an amount.
pub(super) fn weight(name: &str) -> u32 {
    let name = plain(name);
    if name.is_empty() || name.chars().count() > 60 {
        return 0;
    }
    let number = find(&NUMBER, &name);
    let money = number.is_some_and(|kind| !matches!(kind, NumberKind::Id | NumberKind::Other));
    if money || find(&DATE, &name).is_some() {
        return 2;
    }
    u32::from(number.is_some() || find(&TEXT, &name).is_some())
}

/// Whether the name is one of a date.
pub(super) fn names_date(name: &str) -> bool {
    find(&DATE, &plain(name)).is_some()
}

/// Whether names say in which time zone time stamps are written.
pub(super) fn name_zone(names: &[String]) -> bool {
    let zone = |name: &String| {
        let name = plain(name);
        let mut words = name.split(' ');
        name == "time zone" || words.any(|word| matches!(word, "utc" | "gmt" | "timezone"))
    };
    names.iter().any(zone)
}

/// Whether a column says that its times are in UTC.
pub(super) fn names_utc(name: &str) -> bool {
    let name = plain(name);
    name.split(' ').any(|word| matches!(word, "utc" | "gmt"))
}

/// Whether names are written in a script of East Asia, where a short year may come first.
pub(super) fn east_asian(names: &[String]) -> bool {
    let mut letters = names.iter().flat_map(|name| name.chars());
    letters.any(|letter| ('\u{2e80}'..='\u{d7ff}').contains(&letter))
}

/// The ISO code that a name carries, as in `Withdrawals (SGD)` or `Betrag in EUR`.
pub(super) fn currency(name: &str) -> Option<djinn_ledger::money::Currency> {
    let mut found = None;
    let words = name.split(|c: char| !c.is_alphabetic() && !"€£".contains(c));
    for word in words {
        let upper = word.chars().count() == 3 && word.chars().all(|c| c.is_ascii_uppercase());
        let currency = match word {
            "€" => djinn_ledger::money::Currency::parse("EUR").ok(),
            "£" => djinn_ledger::money::Currency::parse("GBP").ok(),
            "円" => djinn_ledger::money::Currency::parse("JPY").ok(),
            "원" => djinn_ledger::money::Currency::parse("KRW").ok(),
            _ if upper => djinn_ledger::money::Currency::parse(word).ok(),
            _ => None,
        };
        if let Some(currency) = currency {
            if found.is_some_and(|old| old != currency) {
                return None;
            }
            found = Some(currency);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_text_has_a_phrase() {
        // The phrase, the text, whether a word begins with it, whether it is there as whole words.
        let cases = [
            ("date", "booking date", true, true),
            ("date", "dates of booking", false, false),
            ("datum", "datums", true, false),
            ("date", "update", false, false),
            // It begins twice, and the first time runs on; the second begins inside the first.
            ("datum dat", "datum datum dat", true, true),
            ("datum dat", "datum datum", true, false),
            ("~date", "update", true, true),
            ("=date", "booking date", false, false),
        ];
        for (phrase, text, found, word) in cases {
            let list = phrases(phrase);
            let [phrase] = list.as_slice() else {
                panic!("{phrase} is one phrase");
            };
            let told = (phrase.found_in(text), phrase.word_in(text));
            assert_eq!(told, (found, word), "{} in {text}", phrase.text);
        }
    }
}
