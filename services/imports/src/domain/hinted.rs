//! What the reader makes of a file when the account is known, and of rows that are none.

use chrono_tz::Tz;
use djinn_ledger::account::Kind;

use super::reading::{Hints, Reading, Recognition, recognise};
use super::row::{Entry, rows};
use super::specimen::{Bytes, hints, recognised};

/// The outcome or what is asked, then the amounts in file order, then the lines that are rejected.
fn read(text: &str, kind: Option<Kind>) -> String {
    let source = Bytes(text.as_bytes().to_vec());
    let known = Hints { kind, ..hints(&[]) };
    let (mut words, reading) = match recognise(&source, &known).unwrap() {
        Recognition::Ready(reading) => (vec!["ready".to_owned()], reading),
        Recognition::Refused(refusal) => return refusal.reason.to_owned(),
        Recognition::Asks { reading, questions } => {
            let choices = questions.iter().map(|question| {
                let first = question.choices.first().unwrap();
                format!("{}={}?", question.key, first.value)
            });
            (choices.collect(), reading)
        }
    };
    let entries: Vec<Entry> = rows(&source, &reading)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        u64::try_from(entries.len()).unwrap(),
        reading.rows,
        "{text}"
    );
    words.extend(entries.iter().filter_map(|entry| match entry {
        Entry::Row(row) => Some(row.amount.to_string()),
        Entry::Rejected(_) => None,
    }));
    words.extend(entries.iter().filter_map(|entry| match entry {
        Entry::Row(_) => None,
        Entry::Rejected(row) => Some(format!("{}:{}", row.line, row.reason)),
    }));
    words.join(" ")
}

#[track_caller]
pub(super) fn check(text: &str, kind: Option<Kind>, expected: &str) {
    assert_eq!(read(text, kind), expected, "{text}");
}

#[test]
fn the_kind_of_account_tells_a_fortune_from_a_debt() {
    let debt_or_fortune = "Date,Description,Amount,Balance\n\
        15/01/2024,A,12.50,112.50\n16/01/2024,B,20.00,132.50\n17/01/2024,C,-100.00,32.50\n";
    check(
        debt_or_fortune,
        None,
        "amount=signed:2:dot? 12.50 20.00 -100.00",
    );
    check(
        debt_or_fortune,
        Some(Kind::Checking),
        "ready 12.50 20.00 -100.00",
    );
    let card = Some(Kind::CreditCard);
    check(
        debt_or_fortune,
        card,
        "amount=signed:2:dot? 12.50 20.00 -100.00",
    );
    let turned = "Date,Description,Amount,Balance\n\
        15/01/2024,A,12.50,87.50\n16/01/2024,B,20.00,67.50\n17/01/2024,C,-100.00,167.50\n";
    check(turned, None, "amount=inverted:2:dot? -12.50 -20.00 100.00");
    check(turned, Some(Kind::Savings), "ready -12.50 -20.00 100.00");
    let silent = "Date,Description,Amount\n15/01/2024,A,12.50\n16/01/2024,B,-20.00\n";
    check(silent, None, "amount=signed:2:dot? 12.50 -20.00");
    check(silent, Some(Kind::Checking), "ready 12.50 -20.00");
    check(
        silent,
        Some(Kind::CreditCard),
        "amount=signed:2:dot? 12.50 -20.00",
    );
    let unsigned = "Date,Description,Amount\n15/01/2024,A,12.50\n16/01/2024,B,20.00\n";
    check(
        unsigned,
        Some(Kind::Checking),
        "amount=signed:2:dot? 12.50 20.00",
    );
    let payment = "Date,Description,Amount\n15/01/2024,A,-12.50\n";
    check(payment, None, "ready -12.50");
    check(
        payment,
        Some(Kind::CreditCard),
        "amount=signed:2:dot? -12.50",
    );
}

#[test]
fn an_iban_is_that_of_no_card() {
    let column = "IBAN,Date,Text,Amount\n\
        DE02120300000000202051,15/01/2024,A,12.50\nDE02120300000000202051,16/01/2024,B,-20.00\n";
    check(column, None, "ready 12.50 -20.00");
    let preamble = "Account;DE02 1203 0000 0000 2020 51\n\n\
        Date;Text;Amount\n15/01/2024;A;12.50\n16/01/2024;B;-20.00\n";
    check(preamble, None, "ready 12.50 -20.00");
}

#[test]
fn a_file_without_one_readable_row_is_refused() {
    let declined = "Date,Description,Amount,State\n\
        15/01/2024,A,-12.50,DECLINED\n16/01/2024,B,-20.00,FAILED\n";
    check(declined, None, "rows=drop? 2:VOID 3:VOID");
    let source = Bytes(declined.as_bytes().to_vec());
    let answered = recognise(&source, &hints(&[("rows", "drop")])).unwrap();
    let Recognition::Refused(refusal) = answered else {
        panic!("not refused")
    };
    assert_eq!(refusal.reason, "NO_READABLE_ROW");
    let months = "Date,Description,Amount\n\
        15 foo 2024,A,-12.50\n16 foo 2024,B,-20.00\n17 mar 2024,C,-30.00\n";
    check(months, None, "UNREADABLE_DATES");
}

#[test]
fn rows_that_repeat_the_balance_are_no_transactions() {
    let rising = "Date,Text,Amount,Balance\n\
        01/01/2024,A,100.00,100.00\n15/01/2024,B,-12.50,87.50\n20/01/2024,C,-7.50,80.00\n\
        01/02/2024,Zwischenstand,80.00,80.00\n02/02/2024,D,-1.00,79.00\n03/02/2024,E,-9.00,70.00\n";
    check(
        rising,
        None,
        "ready 100.00 -12.50 -7.50 -1.00 -9.00 5:SUMMARY",
    );
    let mut lines: Vec<&str> = rising.lines().collect();
    lines[1..].reverse();
    let falling = lines.join("\n");
    check(
        &falling,
        None,
        "ready -9.00 -1.00 -7.50 -12.50 100.00 4:SUMMARY",
    );
}

#[test]
fn a_first_deposit_equals_its_balance_and_counts() {
    let text = "Date,Text,Amount,Balance\n\
        01/01/2024,A,100.00,100.00\n02/01/2024,Info,0.00,100.00\n15/01/2024,B,-12.50,87.50\n\
        16/01/2024,C,-50.00,37.50\n";
    check(text, None, "ready 100.00 0.00 -12.50 -50.00");
}

#[test]
fn a_proof_over_few_rows_does_not_choose_the_column() {
    // The fee alone happens to step as the balance does.
    let text = "24-08-2020,-357.38,A,787.62,11.35,DEBIT\n24-08-2020,-11.35,B,776.27,0,DEBIT\n\
        24-08-2020,125.00,C,145.00,0.00,CREDIT\n20-08-2020,20.17,D,20.17,0.17,CREDIT\n\
        20-08-2020,-0.17,E,20.00,0,DEBIT\n";
    let found = read(text, None);
    assert!(found.starts_with("amount="), "{found}");
}

#[test]
fn a_row_of_a_fee_alone_counts_and_a_gap_in_the_balance_changes_nothing() {
    let text = "Date,Text,Money In,Money Out,Fee,Balance\n\
        2024-01-15,A,,-12.34,,987.66\n2024-01-16,B,1500.00,,,2487.66\n\
        2024-01-17,C,,-900.00,-2.00,1585.66\n2024-01-31,D,,,-7.50,1578.16\n";
    check(text, None, "ready -12.34 1500.00 -902.00 -7.50");
    let gap = text.replace("2024-01-17,C,,-900.00,-2.00,1585.66\n", "");
    check(
        &gap,
        None,
        "amount=pair:3:2:dot:ignored:less:4? -12.34 1500.00 -7.50",
    );
}

#[test]
fn states_under_which_no_money_moved_in_many_languages() {
    for (state, refused) in [
        ("Estado", "Rechazada"),
        ("Status", "Zurückgewiesen"),
        ("Statut", "Rejeté"),
        ("Status", "Gagal"),
        ("Stato", "Non riuscita"),
        ("Situação", "Recusado"),
        ("Status", "Mislukt"),
        ("Tila", "Hylätty"),
        ("Stan", "Odrzucona"),
        ("Stav", "Zamítnuto"),
        ("Durum", "Başarısız"),
        ("Статус", "Неуспешно"),
        ("סטטוס", "נדחה"),
        ("상태", "취소"),
        ("状態", "取消"),
        ("สถานะ", "ล้มเหลว"),
    ] {
        let text = format!(
            "Date;Text;{state};Amount\n15.01.2024;A;OK;-12,34\n16.01.2024;B;{refused};-99,00\n\
             17.01.2024;C;OK;-900,00\n"
        );
        check(&text, None, "rows=drop? -12.34 -900.00 3:VOID");
    }
}

#[test]
fn the_total_of_a_month_is_no_transaction_and_a_payee_called_total_is_one() {
    let text = "Date;Description;Amount\n15.01.2024;A;-12,34\n31.01.2024;Total January;-12,34\n\
        15.02.2024;Total;-20,00\n16.02.2024;TOTAL 4521;-30,00\n";
    check(text, None, "ready -12.34 -20.00 -30.00 3:SUMMARY");
}

#[test]
fn a_number_under_a_name_like_money_is_no_amount() {
    let text = "Umsatz getätigt von;Buchungsdatum;Text;Buchungsbetrag\n\
        5232;15.01.2024;A;-18,35\n5232;16.01.2024;B;-12,34\n5232;17.01.2024;C;500,00\n";
    check(text, None, "ready -18.35 -12.34 500.00");
    let reference = "Account Amount,Date,Text\n-18.35,2024-01-15,A\n-12.34,2024-01-16,B\n";
    check(reference, None, "ready -18.35 -12.34");
}

#[test]
fn a_type_tells_the_side_of_some_rows() {
    let text = "Date,Text,Type,Amount\n2024-01-15,A,Debit,12.34\n2024-01-16,B,Credit,1500.00\n\
        2024-01-17,C,Service Charge,9.00\n";
    let first = "amount=told:3:2:dot:ignored:Debit:rejected?";
    check(
        text,
        None,
        &format!("{first} -12.34 1500.00 4:NO_DIRECTION"),
    );
}

#[test]
fn pending_rows_are_shown_and_not_asked_about() {
    let text = "Date;Text;Amount\nPending;A;-4,00\n15.01.2024;B;-12,34\noffen;C;-5,00\n\
        16.01.2024;D;-20,00\n";
    check(text, None, "ready -12.34 -20.00 2:NO_DATE 4:NO_DATE");
}

#[test]
fn pending_rows_count_unless_a_balance_may_not_count_them() {
    let rows = "2024-01-15;A;-4.00;Posted;96.00\n2024-01-16;B;-12.34;Pending;96.00\n\
        2024-01-17;C;-20.00;Posted;76.00\n";
    let head = "Date;Text;Amount;Status;";
    let without: String = rows
        .lines()
        .map(|row| format!("{}\n", row.rsplit_once(';').unwrap().0))
        .collect();
    let text = format!("{}\n{without}", head.trim_end_matches(';'));
    check(&text, None, "ready -4.00 -12.34 -20.00");
    let source = Bytes(text.into_bytes());
    let evidence = recognise(&source, &hints(&[])).unwrap();
    let told = "1 rows are pending and count: no balance speaks against them.";
    let reading = evidence.reading().unwrap();
    assert!(reading.evidence.iter().any(|it| it == told), "{reading:?}");
    let text = format!("{head}Balance\n{rows}");
    let asked = recognised(text.as_bytes(), &[]);
    assert!(asked.starts_with("asks\nrows=drop|keep\n"), "{asked}");
}

#[test]
fn the_order_of_the_rows_tells_the_booking_among_dates_without_names() {
    let text = "03.01.2024;A;-1,00;05.01.2024\n09.01.2024;B;-2,00;06.01.2024\n\
        04.01.2024;C;-3,00;07.01.2024\n";
    let source = Bytes(text.as_bytes().to_vec());
    let Recognition::Ready(reading) = recognise(&source, &hints(&[])).unwrap() else {
        panic!("not ready")
    };
    assert_eq!(reading.day.column, 3);
}

fn evidence(bytes: Vec<u8>) -> String {
    let source = Bytes(bytes);
    let evidence = |reading: Reading| reading.evidence.join("\n");
    match recognise(&source, &hints(&[])).unwrap() {
        Recognition::Ready(reading) | Recognition::Asks { reading, .. } => evidence(reading),
        Recognition::Refused(refusal) => panic!("{refusal:?}"),
    }
}

#[test]
fn a_guessed_encoding_shows_both_readings() {
    let mut bytes = b"Datum;Text;Betrag\n15.01.2024;".to_vec();
    bytes.extend(b"caf\xe9 us\xb3uga;-1,00\n16.01.2024;x;-2,00\n");
    let found = evidence(bytes);
    assert!(
        found.contains("us³uga") && found.contains("usługa"),
        "{found}"
    );
    let plain = evidence(b"Datum;Text;Betrag\n15.01.2024;Cafe;-1,00\n".to_vec());
    assert!(!plain.contains("would be"), "{plain}");
}

#[test]
fn an_offset_from_utc_is_told() {
    let text = b"Date,Text,Amount\n2024-01-15T23:30:00Z,A,-1.00\n2024-01-16T00:10:00Z,B,-2.00\n";
    assert!(evidence(text.to_vec()).contains("offset from UTC, and the account has no time zone"));
    let days = b"Date,Text,Amount\n2024-01-15T00:00:00Z,A,-1.00\n2024-01-16T12:00:00Z,B,-2.00\n";
    assert!(evidence(days.to_vec()).contains("they mean the day alone"));
    let beside = b"Date,Time,Time Zone,Text,Amount\n2024-01-15,23:30,PST,A,-1.00\n\
        2024-01-16,00:10,PDT,B,-2.00\n";
    assert!(evidence(beside.to_vec()).contains("names a time zone apart from its days"));
    let named = b"created_utc,Text,Amount\n2024-01-15 23:30,A,-1.00\n2024-01-16 00:10,B,-2.00\n";
    assert!(evidence(named.to_vec()).contains("times are in UTC"));
    let local = b"Date,Text,Amount\n2024-01-15 23:30,A,-1.00\n2024-01-16 00:10,B,-2.00\n";
    assert!(!evidence(local.to_vec()).contains("offset"));
}

/// The days of the rows as they are booked, and where they differ as they are written.
fn days(text: &str, zone: Option<Tz>) -> String {
    let source = Bytes(text.as_bytes().to_vec());
    let hints = Hints {
        time_zone: zone,
        ..hints(&[])
    };
    let recognition = recognise(&source, &hints).unwrap();
    let reading = recognition.reading().unwrap();
    let entries = rows(&source, reading).unwrap().map(Result::unwrap);
    let days = entries.map(|entry| match entry {
        Entry::Row(row) if row.booked_on == row.written_on => row.booked_on.to_string(),
        Entry::Row(row) => format!("{} (written {})", row.booked_on, row.written_on),
        Entry::Rejected(rejected) => rejected.reason.to_owned(),
    });
    days.collect::<Vec<_>>().join(", ")
}

#[test]
fn time_stamps_become_days_in_the_time_zone_of_the_account() {
    let berlin = Some(chrono_tz::Europe::Berlin);
    let offset = "Date,Text,Amount\n2024-01-15T23:30:00Z,A,-1.00\n2024-01-16T10:10:00Z,B,-2.00\n";
    let utc = "Date (UTC),Text,Amount\n2024-01-15 23:30,A,-1.00\n2024-01-16 10:10,B,-2.00\n";
    let local = "Date,Text,Amount\n2024-01-15 23:30,A,-1.00\n2024-01-16 10:10,B,-2.00\n";
    let alone = "Date,Text,Amount\n2024-01-15T00:00:00Z,A,-1.00\n2024-01-16T00:00:00Z,B,-2.00\n";
    let both = "Booking date,Value date,Text,Amount\n\
        2024-01-15T00:00:00Z,2024-01-15T09:30:00Z,A,-1.00\n\
        2024-01-16T00:00:00Z,2024-01-16T10:10:00Z,B,-2.00\n";
    let west = Some(chrono_tz::America::Los_Angeles);
    let moved = "2024-01-16 (written 2024-01-15), 2024-01-16";
    for (text, zone, expected) in [
        (offset, None, "2024-01-15, 2024-01-16"),
        (offset, berlin, moved),
        (offset, west, "2024-01-15, 2024-01-16"),
        (utc, berlin, moved),
        (local, berlin, "2024-01-15, 2024-01-16"),
        (alone, west, "2024-01-15, 2024-01-16"),
        // The day of booking without its time, beside a value that has one.
        (both, west, "2024-01-15, 2024-01-16"),
    ] {
        assert_eq!(days(text, zone), expected, "{zone:?} {text}");
    }
}
