//! Where an import stands, and which moves are legal.
//!
//! The table here is the state machine of the contract's file comment. The store moves a status
//! only with a condition on where it comes from, so an illegal move finds no row; this table is
//! what the conditions are made of and what tests hold them to.

use std::fmt;

/// The status of an import, as Postgres has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Durable, not begun.
    Created,
    /// Being scanned for malware.
    Scanning,
    /// Working out how the file reads.
    Recognising,
    /// Waits for an answer.
    Asking,
    /// Reading rows.
    Staging,
    /// Comparing rows with the ledger.
    Matching,
    /// Waits for a confirmation.
    Review,
    /// Writing to the ledger.
    Committing,
    /// In the ledger.
    Committed,
    /// Being undone.
    Reverting,
    /// Undone.
    Reverted,
    /// The file cannot be imported.
    Refused,
    /// A fault of ours.
    Failed,
    /// Ended by the user.
    Cancelled,
    /// Nobody confirmed in time.
    Expired,
}

/// A word in the database that is no status: a defect, or a newer release has written it.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a status of an import")]
pub struct UnknownStatus(String);

impl Status {
    /// Every status, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::Created,
        Self::Scanning,
        Self::Recognising,
        Self::Asking,
        Self::Staging,
        Self::Matching,
        Self::Review,
        Self::Committing,
        Self::Committed,
        Self::Reverting,
        Self::Reverted,
        Self::Refused,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word in Postgres.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Scanning => "scanning",
            Self::Recognising => "recognising",
            Self::Asking => "asking",
            Self::Staging => "staging",
            Self::Matching => "matching",
            Self::Review => "review",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status of a word in Postgres.
    ///
    /// # Errors
    /// For any other word.
    pub fn parse(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }

    /// Whether work or a person may still move it.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(
            self,
            Self::Committed
                | Self::Reverted
                | Self::Refused
                | Self::Failed
                | Self::Cancelled
                | Self::Expired
        )
    }

    /// Whether the user or the clock may still end it without effect.
    #[must_use]
    pub fn can_be_given_up(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Scanning
                | Self::Recognising
                | Self::Asking
                | Self::Staging
                | Self::Matching
                | Self::Review
        )
    }

    /// Whether an import may move from here to `next`.
    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        match next {
            Self::Created => false,
            Self::Scanning => self == Self::Created,
            Self::Recognising => {
                matches!(self, Self::Scanning | Self::Asking | Self::Review)
            }
            Self::Asking | Self::Staging => self == Self::Recognising,
            Self::Matching => self == Self::Staging,
            Self::Review => matches!(self, Self::Matching | Self::Committing),
            Self::Committing => self == Self::Review,
            Self::Committed => matches!(self, Self::Committing | Self::Reverting),
            Self::Reverting => self == Self::Committed,
            Self::Reverted => self == Self::Reverting,
            Self::Refused => matches!(self, Self::Scanning | Self::Recognising),
            // One that cannot be undone is not one that failed: its rows are in the ledger.
            Self::Failed => self.is_open() && self != Self::Reverting,
            Self::Cancelled | Self::Expired => self.can_be_given_up(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn words_round_trip_and_others_are_refused() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()).unwrap(), status);
        }
        assert!(Status::parse("Created").is_err());
    }

    #[test]
    fn the_moves_are_those_of_the_contract() {
        let moves: String = Status::ALL
            .into_iter()
            .map(|from| {
                let next: Vec<_> = Status::ALL
                    .into_iter()
                    .filter(|next| from.can_become(*next))
                    .map(Status::as_str)
                    .collect();
                format!("{from}: {}\n", next.join(" "))
            })
            .collect();
        expect![[r#"
            created: scanning failed cancelled expired
            scanning: recognising refused failed cancelled expired
            recognising: asking staging refused failed cancelled expired
            asking: recognising failed cancelled expired
            staging: matching failed cancelled expired
            matching: review failed cancelled expired
            review: recognising committing failed cancelled expired
            committing: review committed failed
            committed: reverting
            reverting: committed reverted
            reverted: 
            refused: 
            failed: 
            cancelled: 
            expired: 
        "#]]
        .assert_eq(&moves);
    }
}
