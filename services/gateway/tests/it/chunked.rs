//! `/v1/uploads`: begun, its chunks sent, asked for; wrong, refused, too large and broken off.

use std::{convert::Infallible, net::SocketAddr};

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response, header::CONTENT_LENGTH, request};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use djinn_chassis::testing::free_port;
use djinn_gateway::domain::limits::UPLOAD_CHUNK_BYTES_MAX;

use crate::{
    backend::{Backend, CONFLICT, MISSING, STALL, STORED, Seen},
    edge::{Gateway, SOON},
    keys::now,
    wire,
};

const MIB: u64 = 1024 * 1024;

/// A hash, as the header and as the service has it.
fn digest() -> (String, String) {
    let hash: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).expect("a byte"));
    let hex = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("sha-256=:{}:", STANDARD.encode(hash)), hex)
}

fn with_token(gateway: &Gateway, request: request::Builder) -> request::Builder {
    request.header("authorization", format!("Bearer {}", gateway.keys.token()))
}

fn put(gateway: &Gateway, upload_id: &str, number: &str) -> request::Builder {
    let uri = gateway.uri(&format!("/v1/uploads/{upload_id}/chunks/{number}"));
    with_token(gateway, Request::put(uri)).header("content-digest", digest().0)
}

fn post(gateway: &Gateway) -> request::Builder {
    with_token(gateway, Request::post(gateway.uri("/v1/uploads")))
}

/// Zeros without a length, made while they are sent.
fn zeros(mib: u64) -> Body {
    let piece = Bytes::from(vec![0; usize::try_from(MIB).expect("small")]);
    Body::from_stream(stream::iter(0..mib).map(move |_| Ok::<_, Infallible>(piece.clone())))
}

async fn send(request: request::Builder, body: impl Into<Body>) -> Response<Bytes> {
    wire::http1(request.body(body.into()).expect("a request")).await
}

async fn seen(backend: &mut Backend) -> Seen {
    let next = async {
        loop {
            match backend.uploads.recv().await {
                Some(Seen::More) => {}
                seen => break seen.expect("the backend lives"),
            }
        }
    };
    timeout(SOON, next).await.expect("the service hears of it")
}

fn header_of(upload_id: &str, number: i32, size_bytes: i64) -> Seen {
    Seen::Chunk {
        upload_id: upload_id.to_owned(),
        number,
        sha256: digest().1,
        size_bytes,
        authorization: true,
    }
}

#[tokio::test]
async fn an_upload_is_begun_and_asked_for_in_the_json_of_the_protos() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let hash = digest().1;
    for (body, key, id, size) in [
        (
            json!({ "request_id": "a", "size_bytes": 5 }),
            None,
            "a",
            "5",
        ),
        (
            json!({ "requestId": "b", "sizeBytes": "6" }),
            None,
            "b",
            "6",
        ),
        (json!({ "size_bytes": 7 }), Some("\"c\""), "c", "7"),
        (
            json!({ "request_id": "d", "size_bytes": 8, "file_name": "märz.csv", "sha256": hash }),
            Some("d"),
            "d",
            "8",
        ),
    ] {
        let mut request = post(&gateway);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = send(request, body.to_string()).await;
        assert_eq!(answer.status(), 201, "{answer:?}");
        let told = wire::json(&answer);
        assert_eq!(told["uploadId"], format!("of {id}"));
        assert_eq!(told["chunkSizeBytes"], "8388608");
        assert_eq!(told["chunkCount"], 3);
        let asked = backend.asked("BeginUpload").pop().expect("asked");
        assert_eq!(
            (&asked["requestId"], &asked["sizeBytes"]),
            (&json!(id), &json!(size))
        );
    }
    let asked = backend.asked("BeginUpload").pop().expect("asked");
    assert_eq!(
        (&asked["fileName"], &asked["sha256"]),
        (&json!("märz.csv"), &json!(hash))
    );
    let bare = send(post(&gateway), json!({ "size_bytes": 1 }).to_string()).await;
    let id = wire::json(&bare)["uploadId"].as_str().map(str::len);
    assert_eq!(id, Some("of ".len() + 36), "an id is given");

    let get = with_token(&gateway, Request::get(gateway.uri("/v1/uploads/u-1")));
    let answer = send(get, Body::empty()).await;
    assert_eq!(answer.status(), 200);
    let told = wire::json(&answer);
    assert_eq!(told["receivedChunks"], json!([0, 1, 2]));
    assert_eq!(told["upload"]["uploadId"], "u-1");
    let missing = format!("/v1/uploads/{MISSING}");
    let get = with_token(&gateway, Request::get(gateway.uri(&missing)));
    let answer = send(get, Body::empty()).await;
    assert_eq!(answer.status(), 404, "{answer:?}");
}

#[tokio::test]
async fn a_beginning_that_cannot_be_read_is_refused() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for body in [
        "",
        "[]",
        "{",
        "{\"size_bytes\": \"many\"}",
        "{\"size_bytes\": 1.5}",
        "{\"size_bytes\": 1, \"other\": 2}",
        "{\"sha256\": 5}",
    ] {
        let answer = send(post(&gateway), body).await;
        assert_eq!(
            wire::refusal(&answer),
            (400, "FORM_INVALID".to_owned()),
            "{body}"
        );
    }
    let clash = post(&gateway).header("idempotency-key", "b");
    let answer = send(clash, "{\"request_id\": \"a\", \"size_bytes\": 1}").await;
    assert_eq!(wire::json(&answer)["field"], "request_id");
    let large = format!("{{\"file_name\": \"{}\"}}", "x".repeat(9_000));
    let answer = send(post(&gateway), large).await;
    assert_eq!(wire::refusal(&answer), (413, "BODY_TOO_LARGE".to_owned()));
    let naked = Request::post(gateway.uri("/v1/uploads"));
    let answer = send(naked, "{}").await;
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_MISSING".to_owned()));
    assert!(backend.asked("BeginUpload").is_empty());
}

#[tokio::test]
async fn a_chunk_is_passed_on_as_it_comes_with_what_its_headers_say() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let answer = send(put(&gateway, "u-1", "2"), "abc").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(wire::json(&answer)["receivedChunks"], json!([0, 1, 2]));
    assert_eq!(seen(&mut backend).await, header_of("u-1", 2, 3));
    let whole = |bytes, zeros| Seen::Whole { bytes, zeros };
    assert_eq!(seen(&mut backend).await, whole(3, false));
    // Without a length, over HTTP/2.
    let request = put(&gateway, "u-2", "0").body(zeros(8)).expect("a request");
    assert_eq!(wire::http2(request).await.status(), 200);
    assert_eq!(seen(&mut backend).await, header_of("u-2", 0, 0));
    assert_eq!(seen(&mut backend).await, whole(8 * MIB, true));
}

#[tokio::test]
async fn a_chunk_beyond_the_limit_is_cut_off_and_memory_stays_flat() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    // Thirty at one time, of which the gateway may hold no one.
    let before = resident_kib();
    let chunks = (0..30).map(|_| send(put(&gateway, "u-1", "0"), zeros(8)));
    for answer in futures::future::join_all(chunks).await {
        assert_eq!(answer.status(), 200);
    }
    let grown = resident_kib().saturating_sub(before);
    println!("{grown} KiB more than before");
    assert!(grown < 96 * 1024, "{grown} KiB more than before");
    for _ in 0..60 {
        seen(&mut backend).await;
    }

    let answer = send(put(&gateway, "u-1", "0"), zeros(9)).await;
    assert_eq!(wire::refusal(&answer), (413, "CHUNK_TOO_LARGE".to_owned()));
    assert_eq!(seen(&mut backend).await, header_of("u-1", 0, 0));
    assert!(matches!(seen(&mut backend).await, Seen::Broken(_)));
    // By its own word, before a byte of it.
    let length = (UPLOAD_CHUNK_BYTES_MAX + 1).to_string();
    let announced = put(&gateway, "u-1", "0").header(CONTENT_LENGTH, length);
    let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = send(announced, endless).await;
    assert_eq!(wire::refusal(&answer), (413, "CHUNK_TOO_LARGE".to_owned()));
    assert!(backend.uploads.try_recv().is_err());
}

/// The most memory this process has had in use.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.expect("a peak").trim().trim_end_matches(" kB");
    number.parse().expect("a number")
}

#[tokio::test]
async fn what_does_not_say_which_chunk_it_is_is_refused_by_the_name_of_the_header() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for number in ["x", "-", "1.5", "99999999999", "%20"] {
        let answer = send(put(&gateway, "u-1", number), "abc").await;
        assert_eq!(wire::refusal(&answer).0, 400, "{number}");
        assert_eq!(wire::json(&answer)["field"], "chunk_number", "{number}");
    }
    for digest in [None, Some("md5=:AAAA:"), Some("sha-256=:AAAA:"), Some("x")] {
        let uri = gateway.uri("/v1/uploads/u-1/chunks/0");
        let mut request = with_token(&gateway, Request::put(uri));
        if let Some(digest) = digest {
            request = request.header("content-digest", digest);
        }
        let answer = send(request, "abc").await;
        assert_eq!(
            wire::refusal(&answer),
            (400, "FORM_INVALID".to_owned()),
            "{digest:?}"
        );
        assert_eq!(wire::json(&answer)["field"], "content-digest", "{digest:?}");
    }
    let naked = Request::put(gateway.uri("/v1/uploads/u-1/chunks/0"));
    let answer = send(naked, "abc").await;
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_MISSING".to_owned()));
    let get = with_token(
        &gateway,
        Request::get(gateway.uri("/v1/uploads/u-1/chunks/0")),
    );
    let answer = send(get, Body::empty()).await;
    assert_eq!(wire::refusal(&answer).0, 405);
    assert!(backend.uploads.try_recv().is_err());
}

#[tokio::test]
async fn the_services_answer_is_heard_before_the_chunk_has_come() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let silent = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let stored = timeout(SOON, send(put(&gateway, STORED, "0"), silent()));
    let answer = stored.await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(wire::json(&answer)["uploadId"], STORED);
    assert_eq!(seen(&mut backend).await, header_of(STORED, 0, 0));
    let conflict = timeout(SOON, send(put(&gateway, CONFLICT, "0"), silent()));
    let answer = conflict.await.expect("an answer");
    assert_eq!(wire::refusal(&answer), (409, "CHUNK_CONFLICT".to_owned()));
    // A service that is away is heard of as soon.
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let gateway = Gateway::before(nobody).await;
    let away = timeout(SOON, send(put(&gateway, "u-1", "0"), silent()));
    let answer = away.await.expect("an answer");
    assert_eq!(
        wire::refusal(&answer),
        (503, "SERVICE_UNAVAILABLE".to_owned())
    );
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_client_that_goes_away_or_a_token_that_ends_breaks_a_chunk_off() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut phone = TcpStream::connect(gateway.address)
        .await
        .expect("connected");
    let (token, digest) = (gateway.keys.token(), digest().0);
    let head = format!(
        "PUT /v1/uploads/u-1/chunks/0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-digest: {digest}\r\ncontent-length: 1000000\r\n\r\n"
    );
    phone.write_all(head.as_bytes()).await.expect("sent");
    phone.write_all(&[b'x'; 100_000]).await.expect("sent");
    assert_eq!(seen(&mut backend).await, header_of("u-1", 0, 1_000_000));
    drop(phone);
    assert!(matches!(seen(&mut backend).await, Seen::Broken(_)));

    let token = gateway.keys.token_with(json!({ "exp": now() + 2 }));
    let uri = gateway.uri(&format!("/v1/uploads/{STALL}/chunks/0"));
    let head = Request::put(uri)
        .header("authorization", format!("Bearer {token}"))
        .header("content-digest", digest);
    let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = timeout(SOON, send(head, endless)).await.expect("an end");
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_EXPIRED".to_owned()));
}

#[tokio::test]
async fn a_page_may_ask_whether_it_may_send_a_chunk() {
    let backend = Backend::start().await;
    let origin = "https://app.example";
    let gateway = Gateway::with(&[backend.address; 2], |config| {
        config.cors_origins = vec![origin.parse().expect("an origin")];
    })
    .await;
    let ask = Request::options(gateway.uri("/v1/uploads/u-1/chunks/0"))
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header(
            "access-control-request-headers",
            "authorization,content-digest",
        );
    let answer = send(ask, Body::empty()).await;
    let allowed = |name: &str| {
        let value = answer.headers().get(name).expect("a header");
        value.to_str().expect("text").to_owned()
    };
    assert!(allowed("access-control-allow-methods").contains("PUT"));
    assert!(allowed("access-control-allow-headers").contains("content-digest"));
}
