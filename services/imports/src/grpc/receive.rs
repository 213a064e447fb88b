//! The messages of an upload into a header and a stream of bytes.

use std::pin::pin;

use bytes::Bytes;
use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1::{self as proto, upload_statement_request::Part};
use futures::{Stream, StreamExt};
use tonic::Streaming;

use super::parse;
use crate::{
    Error,
    steps::{Steps, receive::Header},
    store::upload::Upload,
};

/// Characters of a file's name at most.
const FILE_NAME_MAX: usize = 255;
/// Bytes of a file in one message at most: less than a gRPC message, which an upload must not fill.
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

pub(super) async fn receive(
    steps: &Steps,
    user: UserId,
    mut messages: Streaming<proto::UploadStatementRequest>,
) -> Result<Upload, Error> {
    let first = messages.message().await.map_err(broken)?;
    let header = match first.and_then(|message| message.part) {
        Some(Part::Header(header)) => parse_header(header)?,
        _ => {
            return Err(Error::invalid(
                "header",
                "is missing; send it in the first message",
            ));
        }
    };
    steps.receive(user, header, pin!(chunks(messages))).await
}

fn parse_header(header: proto::UploadHeader) -> Result<Header, Error> {
    let request_id = parse::id("header.request_id", &header.request_id)?;
    let file_name = header.file_name;
    check_name("header.file_name", &file_name)?;
    Ok(Header {
        request_id,
        file_name,
        size_bytes: announced(header.size_bytes)?,
    })
}

/// A name as people may give it.
pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), Error> {
    if name.chars().count() > FILE_NAME_MAX {
        let problem = format!("is longer than {FILE_NAME_MAX} characters; shorten it");
        return Err(Error::invalid(field, problem));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            "holds control characters; remove them",
        ));
    }
    Ok(())
}

/// A size that a header tells, if it does.
pub(super) fn announced(size_bytes: i64) -> Result<Option<u64>, Error> {
    match size_bytes {
        0 => Ok(None),
        size => u64::try_from(size)
            .map(Some)
            .map_err(|_| Error::invalid("header.size_bytes", "is negative; send the size or 0")),
    }
}

fn chunks(
    messages: Streaming<proto::UploadStatementRequest>,
) -> impl Stream<Item = Result<Bytes, Error>> {
    messages.map(|message| match message.map_err(broken)?.part {
        Some(Part::Chunk(chunk)) => piece(Some(chunk)),
        _ => piece(None),
    })
}

/// The bytes of a message, which carries some and not too many.
pub(super) fn piece(bytes: Option<Bytes>) -> Result<Bytes, Error> {
    match bytes {
        Some(bytes) if bytes.len() > CHUNK_BYTES_MAX => {
            let problem = format!("has {} bytes; send at most {CHUNK_BYTES_MAX}", bytes.len());
            Err(Error::invalid("chunk", problem))
        }
        Some(bytes) => Ok(bytes),
        None => Err(Error::invalid(
            "chunk",
            "is missing; every message but the first carries one",
        )),
    }
}

/// The client went away, or sent what is no message: either way the upload is over.
pub(super) fn broken(status: tonic::Status) -> Error {
    Error::invalid(
        "chunk",
        format!("the upload broke off: {}", status.message()),
    )
}
