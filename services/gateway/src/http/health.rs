//! `GET /health`: whether users are served, part by part.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};

use super::Edge;
use crate::{
    domain::{Owner, limits},
    grpc::Lanes,
};

/// The last report and when it was made.
#[derive(Default)]
pub(super) struct Health(Mutex<Option<(Instant, Report)>>);

/// Whether the parts of the mesh serve.
#[derive(Serialize, Clone, Debug)]
struct Report {
    status: Serving,
    parts: BTreeMap<&'static str, Serving>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Serving {
    Serving,
    NotServing,
}

impl From<bool> for Serving {
    fn from(serving: bool) -> Self {
        if serving {
            Self::Serving
        } else {
            Self::NotServing
        }
    }
}

/// 200 when every part serves, else 503. Asks the services at most once in `HEALTH_CACHED`, however
/// many ask here.
pub(super) async fn health(State(edge): State<Arc<Edge>>) -> Response {
    let report = edge.health.report(&edge.lanes).await;
    let code = match report.status {
        Serving::Serving => StatusCode::OK,
        Serving::NotServing => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(report)).into_response()
}

impl Health {
    async fn report(&self, lanes: &Lanes) -> Report {
        // Held while the services are asked: those who come meanwhile share the answer.
        let mut last = self.0.lock().await;
        if let Some((made, report)) = &*last
            && made.elapsed() < limits::HEALTH_CACHED
        {
            return report.clone();
        }
        let parts = Owner::ALL.map(async |owner| (owner.name(), lanes.serving(owner).await.into()));
        let parts: BTreeMap<_, Serving> = join_all(parts).await.into_iter().collect();
        let all = parts.values().all(|part| *part == Serving::Serving);
        let report = Report {
            status: all.into(),
            parts,
        };
        *last = Some((Instant::now(), report.clone()));
        report
    }
}
