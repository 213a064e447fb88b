//! The imports service at its doors: the real binary, Postgres as the service's own role, a real
//! Temporal, object store and scanner. Run by `cargo xtask test`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod by_hand;
mod invariant;
mod world;

mod commit;
mod faults;
mod history;
mod races;
mod requests;
mod revert;
mod review;
mod scan;
mod tenancy;
mod upload;
