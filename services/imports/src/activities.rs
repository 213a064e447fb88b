//! The Temporal door. An activity is one call: it parses its input, keeps a heartbeat beside the
//! step, and has exactly one way out, [`fault::failure`].

#![expect(
    dead_code,
    reason = "the macro makes a constant for each activity that only a workflow in this crate uses"
)]

use std::{sync::Arc, time::Duration};

use djinn_chassis::{
    auth::UserId,
    fault::{self, Tries},
    temporal::Heartbeat,
};
use djinn_temporal::{
    imports::{
        self, CloseInput, CloseOutput, CommitInput, CommitOutcome, CommitOutput, ImportRef,
        MatchOutput, RecogniseAgainInput, RecogniseOutcome, RecogniseOutput, RereadActivityInput,
        ScanOutcome, ScanOutput, StageOutput, SweepInput, SweepOutput,
    },
    revert::{self, GiveUpInput, GiveUpOutput, RemoveOutput},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use crate::{
    Error,
    steps::{
        Key, Steps,
        answer::Answer,
        close::Ending,
        commit::Committed,
        recognise::Recognised,
        reread::{Outcome, Reread},
        scan::Finding,
    },
    store::import::Failure,
};

/// A third of the heartbeat timeout: two beats may be lost.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// The steps, as Temporal calls them.
pub struct Activities {
    /// What they do.
    pub steps: Steps,
}

#[activities]
impl Activities {
    /// Scans the file.
    #[activity(definition = imports::Scan)]
    async fn scan(
        self: Arc<Self>,
        context: ActivityContext,
        import: ImportRef,
    ) -> Result<ScanOutput, ActivityError> {
        run(&context, async {
            let outcome = match self.steps.scan(key(&import)?).await? {
                Finding::Clean => ScanOutcome::Clean,
                Finding::Refused => ScanOutcome::Refused,
            };
            Ok(ScanOutput { outcome })
        })
        .await
    }

    /// Works out how the file reads.
    #[activity(definition = imports::Recognise)]
    async fn recognise(
        self: Arc<Self>,
        context: ActivityContext,
        import: ImportRef,
    ) -> Result<RecogniseOutput, ActivityError> {
        run(&context, async {
            Ok(recognised(self.steps.recognise(key(&import)?).await?))
        })
        .await
    }

    /// Works it out once more, with answers.
    #[activity(definition = imports::RecogniseAgain)]
    async fn recognise_again(
        self: Arc<Self>,
        context: ActivityContext,
        input: RecogniseAgainInput,
    ) -> Result<RecogniseOutput, ActivityError> {
        run(&context, async {
            let answer = Answer {
                request_id: uuid("request_id", &input.answer.request_id)?,
                etag: input.answer.etag,
                answers: input.answer.answers,
            };
            let found = self
                .steps
                .recognise_again(key(&input.import)?, &answer)
                .await?;
            Ok(recognised(found))
        })
        .await
    }

    /// Works out how the file reads under another mapping.
    #[activity(definition = imports::Reread)]
    async fn reread(
        self: Arc<Self>,
        context: ActivityContext,
        input: RereadActivityInput,
    ) -> Result<RecogniseOutput, ActivityError> {
        run(&context, async {
            let mapping = input.asked.mapping.as_deref().map(serde_json::from_str);
            let mapping = mapping
                .transpose()
                .map_err(|error| Error::invalid("mapping", error.to_string()))?;
            let asked = Reread {
                request_id: uuid("request_id", &input.asked.request_id)?,
                etag: input.asked.etag,
                mapping,
                answers: input.asked.answers,
            };
            Ok(
                match self.steps.reread(key(&input.import)?, &asked).await? {
                    Outcome::Read(found) => recognised(found),
                    Outcome::Unchanged(etag) => RecogniseOutput {
                        outcome: RecogniseOutcome::Unchanged,
                        etag: etag.to_string(),
                    },
                },
            )
        })
        .await
    }

    /// Reads rows into the staging table.
    #[activity(definition = imports::Stage)]
    async fn stage(
        self: Arc<Self>,
        context: ActivityContext,
        import: ImportRef,
    ) -> Result<StageOutput, ActivityError> {
        run(&context, async {
            let progress = self.steps.stage(key(&import)?).await?;
            Ok(StageOutput {
                row_count: progress.row_count,
            })
        })
        .await
    }

    /// Compares the rows with the ledger.
    #[activity(definition = imports::MatchRows)]
    async fn match_rows(
        self: Arc<Self>,
        context: ActivityContext,
        import: ImportRef,
    ) -> Result<MatchOutput, ActivityError> {
        run(&context, async {
            let opened = self.steps.match_rows(key(&import)?).await?;
            Ok(MatchOutput {
                etag: opened.etag.to_string(),
                auto_confirm: opened.auto_confirm,
            })
        })
        .await
    }

    /// Writes the included rows to the ledger.
    #[activity(definition = imports::Commit)]
    async fn commit(
        self: Arc<Self>,
        context: ActivityContext,
        input: CommitInput,
    ) -> Result<CommitOutput, ActivityError> {
        run(&context, async {
            let committed = self.steps.commit(key(&input.import)?, &input.etag).await?;
            let (outcome, added_count) = match committed {
                Committed::Rows(count) => (CommitOutcome::Committed, count),
                Committed::BackToReview => (CommitOutcome::Review, 0),
            };
            Ok(CommitOutput {
                outcome,
                added_count,
            })
        })
        .await
    }

    /// Ends the import without effect.
    #[activity(definition = imports::Close)]
    async fn close(
        self: Arc<Self>,
        context: ActivityContext,
        input: CloseInput,
    ) -> Result<CloseOutput, ActivityError> {
        run_until_done(&context, async {
            let ending = match input.ending {
                imports::Ending::Cancelled => Ending::Cancelled,
                imports::Ending::Expired => Ending::Expired,
                imports::Ending::Failed { reason, message } => {
                    Ending::Failed(Failure { reason, message })
                }
            };
            let status = self.steps.close(key(&input.import)?, ending).await?;
            Ok(CloseOutput {
                status: status.to_string(),
            })
        })
        .await
    }

    /// Takes what an import added out of the ledger.
    #[activity(definition = revert::Remove)]
    async fn remove(
        self: Arc<Self>,
        context: ActivityContext,
        import: ImportRef,
    ) -> Result<RemoveOutput, ActivityError> {
        run(&context, async {
            let reversal = self.steps.revert(key(&import)?).await?;
            Ok(RemoveOutput {
                removed_count: reversal.removed,
                kept_count: reversal.kept,
            })
        })
        .await
    }

    /// Leaves an import committed that cannot be undone.
    #[activity(definition = revert::GiveUp)]
    async fn give_up(
        self: Arc<Self>,
        context: ActivityContext,
        input: GiveUpInput,
    ) -> Result<GiveUpOutput, ActivityError> {
        run_until_done(&context, async {
            let failure = Failure {
                reason: input.reason,
                message: input.message,
            };
            let key = key(&input.import)?;
            let status = self.steps.give_up_revert(key, failure).await?;
            Ok(GiveUpOutput {
                status: status.to_string(),
            })
        })
        .await
    }

    /// Does what is due.
    #[activity(definition = imports::Sweep)]
    async fn sweep(
        self: Arc<Self>,
        context: ActivityContext,
        _input: SweepInput,
    ) -> Result<SweepOutput, ActivityError> {
        run(&context, async {
            let swept = self.steps.sweep().await?;
            Ok(SweepOutput {
                started_count: swept.started,
                revert_count: swept.reverts,
                aborted_count: swept.aborted,
                purged_count: swept.purged,
            })
        })
        .await
    }
}

/// Runs a step with a heartbeat beside it. A step that is cancelled, or whose worker stops, is
/// dropped where it stands: its transaction is rolled back, and nothing it has committed is half.
/// It fails in a way that is tried again, by the next worker, unless the workflow asked for the
/// end.
async fn run<T>(
    context: &ActivityContext,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, ActivityError> {
    let tries = Tries::Counted(context.info().attempt);
    try_step(context, tries, step).await
}

/// As [`run`], for a step without which an import would stand for ever in a state that is no longer
/// true: it is tried until it is done.
async fn run_until_done<T>(
    context: &ActivityContext,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, ActivityError> {
    try_step(context, Tries::Endless, step).await
}

async fn try_step<T>(
    context: &ActivityContext,
    tries: Tries,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, ActivityError> {
    let heartbeat = Heartbeat::start(context, HEARTBEAT_INTERVAL);
    let failed = |error| fault::failure(error, tries);
    tokio::select! {
        done = step => done.map_err(failed),
        () = heartbeat.cancellation() => Err(failed(Error::Interrupted)),
    }
}

fn key(import: &ImportRef) -> Result<Key, Error> {
    Ok(Key {
        user: UserId::new(uuid("user_id", &import.user_id)?),
        import_id: uuid("import_id", &import.import_id)?,
    })
}

fn uuid(field: &'static str, text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|error| Error::invalid(field, error.to_string()))
}

fn recognised(found: Recognised) -> RecogniseOutput {
    let (outcome, etag) = match found {
        Recognised::Ready => (RecogniseOutcome::Ready, String::new()),
        Recognised::Asks(etag) => (RecogniseOutcome::Asks, etag.to_string()),
        Recognised::Refused => (RecogniseOutcome::Refused, String::new()),
    };
    RecogniseOutput { outcome, etag }
}
