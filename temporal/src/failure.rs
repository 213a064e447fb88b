//! A failed activity in the words that people read.

use temporalio_common::error::{ActivityExecutionError, IncomingError};

/// The type of the failure and one sentence; `otherwise` is the sentence when no step of ours wrote
/// one, as after a timeout.
pub(crate) fn words(error: &ActivityExecutionError, otherwise: &str) -> (String, String) {
    let reason = match error.reason() {
        Some(IncomingError::Application(failure)) => {
            failure.type_name().unwrap_or("INTERNAL").to_owned()
        }
        Some(IncomingError::Timeout(_)) => "TIMEOUT".to_owned(),
        _ => "INTERNAL".to_owned(),
    };
    let message = match error.reason() {
        Some(IncomingError::Application(failure)) => failure.source_error().to_string(),
        _ => otherwise.to_owned(),
    };
    (reason, message)
}
