//! The header `grpc-timeout`: at most eight digits and a unit.

use std::time::Duration;

/// Digits the protocol allows.
const DIGITS_MAX: usize = 8;

/// Reads the header's value; `None` if it is malformed, which counts as absent.
pub(crate) fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Writes the header's value in the finest unit that has room for it, rounded down.
pub(crate) fn write_timeout(timeout: Duration) -> String {
    const COUNT_MAX: u128 = 99_999_999;
    let units = [
        (timeout.as_micros(), 'u'),
        (timeout.as_millis(), 'm'),
        (u128::from(timeout.as_secs()), 'S'),
        (u128::from(timeout.as_secs() / 3600), 'H'),
    ];
    match units.into_iter().find(|(count, _)| *count <= COUNT_MAX) {
        Some((count, unit)) => format!("{count}{unit}"),
        None => format!("{COUNT_MAX}H"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_timeout, write_timeout};

    #[test]
    fn reads_what_the_protocol_allows_and_nothing_else() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("1H"), Some(Duration::from_secs(3600)));
        assert_eq!(parse_timeout("0S"), Some(Duration::ZERO));
        for bad in [
            "",
            "m",
            "5",
            "5x",
            "-5S",
            "+5S",
            " 5S",
            "123456789m",
            "5é",
            "1.5S",
        ] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for millis in [0, 1, 250, 10_000, 99_999_999, 100_000_000, 1 << 40] {
            let timeout = Duration::from_millis(millis);
            let text = write_timeout(timeout);
            let read = parse_timeout(&text).expect("written by us");
            assert!(read <= timeout && text.len() <= 9, "{millis} ms as {text}");
        }
        assert_eq!(write_timeout(Duration::from_secs(10)), "10000000u");
    }
}
