//! The fields of a request: each is read by a rule, and all that are wrong are told at once.

use std::{fmt, ops::RangeInclusive};

use chrono::{Datelike, NaiveDate};
use djinn_chassis::fault::Violation;
use djinn_ledger::money::{Currency, Money};
use uuid::Uuid;

/// The longest name of an account, in characters: what a list shows in two lines.
pub(crate) const NAME_CHARACTERS_MAX: usize = 100;

/// The longest text to look for, in characters.
pub(crate) const TEXT_CHARACTERS_MAX: usize = 100;

/// The longest description that a person enters, in characters. A statement's may be longer.
pub(crate) const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;

/// The longest name of another party that a person enters, in characters.
pub(crate) const COUNTERPARTY_CHARACTERS_MAX: usize = 200;

/// The longest note, in characters.
pub(crate) const NOTE_CHARACTERS_MAX: usize = 4_000;

/// The years that a person's booking may lie in: what is outside was mistyped, as 0226 or 9026.
pub(crate) const BOOKING_YEARS: RangeInclusive<i32> = 1900..=2199;

/// A request with fields that are wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid(Vec<Violation>);

impl Invalid {
    /// One field that is wrong.
    pub(crate) fn of(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self(vec![Violation {
            field: field.into(),
            description: description.into(),
        }])
    }

    /// What is wrong with which field, and the way out.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, violation) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let Violation { field, description } = violation;
            write!(formatter, "{separator}{field}: {description}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Reads fields one by one. What a rule refuses is noted and read as `None`.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    violations: Vec<Violation>,
}

impl Fields {
    /// Nothing read yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes that a field is wrong.
    pub(crate) fn refuse(&mut self, field: &str, description: impl Into<String>) {
        self.violations.push(Violation {
            field: field.to_owned(),
            description: description.into(),
        });
    }

    /// The request, if every field was right.
    pub(crate) fn finish<T>(self, request: impl FnOnce() -> Option<T>) -> Result<T, Invalid> {
        match request() {
            Some(request) if self.violations.is_empty() => Ok(request),
            _ => Err(Invalid(self.violations)),
        }
    }

    /// An id that must be there.
    pub(crate) fn id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        match Uuid::try_parse(text) {
            Ok(id) => Some(id),
            Err(_) if text.is_empty() => {
                self.refuse(field, "is empty; send the id, a UUID");
                None
            }
            Err(_) => {
                self.refuse(field, "is not a UUID; send the id as it was given");
                None
            }
        }
    }

    /// An id that may be left out.
    pub(crate) fn optional_id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            None
        } else {
            self.id(field, text)
        }
    }

    /// The id that makes a request safe to repeat. The nil UUID is what a client sends that forgot
    /// to make one.
    pub(crate) fn request_id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
        if id.is_none() {
            self.refuse(
                field,
                "is not a UUID; make one for this request and keep it for repetitions",
            );
        }
        id
    }

    /// The name of an account, without spaces around it.
    pub(crate) fn name(&mut self, field: &str, text: &str) -> Option<String> {
        let name = text.trim();
        let count = name.chars().count();
        if count == 0 {
            self.refuse(
                field,
                format!("is empty; send 1 to {NAME_CHARACTERS_MAX} characters"),
            );
            None
        } else if count > NAME_CHARACTERS_MAX {
            self.refuse(
                field,
                format!("has {count} characters; send at most {NAME_CHARACTERS_MAX}"),
            );
            None
        } else if name.chars().any(char::is_control) {
            self.refuse(
                field,
                "holds a control character; send letters, digits, signs and spaces",
            );
            None
        } else {
            Some(name.to_owned())
        }
    }

    /// A text to look for, if there is one.
    pub(crate) fn text(&mut self, field: &str, text: &str) -> Option<String> {
        let count = text.chars().count();
        if count > TEXT_CHARACTERS_MAX {
            self.refuse(
                field,
                format!("has {count} characters; send at most {TEXT_CHARACTERS_MAX}"),
            );
            None
        } else if text.chars().any(char::is_control) {
            self.refuse(
                field,
                "holds a control character; send what a booking's line shows",
            );
            None
        } else {
            Some(text.to_owned()).filter(|text| !text.is_empty())
        }
    }

    /// A line that a person enters, without spaces around it; it may be empty.
    pub(crate) fn line(
        &mut self,
        field: &str,
        text: &str,
        characters_max: usize,
    ) -> Option<String> {
        let line = text.trim();
        self.prose(field, line, characters_max, char::is_control)?;
        Some(line.to_owned())
    }

    /// A note, which may have lines and be empty.
    pub(crate) fn note(&mut self, field: &str, text: &str) -> Option<String> {
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        self.prose(field, text, NOTE_CHARACTERS_MAX, control)?;
        Some(text.to_owned())
    }

    fn prose(
        &mut self,
        field: &str,
        text: &str,
        characters_max: usize,
        refused: impl FnMut(char) -> bool,
    ) -> Option<()> {
        let count = text.chars().count();
        if count > characters_max {
            self.refuse(
                field,
                format!("has {count} characters; send at most {characters_max}"),
            );
            None
        } else if text.contains(refused) {
            self.refuse(
                field,
                "holds a control character; send letters, digits, signs and spaces",
            );
            None
        } else {
            Some(())
        }
    }

    /// A currency, spelt as ISO 4217 does.
    pub(crate) fn currency(&mut self, field: &str, text: &str) -> Option<Currency> {
        let currency = Currency::parse(text)
            .ok()
            .filter(|currency| currency.code() == text);
        if currency.is_none() {
            self.refuse(
                field,
                "is not an ISO 4217 currency; send three capital letters, as in \"EUR\"",
            );
        }
        currency
    }

    /// An amount of money, in a currency that is spelt out.
    pub(crate) fn money(&mut self, field: &str, code: &str, minor_units: i64) -> Option<Money> {
        let currency = self.currency(&format!("{field}.currency_code"), code)?;
        Some(Money {
            currency,
            minor_units,
        })
    }

    /// A date, if there is one.
    pub(crate) fn date(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        if text.is_empty() {
            return None;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        // The parser also reads `+2024-1-5`; a date that was cut short must not become another.
        let shape = text.len() == 10 && digits == 8;
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| shape);
        if date.is_none() {
            self.refuse(
                field,
                "is not a date; send YYYY-MM-DD, as in \"2026-01-31\"",
            );
        }
        date
    }

    /// The date of something that a person enters, if there is one.
    pub(crate) fn day(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        let date = self.date(field, text)?;
        if BOOKING_YEARS.contains(&date.year()) {
            return Some(date);
        }
        let (first, last) = (BOOKING_YEARS.start(), BOOKING_YEARS.end());
        self.refuse(
            field,
            format!(
                "is in the year {}; send one of {first} to {last}",
                date.year()
            ),
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: fmt::Debug>(read: impl FnOnce(&mut Fields) -> Option<T>, expected: &str) {
        let mut fields = Fields::new();
        let value = read(&mut fields);
        let text = match fields.finish(|| Some(())) {
            Ok(()) => format!("{value:?}"),
            Err(invalid) => invalid.to_string(),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn ids() {
        let id = "0190b3f4-0000-7000-8000-000000000001";
        check(|f| f.id("account_id", id), &format!("Some({id})"));
        check(
            |f| f.id("account_id", ""),
            "account_id: is empty; send the id, a UUID",
        );
        for text in ["x", "0190b3f4-0000-7000-8000-00000000000", "\0", "'; --"] {
            check(
                |f| f.id("account_id", text),
                "account_id: is not a UUID; send the id as it was given",
            );
        }
        check(|f| f.optional_id("import_id", ""), "None");
        check(
            |f| f.optional_id("import_id", "x"),
            "import_id: is not a UUID; send the id as it was given",
        );
    }

    #[test]
    fn request_ids() {
        let id = "0190b3f4-0000-7000-8000-000000000001";
        check(|f| f.request_id("request_id", id), &format!("Some({id})"));
        for text in ["", "x", "00000000-0000-0000-0000-000000000000"] {
            check(
                |f| f.request_id("request_id", text),
                "request_id: is not a UUID; make one for this request and keep it for repetitions",
            );
        }
    }

    #[test]
    fn names() {
        check(|f| f.name("name", "  Giro "), "Some(\"Giro\")");
        check(|f| f.name("name", "Käse 🧀"), "Some(\"Käse 🧀\")");
        let longest = "ä".repeat(100);
        check(|f| f.name("name", &longest), &format!("Some({longest:?})"));
        check(
            |f| f.name("name", &format!("{longest}ä")),
            "name: has 101 characters; send at most 100",
        );
        for text in ["", " ", "\t\n"] {
            check(
                |f| f.name("name", text),
                "name: is empty; send 1 to 100 characters",
            );
        }
        for text in ["a\0b", "a\nb", "a\u{7f}b"] {
            check(
                |f| f.name("name", text),
                "name: holds a control character; send letters, digits, signs and spaces",
            );
        }
    }

    #[test]
    fn texts_are_literal_and_may_be_absent() {
        check(|f| f.text("text", ""), "None");
        check(|f| f.text("text", "100 %_\\"), "Some(\"100 %_\\\\\")");
        check(
            |f| f.text("text", &"x".repeat(101)),
            "text: has 101 characters; send at most 100",
        );
        check(
            |f| f.text("text", "a\0"),
            "text: holds a control character; send what a booking's line shows",
        );
    }

    #[test]
    fn lines_and_notes() {
        check(
            |f| f.line("description", " Käse 🧀 ", 6),
            "Some(\"Käse 🧀\")",
        );
        check(|f| f.line("description", " ", 6), "Some(\"\")");
        check(
            |f| f.line("description", "Käse 🧀!", 6),
            "description: has 7 characters; send at most 6",
        );
        let control = "holds a control character; send letters, digits, signs and spaces";
        for text in ["a\0b", "a\nb", "a\tb", "a\u{9b}b"] {
            check(
                |f| f.line("description", text, 6),
                &format!("description: {control}"),
            );
        }
        check(|f| f.note("note", ""), "Some(\"\")");
        check(|f| f.note("note", " a\n\tb\n"), "Some(\" a\\n\\tb\\n\")");
        check(|f| f.note("note", "a\r\n"), &format!("note: {control}"));
        check(|f| f.note("note", "\0"), &format!("note: {control}"));
        let longest = "ä".repeat(4_000);
        check(|f| f.note("note", &longest), &format!("Some({longest:?})"));
        check(
            |f| f.note("note", &format!("{longest}ä")),
            "note: has 4001 characters; send at most 4000",
        );
    }

    #[test]
    fn days_lie_in_a_window() {
        check(|f| f.day("booked_on", ""), "None");
        for text in ["1900-01-01", "2199-12-31"] {
            check(|f| f.day("booked_on", text), &format!("Some({text})"));
        }
        for (text, year) in [
            ("1899-12-31", 1899),
            ("2200-01-01", 2200),
            ("0000-01-01", 0),
        ] {
            check(
                |f| f.day("booked_on", text),
                &format!("booked_on: is in the year {year}; send one of 1900 to 2199"),
            );
        }
        check(
            |f| f.day("booked_on", "2026-02-30"),
            "booked_on: is not a date; send YYYY-MM-DD, as in \"2026-01-31\"",
        );
    }

    #[test]
    fn currencies_and_money() {
        check(|f| f.currency("currency_code", "EUR"), "Some(EUR)");
        for text in ["", "eur", " EUR", "EURO", "XXX", "ABC"] {
            check(
                |f| f.currency("currency_code", text),
                "currency_code: is not an ISO 4217 currency; send three capital letters, as in \
                 \"EUR\"",
            );
        }
        check(
            |f| f.money("opening_balance", "JPY", i64::MIN),
            "Some(Money { currency: JPY, minor_units: -9223372036854775808 })",
        );
        check(
            |f| f.money("opening_balance", "", 5),
            "opening_balance.currency_code: is not an ISO 4217 currency; send three capital \
             letters, as in \"EUR\"",
        );
    }

    #[test]
    fn dates() {
        check(|f| f.date("booked_from", ""), "None");
        check(|f| f.date("booked_from", "2024-02-29"), "Some(2024-02-29)");
        for text in [
            "2023-02-29",
            "2024-2-29",
            "29.02.2024",
            "+2024-1-05",
            "20240-1-05",
            "2024-01-01T00",
            " 2024-01-1",
            "today",
        ] {
            check(
                |f| f.date("booked_from", text),
                "booked_from: is not a date; send YYYY-MM-DD, as in \"2026-01-31\"",
            );
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut fields = Fields::new();
        let (id, name) = (fields.id("account_id", ""), fields.name("name", ""));
        let invalid = fields.finish(|| id.zip(name)).unwrap_err();
        let wrong: Vec<_> = invalid.violations().iter().map(|v| &*v.field).collect();
        assert_eq!(wrong, ["account_id", "name"]);
    }
}
