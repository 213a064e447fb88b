//! `djinn imports decide`: what a commit does with rows.

use djinn_proto::imports::v1::{ImportRowChange, RowAction, UpdateImportRowsRequest};

use super::Session;
use crate::{
    args::ImportDecide,
    error::Error,
    output::{document, import},
};

/// Changes that the server takes in one call.
const CHANGES_MAX: usize = 5_000;

/// Makes the changes and shows the import with its new etag. More changes than one call takes are
/// made in several, each behind the one before: what has been changed stays, should a later fail.
pub(super) async fn run(session: &Session, args: ImportDecide) -> Result<(), Error> {
    let import_id = args.import_id.to_string();
    let mut etag = match &args.etag {
        Some(etag) => etag.clone(),
        None => session.client.import(import_id.clone()).await?.etag,
    };
    let mut shown = None;
    for changes in changes(&args).chunks(CHANGES_MAX) {
        let request = UpdateImportRowsRequest {
            import_id: import_id.clone(),
            etag,
            changes: changes.to_vec(),
        };
        let import = session.client.decide(request).await?;
        etag = import.etag.clone();
        shown = Some(import);
    }
    let Some(shown) = shown else {
        return Ok(());
    };
    session
        .output
        .result(&document::import(&shown), || import::show(&shown))
}

fn changes(args: &ImportDecide) -> Vec<ImportRowChange> {
    let all = [
        (&args.add, RowAction::Add),
        (&args.link, RowAction::Link),
        (&args.skip, RowAction::Skip),
    ];
    let changes = all.into_iter().flat_map(|(rows, action)| {
        rows.iter().map(move |row| ImportRowChange {
            row_number: i64::from(*row),
            action: action.into(),
            ..ImportRowChange::default()
        })
    });
    changes.collect()
}
