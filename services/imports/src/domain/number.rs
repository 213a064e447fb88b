//! Numbers as banks write them (algorithms C.2), one cell at a time.

use djinn_ledger::money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

/// How a column writes its decimal and group marks. The order is the order of preference among
/// formats that give equal values.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `1,234.56`
    DotComma,
    /// `1.234,56`
    CommaDot,
    /// `1 234.56`, with any kind of space
    DotSpace,
    /// `1 234,56`
    CommaSpace,
    /// `1'234.56`
    DotApostrophe,
    /// `1'234,56`
    CommaApostrophe,
    /// `12,34,567.89`: Indian groups, two digits before the last three
    DotLakh,
    /// `1.234` or `1,234` in a currency without minor unit
    Whole,
}

/// All formats, in order of preference.
pub(super) const FORMATS: [Format; 8] = [
    Format::DotComma,
    Format::CommaDot,
    Format::DotSpace,
    Format::CommaSpace,
    Format::DotApostrophe,
    Format::CommaApostrophe,
    Format::DotLakh,
    Format::Whole,
];

impl Format {
    pub(super) fn mark(self) -> Option<char> {
        match self {
            Self::DotComma | Self::DotSpace | Self::DotApostrophe | Self::DotLakh => Some('.'),
            Self::CommaDot | Self::CommaSpace | Self::CommaApostrophe => Some(','),
            Self::Whole => None,
        }
    }

    fn groups(self, mark: char) -> bool {
        match self {
            Self::DotComma | Self::DotLakh => mark == ',',
            Self::CommaDot => mark == '.',
            // A space that an earlier program could not write is left as a replacement mark.
            Self::DotSpace | Self::CommaSpace => mark.is_whitespace() || mark == '\u{fffd}',
            Self::DotApostrophe | Self::CommaApostrophe => {
                matches!(mark, '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{b4}')
            }
            Self::Whole => !mark.is_ascii_digit(),
        }
    }
}

/// Which side of the account a cell names itself, as in `0.80Dr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Debit,
    Credit,
}

/// One cell as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The value with the signs that are written on it.
    pub(super) value: Decimal,
    /// The mark behind or before it, not applied to the value.
    pub(super) side: Option<Side>,
    /// Whether it has an explicit plus.
    pub(super) plus: bool,
}

impl Figure {
    /// As a balance: a debit mark makes it negative.
    pub(super) fn balance(self) -> Decimal {
        if self.side == Some(Side::Debit) {
            self.value.magnitude().negated()
        } else {
            self.value
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberError {
    NotNumeric,
    Overflow,
}

/// A cell without what stands around the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anatomy<'a> {
    /// Digits and marks.
    pub(super) body: &'a str,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) side: Option<Side>,
    /// A sign of money, and the currency if the sign names one.
    pub(super) money: Option<Option<Currency>>,
}

/// What may stand around a number, and the currency that it alone decides.
const SYMBOLS: [(&str, &str); 86] = [
    ("$", ""),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", ""),
    ("￥", ""),
    ("kr", ""),
    ("kr.", ""),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("Kč", "CZK"),
    ("Kc", "CZK"),
    ("Ft", "HUF"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("руб.", "RUB"),
    ("р", "RUB"),
    ("р.", "RUB"),
    ("RUR", "RUB"),
    ("₹", "INR"),
    ("Rs", ""),
    ("Rs.", ""),
    ("R$", "BRL"),
    ("R", "ZAR"),
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("C$", "CAD"),
    ("A$", "AUD"),
    ("AU$", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("S$", "SGD"),
    ("NT$", "TWD"),
    ("元", "CNY"),
    ("円", "JPY"),
    ("₩", "KRW"),
    ("원", "KRW"),
    ("₴", "UAH"),
    ("грн", "UAH"),
    ("грн.", "UAH"),
    ("₺", "TRY"),
    ("TL", "TRY"),
    ("₪", "ILS"),
    ("฿", "THB"),
    ("₫", "VND"),
    ("đ", "VND"),
    ("₱", "PHP"),
    ("лв", "BGN"),
    ("лв.", "BGN"),
    ("lei", "RON"),
    ("Fr", "CHF"),
    ("Fr.", "CHF"),
    ("SFr.", "CHF"),
    ("kn", "HRK"),
    ("din", "RSD"),
    ("din.", "RSD"),
    ("Lt", "LTL"),
    ("RM", "MYR"),
    ("Rp", "IDR"),
    ("CN¥", "CNY"),
    ("₸", "KZT"),
    ("₾", "GEL"),
    ("֏", "AMD"),
    ("د.ا", "JOD"),
    ("د.ا.", "JOD"),
    ("ر.س", "SAR"),
    ("ر.س.", "SAR"),
    ("د.إ", "AED"),
    ("د.إ.", "AED"),
    ("د.ك", "KWD"),
    ("د.ك.", "KWD"),
    ("ج.م", "EGP"),
    ("ج.م.", "EGP"),
    ("ر.ق", "QAR"),
    ("ر.ق.", "QAR"),
    ("د.ب", "BHD"),
    ("د.ب.", "BHD"),
    ("ر.ع", "OMR"),
    ("ر.ع.", "OMR"),
    ("د.م", "MAD"),
    ("د.م.", "MAD"),
    ("د.ت", "TND"),
    ("د.ت.", "TND"),
    ("د.ج", "DZD"),
    ("د.ج.", "DZD"),
    ("ل.ل", "LBP"),
    ("ل.ل.", "LBP"),
];

/// Marks of the side, in lower case.
const SIDES: [(&str, Side); 8] = [
    ("dr", Side::Debit),
    ("dr.", Side::Debit),
    ("db", Side::Debit),
    ("d", Side::Debit),
    ("cr", Side::Credit),
    ("cr.", Side::Credit),
    ("c", Side::Credit),
    ("k", Side::Credit),
];

fn minus(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2212}' | '\u{2013}' | '\u{fe63}' | '\u{ff0d}'
    )
}

fn word(character: char) -> bool {
    !character.is_ascii_digit()
        && !character.is_whitespace()
        && !minus(character)
        && !matches!(character, '+' | '(' | ')' | ',' | '\'' | '\u{2019}')
}

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 40;

/// Takes a cell apart. `Ok(None)` is an empty cell; a lone sign counts as one.
pub(super) fn anatomy(cell: &str) -> Result<Option<Anatomy<'_>>, NumberError> {
    plain(cell).map_or_else(|| dressed(cell), |found| Ok(Some(found)))
}

/// A body between two digits with nothing but a minus before it, as nearly all are.
fn plain(cell: &str) -> Option<Anatomy<'_>> {
    let body = cell.strip_prefix('-').unwrap_or(cell);
    let (first, last) = (body.bytes().next()?, body.bytes().next_back()?);
    let whole = first.is_ascii_digit() && last.is_ascii_digit() && body.len() <= BODY_BYTES_MAX;
    whole.then_some(Anatomy {
        body,
        minus: body.len() < cell.len(),
        plus: false,
        side: None,
        money: None,
    })
}

/// The same for a cell that may have anything around the digits.
fn dressed(cell: &str) -> Result<Option<Anatomy<'_>>, NumberError> {
    let mut rest = cell.trim();
    // An apostrophe in front is how a spreadsheet is told to keep a text.
    rest = rest.strip_prefix('\'').unwrap_or(rest).trim();
    let mut found = Anatomy {
        body: "",
        minus: false,
        plus: false,
        side: None,
        money: None,
    };
    let mut minuses = 0;
    loop {
        let before = rest;
        let first = rest.chars().next();
        let last = rest.chars().next_back();
        match (first, last) {
            (Some('('), Some(')')) => {
                minuses += 1;
                rest = rest.strip_prefix('(').unwrap_or(rest);
                rest = rest.strip_suffix(')').unwrap_or(rest);
            }
            (Some(sign), _) if minus(sign) => {
                minuses += 1;
                rest = rest.strip_prefix(sign).unwrap_or(rest);
            }
            (Some('+'), _) => {
                found.plus = true;
                rest = rest.strip_prefix('+').unwrap_or(rest);
            }
            (_, Some(sign)) if minus(sign) => {
                minuses += 1;
                rest = rest.strip_suffix(sign).unwrap_or(rest);
            }
            (_, Some('+')) => {
                found.plus = true;
                rest = rest.strip_suffix('+').unwrap_or(rest);
            }
            _ => rest = affix(rest, &mut found)?,
        }
        rest = rest.trim();
        if rest == before || minuses > 2 {
            break;
        }
    }
    if rest.is_empty() && found.money.is_none() && found.side.is_none() {
        return Ok(None);
    }
    let digits = rest.bytes().any(|byte| byte.is_ascii_digit());
    if !digits || minuses > 2 || rest.len() > BODY_BYTES_MAX {
        return Err(NumberError::NotNumeric);
    }
    found.body = rest;
    found.minus = minuses == 1;
    Ok(Some(found))
}

/// Takes a currency's sign or code, or a mark of the side, off either end.
fn affix<'a>(text: &'a str, found: &mut Anatomy<'_>) -> Result<&'a str, NumberError> {
    let front = text.trim_start_matches(word);
    let prefix = text.strip_suffix(front).unwrap_or_default();
    let (prefix, front) = match prefix.strip_suffix('.') {
        // The dot of `.46` belongs to the number, the dot of `Rs.` does not.
        Some(name) if !known(prefix) => (name, front_with_dot(text, front)),
        _ => (prefix, front),
    };
    if !prefix.is_empty() {
        note(prefix, found)?;
        return Ok(front);
    }
    let digits_end = text.trim_end_matches(word);
    let suffix = text.strip_prefix(digits_end).unwrap_or_default();
    if suffix.is_empty() || suffix == "." {
        return Ok(text);
    }
    note(suffix, found)?;
    Ok(digits_end)
}

fn front_with_dot<'a>(text: &'a str, front: &str) -> &'a str {
    text.get(text.len() - front.len() - 1..).unwrap_or_default()
}

fn known(token: &str) -> bool {
    SYMBOLS.iter().any(|(symbol, _)| *symbol == token)
}

fn note(token: &str, found: &mut Anatomy<'_>) -> Result<(), NumberError> {
    let symbol = SYMBOLS
        .iter()
        .find(|(symbol, _)| symbol.eq_ignore_ascii_case(token));
    if let Some((_, code)) = symbol {
        found.money = Some(Currency::parse(code).ok());
        return Ok(());
    }
    let lower = token.to_lowercase();
    if let Some((_, side)) = SIDES.iter().find(|(mark, _)| *mark == lower) {
        if found.side.is_some_and(|old| old != *side) {
            return Err(NumberError::NotNumeric);
        }
        found.side = Some(*side);
        return Ok(());
    }
    match Currency::parse(token) {
        Ok(currency) => {
            found.money = Some(Some(currency));
            Ok(())
        }
        Err(_) => Err(NumberError::NotNumeric),
    }
}

/// Reads a cell under one format. `Ok(None)` is an empty cell.
pub(super) fn read(cell: &str, format: Format) -> Result<Option<Figure>, NumberError> {
    let Some(anatomy) = anatomy(cell)? else {
        return Ok(None);
    };
    let size = size(anatomy.body, format)?;
    let value = if anatomy.minus { size.negated() } else { size };
    Ok(Some(Figure {
        value,
        side: anatomy.side,
        plus: anatomy.plus,
    }))
}

/// The digits of a body under one format.
pub(super) fn size(body: &str, format: Format) -> Result<Decimal, NumberError> {
    // `split_once` would take longer to prepare its search than a dozen bytes take to look at, and
    // every figure of a statement is tried in every format.
    let is_mark = |byte: u8| format.mark() == Some(char::from(byte));
    let (whole, behind) = body.split_at(body.bytes().position(is_mark).unwrap_or(body.len()));
    let fraction = behind.get(1..).unwrap_or_default();
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || !grouped(whole, format) {
        return Err(NumberError::NotNumeric);
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(NumberError::NotNumeric);
    }
    let mut digits: i64 = 0;
    for byte in whole
        .bytes()
        .chain(fraction.bytes())
        .filter(u8::is_ascii_digit)
    {
        digits = digits
            .checked_mul(10)
            .and_then(|digits| digits.checked_add(i64::from(byte - b'0')))
            .ok_or(NumberError::Overflow)?;
    }
    let scale = u8::try_from(fraction.len()).map_err(|_| NumberError::Overflow)?;
    Ok(Decimal { digits, scale })
}

/// One to three digits, then groups of exactly three, all with the same mark.
fn grouped(whole: &str, format: Format) -> bool {
    let marks = || whole.chars().filter(|c| !c.is_ascii_digit());
    let Some(mark) = marks().next() else {
        return true;
    };
    if !format.groups(mark) || marks().any(|other| other != mark) {
        return false;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let [first, middle @ .., last] = groups.as_slice() else {
        return false;
    };
    // `0,123` is no group of thousands: nobody writes the leading zero, but for programs that fill
    // groups and put a mark between them that is no decimal mark.
    let zero = first.starts_with('0') && matches!(mark, ',' | '.');
    if first.is_empty() || zero || last.len() != 3 {
        return false;
    }
    if format == Format::DotLakh {
        first.len() <= 2 && middle.iter().all(|group| group.len() == 2)
    } else {
        first.len() <= 3 && middle.iter().all(|group| group.len() == 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_figures_are_what_they_are_when_all_is_looked_at() {
        let long = "1".repeat(BODY_BYTES_MAX);
        for (cell, is_plain) in [
            ("1", true),
            ("-1", true),
            ("-1,234.56", true),
            ("1 234", true),
            ("1EUR2", true),
            ("2024-01-31", true),
            (&long, true),
            (&format!("-{long}"), true),
            (&format!("1{long}"), false),
            (".5", false),
            ("5.", false),
            ("--5", false),
            ("+5", false),
            ("-", false),
            ("", false),
            (" 5", false),
            ("5 EUR", false),
            ("(5)", false),
        ] {
            assert_eq!(plain(cell).is_some(), is_plain, "{cell}");
            assert_eq!(anatomy(cell), dressed(cell), "{cell}");
        }
    }

    #[test]
    fn sides() {
        let side = |cell: &str| read(cell, Format::DotComma).map(|f| f.and_then(|f| f.side));
        assert_eq!(side("0.80Dr"), Ok(Some(Side::Debit)));
        assert_eq!(side("15.00 CR"), Ok(Some(Side::Credit)));
        assert_eq!(side("15.00"), Ok(None));
        assert_eq!(side("Dr 15.00 Cr"), Err(NumberError::NotNumeric));
    }
}
