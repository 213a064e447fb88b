//! The heading of a statement: what tells one bank's format from another, and what a template is
//! found by. Its fingerprint is frozen: a change is a new [`VERSION`].

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::reading::Reading;

/// The version of the fingerprint, the first byte that is hashed.
pub const VERSION: u8 = 1;

/// Delimiter and columns of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The delimiter between columns.
    pub delimiter: char,
    /// One name for each column, in order; all of them empty without a header.
    pub columns: Vec<String>,
}

impl Heading {
    /// That of a file, as it was read.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        let columns = if reading.names.is_empty() {
            vec![String::new(); reading.dialect.width]
        } else {
            reading.names.clone()
        };
        Self {
            delimiter: reading.dialect.delimiter,
            columns,
        }
    }

    /// The names of the columns; none without a header.
    #[must_use]
    pub fn names(&self) -> &[String] {
        if self.is_named() { &self.columns } else { &[] }
    }

    fn is_named(&self) -> bool {
        self.columns.iter().any(|name| !name.trim().is_empty())
    }

    /// SHA-256 over the version, the delimiter, whether there is a header, the number of columns
    /// and, with a header, their names, each behind its length.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes();
        hash.update([VERSION]);
        hash.update(u32::from(self.delimiter).to_be_bytes());
        hash.update([u8::from(self.is_named())]);
        hash.update(count(self.columns.len()));
        for name in self.names() {
            let name = plain(name);
            hash.update(count(name.len()));
            hash.update(name);
        }
        hash.finalize().into()
    }
}

/// A name without what banks change in passing: case, spaces, and how accents are composed. Marks
/// stay: `Amount (+)` and `Amount (-)` are two columns, and which is which decides signs.
fn plain(name: &str) -> String {
    let lower: String = name.nfc().flat_map(char::to_lowercase).nfc().collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(delimiter: char, columns: &[&str]) -> String {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        hex::encode(Heading { delimiter, columns }.fingerprint())
    }

    #[test]
    fn what_a_bank_changes_in_passing_is_the_same_format() {
        let base = print(';', &["Datum", "Betrag (EUR)", "Empfänger"]);
        for columns in [
            ["DATUM", "betrag (eur)", "EMPFÄNGER"],
            [" Datum", "Betrag\u{a0} (EUR) ", "Empfa\u{308}nger"],
            ["Datum\t", "Betrag\n(EUR)", "empfänger"],
        ] {
            assert_eq!(print(';', &columns), base, "{columns:?}");
        }
    }

    #[test]
    fn everything_else_is_another_format() {
        let headings: &[(char, &[&str])] = &[
            (';', &["Datum", "Betrag"]),
            (',', &["Datum", "Betrag"]),
            (';', &["Betrag", "Datum"]),
            (';', &["Datum", "Betrag", ""]),
            (';', &["Datum", "", "Betrag"]),
            (';', &["DatumBetrag"]),
            (';', &["Datum Betrag"]),
            (';', &["Datum", "Amount (+)", "Amount (-)"]),
            (';', &["Datum", "Amount (-)", "Amount (+)"]),
            (';', &["", ""]),
            (';', &["", "", ""]),
            (',', &["", ""]),
            (';', &[]),
            ('\t', &["Datum", "Betrag"]),
        ];
        let mut prints: Vec<String> = headings.iter().map(|(d, c)| print(*d, c)).collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), headings.len());
    }

    /// Frozen: a changed line here means a new version, never a changed test.
    #[test]
    fn fingerprints_are_frozen() {
        expect_test::expect!["dbdee5a43616c5f309cf3d41a19230dff61e1cb3316de26ea00f399f5715307c"]
            .assert_eq(&print(';', &["Datum", "Betrag"]));
        expect_test::expect!["527106ac109d0bb070ba668c23713e0b2f2f03499171e3e08ca768ae4093c95f"]
            .assert_eq(&print(',', &["", "", ""]));
    }

    #[test]
    fn a_heading_without_names_has_none() {
        for (columns, expected) in [(&["", " "][..], 0), (&["", "Betrag"], 2), (&[], 0)] {
            let columns = columns.iter().map(|name| (*name).to_owned()).collect();
            let delimiter = ';';
            assert_eq!(Heading { delimiter, columns }.names().len(), expected);
        }
    }
}
