//! Refusals as JSON, and the one table from gRPC codes to HTTP.

use std::time::Duration;

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::grpc::{Code, Refusal, Status};

/// Seconds after which a client that was told 503 or 429 may try again, where no better time is
/// known.
const RETRY_AFTER_S: u64 = 2;

/// The body of every refusal.
#[derive(Serialize)]
struct Body<'a> {
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

/// Refusals that have no gRPC code, because no method was meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plain {
    /// There is nothing at this path.
    NotFound,
    /// The path does not know this method.
    MethodNotAllowed,
    /// gRPC came over HTTP/1.
    Http2Needed,
}

impl IntoResponse for Plain {
    fn into_response(self) -> Response {
        let (code, reason, message) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "there is nothing at this path",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "this path does not know this method",
            ),
            Self::Http2Needed => (
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "HTTP2_NEEDED",
                "gRPC needs HTTP/2; over HTTP/1 speak gRPC-Web",
            ),
        };
        (
            code,
            Json(Body {
                reason,
                message,
                field: None,
            }),
        )
            .into_response()
    }
}

pub(super) async fn method_not_allowed() -> Plain {
    Plain::MethodNotAllowed
}

/// A status as an HTTP answer.
pub(super) fn refused(status: &Status) -> Response {
    let refusal = Refusal::from(status);
    let code = http_code(refusal.code, &refusal.reason);
    let body = Body {
        // A service always gives a reason; this is for what a library between us makes up.
        reason: match refusal.reason.as_str() {
            "" => "UNKNOWN",
            reason => reason,
        },
        message: &refusal.message,
        field: refusal
            .violations
            .first()
            .map(|violation| violation.field.as_str()),
    };
    let mut response = (code, Json(body)).into_response();
    advise(&mut response, refusal.retry);
    response
}

/// Tells by headers what the client of a refusal can do, and when.
pub(super) fn advise(response: &mut Response, retry: Option<Duration>) {
    let code = response.status();
    let headers = response.headers_mut();
    if matches!(
        code,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        // Rounded up: who comes then is not too early.
        let seconds = retry.map_or(RETRY_AFTER_S, seconds_up);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if code == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

/// The HTTP code of a status, and when to come again.
pub(super) fn code(status: &Status) -> (StatusCode, Option<Duration>) {
    let refusal = Refusal::from(status);
    (http_code(status.code(), &refusal.reason), refusal.retry)
}

/// The HTTP code of a gRPC code. Some reasons have a code of their own in HTTP.
fn http_code(code: Code, reason: &str) -> StatusCode {
    match (code, reason) {
        (Code::ResourceExhausted, "FILE_TOO_LARGE" | "CHUNK_TOO_LARGE" | "BODY_TOO_LARGE") => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        (Code::DeadlineExceeded, "UPLOAD_IDLE" | "CHUNK_SLOW" | "BODY_IDLE") => {
            StatusCode::REQUEST_TIMEOUT
        }
        (Code::FailedPrecondition, "UPLOAD_GONE") => StatusCode::GONE,
        (Code::InvalidArgument, "CONTENT_TYPE") => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Code::Ok, _) => StatusCode::OK,
        (Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition, _) => {
            StatusCode::BAD_REQUEST
        }
        (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Code::PermissionDenied, _) => StatusCode::FORBIDDEN,
        (Code::NotFound, _) => StatusCode::NOT_FOUND,
        (Code::AlreadyExists | Code::Aborted, _) => StatusCode::CONFLICT,
        (Code::ResourceExhausted, _) => StatusCode::TOO_MANY_REQUESTS,
        (Code::Unimplemented, _) => StatusCode::NOT_IMPLEMENTED,
        (Code::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Code::DeadlineExceeded | Code::Cancelled, _) => StatusCode::GATEWAY_TIMEOUT,
        (Code::Unknown | Code::Internal | Code::DataLoss, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whole seconds that are not less: 0 would say that there is nothing to wait for.
fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::{Code, Duration, http_code, seconds_up};

    #[test]
    fn who_comes_after_whole_seconds_is_not_too_early() {
        for (wait, seconds) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(900), 1),
            (Duration::from_secs(1), 1),
            (Duration::from_millis(1_001), 2),
        ] {
            assert_eq!(seconds_up(wait), seconds, "{wait:?}");
        }
    }

    #[test]
    fn every_code_has_an_http_code() {
        let codes = (0..=16).map(|code| http_code(Code::from(code), "").as_u16());
        assert_eq!(
            codes.collect::<Vec<_>>(),
            [
                200, 504, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401
            ]
        );
        for (code, reason, http) in [
            (Code::ResourceExhausted, "FILE_TOO_LARGE", 413),
            (Code::ResourceExhausted, "BODY_TOO_LARGE", 413),
            (Code::ResourceExhausted, "CHUNK_TOO_LARGE", 413),
            (Code::DeadlineExceeded, "UPLOAD_IDLE", 408),
            (Code::DeadlineExceeded, "CHUNK_SLOW", 408),
            (Code::FailedPrecondition, "UPLOAD_GONE", 410),
            (Code::DeadlineExceeded, "BODY_IDLE", 408),
            (Code::InvalidArgument, "CONTENT_TYPE", 415),
        ] {
            assert_eq!(http_code(code, reason).as_u16(), http, "{reason}");
        }
    }
}
