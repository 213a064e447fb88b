//! How GraphQL requests come, and how those are refused that do not come well.

use axum::body::Body;
use http::{Method, Request, header::CONTENT_TYPE};
use serde_json::{Value, json};

use djinn_gateway::domain::limits;

use super::{posted, refused};
use crate::{
    backend::Backend,
    edge::Gateway,
    keys::{Keys, now},
    wire,
};

const QUERY: &str = r#"{"query":"{ account(id: \"a1\") { id } }"}"#;

#[tokio::test]
async fn only_a_good_token_is_answered() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let expired = gateway.keys.token_with(json!({ "exp": now() - 1 }));
    let strange = Keys::new().token();
    for (token, reason) in [
        (None, "TOKEN_MISSING"),
        (Some(expired), "TOKEN_EXPIRED"),
        (Some(strange), "TOKEN_INVALID"),
    ] {
        let answer = wire::http1(posted(&gateway, token.as_deref(), QUERY.to_owned())).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let answer = wire::json(&answer);
        refused(&answer, "UNAUTHENTICATED", reason);
        assert_eq!(answer.get("data"), None);
    }
    assert!(backend.calls().is_empty());
    let answer = wire::http2(posted(
        &gateway,
        Some(&gateway.keys.token()),
        QUERY.to_owned(),
    ))
    .await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(
        wire::json(&answer),
        json!({ "data": { "account": { "id": "a1" } } })
    );
}

#[tokio::test]
async fn what_a_form_could_send_is_not_listened_to() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for content_type in [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        None,
    ] {
        let mut request = posted(&gateway, Some(&gateway.keys.token()), QUERY.to_owned());
        request.headers_mut().remove(CONTENT_TYPE);
        if let Some(content_type) = content_type {
            let value = content_type.parse().expect("a value");
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        let answer = wire::http1(request).await;
        assert_eq!(answer.status(), 415, "{content_type:?}");
        refused(&wire::json(&answer), "INVALID_ARGUMENT", "CONTENT_TYPE");
    }
    // Nor is a link.
    let path = "/graphql?query=%7B__typename%7D";
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = Request::builder()
            .method(method.clone())
            .uri(gateway.uri(path));
        let request = request.header("authorization", format!("Bearer {}", gateway.keys.token()));
        let answer = wire::http1(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(
            wire::refusal(&answer),
            (405, "METHOD_NOT_ALLOWED".to_owned()),
            "{method}"
        );
    }
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn bodies_are_one_small_object() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let large =
        json!({ "query": "{ a }", "variables": { "a": "x".repeat(limits::BODY_BYTES_MAX) } });
    for (body, status, code, reason) in [
        (
            format!("[{QUERY}]"),
            400,
            "INVALID_ARGUMENT",
            "BATCH_REFUSED",
        ),
        ("[]".to_owned(), 400, "INVALID_ARGUMENT", "BATCH_REFUSED"),
        ("{".to_owned(), 400, "INVALID_ARGUMENT", "BODY_BROKEN"),
        (String::new(), 400, "INVALID_ARGUMENT", "BODY_BROKEN"),
        (
            "{\"query\":7}".to_owned(),
            400,
            "INVALID_ARGUMENT",
            "BODY_BROKEN",
        ),
        (
            large.to_string(),
            413,
            "RESOURCE_EXHAUSTED",
            "BODY_TOO_LARGE",
        ),
    ] {
        let answer = wire::http1(posted(&gateway, Some(&gateway.keys.token()), body.clone())).await;
        assert_eq!(answer.status(), status, "{body:.40}");
        refused(&wire::json(&answer), code, reason);
    }
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn clients_that_know_better_get_a_status_of_their_own() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let graphql = "application/graphql-response+json";
    for (query, accept, status) in [
        ("{ nothing }", graphql, 400),
        ("{ nothing }", "application/json", 200),
        ("{ account(id: \\\"broken\\\") { id } }", graphql, 200),
    ] {
        let body = format!("{{\"query\":\"{query}\"}}");
        let mut request = posted(&gateway, Some(&gateway.keys.token()), body);
        request
            .headers_mut()
            .insert("accept", accept.parse().expect("a value"));
        let answer = wire::http1(request).await;
        assert_eq!(answer.status(), status, "{query} {accept}");
        assert_eq!(answer.headers()[CONTENT_TYPE], accept);
        assert!(wire::json(&answer)["errors"].is_array());
    }
}

#[tokio::test]
async fn an_operation_is_chosen_by_its_name() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = "query A { account(id: \"a1\") { id } } query B { import(id: \"i1\") { id } }";
    for (name, answer) in [
        (json!("B"), json!({ "data": { "import": { "id": "i1" } } })),
        (json!("C"), Value::Null),
        (json!(null), Value::Null),
    ] {
        let body = json!({ "query": query, "operationName": name }).to_string();
        let told = wire::http1(posted(&gateway, Some(&gateway.keys.token()), body)).await;
        let told = wire::json(&told);
        match answer {
            Value::Null => refused(&told, "INVALID_ARGUMENT", "QUERY_INVALID"),
            answer => assert_eq!(told, answer),
        }
    }
}

#[tokio::test]
async fn browsers_may_ask_from_the_configured_origins_only() {
    let backend = Backend::start().await;
    let allowed = "https://app.example.org";
    let gateway = Gateway::with(&[backend.address, backend.address], |config| {
        config.cors_origins = vec![allowed.parse().expect("an origin")];
    })
    .await;
    for (origin, may) in [(allowed, true), ("https://evil.example", false)] {
        let preflight = Request::builder()
            .method(Method::OPTIONS)
            .uri(gateway.uri("/graphql"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            );
        let answer = wire::http1(preflight.body(Body::empty()).expect("a request")).await;
        let header = answer.headers().get("access-control-allow-origin");
        assert_eq!(header.is_some(), may, "{origin}");
        // The refusal of a page's token can be read by it too.
        let mut request = posted(&gateway, None, QUERY.to_owned());
        request
            .headers_mut()
            .insert("origin", origin.parse().expect("a value"));
        let answer = wire::http1(request).await;
        assert_eq!(
            answer.headers().contains_key("access-control-allow-origin"),
            may
        );
    }
}
