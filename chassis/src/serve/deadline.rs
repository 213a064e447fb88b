//! Deadlines: a unary call always has one, a stream has one only if its caller names it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{
    DEADLINE_DEFAULT, DEADLINE_MAX,
    methods::{Methods, Shape},
};
use crate::fault;

/// Ends a call at its deadline with DEADLINE_EXCEEDED; its handler is dropped. (tonic's own answer
/// would be CANCELLED.)
#[derive(Clone)]
pub(super) struct DeadlineLayer {
    methods: Methods,
}

impl DeadlineLayer {
    pub(super) fn new(methods: Methods) -> Self {
        Self { methods }
    }

    /// How long the call may take until its answer begins.
    fn limit(&self, path: &str, headers: &HeaderMap) -> Option<Duration> {
        let named = named(headers);
        match self.methods.shape(path) {
            Some(Shape::Unary) => Some(named.unwrap_or(DEADLINE_DEFAULT).min(DEADLINE_MAX)),
            Some(Shape::Streaming) | None => named,
        }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline {
            layer: self.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Deadline<S> {
    layer: DeadlineLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Deadline<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let limit = self.layer.limit(request.uri().path(), request.headers());
        let call = self.inner.call(request);
        let Some(limit) = limit else {
            return Box::pin(call);
        };
        // Made now rather than at the first poll: tonic sets a timer of its own right after this.
        let call = tokio::time::timeout(limit, call);
        Box::pin(async move { call.await.unwrap_or_else(|_| Ok(exceeded().into_http())) })
    }
}

fn exceeded() -> Status {
    fault::refusal(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the call did not end within its deadline",
    )
}

/// The deadline in the header `grpc-timeout`: at most eight digits and a unit. One that does not
/// parse counts as none.
fn named(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_of_callers() {
        for (text, expected) in [
            ("10S", Some(Duration::from_secs(10))),
            ("100m", Some(Duration::from_millis(100))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("5u", Some(Duration::from_micros(5))),
            ("0n", Some(Duration::ZERO)),
            ("2M", Some(Duration::from_secs(120))),
            ("", None),
            ("S", None),
            ("10", None),
            ("-1S", None),
            ("+1S", None),
            ("123456789S", None),
            ("10s", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            assert_eq!(named(&headers), expected, "{text:?}");
        }
        assert_eq!(named(&HeaderMap::new()), None);
    }
}
