//! The only place that reads the time and makes ids.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock; the client does not carry the services' chassis"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A fresh id, UUIDv7.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the source of ids; the client does not carry the services' chassis"
)]
pub(crate) fn id() -> Uuid {
    Uuid::now_v7()
}
