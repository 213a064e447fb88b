//! The gRPC door: public methods are passed on to their service undecoded. What the other doors ask
//! of the services goes by the same lanes.

mod body;
mod call;
mod client;
mod gate;
mod header;
mod lane;
mod meter;
mod pending;
mod proxy;
mod reflection;
mod refusal;
mod shed;
mod tally;
mod upload;

pub(crate) use client::{Bearer, Calls};
pub(crate) use gate::Gate;
pub(crate) use header::REQUEST_ID;
pub(crate) use lane::Lanes;
pub(crate) use proxy::Proxy;
pub(crate) use reflection::Reflection;
pub(crate) use refusal::{Refusal, code_name, overloaded, status};
use refusal::{code_of, unknown_method};
pub(crate) use shed::Shed;
pub(crate) use tally::{Place, Tally};
pub(crate) use tonic::{Code, Status};
pub(crate) use upload::{Chunk, Statement, Upload, Uploader};
