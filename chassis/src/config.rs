//! Configuration: one clap struct per binary, from arguments and environment, checked before
//! anything starts.

use std::time::Duration;

/// `EX_USAGE` of `sysexits.h`: a supervisor can tell a mistake in the configuration, which a
/// restart cannot mend, from a crash, which it can.
pub const EXIT_USAGE: i32 = 64;

/// Reads the process's arguments and environment.
///
/// A value that is missing or does not parse stops the process with [`EXIT_USAGE`] and a message on
/// standard error that names the argument and its variable. `--help` and `--version` exit with 0.
#[must_use]
pub fn load<C: clap::Parser>() -> C {
    match C::try_parse() {
        Ok(config) => config,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            drop(error.print());
            let usage = error.use_stderr();
            std::process::exit(if usage { EXIT_USAGE } else { 0 })
        }
    }
}

/// Parses a duration with its unit, as `20s`, `15m` or `7d`; for clap's `value_parser`.
///
/// # Errors
/// When the text is not a whole number with a unit; a bare number is refused because its unit would
/// be a guess.
pub fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        for (text, expected) in [
            ("20s", Some(Duration::from_secs(20))),
            ("7d", Some(Duration::from_secs(7 * 24 * 3600))),
            ("1m 30s", Some(Duration::from_secs(90))),
            ("250ms", Some(Duration::from_millis(250))),
            ("20", None),
            ("", None),
            ("soon", None),
            ("-1s", None),
        ] {
            assert_eq!(duration(text).ok(), expected, "{text:?}");
        }
    }
}
