//! What plain HTTP finds at the edge: health, browsers' questions, and nothing.

use std::net::SocketAddr;

use axum::body::Body;
use http::{Method, Request, header::CONTENT_TYPE};
use serde_json::json;
use tonic_health::ServingStatus;

use djinn_chassis::testing::{eventually, free_port};

use crate::{
    backend::Backend,
    edge::{Gateway, SOON},
    wire,
};

fn get(gateway: &Gateway, path: &str) -> Request<Body> {
    Request::get(gateway.uri(path))
        .body(Body::empty())
        .expect("a request")
}

#[tokio::test]
async fn health_names_its_parts_and_needs_no_token() {
    let (imports, sync) = (Backend::start().await, Backend::start().await);
    let gateway = Gateway::with(&[imports.address, sync.address], |_| {}).await;
    let answer = wire::http1(get(&gateway, "/health")).await;
    assert_eq!(answer.status(), 200);
    let parts = json!({ "imports": "serving", "sync": "serving" });
    assert_eq!(
        wire::json(&answer),
        json!({ "status": "serving", "parts": parts })
    );

    sync.health
        .set_service_status("", ServingStatus::NotServing)
        .await;
    let answer = eventually("health tells of it", SOON, async || {
        let answer = wire::http1(get(&gateway, "/health")).await;
        (answer.status() == 503).then_some(answer)
    })
    .await;
    let parts = json!({ "imports": "serving", "sync": "not_serving" });
    assert_eq!(
        wire::json(&answer),
        json!({ "status": "not_serving", "parts": parts })
    );
}

#[tokio::test]
async fn health_tells_when_a_service_is_away() {
    let backend = Backend::start().await;
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let gateway = Gateway::with(&[nobody, backend.address], |_| {}).await;
    let answer = wire::http2(get(&gateway, "/health")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(wire::json(&answer)["parts"]["imports"], "not_serving");
    assert_eq!(wire::json(&answer)["parts"]["sync"], "serving");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_json() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for path in ["/", "/v1", "/v1/statements/1", wire::GET_IMPORT] {
        let answer = wire::http1(get(&gateway, path)).await;
        assert_eq!(
            wire::refusal(&answer),
            (404, "NOT_FOUND".to_owned()),
            "{path}"
        );
        assert!(answer.headers().contains_key("x-request-id"));
    }
    let answer = wire::http1(get(&gateway, "/v1/statements")).await;
    assert_eq!(
        wire::refusal(&answer),
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );

    let grpc = Request::get(gateway.uri(wire::GET_IMPORT)).header(CONTENT_TYPE, "application/grpc");
    let answer = wire::http2(grpc.body(Body::empty()).expect("a request")).await;
    assert_eq!(
        wire::refusal(&answer),
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );
    let grpc = Request::post(gateway.uri(wire::GET_IMPORT))
        .header(CONTENT_TYPE, "application/grpc")
        .body(Body::empty());
    let answer = wire::http1(grpc.expect("a request")).await;
    assert_eq!(wire::refusal(&answer), (505, "HTTP2_NEEDED".to_owned()));
}

#[tokio::test]
async fn browsers_may_ask_from_the_configured_origins_only() {
    let backend = Backend::start().await;
    let preflight = |gateway: &Gateway, origin: &str| {
        Request::builder()
            .method(Method::OPTIONS)
            .uri(gateway.uri(wire::GET_IMPORT))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,x-grpc-web,grpc-timeout",
            )
            .body(Body::empty())
            .expect("a request")
    };
    let allowed = "https://app.example.org";
    let both = [backend.address, backend.address];
    let gateway = Gateway::with(&both, |config| {
        config.cors_origins = vec![allowed.parse().expect("an origin")];
    })
    .await;
    let answer = wire::http1(preflight(&gateway, allowed)).await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], allowed);
    assert_eq!(
        headers["access-control-allow-headers"],
        "authorization,x-grpc-web,grpc-timeout"
    );
    assert!(!headers.contains_key("access-control-allow-credentials"));

    let answer = wire::http1(preflight(&gateway, "https://evil.example")).await;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));

    // A refusal can be read by the page too, with the headers that carry it.
    let asked = Request::post(gateway.uri(wire::GET_IMPORT))
        .header("origin", allowed)
        .header(CONTENT_TYPE, "application/grpc-web+proto")
        .body(Body::empty());
    let answer = wire::http1(asked.expect("a request")).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], allowed);
    assert_eq!(answer.headers()["grpc-status"], "16");
    let exposed = answer.headers()["access-control-expose-headers"]
        .to_str()
        .expect("text");
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        assert!(exposed.contains(name), "{exposed}");
    }

    let gateway = Gateway::before(backend.address).await;
    let answer = wire::http1(preflight(&gateway, allowed)).await;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}
