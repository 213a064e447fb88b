//! Bodies on their way through: watched, never held.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Code, Status, body::Body};

use super::{
    call::{Cut, Link, Watch},
    code_of,
    lane::Places,
    meter::Meter,
    status,
};
use crate::{
    domain::{Framing, limits},
    error::Error,
};

/// A client's messages on their way to a service.
///
/// It has no size hint: tonic-web keeps the hint of the encoded body, hyper would make a wrong
/// content length of it, and grpc-web-text would fail.
pub(super) struct RequestBody {
    inner: Body,
    link: Arc<Link>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    framing: Framing,
}

impl RequestBody {
    pub(super) fn new(inner: Body, link: Arc<Link>) -> Self {
        let (over, framing) = (link.over(), Framing::default());
        Self {
            inner,
            link,
            over,
            framing,
        }
    }

    fn aborted() -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        // An error makes hyper reset the stream, which a service cannot take for a complete file.
        Poll::Ready(Some(Err(Status::cancelled("the call was given up"))))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.over.as_mut().poll(cx).is_ready() {
            return Self::aborted();
        }
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.link.touch();
                let data = frame.data_ref().map_or(&[][..], |data| &data[..]);
                if this.framing.feed(data, limits::MESSAGE_BYTES_MAX).is_err() {
                    this.link.cut(Cut::MessageTooLarge);
                    return Self::aborted();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            // The end may be seen because the sender was dropped just after the call was given up.
            Poll::Ready(None) if this.link.aborted() => Self::aborted(),
            other => other,
        }
    }
}

/// A service's messages on their way to a client. Always ends in trailers with a status: the
/// service's own, or ours when the call is cut or the service breaks off.
pub(super) struct ResponseBody {
    inner: Body,
    watch: Watch,
    held: Held,
    ended: bool,
}

/// What an answer holds to its last byte.
pub(super) struct Held {
    /// The service, for refusals.
    pub(super) service: &'static str,
    /// Whether a status was sent, in the header or in trailers.
    pub(super) answered: bool,
    pub(super) meter: Meter,
    pub(super) _places: Places,
}

impl ResponseBody {
    pub(super) fn new(inner: Body, watch: Watch, held: Held) -> Self {
        Self {
            inner,
            watch,
            held,
            ended: false,
        }
    }

    fn end(
        &mut self,
        refusal: impl FnOnce() -> Status,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.ended = true;
        self.watch.link().abort();
        if self.held.answered {
            return Poll::Ready(None);
        }
        let refusal = self.held.meter.span().in_scope(refusal);
        self.held.meter.code = refusal.code();
        let mut trailers = HeaderMap::new();
        let written = refusal.add_header(&mut trailers);
        Poll::Ready(Some(written.map(|()| Frame::trailers(trailers))))
    }

    fn broken(&mut self) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let service = self.held.service;
        self.end(|| status(Error::AnswerBroken { service }))
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        // Looked at first, so that a service that never pauses cannot outlive the token.
        if let Poll::Ready(cut) = this.watch.poll_cut(cx) {
            return this.end(|| cut.into());
        }
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.watch.link().touch();
                if let Some(trailers) = frame.trailers_ref() {
                    this.held.answered = true;
                    this.held.meter.code = code_of(trailers).unwrap_or(Code::Unknown);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, service = this.held.service, "answer broken off");
                this.broken()
            }
            Poll::Ready(None) => this.broken(),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        // A refusal without messages must end in its header: gRPC clients take a header that is
        // followed by an empty end for an answer whose status got lost.
        self.ended || (self.held.answered && self.inner.is_end_stream())
    }
}
