//! `djinn preview`: how a statement reads, without importing anything.

use djinn_proto::imports::v1::PreviewStatementRequest;

use super::{Session, import};
use crate::{
    args::Preview,
    clock,
    error::Error,
    output::{document, statement},
};

/// Uploads the file and shows how it reads.
pub(super) async fn run(session: &Session, args: Preview) -> Result<(), Error> {
    let upload = import::upload(session, &args.file, clock::id()).await?;
    let request = PreviewStatementRequest {
        upload_id: upload.upload_id.clone(),
        answers: args.answers.into_iter().collect(),
        rows_max: args.rows,
        mapping: args.said.mapping(),
        time_zone: args.time_zone.unwrap_or_default(),
    };
    let (reading, rows) = session.client.preview(request).await?;
    session
        .output
        .result(&document::Preview::new(&upload, &reading, &rows), || {
            statement::preview(&reading, &rows)
        })
}
