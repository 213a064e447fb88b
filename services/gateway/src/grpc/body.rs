//! Bodies on their way through: watched, never held.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
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

/// Bytes that are gathered of a body with one message before they are sent on.
const GATHER_BYTES: usize = 16 * 1024;

/// A client's messages on their way to a service.
///
/// It has no size hint: tonic-web keeps the hint of the encoded body, hyper would make a wrong
/// content length of it, and grpc-web-text would fail.
pub(super) struct RequestBody {
    inner: Body,
    link: Arc<Link>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    framing: Framing,
    gathered: Option<BytesMut>,
    ended: bool,
}

impl RequestBody {
    /// A body whose pieces are sent on as they come, on a connection of its own.
    pub(super) fn stream(inner: Body, link: Arc<Link>) -> Self {
        Self {
            inner,
            over: link.over(),
            link,
            framing: Framing::default(),
            gathered: None,
            ended: false,
        }
    }

    /// A body with one message, which the service needs whole anyway. Its pieces are gathered, and
    /// the last one carries the end: a flood of small frames that are not the last makes an HTTP/2
    /// server close the connection, with all calls on it.
    pub(super) fn message(inner: Body, link: Arc<Link>) -> Self {
        Self {
            gathered: Some(BytesMut::new()),
            ..Self::stream(inner, link)
        }
    }

    /// Ends the request as a failure. hyper then resets the stream with INTERNAL_ERROR. It must not
    /// be CANCEL, nor an error with the client's CANCEL among its sources: tonic takes a cancelled
    /// request for one that has ended, and the service would take half a file for the whole.
    fn broken() -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(Some(Err(Status::aborted("the call was given up"))))
    }

    /// What is sent on now that this piece has come, if anything.
    fn pass(&mut self, piece: Bytes) -> Option<Bytes> {
        let Some(gathered) = &mut self.gathered else {
            return (!piece.is_empty()).then_some(piece);
        };
        if gathered.is_empty() && piece.len() >= GATHER_BYTES {
            return Some(piece);
        }
        gathered.extend_from_slice(&piece);
        (gathered.len() >= GATHER_BYTES).then(|| gathered.split().freeze())
    }

    /// What is left to be sent at the end, if anything.
    fn rest(&mut self) -> Option<Bytes> {
        let gathered = self.gathered.take()?;
        (!gathered.is_empty()).then(|| gathered.freeze())
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
        while !this.ended {
            if this.over.as_mut().poll(cx).is_ready() {
                return Self::broken();
            }
            match std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    this.link.touch();
                    // Trailers of a request mean nothing in gRPC.
                    let piece = frame.into_data().unwrap_or_default();
                    let fed = this.framing.feed(&piece, limits::MESSAGE_BYTES_MAX);
                    if fed.is_err() {
                        this.link.cut(Cut::MessageTooLarge);
                        return Self::broken();
                    }
                    if let Some(data) = this.pass(piece) {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "request broken off");
                    return Self::broken();
                }
                // The end may be seen because the sender was dropped just after the call was
                // given up.
                None if this.link.aborted() => return Self::broken(),
                None => this.ended = true,
            }
        }
        Poll::Ready(this.rest().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.gathered.as_ref().is_none_or(BytesMut::is_empty)
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

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    fn body(pieces: &[&[u8]]) -> Body {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        Body::new(StreamBody::new(futures::stream::iter(frames)))
    }

    #[tokio::test]
    async fn one_message_is_one_frame_however_it_came() {
        let pieces: [&[u8]; 5] = [&[0, 0], b"", &[0, 0, 2], b"a", b"b"];
        let mut sent = RequestBody::message(body(&pieces), Link::new());
        let frame = sent.frame().await.expect("a frame").expect("data");
        assert_eq!(
            frame.into_data().expect("data"),
            &[0, 0, 0, 0, 2, b'a', b'b'][..]
        );
        assert!(sent.is_end_stream());
        assert!(sent.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_large_message_is_not_held() {
        let mut pieces = vec![&[0, 0, 0, 0x60, 0][..]];
        let quarter = [7; GATHER_BYTES / 4];
        pieces.extend([&quarter[..]; 6]);
        let mut sent = RequestBody::message(body(&pieces), Link::new());
        let (mut sizes, mut total) = (0, 0);
        while let Some(frame) = sent.frame().await {
            let size = frame.expect("fine").into_data().expect("data").len();
            assert!(size < 2 * GATHER_BYTES);
            (sizes, total) = (sizes + 1, total + size);
        }
        assert_eq!((sizes, total), (2, 5 + 6 * quarter.len()));
    }

    #[tokio::test]
    async fn what_breaks_off_never_ends_well_and_never_as_cancelled() {
        let cancelled = || Err::<Frame<Bytes>, _>(Status::cancelled("by the client"));
        let frames = futures::stream::iter([cancelled()]);
        let mut sent = RequestBody::stream(Body::new(StreamBody::new(frames)), Link::new());
        let error = sent.frame().await.expect("a frame").expect_err("broken");
        assert_eq!(error.code(), Code::Aborted);
        assert!(std::error::Error::source(&error).is_none());

        let link = Link::new();
        let mut sent = RequestBody::stream(body(&[]), Arc::clone(&link));
        link.abort();
        assert!(sent.frame().await.expect("a frame").is_err());
    }
}
