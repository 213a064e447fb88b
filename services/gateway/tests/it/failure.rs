//! What a client is told when a call does not come to its own end.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body};
use http::{Request, header::CONTENT_TYPE};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};
use tonic::Code;

use djinn_proto::{
    imports::v1::{WatchImportResponse, import_service_client::ImportServiceClient},
    sync::v1::GetAccountRequest,
};

use crate::{
    backend::{Backend, HANG, MISSING},
    edge::{Gateway, SOON, request},
    grpc::{get, reason, watch},
    keys::now,
    wire,
};

#[tokio::test]
async fn a_service_that_is_away_is_unavailable_at_once() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], djinn_chassis::testing::free_port()));
    let gateway = Gateway::before(nobody).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let began = Instant::now();
    let refused = client
        .get_import(gateway.request(get("any")))
        .await
        .expect_err("away");
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reason(&refused), "SERVICE_UNAVAILABLE");
    let refused = client
        .watch_import(gateway.request(watch()))
        .await
        .expect_err("away");
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_service_that_hangs_exceeds_the_deadline() {
    let backend = Backend::start().await;
    // Accepts connections and never says a word on them.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent_address = silent.local_addr().expect("bound");
    let gateway = Gateway::with(&[backend.address, silent_address], |_| {}).await;

    let web = async |path: &str, message: bytes::Bytes| {
        let asked = Request::post(gateway.uri(path))
            .header("authorization", format!("Bearer {}", gateway.keys.token()))
            .header(CONTENT_TYPE, "application/grpc-web+proto")
            .header("grpc-timeout", "300m")
            .body(Body::from(message));
        let (_, trailers) = wire::web(&wire::http1(asked.expect("a request")).await);
        trailers["grpc-status"].clone()
    };
    // By hand, because a tonic client would keep the deadline itself.
    let began = Instant::now();
    assert_eq!(web(wire::GET_IMPORT, wire::frame(&get(HANG))).await, "4");
    let get_account = "/djinn.sync.v1.LedgerService/GetAccount";
    assert_eq!(
        web(get_account, wire::frame(&GetAccountRequest::default())).await,
        "4"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let exp = serde_json::json!({ "exp": now() + 2 });
    let asked = request(&gateway.keys.token_with(exp), watch());
    let mut client = ImportServiceClient::new(gateway.channel());
    let mut updates = client
        .watch_import(asked)
        .await
        .expect("a stream")
        .into_inner();
    backend
        .watch
        .send(Ok(WatchImportResponse::default()))
        .await
        .expect("sent");
    updates.message().await.expect("fine").expect("a message");
    let end = timeout(SOON, updates.message()).await.expect("an end");
    let end = end.expect_err("not a clean end");
    assert_eq!(
        (end.code(), reason(&end)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
    timeout(SOON, backend.watch.closed())
        .await
        .expect("the service hears of it");
}

#[tokio::test]
async fn a_service_that_dies_mid_stream_ends_it_unavailable() {
    let backend = Backend::start().await;
    let gateway = Gateway::with(&[broken_off().await, backend.address], |_| {}).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let refused = client
        .get_import(gateway.request(get("any")))
        .await
        .expect_err("broken off");
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reason(&refused), "SERVICE_UNAVAILABLE");
}

/// A service that ends its answers without a status.
async fn broken_off() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let app = Router::new().fallback(async || [(CONTENT_TYPE, "application/grpc")]);
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    address
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_by_its_prefix() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let long = "x".repeat(djinn_gateway::domain::limits::MESSAGE_BYTES_MAX);
    let mut client = ImportServiceClient::new(gateway.channel());
    let refused = client
        .get_import(gateway.request(get(&long)))
        .await
        .expect_err("too large");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_refusal_without_messages_ends_in_its_header() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let client = wire::client2();
    for (token, code) in [(true, "5"), (false, "16")] {
        let mut asked = Request::post(gateway.uri(wire::GET_IMPORT));
        if token {
            asked = asked.header("authorization", format!("Bearer {}", gateway.keys.token()));
        }
        let asked = asked
            .header(CONTENT_TYPE, "application/grpc")
            .body(Body::from(wire::frame(&get(MISSING))))
            .expect("a request");
        let answer = client.request(asked).await.expect("an answer");
        assert_eq!(answer.headers()["grpc-status"], code);
        // Other clients than tonic need this.
        assert!(
            http_body::Body::is_end_stream(answer.body()),
            "status {code}"
        );
    }
}
