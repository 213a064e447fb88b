//! Amounts as people write them: decimal numbers with as many decimals as the currency has.

use djinn_proto::common::v1::Money;

/// A currency that exists and has a smallest unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Currency {
    /// ISO 4217 code, three capital letters.
    pub(crate) code: String,
    /// Decimals of an amount: 2 for EUR, 0 for JPY, 3 for KWD.
    pub(crate) exponent: usize,
}

/// Why a text is no currency or no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// Not a code of ISO 4217, or one without a smallest unit, as gold.
    #[error("{0} is not a currency: three letters by ISO 4217, as EUR")]
    NoCurrency(String),
    /// Anything but digits, with a sign before and a point inside.
    #[error("{0} is not an amount: write it as 1234.56 or -1234.56")]
    NoAmount(String),
    /// More decimals than the currency has.
    #[error("{text} has too many decimals: {code} has {exponent}")]
    TooManyDecimals {
        /// The text.
        text: String,
        /// The currency.
        code: String,
        /// The decimals it has.
        exponent: usize,
    },
    /// More than 64 bits of minor units.
    #[error("{0} is too large")]
    TooLarge(String),
}

impl Currency {
    /// The currency of a code in any case.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let code = text.to_ascii_uppercase();
        let exponent = exponent(&code).ok_or_else(|| Error::NoCurrency(text.to_owned()))?;
        Ok(Self { code, exponent })
    }

    /// The amount that a text stands for, exactly or not at all.
    pub(crate) fn amount(&self, text: &str) -> Result<Money, Error> {
        let no_amount = || Error::NoAmount(text.to_owned());
        let (sign, digits) = match text.as_bytes().first() {
            Some(b'-') => ("-", &text[1..]),
            Some(b'+') => ("", &text[1..]),
            _ => ("", text),
        };
        let (whole, decimals) = match digits.split_once('.') {
            Some((_, "")) => return Err(no_amount()),
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(decimals.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return Err(no_amount());
        }
        if decimals.len() > self.exponent {
            return Err(Error::TooManyDecimals {
                text: text.to_owned(),
                code: self.code.clone(),
                exponent: self.exponent,
            });
        }
        // Filled up with zeros, the digits are the minor units.
        let minor_units = format!("{sign}{whole}{decimals:0<width$}", width = self.exponent)
            .parse()
            .map_err(|_| Error::TooLarge(text.to_owned()))?;
        Ok(Money {
            currency_code: self.code.clone(),
            minor_units,
        })
    }
}

/// The amount as a decimal number, without the currency: a column of them lines up on the right.
pub(crate) fn decimal(money: &Money) -> String {
    let Some(exponent) = exponent(&money.currency_code) else {
        // A currency this build does not know: said as it is, never with a guessed point.
        return format!("{} minor units", money.minor_units);
    };
    let sign = if money.minor_units < 0 { "-" } else { "" };
    let digits = format!(
        "{:0>width$}",
        money.minor_units.unsigned_abs(),
        width = exponent + 1
    );
    let (whole, decimals) = digits.split_at(digits.len() - exponent);
    if decimals.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{decimals}")
    }
}

/// The amount with its currency, as in "12.30 EUR".
pub(crate) fn with_currency(money: &Money) -> String {
    format!("{} {}", decimal(money), money.currency_code)
}

fn exponent(code: &str) -> Option<usize> {
    iso_currency::Currency::from_code(code)?
        .exponent()
        .map(usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        let table = [
            ("EUR", 0, "0.00"),
            ("EUR", 5, "0.05"),
            ("EUR", -5, "-0.05"),
            ("EUR", 1230, "12.30"),
            ("EUR", -123_456, "-1234.56"),
            ("EUR", i64::MAX, "92233720368547758.07"),
            ("EUR", i64::MIN, "-92233720368547758.08"),
            ("JPY", 0, "0"),
            ("JPY", -1200, "-1200"),
            ("KWD", 1, "0.001"),
            ("KWD", -12_345, "-12.345"),
            ("???", 12, "12 minor units"),
        ];
        for (code, minor_units, expected) in table {
            let money = Money {
                currency_code: code.to_owned(),
                minor_units,
            };
            assert_eq!(decimal(&money), expected, "{minor_units} {code}");
        }
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        let table = [
            ("EUR", "12.30", Some(1230)),
            ("EUR", "12.3", Some(1230)),
            ("EUR", "12", Some(1200)),
            ("EUR", "+12.30", Some(1230)),
            ("EUR", "-0.05", Some(-5)),
            ("EUR", "-92233720368547758.08", Some(i64::MIN)),
            ("EUR", "92233720368547758.08", None),
            ("EUR", "12.305", None),
            ("EUR", "12,30", None),
            ("EUR", "1 200.00", None),
            ("EUR", "12.", None),
            ("EUR", ".5", None),
            ("EUR", "1.2.3", None),
            ("EUR", "1e3", None),
            ("EUR", "--5", None),
            ("EUR", "-", None),
            ("EUR", "", None),
            ("EUR", "١٢", None),
            ("JPY", "1200", Some(1200)),
            ("JPY", "1200.0", None),
            ("KWD", "1.5", Some(1500)),
            ("KWD", "-1.005", Some(-1005)),
        ];
        for (code, text, expected) in table {
            let currency = Currency::parse(code).unwrap();
            let amount = currency.amount(text).ok().map(|money| money.minor_units);
            assert_eq!(amount, expected, "{text:?} {code}");
        }
    }

    #[test]
    fn what_was_written_reads_as_the_same_amount() {
        for code in ["EUR", "JPY", "KWD"] {
            let currency = Currency::parse(code).unwrap();
            for minor_units in [0, 1, -1, 999, -1000, 123_456_789, i64::MAX, i64::MIN] {
                let money = Money {
                    currency_code: code.to_owned(),
                    minor_units,
                };
                assert_eq!(currency.amount(&decimal(&money)), Ok(money));
            }
        }
    }

    #[test]
    fn currencies() {
        for (text, expected) in [
            ("EUR", Some(2)),
            ("eur", Some(2)),
            ("JPY", Some(0)),
            ("KWD", Some(3)),
            ("XAU", None),
            ("EURO", None),
            ("", None),
        ] {
            let exponent = Currency::parse(text).ok().map(|currency| currency.exponent);
            assert_eq!(exponent, expected, "{text:?}");
        }
    }
}
