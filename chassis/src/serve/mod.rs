//! Serving: a gRPC server with the same layers, limits and end for every service, and the admin
//! port beside it.

mod admin;
mod admit;
mod connection;
mod deadline;
mod drain;
mod methods;
mod readiness;
mod reflection;
mod trace;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::ServiceBuilder;

pub use self::{
    admin::admin,
    readiness::{Part, Readiness},
};
use self::{
    admit::AdmitLayer,
    deadline::DeadlineLayer,
    drain::DrainLayer,
    methods::Methods,
    reflection::{Reflection, Served},
    trace::TraceLayer,
};
use crate::{auth::AuthenticateLayer, shutdown::Shutdown};

/// The largest gRPC message, in bytes, either way: 4 MiB. Larger things travel as streams.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a unary call may take when its caller names no deadline (`grpc-timeout`).
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);

/// The longest deadline a caller may name for a unary call: what takes longer is a job.
pub const DEADLINE_MAX: Duration = Duration::from_secs(300);

/// Calls at a time on one connection; further ones wait in the client.
pub const STREAMS_MAX: u32 = 200;

/// Unary calls at a time in the whole process; one more is refused at once, because a queue would
/// only make it late as well. A few dozen keep processors and connections of the database busy; the
/// rest is room for those that wait for something else.
pub const UNARY_CALLS_MAX: usize = 128;

/// Streams at a time that have no answer yet: uploads. They have places of their own, so that slow
/// files never take those of short calls. A stream of answers gives its place back when it begins.
pub const STREAM_CALLS_MAX: usize = 128;

/// The largest set of request headers in bytes: a token and room beside it.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// A connection without traffic is asked for a sign of life this often.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// A connection that gives no sign within this is closed.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// After this a connection is asked to close once its calls are done, so that clients spread over
/// replicas that were added later.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(30 * 60);

/// A gRPC server that is ready to run: the service's own routes, and what every service shares.
pub struct Server {
    /// Where to listen; see [`bind`].
    pub listener: TcpListener,
    /// The service's methods. Health and reflection are added.
    pub routes: Routes,
    /// Who may call.
    pub authenticate: AuthenticateLayer,
    /// When to say SERVING.
    pub readiness: Readiness,
    /// The full names of the services, for health and reflection.
    pub service_names: &'static [&'static str],
    /// The serialised `FileDescriptorSet`, for reflection and to tell streams from unary calls.
    pub descriptors: &'static [u8],
}

/// Opens a listening socket.
///
/// # Errors
/// When the address is taken or not ours; the message names it.
pub async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}"))
}

impl Server {
    /// Serves until the shutdown: then no connection is accepted, health says NOT_SERVING, endless
    /// streams (`Watch*`) end with UNAVAILABLE, other calls have the grace period, and what is left
    /// is cut off.
    ///
    /// # Errors
    /// When the descriptors do not decode or the listener fails.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let methods = Methods::of(self.descriptors)?;
        let served = Served {
            descriptors: self.descriptors,
            service_names: self.service_names,
        };
        let (reporter, health) = tonic_health::server::health_reporter();
        let routes = self
            .routes
            .add_service(health)
            .add_service(Reflection::<false>::new(served))
            .add_service(Reflection::<true>::new(served))
            .prepare();
        let layers = ServiceBuilder::new()
            // Outermost, so that every answer is counted and every log line names its request,
            // refusals of the layers below included.
            .layer(TraceLayer::new(
                methods.clone(),
                self.authenticate.clock().clone(),
            ))
            // Around the rest, so that time spent in any of it counts.
            .layer(DeadlineLayer::new(methods.clone()))
            // A stream without an end would hold up the shutdown for the whole grace period.
            .layer(DrainLayer::new(shutdown.token()))
            // Load is shed before work is spent on checking signatures.
            .layer(AdmitLayer::new(methods, UNARY_CALLS_MAX, STREAM_CALLS_MAX))
            // Innermost: nothing below runs for an unknown caller.
            .layer(self.authenticate)
            .into_inner();

        // Cancelled when this function ends, however it does: no connection outlives the server.
        let cut = CancellationToken::new();
        let _cut = cut.clone().drop_guard();
        let address = self.listener.local_addr().context("listener")?;
        tracing::info!(%address, "serving gRPC");
        let serving = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            // Without a grace of its own: tonic then closes gently at this age; with one it closes
            // hard at the sum of both.
            .max_connection_age(CONNECTION_AGE_MAX)
            .layer(layers)
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                connection::accept(self.listener, cut),
                shutdown.requested(),
            );
        tokio::select! {
            served = serving => served.context("the gRPC server failed")?,
            () = report(&reporter, &self.readiness, self.service_names, &shutdown) => {}
            () = shutdown.overdue() => {
                tracing::warn!("calls were cut off after the grace period");
            }
        }
        tracing::info!(%address, "stopped serving gRPC");
        Ok(())
    }
}

/// Keeps `grpc.health.v1` in step with the readiness, for each service and for all (""). Never
/// ends.
async fn report(
    reporter: &HealthReporter,
    readiness: &Readiness,
    service_names: &[&str],
    shutdown: &Shutdown,
) {
    let stopping = shutdown.token();
    let mut changes = readiness.subscribe();
    loop {
        let ready = readiness.missing().is_empty() && !stopping.is_cancelled();
        let status = if ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for name in service_names.iter().chain(&[""]) {
            reporter.set_service_status(name, status).await;
        }
        if stopping.is_cancelled() {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = changes.changed() => {}
            () = stopping.cancelled() => {}
        }
    }
}

/// The gRPC status that a response's head carries already, as a refusal's does.
fn status_of(headers: &http::HeaderMap) -> Option<tonic::Code> {
    let value = headers.get("grpc-status")?;
    Some(tonic::Code::from_bytes(value.as_bytes()))
}

#[cfg(test)]
mod tests;
