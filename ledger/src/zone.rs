//! Time zones of accounts: in which one a time of day becomes a date.
//!
//! Its names are those of the IANA database, compiled in, so that a day reads alike on every
//! machine. It knows no file and no column.

use std::str::FromStr;

use chrono_tz::Tz;

/// The longest name, in bytes; those of the database are shorter.
pub const NAME_BYTES_MAX: usize = 64;

/// A time zone, or none if it was never told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Zone(Option<Tz>);

/// Not the name of a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown;

impl Zone {
    /// The zone of a name such as `Europe/Berlin`; an empty one is none.
    ///
    /// # Errors
    /// [`Unknown`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Unknown> {
        match text {
            "" => Ok(Self(None)),
            name if name.len() > NAME_BYTES_MAX => Err(Unknown),
            name => Tz::from_str(name).map(Self::from).map_err(|_| Unknown),
        }
    }

    /// Its name; empty for none.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.map_or("", Tz::name)
    }

    /// The zone itself, if there is one.
    #[must_use]
    pub fn known(self) -> Option<Tz> {
        self.0
    }
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Self(Some(zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_zones() {
        for (text, expected) in [
            ("Europe/Berlin", Ok("Europe/Berlin")),
            (
                "America/Argentina/Buenos_Aires",
                Ok("America/Argentina/Buenos_Aires"),
            ),
            ("UTC", Ok("UTC")),
            ("", Ok("")),
            ("Berlin", Err(Unknown)),
            ("+01:00", Err(Unknown)),
            (" Europe/Berlin", Err(Unknown)),
        ] {
            assert_eq!(Zone::parse(text).map(Zone::name), expected, "{text:?}");
        }
        assert_eq!(Zone::parse(&"a".repeat(NAME_BYTES_MAX + 1)), Err(Unknown));
    }

    #[test]
    fn every_name_fits_its_column() {
        let longest = chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| zone.name().len())
            .max();
        assert!(longest.is_some_and(|bytes| bytes <= NAME_BYTES_MAX));
    }
}
