//! The real binary against a server with made-up answers: what it sends, what it prints, and how
//! it ends.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what is wrong by failing"
)]

mod account;
mod import;
mod imports;
mod process;
mod revert;
mod server;
mod templates;
mod terminal;
mod token;
mod transactions;
