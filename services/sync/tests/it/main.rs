//! The sync service through its doors: `run` on free ports, a real client, a real Postgres.

mod account;
mod binary;
mod edit;
mod idempotency;
mod mesh;
mod service;
mod tenancy;
mod transaction;
