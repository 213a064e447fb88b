//! Requests once they are understood, and the rules that need no database. Pure: no IO, no clock,
//! no SQL, no protobuf.
//!
//! * [`field`]: reads the fields of a request and collects what is wrong with them.
//! * [`page`]: page sizes and page tokens.
//! * [`account`]: requests about accounts, and whether an edit may go ahead.
//! * [`transaction`]: requests about transactions.

pub(crate) mod account;
pub(crate) mod field;
pub(crate) mod page;
pub(crate) mod transaction;
