//! Which rows of a file resemble which transactions, among those of one account, currency and
//! amount: sweeps 3 and 4 of algorithms C.1. Pure: what is compared is an input, and who is a
//! candidate was decided before.
//!
//! Every sweep looks at the whole group before the next begins, and within a sweep every distance
//! in days at all rows before the next distance, so that a transaction goes to the row that is
//! nearest to it. What is claimed is claimed once. A distance is one linear pass over rows and
//! transactions in the order of their days.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::fingerprint::normalise;

/// Days between a row and what it resembles, at most: what is entered by hand is entered on the day
/// one pays, and booked up to a week later.
pub const DAYS_MAX: u8 = 7;

/// A row of the file that is not in the ledger by its id or its content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its number in the file.
    pub row_number: i32,
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// From [`payee`].
    pub payee: String,
}

/// A transaction of the ledger that no row of the file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its id.
    pub transaction_id: Uuid,
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// From [`payee`].
    pub payee: String,
    /// Whether no statement has told of it yet. What one has told of is at most suspected.
    pub linkable: bool,
}

/// A row and what it resembles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The row of the file.
    pub row_number: i32,
    /// The transaction.
    pub transaction_id: Uuid,
    /// Whether it is that transaction, unless a person says otherwise; else that is suspected.
    pub linked: bool,
    /// Whether the payee is the same too.
    pub same_payee: bool,
    /// Whether that transaction can take over what the file says.
    pub linkable: bool,
}

/// What was found in a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// The pairs, each row and each transaction once at most.
    pub pairs: Vec<Pair>,
    /// Comparisons it took, behind the sorting: a number that grows faster than the group is a
    /// defect.
    pub step_count: u64,
}

/// Who was paid or has paid, to be compared: the other party, else what the booking says.
#[must_use]
pub fn payee(counterparty: &str, description: &str) -> String {
    let named = normalise(counterparty);
    if named.is_empty() {
        return normalise(description);
    }
    named
}

/// Compares the rows with the transactions, all of one account, currency and amount.
#[must_use]
pub fn compare(mut rows: Vec<Row>, mut stored: Vec<Stored>) -> Found {
    rows.sort_unstable_by(|a, b| {
        (&a.payee, a.booked_on, a.row_number).cmp(&(&b.payee, b.booked_on, b.row_number))
    });
    stored.sort_unstable_by(|a, b| {
        a.payee
            .cmp(&b.payee)
            .then_with(|| (a.booked_on, age(a)).cmp(&(b.booked_on, age(b))))
    });
    let mut group = Comparison {
        rows: &rows,
        stored: &stored,
        row_claimed: vec![false; rows.len()],
        stored_claimed: vec![false; stored.len()],
        found: Found::default(),
    };
    group.by_payee(true);
    group.by_payee(false);
    group.without_payee();
    group.found
}

/// Of two that are equally near the one that was there first is taken.
fn age(stored: &Stored) -> (DateTime<Utc>, Uuid) {
    (stored.created_at, stored.transaction_id)
}

/// A group while it is compared. Rows and transactions are told by their places in it.
struct Comparison<'a> {
    rows: &'a [Row],
    stored: &'a [Stored],
    row_claimed: Vec<bool>,
    stored_claimed: Vec<bool>,
    found: Found,
}

impl Comparison<'_> {
    /// Sweep 3 over those that can be linked, then over the others: those are suspected, and must
    /// not take a row from one that is its own.
    fn by_payee(&mut self, linkable: bool) {
        let (all_rows, all_stored) = (self.rows, self.stored);
        let mut runs = runs(all_stored, |it| it.payee.as_str()).peekable();
        for (payee, places) in self::runs(all_rows, |it| it.payee.as_str()) {
            while runs.next_if(|(other, _)| *other < payee).is_some() {
                self.found.step_count += 1;
            }
            let Some((_, theirs)) = runs.next_if(|(other, _)| *other == payee) else {
                continue;
            };
            if payee.is_empty() {
                continue;
            }
            let rows: Vec<usize> = places.filter(|at| !self.row_claimed[*at]).collect();
            let stored: Vec<usize> = theirs
                .filter(|at| !self.stored_claimed[*at] && all_stored[*at].linkable == linkable)
                .collect();
            self.sweep(rows, stored, true);
        }
    }

    /// Sweep 4, over whatever is left.
    fn without_payee(&mut self) {
        let (all_rows, all_stored) = (self.rows, self.stored);
        let mut rows = unclaimed(&self.row_claimed);
        rows.sort_unstable_by_key(|at| (all_rows[*at].booked_on, all_rows[*at].row_number));
        let mut stored = unclaimed(&self.stored_claimed);
        stored.sort_unstable_by_key(|at| (all_stored[*at].booked_on, age(&all_stored[*at])));
        self.sweep(rows, stored, false);
    }

    /// The nearest day first. Both come in the order of their days.
    fn sweep(&mut self, mut rows: Vec<usize>, mut stored: Vec<usize>, same_payee: bool) {
        for distance in 0..=DAYS_MAX {
            if rows.is_empty() || stored.is_empty() {
                return;
            }
            self.pass(&rows, &stored, TimeDelta::days(distance.into()), same_payee);
            rows.retain(|at| !self.row_claimed[*at]);
            stored.retain(|at| !self.stored_claimed[*at]);
        }
    }

    /// One distance: the first that is free on the earlier day and on the later one are compared.
    fn pass(&mut self, rows: &[usize], stored: &[usize], distance: TimeDelta, same_payee: bool) {
        let all = self.stored;
        // Transactions of one day, each with how many of them are taken.
        let mut days: Vec<(NaiveDate, &[usize])> = stored
            .chunk_by(|a, b| all[*a].booked_on == all[*b].booked_on)
            .filter_map(|day| Some((all[*day.first()?].booked_on, day)))
            .collect();
        self.found.step_count += u64::try_from(rows.len() + stored.len()).unwrap_or(u64::MAX);
        let (mut earlier, mut later) = (0, 0);
        for at in rows {
            let booked_on = self.rows[*at].booked_on;
            let first = booked_on.checked_sub_signed(distance);
            let last = booked_on.checked_add_signed(distance);
            self.advance(&days, &mut earlier, first);
            self.advance(&days, &mut later, last);
            let of_day = |cursor: usize, day: Option<NaiveDate>| {
                let (date, places) = days.get(cursor)?;
                let place = places.first().filter(|_| Some(*date) == day)?;
                Some((age(&all[*place]), cursor, *place))
            };
            let nearest = [of_day(earlier, first), of_day(later, last)];
            let Some((_, cursor, place)) = nearest.into_iter().flatten().min() else {
                continue;
            };
            if let Some((_, places)) = days.get_mut(cursor) {
                *places = places.get(1..).unwrap_or_default();
            }
            self.claim(*at, place, same_payee);
        }
    }

    fn advance(
        &mut self,
        days: &[(NaiveDate, &[usize])],
        cursor: &mut usize,
        day: Option<NaiveDate>,
    ) {
        while days.get(*cursor).is_some_and(|(date, _)| Some(*date) < day) {
            *cursor += 1;
            self.found.step_count += 1;
        }
    }

    fn claim(&mut self, row: usize, stored: usize, same_payee: bool) {
        self.row_claimed[row] = true;
        self.stored_claimed[stored] = true;
        let Stored {
            transaction_id,
            linkable,
            ..
        } = self.stored[stored];
        self.found.pairs.push(Pair {
            row_number: self.rows[row].row_number,
            transaction_id,
            linked: same_payee && linkable,
            same_payee,
            linkable,
        });
    }
}

/// Runs of equal payees, and their places.
fn runs<T>(items: &[T], payee: fn(&T) -> &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut end = 0;
    items
        .chunk_by(move |a, b| payee(a) == payee(b))
        .filter_map(move |run| {
            let start = end;
            end += run.len();
            Some((payee(run.first()?), start..end))
        })
}

fn unclaimed(claimed: &[bool]) -> Vec<usize> {
    let places = claimed.iter().enumerate();
    places
        .filter(|(_, claimed)| !**claimed)
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(number: i64) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        first + TimeDelta::days(number)
    }

    fn row(row_number: i32, on: i64, payee: &str) -> Row {
        Row {
            row_number,
            booked_on: day(on),
            payee: payee.to_owned(),
        }
    }

    /// Entered by hand, the later the higher its number.
    fn entry(number: u128, on: i64, payee: &str) -> Stored {
        let age = i64::try_from(number).unwrap();
        Stored {
            transaction_id: Uuid::from_u128(number),
            booked_on: day(on),
            created_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(age),
            payee: payee.to_owned(),
            linkable: true,
        }
    }

    /// From an earlier statement.
    fn imported(number: u128, on: i64, payee: &str) -> Stored {
        Stored {
            linkable: false,
            ..entry(number, on, payee)
        }
    }

    /// "row=transaction" in the order of rows: `==` for linked, `=` for suspected with the payee,
    /// `~` for suspected without.
    fn pairs(rows: &[Row], stored: &[Stored]) -> String {
        let mut pairs = compare(rows.to_vec(), stored.to_vec()).pairs;
        pairs.sort_unstable_by_key(|pair| pair.row_number);
        let sign = |pair: &Pair| match (pair.linked, pair.same_payee) {
            (true, _) => "==",
            (false, true) => "=",
            (false, false) => "~",
        };
        let pairs = pairs.iter().map(|pair| {
            let number = pair.transaction_id.as_u128();
            format!("{}{}{number}", pair.row_number, sign(pair))
        });
        pairs.collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(what: &str, rows: &[Row], stored: &[Stored], expected: &str) {
        assert_eq!(pairs(rows, stored), expected, "{what}");
    }

    #[test]
    fn what_resembles_what() {
        let (same, told) = ([entry(1, 0, "a")], [imported(1, 0, "a")]);
        check("nothing is there", &[row(1, 0, "a")], &[], "");
        check("same day and payee", &[row(1, 0, "a")], &same, "1==1");
        check("a week later", &[row(1, 7, "a")], &same, "1==1");
        check("a week earlier", &[row(1, -7, "a")], &same, "1==1");
        check("later", &[row(1, 8, "a"), row(2, -8, "a")], &same, "");
        check("another payee", &[row(1, 3, "b")], &same, "1~1");
        check("no payee", &[row(1, 3, "")], &[entry(1, 0, "")], "1~1");
        check("told of before", &[row(1, 0, "a")], &told, "1=1");
        check("told of otherwise", &[row(1, 1, "b")], &told, "1~1");
    }

    #[test]
    fn the_nearest_day_wins_over_the_whole_file() {
        let three = [entry(1, 2, "a"), entry(2, 4, "a"), entry(3, 7, "a")];
        check("three days", &[row(1, 5, "a")], &three, "1==2");
        // On the later day, but there first.
        let two = [entry(2, 4, "a"), entry(1, 6, "a")];
        check("equally near", &[row(1, 5, "a")], &two, "1==1");
        let rows = [row(1, 5, "a"), row(2, 2, "a")];
        check("not in the order of rows", &rows, &two[..1], "1==2");
        check("the second is nearer", &rows, &[entry(1, 2, "a")], "2==1");
        let rows = [row(1, 1, "a"), row(2, 1, "a"), row(3, 1, "a")];
        let two = [entry(1, 1, "a"), entry(2, 2, "a")];
        check("each once", &rows, &two, "1==1 2==2");
    }

    #[test]
    fn the_surer_sweep_comes_first() {
        let rows = [row(1, 0, "b"), row(2, 6, "a")];
        check(
            "the payee before the day",
            &rows,
            &[entry(1, 0, "a")],
            "2==1",
        );
        let both = [imported(1, 5, "a"), entry(2, 0, "a")];
        check("what can be linked", &[row(1, 5, "a")], &both, "1==2");
        let rows = [row(1, 1, "a"), row(2, 1, "b"), row(3, 1, "c")];
        let stored = [entry(1, 3, "c"), entry(2, 2, "x")];
        check("what payees leave over", &rows, &stored, "1~2 3==1");
    }

    #[test]
    fn a_payee_is_the_other_party_or_what_the_booking_says() {
        for (counterparty, description, expected) in [
            ("Café MÜLLER", "Card 12", "cafe muller"),
            ("", "REWE  sagt Danke", "rewe sagt danke"),
            (" -- ", "Rent", "rent"),
            ("", "", ""),
        ] {
            assert_eq!(payee(counterparty, description), expected);
        }
    }

    /// As the ledger would be with as many coffees of one price, and with as many payees.
    #[test]
    fn ten_thousand_equal_rows_take_steps_in_proportion() {
        const COUNT: i32 = 10_000;
        type Payee = fn(i32, bool) -> String;
        let days = |number: i32| i64::from(number) % 366;
        let cases: [(&str, Payee); 4] = [
            ("one payee", |_, _| "kiosk".to_owned()),
            ("no payee", |_, _| String::new()),
            ("each its own payee", |number, _| format!("p{number}")),
            ("no payee of the other side", |number, ours| {
                format!("{ours}{number}")
            }),
        ];
        for (what, payee_of) in cases {
            let rows = (1..=COUNT).map(|at| row(at, days(at), &payee_of(at, true)));
            let stored = (1..=COUNT).map(|at| {
                let number = u128::from(at.unsigned_abs());
                entry(number, days(at * 7), &payee_of(at, false))
            });
            let found = compare(rows.collect(), stored.collect());
            // Eight distances for each of three sweeps, each over both sides, with both cursors.
            let steps_max = 8 * 3 * 4 * u64::from(COUNT.unsigned_abs());
            assert!(
                found.step_count <= steps_max,
                "{what}: {}",
                found.step_count
            );
            assert!(!found.pairs.is_empty(), "{what}");
        }
    }

    fn any_row() -> impl Strategy<Value = (i64, u8)> {
        (0..20_i64, 0..3_u8)
    }

    proptest! {
        /// Nothing is claimed twice, nothing too far, nothing that could be paired is left over,
        /// and the order of what comes in says nothing.
        #[test]
        fn pairs_are_near_single_and_complete(
            ours in proptest::collection::vec(any_row(), 0..30),
            theirs in proptest::collection::vec((any_row(), any::<bool>()), 0..30),
        ) {
            let name = |payee: u8| ["", "a", "b"][usize::from(payee)];
            let rows: Vec<Row> = ours.iter().zip(1..).map(|((on, payee), at)| {
                row(at, *on, name(*payee))
            }).collect();
            let stored: Vec<Stored> = theirs.iter().zip(1..).map(|(((on, payee), mine), at)| {
                Stored { linkable: *mine, ..entry(at, *on, name(*payee)) }
            }).collect();
            let found = compare(rows.clone(), stored.clone());
            let (mut left, mut free) = (rows.clone(), stored.clone());
            for pair in &found.pairs {
                let at = left.iter().position(|it| it.row_number == pair.row_number).unwrap();
                let ours = left.remove(at);
                let at = free.iter().position(|it| it.transaction_id == pair.transaction_id);
                let theirs = free.remove(at.unwrap());
                let days = (ours.booked_on - theirs.booked_on).num_days().abs();
                prop_assert!(days <= 7);
                let same = !ours.payee.is_empty() && ours.payee == theirs.payee;
                prop_assert_eq!(pair.same_payee, same);
                prop_assert_eq!(pair.linked, same && theirs.linkable);
            }
            for ours in &left {
                for theirs in &free {
                    prop_assert!((ours.booked_on - theirs.booked_on).num_days().abs() > 7);
                }
            }
            let turned = compare(
                rows.into_iter().rev().collect(),
                stored.into_iter().rev().collect(),
            );
            prop_assert_eq!(turned.pairs, found.pairs);
        }
    }
}
