//! The sync service through its doors: `run` on free ports, a real client, a real Postgres.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, in its helpers as well"
)]

mod account;
mod binary;
mod edit;
mod hand;
mod idempotency;
mod mesh;
mod number;
mod service;
mod tenancy;
mod transaction;
mod zone;
