//! Time and identity: the only place that reads the clock and makes ids, so that tests can say what
//! time it is and a reader can see which code depends on it.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Digits after the second that are kept: microseconds, which is what Postgres stores. A time that
/// was written and read back equals itself.
const SUBSECOND_DIGITS: u16 = 6;

/// A source of times and ids; cheap to clone, and clones share the order of their ids.
#[derive(Clone)]
pub struct Clock {
    fixed: Option<DateTime<Utc>>,
    // Orders the ids of one millisecond, so that keys made by one process grow.
    sequence: Arc<Mutex<ContextV7>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            fixed: None,
            sequence: Arc::new(Mutex::new(ContextV7::new())),
        }
    }

    /// A clock that stands still, for tests. Its ids still differ and grow.
    #[must_use]
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self {
            fixed: Some(at.trunc_subsecs(SUBSECOND_DIGITS)),
            ..Self::system()
        }
    }

    /// The time in UTC, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock that everybody else is told to take"
        )]
        let now = self.fixed.unwrap_or_else(Utc::now);
        now.trunc_subsecs(SUBSECOND_DIGITS)
    }

    /// The civil date in UTC.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    /// A new UUIDv7: unique, and growing within this clock and its clones.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let now = self.now();
        // Before 1970 there is no UUIDv7; a clock that wrong still gets unique ids.
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        let nanos = now.timestamp_subsec_nanos();
        Uuid::new_v7(Timestamp::from_unix(&*sequence, seconds, nanos))
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.fixed {
            Some(at) => write!(formatter, "Clock({at})"),
            None => formatter.write_str("Clock(system)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_fixed_clock_stands_still_in_whole_microseconds() {
        let at = Utc.timestamp_opt(1_700_000_000, 123_456_789).unwrap();
        let clock = Clock::fixed(at);
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.now().timestamp_subsec_nanos(), 123_456_000);
        assert_eq!(clock.today().to_string(), "2023-11-14");
    }

    #[test]
    fn ids_are_version_7_differ_and_grow_across_clones() {
        for clock in [
            Clock::system(),
            Clock::fixed(Utc.timestamp_opt(1_700_000_000, 0).unwrap()),
        ] {
            let clone = clock.clone();
            let mut previous = clock.id();
            assert_eq!(previous.get_version_num(), 7);
            for _ in 0..1_000 {
                let id = clone.id();
                assert!(id > previous, "{clock:?}");
                previous = id;
            }
        }
    }

    #[test]
    fn an_id_carries_the_clocks_time() {
        let clock = Clock::fixed(Utc.timestamp_opt(1_700_000_000, 0).unwrap());
        let (seconds, _) = clock.id().get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, 1_700_000_000);
    }
}
