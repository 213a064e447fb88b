//! `GET /v1/imports/{import_id}/errors.csv`: the rows of an import that could not be read, for a
//! spreadsheet, with the user's token. Nothing is held whole.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};

use djinn_proto::imports::v1 as pb;

use super::{
    Edge, answer,
    graphql::{bearer, request_id},
};
use crate::{domain::Class, grpc::Status, limit::Visit};

/// What a browser calls the file.
const DISPOSITION: HeaderValue = HeaderValue::from_static("attachment; filename=\"errors.csv\"");
const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8");
/// Rows of a statement stay with whoever asked for them.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// 200 with the file, or a refusal. One that comes when the file has begun breaks it off, so that
/// it cannot pass for a whole one.
pub(super) async fn errors(
    State(edge): State<Arc<Edge>>,
    Path(import_id): Path<String>,
    request: Request,
) -> Response {
    let id = request_id(&request);
    match begin(&edge, import_id, &request.into_parts().0, &id).await {
        Ok(body) => {
            let mut response = body.into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, CSV);
            headers.insert(CONTENT_DISPOSITION, DISPOSITION);
            headers.insert(CACHE_CONTROL, NO_STORE);
            response
        }
        Err(status) => answer::refused(&status),
    }
}

/// The file as it comes; refused as long as nothing of it has come.
async fn begin(
    edge: &Edge,
    import_id: String,
    parts: &Parts,
    request_id: &str,
) -> Result<Body, Status> {
    let visit = Visit::of(&parts.extensions);
    let bearer = bearer(edge, &parts.headers, &visit).await?;
    let calls = edge.graphql.calls(&bearer, request_id, visit)?;
    calls.admit(Class::Read, 1).await?;
    let asked = pb::DownloadErrorReportRequest { import_id };
    let mut chunks = calls.download_error_report(asked).await?;
    let first = chunks.next().await.transpose()?;
    let bytes = |part: pb::DownloadErrorReportResponse| Bytes::from(part.chunk);
    let first = stream::iter(first.map(|part| Ok(bytes(part))));
    let rest = chunks.map(move |part| part.map(bytes));
    Ok(Body::from_stream(first.chain(rest)))
}
