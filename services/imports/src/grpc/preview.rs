//! A preview into a stream of messages: the reading, then its rows.

use djinn_chassis::{auth::UserId, fault};
use djinn_proto::imports::v1::{self as proto, preview_statement_response::Part};
use futures::{Stream, StreamExt, stream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{convert, parse, reread};
use crate::{
    Error,
    domain::record::ROWS_MAX,
    steps::{Steps, preview::Said},
};

/// Rows that are sent when the caller does not say.
const ROWS_DEFAULT: usize = 1_000;

pub(super) async fn preview(
    steps: &Steps,
    user: UserId,
    asked: proto::PreviewStatementRequest,
) -> Result<impl Stream<Item = Result<proto::PreviewStatementResponse, Status>> + use<>, Error> {
    let upload_id = parse::id("upload_id", &asked.upload_id)?;
    let rows_max = match usize::try_from(asked.rows_max) {
        Ok(0) => ROWS_DEFAULT,
        Ok(count) => count.min(usize::try_from(ROWS_MAX).unwrap_or(usize::MAX)),
        Err(_) => return Err(Error::invalid("rows_max", "is negative; send 0 to 2000000")),
    };
    let said = Said {
        answers: parse::answers(asked.answers)?,
        mapping: reread::mapping(asked.mapping.as_ref())?,
        time_zone: parse::time_zone("time_zone", &asked.time_zone)?,
    };
    let preview = steps.preview(user, upload_id, said, rows_max).await?;
    let reading = Part::Reading(proto::PreviewReading {
        reading: Some(convert::reading(&preview.reading)),
        questions: preview.questions.iter().map(convert::question).collect(),
        balance_gaps: convert::gaps(&preview.gaps),
        balance_gap_count: convert::gap_count(&preview.gaps),
    });
    let rows = ReceiverStream::new(preview.rows).map(|entry| match entry {
        Ok(entry) => Ok(Part::Row(convert::preview_row(entry))),
        Err(error) => Err(fault::status(error)),
    });
    let message = |part| proto::PreviewStatementResponse { part: Some(part) };
    Ok(stream::once(async { Ok(reading) })
        .chain(rows)
        .map(move |part| part.map(message)))
}
