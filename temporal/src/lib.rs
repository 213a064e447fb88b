//! Durable work: the workflows of the mesh, their inputs and outputs, and the declarations of the
//! activities they call.
//!
//! * [`imports`]: [`imports::ImportStatement`], a statement from upload to ledger, and
//!   [`imports::SweepImports`], what a crash left behind.
//! * [`revert`]: [`revert::RevertImport`], an import out of the ledger again.
//!
//! Nothing here does IO, reads a clock or draws a random number, and nothing can: the crate has no
//! dependency that would. Activities are only declared; a service implements them, and an
//! implementation with other types does not compile. Rows never travel through a history: ids,
//! counts and words do, so that the number of events does not grow with the size of a file.
//!
//! A history may be a week old when its workflow goes on. So every change to the order of commands
//! goes through `ctx.patched(..)`, fields are only ever added (with a default), and
//! `tests/replay.rs` replays the golden histories of every release.

mod failure;
mod timing;

pub mod imports;
pub mod revert;
