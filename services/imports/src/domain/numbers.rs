//! A column of numbers (algorithms C.2) in streaming form: it keeps which formats are still alive,
//! never the cells.

use djinn_ledger::money::{Currency, Decimal};

use super::number::{Anatomy, FORMATS, Format, Side, anatomy, size};

/// No number with all that may stand around it is longer, in bytes.
const CELL_BYTES_MAX: usize = 80;

/// What is known of a column as numbers after all its cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Cells that are not empty.
    pub(super) filled: u64,
    /// Cells that parse, per format in the order of [`FORMATS`].
    pub(super) parsed: [u64; 8],
    /// Formats under which some cell has a fraction that is not zero, as bits.
    fractions: u8,
    /// Cells whose value depends on which mark is the decimal mark, such as `12,345`.
    pub(super) torn: u64,
    /// Cells by sign; cells that are zero count as neither.
    pub(super) negative: u64,
    pub(super) positive: u64,
    pub(super) zero: u64,
    /// Cells with an explicit plus.
    pub(super) plus: u64,
    /// Cells with a mark of the side.
    pub(super) sided: u64,
    /// Those of them that mark a credit.
    pub(super) credited: u64,
    /// Cells with a mark between digits, a sign, or a sign of money: what a mere id has not.
    pub(super) shaped: u64,
    /// Cells with one or two digits behind a mark: the look of money.
    pub(super) cents: u64,
    /// Cells with three or more digits behind the only mark: the look of rates and quantities.
    pub(super) fine: u64,
    /// The fewest and the most digits of cells that are nothing but digits: those of ids are equal.
    pub(super) digits: Option<(usize, usize)>,
    /// Cells of exactly two digits.
    pub(super) pairs: u64,
    /// Cells of more than one digit with a leading zero: ids, not amounts.
    pub(super) padded: u64,
    /// The currency that signs of money name, and whether they disagree.
    pub(super) currency: Option<Currency>,
    pub(super) currencies_differ: bool,
}

impl Numbers {
    pub(super) fn observe(&mut self, cell: &str) {
        // Texts are told apart without a closer look.
        let digits = cell.bytes().any(|byte| byte.is_ascii_digit());
        if cell.len() > CELL_BYTES_MAX || (!digits && cell.chars().count() > 2) {
            self.filled += 1;
            return;
        }
        let anatomy = match anatomy(cell) {
            Ok(None) => return,
            Ok(Some(anatomy)) => anatomy,
            Err(_) => {
                self.filled += 1;
                return;
            }
        };
        self.filled += 1;
        let body = anatomy.body;
        let values = self.read(body);
        if values.iter().all(Option::is_none) {
            return;
        }
        let zero = body.bytes().all(|byte| !matches!(byte, b'1'..=b'9'));
        match (zero, anatomy.minus) {
            (true, _) => self.zero += 1,
            (false, true) => self.negative += 1,
            (false, false) => self.positive += 1,
        }
        self.marks(&anatomy, zero);
        let digits = body.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            let (fewest, most) = self.digits.unwrap_or((body.len(), body.len()));
            self.digits = Some((fewest.min(body.len()), most.max(body.len())));
        }
        self.padded += u64::from(digits && body.len() > 1 && body.starts_with('0'));
        self.pairs += u64::from(digits && body.len() == 2 && body.len() == cell.trim().len());
        let bare = digits && !anatomy.minus && !anatomy.plus && anatomy.money.is_none();
        self.shaped += u64::from(!bare);
        let behind = body.rsplit(['.', ',']).next().map_or(0, str::len);
        self.cents += u64::from(!digits && matches!(behind, 1 | 2));
        let marks = body
            .bytes()
            .filter(|byte| matches!(byte, b'.' | b','))
            .count();
        self.fine += u64::from(marks == 1 && behind > 3);
        let [dot, comma, ..] = values;
        self.torn += u64::from(marks == 1 && behind == 3 && dot.is_some() && comma.is_some());
        if let Some(Some(currency)) = anatomy.money {
            self.currencies_differ |= self.currency.is_some_and(|old| old != currency);
            self.currency = Some(currency);
        }
    }

    /// What the digits are in each format.
    fn read(&mut self, body: &str) -> [Option<Decimal>; 8] {
        let values = in_each_format(body);
        for (index, (count, value)) in self.parsed.iter_mut().zip(&values).enumerate() {
            let Some(value) = value else { continue };
            *count += 1;
            let fraction = 10_i64.checked_pow(u32::from(value.scale));
            if fraction.is_some_and(|power| value.digits % power != 0) {
                self.fractions |= 1 << index;
            }
        }
        values
    }

    /// What a cell says of its own side; one that is zero has none.
    fn marks(&mut self, anatomy: &Anatomy<'_>, zero: bool) {
        self.plus += u64::from(anatomy.plus && !zero);
        self.sided += u64::from(anatomy.side.is_some() && !zero);
        self.credited += u64::from(anatomy.side == Some(Side::Credit) && !zero);
    }

    /// The currency that the signs of money name, if they name one.
    pub(super) fn single_currency(&self) -> Option<Currency> {
        self.currency.filter(|_| !self.currencies_differ)
    }

    /// The most cells any format parses.
    pub(super) fn best(&self) -> u64 {
        self.parsed.iter().copied().max().unwrap_or(0)
    }

    /// Whether every cell parses, or all but one in twenty, which then are row errors.
    pub(super) fn numeric(&self) -> bool {
        self.best() > 0 && self.best() * 100 >= self.filled * 95
    }

    /// The formats that remain, best first. Two are left only when they give different values.
    pub(super) fn formats(&self, exponent: Option<u8>) -> Vec<Format> {
        let best = self.best();
        let zero_exponent = exponent == Some(0);
        let alive: Vec<Format> = FORMATS
            .iter()
            .enumerate()
            .filter(|(index, format)| {
                let parses = self.parsed.get(*index) == Some(&best) && best > 0;
                let fraction = self.fractions & (1 << index) != 0;
                let allowed = **format != Format::Whole || zero_exponent;
                parses && allowed && !(zero_exponent && fraction)
            })
            .map(|(_, format)| *format)
            .collect();
        let dot = alive.iter().find(|format| format.mark() == Some('.'));
        let comma = alive.iter().find(|format| format.mark() == Some(','));
        match (dot, comma) {
            (Some(dot), Some(comma)) if self.torn > 0 => vec![*dot, *comma],
            _ => alive.first().into_iter().copied().collect(),
        }
    }
}

/// Figures in all formats. Most are digits with one mark that groups no thousands, and are read
/// once.
fn in_each_format(body: &str) -> [Option<Decimal>; 8] {
    let mut marks = body.bytes().filter(|byte| !byte.is_ascii_digit());
    let behind = body.bytes().rev().take_while(u8::is_ascii_digit).count();
    match (marks.next(), marks.next()) {
        (None, _) => [size(body, Format::DotComma).ok(); 8],
        (Some(mark @ (b'.' | b',')), None) if behind != 3 => {
            let mark = Some(char::from(mark));
            let format = FORMATS.into_iter().find(|format| format.mark() == mark);
            let value = format.and_then(|format| size(body, format).ok());
            FORMATS.map(|format| value.filter(|_| format.mark() == mark))
        }
        _ => FORMATS.map(|format| size(body, format).ok()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::number::read;
    use super::*;

    fn column(cells: &[&str]) -> Numbers {
        let mut numbers = Numbers::default();
        cells.iter().for_each(|cell| numbers.observe(cell));
        numbers
    }

    #[track_caller]
    fn check(cells: &[&str], exponent: Option<u8>, expected: &str) {
        let column = column(cells);
        let formats = if column.numeric() {
            column.formats(exponent)
        } else {
            Vec::new()
        };
        let read = formats.iter().map(|format| {
            let values = cells.iter().map(|cell| match read(cell, *format) {
                Ok(Some(figure)) => figure.value.to_string(),
                Ok(None) => "empty".to_owned(),
                Err(error) => format!("{error:?}"),
            });
            format!("{format:?}: {}", values.collect::<Vec<_>>().join(" "))
        });
        assert_eq!(read.collect::<Vec<_>>().join("; "), expected, "{cells:?}");
    }

    #[test]
    fn columns_of_numbers() {
        check(&["1,234.56"], None, "DotComma: 1234.56");
        check(&["12,345"], None, "DotComma: 12345; CommaDot: 12.345");
        check(&["12,345", "1,50"], None, "CommaDot: 12.345 1.50");
        check(&["-9,13\u{a0}€"], None, "CommaDot: -9.13");
        check(
            &["(1.234,50)", "5-", "\u{2212}2,5"],
            None,
            "CommaDot: -1234.50 -5 -2.5",
        );
        check(&["1,234"], Some(0), "DotComma: 1234");
        check(&["12345678901234567890"], None, "");
        check(
            &["1\u{202f}234,5", "2 345,6"],
            None,
            "CommaSpace: 1234.5 2345.6",
        );
        check(
            &["1'234.50", "1\u{2019}000"],
            None,
            "DotApostrophe: 1234.50 1000",
        );
        check(&["1,00,087.50"], None, "DotLakh: 100087.50");
        check(
            &["+ $73.01", "- $12.01", "-£2.20"],
            None,
            "DotComma: 73.01 -12.01 -2.20",
        );
        check(
            &["($1,936.76)", "--5", "-.46", "-"],
            None,
            "DotComma: -1936.76 5 -0.46 empty",
        );
        check(
            &["2 500,00 kr", "EUR 1,5", "3,5 Kč"],
            None,
            "CommaSpace: 2500.00 1.5 3.5",
        );
        check(&["0,500"], None, "CommaDot: 0.500");
        check(&["---5", "abc", "1.2.3", "5 apples", "12/2024"], None, "");
        check(&["1,23,45.6"], None, "");
    }

    proptest! {
        #[test]
        fn each_format_reads_as_if_alone(body in "[0-9]{0,20}([., '][0-9]{0,5}){0,2}") {
            let each = FORMATS.map(|format| size(&body, format).ok());
            prop_assert_eq!(in_each_format(&body), each);
        }
    }
}
