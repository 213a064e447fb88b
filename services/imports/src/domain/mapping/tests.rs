//! What a mapping makes of files, as tables of data.

use expect_test::{Expect, expect};

use super::*;
use crate::domain::{
    reading::{Hints, Recognition, recognise},
    row::{Entry, rows},
    specimen::{Bytes, hints},
};

fn mapping(columns: &[(i32, &str, &str)]) -> Result<Mapping, Unfit> {
    let sent: Vec<Sent<'_>> = columns
        .iter()
        .map(|(position, role, format)| Sent {
            position: *position,
            role,
            format,
        })
        .collect();
    Mapping::parse("", "", 0, &sent)
}

/// How a file reads under a mapping: state, then each row, then what is rejected.
fn read(bytes: &[u8], mapping: Mapping) -> String {
    let source = Bytes(bytes.to_vec());
    let known = Hints {
        mapping: Some(mapping),
        ..hints(&[])
    };
    let (mut words, reading) = match recognise(&source, &known).unwrap() {
        Recognition::Ready(reading) => ("ready".to_owned(), reading),
        Recognition::Refused(refusal) => {
            let field = refusal.field.unwrap_or_default();
            assert!(!refusal.detail.is_empty());
            return format!("{} {field}", refusal.reason).trim_end().to_owned();
        }
        Recognition::Asks { reading, questions } => {
            let keys: Vec<_> = questions.iter().map(|q| q.key.clone()).collect();
            (format!("asks {}", keys.join(" ")), reading)
        }
    };
    assert!(
        reading.evidence.iter().any(|line| line.contains("mapping")),
        "{:?}",
        reading.evidence
    );
    for entry in rows(&source, &reading).unwrap() {
        words += &match entry.unwrap() {
            Entry::Row(row) => {
                let value = row
                    .value_on
                    .map_or(String::new(), |day| format!(" ({day})"));
                let currency = row
                    .currency
                    .map_or(String::new(), |code| code.code().to_owned());
                format!(
                    "\n{}{value} {} {currency} {:?} {:?} {:?}",
                    row.booked_on, row.amount, row.description, row.counterparty, row.external_id
                )
            }
            Entry::Rejected(row) => format!("\n{} {}", row.line, row.reason),
        };
    }
    words
}

#[track_caller]
fn check(text: &str, columns: &[(i32, &str, &str)], expected: Expect) {
    expected.assert_eq(&read(text.as_bytes(), mapping(columns).unwrap()));
}

const TWO_DAYS: &str = "Booked,Posted on,Text,Who,Amount,Other amount,Ref\n\
    2024-01-15,2024-01-16,Rent,Landlord,-900.00,1.00,a1\n\
    2024-01-17,2024-01-18,Pay,Work,2500.00,-2.00,a2\n";

#[test]
fn a_mapped_column_has_exactly_its_role() {
    check(
        TWO_DAYS,
        &[(2, "booked_on", ""), (6, "amount", "")],
        expect![[r#"
            ready
            2024-01-16 1.00  "Rent" "" None
            2024-01-18 -2.00  "Pay" "" None"#]],
    );
    check(
        TWO_DAYS,
        &[
            (1, "value_on", ""),
            (2, "booked_on", ""),
            (5, "amount_inverted", ""),
            (3, "counterparty", ""),
            (4, "description", ""),
            (7, "external_id", ""),
        ],
        expect![[r#"
            ready
            2024-01-16 (2024-01-15) 900.00  "Landlord" "Rent" Some("a1")
            2024-01-18 (2024-01-17) -2500.00  "Work" "Pay" Some("a2")"#]],
    );
    check(
        TWO_DAYS,
        &[(5, "ignored", ""), (3, "ignored", ""), (1, "booked_on", "")],
        expect![[r#"
            asks amount
            2024-01-15 -1.00  "Landlord" "" None
            2024-01-17 2.00  "Work" "" None"#]],
    );
}

#[test]
fn a_side_for_each_column_and_a_direction() {
    let pair = "Day;What;One;Two\n15.01.2024;A;12,50;\n16.01.2024;B;;20,00\n17.01.2024;C;1,00;\n";
    check(
        pair,
        &[(3, "amount_in", ""), (4, "amount_out", "")],
        expect![[r#"
            ready
            2024-01-15 12.50  "A" "" None
            2024-01-16 -20.00  "B" "" None
            2024-01-17 1.00  "C" "" None"#]],
    );
    let told =
        "Day;What;Sum;Way\n15.01.2024;A;12,50;D\n16.01.2024;B;20,00;C\n17.01.2024;C;1,00;D\n";
    check(
        told,
        &[(3, "amount", ""), (4, "direction", "")],
        expect![[r#"
            ready
            2024-01-15 -12.50  "A" "" None
            2024-01-16 20.00  "B" "" None
            2024-01-17 -1.00  "C" "" None"#]],
    );
    check(
        told,
        &[(3, "amount", ""), (4, "ignored", "")],
        expect![[r#"
            ready
            2024-01-15 12.50  "A" "" None
            2024-01-16 20.00  "B" "" None
            2024-01-17 1.00  "C" "" None"#]],
    );
}

#[test]
fn a_format_decides_what_would_be_asked() {
    let text = "Date,Description,Amount\n02/01/2024,A,-1.5\n01/02/2024,B,2.5\n05/01/2024,C,-3.5\n";
    check(
        text,
        &[(1, "booked_on", "month, day, year")],
        expect![[r#"
            ready
            2024-02-01 -1.5  "A" "" None
            2024-01-02 2.5  "B" "" None
            2024-05-01 -3.5  "C" "" None"#]],
    );
    check(
        text,
        &[(1, "booked_on", "year, month, day")],
        expect!["MAPPING_UNFIT mapping.columns[0].format"],
    );
    let thousands = "Date;Description;Amount\n31.01.2024;A;-1.500\n01.02.2024;B;2.500\n";
    check(
        thousands,
        &[(3, "amount", "1.234,56")],
        expect![[r#"
        ready
        2024-01-31 -1500  "A" "" None
        2024-02-01 2500  "B" "" None"#]],
    );
    check(
        thousands,
        &[(3, "amount", "1,234.56")],
        expect![[r#"
        ready
        2024-01-31 -1.500  "A" "" None
        2024-02-01 2.500  "B" "" None"#]],
    );
}

#[test]
fn what_the_file_does_not_have_is_refused_by_name() {
    for (columns, expected) in [
        (
            vec![(1, "booked_on", ""), (9, "amount", "")],
            expect!["MAPPING_UNFIT mapping.columns[1].position"],
        ),
        (
            vec![(3, "booked_on", "")],
            expect!["MAPPING_UNFIT mapping.columns[0].role"],
        ),
        (
            vec![(4, "amount", "")],
            expect!["MAPPING_UNFIT mapping.columns[0].role"],
        ),
        (
            vec![(4, "balance", "")],
            expect!["MAPPING_UNFIT mapping.columns[0].role"],
        ),
        (
            vec![(3, "currency", "")],
            expect!["MAPPING_UNFIT mapping.columns[0].role"],
        ),
        (
            vec![(3, "direction", "")],
            expect!["MAPPING_UNFIT mapping.columns[0].role"],
        ),
        (
            vec![(1, "ignored", ""), (2, "ignored", "")],
            expect!["NO_DATE_COLUMN"],
        ),
    ] {
        check(TWO_DAYS, &columns, expected);
    }
    let twice = "Date,Text,Amount,Id\n2024-01-15,A,-1.00,x\n2024-01-16,B,-2.00,x\n";
    check(
        twice,
        &[(4, "external_id", "")],
        expect!["MAPPING_UNFIT mapping.columns[0].role"],
    );
}

#[test]
fn what_cannot_be_is_refused_without_a_file() {
    for (columns, expected) in [
        (
            vec![(0, "amount", "")],
            expect!["mapping.columns[0].position"],
        ),
        (
            vec![(513, "amount", "")],
            expect!["mapping.columns[0].position"],
        ),
        (
            vec![(1, "ignored", ""), (1, "amount", "")],
            expect!["mapping.columns[1].position"],
        ),
        (
            vec![(1, "amount", ""), (2, "amount", "")],
            expect!["mapping.columns[1].role"],
        ),
        (
            vec![(1, "amount", ""), (2, "amount_out", "")],
            expect!["mapping.columns[1].role"],
        ),
        (vec![(1, "Amount", "")], expect!["mapping.columns[0].role"]),
        (
            vec![(1, "amount", "%d")],
            expect!["mapping.columns[0].format"],
        ),
        (
            vec![(1, "description", "1,234.56")],
            expect!["mapping.columns[0].format"],
        ),
    ] {
        let refused = mapping(&columns).unwrap_err();
        assert!(!refused.problem.is_empty());
        expected.assert_eq(&refused.field);
    }
    let mut found = String::new();
    for (encoding, delimiter, line) in [
        ("utf-9", "", 0),
        ("replacement", "", 0),
        ("", ";;", 0),
        ("", "a", 0),
        ("", "\"", 0),
        ("", "", -1),
    ] {
        let refused = Mapping::parse(encoding, delimiter, line, &[]).unwrap_err();
        found += &format!("{}\n", refused.field);
    }
    expect![[r#"
        mapping.encoding
        mapping.encoding
        mapping.delimiter
        mapping.delimiter
        mapping.delimiter
        mapping.header_line
    "#]]
    .assert_eq(&found);
}

#[test]
fn encoding_delimiter_and_header_are_believed_where_the_file_allows_it() {
    let file = b"Konto;Export\nName;Stand\nDatum|Text|Betrag\n15.01.2024|caf\xe9|-1,00\n\
                 16.01.2024|x|2,00\n";
    for (encoding, delimiter, line, expected) in [
        (
            "windows-1252",
            "|",
            3,
            expect![[r#"
            asks amount
            2024-01-15 -1.00  "café" "" None
            2024-01-16 2.00  "x" "" None"#]],
        ),
        (
            "windows-1251",
            "",
            0,
            expect![[r#"
            asks amount
            2024-01-15 -1.00  "cafй" "" None
            2024-01-16 2.00  "x" "" None"#]],
        ),
        ("utf-8", "", 0, expect!["MAPPING_UNFIT mapping.encoding"]),
        ("", ";", 0, expect!["NO_DATE_COLUMN"]),
        ("", "", 4, expect!["MAPPING_UNFIT mapping.header_line"]),
        ("", "", 99, expect!["MAPPING_UNFIT mapping.header_line"]),
    ] {
        let mapping = Mapping::parse(encoding, delimiter, line, &[]).unwrap();
        expected.assert_eq(&read(file, mapping));
    }
    let zip = read(
        b"PK\x03\x04....",
        Mapping::parse("utf-8", "", 0, &[]).unwrap(),
    );
    expect!["ZIP_OR_SPREADSHEET"].assert_eq(&zip);
}

/// The names by which roles are spoken are understood as those roles.
#[test]
fn a_role_is_spoken_in_words_of_the_vocabulary() {
    use crate::domain::header::{self, DateKind, NumberKind, TextKind};
    for (role, kind) in [
        (Role::Amount, NumberKind::Booked),
        (Role::AmountOut, NumberKind::Debit),
        (Role::AmountIn, NumberKind::Credit),
        (Role::Fee, NumberKind::Fee),
        (Role::Balance, NumberKind::Balance),
        (Role::Currency, NumberKind::Currency),
    ] {
        assert_eq!(header::number(role.spoken()), kind, "{role:?}");
    }
    for (role, kind) in [
        (Role::BookedOn, DateKind::Booking),
        (Role::ValueOn, DateKind::Value),
    ] {
        assert_eq!(header::date(role.spoken()), kind, "{role:?}");
    }
    for (role, kind) in [
        (Role::Direction, TextKind::Indicator),
        (Role::Currency, TextKind::Currency),
        (Role::Description, TextKind::Description),
        (Role::Counterparty, TextKind::Counterparty),
        (Role::ExternalId, TextKind::Id),
        (Role::Status, TextKind::Status),
        (Role::Ignored, TextKind::Other),
    ] {
        assert_eq!(header::text(role.spoken()), kind, "{role:?}");
    }
}
