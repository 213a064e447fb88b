//! A statement on its way into the ledger, and the sweep behind it.
//!
//! The workflow id is the idempotency: `import:{import_id}` with reuse policy RejectDuplicate and
//! conflict policy UseExisting, so a start that is repeated joins the run that is there. The status
//! in Postgres is the truth; the workflow only decides what comes next. Everything a person does to
//! an import arrives as an update, so confirmation, cancellation and expiry meet here, in one
//! order, and exactly one of them wins.

#![expect(
    missing_docs,
    clippy::unimplemented,
    reason = "the macros make markers that nobody can document, of declarations without a body"
)]

use std::time::Duration;

use temporalio_common::{
    ActivityDefinition, ActivityError, data_converters::TemporalDeserializable,
    error::ActivityExecutionError,
};
use temporalio_macros::{activity_definitions, workflow, workflow_methods};
use temporalio_workflow::{
    SyncWorkflowContext, WorkflowCancellationToken, WorkflowContext, WorkflowContextView,
    WorkflowResult,
};

mod message;
mod sweep;

use crate::{failure, timing};

pub use sweep::SweepImports;

pub use message::{
    AnswerInput, CancelInput, CloseInput, CloseOutput, CommitInput, CommitOutcome, CommitOutput,
    ConfirmInput, Ending, ImportInput, ImportOutput, ImportRef, MatchOutput, RecogniseAgainInput,
    RecogniseOutcome, RecogniseOutput, RereadActivityInput, RereadInput, ScanOutcome, ScanOutput,
    StageOutput, SweepInput, SweepOutput,
};

/// The task queue of the imports service.
pub const TASK_QUEUE: &str = "imports";

/// The schedule, and the prefix of the workflow ids, of [`SweepImports`].
pub const SWEEP_ID: &str = "sweep-imports";

/// The workflow id of an import.
#[must_use]
pub fn workflow_id(import_id: &str) -> String {
    format!("import:{import_id}")
}

/// The steps of an import. Each is safe to repeat, and a step that a successor has overtaken stops
/// by itself at the next row of Postgres it must move.
pub struct ImportActivities;

#[activity_definitions]
impl ImportActivities {
    /// Scans the file; waits, by failing and being tried again, while the scanner is away.
    #[activity]
    pub fn scan(import: ImportRef) -> Result<ScanOutput, ActivityError> {
        unimplemented!()
    }

    /// Works out how the file reads and freezes it.
    #[activity]
    pub fn recognise(import: ImportRef) -> Result<RecogniseOutput, ActivityError> {
        unimplemented!()
    }

    /// Works out how the file reads once more, with a person's answers.
    #[activity]
    pub fn recognise_again(input: RecogniseAgainInput) -> Result<RecogniseOutput, ActivityError> {
        unimplemented!()
    }

    /// Works out how the file reads under another mapping, unless the review was edited meanwhile.
    #[activity]
    pub fn reread(input: RereadActivityInput) -> Result<RecogniseOutput, ActivityError> {
        unimplemented!()
    }

    /// Reads rows into the staging table, in chunks, going on where an earlier try stopped.
    #[activity]
    pub fn stage(import: ImportRef) -> Result<StageOutput, ActivityError> {
        unimplemented!()
    }

    /// Compares the rows with the ledger and opens the review.
    #[activity]
    pub fn match_rows(import: ImportRef) -> Result<MatchOutput, ActivityError> {
        unimplemented!()
    }

    /// Writes the included rows to the ledger, in one transaction with the status.
    #[activity]
    pub fn commit(input: CommitInput) -> Result<CommitOutput, ActivityError> {
        unimplemented!()
    }

    /// Ends the import without effect.
    #[activity]
    pub fn close(input: CloseInput) -> Result<CloseOutput, ActivityError> {
        unimplemented!()
    }

    /// Does the duties that are due.
    #[activity]
    pub fn sweep(input: SweepInput) -> Result<SweepOutput, ActivityError> {
        unimplemented!()
    }
}

// The macro's module is private; a service names these to implement them.
pub use import_activities::{
    Close, Commit, MatchRows, Recognise, RecogniseAgain, Reread, Scan, Stage, Sweep,
};

/// Where the workflow stands, as far as people can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Steps run that a person can only cancel.
    Working,
    /// Waits for an answer.
    Asking {
        /// The questions; empty when a release asked them that could not be answered.
        etag: String,
    },
    /// The questions were answered.
    Answered(AnswerInput),
    /// The file is to be read under another mapping.
    Rereading(RereadInput),
    /// Waits for a confirmation.
    Review,
    /// A review was confirmed: no way back but the commit's own.
    Confirmed {
        /// The review that was confirmed.
        etag: String,
    },
    /// A person ended it.
    Cancelled,
    /// Nobody came in time.
    Expired,
}

/// What is said to an import that is about to be read once more.
const READ_AGAIN: &str = "the import is being read again";

/// Why the steps stop before the ledger.
enum Halt {
    Ended(Ending),
    /// The activity has already refused the file and said why.
    Refused,
}

/// Brings one statement into the ledger.
///
/// A run has at most a few dozen events however large the file is. Only a person adds more, a
/// handful each time: by an answer, of which there are no more than questions, by confirming and
/// being sent back, and by another mapping, again and again. So it never continues as new.
#[workflow]
pub struct ImportStatement {
    input: ImportInput,
    phase: Phase,
}

#[workflow_methods]
impl ImportStatement {
    #[init]
    fn new(_ctx: &WorkflowContextView, input: ImportInput) -> Self {
        Self {
            input,
            phase: Phase::Working,
        }
    }

    /// Runs the steps, then says how it ended.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<ImportOutput> {
        let import = ctx.state(|s| s.input.import.clone());
        let status = match advance(ctx, &import).await {
            Ok(()) => "committed".to_owned(),
            Err(Halt::Refused) => "refused".to_owned(),
            Err(Halt::Ended(ending)) => {
                let input = CloseInput { import, ending };
                ctx.execute_activity(ImportActivities::close, input, timing::short())
                    .await?
                    .status
            }
        };
        Ok(ImportOutput { status })
    }

    #[update_validator(confirm)]
    fn validate_confirm(
        &self,
        _ctx: &WorkflowContextView,
        _input: &ConfirmInput,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match self.phase {
            Phase::Review => Ok(()),
            Phase::Confirmed { .. } => Err("the import is being committed".into()),
            Phase::Cancelled => Err("the import was cancelled".into()),
            Phase::Expired => Err("the import has expired".into()),
            Phase::Rereading(_) => Err(READ_AGAIN.into()),
            Phase::Working | Phase::Asking { .. } | Phase::Answered(_) => {
                Err("the import is not in review".into())
            }
        }
    }

    /// Confirms a review. Synchronous: nothing can come between the check and the change.
    #[update]
    pub fn confirm(&mut self, _ctx: &mut SyncWorkflowContext<Self>, input: ConfirmInput) {
        self.phase = Phase::Confirmed { etag: input.etag };
    }

    #[update_validator(answer)]
    fn validate_answer(
        &self,
        _ctx: &WorkflowContextView,
        input: &AnswerInput,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match &self.phase {
            // Without an etag here, the activity's comparison with Postgres is the only one.
            Phase::Asking { etag } if etag.is_empty() || *etag == input.etag => Ok(()),
            Phase::Asking { .. } => Err("the import asks something else now".into()),
            Phase::Answered(_) => Err("the import has been answered".into()),
            Phase::Rereading(_) => Err(READ_AGAIN.into()),
            Phase::Confirmed { .. } => Err("the import is being committed".into()),
            Phase::Cancelled => Err("the import was cancelled".into()),
            Phase::Expired => Err("the import has expired".into()),
            Phase::Working | Phase::Review => Err("the import asks nothing".into()),
        }
    }

    /// Answers the questions. Synchronous, as the confirmation is.
    #[update]
    pub fn answer(&mut self, _ctx: &mut SyncWorkflowContext<Self>, input: AnswerInput) {
        self.phase = Phase::Answered(input);
    }

    #[update_validator(reread)]
    fn validate_reread(
        &self,
        _ctx: &WorkflowContextView,
        input: &RereadInput,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match &self.phase {
            // The etag of a review stands in Postgres alone; the activity compares.
            Phase::Review => Ok(()),
            Phase::Asking { etag } if etag.is_empty() || *etag == input.etag => Ok(()),
            Phase::Asking { .. } => Err("the import asks something else now".into()),
            Phase::Answered(_) => Err("the import has been answered".into()),
            Phase::Rereading(_) => Err(READ_AGAIN.into()),
            Phase::Confirmed { .. } => Err("the import is being committed".into()),
            Phase::Cancelled => Err("the import was cancelled".into()),
            Phase::Expired => Err("the import has expired".into()),
            Phase::Working => Err("the import is neither in review nor asking".into()),
        }
    }

    /// Has the file read under another mapping. Synchronous, as the confirmation is.
    #[update]
    pub fn reread(&mut self, _ctx: &mut SyncWorkflowContext<Self>, input: RereadInput) {
        self.phase = Phase::Rereading(input);
    }

    #[update_validator(cancel)]
    fn validate_cancel(
        &self,
        _ctx: &WorkflowContextView,
        _input: &CancelInput,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match self.phase {
            Phase::Working
            | Phase::Asking { .. }
            | Phase::Answered(_)
            | Phase::Rereading(_)
            | Phase::Review
            | Phase::Cancelled => Ok(()),
            Phase::Confirmed { .. } => Err("the import is being committed".into()),
            Phase::Expired => Err("the import has expired".into()),
        }
    }

    /// Ends the import.
    #[update]
    pub fn cancel(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _input: CancelInput) {
        self.phase = Phase::Cancelled;
    }
}

type Context = WorkflowContext<ImportStatement>;

/// From the stored file to the ledger, or to the reason why not.
async fn advance(ctx: &mut Context, import: &ImportRef) -> Result<(), Halt> {
    let scan = step(ctx, ImportActivities::scan, import.clone()).await?;
    if scan.outcome == ScanOutcome::Refused {
        return Err(Halt::Refused);
    }
    let mut found = step(ctx, ImportActivities::recognise, import.clone()).await?;
    // Whoever has a file read otherwise wants to see what came of it.
    let mut unattended = true;
    loop {
        unattended &= settle(ctx, import, found).await?;
        step(ctx, ImportActivities::stage, import.clone()).await?;
        let matched = step(ctx, ImportActivities::match_rows, import.clone()).await?;
        let automatic = (matched.auto_confirm && unattended).then_some(matched.etag);
        match conclude(ctx, import, automatic).await? {
            None => return Ok(()),
            Some(again) => (found, unattended) = (again, false),
        }
    }
}

/// From the review to the ledger; or how the file reads under another mapping, which begins anew.
async fn conclude(
    ctx: &mut Context,
    import: &ImportRef,
    mut automatic: Option<String>,
) -> Result<Option<RecogniseOutput>, Halt> {
    loop {
        let word = match automatic.take() {
            Some(etag) => Word::Confirm(confirm_unasked(ctx, etag)?),
            None => review(ctx).await?,
        };
        let etag = match word {
            Word::Confirm(etag) => etag,
            Word::Reread(asked) => match reread(ctx, import, asked).await? {
                found if found.outcome == RecogniseOutcome::Unchanged => continue,
                found => return Ok(Some(found)),
            },
        };
        let input = CommitInput {
            import: import.clone(),
            etag,
        };
        let commit = ctx
            .execute_activity(
                ImportActivities::commit,
                input,
                timing::long(WorkflowCancellationToken::new()),
            )
            .await
            .map_err(failed)?;
        if commit.outcome == CommitOutcome::Committed {
            return Ok(None);
        }
        ctx.state_mut(|s| s.phase = Phase::Working);
    }
}

/// Reads the file under another mapping.
async fn reread(
    ctx: &mut Context,
    import: &ImportRef,
    asked: RereadInput,
) -> Result<RecogniseOutput, Halt> {
    let input = RereadActivityInput {
        import: import.clone(),
        asked,
    };
    step(ctx, ImportActivities::reread, input).await
}

/// Runs an activity until it is done or the user cancels, whichever comes first.
async fn step<A>(ctx: &mut Context, activity: A, input: A::Input) -> Result<A::Output, Halt>
where
    A: ActivityDefinition,
    A::Output: TemporalDeserializable,
{
    let token = WorkflowCancellationToken::new();
    let mut running = ctx.execute_activity(activity, input, timing::long(token.clone()));
    temporalio_workflow::select! {
        done = running => done.map_err(failed),
        _ = ctx.wait_condition(|s| s.phase == Phase::Cancelled) => {
            token.cancel();
            Err(Halt::Ended(Ending::Cancelled))
        }
    }
}

/// The confirmation that the user gave in advance, unless a cancellation came first.
fn confirm_unasked(ctx: &mut Context, etag: String) -> Result<String, Halt> {
    ctx.state_mut(|s| {
        if s.phase == Phase::Cancelled {
            return Err(Halt::Ended(Ending::Cancelled));
        }
        s.phase = Phase::Confirmed { etag: etag.clone() };
        Ok(etag)
    })
}

/// What ends a wait for a person.
enum Word {
    /// The review of this etag is confirmed.
    Confirm(String),
    /// The file is to be read under another mapping.
    Reread(RereadInput),
}

/// Waits for the review's end: what was said, or why nothing was.
async fn review(ctx: &mut Context) -> Result<Word, Halt> {
    wait_for_person(ctx, Phase::Review).await;
    ctx.state_mut(|s| match s.phase.clone() {
        Phase::Confirmed { etag } => Ok(Word::Confirm(etag)),
        Phase::Rereading(asked) => {
            s.phase = Phase::Working;
            Ok(Word::Reread(asked))
        }
        Phase::Expired => Err(Halt::Ended(Ending::Expired)),
        // The other phases end a wait only when an operator cancels the workflow itself.
        _ => Err(Halt::Ended(Ending::Cancelled)),
    })
}

/// Asks until nothing is open any more; false if a person had the file read otherwise meanwhile.
///
/// Not under a patch: an import that waits for its answer since an earlier release has exactly the
/// commands behind it that it would give today, and what an answer or another mapping adds comes
/// after them.
async fn settle(
    ctx: &mut Context,
    import: &ImportRef,
    mut found: RecogniseOutput,
) -> Result<bool, Halt> {
    let mut unattended = true;
    loop {
        match found.outcome {
            RecogniseOutcome::Ready => return Ok(unattended),
            RecogniseOutcome::Refused => return Err(Halt::Refused),
            RecogniseOutcome::Asks | RecogniseOutcome::Unchanged => {}
        }
        found = match answer(ctx, found.etag).await? {
            Reply::Answer(answer) => {
                let input = RecogniseAgainInput {
                    import: import.clone(),
                    answer,
                };
                step(ctx, ImportActivities::recognise_again, input).await?
            }
            Reply::Reread(asked) => {
                unattended = false;
                reread(ctx, import, asked).await?
            }
        };
    }
}

/// What ends the questions.
enum Reply {
    Answer(AnswerInput),
    Reread(RereadInput),
}

/// Waits for the end of the questions: what was said, or why nothing was.
async fn answer(ctx: &mut Context, etag: String) -> Result<Reply, Halt> {
    wait_for_person(ctx, Phase::Asking { etag }).await;
    ctx.state_mut(|s| {
        let reply = match s.phase.clone() {
            Phase::Answered(answer) => Reply::Answer(answer),
            Phase::Rereading(asked) => Reply::Reread(asked),
            Phase::Expired => return Err(Halt::Ended(Ending::Expired)),
            // The other phases end a wait only when an operator cancels the workflow itself.
            _ => return Err(Halt::Ended(Ending::Cancelled)),
        };
        s.phase = Phase::Working;
        Ok(reply)
    })
}

/// Stays in `phase` until a person moves on or the time is up. Whoever comes second changes
/// nothing: the timer's branch looks at the phase again before it takes it.
async fn wait_for_person(ctx: &mut Context, phase: Phase) {
    ctx.state_mut(|s| {
        if s.phase != Phase::Cancelled {
            s.phase = phase.clone();
        }
    });
    let patience = Duration::from_secs(ctx.state(|s| s.input.review_ttl_s));
    let mut timer = ctx.timer(patience);
    temporalio_workflow::select! {
        _ = ctx.wait_condition(|s| s.phase != phase) => {}
        _ = timer => {
            ctx.state_mut(|s| if s.phase == phase { s.phase = Phase::Expired });
        }
    };
}

/// A failure that trying again cannot mend, in the words the import will show.
fn failed(error: ActivityExecutionError) -> Halt {
    let otherwise = "a step did not finish; import the file again";
    let (reason, message) = failure::words(&error, otherwise);
    Halt::Ended(Ending::Failed { reason, message })
}
