use std::collections::HashMap;

use djinn_proto::common::v1::{Job, JobFailure};
use tonic_types::ErrorDetails;

use super::*;

#[test]
fn every_code_has_its_exit() {
    use Code as C;
    for (code, expected) in [
        (C::Cancelled, Exit::Unexpected),
        (C::Unknown, Exit::Unexpected),
        (C::InvalidArgument, Exit::Usage),
        (C::DeadlineExceeded, Exit::Unavailable),
        (C::NotFound, Exit::NotFound),
        (C::AlreadyExists, Exit::Conflict),
        (C::PermissionDenied, Exit::Refused),
        (C::ResourceExhausted, Exit::Refused),
        (C::FailedPrecondition, Exit::Refused),
        (C::Aborted, Exit::Conflict),
        (C::OutOfRange, Exit::Usage),
        (C::Unimplemented, Exit::Unexpected),
        (C::Internal, Exit::Unexpected),
        (C::Unavailable, Exit::Unavailable),
        (C::DataLoss, Exit::Unexpected),
        (C::Unauthenticated, Exit::SignedOut),
    ] {
        let error = Error::call("http://x", Status::new(code, ""));
        assert_eq!(error.exit(), expected, "{code:?}");
        assert_eq!(error.transient(), code == C::Unavailable, "{code:?}");
    }
}

#[test]
fn exits_have_the_numbers_that_the_help_promises() {
    let numbers = [
        (Exit::Unexpected, 1),
        (Exit::Usage, 2),
        (Exit::Question, 3),
        (Exit::Refused, 4),
        (Exit::Unconfirmed, 5),
        (Exit::NotFound, 6),
        (Exit::SignedOut, 7),
        (Exit::Conflict, 8),
        (Exit::Unavailable, 9),
        (Exit::Interrupted, 130),
    ];
    for (exit, number) in numbers {
        assert_eq!(exit as u8, number);
    }
}

#[test]
fn a_sentence_holds_message_reason_fields_and_way_out() {
    let details = {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("NAME_TOO_LONG", "djinn", HashMap::new())
            .add_bad_request_violation("account.name", "must have at most 100 characters");
        details
    };
    let status =
        Status::with_error_details(Code::InvalidArgument, "the name is too long.", details);
    let error = Error::call("http://x", status).guided("choose another".to_owned());
    assert_eq!(
        error.sentence(),
        "the name is too long (NAME_TOO_LONG); account.name: must have at most 100 characters; \
         choose another"
    );
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(error.fields().len(), 1);
}

#[test]
fn a_silent_status_still_says_something() {
    let error = Error::call("http://x", Status::new(Code::NotFound, ""));
    assert_eq!(
        error.sentence(),
        "Some requested entity was not found (NOT_FOUND)"
    );
}

#[test]
fn an_import_tells_why_it_ended() {
    let import = |state: ImportState, failure: Option<(&str, &str)>| {
        let failure = failure.map(|(reason, message)| JobFailure {
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
        Box::new(Import {
            import_id: "i".to_owned(),
            state: state.into(),
            job: Some(Job {
                failure,
                ..Job::default()
            }),
            ..Import::default()
        })
    };
    let infected = Some(("INFECTED", "the file is infected."));
    for (error, expected) in [
        (
            Error::Ended(import(ImportState::Refused, infected)),
            "the import is refused: the file is infected (INFECTED)",
        ),
        (
            Error::Ended(import(ImportState::Cancelled, None)),
            "the import was cancelled (CANCELLED)",
        ),
        (
            Error::Ended(import(ImportState::Expired, None)),
            "nobody confirmed the import in time (EXPIRED)",
        ),
        (
            Error::Ended(import(ImportState::Reverted, None)),
            "the import is reverted (REVERTED)",
        ),
        (
            Error::Ended(import(
                ImportState::Committed,
                Some(("REVERSAL_MISMATCH", "nothing was removed.")),
            )),
            "the import is committed: nothing was removed (REVERSAL_MISMATCH)",
        ),
    ] {
        assert_eq!(error.sentence(), expected);
    }
    let changed = Some(("VERDICTS_CHANGED", "the account changed."));
    let error = Error::Unconfirmed(import(ImportState::Review, changed));
    assert!(
        error.sentence().starts_with(
            "the import went back to review (VERDICTS_CHANGED: the account changed) and waits"
        ),
        "{}",
        error.sentence()
    );
}
