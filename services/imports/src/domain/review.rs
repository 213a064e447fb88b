//! What a review shows: verdicts, counts, and the etag that stands for all of it.

use std::fmt;

use djinn_ledger::money::Money;

/// Rows changed in one call at most, so that a call stays within its deadline.
pub const CHANGES_MAX: usize = 5_000;

/// What matching says of a row that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not in the ledger.
    New,
    /// In the ledger.
    Duplicate,
    /// Was in the ledger and was deleted by hand.
    DeletedBefore,
    /// In the ledger with another amount.
    Changed,
    /// In the ledger, entered by hand: this row tells of it.
    Linked,
    /// Not in the ledger, but like something that is.
    Suspected,
}

/// A word in the database that is no verdict.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a verdict")]
pub struct UnknownVerdict(String);

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Duplicate,
        Self::DeletedBefore,
        Self::Changed,
        Self::Linked,
        Self::Suspected,
    ];

    /// The word in Postgres.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Duplicate => "duplicate",
            Self::DeletedBefore => "deleted_before",
            Self::Changed => "changed",
            Self::Linked => "linked",
            Self::Suspected => "suspected",
        }
    }

    /// The verdict of a word in Postgres.
    ///
    /// # Errors
    /// For any other word.
    pub fn parse(text: &str) -> Result<Self, UnknownVerdict> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or_else(|| UnknownVerdict(text.to_owned()))
    }
}

/// What a commit does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is added.
    Add,
    /// The transaction that it resembles takes over what it says.
    Link,
    /// Nothing.
    Skip,
}

/// A word in the database that is no action.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an action")]
pub struct UnknownAction(String);

impl Action {
    const ALL: [Self; 3] = [Self::Add, Self::Link, Self::Skip];

    /// The word in Postgres.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Link => "link",
            Self::Skip => "skip",
        }
    }

    /// The action of a word in Postgres.
    ///
    /// # Errors
    /// For any other word.
    pub fn parse(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| UnknownAction(text.to_owned()))
    }
}

/// Rows of an import by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the file, good and bad.
    pub rows: i64,
    /// Not in the ledger.
    pub new: i64,
    /// In the ledger.
    pub duplicate: i64,
    /// Deleted by hand before.
    pub deleted_before: i64,
    /// In the ledger with another amount.
    pub changed: i64,
    /// Cannot be read.
    pub invalid: i64,
    /// A commit adds them.
    pub included: i64,
    /// A commit links them.
    pub linked: i64,
    /// Like something in the ledger.
    pub suspected: i64,
    /// With fields that a person has set in review.
    pub edited: i64,
}

/// From one row in so many on, rows that are left out are worth a warning.
const INVALID_SHARE: i64 = 20;

impl Counts {
    /// Whether so many rows are left out that a person should look at them first.
    #[must_use]
    pub fn many_are_left_out(self) -> bool {
        self.invalid > 0 && self.invalid.saturating_mul(INVALID_SHARE) > self.rows
    }

    /// Whether nothing needs a person: every row is new, a duplicate, deleted before or linked.
    #[must_use]
    pub fn are_beyond_doubt(self) -> bool {
        self.changed == 0 && self.invalid == 0 && self.suspected == 0
    }
}

/// What a commit would do to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Rows by verdict.
    pub counts: Counts,
    /// Sum of the included rows.
    pub included: Money,
    /// The account's balance without them.
    pub balance_before: Money,
}

/// Stands for everything a review shows. Whoever sends it back has seen exactly that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Etag {
    /// Which recognition of the file.
    pub generation: i32,
    /// Which state of its review.
    pub revision: i64,
}

impl fmt::Display for Etag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.generation, self.revision)
    }
}

impl Etag {
    /// Reads what [`fmt::Display`] wrote; anything else stands for no review.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (generation, revision) = text.split_once('-')?;
        let etag = Self {
            generation: generation.parse().ok()?,
            revision: revision.parse().ok()?,
        };
        (etag.to_string() == text).then_some(etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_read_only_as_it_was_written() {
        let etag = Etag {
            generation: 1,
            revision: 12,
        };
        assert_eq!(Etag::parse(&etag.to_string()), Some(etag));
        for other in [
            "",
            "1",
            "1-",
            "-1",
            "01-2",
            "1-+2",
            "1-2-3",
            "1-x",
            "1-99999999999999999999",
        ] {
            assert_eq!(Etag::parse(other), None, "{other}");
        }
    }

    #[test]
    fn more_than_one_row_in_twenty_is_many() {
        for (rows, invalid, many) in [
            (20, 1, false),
            (19, 1, true),
            (100, 0, false),
            (0, 0, false),
        ] {
            let counts = Counts {
                rows,
                invalid,
                ..Counts::default()
            };
            assert_eq!(counts.many_are_left_out(), many, "{invalid} of {rows}");
        }
    }

    #[test]
    fn only_reviews_without_doubt_confirm_themselves() {
        let counts = Counts {
            rows: 3,
            new: 2,
            duplicate: 1,
            ..Counts::default()
        };
        assert!(counts.are_beyond_doubt());
        assert!(
            !Counts {
                invalid: 1,
                ..counts
            }
            .are_beyond_doubt()
        );
        assert!(
            !Counts {
                changed: 1,
                ..counts
            }
            .are_beyond_doubt()
        );
        assert!(
            !Counts {
                suspected: 1,
                ..counts
            }
            .are_beyond_doubt()
        );
        assert!(
            Counts {
                linked: 1,
                ..counts
            }
            .are_beyond_doubt()
        );
    }
}
