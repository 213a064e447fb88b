//! What can go wrong in the sync service, and what each means to the caller.

use djinn_chassis::{
    fault::{Fault, Kind, Violation},
    postgres,
};
use uuid::Uuid;

use crate::domain::{edit::EditRefused, field::Invalid};

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Nothing of that id belongs to the user; the same for ids that do not exist at all.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The id that was asked for.
        id: Uuid,
    },
    /// The request id stands for another request.
    #[error("request_id {request_id} was used for another request; choose a new UUID")]
    RequestIdReused {
        /// The id.
        request_id: Uuid,
    },
    /// The account or transaction cannot be edited so.
    #[error(transparent)]
    Edit(#[from] EditRefused),
    /// A request was answered with an account that is not there.
    #[error("the account {account_id} of an earlier request is gone")]
    AnswerLost {
        /// The account.
        account_id: Uuid,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] djinn_ledger::Error),
    /// The database.
    #[error("the database failed")]
    Database(#[from] postgres::Error),
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(source.into())
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::NotFound { .. } => Kind::NotFound,
            Self::RequestIdReused { .. } => Kind::Exists,
            Self::Edit(EditRefused::AccountClosed { .. } | EditRefused::Reconciled { .. }) => {
                Kind::Refused
            }
            Self::Edit(EditRefused::EtagMismatch { .. }) => Kind::Conflict,
            Self::Edit(EditRefused::Invalid(_)) => Kind::Invalid,
            Self::AnswerLost { .. } => Kind::Internal,
            Self::Ledger(error) => passing(error.kind()),
            Self::Database(error) => passing(error.kind()),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELD",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::RequestIdReused { .. } => "REQUEST_ID_REUSED",
            Self::Edit(EditRefused::AccountClosed { .. }) => "ACCOUNT_CLOSED",
            Self::Edit(EditRefused::EtagMismatch { .. }) => "ETAG_MISMATCH",
            Self::Edit(EditRefused::Reconciled { .. }) => "RECONCILED",
            Self::Edit(EditRefused::Invalid(_)) => "INVALID_FIELD",
            Self::AnswerLost { .. } => "ANSWER_LOST",
            Self::Ledger(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(invalid) | Self::Edit(EditRefused::Invalid(invalid)) => {
                invalid.violations().to_vec()
            }
            Self::NotFound { .. }
            | Self::RequestIdReused { .. }
            | Self::Edit(_)
            | Self::AnswerLost { .. }
            | Self::Ledger(_)
            | Self::Database(_) => Vec::new(),
        }
    }
}

/// A deadlock or a serialisation failure passes by itself: the same request may simply be sent
/// again, so it is not the conflict of somebody's decision.
fn passing(kind: Kind) -> Kind {
    match kind {
        Kind::Conflict => Kind::Unavailable,
        other => other,
    }
}
