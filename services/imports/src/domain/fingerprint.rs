//! The fingerprint of a statement row (algorithms C.1) over texts normalised to level 1 (C.18).
//! Both are frozen: a change of either is a new [`VERSION`].

use chrono::{Datelike, NaiveDate};
use djinn_ledger::money::Money;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The version of normalisation and fingerprint, the first byte that is hashed.
pub const VERSION: u8 = 1;

/// Level 1 of the normalisation: decomposed, marks stripped from Latin, Greek and Cyrillic bases
/// (elsewhere they carry meaning, as in Japanese voiced kana), composed again, lower case,
/// everything but letters, marks and digits to one space, no space at the ends.
#[must_use]
pub fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return normalise_ascii(text);
    }
    let mut stripping = false;
    let stripped = text.nfd().filter(|&character| {
        if is_combining_mark(character) {
            return !stripping;
        }
        stripping = loses_marks(character);
        true
    });
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for character in stripped.nfc().flat_map(char::to_lowercase) {
        // Lower case can bring a mark back: the dotted capital I of Turkish.
        if character == '\u{307}' {
            continue;
        }
        if character.is_alphanumeric() || is_combining_mark(character) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(character);
        } else {
            gap = true;
        }
    }
    out
}

/// The same for ASCII, which most statements are: nothing to decompose.
fn normalise_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out.make_ascii_lowercase();
    out
}

/// Latin, Greek and Cyrillic letters with all their extensions, by their Unicode blocks: a letter
/// and its lower case must fall on the same side.
fn loses_marks(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '\u{aa}'..='\u{2af}' | '\u{370}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dbf}' | '\u{1e00}'..='\u{1fff}'
        | '\u{2c60}'..='\u{2c7f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}'
        | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{fb00}'..='\u{fb06}'
        | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}')
}

/// SHA-256 over the version and the length-prefixed parts, texts normalised. Rows that are equal
/// in all of them share the fingerprint and are told apart by their occurrence.
#[must_use]
pub fn fingerprint(
    account_id: [u8; 16],
    booked_on: NaiveDate,
    money: Money,
    description: &str,
    counterparty: &str,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([VERSION]);
    let mut part = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(&account_id);
    part(&booked_on.num_days_from_ce().to_be_bytes());
    part(&money.minor_units.to_be_bytes());
    part(money.currency.code().as_bytes());
    part(normalise(description).as_bytes());
    part(normalise(counterparty).as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use djinn_ledger::money::Currency;
    use proptest::prelude::*;

    use super::*;

    /// Frozen: a changed line here means a new version, never a changed test.
    #[test]
    fn normalised_texts_are_frozen() {
        let cases = [
            ("Café  MÜLLER GmbH 0042", "cafe muller gmbh 0042"),
            ("1060", "1060"),
            ("AMZN Mktp*2K3", "amzn mktp 2k3"),
            ("ガス料金", "ガス料金"),
            ("Ёлка й", "елка и"),
            ("ΆΓΙΟΣ", "αγιοσ"),
            ("  --  ", ""),
            ("İstanbul", "istanbul"),
            ("Łódź-Øst", "łodz øst"),
            ("हिन्दी", "हिन्दी"),
            ("한국어", "한국어"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalise(text), expected, "{text}");
        }
    }

    #[test]
    fn fingerprints_are_frozen() {
        let money = Money {
            currency: Currency::parse("EUR").unwrap(),
            minor_units: -1230,
        };
        let day = NaiveDate::from_ymd_opt(2024, 1, 31).unwrap();
        let print = |account: u8, text: &str, other: &str| {
            fingerprint([account; 16], day, money, text, other)
        };
        assert_eq!(print(1, "Café", "Müller"), print(1, "CAFE", "muller"));
        assert_ne!(print(1, "ab", "c"), print(1, "a", "bc"));
        assert_ne!(print(1, "a", ""), print(2, "a", ""));
        let hex: String = print(7, "Coffee", "")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        expect_test::expect!["c2113827cd86e673451c2b54c53fba4ffa7ccdb00cef14bf705d3330a2b20c0e"]
            .assert_eq(&hex);
    }

    proptest! {
        #[test]
        fn ascii_needs_no_other_way(text in "[ -~]{0,40}") {
            // The mark in front takes the long way and vanishes.
            let long = normalise(&format!("\u{2014}{text}"));
            prop_assert_eq!(normalise(&text), long);
        }

        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
