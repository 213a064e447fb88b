//! `djinn imports`: looking at imports, deciding about rows and editing them, answering,
//! confirming, cancelling and undoing.

use djinn_proto::imports::v1::{
    CancelImportRequest, ConfirmImportRequest, ImportState, ListImportRowsRequest, RowVerdict,
};
use uuid::Uuid;

use super::{
    Session, decide, edit, errors,
    question::Answers,
    reread, revert,
    review::{self, Awaited, Consent},
};
use crate::{
    args::{ImportAnswer, ImportRows, Imports, YesNo},
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
        Imports::Decide(args) => decide::run(session, args).await,
        Imports::Edit(args) => edit::run(session, args).await,
        Imports::Answer(args) => answer(session, args).await,
        Imports::Errors { import_id, output } => errors::run(session, import_id, output).await,
        Imports::Reread(args) => reread::run(session, args).await,
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

/// Goes on with the answers of the command, or those that are given at the terminal.
async fn answer(session: &Session, args: ImportAnswer) -> Result<(), Error> {
    let import_id = args.import_id.to_string();
    let mut answers = Answers::given(args.answers)?;
    let consent = if args.yes {
        Consent::Given
    } else {
        Consent::Ask
    };
    let answered = async {
        let import = session.client.import(import_id.clone()).await?;
        if import.state() != ImportState::Asking {
            return Err(Error::NotAsking(Box::new(import)));
        }
        review::conclude(session, &import_id, consent, &mut answers).await
    };
    let committed = tokio::select! {
        result = answered => result,
        error = review::interrupted() => Err(error.guided(review::way_on(&import_id))),
    }?;
    session.output.result(&document::import(&committed), || {
        import::committed(&committed)
    })
}

/// Confirms by command: what was seen with the etag, or whatever the review shows now.
async fn confirm(session: &Session, import_id: Uuid, etag: Option<String>) -> Result<(), Error> {
    let import_id = import_id.to_string();
    let confirmed = async {
        let Some(etag) = etag else {
            let mut answers = Answers::none();
            return review::conclude(session, &import_id, Consent::Given, &mut answers).await;
        };
        let request = ConfirmImportRequest {
            import_id: import_id.clone(),
            etag: etag.clone(),
            request_id: clock::id().to_string(),
        };
        session.client.confirm(request).await?;
        review::follow(session, &import_id, Awaited::Commit(&etag))
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
