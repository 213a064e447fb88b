//! `POST /v1/statements`: a statement file as a raw body or as a form, streamed to the imports
//! service. Nothing is held whole.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Query, Request, State, multipart::Field},
    http::{
        HeaderMap, StatusCode, Version,
        header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use serde::Deserialize;
use tokio::time::{timeout, timeout_at};

use djinn_chassis::auth::{Caller, Refusal};
use djinn_proto::imports::v1 as pb;

use super::{
    Edge, answer,
    chunk::{Chunks, Of},
    intake::{Intake, Taken},
    name,
};
use crate::{
    domain::{Class, limits},
    error::Error,
    grpc::{self, REQUEST_ID, Statement, Status, Upload, Uploader},
    limit::Visit,
};

/// The field of a form that holds the file.
const FILE: &str = "file";
/// The field, query parameter or header that makes an upload safe to repeat.
const ID: &str = "request_id";
/// Its name as a header.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Deserialize, Default)]
struct Asked {
    file_name: Option<String>,
    request_id: Option<String>,
}

/// 201 with the stored upload as JSON, or a refusal.
pub(super) async fn statements(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    match receive(&edge, request).await {
        Ok(upload) => (StatusCode::CREATED, Json(upload)).into_response(),
        Err(status) => answer::refused(&status),
    }
}

async fn receive(edge: &Edge, request: Request) -> Result<pb::Upload, Status> {
    let (parts, body) = request.into_parts();
    let http1 = parts.version < Version::HTTP_2;
    let intake = Intake::new(body, http1, parts.headers.contains_key(EXPECT));
    let visit = Visit::of(&parts.extensions);
    let caller = edge.gate.caller(&parts.headers, &visit).await?;
    let (user, class) = (caller.user_id, Class::Upload);
    edge.gate.admit(&visit, user, class, 1).await?;
    let form = is_form(&parts.headers);
    refuse_by_length(&parts.headers, form).map_err(grpc::status)?;
    let expiry = edge.gate.expiry(&caller);
    let stored = async {
        if form {
            from_form(edge, &caller, parts, intake).await
        } else {
            from_body(edge, &caller, &parts, intake).await
        }
    };
    match timeout_at(expiry, stored).await {
        Ok(stored) => stored,
        Err(_) => Err(Refusal::Expired.into()),
    }
}

async fn from_body(
    edge: &Edge,
    caller: &Caller,
    parts: &Parts,
    intake: Intake,
) -> Result<pb::Upload, Status> {
    let asked = asked(parts).map_err(grpc::status)?;
    let mut upload = begin(edge, caller, parts, asked, None)?;
    match transfer(Of::File, &mut upload, intake).await? {
        Some(stored) => Ok(stored),
        None => upload.finish().await,
    }
}

async fn from_form(
    edge: &Edge,
    caller: &Caller,
    parts: Parts,
    intake: Intake,
) -> Result<pb::Upload, Status> {
    let mut asked = asked(&parts).map_err(grpc::status)?;
    let taken = Taken::default();
    let body = Body::from_stream(intake.for_form(taken.clone()));
    let mut typed = Request::new(body);
    *typed.headers_mut() = parts.headers.clone();
    let form = Multipart::from_request(typed, &()).await;
    let mut form = form.map_err(|_| grpc::status(Error::UploadBroken))?;
    loop {
        let Some(field) = next_field(&mut form).await? else {
            return Err(wrong(FILE, "the form has no field file"));
        };
        match field.name() {
            Some(ID) => {
                let id = short_text(field).await?;
                asked.request_id = one_id(asked.request_id, Some(id)).map_err(grpc::status)?;
            }
            Some(FILE) => {
                let named = field.file_name().filter(|name| !name.is_empty());
                let named = named.map(ToOwned::to_owned);
                let mut upload = begin(edge, caller, &parts, asked, named)?;
                let pieces = field
                    .map_err(broken_form)
                    .inspect_ok(|piece| taken.add(piece.len()));
                if let Some(stored) = transfer(Of::File, &mut upload, pieces).await? {
                    return Ok(stored);
                }
                // A field behind the file cannot be obeyed any more; it is not ignored either.
                if next_field(&mut form).await?.is_some() {
                    return Err(wrong(FILE, "file must be the last field of the form"));
                }
                return upload.finish().await;
            }
            _ => {
                return Err(wrong(
                    "",
                    "the form has a field other than request_id and file",
                ));
            }
        }
    }
}

/// Sends a file, or a chunk of one, message by message; reading waits while the service is busy.
/// `Some` if the service answered before the end.
pub(super) async fn transfer<A, M, S, E>(
    of: Of,
    upload: &mut Upload<A, M>,
    pieces: S,
) -> Result<Option<A>, Status>
where
    A: Send + 'static,
    M: Send + 'static,
    S: Stream<Item = Result<Bytes, E>>,
    Error: From<E>,
{
    let mut chunks = Chunks::new(of, pieces);
    loop {
        // A service that is away or refuses is heard even while the client sends nothing.
        let chunk = tokio::select! {
            biased;
            answer = upload.answer() => return answer.map(Some),
            chunk = chunks.next() => chunk.map_err(grpc::status)?,
        };
        let Some(chunk) = chunk else {
            return Ok(None);
        };
        if let Some(stored) = upload.send(chunk).await? {
            return Ok(Some(stored));
        }
    }
}

fn begin(
    edge: &Edge,
    caller: &Caller,
    parts: &Parts,
    asked: Asked,
    named: Option<String>,
) -> Result<Statement, Status> {
    let uploader = uploader(caller, &parts.headers)?;
    let header = pb::UploadHeader {
        request_id: asked
            .request_id
            .unwrap_or_else(|| edge.gate.request_id().to_string()),
        file_name: asked
            .file_name
            .or(named)
            .unwrap_or_else(|| name::DEFAULT.to_owned()),
        // The length of a form is not that of its file.
        size_bytes: match is_form(&parts.headers) {
            true => 0,
            false => length(&parts.headers).unwrap_or_default(),
        },
    };
    Statement::begin(&edge.lanes, &edge.gate, &uploader, header)
}

/// Whose token goes with an upload.
pub(super) fn uploader(caller: &Caller, headers: &HeaderMap) -> Result<Uploader, Status> {
    let authorization = headers.get(AUTHORIZATION).ok_or(Refusal::Missing)?;
    Ok(Uploader {
        user: caller.user_id,
        authorization: authorization.clone(),
        trace_id: headers.get(REQUEST_ID).cloned(),
    })
}

/// What query and header ask for.
fn asked(parts: &Parts) -> Result<Asked, Error> {
    let query = Query::<Asked>::try_from_uri(&parts.uri);
    let Query(mut asked) = query.map_err(|_| Error::Form {
        field: "",
        problem: "the query cannot be read",
    })?;
    asked.request_id = one_id(asked.request_id, key(&parts.headers))?;
    let disposition = parts.headers.get(CONTENT_DISPOSITION);
    let disposition = disposition.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    asked.file_name = asked
        .file_name
        .or_else(|| disposition.and_then(name::of_disposition));
    Ok(asked)
}

/// The request id as a header.
pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    headers.get(IDEMPOTENCY_KEY).map(|value| {
        // The draft of the header quotes the key; many clients do not.
        let text = String::from_utf8_lossy(value.as_bytes());
        text.trim().trim_matches('"').to_owned()
    })
}

/// One request id from two places that may both name it.
pub(super) fn one_id(
    known: Option<String>,
    other: Option<String>,
) -> Result<Option<String>, Error> {
    match (known, other) {
        (Some(known), Some(other)) if known != other => Err(Error::Form {
            field: ID,
            problem: "two different request ids",
        }),
        (known, other) => Ok(known.or(other)),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("multipart/form-data")
    })
}

/// Refuses what says itself that it is too large, before a byte of it is read.
fn refuse_by_length(headers: &HeaderMap, form: bool) -> Result<(), Error> {
    let overhead = if form {
        limits::FORM_OVERHEAD_BYTES_MAX
    } else {
        0
    };
    if length::<u64>(headers).unwrap_or_default() > limits::FILE_BYTES_MAX + overhead {
        return Err(Error::FileTooLarge {
            bytes_max: limits::FILE_BYTES_MAX,
        });
    }
    Ok(())
}

pub(super) fn length<T: std::str::FromStr>(headers: &HeaderMap) -> Option<T> {
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok()
}

async fn next_field(form: &mut Multipart) -> Result<Option<Field<'_>>, Status> {
    match timeout(limits::UPLOAD_IDLE, form.next_field()).await {
        Ok(Ok(field)) => Ok(field),
        Ok(Err(error)) => Err(grpc::status(broken_form(error))),
        Err(_) => Err(grpc::status(Error::UploadIdle)),
    }
}

/// The text of a field that has no reason to be long.
async fn short_text(mut field: Field<'_>) -> Result<String, Status> {
    let mut text = Vec::new();
    let read = async {
        while let Some(piece) = field.next().await {
            text.extend_from_slice(&piece.map_err(broken_form)?);
            if text.len() > limits::REQUEST_ID_BYTES_MAX {
                break;
            }
        }
        Ok(())
    };
    let read = timeout(limits::UPLOAD_IDLE, read).await;
    read.unwrap_or(Err(Error::UploadIdle))
        .map_err(grpc::status)?;
    let text = String::from_utf8(text).ok();
    text.filter(|text| text.len() <= limits::REQUEST_ID_BYTES_MAX)
        .ok_or_else(|| wrong(ID, "not a UUID"))
}

/// The form reader's error; ours if the body itself failed under it.
fn broken_form(error: axum::extract::multipart::MultipartError) -> Error {
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        if let Some(Error::Form { field, problem }) = cause.downcast_ref() {
            return Error::Form { field, problem };
        }
        source = cause.source();
    }
    Error::UploadBroken
}

fn wrong(field: &'static str, problem: &'static str) -> Status {
    grpc::status(Error::Form { field, problem })
}
