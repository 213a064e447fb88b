//! The gateway through its door: `run` on a free port, in front of services that these tests play.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, in its helpers as well"
)]

mod auth;
mod backend;
mod chunked;
mod edge;
mod failure;
mod graphql;
mod grpc;
mod http;
mod keys;
mod limit;
mod public;
mod report;
mod stop;
mod upload;
mod web;
mod wire;
