//! Hostile bytes, of which the reader makes nothing, and properties over invented tables.

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

#[test]
fn hostile_files_are_refused() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "EMPTY"),
        (b"\n\n\n", "NO_TABLE"),
        (b"hello world", "NO_TABLE"),
        (b"a,b,c\n1,2,3\n", "NO_DATE_COLUMN"),
        (b"Date,Text\n2024-01-15,A\n", "NO_AMOUNT_COLUMN"),
        (b"Date,Amount,Text\n", "NO_DATE_COLUMN"),
        (b"<html><body>Date,Amount</body></html>", "HTML"),
        (b"%PDF-1.7 Date,Amount", "PDF"),
    ];
    for (bytes, reason) in cases {
        assert_eq!(recognised(bytes, &[]), format!("refused\n0 {reason}\n"));
    }
    let wide = format!("Date,Amount{}\n2024-01-15,1.00\n", ",x".repeat(600));
    assert!(recognised(wide.as_bytes(), &[]).starts_with("refused"));
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
