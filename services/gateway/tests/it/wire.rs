//! What the protocols look like on the wire, for clients that no library would play.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use prost::Message;
use serde_json::Value;

pub(crate) const GET_IMPORT: &str = "/djinn.imports.v1.ImportService/GetImport";

pub(crate) const UPLOAD: &str = "/djinn.imports.v1.ImportService/UploadStatement";

/// Sends one request over HTTP/1.1.
pub(crate) async fn http1(request: Request<Body>) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    whole(client.request(request).await.expect("an answer")).await
}

/// A client of HTTP/2 without TLS.
pub(crate) fn client2() -> Client<HttpConnector, Body> {
    let mut client = Client::builder(TokioExecutor::new());
    client.http2_only(true).build(HttpConnector::new())
}

/// Sends one request over HTTP/2 without TLS.
pub(crate) async fn http2(request: Request<Body>) -> Response<Bytes> {
    whole(client2().request(request).await.expect("an answer")).await
}

async fn whole(response: Response<hyper::body::Incoming>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Response::from_parts(parts, body)
}

/// The JSON of an answer.
#[track_caller]
pub(crate) fn json(response: &Response<Bytes>) -> Value {
    let text = String::from_utf8_lossy(response.body());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

/// Status and reason of a refusal.
#[track_caller]
pub(crate) fn refusal(response: &Response<Bytes>) -> (u16, String) {
    let reason = json(response)["reason"].as_str().map(ToOwned::to_owned);
    (response.status().as_u16(), reason.expect("a reason"))
}

/// A message as gRPC frames it.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let length = u32::try_from(encoded.len()).expect("small");
    [&[0][..], &length.to_be_bytes(), &encoded].concat().into()
}

/// The messages and the trailers of a gRPC-Web answer; those of the head, if it ended there.
#[track_caller]
pub(crate) fn web(response: &Response<Bytes>) -> (Vec<Bytes>, BTreeMap<String, String>) {
    assert_eq!(response.status(), StatusCode::OK);
    let (mut messages, mut rest) = (Vec::new(), response.body().clone());
    let mut trailers = texts(response.headers());
    while !rest.is_empty() {
        let head = rest.split_to(5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let payload = rest.split_to(length as usize);
        if head[0] & 0x80 == 0 {
            messages.push(payload);
            continue;
        }
        let text = String::from_utf8_lossy(&payload).into_owned();
        trailers.extend(text.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        }));
    }
    (messages, trailers)
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}
