//! How many calls a user may make: which class a method belongs to, and the arithmetic of one
//! bucket.
//!
//! The arithmetic is GCRA: of a user and a class one time is kept, at which the bucket would be
//! full again (the theoretical arrival time of the literature). A call moves it on by the interval
//! in which one call comes back; one that would move it further ahead than the bucket is deep is
//! refused, and moves nothing. `limit/gcra.lua` does the same sum in Redis.

use std::str::FromStr;

/// What kind of work a call is, and so which limit it counts against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Looks at something, or follows it.
    Read,
    /// Changes something, or makes a service work.
    Write,
    /// Begins a file.
    Upload,
    /// Sends a chunk of a file that has begun. Large files come as dozens of them at once.
    Chunk,
    /// Makes or redeems a link, of a bank or to a download.
    Link,
    /// Came without a token that opens anything. Counted by address, as there is no user.
    Stranger,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::Write,
        Self::Upload,
        Self::Chunk,
        Self::Link,
        Self::Stranger,
    ];

    /// Its name, as clients and metrics read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Upload => "uploads",
            Self::Chunk => "chunks",
            Self::Link => "links",
            Self::Stranger => "strangers",
        }
    }

    /// The class of a method by its name, which begins with what it does. A name that tells nothing
    /// has none: its author decides here.
    #[must_use]
    pub fn of_method(name: &str) -> Option<Self> {
        const BEGINNINGS: [(&str, Class); 20] = [
            ("UploadChunk", Class::Chunk),
            ("Upload", Class::Upload),
            ("BeginUpload", Class::Upload),
            ("Get", Class::Read),
            ("List", Class::Read),
            ("Watch", Class::Read),
            ("Download", Class::Read),
            ("Export", Class::Read),
            // A file is scanned and read for it.
            ("Preview", Class::Write),
            ("Answer", Class::Write),
            ("Cancel", Class::Write),
            ("Close", Class::Write),
            ("Confirm", Class::Write),
            ("Create", Class::Write),
            ("Delete", Class::Write),
            ("Import", Class::Write),
            ("Reread", Class::Write),
            ("Revert", Class::Write),
            ("Unlock", Class::Write),
            ("Update", Class::Write),
        ];
        if name.contains("Link") && !name.starts_with("Get") && !name.starts_with("List") {
            return Some(Self::Link);
        }
        let found = BEGINNINGS.iter().find(|(word, _)| name.starts_with(word));
        found.map(|(_, class)| *class)
    }

    /// Whether a stranger in the place of the user would do harm with it, or one call makes much
    /// work: when nobody can say what the user did elsewhere, such calls are allowed less.
    #[must_use]
    pub fn sensitive(self) -> bool {
        match self {
            Self::Read | Self::Stranger => false,
            Self::Write | Self::Upload | Self::Chunk | Self::Link => true,
        }
    }
}

/// So many calls at once, and so many a minute from then on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Calls at once: the depth of the bucket.
    pub burst: u32,
    /// Calls that come back in a minute, one by one.
    pub per_minute: u32,
}

/// The most of either, which keeps every sum of microseconds exact where Lua adds it up.
const COUNT_MAX: u32 = 1_000_000;

/// A minute in microseconds.
const MINUTE_US: u64 = 60_000_000;

/// What one call did to a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    /// Whether the call may pass.
    pub(crate) allowed: bool,
    /// Calls that could follow at once.
    pub(crate) remaining: u64,
    /// Microseconds until the bucket is full again.
    pub(crate) full_us: u64,
    /// Microseconds until this call could pass; 0 if it did.
    pub(crate) retry_us: u64,
}

impl Quota {
    /// Half of both, at least one.
    pub(crate) fn halved(self) -> Self {
        Self {
            burst: (self.burst / 2).max(1),
            per_minute: (self.per_minute / 2).max(1),
        }
    }

    /// Microseconds in which one call comes back.
    pub(crate) fn interval_us(self) -> u64 {
        (MINUTE_US / u64::from(self.per_minute)).max(1)
    }

    /// Microseconds in which an empty bucket fills.
    pub(crate) fn depth_us(self) -> u64 {
        self.interval_us() * u64::from(self.burst)
    }

    /// Takes `units` calls at a time out of a bucket which was to be full at `full_at`, if it is
    /// remembered. Gives what happened and when it is to be full now. More units than the bucket
    /// holds count as all it holds: they would never pass otherwise.
    pub(crate) fn take(self, full_at: Option<u64>, now_us: u64, units: u32) -> (Taken, u64) {
        let (interval, depth) = (self.interval_us(), self.depth_us());
        let cost = interval * u64::from(units.clamp(1, self.burst));
        // No earlier than now: what is full cannot fill. No later than an empty bucket would take:
        // a clock that was set back, or a limit that was wider, locks nobody out.
        let before = full_at.unwrap_or(now_us).clamp(now_us, now_us + depth);
        let after = before + cost;
        let allowed = after <= now_us + depth;
        let full_at = if allowed { after } else { before };
        let full_us = full_at - now_us;
        let taken = Taken {
            allowed,
            remaining: (depth - full_us) / interval,
            full_us,
            retry_us: after.saturating_sub(now_us + depth),
        };
        (taken, full_at)
    }
}

impl FromStr for Quota {
    type Err = &'static str;

    /// Reads `300+1200/min`: 300 at once, and 1,200 a minute. None is refused: a limit that nothing
    /// passes is a service that is switched off, which should be done by name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected calls at once and calls a minute, as 300+1200/min, \
                             each from 1 to 1000000";
        let (burst, rest) = text.split_once('+').ok_or(WRONG)?;
        let per_minute = rest.strip_suffix("/min").ok_or(WRONG)?;
        let count = |text: &str| {
            let count = text.parse::<u32>().ok()?;
            (1..=COUNT_MAX).contains(&count).then_some(count)
        };
        Ok(Self {
            burst: count(burst).ok_or(WRONG)?,
            per_minute: count(per_minute).ok_or(WRONG)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three at once, one a second.
    const QUOTA: Quota = Quota {
        burst: 3,
        per_minute: 60,
    };

    #[test]
    fn a_bucket_gives_its_depth_at_once_and_then_fills() {
        let start = 1_000_000_000;
        let mut full_at = None;
        // Milliseconds since the start, units, and then: whether it passes, what is left, and
        // milliseconds to fullness and to the next try.
        for (at_ms, units, allowed, remaining, full_ms, retry_ms) in [
            (0, 1, true, 2, 1_000, 0),
            (0, 1, true, 1, 2_000, 0),
            (0, 1, true, 0, 3_000, 0),
            (0, 1, false, 0, 3_000, 1_000),
            // A refusal has moved nothing.
            (400, 1, false, 0, 2_600, 600),
            (1_000, 1, true, 0, 3_000, 0),
            (2_500, 2, false, 1, 1_500, 500),
            (3_000, 2, true, 0, 3_000, 0),
            // More than it holds is all it holds.
            (5_000, 9, false, 2, 1_000, 1_000),
            (6_000, 9, true, 0, 3_000, 0),
            (60_000, 0, true, 2, 1_000, 0),
        ] {
            let now = start + at_ms * 1_000;
            let (taken, after) = QUOTA.take(full_at, now, units);
            full_at = Some(after);
            let expected = Taken {
                allowed,
                remaining,
                full_us: full_ms * 1_000,
                retry_us: retry_ms * 1_000,
            };
            assert_eq!(taken, expected, "at {at_ms} ms");
        }
    }

    #[test]
    fn a_time_from_another_clock_or_limit_locks_nobody_out() {
        let now = 5_000_000;
        let (taken, after) = QUOTA.take(Some(u64::MAX), now, 1);
        assert_eq!((taken.allowed, taken.retry_us), (false, 1_000_000));
        assert!(QUOTA.take(Some(after), now + 1_000_000, 1).0.allowed);
        assert_eq!(QUOTA.take(Some(0), now, 1).0.remaining, 2);
    }

    #[test]
    fn a_quota_is_written_as_burst_and_rate() {
        let quota = "300+1200/min".parse::<Quota>();
        let (burst, per_minute) = (300, 1_200);
        assert_eq!(quota, Ok(Quota { burst, per_minute }));
        for bad in [
            "",
            "300",
            "300+1200",
            "0+10/min",
            "10+0/min",
            "-1+10/min",
            "1.5+2/min",
            "300 +1200/min",
            "1000001+1/min",
            "300+1200/s",
        ] {
            assert!(bad.parse::<Quota>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_half_is_never_nothing() {
        let (burst, per_minute) = (5, 1);
        let half = Quota { burst, per_minute }.halved();
        assert_eq!((half.burst, half.per_minute), (2, 1));
    }

    #[test]
    fn methods_are_classed_by_what_they_do() {
        for (name, class) in [
            ("ListAccounts", Some(Class::Read)),
            ("CreateAccount", Some(Class::Write)),
            ("BeginUpload", Some(Class::Upload)),
            ("UploadStatement", Some(Class::Upload)),
            ("UploadChunk", Some(Class::Chunk)),
            ("CreateLinkToken", Some(Class::Link)),
            ("RedeemLink", Some(Class::Link)),
            ("ListLinks", Some(Class::Read)),
            ("Frobnicate", None),
        ] {
            assert_eq!(Class::of_method(name), class, "{name}");
        }
    }
}
