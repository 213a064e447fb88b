//! `djinn imports reread`: the stored file of an import once more, under another mapping.

use djinn_proto::imports::v1::RereadImportRequest;

use super::{
    Session,
    question::Answers,
    review::{self, Awaited, Consent},
};
use crate::{
    args::ImportReread,
    clock,
    error::Error,
    output::{document, import},
};

/// Reads the file once more, then goes on to the review.
pub(super) async fn run(session: &Session, args: ImportReread) -> Result<(), Error> {
    let import_id = args.import_id.to_string();
    let etag = match args.etag {
        Some(etag) => etag,
        None => session.client.import(import_id.clone()).await?.etag,
    };
    let request = RereadImportRequest {
        import_id: import_id.clone(),
        etag: etag.clone(),
        request_id: clock::id().to_string(),
        mapping: args.said.mapping(),
        answers: args.answers.into_iter().collect(),
    };
    session.client.reread(request).await?;
    let mut answers = Answers::none();
    let conclude = async {
        review::follow(session, &import_id, Awaited::Reading(&etag)).await?;
        review::conclude(session, &import_id, Consent::Ask, &mut answers).await
    };
    let concluded = tokio::select! {
        result = conclude => result,
        error = review::interrupted() => Err(error),
    };
    let concluded = concluded.map_err(|error| error.guided(review::way_on(&import_id)))?;
    session.output.result(&document::import(&concluded), || {
        import::committed(&concluded)
    })
}
