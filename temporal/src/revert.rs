//! An import on its way out of the ledger.
//!
//! The workflow id is `revert:{import_id}`, with conflict policy UseExisting. The reuse policy is
//! AllowDuplicateFailedOnly, unlike that of an import: an undoing that fails for good gives the
//! import back as it was, committed, and fails with that, so that a person may wish for it once
//! more. One that came to its end never runs again.

#![expect(
    missing_docs,
    clippy::unimplemented,
    reason = "the macros make markers that nobody can document, of declarations without a body"
)]

use serde::{Deserialize, Serialize};
use temporalio_common::ActivityError;
use temporalio_macros::{activity_definitions, workflow, workflow_methods};
use temporalio_workflow::{
    WorkflowCancellationToken, WorkflowContext, WorkflowContextView, WorkflowResult,
};

use crate::{failure, imports::ImportRef, timing};

/// The type of the failure that trying again cannot mend: the ledger does not hold what the import
/// added, and a person must look.
pub const MISMATCH: &str = "REVERSAL_MISMATCH";

/// The workflow id of an import's undoing.
#[must_use]
pub fn workflow_id(import_id: &str) -> String {
    format!("revert:{import_id}")
}

/// Input of [`RevertImport`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevertInput {
    /// The import.
    pub import: ImportRef,
}

/// Output of [`RevertImport`], for operators; clients read the import itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevertOutput {
    /// The import's last status.
    pub status: String,
}

/// Output of the activity `remove`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveOutput {
    /// Transactions removed from the ledger, also when an earlier try removed them.
    pub removed_count: i64,
    /// Transactions that stay because a person has edited them since.
    pub kept_count: i64,
}

/// Input of the activity `give_up`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GiveUpInput {
    /// The import.
    pub import: ImportRef,
    /// The type of the failure.
    pub reason: String,
    /// One sentence for people.
    pub message: String,
}

/// Output of the activity `give_up`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GiveUpOutput {
    /// The status after it; `reverted` when the last try went through after all.
    pub status: String,
}

/// The steps of an undoing. Each is safe to repeat.
pub struct RevertActivities;

#[activity_definitions]
impl RevertActivities {
    /// Takes what the import added out of the ledger, in one transaction with the status.
    #[activity]
    pub fn remove(import: ImportRef) -> Result<RemoveOutput, ActivityError> {
        unimplemented!()
    }

    /// Leaves the import committed, with the reason why it cannot be undone.
    #[activity]
    pub fn give_up(input: GiveUpInput) -> Result<GiveUpOutput, ActivityError> {
        unimplemented!()
    }
}

// The macro's module is private; a service names these to implement them.
pub use revert_activities::{GiveUp, Remove};

/// Undoes one import: one activity, and one more if it fails for good. It never continues as new.
#[workflow]
pub struct RevertImport {
    input: RevertInput,
}

#[workflow_methods]
impl RevertImport {
    #[init]
    fn new(_ctx: &WorkflowContextView, input: RevertInput) -> Self {
        Self { input }
    }

    /// Removes the rows, or says that it cannot be done.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<RevertOutput> {
        const DONE: &str = "reverted";
        let import = ctx.state(|s| s.input.import.clone());
        let options = timing::long_unless(MISMATCH, WorkflowCancellationToken::new());
        let removing = ctx.execute_activity(RevertActivities::remove, import.clone(), options);
        let status = DONE.to_owned();
        let Err(error) = removing.await else {
            return Ok(RevertOutput { status });
        };
        let otherwise = "it did not come to an end in time; try again";
        let (reason, message) = failure::words(&error, otherwise);
        let input = GiveUpInput {
            import,
            reason,
            message,
        };
        let given_up = ctx
            .execute_activity(RevertActivities::give_up, input, timing::short())
            .await?;
        if given_up.status == DONE {
            return Ok(RevertOutput { status });
        }
        Err(error.into())
    }
}
