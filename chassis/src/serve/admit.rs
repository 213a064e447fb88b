//! Load shedding: so many calls at a time, and one more is refused.
//!
//! The code is UNAVAILABLE and not RESOURCE_EXHAUSTED: the caller has done nothing too much, and
//! the same call may pass a moment later, which is what clients read out of this code. A refusal
//! costs next to nothing, on purpose: no token is checked and no line is logged for it; the counter
//! of calls by code tells how many there were.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use tokio::sync::Semaphore;
use tower::{Layer, Service};

use super::methods::{Methods, Shape};
use crate::fault;

/// When a caller that was refused may try again. Calls take milliseconds; who comes at once only
/// meets the same crowd.
const RETRY: Duration = Duration::from_secs(1);

/// Refuses a call with UNAVAILABLE (`SERVER_BUSY`) when the process has its hands full. A call
/// counts until its answer begins, so a long answer does not hold a place.
#[derive(Clone)]
pub(super) struct AdmitLayer {
    methods: Methods,
    unary: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl AdmitLayer {
    /// So many places for unary calls, and so many others for streams.
    pub(super) fn new(methods: Methods, unary: usize, streams: usize) -> Self {
        let [unary, streams] = [unary, streams].map(|places| Arc::new(Semaphore::new(places)));
        Self {
            methods,
            unary,
            streams,
        }
    }

    fn places(&self, path: &str) -> &Arc<Semaphore> {
        match self.methods.shape(path) {
            Some(Shape::Streaming) => &self.streams,
            Some(Shape::Unary) | None => &self.unary,
        }
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit {
            layer: self.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Admit<S> {
    layer: AdmitLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Admit<S>
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
        // A busy process is healthy: whoever asks must not be told to restart it.
        if request.uri().path().starts_with("/grpc.health.") {
            return Box::pin(self.inner.call(request));
        }
        let places = Arc::clone(self.layer.places(request.uri().path()));
        let Ok(place) = places.try_acquire_owned() else {
            let busy = fault::busy("SERVER_BUSY", "the server is busy, try again", RETRY);
            return Box::pin(std::future::ready(Ok(busy.into_http())));
        };
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = call.await;
            drop(place);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::FutureExt;
    use tonic::{Code, Status, body::Body};
    use tonic_types::StatusExt;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::fixture::{self, SERVICE};

    fn request(path: &str) -> Request<Body> {
        Request::post(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn one_call_too_many_is_refused_at_once_and_told_when_to_come() {
        let never = service_fn(|_: Request<Body>| {
            std::future::pending::<Result<Response<Body>, Infallible>>()
        });
        let methods = Methods::of(fixture::descriptors()).unwrap();
        let mut service = AdmitLayer::new(methods, 1, 1).layer(never);
        let (unary, stream) = (format!("/{SERVICE}/Say"), format!("/{SERVICE}/WatchTicks"));
        let first = service.call(request(&unary));
        for path in [&*unary, "/no.such.Service/Method"] {
            let refused = service.clone().oneshot(request(path)).await.unwrap();
            let refused = Status::from_header_map(refused.headers()).unwrap();
            assert_eq!(refused.code(), Code::Unavailable);
            let retry = refused.get_error_details().retry_info().cloned();
            assert_eq!(retry.and_then(|info| info.retry_delay), Some(RETRY));
        }
        // A stream does not stand in the way of short calls, nor the other way round.
        let streaming = service.call(request(&stream));
        let refused = service.clone().oneshot(request(&stream)).await.unwrap();
        assert!(refused.headers().contains_key("grpc-status"));
        let health = service.call(request("/grpc.health.v1.Health/Check"));
        assert!(health.now_or_never().is_none(), "health is always answered");
        drop(first);
        let admitted = service.call(request(&unary));
        assert!(admitted.now_or_never().is_none(), "a place has become free");
        drop(streaming);
    }
}
