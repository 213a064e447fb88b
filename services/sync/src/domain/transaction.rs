//! Requests about transactions.

use djinn_ledger::transaction::{Filter, Position};

use super::page::Scope;

/// The most text in a page, in bytes: with its other fields it stays under the largest message,
/// which is 4 MiB. A page that reaches it ends early and says where to go on.
pub(crate) const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A page of transactions.
#[derive(Clone, Debug)]
pub(crate) struct ListTransactions {
    /// Which ones.
    pub(crate) filter: Filter,
    /// Only those behind this one.
    pub(crate) after: Option<Position>,
    /// How many at most.
    pub(crate) size: usize,
    /// What the next page's token is for.
    pub(crate) scope: Scope,
}
