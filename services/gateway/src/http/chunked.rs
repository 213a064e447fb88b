//! Uploads in chunks, for networks on which a file does not pass in one go: `POST /v1/uploads`,
//! then `PUT /v1/uploads/{upload_id}/chunks/{chunk_number}` in any order, and
//! `GET /v1/uploads/{upload_id}` for whoever lost the connection. No chunk is held whole here.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Version, header::EXPECT, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::time::{Instant, timeout, timeout_at};

use djinn_chassis::auth::{Caller, Refusal};
use djinn_proto::imports::v1 as pb;

use super::{
    Edge, answer,
    chunk::Of,
    graphql::{bearer, request_id, whole},
    intake::Intake,
    upload::{key, length, one_id, transfer, uploader},
};
use crate::{
    domain::{Class, digest, limits},
    error::Error,
    grpc::{self, Chunk, Status},
    limit::Visit,
};

/// The header with the hash of a chunk.
const CONTENT_DIGEST: &str = "content-digest";

type Progress = Result<pb::UploadProgress, Status>;

/// 201 with the upload that has begun, or a refusal.
pub(super) async fn begin(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    told(StatusCode::CREATED, begun(&edge, request).await)
}

/// 200 with what has arrived, or a refusal.
pub(super) async fn progress(
    State(edge): State<Arc<Edge>>,
    Path(upload_id): Path<String>,
    request: Request,
) -> Response {
    let id = request_id(&request);
    let (parts, _) = request.into_parts();
    let found = found(&edge, upload_id, &parts, &id).await;
    told(StatusCode::OK, found)
}

/// 200 with what has arrived, this chunk among it, or a refusal.
pub(super) async fn chunk(
    State(edge): State<Arc<Edge>>,
    Path((upload_id, number)): Path<(String, String)>,
    request: Request,
) -> Response {
    told(
        StatusCode::OK,
        received(&edge, upload_id, &number, request).await,
    )
}

fn told(code: StatusCode, progress: Progress) -> Response {
    match progress {
        Ok(progress) => (code, Json(progress)).into_response(),
        Err(status) => answer::refused(&status),
    }
}

async fn begun(edge: &Edge, request: Request) -> Progress {
    let id = request_id(&request);
    let (parts, body) = request.into_parts();
    let intake = intake(&parts, body);
    let visit = Visit::of(&parts.extensions);
    let bearer = bearer(edge, &parts.headers, &visit).await?;
    let calls = edge.graphql.calls(&bearer, &id, visit)?;
    calls.admit(Class::Upload, 1).await?;
    let body = timeout(
        limits::BODY_TIMEOUT,
        whole(intake, limits::UPLOAD_BODY_BYTES_MAX),
    )
    .await;
    let body = body.unwrap_or(Err(Error::BodyIdle)).map_err(grpc::status)?;
    let asked = serde_json::from_slice::<pb::BeginUploadRequest>(&body);
    let mut asked = asked.map_err(|_| {
        let problem = "the body is not a JSON object of request_id, file_name, size_bytes and \
                       sha256, of which size_bytes is a whole number";
        grpc::status(Error::Form { field: "", problem })
    })?;
    let told = Some(asked.request_id).filter(|id| !id.is_empty());
    let told = one_id(told, key(&parts.headers)).map_err(grpc::status)?;
    asked.request_id = told.unwrap_or_else(|| edge.gate.request_id().to_string());
    let answer = calls.begin_upload(deadline(), asked).await?;
    there(answer.progress)
}

async fn found(edge: &Edge, upload_id: String, parts: &Parts, id: &str) -> Progress {
    let visit = Visit::of(&parts.extensions);
    let bearer = bearer(edge, &parts.headers, &visit).await?;
    let calls = edge.graphql.calls(&bearer, id, visit)?;
    calls.admit(Class::Read, 1).await?;
    let asked = pb::GetUploadProgressRequest { upload_id };
    let answer = calls.get_upload_progress(deadline(), asked).await?;
    there(answer.progress)
}

async fn received(edge: &Edge, upload_id: String, number: &str, request: Request) -> Progress {
    let (parts, body) = request.into_parts();
    let intake = intake(&parts, body);
    let visit = Visit::of(&parts.extensions);
    let caller = edge.gate.caller(&parts.headers, &visit).await?;
    let user = caller.user_id;
    edge.gate.admit(&visit, user, Class::Chunk, 1).await?;
    let header = header(upload_id, number, &parts.headers).map_err(grpc::status)?;
    let expiry = edge.gate.expiry(&caller);
    match timeout_at(expiry, pass_on(edge, &caller, &parts, header, intake)).await {
        Ok(stored) => stored,
        Err(_) => Err(Refusal::Expired.into()),
    }
}

async fn pass_on(
    edge: &Edge,
    caller: &Caller,
    parts: &Parts,
    header: pb::UploadChunkHeader,
    intake: Intake,
) -> Progress {
    let uploader = uploader(caller, &parts.headers)?;
    let mut chunk = Chunk::begin(&edge.lanes, &edge.gate, &uploader, header)?;
    match transfer(Of::Chunk, &mut chunk, intake).await? {
        Some(stored) => Ok(stored),
        None => chunk.finish().await,
    }
}

/// What the path and the headers say of a chunk. What is too large by its own word is refused
/// before a byte of it is read.
fn header(
    upload_id: String,
    number: &str,
    headers: &HeaderMap,
) -> Result<pb::UploadChunkHeader, Error> {
    let chunk_number = number.parse().map_err(|_| Error::Form {
        field: "chunk_number",
        problem: "the path names no chunk; its number is from 0",
    })?;
    let size = length::<u64>(headers).unwrap_or_default();
    Of::Chunk.check(size)?;
    let values = headers.get_all(CONTENT_DIGEST);
    let hash = digest::sha256(values.iter().map(|value| value.as_bytes()));
    let hash = hash.map_err(|problem| Error::Form {
        field: CONTENT_DIGEST,
        problem,
    })?;
    Ok(pb::UploadChunkHeader {
        upload_id,
        chunk_number,
        sha256: hex::encode(hash),
        size_bytes: i64::try_from(size).unwrap_or_default(),
    })
}

fn intake(parts: &Parts, body: Body) -> Intake {
    let http1 = parts.version < Version::HTTP_2;
    Intake::new(body, http1, parts.headers.contains_key(EXPECT))
}

fn deadline() -> Instant {
    Instant::now() + limits::DEADLINE_DEFAULT
}

fn there(progress: Option<pb::UploadProgress>) -> Progress {
    let service = "imports";
    progress.ok_or_else(|| grpc::status(Error::AnswerBroken { service }))
}
