//! `djinn imports revert`: undoing a committed import, after a person has agreed.

use djinn_proto::imports::v1::{Import, ImportState, RevertImportRequest};
use uuid::Uuid;

use super::{
    Session,
    review::{self, Consent},
};
use crate::{
    clock,
    error::Error,
    output::{document, import, text},
};

/// Undoes an import and waits until that is done.
pub(super) async fn run(session: &Session, import_id: Uuid, consent: Consent) -> Result<(), Error> {
    let import_id = import_id.to_string();
    let reverted = tokio::select! {
        result = revert(session, &import_id, consent) => result,
        error = review::interrupted() => Err(error),
    };
    let reverted = reverted.map_err(|error| error.guided(way_on(&import_id)))?;
    session
        .output
        .result(&document::import(&reverted), || import::reverted(&reverted))
}

async fn revert(session: &Session, import_id: &str, consent: Consent) -> Result<Import, Error> {
    let shown = session.client.import(import_id.to_owned()).await?;
    // Only what is committed has something to lose: the server refuses the rest, or has begun.
    if shown.state() == ImportState::Committed && consent == Consent::Ask {
        let agreed = review::ask(question(&shown)).await?;
        if !agreed {
            return Err(Error::NotReverted(Box::new(shown)));
        }
    }
    let request = RevertImportRequest {
        import_id: import_id.to_owned(),
        request_id: clock::id().to_string(),
    };
    let reverting = session.client.revert(request).await?;
    let reverted = review::end(session, reverting).await?;
    match reverted.state() {
        ImportState::Reverted => Ok(reverted),
        _ => Err(Error::Ended(Box::new(reverted))),
    }
}

/// What a person agrees to.
fn question(import: &Import) -> String {
    let included = import
        .counts
        .as_ref()
        .map_or(0, |counts| counts.included_count);
    let file = import.upload.as_ref().map_or("", |file| &file.file_name);
    format!(
        "Remove the {} that {} added, but for those edited since?",
        text::count(included, "transaction"),
        text::clean(file)
    )
}

fn way_on(import_id: &str) -> String {
    format!("`djinn imports show {import_id}` shows how the import stands")
}

#[cfg(test)]
mod tests {
    use djinn_proto::imports::v1::{ImportCounts, Upload};

    use super::*;

    #[test]
    fn the_question_names_what_goes() {
        let import = |included_count| Import {
            upload: Some(Upload {
                file_name: "a\u{1b}.csv".to_owned(),
                ..Upload::default()
            }),
            counts: Some(ImportCounts {
                row_count: 9,
                included_count,
                ..ImportCounts::default()
            }),
            ..Import::default()
        };
        for (count, expected) in [
            (1, "Remove the 1 transaction that a\u{fffd}.csv added"),
            (12, "Remove the 12 transactions that a\u{fffd}.csv added"),
        ] {
            let question = question(&import(count));
            assert!(question.starts_with(expected), "{question}");
        }
    }
}
