//! The gateway through its door: `run` on a free port, in front of services that these tests play.

mod auth;
mod backend;
mod edge;
mod failure;
mod grpc;
mod http;
mod keys;
mod public;
mod stop;
mod upload;
mod web;
mod wire;
