//! Statements with and without a break, by every way a balance may run.

use super::*;
use crate::domain::{
    reading::{Recognition, recognise},
    row::rows,
    specimen::{Bytes, hints},
};

/// What the gaps of a file come to: lines, expected and found balance, difference, and the lines
/// between that cannot be read.
fn gaps(text: &str) -> Vec<String> {
    let found = follow(text);
    let told = found.first.iter().map(|gap| {
        let unread = gap
            .unread
            .iter()
            .map(|it| format!(" {}:{}", it.line, it.reason));
        format!(
            "{}-{} {} {} {}{}",
            gap.above.line,
            gap.below.line,
            gap.expected,
            gap.found,
            gap.difference,
            unread.collect::<String>()
        )
    });
    told.collect()
}

fn follow(text: &str) -> Gaps {
    let source = Bytes(text.as_bytes().to_vec());
    let reading = match recognise(&source, &hints(&[])).unwrap() {
        Recognition::Ready(reading) | Recognition::Asks { reading, .. } => reading,
        Recognition::Refused(refusal) => panic!("{}", refusal.reason),
    };
    let mut follower = Follower::default();
    for (number, entry) in (1..).zip(rows(&source, &reading).unwrap()) {
        follower.observe(number, &entry.unwrap());
    }
    follower.end()
}

const HEADER: &str = "Date,Description,Amount,Balance\n";

#[track_caller]
fn check(rows: &str, expected: &[&str]) {
    assert_eq!(gaps(&format!("{HEADER}{rows}")), expected, "{rows}");
}

#[test]
fn a_chain_without_a_break_has_no_gap() {
    check(
        "2024-01-15,A,-12.50,100.00\n2024-01-16,B,20.00,120.00\n2024-01-17,C,-10.00,110.00\n",
        &[],
    );
    // Newest first.
    check(
        "2024-01-17,C,-10.00,110.00\n2024-01-16,B,20.00,120.00\n2024-01-15,A,-12.50,100.00\n",
        &[],
    );
    // Equal amounts step both ways.
    check(
        "2024-01-15,A,-5.00,95.00\n2024-01-16,B,-5.00,90.00\n2024-01-17,C,-5.00,85.00\n",
        &[],
    );
}

#[test]
fn a_row_that_is_missing_shows_in_either_order() {
    check(
        "2024-01-15,A,-12.50,100.00\n2024-01-16,B,20.00,120.00\n2024-01-19,D,-10.00,80.00\n\
         2024-01-20,E,5.00,85.00\n",
        &["3-4 110.00 80.00 -30.00"],
    );
    check(
        "2024-01-20,E,5.00,85.00\n2024-01-19,D,-10.00,80.00\n2024-01-16,B,20.00,120.00\n\
         2024-01-15,A,-12.50,100.00\n",
        &["3-4 110.00 80.00 -30.00"],
    );
}

#[test]
fn a_debt_that_grows_with_each_purchase_runs_the_other_way() {
    let text = "Date,Description,Amount,Amount due\n\
        2024-01-15,A,-12.50,112.50\n2024-01-16,B,-20.00,132.50\n2024-01-17,C,-7.00,139.50\n\
        2024-01-18,D,-9.00,153.50\n2024-01-19,E,-1.00,154.50\n";
    let mut follower = Follower::default();
    for (number, line) in (1..).zip(text.lines().skip(1)) {
        let mut cells = line.split(',');
        let day = cells.next().unwrap().parse().unwrap();
        let number_of = |text: &str| Decimal {
            digits: text.replace('.', "").parse().unwrap(),
            scale: 2,
        };
        let amount = number_of(cells.nth(1).unwrap());
        let balance = number_of(cells.next().unwrap());
        follower.observe(number, &entry(number, day, amount, Some(balance)));
    }
    let found = follower.end();
    assert_eq!(found.count, 1);
    let gap = &found.first[0];
    assert_eq!((gap.above.row_number, gap.below.row_number), (3, 4));
    let told = [&*gap.expected, &gap.found, &gap.difference];
    assert_eq!(told, ["148.50", "153.50", "5.00"]);
}

#[test]
fn a_balance_before_each_row_runs_too() {
    // Each row states what was there before it.
    let rows: &[(&str, i64, i64)] = &[
        ("2024-01-15", -1_250, 10_000),
        ("2024-01-16", 2_000, 8_750),
        ("2024-01-17", -1_000, 10_750),
        // 50.00 came in between.
        ("2024-01-18", -300, 14_750),
        ("2024-01-19", -200, 14_450),
    ];
    let found = chain(rows);
    assert_eq!(found.count, 1);
    let gap = &found.first[0];
    assert_eq!((gap.above.row_number, gap.below.row_number), (3, 4));
    let told = [&*gap.expected, &gap.found, &gap.difference];
    assert_eq!(told, ["97.50", "147.50", "50.00"]);
    let newest_first: Vec<_> = rows.iter().rev().copied().collect();
    let found = chain(&newest_first);
    assert_eq!((found.count, &*found.first[0].difference), (1, "50.00"));
}

#[test]
fn a_row_that_cannot_be_read_is_named_at_the_gap_it_leaves() {
    let row = |at: i64| {
        let (day, balance) = (at + 1, 100 - at);
        match at {
            17 => format!("2024-01-{day},A,-1.00x,{balance}.00\n"),
            _ => format!("2024-01-{day:02},A,-1.00,{balance}.00\n"),
        }
    };
    let rows: String = (0..25).map(row).collect();
    check(&rows, &["18-20 83.00 82.00 -1.00 19:BAD_AMOUNT"]);
}

#[test]
fn days_with_one_balance_are_no_gap() {
    check(
        "2024-01-15,A,-12.50,\n2024-01-15,B,20.00,120.00\n2024-01-16,C,-10.00,\n\
         2024-01-16,D,-10.00,100.00\n2024-01-17,E,-10.00,90.00\n",
        &[],
    );
}

#[test]
fn a_column_that_runs_nowhere_has_no_gaps() {
    check(
        "2024-01-15,A,-12.50,7.00\n2024-01-16,B,20.00,1.00\n2024-01-17,C,-10.00,3.00\n\
         2024-01-18,D,-11.00,9.00\n",
        &[],
    );
}

#[test]
fn what_is_kept_is_bounded_and_all_is_counted() {
    let mut rows = Vec::new();
    let (mut balance, start) = (0_i64, NaiveDate::from_ymd_opt(2024, 1, 1).unwrap());
    for at in 0..400_i64 {
        // Every fourth row something is missing.
        balance += 100 + at + if at % 4 == 3 { 7 } else { 0 };
        let day = start + chrono::Days::new(u64::try_from(at).unwrap());
        rows.push((day.to_string(), 100 + at, balance));
    }
    let rows: Vec<(&str, i64, i64)> = rows.iter().map(|(d, a, b)| (&**d, *a, *b)).collect();
    let found = chain(&rows);
    assert_eq!((found.count, found.first.len()), (100, GAPS_MAX));
    assert!(found.first.iter().all(|gap| gap.difference == "0.07"));
}

fn entry(number: i32, day: NaiveDate, amount: Decimal, balance: Option<Decimal>) -> Entry {
    Entry::Row(StatementRow {
        line: u64::try_from(number).unwrap() + 1,
        booked_on: day,
        written_on: day,
        value_on: None,
        amount,
        currency: None,
        description: String::new(),
        counterparty: String::new(),
        external_id: None,
        balance_after: balance,
        account: String::new(),
    })
}

/// Rows of day, amount and balance in cents.
fn chain(rows: &[(&str, i64, i64)]) -> Gaps {
    let cents = |digits| Decimal { digits, scale: 2 };
    let mut follower = Follower::default();
    for (number, (day, amount, balance)) in (1..).zip(rows) {
        let day = day.parse().unwrap();
        follower.observe(
            number,
            &entry(number, day, cents(*amount), Some(cents(*balance))),
        );
    }
    follower.end()
}

#[test]
fn numbers_are_written_with_the_finest_decimals() {
    let unit = 10_i128.pow(u32::from(SCALE_MAX));
    for (units, scale, expected) in [
        (30 * unit, 2, "30.00"),
        (-unit / 100 * 5, 2, "-0.05"),
        (1_234 * unit, 0, "1234"),
        (0, 2, "0.00"),
    ] {
        assert_eq!(text(units, scale), expected);
    }
}
