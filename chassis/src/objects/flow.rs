//! A part whose bytes are still on their way to us when the first of them leave for the store.
//!
//! The store takes nothing of it before the last byte has come: until then whoever sends may think
//! better of it. What left cannot be sent a second time, so nothing here is tried again.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use aws_sdk_s3::{
    config::{Config, StalledStreamProtectionConfig, timeout::TimeoutConfig},
    primitives::{ByteStream, SdkBody},
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::{ATTEMPT_TIMEOUT, Checksum, Error, Objects, Part, part, piece::PIECE_BYTES_MAX};

/// Pieces that wait between sender and store.
const PIECES_WAITING_MAX: usize = 2;

/// Where the bytes of a part go in. Dropped before all of them are, it ends the part: the store
/// keeps nothing.
#[derive(Debug)]
pub struct PartSink {
    pieces: mpsc::Sender<Bytes>,
}

/// What comes out at the other end, for [`Objects::put_flow`].
#[derive(Debug)]
pub struct PartFlow {
    sha256: [u8; 32],
    size_bytes: u64,
    /// What has not left yet. Shared, since the client keeps the flow and its answer proves
    /// nothing.
    left_bytes: Arc<AtomicU64>,
    pieces: mpsc::Receiver<Bytes>,
}

/// The store takes no more: what became of the part is told by [`Objects::put_flow`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the object store takes no more of a part")]
pub struct SinkClosed;

/// A part of this size, and of this hash: the store takes no other.
#[must_use]
pub fn flow(size_bytes: u64, sha256: [u8; 32]) -> (PartSink, PartFlow) {
    let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
    let flow = PartFlow {
        sha256,
        size_bytes,
        left_bytes: Arc::new(AtomicU64::new(size_bytes)),
        pieces: receiver,
    };
    (PartSink { pieces: sender }, flow)
}

impl PartSink {
    /// Passes bytes on, in pieces that share their memory, as fast as the store takes them.
    ///
    /// # Errors
    /// [`SinkClosed`] when it has stopped taking, or takes nothing for 10 seconds.
    pub async fn send(&self, mut bytes: Bytes) -> Result<(), SinkClosed> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
            let sent = self.pieces.send_timeout(piece, ATTEMPT_TIMEOUT).await;
            sent.map_err(|_| SinkClosed)?;
        }
        Ok(())
    }
}

impl Objects {
    /// Stores a part of an upload of [`Objects::begin_flows`], as [`Objects::put_part`], of bytes
    /// that come within `time_max`.
    ///
    /// Its hash goes in front of it. Without one the client would make a checksum and send it
    /// behind, signed if there is no TLS, in a way that Garage 2.5 computes otherwise and refuses.
    ///
    /// # Errors
    /// As [`Objects::put_part`]; [`Error::Unavailable`] also when the sink is dropped before all of
    /// the part is sent, and [`Error::Internal`] when the store says that it has what has not left
    /// yet. It is never tried again: the bytes are gone.
    pub async fn put_flow(
        &self,
        key: &str,
        multipart_id: &str,
        number: i32,
        flow: PartFlow,
        time_max: Duration,
    ) -> Result<Part, Error> {
        let size_bytes =
            i64::try_from(flow.size_bytes).map_err(|error| Error::Internal(error.into()))?;
        let (sha256, left_bytes) = (flow.sha256, Arc::clone(&flow.left_bytes));
        let body = ByteStream::new(SdkBody::from_body_1_x(flow));
        let request = self.part(key, multipart_id, number)?;
        let sent = request
            .content_length(size_bytes)
            .checksum_sha256(part::base64(&sha256))
            .body(body)
            .customize()
            .config_override(patience(time_max))
            .send()
            .await;
        let sent = sent.map_err(|error| part::of_upload(error, key))?;
        if left_bytes.load(Ordering::SeqCst) > 0 {
            let problem = "the store answered before it had all of a part";
            return Err(Error::Internal(problem.into()));
        }
        part::stored(number, sent, Some(Checksum::Sha256(sha256.to_vec())))
    }
}

/// The call begins when the sender does, and the store has its own time for the answer. Whoever
/// sends has a limit for pauses, which the store's client must not shorten.
fn patience(time_max: Duration) -> aws_sdk_s3::config::Builder {
    let limit = time_max.saturating_add(ATTEMPT_TIMEOUT);
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(limit)
        .operation_timeout(limit)
        .build();
    Config::builder()
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

impl PartFlow {
    fn left(&self) -> u64 {
        self.left_bytes.load(Ordering::SeqCst)
    }
}

impl Body for PartFlow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let left_bytes = self.left();
        if left_bytes == 0 {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context));
        let taken = piece.ok_or_else(|| {
            let problem = "the part was given up";
            io::Error::new(io::ErrorKind::UnexpectedEof, problem)
        });
        Poll::Ready(Some(taken.and_then(|piece| {
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            let left = left_bytes.checked_sub(length).ok_or_else(|| {
                let problem = "the part is larger than was said";
                io::Error::new(io::ErrorKind::InvalidInput, problem)
            })?;
            self.left_bytes.store(left, Ordering::SeqCst);
            Ok(Frame::data(piece))
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
