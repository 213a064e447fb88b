//! Uploads in chunks: begin one, store a chunk, ask what has arrived.

use std::pin::pin;

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1::{self as proto, upload_chunk_request::Part};
use futures::StreamExt;
use tonic::Streaming;

use super::{
    Door, body_hash, convert, parse,
    receive::{announced, broken, check_name, piece},
};
use crate::{
    Error,
    domain::{
        chunk::{CHUNK_BYTES, Cut},
        encoding::FILE_BYTES_MAX,
    },
    steps::chunk::{Header, request},
    store::chunk::Announced,
};

impl Door {
    pub(super) async fn begin_chunked(
        &self,
        user: UserId,
        asked: &proto::BeginUploadRequest,
    ) -> Result<proto::UploadProgress, Error> {
        let request_id = parse::id("request_id", &asked.request_id)?;
        check_name("file_name", &asked.file_name)?;
        let size = size(asked.size_bytes)?;
        let sha256 = match asked.sha256.as_str() {
            "" => None,
            text => Some(parse::sha256("sha256", text)?),
        };
        let hash = sha256.as_ref().map_or(&[][..], |hash| &hash[..]);
        let body = body_hash(&[asked.file_name.as_bytes(), &size.to_be_bytes(), hash]);
        let announced = Announced {
            file_name: &asked.file_name,
            cut: Cut {
                size_bytes: size,
                chunk_bytes: CHUNK_BYTES,
            },
            sha256: sha256.as_ref(),
        };
        let request = request(request_id, &body);
        let progress = self.steps.begin_chunked(user, request, announced).await?;
        Ok(convert::progress(&progress))
    }

    pub(super) async fn receive_chunk(
        &self,
        user: UserId,
        mut messages: Streaming<proto::UploadChunkRequest>,
    ) -> Result<proto::UploadProgress, Error> {
        let first = messages.message().await.map_err(broken)?;
        let header = match first.and_then(|message| message.part) {
            Some(Part::Header(header)) => parse_header(&header)?,
            _ => {
                let problem = "is missing; send it in the first message";
                return Err(Error::invalid("header", problem));
            }
        };
        let bytes = messages.map(|message| match message.map_err(broken)?.part {
            Some(Part::Chunk(bytes)) => piece(Some(bytes)),
            _ => piece(None),
        });
        let progress = self.steps.receive_chunk(user, header, pin!(bytes)).await?;
        Ok(convert::progress(&progress))
    }

    pub(super) async fn progress(
        &self,
        user: UserId,
        asked: &proto::GetUploadProgressRequest,
    ) -> Result<proto::UploadProgress, Error> {
        let upload_id = parse::id("upload_id", &asked.upload_id)?;
        let progress = self.steps.progress(user, upload_id).await?;
        Ok(convert::progress(&progress))
    }
}

fn parse_header(header: &proto::UploadChunkHeader) -> Result<Header, Error> {
    Ok(Header {
        upload_id: parse::id("header.upload_id", &header.upload_id)?,
        number: header.chunk_number,
        sha256: parse::sha256("header.sha256", &header.sha256)?,
        size_bytes: announced(header.size_bytes)?,
    })
}

/// The size of a file, which must be known before it is cut.
fn size(asked: i64) -> Result<i64, Error> {
    if asked < 1 {
        let problem = format!("is {asked}; send the size of the file, 1 byte or more");
        return Err(Error::invalid("size_bytes", problem));
    }
    if asked.unsigned_abs() > FILE_BYTES_MAX {
        let limit_bytes = FILE_BYTES_MAX;
        return Err(Error::FileTooLarge { limit_bytes });
    }
    Ok(asked)
}
