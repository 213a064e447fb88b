//! The HTTP door: uploads, reports, GraphQL and health, and in front of all doors what every
//! request passes.

mod answer;
mod chunk;
mod chunked;
mod graphql;
mod health;
mod intake;
pub(crate) mod listener;
mod name;
mod protocol;
mod report;
mod socket;
mod upload;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{
        HeaderName, HeaderValue, Method, Version,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use djinn_chassis::telemetry;
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowHeaders, CorsLayer};
use tracing::Instrument;

pub(crate) use self::socket::Sockets;
use self::{answer::Plain, health::Health};
use crate::{
    config::Origin,
    graphql::Door,
    grpc::{Gate, Lanes, Proxy, REQUEST_ID, Reflection},
    limit::{self, Visit},
};

/// How long a browser may remember which origins and headers are allowed.
const CORS_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(3600);

/// What a span keeps of a path; the longest of ours has less.
const PATH_BYTES_MAX: usize = 128;

/// What the handlers share.
pub(crate) struct Edge {
    pub(crate) gate: Gate,
    pub(crate) lanes: Lanes,
    health: Health,
    proxy: GrpcWebService<Proxy>,
    reflection: Option<Reflection>,
    graphql: Arc<Door>,
    sockets: Sockets,
    /// Whether there is a page to try GraphQL on.
    page: bool,
    /// Proxies in front of the gateway.
    proxies: u8,
}

/// What leads to the doors behind, each made elsewhere.
pub(crate) struct Doors {
    /// Where calls are passed on.
    pub(crate) proxy: Proxy,
    /// Which calls there are, for who may ask.
    pub(crate) reflection: Option<Reflection>,
    /// GraphQL.
    pub(crate) graphql: Door,
    /// Its WebSockets.
    pub(crate) sockets: Sockets,
    /// Whether there is a page to try GraphQL on.
    pub(crate) page: bool,
    /// Proxies in front of the gateway that each add an address to `X-Forwarded-For`.
    pub(crate) proxies: u8,
}

impl Edge {
    pub(crate) fn new(gate: Gate, lanes: Lanes, doors: Doors) -> Self {
        Self {
            gate,
            lanes,
            health: Health::default(),
            proxy: GrpcWebLayer::new().layer(doors.proxy),
            reflection: doors.reflection,
            graphql: Arc::new(doors.graphql),
            sockets: doors.sockets,
            page: doors.page,
            proxies: doors.proxies,
        }
    }
}

/// Everything on the public port. Outside in: CORS answers preflights before anything else; the
/// request gets its id; then the path decides.
pub(crate) fn router(edge: Edge, origins: &[Origin]) -> Router {
    let edge = Arc::new(edge);
    let router = Router::new()
        .route("/v1/statements", post(upload::statements))
        .route("/v1/uploads", post(chunked::begin))
        .route("/v1/uploads/{upload_id}", get(chunked::progress))
        .route(
            "/v1/uploads/{upload_id}/chunks/{chunk_number}",
            put(chunked::chunk),
        )
        .route("/v1/imports/{import_id}/errors.csv", get(report::errors))
        .route("/health", get(health::health))
        .route("/graphql", post(graphql::post).get(graphql::page))
        .route("/graphql/ws", get(socket::open))
        .route("/graphql/page.js", get(graphql::script))
        .route("/graphql/page.css", get(graphql::style))
        .route("/graphql/schema.graphql", get(graphql::schema))
        .method_not_allowed_fallback(answer::method_not_allowed)
        .fallback(dispatch)
        // Those who read a body here count for themselves.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&edge), identify))
        .with_state(edge);
    match cors(origins) {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// Gives each request an id of ours: one from outside could be made to look like another's. And
/// tells each answer how its user stands, whichever door it came through.
async fn identify(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let name = edge.gate.request_id().to_string();
    let id = HeaderValue::from_str(&name).ok();
    request.headers_mut().remove(REQUEST_ID);
    if let Some(id) = id.clone() {
        request.headers_mut().insert(REQUEST_ID, id);
    }
    let visit = Visit::new(request.extensions(), request.headers(), edge.proxies);
    request.extensions_mut().insert(visit.clone());
    let path = request.uri().path();
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        request.id = name,
        http.request.method = %request.method(),
        // Without the query, which names files.
        url.path = path.get(..PATH_BYTES_MAX).unwrap_or(path),
    );
    telemetry::follow(&span, request.headers());
    telemetry::pass_on(&span, request.headers_mut());
    let mut response = next.run(request).instrument(span).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if let Some(standing) = visit.standing() {
        standing.write(response.headers_mut());
    }
    response
}

/// Sends what speaks gRPC or gRPC-Web to the proxy, on any path, so that unknown methods are
/// refused in its own language; everything else is not found.
async fn dispatch(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
    if !content_type.starts_with(b"application/grpc") {
        return Plain::NotFound.into_response();
    }
    if request.method() != Method::POST {
        return Plain::MethodNotAllowed.into_response();
    }
    let web = content_type.starts_with(b"application/grpc-web");
    if !web && request.version() != Version::HTTP_2 {
        return Plain::Http2Needed.into_response();
    }
    if let Some(reflection) = &edge.reflection
        && request.uri().path().starts_with("/grpc.reflection.")
    {
        return reflection.answer(request).await.map(axum::body::Body::new);
    }
    match edge.proxy.clone().oneshot(request).await {
        Ok(response) => response.map(axum::body::Body::new),
    }
}

fn cors(origins: &[Origin]) -> Option<CorsLayer> {
    let origins: Vec<_> = origins
        .iter()
        .filter_map(|origin| origin.0.clone())
        .collect();
    let exposed = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
    let exposed = exposed.map(HeaderName::from_static);
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT])
            // Metadata has any name. A token comes in a header that pages must know, never in a
            // cookie that browsers would add by themselves, so this opens nothing.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(
                exposed
                    .into_iter()
                    .chain([REQUEST_ID, RETRY_AFTER])
                    .chain(limit::HEADERS)
                    .collect::<Vec<_>>(),
            )
            .max_age(CORS_MAX_AGE)
    })
}
