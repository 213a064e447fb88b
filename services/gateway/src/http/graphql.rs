//! `POST /graphql`, and the page for developers under `GET /graphql`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Version,
        header::{
            ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt;
use tokio::time::timeout;

use djinn_chassis::auth::Refusal;

use super::{
    Edge,
    answer::{self, Plain},
    intake::Intake,
};
use crate::{
    domain::limits,
    error::Error,
    graphql,
    grpc::{self, Bearer, REQUEST_ID, Status},
    limit::{Standing, Visit},
};

/// The content type of answers for clients that know it, by the specification of GraphQL over HTTP.
const GRAPHQL_JSON: &str = "application/graphql-response+json";

/// The content type for the others.
const JSON: &str = "application/json";

/// What the page may load and call: itself.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// Answers a query or does a mutation.
pub(super) async fn post(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (known, id) = (knows_graphql(request.headers()), request_id(&request));
    let visit = Visit::of(request.extensions());
    match receive(&edge, request, &id).await {
        Ok((session, asked)) => {
            let answer = edge.graphql.answer(session, asked).await;
            // Clients that do not know the other content type take anything but 200 for a failure
            // of the transport, and look no further.
            let (code, retry) = match visit.standing().and_then(Standing::refusal) {
                // But this one is for what stands in between, too: it can wait and try again.
                Some(error) => answer::code(&grpc::status(error)),
                None if known && answer.refusal() => (StatusCode::BAD_REQUEST, None),
                None => (StatusCode::OK, None),
            };
            let mut response = told(code, known, &answer);
            answer::advise(&mut response, retry);
            response
        }
        Err(status) => {
            let answer = graphql::Answer::refused(&status, &id);
            let (code, retry) = answer::code(&status);
            let mut response = told(code, known, &answer);
            answer::advise(&mut response, retry);
            response
        }
    }
}

async fn receive(
    edge: &Edge,
    request: Request,
    id: &str,
) -> Result<(graphql::Session, graphql::Request), Status> {
    let (parts, body) = request.into_parts();
    let http1 = parts.version < Version::HTTP_2;
    let intake = Intake::new(body, http1, parts.headers.contains_key(EXPECT));
    if !is_json(&parts.headers) {
        return Err(grpc::status(Error::NotJson));
    }
    let visit = Visit::of(&parts.extensions);
    let bearer = bearer(edge, &parts.headers, &visit).await?;
    let session = edge.graphql.session(&bearer, id.to_owned(), visit)?;
    let body = timeout(limits::BODY_TIMEOUT, whole(intake, limits::BODY_BYTES_MAX)).await;
    let body = body.unwrap_or(Err(Error::BodyIdle));
    let asked = body.and_then(|body| graphql::Request::parse(&body));
    Ok((session, asked.map_err(grpc::status)?))
}

/// Who asks, by the header.
pub(super) async fn bearer(
    edge: &Edge,
    headers: &HeaderMap,
    visit: &Visit,
) -> Result<Bearer, Status> {
    let caller = edge.gate.caller(headers, visit).await?;
    let value = headers.get(AUTHORIZATION).ok_or(Refusal::Missing)?;
    let value = value.clone();
    Ok(Bearer { caller, value })
}

/// A body that is short.
pub(super) async fn whole(mut intake: Intake, bytes_max: usize) -> Result<BytesMut, Error> {
    let mut body = BytesMut::new();
    while let Some(piece) = intake.next().await {
        body.extend_from_slice(&piece.map_err(|_| Error::BodyBroken)?);
        if body.len() > bytes_max {
            return Err(Error::BodyTooLarge { bytes_max });
        }
    }
    Ok(body)
}

/// The id that this request got at the edge.
pub(super) fn request_id(request: &Request) -> String {
    let id = request.headers().get(REQUEST_ID);
    let id = id.and_then(|id| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    value.is_some_and(|value| essence(value.as_bytes()).eq_ignore_ascii_case(JSON.as_bytes()))
}

fn knows_graphql(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut accepted = accepted.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    accepted.any(|value| essence(value).eq_ignore_ascii_case(GRAPHQL_JSON.as_bytes()))
}

/// A content type without its parameters.
fn essence(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b';');
    value[..end.unwrap_or(value.len())].trim_ascii()
}

fn told(code: StatusCode, known: bool, answer: &graphql::Answer) -> Response {
    let Ok(body) = serde_json::to_vec(answer) else {
        // What holds text, numbers and lists alone is always written.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let content_type = if known { GRAPHQL_JSON } else { JSON };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        // It is one person's money.
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (code, headers, body).into_response()
}

/// A page to try things on, where the gateway was told to have one.
pub(super) async fn page(State(edge): State<Arc<Edge>>) -> Response {
    if !edge.page {
        // There is something at this path, and it takes no GET: a link could do more than read.
        return Plain::MethodNotAllowed.into_response();
    }
    let page = include_str!("page/page.html");
    asset(true, "text/html; charset=utf-8", page.to_owned())
}

/// Its script.
pub(super) async fn script(State(edge): State<Arc<Edge>>) -> Response {
    let script = include_str!("page/page.js");
    asset(
        edge.page,
        "text/javascript; charset=utf-8",
        script.to_owned(),
    )
}

/// Its style.
pub(super) async fn style(State(edge): State<Arc<Edge>>) -> Response {
    let style = include_str!("page/page.css");
    asset(edge.page, "text/css; charset=utf-8", style.to_owned())
}

/// The schema as text, where introspection tells it as well.
pub(super) async fn schema(State(edge): State<Arc<Edge>>) -> Response {
    let shown = edge.graphql.tells_schema();
    let schema = if shown { graphql::sdl() } else { String::new() };
    asset(shown, "text/plain; charset=utf-8", schema)
}

/// Something of the page. Where it is off, nobody can tell that it could be on.
fn asset(shown: bool, content_type: &'static str, content: String) -> Response {
    if !shown {
        return Plain::NotFound.into_response();
    }
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_compared_without_their_parameters() {
        let headers = |name, value| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON ; charset=utf-8", true),
            ("application/jsonp", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=application/json", false),
            ("", false),
        ] {
            assert_eq!(is_json(&headers(CONTENT_TYPE, value)), json, "{value}");
        }
        let accept = "text/html, application/graphql-response+json;q=0.9, application/json";
        assert!(knows_graphql(&headers(ACCEPT, accept)));
        assert!(!knows_graphql(&headers(ACCEPT, "*/*")));
        assert!(!knows_graphql(&HeaderMap::new()));
    }
}
