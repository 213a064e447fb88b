//! The imports service at its doors: the real binary, Postgres as the service's own role, a real
//! Temporal, object store and scanner. Run by `cargo xtask test`.

mod world;

mod commit;
mod faults;
mod history;
mod requests;
mod review;
mod scan;
mod tenancy;
mod upload;
