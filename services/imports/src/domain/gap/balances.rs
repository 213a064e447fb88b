//! The running balances of a file, one for each account that it tells apart: rows of two accounts
//! may alternate, and neither balance follows from the other.

use std::collections::BTreeMap;

use super::{Follower, GAPS_MAX, Gaps};
use crate::domain::{ownership::ACCOUNTS_MAX, reading::Reading, row::Entry};

/// Follows each account's balance from row to row.
pub struct Balances {
    /// Whether there are several: of one, some rows may leave the name out.
    apart: bool,
    accounts: BTreeMap<String, Follower>,
}

impl Balances {
    /// Of the accounts that a reading tells apart.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        Self::new(reading.owner.accounts.len() > 1)
    }

    fn new(apart: bool) -> Self {
        Self {
            apart,
            accounts: BTreeMap::new(),
        }
    }

    /// Takes note of a row, good or bad. One that cannot be read may be of any account. No file
    /// whose accounts are told apart has more of them than are kept here.
    pub fn observe(&mut self, row_number: i32, entry: &Entry) {
        let Entry::Row(row) = entry else {
            for follower in self.accounts.values_mut() {
                follower.observe(row_number, entry);
            }
            return;
        };
        let account = if self.apart { &*row.account } else { "" };
        if let Some(follower) = self.accounts.get_mut(account) {
            follower.observe(row_number, entry);
        } else if self.accounts.len() <= ACCOUNTS_MAX {
            let follower = self.accounts.entry(account.to_owned()).or_default();
            follower.observe(row_number, entry);
        }
    }

    /// The gaps of all of them, in the order of the file.
    #[must_use]
    pub fn end(self) -> Gaps {
        let mut gaps = Gaps::default();
        for follower in self.accounts.into_values() {
            let found = follower.end();
            gaps.count += found.count;
            gaps.first.extend(found.first);
        }
        gaps.first.sort_by_key(|gap| gap.below.row_number);
        gaps.first.truncate(GAPS_MAX);
        gaps
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use djinn_ledger::money::Decimal;

    use super::*;
    use crate::domain::row::StatementRow;

    fn row(account: &str, amount: i64, balance: i64) -> Entry {
        let whole = |digits| Decimal { digits, scale: 0 };
        Entry::Row(StatementRow {
            line: 1,
            booked_on: NaiveDate::from_ymd_opt(2026, 3, 14).unwrap(),
            written_on: NaiveDate::from_ymd_opt(2026, 3, 14).unwrap(),
            value_on: None,
            amount: whole(amount),
            currency: None,
            description: String::new(),
            counterparty: String::new(),
            external_id: None,
            balance_after: Some(whole(balance)),
            account: account.to_owned(),
        })
    }

    fn gaps(apart: bool, rows: &[Entry]) -> Vec<(i32, i32, String)> {
        let mut balances = Balances::new(apart);
        for (number, entry) in (1..).zip(rows) {
            balances.observe(number, entry);
        }
        let gaps = balances.end();
        assert_eq!(usize::try_from(gaps.count).unwrap(), gaps.first.len());
        let told = gaps.first.into_iter();
        told.map(|gap| (gap.above.row_number, gap.below.row_number, gap.difference))
            .collect()
    }

    #[test]
    fn each_account_has_a_balance_of_its_own() {
        let mut rows = vec![
            row("A", 10, 110),
            row("B", -5, 995),
            row("A", 20, 130),
            row("B", -5, 990),
            row("A", -30, 100),
            row("B", -40, 950),
            row("A", 7, 107),
            row("B", -1, 949),
        ];
        assert_eq!(gaps(true, &rows), []);
        // A row of B is missing in the middle, and one of A at the end.
        rows.push(row("B", -9, 900));
        rows.push(row("A", 3, 140));
        assert_eq!(
            gaps(true, &rows),
            [(8, 9, "-40".to_owned()), (7, 10, "30".to_owned())]
        );
    }

    #[test]
    fn a_row_may_leave_the_name_of_the_only_account_out() {
        let rows = [
            row("A", 10, 110),
            row("", -5, 105),
            row("A", 20, 125),
            row("A", -30, 95),
        ];
        assert_eq!(gaps(false, &rows), []);
        let broken = [&rows[..], &[row("", -1, 90)]].concat();
        assert_eq!(gaps(false, &broken), [(4, 5, "-4".to_owned())]);
    }
}
