//! The ledger against a real Postgres, as the services' own roles. Tenancy comes first: what one
//! user has, no other can see, change, copy, refer to or tell from what does not exist.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, in its helpers as well"
)]

mod account;
mod catalog;
mod change;
mod edit;
mod fixture;
mod intake;
mod reversal;
mod tenancy;
mod transaction;
