//! Amounts as the client's JSON has them, and as people read them.

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Currencies of the demo's world whose smallest unit is not a hundredth (ISO 4217).
const OTHER_EXPONENTS: [(&str, usize); 8] = [
    ("JPY", 0),
    ("KRW", 0),
    ("CLP", 0),
    ("ISK", 0),
    ("VND", 0),
    ("KWD", 3),
    ("BHD", 3),
    ("TND", 3),
];

fn exponent(currency: &str) -> usize {
    OTHER_EXPONENTS
        .iter()
        .find(|(code, _)| *code == currency)
        .map_or(2, |(_, exponent)| *exponent)
}

/// Reads a decimal number exactly, as minor units.
pub(crate) fn parse(text: &str, currency: &str) -> anyhow::Result<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() != exponent(currency) {
        bail!("`{text}` does not have the decimals of {currency}");
    }
    format!("{whole}{fraction}")
        .parse()
        .with_context(|| format!("`{text}` is no amount"))
}

/// Writes minor units as a decimal number, with commas between thousands.
pub(crate) fn show(minor: i64, currency: &str) -> String {
    let exponent = exponent(currency);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let point = if exponent > 0 { "." } else { "" };
    format!("{sign}{grouped}{point}{fraction}")
}

/// The minor units of a `djinn.common.v1.Money`. By the rules of protobuf's JSON a 64-bit number is
/// a string, and zero is left out.
pub(crate) fn minor(money: &Value) -> anyhow::Result<i64> {
    integer(&money["minorUnits"])
}

/// A 64-bit number of protobuf's JSON.
pub(crate) fn integer(value: &Value) -> anyhow::Result<i64> {
    match value {
        Value::Null => Ok(0),
        Value::String(text) => text
            .parse()
            .with_context(|| format!("`{text}` is no number")),
        Value::Number(number) => number.as_i64().context("a number beyond 64 bits"),
        other => bail!("{other} is no number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_there_and_back() {
        for (text, currency, expected, shown) in [
            ("1234567.89", "EUR", 123_456_789, "1,234,567.89"),
            ("-0.05", "EUR", -5, "-0.05"),
            ("87833", "JPY", 87_833, "87,833"),
            ("-1.234", "KWD", -1_234, "-1.234"),
            ("0.00", "USD", 0, "0.00"),
        ] {
            assert_eq!(parse(text, currency).unwrap(), expected);
            assert_eq!(show(expected, currency), shown);
        }
        parse("1.2", "EUR").unwrap_err();
    }

    #[test]
    fn zero_is_left_out_in_json() {
        assert_eq!(
            minor(&serde_json::json!({ "currencyCode": "EUR" })).unwrap(),
            0
        );
        let money = serde_json::json!({ "currencyCode": "EUR", "minorUnits": "-12" });
        assert_eq!(minor(&money).unwrap(), -12);
    }
}
