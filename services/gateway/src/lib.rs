//! The public edge: one port for gRPC, gRPC-Web, GraphQL, uploads and health.
//!
//! * [`config`](Config): what it can be told.
//! * [`domain`]: which methods are public and who owns them, every limit, and what a GraphQL
//!   document costs.
//! * `grpc`: the proxy, which passes calls on undecoded, and what it needs: the gate (tokens, calls
//!   per user), the lanes (connections to services), the watch (what ends a call early).
//! * `graphql`: the public methods as one graph, asked of the services by the same lanes.
//! * `limit`: how many calls each user makes, counted in Redis or here.
//! * `http`: the listener, `POST /v1/statements`, `/graphql` and its WebSockets, `GET /health`.
//! * `error`: what the gateway itself refuses.
//!
//! It has no tables, no workflows and no credentials of the object store. It holds no request
//! whole but those of GraphQL, which are small, and what it decides a service decides again: nobody
//! is trusted for coming through here.

mod config;
pub mod domain;
mod error;
mod graphql;
mod grpc;
mod http;
mod limit;

use anyhow::Context;
use tokio_util::task::TaskTracker;

use djinn_chassis::{
    auth::Verifier,
    clock::Clock,
    serve::{self, Readiness},
    shutdown::Shutdown,
};
use djinn_proto::DESCRIPTORS;

pub use crate::config::{Config, Limits, Origin};
use crate::{
    domain::Routes,
    graphql::Door,
    grpc::{Gate, Lanes, Proxy, Reflection, Shed},
    http::{
        Doors, Edge, Sockets,
        listener::{self, App},
    },
    limit::Limiter,
};

/// Serves until the shutdown. The services need not be up: calls to one that is away are refused.
///
/// # Errors
/// When a port is taken, the key for tokens cannot be read, or a public method has no known owner.
pub async fn run(config: Config, shutdown: Shutdown) -> anyhow::Result<()> {
    let routes = public_routes()?;
    let verifier = Verifier::load(&config.auth).await?;
    let limiter = Limiter::open(config.limits, &config.cache).await;
    let gate = Gate::new(verifier, Clock::system(), limiter);
    let lanes = Lanes::new(&config.imports_url, &config.sync_url);
    let reflection = config
        .reflection
        .then(|| Reflection::new(DESCRIPTORS, &routes));
    let reflection = reflection.transpose().context("reflection")?;
    let tracker = TaskTracker::new();
    let told = config.reflection || config.graphiql;
    let shed = Shed::new(&routes, gate.clone(), lanes.clone());
    let doors = Doors {
        proxy: Proxy::new(routes, gate.clone(), lanes.clone(), shutdown.token()),
        reflection,
        graphql: Door::new(gate.clone(), lanes.clone(), told, shutdown.token()),
        sockets: Sockets::new(tracker.clone(), shutdown.clone()),
        page: config.graphiql,
        proxies: config.proxies,
    };
    let router = http::router(Edge::new(gate, lanes, doors), &config.cors_origins);

    let listener = serve::bind(config.listen).await?;
    let admin = serve::bind(config.admin_listen).await?;
    let readiness = Readiness::new();
    readiness.part("listener").set(true);
    tracing::info!(listen = %config.listen, "serving");
    let public = async {
        listener::serve(listener, App { shed, router }, tracker, shutdown.clone()).await;
        Ok(())
    };
    tokio::try_join!(public, serve::admin(admin, readiness, shutdown.clone()))?;
    tracing::info!("stopped");
    Ok(())
}

/// The GraphQL schema of this gateway, as text.
#[must_use]
pub fn graphql_schema() -> String {
    graphql::sdl()
}

/// The public methods of the contract this gateway was built with.
///
/// # Errors
/// When the descriptors cannot be read or a public method has no known owner.
pub fn public_routes() -> anyhow::Result<Routes> {
    Routes::of(DESCRIPTORS).context("the contract")
}
