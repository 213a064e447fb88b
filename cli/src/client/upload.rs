//! Uploading a file as a stream of chunks. The file is never held whole.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use djinn_proto::imports::v1::{
    Upload, UploadHeader, UploadStatementRequest, upload_statement_request::Part,
};
use futures::{Stream, StreamExt, stream};
use tokio::{fs::File, io::AsyncReadExt, sync::oneshot};
use uuid::Uuid;

use super::{Client, chunked::ONE_STREAM_BYTES_MAX};
use crate::error::Error;

/// Bytes in one message, the size that the contract recommends.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// Characters of a file name, the most the contract allows.
const FILE_NAME_CHARS_MAX: usize = 255;

impl Client {
    /// Stores a file: a large one in chunks, what is small or a pipe in one stream. `advance` is
    /// told how many bytes have been read so far; in one stream it starts again after a broken
    /// connection.
    pub(crate) async fn upload(
        &self,
        path: &Path,
        request_id: Uuid,
        advance: impl Fn(u64) + Clone + Send + 'static,
    ) -> Result<Upload, Error> {
        let known = tokio::fs::metadata(path).await.ok();
        let known = known.filter(|it| it.is_file() && it.len() > ONE_STREAM_BYTES_MAX);
        if let Some(size) = known.and_then(|it| i64::try_from(it.len()).ok()) {
            return self.upload_chunked(path, request_id, size, advance).await;
        }
        let header = UploadHeader {
            request_id: request_id.to_string(),
            file_name: file_name(path),
            size_bytes: 0,
        };
        self.retry(async || {
            self.upload_once(path, header.clone(), advance.clone())
                .await
        })
        .await
    }

    async fn upload_once(
        &self,
        path: &Path,
        mut header: UploadHeader,
        advance: impl Fn(u64) + Send + 'static,
    ) -> Result<Upload, Error> {
        let unreadable = |source| Error::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).await.map_err(unreadable)?;
        // A pipe has no size, and 0 says so.
        let size = file.metadata().await.map_err(unreadable)?.len();
        header.size_bytes = i64::try_from(size).unwrap_or_default();
        let (failed, failure) = oneshot::channel();
        let sent = Arc::new(AtomicI64::new(0));
        let chunks = Chunks {
            file,
            failed: Some(failed),
            sent: Arc::clone(&sent),
            advance,
        };
        let messages = stream::iter([message(Part::Header(header))]).chain(chunks.stream());

        let mut imports = self.imports.clone();
        let response = tokio::select! {
            response = imports.upload_statement(messages) => response,
            // Dropping the call resets the stream, so that half a file is never taken for whole.
            Ok(source) = failure => return Err(unreadable(source)),
        };
        let upload = response
            .map_err(|status| self.error(status))?
            .into_inner()
            .upload
            .ok_or(Error::Incomplete("UploadStatement"))?;
        let sent = sent.load(Ordering::Relaxed);
        if upload.size_bytes != sent {
            return Err(Error::Truncated {
                sent,
                stored: upload.size_bytes,
            });
        }
        Ok(upload)
    }
}

/// A file on its way.
struct Chunks<F> {
    file: File,
    /// Where a read error goes: the stream itself can only end or wait, and ending would say that
    /// the file is complete.
    failed: Option<oneshot::Sender<io::Error>>,
    sent: Arc<AtomicI64>,
    advance: F,
}

impl<F: Fn(u64) + Send + 'static> Chunks<F> {
    fn stream(self) -> impl Stream<Item = UploadStatementRequest> + Send + 'static {
        stream::unfold(self, |mut chunks| async {
            let chunk = chunks.next().await?;
            Some((message(Part::Chunk(chunk)), chunks))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut filled = 0;
        while filled < chunk.len() {
            match self.file.read(&mut chunk[filled..]).await {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => {
                    if let Some(failed) = self.failed.take() {
                        // Nobody listens when the call has ended, and then nobody needs to know.
                        failed.send(error).ok();
                    }
                    return futures::future::pending().await;
                }
            }
        }
        if filled == 0 {
            return None;
        }
        chunk.truncate(filled);
        let filled = i64::try_from(filled).unwrap_or(i64::MAX);
        let sent = self.sent.fetch_add(filled, Ordering::Relaxed) + filled;
        (self.advance)(sent.unsigned_abs());
        Some(Bytes::from(chunk))
    }
}

fn message(part: Part) -> UploadStatementRequest {
    UploadStatementRequest { part: Some(part) }
}

/// The name without its folders, cut to what the contract allows.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .take(FILE_NAME_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        let long = format!("/tmp/{}.csv", "ä".repeat(300));
        for (path, expected) in [
            ("statement.csv", "statement.csv".to_owned()),
            ("/home/me/bank 2025.csv", "bank 2025.csv".to_owned()),
            (&*long, "ä".repeat(255)),
        ] {
            assert_eq!(file_name(Path::new(path)), expected);
        }
    }
}
