//! What can go wrong in the ledger.

use djinn_chassis::{
    fault::{Fault, Kind},
    postgres,
};
use uuid::Uuid;

/// An error of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, another transaction was in the way, or a statement is wrong.
    #[error("the ledger's database failed")]
    Database(#[from] postgres::Error),
    /// A row holds what this code cannot have written.
    #[error("ledger.{table}.{column} of {id} cannot be read")]
    Undecodable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's own id.
        id: Uuid,
    },
    /// The account's bookings add up to more than 64 bits of minor units. Its transactions can be
    /// read all the same.
    #[error("the balance of the account {account_id} is out of range")]
    BalanceOutOfRange {
        /// The account.
        account_id: Uuid,
    },
    /// Another open account has the number.
    #[error("another open account has this number; close that one, or note another number")]
    NumberTaken,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Database(error) => error.kind(),
            Self::Undecodable { .. } => Kind::Internal,
            Self::BalanceOutOfRange { .. } => Kind::Refused,
            Self::NumberTaken => Kind::Exists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Database(error) => error.reason(),
            Self::Undecodable { .. } => "LEDGER_ROW_UNDECODABLE",
            Self::BalanceOutOfRange { .. } => "BALANCE_OUT_OF_RANGE",
            Self::NumberTaken => "NUMBER_TAKEN",
        }
    }
}
