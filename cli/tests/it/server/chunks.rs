//! Uploads in chunks, in memory. `worn.csv` loses the connection at its second chunk, once;
//! `torn.csv` whenever it comes to it in the first command.

use djinn_proto::imports::v1::{
    BeginUploadRequest, BeginUploadResponse, Upload, UploadChunkRequest, UploadChunkResponse,
    UploadProgress, upload_chunk_request::Part,
};
use tonic::{Code, Response, Status, Streaming};

use super::{Chunked, Fake, refusal};

/// What the service cuts files into.
const CHUNK_BYTES: i64 = 8 * 1024 * 1024;

/// How often a command tries a call.
const TRIES: usize = 5;

impl Fake {
    pub(super) fn begin_chunked(
        &self,
        asked: BeginUploadRequest,
    ) -> Result<Response<BeginUploadResponse>, Status> {
        let mut state = self.state();
        let same = |it: &Chunked| it.asked.request_id == asked.request_id;
        let known = state.chunked.iter().position(same);
        if known.is_some_and(|at| state.chunked[at].asked != asked) {
            let message = "the request id was used for another file";
            return Err(refusal(Code::AlreadyExists, "REQUEST_ID_REUSED", message));
        }
        let at = known.unwrap_or(state.chunked.len());
        if known.is_none() {
            state.chunked.push(Chunked {
                asked,
                ..Chunked::default()
            });
        }
        let progress = Some(progress(at, &state.chunked[at]));
        Ok(Response::new(BeginUploadResponse { progress }))
    }

    pub(super) async fn receive_chunk(
        &self,
        mut messages: Streaming<UploadChunkRequest>,
    ) -> Result<Response<UploadChunkResponse>, Status> {
        let first = messages.message().await?.and_then(|it| it.part);
        let Some(Part::Header(header)) = first else {
            return Err(Status::invalid_argument("no header"));
        };
        let mut bytes = Vec::new();
        while let Some(message) = messages.message().await? {
            let Some(Part::Chunk(chunk)) = message.part else {
                return Err(Status::invalid_argument("no bytes"));
            };
            bytes.extend_from_slice(&chunk);
        }
        let mut state = self.state();
        let at: usize = header.upload_id.parse().unwrap();
        let upload = &mut state.chunked[at];
        upload.sent.push(header.chunk_number);
        let tries = upload.sent.iter().filter(|it| **it == 1).count();
        let broken = match upload.asked.file_name.as_str() {
            "worn.csv" => tries == 1,
            "torn.csv" => tries <= TRIES,
            _ => false,
        };
        if broken && header.chunk_number == 1 {
            return Err(Status::unavailable("temporarily unavailable, try again"));
        }
        assert_eq!(header.size_bytes, i64::try_from(bytes.len()).unwrap());
        upload.chunks.insert(header.chunk_number, bytes);
        let progress = Some(progress(at, upload));
        Ok(Response::new(UploadChunkResponse { progress }))
    }
}

fn progress(at: usize, upload: &Chunked) -> UploadProgress {
    let size_bytes = upload.asked.size_bytes;
    let chunk_count = i32::try_from((size_bytes + CHUNK_BYTES - 1) / CHUNK_BYTES).unwrap();
    let received_chunks: Vec<i32> = upload.chunks.keys().copied().collect();
    let whole = upload.chunks.len() == usize::try_from(chunk_count).unwrap();
    let stored = || Upload {
        upload_id: upload.asked.file_name.clone(),
        file_name: upload.asked.file_name.clone(),
        size_bytes,
        ..Upload::default()
    };
    UploadProgress {
        upload_id: at.to_string(),
        chunk_size_bytes: CHUNK_BYTES,
        chunk_count,
        received_chunks,
        upload: whole.then(stored),
        ..UploadProgress::default()
    }
}
