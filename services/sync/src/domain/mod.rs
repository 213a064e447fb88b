//! Requests once they are understood, and the rules that need no database. Pure: no IO, no clock,
//! no SQL, no protobuf.
//!
//! * [`field`]: reads the fields of a request and collects what is wrong with them.
//! * [`page`]: page sizes and page tokens.
//! * [`edit`]: why an edit does not go ahead.
//! * [`account`]: requests about accounts, and whether an edit may go ahead.
//! * [`transaction`]: requests about transactions, and whether an edit may go ahead.

pub(crate) mod account;
pub(crate) mod edit;
pub(crate) mod field;
pub(crate) mod page;
pub(crate) mod transaction;
