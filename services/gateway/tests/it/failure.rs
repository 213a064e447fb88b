//! What a client is told when a call does not come to its own end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, timeout},
};
use tonic::Code;
use tonic_types::StatusExt;
use tracing::{
    Subscriber,
    span::{self, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use djinn_chassis::testing::{eventually, free_port};
use djinn_gateway::domain::limits;
use djinn_proto::{
    imports::v1::{
        UploadHeader, UploadStatementRequest, WatchImportResponse,
        import_service_client::ImportServiceClient, upload_statement_request::Part,
    },
    sync::v1::GetAccountRequest,
};

use crate::{
    backend::{Backend, HANG, MISSING, STALL},
    edge::{Gateway, SOON, request},
    grpc::{get, reason, watch},
    keys::now,
    wire,
};

#[tokio::test]
async fn a_service_that_is_away_is_unavailable_at_once() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
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
    let long = "x".repeat(limits::MESSAGE_BYTES_MAX);
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

/// Calls that hang, one user's share of them, until dropped.
async fn fill(gateway: &Gateway, backend: &Backend, token: &str) -> JoinSet<()> {
    let (mut calls, before) = (JoinSet::new(), backend.calls().len());
    for _ in 0..limits::USER_CALLS_MAX {
        let mut client = ImportServiceClient::new(gateway.channel());
        let token = token.to_owned();
        // A place may still be held for a moment by a call that was just answered.
        calls.spawn(async move {
            while client.get_import(request(&token, get(HANG))).await.is_err() {}
        });
    }
    let all = before + limits::USER_CALLS_MAX;
    eventually("all calls have arrived", SOON, async || {
        (backend.calls().len() == all).then_some(())
    })
    .await;
    calls
}

#[tokio::test]
async fn a_user_has_a_share_of_the_places_and_streams_have_their_own() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let tokens = [(); 3].map(|()| gateway.keys.token());
    let mut first = fill(&gateway, &backend, &tokens[0]).await;
    let refused = client.get_import(request(&tokens[0], get("one"))).await;
    let refused = refused.expect_err("no place for this user");
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::ResourceExhausted, "TOO_MANY_CALLS".to_owned()));
    let answer = client.get_import(request(&tokens[1], get("one"))).await;
    answer.expect("a place for another user");

    let _second = fill(&gateway, &backend, &tokens[1]).await;
    let refused = client.get_import(request(&tokens[2], get("one"))).await;
    let refused = refused.expect_err("no place at all");
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::Unavailable, "OVERLOADED".to_owned()));
    let retry = refused.get_details_retry_info().expect("a time");
    assert_eq!(retry.retry_delay, Some(limits::LANE_RETRY));
    // In every language, whoever asks: nobody's token is looked at.
    for kind in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web+proto",
    ] {
        let asked = Request::post(gateway.uri(wire::GET_IMPORT))
            .header(CONTENT_TYPE, kind)
            .body(Body::from(wire::frame(&get("one"))));
        let answer = wire::http2(asked.expect("a request")).await;
        let (messages, head) = wire::web(&answer);
        assert_eq!(messages.len(), 0, "{kind}");
        assert_eq!(head["grpc-status"], "14", "{kind}");
        assert!(head.contains_key("grpc-status-details-bin"), "{kind}");
        assert_eq!(head["x-request-id"].len(), 36, "{kind}");
    }
    let updates = client.watch_import(request(&tokens[2], watch())).await;
    updates.expect("streams have their own places");

    first.shutdown().await;
    eventually("the places come back", SOON, async || {
        let answer = client.get_import(request(&tokens[0], get("one"))).await;
        answer.ok()
    })
    .await;
}

/// Counts the spans that the gateway opens on this thread while its guard lives.
#[derive(Clone, Default)]
struct Spans(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, span: &span::Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let ours = span.metadata().target().starts_with("djinn_gateway");
        self.0.fetch_add(usize::from(ours), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn nothing_is_made_for_a_call_without_a_place() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut held = Vec::new();
    for _ in 0..limits::LANE_CALLS_MAX / limits::USER_CALLS_MAX {
        held.push(fill(&gateway, &backend, &gateway.keys.token()).await);
    }
    let ask = async |kind: &str| {
        let asked = Request::post(gateway.uri(wire::GET_IMPORT))
            .header(CONTENT_TYPE, kind)
            .body(Body::from(wire::frame(&get("one"))));
        wire::http2(asked.expect("a request")).await;
    };
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    // The proxy refuses what is no native gRPC, with a span: so spans are seen here. What opens
    // one may have asked the thread of another test, which counts none, whether any are wanted,
    // and keep to that for all threads until it asks again.
    eventually("a span that is seen", SOON, async || {
        tracing::callsite::rebuild_interest_cache();
        ask("application/grpc-web+proto").await;
        (spans.0.swap(0, Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    ask("application/grpc").await;
    assert_eq!(spans.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn many_calls_on_one_connection_do_not_wear_it_out() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    // h2 closes a connection after a hundred empty frames that are not the last of their stream,
    // which is what a proxy makes of a client's empty last one if it just passes it on.
    for call in 0..250 {
        let answer = client.get_import(gateway.request(get("one"))).await;
        assert!(answer.is_ok(), "call {call}: {answer:?}");
    }
}

#[tokio::test]
async fn uploads_cannot_break_the_connection_that_others_share() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let updates = client.watch_import(gateway.request(watch())).await;
    let mut updates = updates.expect("a stream").into_inner();

    // The service does not read, and h2 closes a connection on which about two thousand small
    // frames pile up: one of these uploads is below that, all of them are above.
    let mut uploads = JoinSet::new();
    for _ in 0..4 {
        let header = Part::Header(UploadHeader {
            request_id: STALL.to_owned(),
            file_name: String::new(),
            size_bytes: 0,
        });
        let chunks = (0..1_000).map(|_| Part::Chunk(Bytes::from_static(b"x")));
        let frames: Vec<_> = [header]
            .into_iter()
            .chain(chunks)
            .map(|part| wire::frame(&UploadStatementRequest { part: Some(part) }))
            .map(|message| Ok::<_, Infallible>(Frame::data(message)))
            .collect();
        let asked = Request::post(gateway.uri(wire::UPLOAD))
            .header("authorization", format!("Bearer {}", gateway.keys.token()))
            .header(CONTENT_TYPE, "application/grpc")
            .body(Body::new(StreamBody::new(futures::stream::iter(frames))));
        uploads.spawn(wire::http2(asked.expect("a request")));
        let began = timeout(SOON, backend.uploads.recv()).await;
        began
            .expect("the upload has begun")
            .expect("by the backend");
    }
    for _ in 0..3 {
        let update = Ok(WatchImportResponse::default());
        backend
            .watch
            .send(update)
            .await
            .expect("the service is heard");
        let update = timeout(SOON, updates.message()).await.expect("at once");
        update.expect("the stream lives").expect("a message");
    }
}
