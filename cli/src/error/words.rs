//! An import that a command ended at, in words.

use djinn_proto::imports::v1::{Import, ImportState};

use crate::output::text;

/// How an import that asks goes on.
pub(super) fn goes_on(import: &Import) -> String {
    let id = &import.import_id;
    let answers: String = import
        .questions
        .iter()
        .map(|question| format!(" --answer {}=CHOICE", question.key))
        .collect();
    format!(
        "`djinn imports answer {id}{answers}` goes on, `djinn preview FILE --answer KEY=CHOICE` \
         shows how each answer reads, `djinn imports cancel {id}` ends this import"
    )
}

/// How a review goes on.
pub(super) fn reviewed(import: &Import) -> String {
    let (id, etag) = (&import.import_id, &import.etag);
    format!(
        "`djinn imports confirm {id} --etag {etag}` confirms what was shown, `djinn imports cancel \
         {id}` ends it"
    )
}

/// How an import that waits for nobody is looked at.
pub(super) fn shown(import: &Import) -> String {
    format!("`djinn imports show {}` shows it", import.import_id)
}

/// Why an import ended or was handed back.
pub(super) fn failure(import: &Import) -> Option<(&str, &str)> {
    let failure = import.job.as_ref()?.failure.as_ref()?;
    (!failure.reason.is_empty()).then_some((&*failure.reason, &*failure.message))
}

pub(super) fn waiting(import: &Import) -> String {
    match failure(import) {
        Some((reason, message)) => format!(
            "the import went back to review ({reason}: {}) and waits for confirmation",
            message.trim_end_matches('.')
        ),
        None => "the import waits for confirmation".to_owned(),
    }
}

pub(super) fn ended(import: &Import) -> String {
    let state = text::state(import.state());
    match (failure(import), import.state()) {
        (Some((_, message)), _) => {
            format!("the import is {state}: {}", message.trim_end_matches('.'))
        }
        (None, ImportState::Cancelled) => "the import was cancelled".to_owned(),
        (None, ImportState::Expired) => "nobody confirmed the import in time".to_owned(),
        (None, _) => format!("the import is {state}"),
    }
}
