//! Uploads in chunks, as the imports service would answer them.

use futures::StreamExt;
use tonic::{Code, Request, Response, Status, Streaming};

use djinn_proto::imports::v1::{upload_chunk_request::Part, *};

use super::{Answer, Fake, STALL, Seen, sample::refusal};

/// The ids of uploads whose chunk is there already, or is another one.
pub(crate) const STORED: &str = "stored";
pub(crate) const CONFLICT: &str = "conflict";

/// An upload that has just begun.
pub(super) fn begun(asked: &BeginUploadRequest) -> UploadProgress {
    UploadProgress {
        upload_id: format!("of {}", asked.request_id),
        chunk_size_bytes: 8 << 20,
        chunk_count: 3,
        ..UploadProgress::default()
    }
}

/// An upload that is whole.
pub(super) fn whole(upload_id: &str) -> UploadProgress {
    UploadProgress {
        upload_id: upload_id.to_owned(),
        chunk_size_bytes: 8 << 20,
        chunk_count: 3,
        received_chunks: vec![0, 1, 2],
        upload: Some(Upload {
            upload_id: upload_id.to_owned(),
            size_bytes: 20 << 20,
            ..Upload::default()
        }),
        ..UploadProgress::default()
    }
}

impl Fake {
    pub(super) async fn receive_chunk(
        &self,
        request: Request<Streaming<UploadChunkRequest>>,
    ) -> Answer<UploadChunkResponse> {
        self.note(&request);
        let authorization = request.metadata().contains_key("authorization");
        let mut parts = request.into_inner();
        let first = parts.message().await?.and_then(|message| message.part);
        let Some(Part::Header(header)) = first else {
            return Err(Status::invalid_argument("no header"));
        };
        let upload_id = header.upload_id.clone();
        self.seen(Seen::Chunk {
            upload_id: header.upload_id,
            number: header.chunk_number,
            sha256: header.sha256,
            size_bytes: header.size_bytes,
            authorization,
        });
        match &*upload_id {
            STORED => return Ok(answered(&upload_id)),
            STALL => std::future::pending().await,
            CONFLICT => {
                let message = "chunk 0 has another SHA-256";
                return Err(refusal(Code::AlreadyExists, "CHUNK_CONFLICT", message, &[]));
            }
            _ => {}
        }
        let (mut bytes, mut zeros, mut told) = (0, true, false);
        while let Some(message) = parts.next().await {
            let message = message.inspect_err(|broken| self.seen(Seen::Broken(broken.code())))?;
            let Some(Part::Chunk(chunk)) = message.part else {
                return Err(Status::invalid_argument("no bytes"));
            };
            bytes += chunk.len() as u64;
            zeros &= chunk.iter().all(|byte| *byte == 0);
            if !std::mem::replace(&mut told, true) {
                self.seen(Seen::More);
            }
        }
        self.seen(Seen::Whole { bytes, zeros });
        Ok(answered(&upload_id))
    }
}

fn answered(upload_id: &str) -> Response<UploadChunkResponse> {
    let progress = Some(whole(upload_id));
    Response::new(UploadChunkResponse { progress })
}
