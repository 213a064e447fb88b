//! How often who may call what, in every dialect, and over all gateways.

mod outage;

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use djinn_chassis::{
    cache,
    testing::{stack, user},
};
use djinn_gateway::{Config, Limits};
use djinn_proto::imports::v1::{
    CancelImportRequest, import_service_client::ImportServiceClient as Imports,
};

use crate::{
    backend::Backend,
    edge::{Gateway, request},
    graphql::{Client, REQUEST, posted, refusal},
    grpc::{get, reason, watch},
    wire,
};

/// The same for every class.
pub(crate) fn limits(quota: &str) -> Limits {
    let quota = quota.parse().expect("a quota");
    Limits {
        reads: quota,
        writes: quota,
        uploads: quota,
        chunks: quota,
        links: quota,
        strangers: quota,
    }
}

pub(crate) fn redis(url: &str) -> cache::Config {
    let url = Some(url.parse().expect("a URL"));
    cache::Config { url }
}

/// A gateway with these limits, counted in this Redis or by itself.
async fn limited(backend: &Backend, quota: &str, url: Option<&str>) -> Gateway {
    let edit = |config: &mut Config| {
        config.limits = limits(quota);
        config.cache = url.map_or_else(|| redis(""), redis);
    };
    Gateway::with(&[backend.address, backend.address], edit).await
}

/// A token of a user who is known by the same id elsewhere.
fn token(gateway: &Gateway, sub: &str) -> String {
    gateway.keys.token_with(json!({ "sub": sub }))
}

/// A read, and what the answer tells of the limit.
async fn read(gateway: &Gateway, token: &str) -> Result<HeaderMap, Status> {
    let asked = request(token, get("one"));
    let answer = Imports::new(gateway.channel()).get_import(asked).await?;
    Ok(answer.metadata().clone().into_headers())
}

async fn write(gateway: &Gateway, token: &str) -> Result<(), Status> {
    let (import_id, request_id) = ("one".to_owned(), REQUEST.to_owned());
    let cancel = CancelImportRequest {
        import_id,
        request_id,
    };
    let asked = request(token, cancel);
    Imports::new(gateway.channel()).cancel_import(asked).await?;
    Ok(())
}

/// When the next call may pass, by a refusal that tells it.
#[track_caller]
fn retry(refused: &Status) -> Duration {
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(reason(refused), "RATE_LIMITED");
    let details = refused.get_error_details();
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    let retry = retry.expect("a time");
    assert!(!retry.is_zero() && retry <= MINUTE, "{retry:?}");
    retry
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn calls_pass_with_headers_and_one_too_many_is_told_when_to_come_again() {
    let backend = Backend::start().await;
    let gateway = limited(&backend, "3+1/min", Some(&stack().redis_url)).await;
    let token = gateway.keys.token();
    for left in [2, 1, 0] {
        let headers = read(&gateway, &token).await.expect("an answer");
        assert_eq!(headers["ratelimit-policy"], "\"reads\";q=3;w=180");
        let told = headers["ratelimit"].to_str().expect("text");
        assert!(
            told.starts_with(&format!("\"reads\";r={left};t=")),
            "{told}"
        );
    }
    let refused = read(&gateway, &token).await.expect_err("one too many");
    retry(&refused);
    let told = refused.metadata().get("ratelimit").expect("told");
    assert!(told.to_str().expect("text").starts_with("\"reads\";r=0;t="));
    assert_eq!(backend.calls().len(), 3, "the service does not hear of it");
    // Another kind of call and another user have limits of their own.
    write(&gateway, &token).await.expect("another class");
    read(&gateway, &gateway.keys.token())
        .await
        .expect("another user");
}

#[tokio::test]
async fn gateways_share_one_limit() {
    let backend = Backend::start().await;
    let url = Some(&*stack().redis_url);
    let (one, other) = (
        limited(&backend, "4+1/min", url).await,
        limited(&backend, "4+1/min", url).await,
    );
    let sub = user().to_string();
    let tokens = [token(&one, &sub), token(&other, &sub)];
    for _ in 0..2 {
        read(&one, &tokens[0]).await.expect("an answer");
        read(&other, &tokens[1]).await.expect("an answer");
    }
    retry(&read(&one, &tokens[0]).await.expect_err("one too many"));
    retry(&read(&other, &tokens[1]).await.expect_err("one too many"));
}

#[tokio::test]
async fn streams_count_when_they_begin() {
    let backend = Backend::start().await;
    let gateway = limited(&backend, "1+1/min", None).await;
    let token = gateway.keys.token();
    let mut client = Imports::new(gateway.channel());
    let updates = client.watch_import(request(&token, watch())).await;
    let mut updates = updates.expect("a stream").into_inner();
    for _ in 0..5 {
        backend
            .watch
            .send(Ok(Default::default()))
            .await
            .expect("sent");
        updates.message().await.expect("fine").expect("a message");
    }
    let refused = client.watch_import(request(&token, watch())).await;
    retry(&refused.expect_err("one too many"));
}

#[tokio::test]
async fn plain_http_is_refused_with_429() {
    let backend = Backend::start().await;
    let gateway = limited(&backend, "2+1/min", None).await;
    let bearer = format!("Bearer {}", gateway.keys.token());
    let upload = || {
        let request = Request::post(gateway.uri("/v1/statements"));
        let request = request.header("authorization", &bearer);
        wire::http1(request.body(Body::from("a;b")).expect("a request"))
    };
    for left in [1, 0] {
        let answer = upload().await;
        assert_eq!(answer.status(), 201);
        let told = answer.headers()["ratelimit"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(
            told.starts_with(&format!("\"uploads\";r={left};t=")),
            "{told}"
        );
    }
    let answer = upload().await;
    assert_eq!(wire::refusal(&answer), (429, "RATE_LIMITED".to_owned()));
    let after = answer.headers()["retry-after"].to_str().expect("text");
    let after: u64 = after.parse().expect("seconds");
    assert!((1..=60).contains(&after), "{after}");
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        "\"uploads\";q=2;w=120"
    );

    // Chunks count by themselves: a file that has begun can go on.
    let chunk = |number| {
        let path = format!("/v1/uploads/u1/chunks/{number}");
        let request = Request::put(gateway.uri(&path)).header("authorization", &bearer);
        wire::http1(request.body(Body::from("a;b")).expect("a request"))
    };
    for number in 0..2 {
        // Without its hash a chunk is refused, but not for its rate.
        assert_eq!(chunk(number).await.status(), 400);
    }
    assert_eq!(chunk(2).await.status(), 429);
}

#[tokio::test]
async fn a_graph_is_refused_whole() {
    let backend = Backend::start().await;
    let gateway = limited(&backend, "2+1/min", None).await;
    let token = gateway.keys.token();
    let ask = async |query: &str| {
        let body = json!({ "query": query }).to_string();
        wire::http1(posted(&gateway, Some(&token), body)).await
    };
    let accounts = "{ accounts(first: 1) { nodes { name } } }";
    let answer = ask(accounts).await;
    assert_eq!(wire::json(&answer)["errors"], Value::Null);
    let told = answer.headers()["ratelimit"].to_str().expect("text");
    assert!(told.starts_with("\"reads\";r=1;t="), "{told}");
    // What is no document makes work, too.
    assert_eq!(
        wire::json(&ask("{").await)["errors"][0]["extensions"]["reason"],
        "QUERY_INVALID"
    );
    let answer = ask(accounts).await;
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    let errors = wire::json(&answer);
    let named = ("RESOURCE_EXHAUSTED".to_owned(), "RATE_LIMITED".to_owned());
    assert_eq!(refusal(&errors), named);
    let millis = errors["errors"][0]["extensions"]["retryAfterMs"].as_u64();
    assert!(
        millis.is_some_and(|millis| (1..=60_000).contains(&millis)),
        "{errors}"
    );
    // Each thing that a mutation does counts.
    let input = format!("importId: \"one\", requestId: \"{REQUEST}\"");
    let cancel = |name: &str| format!("{name}: cancelImport(input: {{ {input} }}) {{ id }}");
    let three = ["a", "b", "c"].map(cancel).join(" ");
    let two = ["a", "b"].map(cancel).join(" ");
    assert_eq!(ask(&format!("mutation {{ {two} }}")).await.status(), 200);
    assert_eq!(ask(&format!("mutation {{ {three} }}")).await.status(), 429);
}

#[tokio::test]
async fn operations_on_a_web_socket_count_one_by_one() {
    let backend = Backend::start().await;
    let gateway = limited(&backend, "2+1/min", None).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    for id in ["1", "2"] {
        client.subscribe(id, "{ __typename }").await;
        client.next("next", id).await;
        client.next("complete", id).await;
    }
    let follow = "subscription { importProgress(importId: \"one\") { id } }";
    for (id, query) in [("3", "{ __typename }"), ("4", follow)] {
        client.subscribe(id, query).await;
        let errors = client.next("error", id).await;
        let reason = &errors[0]["extensions"]["reason"];
        assert_eq!(reason, "RATE_LIMITED", "{errors}");
    }
}

#[tokio::test]
async fn strangers_are_counted_by_address_and_harm_nobody_who_is_known() {
    let backend = Backend::start().await;
    let edit = |config: &mut Config| {
        config.limits = limits("2+1/min");
        config.proxies = 1;
    };
    let gateway = Gateway::with(&[backend.address, backend.address], edit).await;
    let try_from = async |address: &str| {
        let request = Request::get(gateway.uri("/v1/imports/one/errors.csv"));
        let request = request.header("x-forwarded-for", address);
        let request = request.header("authorization", "Bearer none");
        wire::http1(request.body(Body::empty()).expect("a request")).await
    };
    for _ in 0..2 {
        let answer = try_from("203.0.113.1, 198.51.100.7").await;
        assert_eq!(wire::refusal(&answer), (401, "TOKEN_INVALID".to_owned()));
    }
    let answer = try_from("203.0.113.2, 198.51.100.7").await;
    assert_eq!(wire::refusal(&answer), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(
        try_from("198.51.100.8").await.status(),
        401,
        "another address"
    );
    let bearer = format!("Bearer {}", gateway.keys.token());
    let known = Request::get(gateway.uri("/v1/imports/one/errors.csv"))
        .header("x-forwarded-for", "198.51.100.7")
        .header("authorization", bearer);
    let answer = wire::http1(known.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status(), 200);
}
