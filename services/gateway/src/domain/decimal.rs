//! Amounts as decimal numbers, for people who read an answer.

/// An amount in its currency's smallest unit as an exact decimal number, as `-12.30`. `None` for a
/// currency this build does not know: a point is never guessed.
pub(crate) fn decimal(currency_code: &str, minor_units: i64) -> Option<String> {
    let currency = iso_currency::Currency::from_code(currency_code)?;
    let exponent = usize::from(currency.exponent()?);
    let sign = if minor_units < 0 { "-" } else { "" };
    // At least one digit stands before the point.
    let digits = format!(
        "{:0>width$}",
        minor_units.unsigned_abs(),
        width = exponent + 1
    );
    let (whole, decimals) = digits.split_at(digits.len() - exponent);
    Some(if decimals.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{decimals}")
    })
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (code, minor_units, expected) in [
            ("EUR", 0, Some("0.00")),
            ("EUR", -5, Some("-0.05")),
            ("EUR", 123_456, Some("1234.56")),
            ("JPY", -1_230, Some("-1230")),
            ("KWD", 1, Some("0.001")),
            ("EUR", i64::MIN, Some("-92233720368547758.08")),
            ("XAU", 1, None),
            ("???", 1, None),
        ] {
            let text = decimal(code, minor_units);
            assert_eq!(text.as_deref(), expected, "{minor_units} {code}");
        }
    }
}
