//! The shared ledger: what every service reads, and each writes only as far as its grants go.
//!
//! | module | what it holds |
//! |---|---|
//! | [`money`] | currencies, amounts in minor units, exact decimals |
//! | [`account`] | accounts, their balances, and the locks of those who write fingerprints |
//! | [`number`] | the numbers that banks know accounts by |
//! | [`zone`] | the time zones in which their holders live |
//! | [`transaction`] | the bookings as people read and enter them |
//! | [`edit`] | bookings edited, unlocked and deleted, by whom, and their history |
//! | [`change`](Change) | the version that a writing transaction draws at its end |
//! | [`intake`] | matching and committing a statement of a million rows |
//! | [`reversal`] | taking an import back |
//!
//! Every statement on the schema `ledger` stands in this crate, and runs in a
//! [`UserTransaction`](djinn_chassis::postgres::UserTransaction), which row-level security knows
//! the user of. The statements name the user all the same: the planner knows more about a value
//! than about a setting, and two locks are better than one. The schema itself is in `migrations/`,
//! which `djinn-migrate` runs.
//!
//! What it must not do: know a service, a protobuf message or a workflow, begin a transaction, or
//! read the clock.

pub mod account;
mod change;
pub mod edit;
mod error;
pub mod intake;
pub mod money;
pub mod number;
pub mod reversal;
pub mod transaction;
pub mod zone;

pub use self::{
    change::{Change, Version},
    error::Error,
};
