//! The way of an import to the ledger: following it, answering its questions, showing the review,
//! asking, confirming.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use djinn_proto::imports::v1::{
    ConfirmImportRequest, Import, ImportRow, ImportState, ListImportRowsRequest, RowVerdict,
};
use tokio::time::timeout;
use tonic::Code;

use super::{Session, question::Answers};
use crate::{
    clock,
    error::Error,
    output::{import, note, progress::Live},
};

/// For a review that ought to move on by itself: after a confirmation, or with auto-confirm. When
/// it stands still for this long, somebody has to look at it after all.
const LINGER: Duration = Duration::from_secs(30);

/// Rows that a review shows from the beginning of the file.
const FIRST_ROWS: i32 = 10;

/// Rows that a review shows because they are not what one expects.
const DOUBTFUL_ROWS: i32 = 20;

/// Readings of a review that keeps changing under our eyes, before the server decides by the etag.
const LOOKS: usize = 3;

/// Who says yes to a review.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// It is given with the command.
    Given,
    /// A person at the terminal, if there is one.
    Ask,
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) enum Awaited<'a> {
    /// Anything that a person has to see.
    Decision,
    /// The same, after the questions with this etag were answered.
    Answer(&'a str),
    /// The end of the commit, after the review with this etag was confirmed.
    Commit(&'a str),
    /// The end, after a cancellation or an undoing.
    End,
}

/// Whether an import goes on without anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It does.
    Moving,
    /// It should, any moment now.
    Lingering,
    /// It has ended, or waits for a person.
    Still,
}

/// What this command has said to an import, with the etag it was said to.
enum Said {
    Nothing,
    Answered(String),
    Confirmed(String),
}

/// Takes an import to COMMITTED. Questions are answered as the command says, or at the terminal. A
/// review is shown, and confirmed with consent; what came back from the commit is shown and asked
/// again, but never confirmed by a consent given before.
pub(super) async fn conclude(
    session: &Session,
    import_id: &str,
    consent: Consent,
    answers: &mut Answers,
) -> Result<Import, Error> {
    let mut said = Said::Nothing;
    loop {
        let awaited = match &said {
            Said::Nothing => Awaited::Decision,
            Said::Answered(etag) => Awaited::Answer(etag),
            Said::Confirmed(etag) => Awaited::Commit(etag),
        };
        let import = follow(session, import_id, awaited).await?;
        match import.state() {
            ImportState::Asking => {
                said = Said::Answered(answers.give(session, import).await?);
                continue;
            }
            ImportState::Review => {}
            _ => {
                let import = committed(import)?;
                answers.were_used(&import)?;
                return Ok(import);
            }
        }
        let import = show(session, import).await?;
        answers.were_used(&import)?;
        if let Some(failure) = import.job.as_ref().and_then(|job| job.failure.as_ref()) {
            note(format_args!("back in review: {}", failure.message));
        }
        let agreed = match consent {
            Consent::Given => !matches!(said, Said::Confirmed(_)),
            Consent::Ask => ask("Commit this?".to_owned()).await?,
        };
        if !agreed {
            return Err(Error::Unconfirmed(Box::new(import)));
        }
        match confirm(session, &import).await {
            Ok(()) => said = Said::Confirmed(import.etag),
            Err(Error::Call(status))
                if status.code() == Code::Aborted && consent == Consent::Ask =>
            {
                note("the review changed meanwhile; this is how it stands now");
                said = Said::Nothing;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the import needs a person or has ended.
pub(super) async fn follow(
    session: &Session,
    import_id: &str,
    awaited: Awaited<'_>,
) -> Result<Import, Error> {
    wait(session, import_id, awaited).await
}

/// Waits until an import that is cancelled or undone has ended.
pub(super) async fn end(session: &Session, import: Import) -> Result<Import, Error> {
    if pace(&import, Awaited::End, false) == Pace::Still {
        return Ok(import);
    }
    wait(session, &import.import_id, Awaited::End).await
}

/// The import if it is in the ledger, or the reason why it is not.
pub(super) fn committed(import: Import) -> Result<Import, Error> {
    let import = Box::new(import);
    match import.state() {
        ImportState::Committed => Ok(*import),
        ImportState::Asking => Err(Error::Asking(import)),
        ImportState::Review => Err(Error::Unconfirmed(import)),
        _ => Err(Error::Ended(import)),
    }
}

/// How to go on with an import that this command leaves.
pub(super) fn way_on(import_id: &str) -> String {
    format!(
        "import {import_id} stays where it is: `djinn imports show {import_id}` shows it, `djinn \
         imports confirm {import_id}` commits it, `djinn imports cancel {import_id}` ends it"
    )
}

/// Ends with Ctrl-C, and never without.
pub(super) async fn interrupted() -> Error {
    if tokio::signal::ctrl_c().await.is_err() {
        // No handler could be installed, so Ctrl-C still ends the process the hard way.
        return std::future::pending().await;
    }
    leave_prompt();
    Error::Interrupted
}

async fn wait(session: &Session, import_id: &str, awaited: Awaited<'_>) -> Result<Import, Error> {
    let mut watch = session.client.watch(import_id);
    let mut live = Live::new();
    let mut import = watch.next().await?;
    let mut committing = false;
    loop {
        live.show(&import);
        committing |= import.state() == ImportState::Committing;
        import = match pace(&import, awaited, committing) {
            Pace::Moving => watch.next().await?,
            Pace::Lingering => match timeout(LINGER, watch.next()).await {
                Ok(next) => next?,
                Err(_) => return Ok(import),
            },
            Pace::Still => return Ok(import),
        };
    }
}

fn pace(import: &Import, awaited: Awaited<'_>, committing: bool) -> Pace {
    match (import.state(), awaited) {
        (
            ImportState::Committed
            | ImportState::Reverted
            | ImportState::Refused
            | ImportState::Failed
            | ImportState::Cancelled
            | ImportState::Expired,
            _,
        ) => Pace::Still,
        (ImportState::Review | ImportState::Asking, Awaited::End) => Pace::Lingering,
        // The answer is durable, and recognition has not begun yet.
        (ImportState::Asking, Awaited::Answer(etag)) if import.etag == etag => Pace::Lingering,
        (ImportState::Asking, _) => Pace::Still,
        (ImportState::Review, Awaited::Decision | Awaited::Answer(_))
            if confirms_itself(import) =>
        {
            Pace::Lingering
        }
        // The confirmation is durable, and the commit has not begun yet.
        (ImportState::Review, Awaited::Commit(etag)) if import.etag == etag && !committing => {
            Pace::Lingering
        }
        (ImportState::Review, _) => Pace::Still,
        _ => Pace::Moving,
    }
}

/// Whether the server confirms by itself: it was asked to, and nothing is suspected.
fn confirms_itself(import: &Import) -> bool {
    let handed_back = import.job.as_ref().is_some_and(|job| job.failure.is_some());
    let clean = import
        .counts
        .as_ref()
        .is_some_and(|it| it.changed_count + it.invalid_count + it.suspected_count == 0);
    import.auto_confirm && clean && import.balance_gap_count == 0 && !handed_back
}

/// Shows a review, all of it under one etag, and returns the import that was shown.
async fn show(session: &Session, mut import: Import) -> Result<Import, Error> {
    let (mut first, mut doubtful) = (Vec::new(), Vec::new());
    for _ in 0..LOOKS {
        let etags;
        (first, doubtful, etags) = rows(session, &import.import_id).await?;
        if etags.iter().all(|etag| *etag == import.etag) {
            break;
        }
        import = session.client.import(import.import_id).await?;
    }
    session
        .output
        .show(&import::review(&import, &first, &doubtful))?;
    Ok(import)
}

async fn rows(
    session: &Session,
    import_id: &str,
) -> Result<(Vec<ImportRow>, Vec<ImportRow>, [String; 2]), Error> {
    let page = |page_size, verdicts: &[RowVerdict]| ListImportRowsRequest {
        import_id: import_id.to_owned(),
        page_size,
        verdicts: verdicts.iter().map(|verdict| (*verdict).into()).collect(),
        ..ListImportRowsRequest::default()
    };
    let first = session.client.row_page(page(FIRST_ROWS, &[])).await?;
    let doubtful = page(
        DOUBTFUL_ROWS,
        &[
            RowVerdict::Changed,
            RowVerdict::Invalid,
            RowVerdict::Linked,
            RowVerdict::Suspected,
        ],
    );
    let doubtful = session.client.row_page(doubtful).await?;
    Ok((first.rows, doubtful.rows, [first.etag, doubtful.etag]))
}

/// Asks at the terminal; without one nobody has agreed.
pub(super) async fn ask(question: String) -> Result<bool, Error> {
    if !has_terminal() {
        return Ok(false);
    }
    at_terminal(move || {
        dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact()
    })
    .await
}

/// Whether there is somebody to ask.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Runs a question at the terminal, which blocks.
pub(super) async fn at_terminal<T: Send + 'static>(
    prompt: impl FnOnce() -> dialoguer::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(prompt).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(dialoguer::Error::IO(error))) if error.kind() == io::ErrorKind::Interrupted => {
            leave_prompt();
            Err(Error::Interrupted)
        }
        Ok(Err(error)) => Err(Error::Prompt(error)),
        Err(error) => Err(Error::Prompt(dialoguer::Error::IO(io::Error::other(error)))),
    }
}

/// A question that is broken off leaves the cursor hidden in the middle of its line.
fn leave_prompt() {
    let terminal = dialoguer::console::Term::stderr();
    if terminal.is_term() {
        // There is nobody to tell when the terminal itself is gone.
        terminal.show_cursor().ok();
        terminal.clear_line().ok();
    }
}

async fn confirm(session: &Session, import: &Import) -> Result<(), Error> {
    let request = ConfirmImportRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        request_id: clock::id().to_string(),
    };
    session.client.confirm(request).await.map(drop)
}

#[cfg(test)]
mod tests {
    use djinn_proto::{
        common::v1::{Job, JobFailure},
        imports::v1::ImportCounts,
    };

    use super::*;

    fn import(state: ImportState) -> Import {
        Import {
            state: state.into(),
            etag: "e1".to_owned(),
            counts: Some(ImportCounts::default()),
            ..Import::default()
        }
    }

    #[test]
    fn a_person_is_needed_or_not() {
        use ImportState as S;
        for (state, awaited, committing, expected) in [
            (S::Created, Awaited::Decision, false, Pace::Moving),
            (S::Scanning, Awaited::Decision, false, Pace::Moving),
            (S::Asking, Awaited::Decision, false, Pace::Still),
            (S::Asking, Awaited::End, false, Pace::Lingering),
            (S::Asking, Awaited::Answer("e1"), false, Pace::Lingering),
            (S::Asking, Awaited::Answer("e0"), false, Pace::Still),
            (S::Recognising, Awaited::Answer("e1"), false, Pace::Moving),
            (S::Review, Awaited::Answer("e0"), false, Pace::Still),
            (S::Review, Awaited::Decision, false, Pace::Still),
            (S::Review, Awaited::End, false, Pace::Lingering),
            (S::Review, Awaited::Commit("e1"), false, Pace::Lingering),
            (S::Review, Awaited::Commit("e0"), false, Pace::Still),
            (S::Review, Awaited::Commit("e1"), true, Pace::Still),
            (S::Committing, Awaited::Commit("e1"), true, Pace::Moving),
            (S::Committed, Awaited::Commit("e1"), true, Pace::Still),
            (S::Reverting, Awaited::Decision, false, Pace::Moving),
            (S::Reverted, Awaited::Decision, false, Pace::Still),
            (S::Refused, Awaited::Decision, false, Pace::Still),
            (S::Failed, Awaited::Commit("e1"), true, Pace::Still),
            (S::Cancelled, Awaited::End, false, Pace::Still),
            (S::Expired, Awaited::End, false, Pace::Still),
        ] {
            assert_eq!(
                pace(&import(state), awaited, committing),
                expected,
                "{state:?}"
            );
        }
    }

    #[test]
    fn an_automatic_confirmation_is_expected_only_of_a_clean_review() {
        let clean = Import {
            auto_confirm: true,
            ..import(ImportState::Review)
        };
        assert!(confirms_itself(&clean));
        let counts = |changed_count, invalid_count, suspected_count| {
            Some(ImportCounts {
                changed_count,
                invalid_count,
                suspected_count,
                ..ImportCounts::default()
            })
        };
        let failure = Some(Job {
            failure: Some(JobFailure::default()),
            ..Job::default()
        });
        for other in [
            Import {
                auto_confirm: false,
                ..clean.clone()
            },
            Import {
                counts: counts(1, 0, 0),
                ..clean.clone()
            },
            Import {
                counts: counts(0, 1, 0),
                ..clean.clone()
            },
            Import {
                counts: counts(0, 0, 1),
                ..clean.clone()
            },
            Import {
                counts: None,
                ..clean.clone()
            },
            Import {
                job: failure,
                ..clean.clone()
            },
        ] {
            assert!(!confirms_itself(&other), "{other:?}");
        }
    }

    #[test]
    fn only_a_commit_counts_as_done() {
        use crate::error::Exit;
        for (state, expected) in [
            (ImportState::Committed, None),
            (ImportState::Asking, Some(Exit::Question)),
            (ImportState::Review, Some(Exit::Unconfirmed)),
            (ImportState::Refused, Some(Exit::Refused)),
            (ImportState::Failed, Some(Exit::Refused)),
            (ImportState::Cancelled, Some(Exit::Refused)),
            (ImportState::Expired, Some(Exit::Refused)),
            (ImportState::Reverted, Some(Exit::Refused)),
        ] {
            let exit = committed(import(state)).err().map(|error| error.exit());
            assert_eq!(exit, expected, "{state:?}");
        }
    }
}
