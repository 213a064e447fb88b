//! Load shedding: so many calls at a time, and one more is refused.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::Code;
use tower::{Layer, Service};

use crate::fault;

/// Refuses a call with UNAVAILABLE (`SERVER_BUSY`) when the process has its hands full. A call
/// counts until its answer begins, so a long answer does not hold a place.
#[derive(Clone)]
pub(super) struct AdmitLayer {
    places: Arc<Semaphore>,
}

impl AdmitLayer {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit {
            places: Arc::clone(&self.places),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Admit<S> {
    places: Arc<Semaphore>,
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
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let busy = "the server is busy, try again";
            let busy = fault::refusal(Code::Unavailable, "SERVER_BUSY", busy);
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
