//! Accounts that nothing names as such: the pockets, products or cards of one customer in one file.
//! Their balances run on each for itself, so a column is one of accounts when the running balance
//! breaks over all rows and follows within the rows of each of its values.
//!
//! It finds the column. What its values are is for [`super::ownership`].

use std::collections::BTreeMap;

use djinn_ledger::money::{Currency, Decimal, SCALE_MAX};

use super::amount::Numeral;
use super::column::{Facts, Survey};
use super::reading::{ReadError, Reading, Source};
use super::row::{self, Entry, StatementRow};

/// Columns that are tried.
const COLUMNS_MAX: usize = 8;
/// So many steps have to follow, or chance may have made them.
const STEPS_MIN: u64 = 2;

/// The last row of a chain.
struct Last {
    amount: i128,
    balance: i128,
    index: u64,
}

/// How often balances follow from the rows before them.
#[derive(Default)]
struct Steps {
    all: u64,
    /// Rows in order of time, and newest first.
    rising: u64,
    falling: u64,
    /// The same where rows of others stand between.
    across_rising: u64,
    across_falling: u64,
}

impl Steps {
    fn followed(&self, rising: bool) -> u64 {
        if rising { self.rising } else { self.falling }
    }

    fn across(&self, rising: bool) -> u64 {
        if rising {
            self.across_rising
        } else {
            self.across_falling
        }
    }

    fn rises(&self) -> bool {
        self.rising >= self.falling
    }
}

/// The chains of a file under one way to tell its accounts apart.
#[derive(Default)]
struct Chains {
    last: BTreeMap<(String, Option<Currency>), Last>,
    steps: BTreeMap<String, Steps>,
    rows: u64,
}

impl Chains {
    /// Takes note of the next row of the file.
    fn observe(&mut self, account: &str, row: &StatementRow) {
        self.rows += 1;
        let exact = |value: Decimal| value.at_scale(SCALE_MAX);
        let key = (account.to_owned(), row.currency);
        let (Some(amount), Some(balance)) = (exact(row.amount), row.balance_after.and_then(exact))
        else {
            self.last.remove(&key);
            return;
        };
        let index = self.rows;
        let now = Last {
            amount,
            balance,
            index,
        };
        let Some(last) = self.last.insert(key, now) else {
            return;
        };
        // What moves nothing proves nothing.
        if amount == 0 || last.amount == 0 {
            return;
        }
        let rising = last.balance.checked_add(amount) == Some(balance);
        let falling = balance.checked_add(last.amount) == Some(last.balance);
        let across = index - last.index > 1;
        let steps = self.steps.entry(account.to_owned()).or_default();
        steps.all += 1;
        steps.rising += u64::from(rising);
        steps.falling += u64::from(falling);
        steps.across_rising += u64::from(rising && across);
        steps.across_falling += u64::from(falling && across);
    }

    fn total(&self) -> Steps {
        let mut total = Steps::default();
        for steps in self.steps.values() {
            total.all += steps.all;
            total.rising += steps.rising;
            total.falling += steps.falling;
            total.across_rising += steps.across_rising;
            total.across_falling += steps.across_falling;
        }
        total
    }

    /// Whether they follow, but for one step in ten: rows may be missing.
    fn follow(&self) -> bool {
        let total = self.total();
        let followed = total.followed(total.rises());
        followed >= STEPS_MIN && followed * 10 >= total.all * 9
    }

    /// Whether they explain why the balance breaks over all rows. Chains that only stand one behind
    /// the other, as the halves of a statement with a gap do, need more than one step each.
    fn explain(&self, whole: &Steps) -> bool {
        let total = self.total();
        let rises = total.rises();
        let broken = |steps: &Steps| steps.all - steps.followed(rises);
        let chains = self.steps.values();
        let long = chains.filter(|steps| steps.followed(rises) >= STEPS_MIN);
        self.follow()
            && broken(whole) > broken(&total) * 2
            && (total.across(rises) > 0 || long.count() > 1)
    }
}

/// The column whose values are accounts, if the balance tells of one.
pub(super) fn column(
    source: &dyn Source,
    survey: &Survey,
    balances: &[Numeral],
    reading: &Reading,
) -> Result<Option<usize>, ReadError> {
    let columns = columns(survey, balances, reading);
    if columns.is_empty() {
        return Ok(None);
    }
    for balance in balances {
        let whole = chains(source, reading, *balance, None)?;
        if whole.follow() && whole.total().all == whole.total().followed(whole.total().rises()) {
            return Ok(None);
        }
        for column in &columns {
            let apart = chains(source, reading, *balance, Some(*column))?;
            if apart.explain(&whole.total()) {
                return Ok(Some(*column));
            }
        }
    }
    Ok(None)
}

/// Columns of few values that nearly every row has, those of the fewest first.
fn columns(survey: &Survey, balances: &[Numeral], reading: &Reading) -> Vec<usize> {
    let mut taken = reading.plan.amount.columns();
    taken.extend(balances.iter().map(|cell| cell.column));
    taken.extend(reading.date_columns.iter().copied());
    taken.extend(reading.currency_columns.iter().copied());
    let few = |facts: &Facts| facts.values.as_ref().map(Vec::len).filter(|len| *len > 1);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (column, facts) in survey.columns.iter().enumerate() {
        if let Some(values) = few(facts)
            && facts.filled * 20 >= survey.rows * 19
            && !taken.contains(&column)
        {
            found.push((values, column));
        }
    }
    found.sort_unstable();
    found.truncate(COLUMNS_MAX);
    found.into_iter().map(|(_, column)| column).collect()
}

fn chains(
    source: &dyn Source,
    reading: &Reading,
    balance: Numeral,
    column: Option<usize>,
) -> Result<Chains, ReadError> {
    let mut reading = reading.clone();
    reading.balance = Some(balance);
    reading.owner.column = column;
    let mut chains = Chains::default();
    for entry in row::rows(source, &reading)? {
        if let Entry::Row(row) = entry? {
            let account = if column.is_some() { &row.account } else { "" };
            chains.observe(account, &row);
        }
    }
    Ok(chains)
}

#[cfg(test)]
mod tests {
    use super::super::reading::{Recognition, recognise};
    use super::super::specimen::{Bytes, hints};

    /// The accounts that a file turns out to have, by name.
    fn accounts(head: &str, rows: &[&str]) -> String {
        let text = format!("{head}\n{}\n", rows.join("\n"));
        let recognition = recognise(&Bytes(text.into_bytes()), &hints(&[])).unwrap();
        assert!(matches!(recognition, Recognition::Ready(_)), "{rows:?}");
        let named = &recognition.reading().unwrap().owner.accounts;
        let mut named: Vec<String> = named
            .iter()
            .map(|it| format!("{} {}", it.text, it.rows))
            .collect();
        named.sort_unstable();
        named.join(", ")
    }

    /// In order of time, and newest first.
    #[track_caller]
    fn check(lines: &[&str], expected: &str) {
        let (head, rows) = lines.split_first().unwrap();
        let mut rows = rows.to_vec();
        assert_eq!(accounts(head, &rows), expected);
        rows.reverse();
        assert_eq!(accounts(head, &rows), expected);
    }

    const HEAD: &str = "Type,Product,Date,Description,Amount,Currency,Balance";

    #[test]
    fn balances_that_run_apart_are_of_accounts_of_their_own() {
        check(
            &[
                HEAD,
                "Card,Current,2024-01-13,Shop,-10.00,EUR,90.00",
                "Interest,Pocket,2024-01-14,Interest,1.50,EUR,501.50",
                "Card,Current,2024-01-15,Baker,-5.00,EUR,85.00",
                "Transfer,Pocket,2024-01-16,Saved,50.00,EUR,551.50",
                "Transfer,Current,2024-01-16,Saved,-50.00,EUR,35.00",
            ],
            "Current 3, Pocket 2",
        );
        // One behind the other.
        check(
            &[
                HEAD,
                "Card,Current,2024-01-13,Shop,-10.00,EUR,90.00",
                "Card,Current,2024-01-15,Baker,-5.00,EUR,85.00",
                "Card,Current,2024-01-17,Baker,-6.00,EUR,79.00",
                "Interest,Pocket,2024-01-14,Interest,1.50,EUR,501.50",
                "Transfer,Pocket,2024-01-16,Saved,50.00,EUR,551.50",
                "Transfer,Pocket,2024-01-18,Saved,50.00,EUR,601.50",
            ],
            "Current 3, Pocket 3",
        );
    }

    #[test]
    fn one_balance_is_of_one_account() {
        // The chain holds over all rows.
        check(
            &[
                HEAD,
                "Card,Current,2024-01-13,Shop,-10.00,EUR,90.00",
                "Card,Pocket,2024-01-14,Interest,1.50,EUR,91.50",
                "Card,Current,2024-01-15,Baker,-5.00,EUR,86.50",
                "Card,Pocket,2024-01-16,Baker,-6.00,EUR,80.50",
            ],
            "",
        );
        // It has a gap where a type happens to end.
        check(
            &[
                HEAD,
                "Card,Current,2024-01-13,Shop,-10.00,EUR,90.00",
                "Card,Current,2024-01-14,Shop,-10.00,EUR,80.00",
                "Card,Current,2024-01-15,Shop,-10.00,EUR,70.00",
                "Fee,Current,2024-01-20,Month,-5.00,EUR,15.00",
                "Fee,Current,2024-01-21,Month,-5.00,EUR,10.00",
            ],
            "",
        );
        // Each currency has a balance of its own anyway.
        check(
            &[
                HEAD,
                "Card,Current,2024-01-13,Shop,-10.00,EUR,90.00",
                "Card,Current,2024-01-14,Shop,-10.00,USD,80.00",
                "Card,Current,2024-01-15,Shop,-10.00,EUR,80.00",
                "Card,Current,2024-01-16,Shop,-10.00,USD,70.00",
            ],
            "",
        );
    }
}
