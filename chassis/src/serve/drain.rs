//! Endless streams end when the server stops, so that their clients go elsewhere at once and the
//! shutdown need not wait for them.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

use crate::fault;

/// Ends the answers of `Watch*` methods, which by the contract have no end of their own, with
/// UNAVAILABLE (`SERVER_STOPPING`).
#[derive(Clone)]
pub(super) struct DrainLayer {
    stopping: CancellationToken,
}

impl DrainLayer {
    pub(super) fn new(stopping: CancellationToken) -> Self {
        Self { stopping }
    }
}

impl<S> Layer<S> for DrainLayer {
    type Service = Drain<S>;

    fn layer(&self, inner: S) -> Drain<S> {
        Drain {
            stopping: self.stopping.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub(super) struct Drain<S> {
    stopping: CancellationToken,
    inner: S,
}

impl<S, B> Service<Request<B>> for Drain<S>
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
        let method = request.uri().path().rsplit('/').next();
        let endless = method.is_some_and(|method| method.starts_with("Watch"));
        let call = self.inner.call(request);
        if !endless {
            return Box::pin(call);
        }
        let stopping = Box::pin(self.stopping.clone().cancelled_owned());
        Box::pin(async move {
            let wrap = |inner| Body::new(Endless { inner, stopping });
            Ok(call.await?.map(wrap))
        })
    }
}

struct Endless {
    inner: Body,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.inner.is_end_stream() {
            return Poll::Ready(None);
        }
        if self.stopping.as_mut().poll(context).is_ready() {
            // Lets go of the stream that stood behind it.
            self.inner = Body::empty();
            return Poll::Ready(Some(Ok(Frame::trailers(stopping()))));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

fn stopping() -> HeaderMap {
    let text = "the server is stopping, connect again";
    let status = fault::refusal(Code::Unavailable, "SERVER_STOPPING", text);
    let mut trailers = HeaderMap::new();
    // Fails only for text that is no header, which this is.
    drop(status.add_header(&mut trailers));
    trailers
}
