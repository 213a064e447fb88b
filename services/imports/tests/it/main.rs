//! The imports service at its doors: the real binary, Postgres as the service's own role, a real
//! Temporal, object store and scanner. Run by `cargo xtask test`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says which seed has led there"
)]

mod by_hand;
mod invariant;
mod world;

mod accounts;
mod answer;
mod answer_race;
mod chunk;
mod commit;
mod edit;
mod faults;
mod gap;
mod history;
mod hostile;
mod races;
mod report;
mod requests;
mod reread;
mod resemblance;
mod revert;
mod review;
mod scan;
mod template;
mod template_file;
mod tenancy;
mod upload;
mod zone;
