//! What the edge decides, without doing any of it: which methods exist for users and who owns
//! them, how many of them and how long a call may take, how large anything may be and what it
//! costs. No IO and no clock.

pub(crate) mod cost;
mod decimal;
pub(crate) mod digest;
mod framing;
pub mod limits;
mod rate;
mod routes;
mod timeout;

pub(crate) use cost::Measure;
pub(crate) use decimal::decimal;
pub(crate) use framing::Framing;
pub(crate) use rate::Taken;
pub use rate::{Class, Quota};
pub use routes::{Owner, Route, Routes, RoutesError};
pub(crate) use timeout::{parse_timeout, write_timeout};
