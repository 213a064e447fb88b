//! Every SQL statement of the imports service but those that join the ledger, which are in
//! `djinn_ledger::intake` and `djinn_ledger::reversal`.
//!
//! * [`upload`]: files in the object store. [`chunk`]: those that come in chunks.
//! * [`request`]: answers given once.
//! * [`account`]: the accounts that an import's rows go into.
//! * [`import`]: the import and the moves of its status.
//! * [`staging`]: rows on their way in, in fenced chunks.
//! * [`review`]: rows, verdicts and totals. [`edit`]: rows that a person sets right.
//! * [`revert`]: what undoing an import did.
//! * [`template`]: what was answered before.
//! * [`due`]: duties for the sweep.
//!
//! Functions take the user's transaction: what belongs together is committed together, by the
//! caller. A row this release cannot decode is an error that names it.

use djinn_chassis::{
    auth::UserId,
    postgres::{Postgres, Transaction, UserTransaction},
};

use crate::Error;

pub mod account;
pub mod chunk;
pub mod due;
pub mod edit;
pub mod import;
pub mod request;
pub mod revert;
pub mod review;
pub mod staging;
pub mod template;
pub mod upload;

/// The way to the database.
#[derive(Clone, Debug)]
pub struct Store {
    postgres: Postgres,
}

impl Store {
    /// On this pool.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self { postgres }
    }

    /// A transaction that sees this user's rows.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn user(&self, user: UserId) -> Result<UserTransaction, Error> {
        Ok(self.postgres.user(user).await?)
    }

    /// A transaction that sees duties alone.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn unscoped(&self) -> Result<Transaction, Error> {
        Ok(self.postgres.unscoped().await?)
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        self.postgres.ping().await.is_ok()
    }
}
