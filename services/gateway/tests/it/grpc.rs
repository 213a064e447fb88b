//! Calls through the gateway: what crosses it, in all four kinds.

use std::net::SocketAddr;

use axum::{Router, body::Body, response::Response};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, IntoStreamingRequest, metadata::MetadataValue};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use djinn_proto::{
    imports::v1::{
        GetImportRequest, UploadHeader, UploadStatementRequest, WatchImportRequest,
        WatchImportResponse, import_service_client::ImportServiceClient,
        upload_statement_request::Part,
    },
    sync::v1::{GetAccountRequest, ledger_service_client::LedgerServiceClient},
};

use crate::{
    backend::{Backend, MISSING, Seen},
    edge::{Gateway, SOON, request},
    wire,
};

pub(crate) fn get(id: &str) -> GetImportRequest {
    GetImportRequest {
        import_id: id.to_owned(),
    }
}

pub(crate) fn watch() -> WatchImportRequest {
    WatchImportRequest {
        import_id: "any".to_owned(),
    }
}

fn chunk(bytes: &'static [u8]) -> UploadStatementRequest {
    UploadStatementRequest {
        part: Some(Part::Chunk(bytes.into())),
    }
}

#[tokio::test]
async fn each_package_reaches_its_service() {
    let (imports, sync) = (Backend::start().await, Backend::start().await);
    let gateway = Gateway::with(&[imports.address, sync.address], |_| {}).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let answer = client.get_import(gateway.request(get("one"))).await;
    let import = answer.expect("an answer").into_inner().import;
    assert_eq!(import.expect("an import").import_id, "one");
    assert_eq!((imports.calls().len(), sync.calls().len()), (1, 0));

    let asked = gateway.request(GetAccountRequest {
        account_id: "a".to_owned(),
    });
    let mut client = LedgerServiceClient::new(gateway.channel());
    let answer = client.get_account(asked).await;
    let account = answer.expect("an answer").into_inner().account;
    assert_eq!(account.expect("an account").account_id, "a");
    assert_eq!((imports.calls().len(), sync.calls().len()), (1, 1));
}

#[tokio::test]
async fn metadata_crosses_and_what_is_internal_does_not() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let forged = ["x-djinn-user", "djinn-internal", "x-forwarded-for"];
    let mut asked = gateway.request(get("one"));
    let metadata = asked.metadata_mut();
    for name in forged.into_iter().chain(["x-note", "x-request-id"]) {
        metadata.insert(name, "from the client".parse().expect("a value"));
    }
    metadata.insert_bin("note-bin", MetadataValue::from_bytes(&[0, 255]));
    let mut client = ImportServiceClient::new(gateway.channel());
    let answer = client.get_import(asked).await.expect("an answer");

    let seen = backend.calls().pop().expect("a call");
    let text = |name: &str| Some(seen.get(name)?.to_str().expect("text").to_owned());
    assert_eq!(text("x-note").as_deref(), Some("from the client"));
    let binary = seen.get_bin("note-bin").expect("metadata").to_bytes();
    assert_eq!(binary.expect("binary"), &[0, 255][..]);
    assert!(
        text("authorization")
            .expect("a token")
            .starts_with("Bearer ")
    );
    for name in forged {
        assert_eq!(text(name), None, "{name}");
    }
    // The default deadline is passed on, less what the gateway took.
    let deadline = text("grpc-timeout").expect("a deadline");
    let micros: u64 = deadline
        .trim_end_matches('u')
        .parse()
        .expect("microseconds");
    assert!((8_000_000..=10_000_000).contains(&micros), "{deadline}");

    let told = answer.metadata();
    assert_eq!(told.get("x-answer").expect("metadata"), "yes");
    assert!(told.get("access-control-allow-origin").is_none());
    // One id for this request, which the client cannot choose.
    let id = told.get("x-request-id").expect("an id");
    assert_eq!(seen.get("x-request-id"), Some(id));
    assert_ne!(id, "from the client");
}

#[tokio::test]
async fn a_refusal_crosses_with_its_details_and_metadata() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let asked = gateway.request(get(MISSING));
    let refused = ImportServiceClient::new(gateway.channel())
        .get_import(asked)
        .await;
    let refused = refused.expect_err("a refusal");
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::NotFound, "no such import")
    );
    assert_eq!(
        refused.metadata().get("x-why").expect("metadata"),
        "because"
    );
    let details = refused.get_error_details();
    assert_eq!(
        details.error_info().expect("a reason").reason,
        "IMPORT_UNKNOWN"
    );
    let violations = &details.bad_request().expect("fields").field_violations;
    assert_eq!(violations[0].field, "import_id");
}

#[tokio::test]
async fn a_service_streams_message_by_message_and_hears_when_the_client_goes() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let mut updates = client
        .watch_import(gateway.request(watch()))
        .await
        .expect("a stream")
        .into_inner();
    for _ in 0..3 {
        // The next is sent only after the last has arrived.
        backend
            .watch
            .send(Ok(WatchImportResponse::default()))
            .await
            .expect("sent");
        let update = timeout(SOON, updates.next())
            .await
            .expect("at once")
            .expect("a message");
        update.expect("a message");
    }
    drop(updates);
    timeout(SOON, backend.watch.closed())
        .await
        .expect("the service hears of it");
}

#[tokio::test]
async fn a_client_streams_and_a_given_up_upload_is_broken_not_whole() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let header = UploadHeader {
        request_id: "r".to_owned(),
        file_name: "f".to_owned(),
        size_bytes: 0,
    };
    let header = UploadStatementRequest {
        part: Some(Part::Header(header)),
    };
    let mut client = ImportServiceClient::new(gateway.channel());

    let whole = futures::stream::iter([header.clone(), chunk(b"\0\0"), chunk(b"\0")]);
    let stored = client
        .upload_statement(gateway.request(whole))
        .await
        .expect("stored");
    assert_eq!(stored.into_inner().upload.expect("an upload").size_bytes, 3);
    assert!(matches!(
        backend.uploads.recv().await,
        Some(Seen::Began {
            authorization: true,
            ..
        })
    ));
    assert_eq!(backend.uploads.recv().await, Some(Seen::More));
    assert_eq!(
        backend.uploads.recv().await,
        Some(Seen::Whole {
            bytes: 3,
            zeros: true
        })
    );

    let (sender, queue) = mpsc::channel(4);
    let asked = gateway.request(ReceiverStream::new(queue));
    let call = tokio::spawn(async move { client.upload_statement(asked).await });
    sender.send(header).await.expect("sent");
    sender.send(chunk(b"\0")).await.expect("sent");
    assert!(matches!(
        backend.uploads.recv().await,
        Some(Seen::Began { .. })
    ));
    // The message has arrived before the stream was ended.
    assert_eq!(backend.uploads.recv().await, Some(Seen::More));
    call.abort();
    let seen = timeout(SOON, backend.uploads.recv())
        .await
        .expect("the service hears of it");
    assert!(matches!(seen, Some(Seen::Broken(_))), "{seen:?}");
}

/// A service that sends every frame back as it comes: both directions at one time.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let app = Router::new().fallback(async |request: axum::extract::Request| {
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        let frames = request
            .into_body()
            .into_data_stream()
            .map(|data| data.map(Frame::data));
        let end = futures::stream::iter([Ok(Frame::trailers(trailers))]);
        let mut response = Response::new(Body::new(StreamBody::new(frames.chain(end))));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        response
    });
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    address
}

#[tokio::test]
async fn both_directions_flow_at_one_time() {
    let gateway = Gateway::before(echo().await).await;
    let (sender, queue) = mpsc::channel(1);
    let mut client = tonic::client::Grpc::new(gateway.channel());
    client.ready().await.expect("a connection");
    let asked = request(&gateway.keys.token(), ReceiverStream::new(queue));
    let codec = ProstCodec::<UploadStatementRequest, UploadStatementRequest>::default();
    sender.send(chunk(b"first")).await.expect("sent");
    let path = wire::UPLOAD.parse().expect("a path");
    let answer = client
        .streaming(asked.into_streaming_request(), path, codec)
        .await;
    let mut answer = answer
        .expect("an answer before the end of the request")
        .into_inner();
    for next in [&b"second"[..], b"third"] {
        timeout(SOON, answer.message())
            .await
            .expect("at once")
            .expect("fine")
            .expect("a message");
        sender.send(chunk(next)).await.expect("sent");
    }
    drop(sender);
    assert_eq!(answer.message().await.expect("fine"), Some(chunk(b"third")));
    assert_eq!(answer.message().await.expect("a clean end"), None);
}

pub(crate) fn reason(status: &tonic::Status) -> String {
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}
