//! Questions in full, as a person reads them: every choice has rows, the same ones, and they
//! differ.

use expect_test::{Expect, expect};

use super::answer::{Giver, Saved};
use super::question::Question;
use super::reading::{Hints, Reading, Recognition, recognise};
use super::specimen::{Bytes, hints};

fn asked(text: &str, hints: &Hints) -> (Reading, Vec<Question>) {
    match recognise(&Bytes(text.as_bytes().to_vec()), hints).unwrap() {
        Recognition::Ready(reading) => (reading, Vec::new()),
        Recognition::Asks { reading, questions } => (reading, questions),
        Recognition::Refused(refusal) => panic!("{refusal:?}"),
    }
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    let (_, questions) = asked(text, &hints(&[]));
    let mut shown = String::new();
    for question in &questions {
        shown += &format!("{}:\n{}\n", question.key, question.prompt);
        for choice in &question.choices {
            shown += &format!("  {} {}\n", choice.value, choice.label);
            for sample in &choice.samples {
                shown += &format!("    {sample}\n");
            }
        }
        distinct(question);
    }
    expected.assert_eq(&shown);
}

/// No two choices look the same, in label or in rows.
#[track_caller]
fn distinct(question: &Question) {
    let choices = question.choices.iter().enumerate();
    for (index, one) in choices {
        assert!((1..=3).contains(&one.samples.len()), "{one:?}");
        for other in question.choices.iter().skip(index + 1) {
            assert_ne!(one.label, other.label);
            assert_ne!(one.samples, other.samples, "{} {}", one.value, other.value);
        }
    }
}

#[test]
fn day_or_month() {
    check(
        "Date,Description,Amount\n\
         03/03/2024,Same either way,-1.00\n\
         04/04/2024,Same either way,-2.00\n\
         05/05/2024,Same either way,-3.00\n\
         01/02/2024,Baker,-5.00\n\
         03/02/2024,Butcher,-6.00\n\
         06/06/2024,Same either way,-3.00\n\
         02/01/2024,Salary,700.00\n",
        expect![[r#"
            date:
            Which number in column "Date" is the day? Look for a booking whose day you know.
              0:dmy The date is in column "Date", written day, month, year.
                1 February 2024  -5.00  Baker
                3 February 2024  -6.00  Butcher
                2 January 2024  +700.00  Salary
              0:mdy The date is in column "Date", written month, day, year.
                2 January 2024  -5.00  Baker
                2 March 2024  -6.00  Butcher
                1 February 2024  +700.00  Salary
        "#]],
    );
}

/// Whatever else the file tells is not asked: the order of its rows, the names of its columns.
#[test]
fn what_the_file_tells_is_not_asked() {
    for text in [
        "Date,Narration,Value Dat,Debit Amount,Credit Amount,Chq/Ref Number,Closing Balance\n\
         15/01/24,UPI-SHOP,15/01/24,12.50,0.00,0000001,\"1,00,087.50\"\n\
         16/01/24,SALARY,16/01/24,0.00,\"1,00,000.00\",0000002,\"2,00,087.50\"\n",
        "Booking Date;Transaction Date;Text;Amount\n\
         15.01.2024;14.01.2024;Shop;-12,50\n\
         16.01.2024;16.01.2024;Salary;1000,00\n\
         17.01.2024;15.01.2024;Cinema;-9,00\n",
    ] {
        let (reading, questions) = asked(text, &hints(&[]));
        assert_eq!((reading.day.column, questions), (0, Vec::new()), "{text}");
    }
}

#[test]
fn which_way_the_money_went() {
    check(
        "Date,Description,Amount\n\
         15/01/2024,SHOP A,12.50\n\
         16/01/2024,SHOP B,0.00\n\
         17/01/2024,SHOP C,20.00\n",
        expect![[r#"
            amount:
            Which way did the money go in these rows? A minus is money out, a plus money in.
              signed:2:dot Signs as written in column "Amount".
                15 January 2024  +12.50  SHOP A
                17 January 2024  +20.00  SHOP C
              inverted:2:dot Positive means money out in column "Amount".
                15 January 2024  -12.50  SHOP A
                17 January 2024  -20.00  SHOP C
        "#]],
    );
}

#[test]
fn a_thousand_or_one() {
    check(
        "Datum;Text;Betrag\n\
         15.01.2024;Auto;-12,345\n\
         16.01.2024;Haus;-1,234\n\
         17.01.2024;Lohn;2,500\n",
        expect![[r#"
            amount:
            Which amounts are those of your statement? A minus is money out, a plus money in.
              signed:2:dot Signs as written in column "Betrag", written as in 1,234.56.
                15 January 2024  -12345  Auto
                16 January 2024  -1234  Haus
                17 January 2024  +2500  Lohn
              signed:2:comma Signs as written in column "Betrag", written as in 1.234,56.
                15 January 2024  -12.345  Auto
                16 January 2024  -1.234  Haus
                17 January 2024  +2.500  Lohn
        "#]],
    );
}

/// A booked row has no date in the column of the booking. Rows that were declined or are pending
/// lack it as well, and nothing is asked for them (`specimen::states_and_fees`).
#[test]
fn which_of_two_dates() {
    check(
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n\
         CARD_PAYMENT,Current,2023-01-01 10:00:00,2023-01-02 11:00:00,Shop,-10.00,0.00,EUR,\
         COMPLETED,90.00\n\
         TRANSFER,Current,2023-01-03 10:00:00,2023-01-03 11:00:00,To Bob,-20.00,1.00,EUR,\
         COMPLETED,69.00\n\
         TOPUP,Current,2023-01-05 10:00:00,2023-01-05 11:00:00,Top-Up,100.00,0.00,EUR,COMPLETED,\
         169.00\n\
         CARD_PAYMENT,Current,2023-01-06 10:00:00,,Shop,-5.00,0.00,EUR,COMPLETED,\n",
        expect![[r#"
            date:
            Which of these dates is the day of the booking?
              3:ymd The date is in column "Completed Date", written year, month, day.
                2 January 2023  -10.00 EUR  Shop
                left out: CARD_PAYMENT,Current,2023-01-06 10:00:00,,Shop,-5.00,0.00,EU…
              2:ymd The date is in column "Started Date", written year, month, day.
                1 January 2023  -10.00 EUR  Shop
                6 January 2023  -5.00 EUR  Shop
        "#]],
    );
}

#[test]
fn rows_without_a_date() {
    check(
        "Date,Description,Paid out,Paid in,Balance\n\
         14 Jan 2024,Z,1.00,,100.00\n\
         15 Jan 2024,A,12.50,,87.50\n\
         ,B,3.50,,84.00\n\
         16 Jan 2024,C,,50.00,134.00\n",
        expect![[r#"
            rows:
            Some rows between the others have an amount and no date. Which day do they have?
              date_above The day of the row above.
                15 January 2024  -3.50  B
              leave_out None that is known: leave them out.
                left out: ,B,3.50,,84.00
        "#]],
    );
}

#[test]
fn rows_that_may_not_count() {
    check(
        "Date,Description,Amount,Status\n\
         15.01.2024,Shop,-12.50,Completed\n\
         16.01.2024,Hotel,-80.00,Declined\n\
         17.01.2024,Salary,1000.00,Completed\n\
         18.01.2024,Taxi,-8.00,Declined\n",
        expect![[r#"
            rows:
            Some rows were declined, cancelled or turned back, or are pending. Do they count?
              drop No: leave them out.
                left out: 16.01.2024,Hotel,-80.00,Declined
                left out: 18.01.2024,Taxi,-8.00,Declined
              keep Yes, money moved: keep them.
                16 January 2024  -80.00  Hotel
                18 January 2024  -8.00  Taxi
        "#]],
    );
}

const TWO: &str = "Date,Description,Amount\n02/01/2024,A,12.50\n,B,3.50\n01/02/2024,C,20.00\n\
                   05/01/2024,D,7.00\n";

/// What a template says holds where the person has not spoken, and each gets their due.
#[test]
fn answers_are_taken_and_credited() {
    let saved = |pairs: &[(&str, &str)]| Saved {
        name: "Giro".to_owned(),
        answers: hints(pairs).answers,
    };
    let template = saved(&[("date", "0:mdy"), ("amount", "inverted:2:dot")]);
    for (person, template, open, given) in [
        (&[][..], None, &["date", "amount"][..], &[][..]),
        (
            &[("date", "0:dmy")],
            None,
            &["amount", "rows"],
            &[("date", "0:dmy", Giver::Person)],
        ),
        (
            &[("date", "0:dmy")],
            Some(template.clone()),
            &["rows"],
            &[
                ("date", "0:dmy", Giver::Person),
                ("amount", "inverted:2:dot", Giver::Template),
            ],
        ),
        (
            &[("rows", "leave_out")],
            Some(template.clone()),
            &[],
            &[
                ("date", "0:mdy", Giver::Template),
                ("amount", "inverted:2:dot", Giver::Template),
                ("rows", "leave_out", Giver::Person),
            ],
        ),
        (
            &[("date", "0:ymd")],
            Some(saved(&[("amount", "signed:9:dot")])),
            &["date", "amount"],
            &[],
        ),
        // The answer to another question about rows is none to this one.
        (
            &[("date", "0:dmy"), ("amount", "signed:2:dot")],
            Some(saved(&[("rows", "drop")])),
            &["rows"],
            &[
                ("date", "0:dmy", Giver::Person),
                ("amount", "signed:2:dot", Giver::Person),
            ],
        ),
    ] {
        let hints = Hints {
            template,
            ..hints(person)
        };
        let (reading, questions) = asked(TWO, &hints);
        let keys: Vec<&str> = questions.iter().map(|q| q.key.as_str()).collect();
        assert_eq!(keys, open, "{person:?}");
        let found: Vec<_> = reading
            .answers
            .iter()
            .map(|given| (given.key.as_str(), given.value.as_str(), given.by))
            .collect();
        assert_eq!(found, given, "{person:?}");
        let by = |who: &str| {
            let lines = reading.evidence.iter();
            lines.filter(|line| line.starts_with(who)).count()
        };
        let of = |giver| given.iter().filter(|(.., by)| *by == giver).count();
        assert_eq!(by("Your answer: "), of(Giver::Person));
        assert_eq!(by("The template \"Giro\" answers: "), of(Giver::Template));
    }
}

/// Where nothing is asked nothing is answered: an old answer must not turn a file that is plain.
#[test]
fn a_plain_file_needs_no_answer() {
    let text = "Date,Description,Amount\n31/01/2024,A,-5.00\n02/02/2024,C,-7.00\n\
                03/02/2024,B,6.00\n";
    let hints = Hints {
        template: Some(Saved {
            name: "Giro".to_owned(),
            answers: hints(&[("date", "0:mdy")]).answers,
        }),
        ..hints(&[("date", "0:mdy"), ("amount", "inverted:2:dot")])
    };
    let (reading, questions) = asked(text, &hints);
    assert_eq!((reading.answers, questions), (Vec::new(), Vec::new()));
    assert_eq!(reading.day.column, 0);
}

/// The rows that differ may stand far down.
#[test]
fn rows_are_looked_for_in_the_whole_file() {
    let mut text = String::from("Date,Description,Amount\n");
    for row in 0..20_000 {
        text += &format!("03/03/2024,Row {row},-1.0{}\n", row % 10);
    }
    text += "02/01/2024,Late,-5.00\n01/02/2024,Later,700.00\n05/01/2024,Last,-3.00\n";
    let (_, questions) = asked(&text, &hints(&[]));
    let [question] = questions.as_slice() else {
        panic!("{questions:?}");
    };
    distinct(question);
    assert!(question.choices[0].samples[0].contains("Late"));
}
