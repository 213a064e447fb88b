//! Money: a whole number of minor units in one ISO 4217 currency, and the exact decimal that a
//! file or a provider spells before its currency is known. No floating point holds an amount.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Codes of ISO 4217 list three (withdrawn), which old statements still carry and which the table
/// of the `iso_currency` crate no longer holds, with the digits after their decimal mark.
const WITHDRAWN: [(&str, u8); 22] = [
    ("ATS", 2),
    ("BEF", 0),
    ("BGN", 2),
    ("CYP", 2),
    ("DEM", 2),
    ("EEK", 2),
    ("ESP", 0),
    ("FIM", 2),
    ("FRF", 2),
    ("GRD", 0),
    ("HRK", 2),
    ("IEP", 2),
    ("ITL", 0),
    ("LTL", 2),
    ("LUF", 0),
    ("LVL", 2),
    ("MTL", 2),
    ("NLG", 2),
    ("PTE", 0),
    ("SIT", 2),
    ("SKK", 2),
    ("ZWL", 2),
];

/// Ten to the 18th is the largest power of ten in an `i64`: no decimal has more digits than this.
pub const SCALE_MAX: u8 = 18;

/// A currency of ISO 4217. Codes without a minor unit (gold, testing) are no currency here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that names no ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} is not an ISO 4217 currency code")]
pub struct UnknownCurrency {
    /// What was given, cut at 16 characters.
    pub code: String,
}

impl Currency {
    /// Reads a three-letter code in either case, with spaces around it.
    ///
    /// # Errors
    /// When the code is not in ISO 4217, current or withdrawn, or has no minor unit.
    pub fn parse(text: &str) -> Result<Self, UnknownCurrency> {
        let code = text.trim().to_ascii_uppercase();
        if let Ok(bytes) = <[u8; 3]>::try_from(code.as_bytes())
            && exponent(&code).is_some()
        {
            return Ok(Self(bytes));
        }
        Err(UnknownCurrency {
            code: code.chars().take(16).collect(),
        })
    }

    /// The three upper-case letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only ASCII letters get in, so the fallback (ISO's "no currency") is never seen.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits the minor unit adds after the decimal mark: JPY 0, EUR 2, KWD 3.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        exponent(self.code()).unwrap_or(2)
    }
}

fn exponent(code: &str) -> Option<u8> {
    let known = iso_currency::Currency::from_code(code)
        .and_then(|currency| currency.exponent())
        .and_then(|digits| u8::try_from(digits).ok());
    known.or_else(|| {
        WITHDRAWN
            .iter()
            .find(|(old, _)| *old == code)
            .map(|(_, digits)| *digits)
    })
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(code: String) -> Result<Self, UnknownCurrency> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount of money: outflow is negative, inflow positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The currency of the units.
    pub currency: Currency,
    /// Cents, pence, or whole yen: the amount times ten to the currency's exponent.
    pub minor_units: i64,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = Decimal {
            digits: self.minor_units,
            scale: self.currency.exponent(),
        };
        write!(f, "{decimal} {}", self.currency)
    }
}

/// An exact decimal as read: `digits` divided by ten to the `scale`. `12.30` and `12.3` differ here
/// and are equal as money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    /// All digits, with the sign.
    pub digits: i64,
    /// How many of the digits stand after the decimal mark, at most [`SCALE_MAX`].
    pub scale: u8,
}

/// Why a decimal cannot become money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Digits other than zero after the last one that the currency has. They are never rounded.
    #[error("more decimals than the currency has")]
    ExcessDecimals,
    /// The number does not fit 64 bits.
    #[error("the number is too large")]
    Overflow,
}

impl Decimal {
    /// The amount in minor units of the currency.
    ///
    /// # Errors
    /// [`DecimalError::ExcessDecimals`] when it is finer than the currency's minor unit,
    /// [`DecimalError::Overflow`] when it does not fit.
    pub fn to_minor(self, currency: Currency) -> Result<i64, DecimalError> {
        let exponent = currency.exponent();
        if self.scale <= exponent {
            let factor = power(exponent - self.scale)?;
            return self
                .digits
                .checked_mul(factor)
                .ok_or(DecimalError::Overflow);
        }
        let factor = power(self.scale - exponent)?;
        if self.digits % factor == 0 {
            Ok(self.digits / factor)
        } else {
            Err(DecimalError::ExcessDecimals)
        }
    }

    /// The value counted in units of ten to the minus `scale`: sums over rows of different scale
    /// are taken in `i128`. `None` when the decimal is finer than that, or more than [`SCALE_MAX`]
    /// places coarser.
    #[must_use]
    pub fn at_scale(self, scale: u8) -> Option<i128> {
        let missing = u32::from(scale.checked_sub(self.scale)?);
        // A product of 64 bits by 64 always fits 128.
        Some(i128::from(self.digits) * i128::from(10_i64.checked_pow(missing)?))
    }

    /// The same size with the other sign. The smallest `i64` has no such twin and saturates.
    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            digits: self.digits.saturating_neg(),
            scale: self.scale,
        }
    }

    /// The size without the sign.
    #[must_use]
    pub fn magnitude(self) -> Self {
        Self {
            digits: self.digits.saturating_abs(),
            scale: self.scale,
        }
    }

    /// The sum, at the finer scale of the two.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] when it does not fit 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, DecimalError> {
        let scale = self.scale.max(other.scale);
        let digits = self
            .at_scale(scale)
            .zip(other.at_scale(scale))
            .and_then(|(left, right)| left.checked_add(right))
            .and_then(|sum| i64::try_from(sum).ok())
            .ok_or(DecimalError::Overflow)?;
        Ok(Self { digits, scale })
    }
}

fn power(exponent: u8) -> Result<i64, DecimalError> {
    10_i64
        .checked_pow(u32::from(exponent))
        .ok_or(DecimalError::Overflow)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.digits.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies() {
        for (text, exponent) in [("EUR", 2), (" eur ", 2), ("JPY", 0), ("KWD", 3), ("LTL", 2)] {
            assert_eq!(
                Currency::parse(text).unwrap().exponent(),
                exponent,
                "{text}"
            );
        }
        for text in ["", "E", "EURO", "XXX", "RUR", "€", "123", "ÄÖ"] {
            assert!(Currency::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimals_print_and_convert() {
        let cases = [
            (-1230, 2, "EUR", "-12.30", Ok(-1230)),
            (-123, 1, "EUR", "-12.3", Ok(-1230)),
            (5, 2, "EUR", "0.05", Ok(5)),
            (-5, 3, "EUR", "-0.005", Err(DecimalError::ExcessDecimals)),
            (12_340, 3, "EUR", "12.340", Ok(1234)),
            (1234, 0, "JPY", "1234", Ok(1234)),
            (12, 1, "JPY", "1.2", Err(DecimalError::ExcessDecimals)),
            (1, 0, "KWD", "1", Ok(1000)),
            (
                i64::MAX,
                0,
                "EUR",
                "9223372036854775807",
                Err(DecimalError::Overflow),
            ),
            (i64::MIN, 2, "EUR", "-92233720368547758.08", Ok(i64::MIN)),
        ];
        for (digits, scale, code, text, minor) in cases {
            let decimal = Decimal { digits, scale };
            assert_eq!(decimal.to_string(), text);
            assert_eq!(
                decimal.to_minor(Currency::parse(code).unwrap()),
                minor,
                "{text} {code}"
            );
        }
    }

    #[test]
    fn money_prints() {
        let money = Money {
            currency: Currency::parse("EUR").unwrap(),
            minor_units: -1230,
        };
        assert_eq!(money.to_string(), "-12.30 EUR");
    }

    #[test]
    fn sums_take_the_finer_scale() {
        let sum = Decimal {
            digits: 15,
            scale: 1,
        }
        .plus(Decimal {
            digits: -25,
            scale: 2,
        });
        assert_eq!(
            sum,
            Ok(Decimal {
                digits: 125,
                scale: 2
            })
        );
        let large = Decimal {
            digits: i64::MAX,
            scale: 0,
        };
        assert_eq!(large.plus(large), Err(DecimalError::Overflow));
    }
}
