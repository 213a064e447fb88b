//! Every call has a name to find it by, and is counted with its code and its time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, field};

use super::{methods::Methods, status_of};
use crate::{clock::Clock, telemetry};

/// The header by which a request can be found in the logs of every service it passed.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken over from a caller.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Opens a span for each call, answers with its request id, and counts it under
/// `grpc_server_handled_total` and `grpc_server_handling_seconds` by method and code.
#[derive(Clone)]
pub(super) struct TraceLayer {
    methods: Methods,
    clock: Clock,
}

impl TraceLayer {
    pub(super) fn new(methods: Methods, clock: Clock) -> Self {
        Self { methods, clock }
    }

    /// The caller's id for the request, if it is one that a log can bear, else a new one.
    fn request_id<B>(&self, request: &Request<B>) -> HeaderValue {
        let named = request.headers().get(REQUEST_ID).filter(|value| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let bytes = value.as_bytes();
            (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(plain)
        });
        let new = || HeaderValue::from_str(&self.clock.id().to_string()).ok();
        let id = named.cloned().or_else(new);
        id.unwrap_or_else(|| HeaderValue::from_static("none"))
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace {
            layer: self.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Trace<S> {
    layer: TraceLayer,
    inner: S,
}

impl<S, B> Service<Request<B>> for Trace<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = self.layer.methods.label(request.uri().path());
        let id = self.layer.request_id(&request);
        let name = id.to_str().unwrap_or_default();
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.grpc.status_code = field::Empty,
            method,
            request.id = name,
        );
        telemetry::follow(&span, request.headers());
        let mut counted = Counted {
            method,
            started: Instant::now(),
            code: Code::Cancelled,
            span: span.clone(),
        };
        let call = span.in_scope(|| self.inner.call(request));
        let answer = async move {
            let mut response = call.await.inspect_err(|_| counted.code = Code::Unknown)?;
            response.headers_mut().insert(REQUEST_ID, id);
            let head = status_of(response.headers());
            Ok(match head {
                Some(code) => {
                    counted.code = code;
                    drop(counted);
                    response
                }
                None => response.map(|inner| Body::new(Traced { inner, counted })),
            })
        };
        Box::pin(answer.instrument(span))
    }
}

/// A call under way; counted when dropped, by when its code is known, or it was never finished and
/// counts as cancelled.
struct Counted {
    method: String,
    started: Instant,
    code: Code,
    span: tracing::Span,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let method = std::mem::take(&mut self.method);
        let code = name(self.code);
        self.span
            .record("rpc.grpc.status_code", i32::from(self.code));
        if is_ours(self.code) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.in_scope(|| {
            let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(code, duration_ms, "call ended");
        });
        metrics::counter!(
            "grpc_server_handled_total",
            "method" => method.clone(),
            "code" => code
        )
        .increment(1);
        metrics::histogram!(
            "grpc_server_handling_seconds",
            "method" => method,
            "code" => code
        )
        .record(elapsed);
    }
}

/// Whether a call that ended so is a failure of the server, and not of what it was asked.
fn is_ours(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The name of a code as the gRPC documentation writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// An answer under way, which ends with the code in its trailers.
struct Traced {
    inner: Body,
    counted: Counted,
}

impl HttpBody for Traced {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(status_of) {
                    this.counted.code = code;
                }
            }
            Some(Err(_)) => this.counted.code = Code::Internal,
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
