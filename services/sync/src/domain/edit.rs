//! Why an edit does not go ahead, of accounts and of transactions.

use uuid::Uuid;

use super::field::{Fields, Invalid};

/// Why an edit does not go ahead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditRefused {
    /// Neither the account nor its transactions can be edited any more.
    #[error(
        "the account {account_id} is closed: it and its transactions stay as they are; use \
         another one"
    )]
    AccountClosed {
        /// The account.
        account_id: Uuid,
    },
    /// It is no longer what the caller has seen.
    #[error("the {what} has changed since it was read; read it again and decide again")]
    EtagMismatch {
        /// The kind of thing.
        what: &'static str,
    },
    /// The transaction was checked against a statement.
    #[error(
        "the transaction {transaction_id} is reconciled: its date and amount stay as they are, and \
         it is not deleted; set reconciled to false first"
    )]
    Reconciled {
        /// The transaction.
        transaction_id: Uuid,
    },
    /// An amount is not in the account's currency.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Fields {
    /// What the caller has read.
    pub(crate) fn etag(&mut self, field: &str, text: &str) -> Option<String> {
        if text.is_empty() {
            self.refuse(field, "is empty; send the etag as it was read");
            return None;
        }
        Some(text.to_owned())
    }
}
