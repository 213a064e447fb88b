//! Cuts a body of any framing into chunks of one size, counting as it flows.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use tokio::time::timeout;

use crate::{domain::limits, error::Error};

/// What is cut, and so how large it may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// A file.
    File,
    /// A chunk of a file that comes in chunks.
    Chunk,
}

impl Of {
    fn bytes_max(self) -> u64 {
        match self {
            Self::File => limits::FILE_BYTES_MAX,
            Self::Chunk => limits::UPLOAD_CHUNK_BYTES_MAX,
        }
    }

    /// Refuses more bytes than there may be.
    pub(super) fn check(self, bytes: u64) -> Result<(), Error> {
        let bytes_max = self.bytes_max();
        match self {
            _ if bytes <= bytes_max => Ok(()),
            Self::File => Err(Error::FileTooLarge { bytes_max }),
            Self::Chunk => Err(Error::ChunkTooLarge { bytes_max }),
        }
    }
}

/// The chunks of a file.
pub(super) struct Chunks<S> {
    of: Of,
    pieces: Pin<Box<S>>,
    /// What a piece held beyond the last chunk.
    rest: Bytes,
    total: u64,
    ended: bool,
}

impl<S, E> Chunks<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    Error: From<E>,
{
    pub(super) fn new(of: Of, pieces: S) -> Self {
        Self {
            of,
            pieces: Box::pin(pieces),
            rest: Bytes::new(),
            total: 0,
            ended: false,
        }
    }

    /// The next chunk: `CHUNK_BYTES`, or what is left at the end; `None` after it.
    ///
    /// # Errors
    /// `FileTooLarge` or `ChunkTooLarge` as soon as the limit is passed, `UploadIdle` if the chunk
    /// is not full in time, and whatever the body fails with.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match timeout(limits::UPLOAD_IDLE, self.fill()).await {
            Ok(chunk) => chunk,
            Err(_) => Err(Error::UploadIdle),
        }
    }

    async fn fill(&mut self) -> Result<Option<Bytes>, Error> {
        let mut chunk = BytesMut::new();
        while chunk.len() < limits::CHUNK_BYTES {
            if self.rest.is_empty() {
                if self.ended {
                    break;
                }
                match self.pieces.next().await {
                    Some(piece) => self.take(piece?)?,
                    None => self.ended = true,
                }
                continue;
            }
            let room = limits::CHUNK_BYTES - chunk.len();
            if chunk.is_empty() && self.rest.len() >= room {
                return Ok(Some(self.rest.split_to(room)));
            }
            chunk.extend_from_slice(&self.rest.split_to(room.min(self.rest.len())));
        }
        Ok((!chunk.is_empty()).then(|| chunk.freeze()))
    }

    fn take(&mut self, piece: Bytes) -> Result<(), Error> {
        self.total += piece.len() as u64;
        self.of.check(self.total)?;
        self.rest = piece;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use bytes::Bytes;
    use futures::{StreamExt, stream};
    use tokio::time::{Instant, interval};
    use tokio_stream::wrappers::IntervalStream;

    use super::{Chunks, Of};
    use crate::{domain::limits, error::Error};

    impl From<Infallible> for Error {
        fn from(never: Infallible) -> Self {
            match never {}
        }
    }

    fn pieces(sizes: &[usize]) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
        stream::iter(sizes.to_vec()).map(|size| Ok(Bytes::from(vec![7; size])))
    }

    #[tokio::test]
    async fn pieces_of_any_size_become_chunks_of_one() {
        let full = limits::CHUNK_BYTES;
        for (sizes, expected) in [
            (&[][..], &[][..]),
            (&[0, 1, 0], &[1]),
            (&[full], &[full]),
            (&[full - 1, 2], &[full, 1]),
            (&[3 * full + 5], &[full, full, full, 5]),
            (&[10, full, full - 10], &[full, full]),
        ] {
            let mut chunks = Chunks::new(Of::File, pieces(sizes));
            let mut got = Vec::new();
            while let Some(chunk) = chunks.next().await.expect("a chunk") {
                got.push(chunk.len());
            }
            assert_eq!(got, expected, "{sizes:?}");
        }
    }

    #[tokio::test]
    async fn the_limit_counts_every_byte() {
        let piece = Bytes::from(vec![0; 1 << 20]);
        for of in [Of::File, Of::Chunk] {
            let exact = of.bytes_max() >> 20;
            for (count, fits) in [(exact, true), (exact + 1, false)] {
                let endless = stream::iter(0..count).map(|_| Ok::<_, Infallible>(piece.clone()));
                let mut chunks = Chunks::new(of, endless);
                let end = loop {
                    match chunks.next().await {
                        Ok(Some(_)) => {}
                        end => break end,
                    }
                };
                let right = match (of, &end) {
                    (_, Ok(None)) => fits,
                    (Of::File, Err(Error::FileTooLarge { .. })) => !fits,
                    (Of::Chunk, Err(Error::ChunkTooLarge { .. })) => !fits,
                    _ => false,
                };
                assert!(right, "{of:?} of {count} MiB: {end:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_drips_is_idle() {
        let drip = IntervalStream::new(interval(Duration::from_secs(1)))
            .map(|_| Ok::<_, Infallible>(Bytes::from_static(b"x")));
        let began = Instant::now();
        assert!(matches!(
            Chunks::new(Of::File, drip).next().await,
            Err(Error::UploadIdle)
        ));
        assert_eq!(began.elapsed(), limits::UPLOAD_IDLE);
    }
}
