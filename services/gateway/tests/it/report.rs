//! The report of rows that could not be read, as a browser gets it.

use axum::body::Body;
use http::{Request, header::AUTHORIZATION};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{backend::Backend, edge::Gateway, wire};

fn get(gateway: &Gateway, import_id: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::get(gateway.uri(&format!("/v1/imports/{import_id}/errors.csv")));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_report_is_a_file_for_whoever_may_see_it() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let answer = wire::http1(get(&gateway, "i1", Some(&token))).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().expect("a text").to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"errors.csv\""
    );
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(&answer.body()[..], b"line,reason\r\n2,BAD_DATE\r\n");

    let answer = wire::http1(get(&gateway, "i1", None)).await;
    assert_eq!(wire::refusal(&answer), (401, "TOKEN_MISSING".to_owned()));
    let answer = wire::http2(get(&gateway, "unknown", Some(&token))).await;
    assert_eq!(wire::refusal(&answer), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_report_that_ends_early_is_broken_off() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let answer = client.request(get(&gateway, "read-again", Some(&token)));
    match answer.await {
        Ok(answer) => {
            assert_eq!(answer.status(), 200);
            let body = answer.into_body().collect().await;
            assert!(body.is_err(), "it passes for a whole one: {body:?}");
        }
        // The connection may end before the head of the answer has left, but there was one.
        Err(error) => assert!(!error.is_connect(), "{error:?}"),
    }
}
