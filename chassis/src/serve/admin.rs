//! The admin port: whether the process lives, whether it is ready, and its metrics. It listens on
//! loopback or an inner network and asks for no token.

use std::time::Duration;

use anyhow::Context;
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

use super::Readiness;
use crate::{shutdown::Shutdown, telemetry};

/// How often histograms are folded; they hold one number per call in between.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Serves `GET /livez`, `/readyz` and `/metrics` until the shutdown begins.
///
/// `/livez` answers 200 as long as the process answers at all; `/readyz` answers 200 when every
/// part is ready, else 503 with the names of those that are not, one per line.
///
/// # Errors
/// When the listener fails.
pub async fn admin(
    listener: TcpListener,
    readiness: Readiness,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(readiness);
    let stop = shutdown.token().cancelled_owned();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stop);
    tokio::select! {
        served = serving => served.context("the admin server failed"),
        () = upkeep() => Ok(()),
        () = shutdown.overdue() => Ok(()),
    }
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    match readiness.missing() {
        missing if missing.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        missing => (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n"),
    }
}

async fn metrics() -> impl IntoResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, text)], telemetry::metrics())
}

async fn upkeep() {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        telemetry::upkeep();
    }
}
