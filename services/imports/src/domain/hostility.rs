//! Hostile bytes, of which the reader makes nothing, and properties over invented tables.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::reading::{Recognition, recognise};
use super::row::{Entry, rows};
use super::specimen::{Bytes, hints, recognised};

#[test]
fn answers_settle_what_was_asked() {
    let text = b"Date,Text,Amount\n01/02/2024,A,5.00\n03/02/2024,B,6.00\n02/02/2024,C,7.00\n";
    let asked = recognised(text, &[]);
    assert!(asked.starts_with("asks\ndate=0:dmy|0:mdy\namount=signed:2:dot|inverted:2:dot\n"));
    let answers = [("date", "0:mdy"), ("amount", "inverted:2:dot")];
    let expected = "ready\n2024-01-02 -5.00\n2024-03-02 -6.00\n2024-02-02 -7.00\n";
    assert_eq!(recognised(text, &answers), expected);
    assert_eq!(
        recognised(text, &[("date", "9:ymd"), ("amount", "all")]),
        asked
    );
}

/// What becomes of a file, in a line: the outcome, its rows, and those it rejects by reason.
fn fate(bytes: &[u8]) -> String {
    let source = Bytes(bytes.to_vec());
    let (word, reading) = match recognise(&source, &hints(&[])).unwrap() {
        Recognition::Refused(refusal) => return refusal.reason.to_owned(),
        Recognition::Ready(reading) => ("ready", reading),
        Recognition::Asks { reading, .. } => ("asks", reading),
    };
    let (mut count, mut rejected) = (0, BTreeMap::<String, u32>::new());
    for entry in rows(&source, &reading).unwrap() {
        match entry.unwrap() {
            Entry::Row(_) => count += 1,
            Entry::Rejected(row) => *rejected.entry(row.reason.to_owned()).or_default() += 1,
        }
    }
    let rejected = rejected
        .iter()
        .map(|(reason, count)| format!(" {reason} {count}"));
    format!("{word} {count}{}", rejected.collect::<String>())
}

/// A statement of good rows around what is given.
fn around(spoilt: &str) -> Vec<u8> {
    let mut text = "Date,Text,Amount,Balance\n".to_owned();
    for day in 1..=28 {
        text += &format!("2024-01-{day:02},Coffee {day},-3.50,{}.50\n", 100 * day);
        if day == 14 {
            text += spoilt;
        }
    }
    text.into_bytes()
}

#[test]
fn hostile_files_are_refused() {
    let control: Vec<u8> = [
        b"Date,Text,Amount\n2024-01-15,",
        &[1_u8; 40][..],
        b",-1.00\n",
    ]
    .concat();
    let wide = format!("Date,Amount{}\n2024-01-15,1.00\n", ",x".repeat(600));
    let utf16: Vec<u8> = around("").iter().flat_map(|byte| [*byte, 0]).collect();
    let utf32: Vec<u8> = b"\xff\xfe\0\0"
        .iter()
        .copied()
        .chain(utf16.clone())
        .collect();
    let cases: [(&[u8], &str); 18] = [
        (b"", "EMPTY"),
        (b"\xef\xbb\xbf", "EMPTY"),
        (b"\n\n\n", "NO_TABLE"),
        (b"hello world", "NO_TABLE"),
        (b"a,b,c\n1,2,3\n", "NO_DATE_COLUMN"),
        (b"Date,Text\n2024-01-15,A\n", "NO_AMOUNT_COLUMN"),
        (b"Date,Amount,Text\n", "NO_DATE_COLUMN"),
        (
            b"Date,Amount\n31/02/2024,1.00\n30/02/2024,2.00\n",
            "NO_DATE_COLUMN",
        ),
        (
            b"Date,Amount\n2024-01-15,99999999999999999999.00\n",
            "NO_AMOUNT_COLUMN",
        ),
        (
            b"2024-01-01,2024-01-01\n2024-01-01,2024-01-01\n",
            "NO_AMOUNT_COLUMN",
        ),
        (b"<html><body>Date,Amount</body></html>", "HTML"),
        (b"%PDF-1.7 Date,Amount", "PDF"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "COMPRESSED"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP_OR_SPREADSHEET"),
        (&control, "NOT_TEXT"),
        (&utf16[..utf16.len() - 1], "NOT_TEXT"),
        (&utf32, "NOT_TEXT"),
        (wide.as_bytes(), "TOO_MANY_COLUMNS"),
    ];
    for (bytes, reason) in cases {
        assert_eq!(fate(bytes), reason, "{:.60}", bytes.escape_ascii());
    }
}

#[test]
fn one_spoilt_row_does_not_spoil_the_file() {
    for (spoilt, expected) in [
        ("", "ready 28"),
        ("31/02/2024,x,-3.50,1\n", "ready 28 NO_DATE 1"),
        ("2024-02-31,x,-3.50,1\n", "ready 28 NO_DATE 1"),
        ("2024-01-14,x,1e309,1\n", "ready 28 BAD_AMOUNT 1"),
        (
            "2024-01-14,x,99999999999999999999,1\n",
            "ready 28 AMOUNT_TOO_LARGE 1",
        ),
        (
            "2024-01-14,x,-92233720368547758.09,1\n",
            "ready 28 AMOUNT_TOO_LARGE 1",
        ),
        (
            "2024-01-14,Coffee, and cake,-3.50,1\n",
            "ready 28 BAD_AMOUNT 1",
        ),
        ("2024-01-14,Coffee\n", "ready 28 NO_AMOUNT 1"),
        (
            "2024-01-14,\"=cmd|' /C calc'!A0\",-3.50,1400.50\n",
            "ready 29",
        ),
        ("2024-01-14,a\u{202e}b,-3.50,1400.50\r\n", "ready 29"),
        ("Date,Text,Amount,Balance\n", "ready 28"),
    ] {
        assert_eq!(fate(&around(spoilt)), expected, "{spoilt}");
    }
}

#[test]
fn a_quote_that_never_closes_swallows_nothing() {
    let spoilt = fate(&around("2024-01-14,\"Coffee,-3.50,1400.50\n"));
    assert_eq!(spoilt, "ready 29");
}

#[test]
fn lines_end_as_they_like() {
    let text =
        b"Date,Text,Amount\r\n2024-01-13,a,-1.00\n2024-01-14,b,-2.00\r2024-01-15,c,-3.00\r\n\
        2024-01-16,d,-4.00\n\r2024-01-17,e,-5.00";
    assert_eq!(fate(text), "ready 5");
    let utf16: Vec<u8> = around("").iter().flat_map(|byte| [*byte, 0]).collect();
    assert_eq!(fate(&utf16), "ready 28");
    let other: Vec<u8> = around("").iter().flat_map(|byte| [0, *byte]).collect();
    assert_eq!(fate(&other), "ready 28");
}

#[test]
fn a_memo_of_many_lines_and_a_disclaimer() {
    let text = "Date,Text,Amount\n2024-01-15,\"A\nB\",-1.00\n2024-01-16,C,-2.00\n,more of C,\n\
        \"Please call us\",,\n";
    let source = Bytes(text.as_bytes().to_vec());
    let Recognition::Ready(reading) = recognise(&source, &hints(&[])).unwrap() else {
        panic!("not ready")
    };
    let texts: Vec<String> = rows(&source, &reading)
        .unwrap()
        .filter_map(|entry| match entry.unwrap() {
            Entry::Row(row) => Some(format!("{} {}", row.line, row.description)),
            Entry::Rejected(_) => None,
        })
        .collect();
    assert_eq!(texts, ["2 A B", "4 C more of C"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        recognised(&bytes, &[]);
    }

    #[test]
    fn no_table_makes_it_fall_over(
        text in "((2024-01-1[0-9]|[0-3][0-9]/[01][0-9]/24|[-+$(]{0,2}[0-9]{1,4}[,.'][0-9]{1,3}|EUR|\
                 Saldo|Debit|Credit|Amount|Date|D|C|\"|=\"|x)[,;\t\n\r]{1,2}){0,60}"
    ) {
        recognised(text.as_bytes(), &[]);
    }

    #[test]
    fn what_is_written_is_what_is_read(
        amounts in proptest::collection::vec(-9_999_999_i64..9_999_999, 3..40)
    ) {
        // A running balance in whatever direction proves the signs as written.
        let mut balance = 0_i64;
        let mut text = "Date;Text;Amount;Balance\n".to_owned();
        let mut expected = "ready\n".to_owned();
        let print = |minor: i64| {
            let sign = if minor < 0 { "-" } else { "" };
            let size = minor.abs();
            (format!("{sign}{}", size / 100), format!("{:02}", size % 100))
        };
        for (day, minor) in amounts.iter().enumerate() {
            let minor = if day % 2 == 0 { -minor.abs() - 1 } else { *minor };
            balance += minor;
            let date = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()
                + chrono::Days::new(u64::try_from(day).unwrap());
            let ((whole, cents), (b_whole, b_cents)) = (print(minor), print(balance));
            text += &format!("{date};x;{whole},{cents};{b_whole},{b_cents}\n");
            expected += &format!("{date} {whole}.{cents}\n");
        }
        prop_assert_eq!(recognised(text.as_bytes(), &[]), expected);
    }
}
