//! The way to an import's workflow. Nobody reaches one without an [`Owned`] id, which only a
//! look-up inside the user's transaction makes.

use std::time::Duration;

use djinn_chassis::{auth::UserId, temporal::Owned};
use djinn_temporal::{
    imports::{
        AnswerInput, CancelInput, ConfirmInput, ImportInput, ImportRef, ImportStatement,
        RereadInput, SWEEP_ID, SweepImports, SweepInput, workflow_id,
    },
    revert::{self, RevertImport, RevertInput},
};
use temporalio_client::{
    Client, Priority, WorkflowExecuteUpdateOptions, WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy, WorkflowStartOptions,
    errors::{WorkflowStartError, WorkflowUpdateError},
    schedules::{
        CreateScheduleOptions, ScheduleAction, ScheduleError, ScheduleOverlapPolicy, ScheduleSpec,
    },
    tonic::Code,
};
use uuid::Uuid;

use super::{Key, Steps, answer::Answer, reread::Reread};
use crate::{
    Error,
    domain::{review::Etag, status::Status},
    store::import::{Import, ImportId},
};

/// A person waits for it.
const PRIORITY_INTERACTIVE: u32 = 1;
/// How often the sweep runs.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// An answer of Temporal that takes longer is no answer: the caller has a deadline of its own.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// How often the workflow is told, and the pause in between: it hears of a review a moment after
/// Postgres shows it, and nobody should be refused for having been faster.
const TELLS_MAX: u32 = 25;
const TELL_PAUSE: Duration = Duration::from_millis(200);

/// What a person says to an import.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// Commit what this review shows.
    Confirm {
        /// The review.
        etag: String,
    },
    /// Go on with this answer.
    Answer(Answer),
    /// Read the file otherwise.
    Reread(Reread),
    /// End it.
    Cancel,
}

impl Word {
    /// Whether this can be said to an import of this status.
    fn fits(&self, status: Status) -> bool {
        match self {
            Self::Confirm { .. } => status == Status::Review,
            Self::Answer(_) => status == Status::Asking,
            Self::Reread(_) => matches!(status, Status::Review | Status::Asking),
            Self::Cancel => status.can_be_given_up(),
        }
    }

    /// Whether it is said of what the import no longer shows.
    fn is_stale(&self, import: &Import) -> bool {
        let seen = match self {
            Self::Confirm { etag } => etag,
            Self::Answer(answer) => &answer.etag,
            Self::Reread(asked) => &asked.etag,
            Self::Cancel => return false,
        };
        Etag::parse(seen) != Some(import.etag)
    }
}

impl Steps {
    /// Tells the workflow. A refusal counts only while Postgres agrees with it: else the workflow
    /// has not heard yet of the step that just ended, and is told again; unless what was seen has
    /// changed meanwhile. After a worker's death that can take until its heartbeat is missed, which
    /// is longer than a call may last.
    ///
    /// # Errors
    /// [`Error::RefusedByWorkflow`], [`Error::NotHeardYet`], [`Error::EtagMismatch`],
    /// [`Error::Temporal`].
    pub(crate) async fn tell(
        &self,
        key: Key,
        owned: &Owned<ImportId>,
        request_id: Uuid,
        word: &Word,
    ) -> Result<(), Error> {
        let mut told = 1;
        loop {
            let answer = match word {
                Word::Confirm { etag } => {
                    self.workflows
                        .confirm(owned, request_id, etag.clone())
                        .await
                }
                Word::Answer(answer) => self.workflows.answer(owned, answer).await,
                Word::Reread(asked) => self.workflows.reread(owned, asked).await,
                Word::Cancel => self.workflows.cancel(owned, request_id).await,
            };
            let Err(Error::RefusedByWorkflow(_)) = &answer else {
                return answer;
            };
            let (_, import) = self.find(key).await?;
            if !word.fits(import.status) {
                return answer;
            }
            if word.is_stale(&import) {
                return Err(Error::EtagMismatch);
            }
            if told >= TELLS_MAX {
                return Err(Error::NotHeardYet {
                    status: import.status,
                });
            }
            told += 1;
            tokio::time::sleep(TELL_PAUSE).await;
        }
    }
}

/// Workflows on one Temporal, of one task queue.
#[derive(Clone)]
pub struct Workflows {
    client: Client,
    queue: String,
    review_ttl: Duration,
}

impl Workflows {
    /// Through this client, run by the workers of this queue.
    #[must_use]
    pub fn new(client: Client, queue: String, review_ttl: Duration) -> Self {
        Self {
            client,
            queue,
            review_ttl,
        }
    }

    /// Starts the import, or joins the run that is there.
    ///
    /// # Errors
    /// [`Error::Temporal`] when it cannot be reached: the sweep starts the import later.
    pub async fn start(&self, user: UserId, import: &Owned<ImportId>) -> Result<(), Error> {
        let import_id = import.id().0.to_string();
        let id = workflow_id(&import_id);
        let user_id = user.to_string();
        let options = WorkflowStartOptions::new(self.queue.clone(), id)
            .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
            .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
            .priority(interactive(&user_id))
            .static_summary("a statement on its way into the ledger".to_owned())
            .build();
        let input = ImportInput {
            import: ImportRef { user_id, import_id },
            review_ttl_s: self.review_ttl.as_secs(),
        };
        let start = self
            .client
            .start_workflow(ImportStatement::run, input, options);
        match in_time(start).await? {
            // It has run already, to its end: whoever asks reads the import.
            Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
            Err(error) => Err(Error::Temporal(error.into())),
        }
    }

    /// Starts to undo the import, or joins the run that is there. After a run that gave up, and
    /// failed with that, another may begin; after one that came to its end none does.
    ///
    /// # Errors
    /// [`Error::Temporal`] when it cannot be reached: the sweep starts it later.
    pub async fn start_revert(&self, user: UserId, import: &Owned<ImportId>) -> Result<(), Error> {
        let import_id = import.id().0.to_string();
        let id = revert::workflow_id(&import_id);
        let user_id = user.to_string();
        let options = WorkflowStartOptions::new(self.queue.clone(), id)
            .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
            .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
            .priority(interactive(&user_id))
            .static_summary("an import on its way out of the ledger".to_owned())
            .build();
        let input = RevertInput {
            import: ImportRef { user_id, import_id },
        };
        let start = self
            .client
            .start_workflow(RevertImport::run, input, options);
        match in_time(start).await? {
            Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
            Err(error) => Err(Error::Temporal(error.into())),
        }
    }

    /// Confirms a review; the same request id again is the same confirmation.
    ///
    /// # Errors
    /// [`Error::RefusedByWorkflow`] outside a review.
    pub async fn confirm(
        &self,
        import: &Owned<ImportId>,
        request_id: Uuid,
        etag: String,
    ) -> Result<(), Error> {
        let id = workflow_id(&import.id().0.to_string());
        let handle = self.client.get_workflow_handle::<ImportStatement>(id);
        let options = update_options(request_id);
        let input = ConfirmInput { etag };
        let update = handle.execute_update(ImportStatement::confirm, input, options);
        in_time(update).await?.map_err(refused)
    }

    /// Answers the questions; the same request id again is the same answer.
    ///
    /// # Errors
    /// [`Error::RefusedByWorkflow`] when it does not ask, or no longer asks this.
    pub async fn answer(&self, import: &Owned<ImportId>, answer: &Answer) -> Result<(), Error> {
        let id = workflow_id(&import.id().0.to_string());
        let handle = self.client.get_workflow_handle::<ImportStatement>(id);
        let options = update_options(answer.request_id);
        let input = AnswerInput {
            request_id: answer.request_id.to_string(),
            etag: answer.etag.clone(),
            answers: answer.answers.clone(),
        };
        let update = handle.execute_update(ImportStatement::answer, input, options);
        in_time(update).await?.map_err(refused)
    }

    /// Has the file read otherwise; the same request id again is the same wish.
    ///
    /// # Errors
    /// [`Error::RefusedByWorkflow`] outside a review and questions.
    pub async fn reread(&self, import: &Owned<ImportId>, asked: &Reread) -> Result<(), Error> {
        let id = workflow_id(&import.id().0.to_string());
        let handle = self.client.get_workflow_handle::<ImportStatement>(id);
        let options = update_options(asked.request_id);
        let mapping = asked.mapping.as_ref().map(serde_json::to_string);
        let input = RereadInput {
            request_id: asked.request_id.to_string(),
            etag: asked.etag.clone(),
            mapping: mapping
                .transpose()
                .map_err(|error| Error::Task(error.into()))?,
            answers: asked.answers.clone(),
        };
        let update = handle.execute_update(ImportStatement::reread, input, options);
        in_time(update).await?.map_err(refused)
    }

    /// Ends an import; the same request id again is the same cancellation.
    ///
    /// # Errors
    /// [`Error::RefusedByWorkflow`] when it is being committed or has ended.
    pub async fn cancel(&self, import: &Owned<ImportId>, request_id: Uuid) -> Result<(), Error> {
        let id = workflow_id(&import.id().0.to_string());
        let handle = self.client.get_workflow_handle::<ImportStatement>(id);
        let options = update_options(request_id);
        let update = handle.execute_update(ImportStatement::cancel, CancelInput {}, options);
        in_time(update).await?.map_err(refused)
    }

    /// Sees to it that the sweep runs each minute; a schedule that is there stays.
    ///
    /// # Errors
    /// [`Error::Temporal`] when it cannot be reached.
    pub async fn schedule_sweep(&self) -> Result<(), Error> {
        let id = format!("{SWEEP_ID}:{}", self.queue);
        let action = ScheduleAction::start_workflow(
            SweepImports::run,
            SweepInput {},
            self.queue.clone(),
            id.clone(),
        );
        let options = CreateScheduleOptions::builder()
            .action(action)
            .spec(ScheduleSpec::from_interval(SWEEP_INTERVAL))
            .overlap_policy(ScheduleOverlapPolicy::Skip)
            .build();
        match in_time(self.client.create_schedule(id, options)).await? {
            Ok(_) => Ok(()),
            Err(ScheduleError::Rpc(status)) if status.code() == Code::AlreadyExists => Ok(()),
            Err(error) => Err(Error::Temporal(error.into())),
        }
    }
}

fn interactive(user_id: &str) -> Priority {
    Priority::builder()
        .priority_key(PRIORITY_INTERACTIVE)
        .fairness_key(user_id.to_owned())
        .build()
}

fn update_options(request_id: Uuid) -> WorkflowExecuteUpdateOptions {
    WorkflowExecuteUpdateOptions::builder()
        .update_id(request_id.to_string())
        .build()
}

async fn in_time<T>(call: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|late| Error::Temporal(late.into()))
}

fn refused(error: WorkflowUpdateError) -> Error {
    match error {
        WorkflowUpdateError::Failed(failure) => Error::RefusedByWorkflow(failure.message),
        // The run has ended, so there is nothing left to confirm or to cancel.
        WorkflowUpdateError::NotFound(_) => {
            Error::RefusedByWorkflow("the import has ended".to_owned())
        }
        other => Error::Temporal(other.into()),
    }
}
