//! `djinn import`: upload, review, confirm.

use std::{cell::OnceCell, path::Path};

use djinn_proto::imports::v1::{CreateImportRequest, Upload};
use uuid::Uuid;

use super::{
    Session, account,
    question::Answers,
    review::{self, Consent},
};
use crate::{
    args::Import,
    clock,
    error::Error,
    output::{document, import, note, progress},
};

/// Imports a file, until it is committed or somebody has to decide.
pub(super) async fn run(session: &Session, args: Import) -> Result<(), Error> {
    let request_id = args.request_id.unwrap_or_else(clock::id);
    let import_id = OnceCell::new();
    let imported = tokio::select! {
        result = import(session, &args, request_id, &import_id) => result,
        error = review::interrupted() => Err(error),
    };
    let imported = imported.map_err(|error| {
        error.guided(match import_id.get() {
            Some(import_id) => review::way_on(import_id),
            None => format!(
                "nothing was imported; the same command with --request-id {request_id} goes on"
            ),
        })
    })?;
    session.output.result(&document::import(&imported), || {
        import::committed(&imported)
    })
}

async fn import(
    session: &Session,
    args: &Import,
    request_id: Uuid,
    import_id: &OnceCell<String>,
) -> Result<djinn_proto::imports::v1::Import, Error> {
    // First, so that a wrong name is told before a large file has travelled.
    let account = account::find(&session.client, &args.account).await?;
    let upload = upload(session, &args.file, request_id).await?;
    let request = CreateImportRequest {
        request_id: request_id.to_string(),
        upload_id: upload.upload_id,
        account_id: account.account_id,
        auto_confirm: args.auto_confirm,
        mapping: args.said.clone().mapping(),
    };
    let import = session.client.create_import(request).await?;
    note(format_args!("import {}", import.import_id));
    let import_id = import_id.get_or_init(|| import.import_id);
    let consent = if args.yes {
        Consent::Given
    } else {
        Consent::Ask
    };
    let mut answers = Answers::given(args.answers.clone())?;
    review::conclude(session, import_id, consent, &mut answers).await
}

/// Uploads a file under a progress bar.
pub(super) async fn upload(
    session: &Session,
    file: &Path,
    request_id: Uuid,
) -> Result<Upload, Error> {
    let size_bytes = tokio::fs::metadata(file)
        .await
        .map_or(0, |metadata| metadata.len());
    let bar = progress::upload(size_bytes);
    let advance = {
        let bar = bar.clone();
        move |bytes| bar.set_position(bytes)
    };
    let upload = session.client.upload(file, request_id, advance).await;
    bar.finish_and_clear();
    upload
}
