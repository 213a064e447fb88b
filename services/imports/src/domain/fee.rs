//! Whether fees stand as rows of their own beside the rows that name them: then they are not taken
//! off once more.

use djinn_ledger::money::Decimal;

/// So many fees have to stand beside their rows.
const FEES_MIN: u64 = 2;

/// A row as far as fees are concerned.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    amount: Option<i128>,
    fee: i128,
    /// Whether the fee has been found in a row beside, or the row is one that was found.
    found: bool,
}

/// Counts fees and those that have a row beside.
#[derive(Clone, Debug, Default)]
pub(super) struct Fees {
    last: Row,
    charged: u64,
    beside: u64,
}

impl Fees {
    /// Takes note of a row: its amount and the fee it names, at one scale.
    pub(super) fn observe(&mut self, amount: Option<Decimal>, fee: Option<Decimal>, scale: u8) {
        let size =
            |value: Option<Decimal>| value.and_then(|value| value.magnitude().at_scale(scale));
        let mut row = Row {
            amount: size(amount),
            fee: size(fee).unwrap_or(0),
            found: false,
        };
        let pays = |row: &Row, fee: i128| row.fee == 0 && !row.found && row.amount == Some(fee);
        let behind = self.last.fee != 0 && !self.last.found && pays(&row, self.last.fee);
        let before = row.fee != 0 && pays(&self.last, row.fee);
        if behind || before {
            row.found = true;
            self.beside += 1;
        }
        self.charged += u64::from(row.fee != 0);
        self.last = row;
    }

    /// Whether every fee stands in a row beside.
    pub(super) fn are_rows(&self) -> bool {
        self.charged >= FEES_MIN && self.charged == self.beside
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::{self, Format};
    use super::*;

    fn are_rows(rows: &[(&str, &str)]) -> bool {
        let read = |cell: &str| {
            let figure = number::read(cell, Format::DotComma).unwrap();
            figure.map(|figure| figure.value)
        };
        let mut fees = Fees::default();
        for (amount, fee) in rows {
            fees.observe(read(amount), read(fee), 8);
        }
        fees.are_rows()
    }

    #[test]
    fn fees_in_rows_of_their_own() {
        let behind = [
            ("-5.00", "1.00"),
            ("-1.00", ""),
            ("8", "0.5"),
            ("-0.50", "0"),
        ];
        assert!(are_rows(&behind));
        assert!(are_rows(&[
            ("-1.00", ""),
            ("-5.00", "1.00"),
            ("-2", ""),
            ("-9", "2.00")
        ]));
        assert!(!are_rows(&[("-5.00", "1.00"), ("-1.00", "")]));
        assert!(!are_rows(&[
            ("-5.00", "1.00"),
            ("-1.00", ""),
            ("-5.00", "2.00"),
            ("-3", "")
        ]));
        assert!(!are_rows(&[
            ("-5.00", "1.00"),
            ("-1.00", ""),
            ("-5.00", "1.00")
        ]));
    }
}
