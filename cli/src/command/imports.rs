//! `djinn imports`: looking at imports, confirming, cancelling and undoing them.

use djinn_proto::imports::v1::{
    CancelImportRequest, ConfirmImportRequest, ImportState, ListImportRowsRequest, RowVerdict,
};
use uuid::Uuid;

use super::{
    Session, revert,
    review::{self, Consent},
};
use crate::{
    args::{ImportRows, Imports, YesNo},
    clock,
    error::Error,
    output::{document, import},
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: Imports) -> Result<(), Error> {
    match command {
        Imports::List => list(session).await,
        Imports::Show { import_id } => show(session, import_id).await,
        Imports::Rows(args) => rows(session, args).await,
        Imports::Confirm { import_id, etag } => confirm(session, import_id, etag).await,
        Imports::Cancel { import_id } => cancel(session, import_id).await,
        Imports::Revert { import_id, yes } => {
            let consent = if yes { Consent::Given } else { Consent::Ask };
            revert::run(session, import_id, consent).await
        }
    }
}

async fn list(session: &Session) -> Result<(), Error> {
    let imports = session.client.imports().await?;
    let document = document::Imports { imports: &imports };
    session.output.result(&document, || import::list(&imports))
}

async fn show(session: &Session, import_id: Uuid) -> Result<(), Error> {
    let shown = session.client.import(import_id.to_string()).await?;
    session
        .output
        .result(&document::import(&shown), || import::show(&shown))
}

async fn rows(session: &Session, args: ImportRows) -> Result<(), Error> {
    let verdicts = args.verdicts.into_iter();
    let request = ListImportRowsRequest {
        import_id: args.import_id.to_string(),
        verdicts: verdicts
            .map(|verdict| RowVerdict::from(verdict).into())
            .collect(),
        included: args.included.map(|included| included == YesNo::Yes),
        ..ListImportRowsRequest::default()
    };
    let rows = session.client.rows(request, args.limit).await?;
    session
        .output
        .result(&document::Rows { rows: &rows }, || import::rows(&rows))
}

/// Confirms by command: what was seen with the etag, or whatever the review shows now.
async fn confirm(session: &Session, import_id: Uuid, etag: Option<String>) -> Result<(), Error> {
    let import_id = import_id.to_string();
    let confirmed = async {
        let Some(etag) = etag else {
            return review::conclude(session, &import_id, Consent::Given).await;
        };
        let request = ConfirmImportRequest {
            import_id: import_id.clone(),
            etag: etag.clone(),
            request_id: clock::id().to_string(),
        };
        session.client.confirm(request).await?;
        review::follow(session, &import_id, Some(&etag))
            .await
            .and_then(review::committed)
    };
    let confirmed = tokio::select! {
        result = confirmed => result,
        error = review::interrupted() => Err(error.guided(review::way_on(&import_id))),
    }?;
    session.output.result(&document::import(&confirmed), || {
        import::committed(&confirmed)
    })
}

async fn cancel(session: &Session, import_id: Uuid) -> Result<(), Error> {
    let request = CancelImportRequest {
        import_id: import_id.to_string(),
        request_id: clock::id().to_string(),
    };
    let cancelled = session.client.cancel(request).await?;
    let cancelled = review::end(session, cancelled).await?;
    if cancelled.state() != ImportState::Cancelled {
        return Err(Error::Ended(Box::new(cancelled)));
    }
    session.output.result(&document::import(&cancelled), || {
        format!("Cancelled import {}", cancelled.import_id)
    })
}
