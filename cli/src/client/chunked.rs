//! Uploading a large file in chunks: what has arrived stays, so a connection that breaks costs one
//! chunk, and the same request id goes on where an earlier command ended. One chunk is held.

use std::{io::SeekFrom, path::Path};

use bytes::Bytes;
use djinn_proto::imports::v1::{
    BeginUploadRequest, Upload, UploadChunkHeader, UploadChunkRequest, UploadProgress,
    upload_chunk_request::Part,
};
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use uuid::Uuid;

use super::{
    Client,
    upload::{CHUNK_BYTES, file_name},
};
use crate::error::Error;

/// Files up to this size go in one stream: one chunk would be no better.
pub(super) const ONE_STREAM_BYTES_MAX: u64 = 8 * 1024 * 1024;

impl Client {
    /// Stores a file of this size. `advance` is told how many bytes are stored so far.
    pub(super) async fn upload_chunked(
        &self,
        path: &Path,
        request_id: Uuid,
        size_bytes: i64,
        advance: impl Fn(u64),
    ) -> Result<Upload, Error> {
        let mut file = File::open(path)
            .await
            .map_err(|error| unreadable(path, error))?;
        let hash = hash(&mut file).await;
        let request = BeginUploadRequest {
            request_id: request_id.to_string(),
            file_name: file_name(path),
            size_bytes,
            // Of a file that has changed since an earlier command some chunks would be of the old
            // one: with its hash it is another request.
            sha256: hash.map_err(|error| unreadable(path, error))?,
        };
        let begun = self.unary(&self.imports, request, async |mut imports, request| {
            imports.begin_upload(request).await
        });
        let begun = begun.await?.progress;
        let mut progress = begun.ok_or(Error::Incomplete("BeginUpload"))?;
        for number in 0..progress.chunk_count {
            if !progress.received_chunks.contains(&number) {
                let chunk = read(&mut file, &progress, number, size_bytes).await;
                let chunk = chunk.map_err(|error| unreadable(path, error))?;
                progress = self.chunk(&progress.upload_id, number, chunk).await?;
            }
            let stored = i64::from(number + 1) * progress.chunk_size_bytes;
            advance(stored.min(size_bytes).unsigned_abs());
        }
        let upload = progress.upload.ok_or(Error::Incomplete("UploadChunk"))?;
        if upload.size_bytes != size_bytes {
            return Err(Error::Truncated {
                sent: size_bytes,
                stored: upload.size_bytes,
            });
        }
        Ok(upload)
    }

    /// Stores one chunk, again while a later moment can help.
    async fn chunk(
        &self,
        upload_id: &str,
        number: i32,
        chunk: Bytes,
    ) -> Result<UploadProgress, Error> {
        let hash = Sha256::digest(&chunk);
        let header = UploadChunkHeader {
            upload_id: upload_id.to_owned(),
            chunk_number: number,
            sha256: hex::encode(hash),
            size_bytes: i64::try_from(chunk.len()).unwrap_or_default(),
        };
        let stored = self.retry(async || {
            let pieces: Vec<Bytes> = (0..chunk.len())
                .step_by(CHUNK_BYTES)
                .map(|from| chunk.slice(from..chunk.len().min(from + CHUNK_BYTES)))
                .collect();
            let parts = stream::iter([Part::Header(header.clone())])
                .chain(stream::iter(pieces).map(Part::Chunk))
                .map(|part| UploadChunkRequest { part: Some(part) });
            let answer = self.imports.clone().upload_chunk(parts).await;
            Ok(answer.map_err(|status| self.error(status))?.into_inner())
        });
        let progress = stored.await?.progress;
        progress.ok_or(Error::Incomplete("UploadChunk"))
    }
}

/// The SHA-256 of a whole file.
async fn hash(file: &mut File) -> std::io::Result<String> {
    let (mut hash, mut block) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut block).await? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(block.get(..read).unwrap_or_default()),
        }
    }
}

/// The bytes of a chunk, as the upload is cut.
async fn read(
    file: &mut File,
    progress: &UploadProgress,
    number: i32,
    size_bytes: i64,
) -> std::io::Result<Bytes> {
    let begin = i64::from(number) * progress.chunk_size_bytes;
    let length = (size_bytes - begin).clamp(0, progress.chunk_size_bytes);
    file.seek(SeekFrom::Start(begin.unsigned_abs())).await?;
    let mut chunk = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
    file.read_exact(&mut chunk).await?;
    Ok(chunk.into())
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
