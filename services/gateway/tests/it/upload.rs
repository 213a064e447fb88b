//! `POST /v1/statements`: as a raw body and as a form, whole, too large, refused and broken off.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{
    Request, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use djinn_chassis::testing::free_port;
use djinn_gateway::domain::limits::FILE_BYTES_MAX;

use crate::{
    backend::{Backend, Seen},
    edge::{Gateway, SOON},
    keys::now,
    wire,
};

const MIB: u64 = 1024 * 1024;

fn post(gateway: &Gateway, query: &str) -> request::Builder {
    Request::post(gateway.uri(&format!("/v1/statements{query}")))
        .header("authorization", format!("Bearer {}", gateway.keys.token()))
}

/// Zeros without a length, made while they are sent.
fn zeros(mib: u64) -> Body {
    let piece = Bytes::from(vec![0; usize::try_from(MIB).expect("small")]);
    Body::from_stream(stream::iter(0..mib).map(move |_| Ok::<_, Infallible>(piece.clone())))
}

async fn send(request: request::Builder, body: impl Into<Body>) -> Response<Bytes> {
    wire::http1(request.body(body.into()).expect("a request")).await
}

async fn began(backend: &mut Backend) -> (String, String) {
    let seen = timeout(SOON, backend.uploads.recv()).await;
    match seen.expect("the service hears of the upload") {
        Some(Seen::Began {
            request_id,
            file_name,
            authorization: true,
        }) => (request_id, file_name),
        other => panic!("{other:?}"),
    }
}

async fn end(backend: &mut Backend) -> Seen {
    let seen = async {
        loop {
            match backend.uploads.recv().await {
                Some(Seen::More) => {}
                seen => break seen.expect("the backend lives"),
            }
        }
    };
    timeout(SOON, seen)
        .await
        .expect("the service hears of the end")
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[tokio::test]
async fn a_raw_body_is_stored_and_answered_as_json() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;

    let raw = post(&gateway, "?file_name=m%C3%A4rz.csv&request_id=id-1");
    let answer = send(raw.header(CONTENT_TYPE, "text/csv"), "a;b\n").await;
    assert_eq!(answer.status(), 201);
    let json = wire::json(&answer);
    assert_eq!(json["fileName"], "märz.csv");
    assert_eq!(json["sizeBytes"], "4");
    assert_eq!(began(&mut backend).await, pair("id-1", "märz.csv"));
    assert_eq!(
        end(&mut backend).await,
        Seen::Whole {
            bytes: 4,
            zeros: false
        }
    );

    let raw = post(&gateway, "")
        .header("idempotency-key", "\"id-2\"")
        .header("content-disposition", "attachment; filename=\"may.csv\"");
    assert_eq!(send(raw, zeros(3)).await.status(), 201);
    assert_eq!(began(&mut backend).await, pair("id-2", "may.csv"));
    assert_eq!(
        end(&mut backend).await,
        Seen::Whole {
            bytes: 3 * MIB,
            zeros: true
        }
    );

    let bare = post(&gateway, "").body(zeros(1)).expect("a request");
    assert_eq!(wire::http2(bare).await.status(), 201);
    let (id, name) = began(&mut backend).await;
    assert_eq!((id.len(), &*name), (36, "statement"));
}

const BOUNDARY: &str = "----djinn";

fn form(gateway: &Gateway, fields: &[(&str, &str)]) -> (request::Builder, String) {
    let mut body = String::new();
    for (disposition, value) in fields {
        let head = format!("Content-Disposition: form-data; {disposition}\r\n");
        body += &format!("--{BOUNDARY}\r\n{head}\r\n{value}\r\n");
    }
    body += &format!("--{BOUNDARY}--\r\n");
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    (post(gateway, "").header(CONTENT_TYPE, kind), body)
}

#[tokio::test]
async fn a_form_is_stored_like_a_raw_body() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let file = "x".repeat(300_000);
    let (request, body) = form(
        &gateway,
        &[
            ("name=\"request_id\"", "id-3"),
            ("name=\"file\"; filename=\"june.csv\"", &file),
        ],
    );
    let answer = send(request, body).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    assert_eq!(began(&mut backend).await, pair("id-3", "june.csv"));
    assert_eq!(
        end(&mut backend).await,
        Seen::Whole {
            bytes: 300_000,
            zeros: false
        }
    );
}

#[tokio::test]
async fn a_form_that_is_not_as_told_is_refused_and_stores_nothing() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let file = ("name=\"file\"; filename=\"f.csv\"", "a");
    let id = ("name=\"request_id\"", "id");
    let long = "i".repeat(1_000);
    for fields in [
        &[][..],
        &[id],
        &[("name=\"other\"", "x"), file],
        &[("name=\"request_id\"", &*long), file],
        &[id, ("name=\"request_id\"", "id-b"), file],
        &[file, id],
        &[file, file],
    ] {
        let (request, body) = form(&gateway, fields);
        let answer = send(request, body).await;
        assert_eq!(
            wire::refusal(&answer),
            (400, "FORM_INVALID".to_owned()),
            "{fields:?}"
        );
    }
    let (request, mut body) = form(&gateway, &[file]);
    body.truncate(body.len() - 10);
    let answer = send(request, body).await;
    assert_eq!(wire::refusal(&answer), (400, "UPLOAD_BROKEN".to_owned()));

    // A part header without an end must not be collected.
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let head = Bytes::from(format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; x=\""
    ));
    let more = stream::iter(0..100).map(|_| Bytes::from(vec![b'x'; 65_536]));
    let endless = stream::iter([head]).chain(more);
    let body = Body::from_stream(endless.map(Ok::<_, Infallible>));
    let answer = send(post(&gateway, "").header(CONTENT_TYPE, kind), body).await;
    assert_eq!(wire::refusal(&answer), (400, "FORM_INVALID".to_owned()));

    // The service may have heard of those that had begun, but of none as whole.
    let (request, body) = form(&gateway, &[("name=\"request_id\"", "good"), file]);
    assert_eq!(send(request, body).await.status(), 201);
    loop {
        match backend.uploads.recv().await {
            Some(Seen::Began { request_id, .. }) if request_id == "good" => break,
            Some(Seen::Whole { .. }) | None => panic!("a refused form was taken as whole"),
            Some(_) => {}
        }
    }
    assert_eq!(
        end(&mut backend).await,
        Seen::Whole {
            bytes: 1,
            zeros: false
        }
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_cut_off_while_it_streams_and_memory_stays_flat() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let before = resident_kib();
    let whole = FILE_BYTES_MAX / MIB;
    let answer = send(post(&gateway, ""), zeros(whole)).await;
    assert_eq!(answer.status(), 201);
    began(&mut backend).await;
    assert_eq!(
        end(&mut backend).await,
        Seen::Whole {
            bytes: FILE_BYTES_MAX,
            zeros: true
        }
    );

    let answer = send(post(&gateway, ""), zeros(whole + 1)).await;
    assert_eq!(wire::refusal(&answer), (413, "FILE_TOO_LARGE".to_owned()));
    began(&mut backend).await;
    assert!(matches!(end(&mut backend).await, Seen::Broken(_)));

    let over = post(&gateway, "")
        .body(zeros(whole + 1))
        .expect("a request");
    assert_eq!(wire::refusal(&wire::http2(over).await).0, 413);
    // Client, gateway, service and the other tests of this process together.
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 96 * 1024, "{grown} KiB more than before");
}

/// The most memory this process has had in use.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.expect("a peak").trim().trim_end_matches(" kB");
    number.parse().expect("a number")
}

/// A raw connection with the head of an upload sent on it.
async fn raw(gateway: &Gateway, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.address)
        .await
        .expect("connected");
    let token = gateway.keys.token();
    let head = format!(
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

async fn first_line(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 64];
    let read = timeout(SOON, stream.read(&mut buffer))
        .await
        .expect("an answer");
    let text = String::from_utf8_lossy(&buffer[..read.expect("readable")]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_a_byte_is_sent() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let length = FILE_BYTES_MAX + 1;
    for expect in ["", "expect: 100-continue\r\n"] {
        let mut stream = raw(&gateway, &format!("content-length: {length}\r\n{expect}")).await;
        assert_eq!(
            first_line(&mut stream).await,
            "HTTP/1.1 413 Payload Too Large",
            "{expect}"
        );
    }
    assert!(backend.uploads.try_recv().is_err());
}

#[tokio::test]
async fn a_client_that_goes_away_breaks_the_upload_off() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let form = format!("content-type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n");
    for (headers, start) in [
        // The length lies: fewer bytes come than it says.
        ("content-length: 1000000\r\n".to_owned(), String::new()),
        (
            "transfer-encoding: chunked\r\n".to_owned(),
            "186a0\r\n".to_owned(),
        ),
        (form + "content-length: 1000000\r\n", part),
    ] {
        let mut stream = raw(&gateway, &headers).await;
        stream.write_all(start.as_bytes()).await.expect("sent");
        stream.write_all(&[b'x'; 100_000]).await.expect("sent");
        began(&mut backend).await;
        assert_eq!(backend.uploads.recv().await, Some(Seen::More), "{headers}");
        drop(stream);
        let seen = end(&mut backend).await;
        assert!(matches!(seen, Seen::Broken(_)), "{headers}: {seen:?}");
    }
}

#[tokio::test]
async fn refusals_come_as_json_with_their_code() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let naked = Request::post(gateway.uri("/v1/statements"));
    let answer = send(naked, "a").await;
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_MISSING".to_owned()));
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");

    // The service's own refusal, with its field, before it has read the file.
    let answer = send(post(&gateway, "?request_id=refuse"), zeros(20)).await;
    assert_eq!(wire::refusal(&answer), (400, "REQUEST_ID".to_owned()));
    assert_eq!(wire::json(&answer)["field"], "header.request_id");
    assert_eq!(wire::json(&answer)["message"], "not a UUID");
    began(&mut backend).await;

    let clash = post(&gateway, "?request_id=a").header("idempotency-key", "b");
    let answer = send(clash, "a").await;
    assert_eq!(wire::refusal(&answer), (400, "FORM_INVALID".to_owned()));
    assert_eq!(wire::json(&answer)["field"], "request_id");
    let boundless = post(&gateway, "").header(CONTENT_TYPE, "multipart/form-data");
    assert_eq!(wire::refusal(&send(boundless, "a").await).0, 400);
}

#[tokio::test]
async fn a_service_that_is_away_is_told_at_once_while_the_client_still_sends() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let gateway = Gateway::before(nobody).await;
    let began = Instant::now();
    let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = send(post(&gateway, ""), endless).await;
    assert_eq!(
        wire::refusal(&answer),
        (503, "SERVICE_UNAVAILABLE".to_owned())
    );
    assert!(answer.headers().contains_key("retry-after"));
    assert!(began.elapsed() < Duration::from_secs(5));
    let message = wire::json(&answer)["message"].to_string();
    assert!(
        !message.contains("connect") && !message.contains("127.0.0.1"),
        "{message}"
    );
}

#[tokio::test]
async fn an_upload_ends_with_its_token() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway
        .keys
        .token_with(serde_json::json!({ "exp": now() + 2 }));
    let head = Request::post(gateway.uri("/v1/statements"))
        .header("authorization", format!("Bearer {token}"))
        .header(CONTENT_LENGTH, "10");
    let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = timeout(SOON, send(head, endless)).await.expect("an end");
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_EXPIRED".to_owned()));
    began(&mut backend).await;
    assert!(matches!(end(&mut backend).await, Seen::Broken(_)));
}
