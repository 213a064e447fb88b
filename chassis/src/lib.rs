//! The chassis: what every service of Djinn stands on, so that each is alike where it should be.
//!
//! | module | what it gives |
//! |---|---|
//! | [`config`] | one clap struct per binary, checked before anything starts |
//! | [`telemetry`] | logs on standard error, metrics for `/metrics` |
//! | [`clock`] | time and ids, passed in |
//! | [`shutdown`] | stopping in two stages |
//! | [`fault`] | the closed set of error kinds and the two exits |
//! | [`contract`] | the methods that descriptors declare, and who may call them |
//! | [`auth`] | users' and services' tokens, and which methods they open |
//! | [`serve`] | the gRPC server with its layers and limits, and the admin port |
//! | [`postgres`] | transactions that row-level security knows the user of |
//! | [`objects`] | the S3 store, in parts and as streams |
//! | [`cache`] | a Redis that nobody waits for and nothing true is kept in |
//! | [`temporal`] | client, worker, heartbeats |
//! | `testing` | one database per test, tokens, a proxy, processes (feature `testing`) |
//!
//! What it must not do: know a domain noun (no import, no account, no statement), hold a table, a
//! workflow or a generated message, read time or make ids outside [`clock`], or end the process
//! outside [`config::load`]. It depends on no other crate of the workspace.

pub mod auth;
pub mod cache;
pub mod clock;
pub mod config;
pub mod contract;
pub mod fault;
#[cfg(test)]
mod fixture;
pub mod objects;
pub mod postgres;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
pub mod temporal;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
