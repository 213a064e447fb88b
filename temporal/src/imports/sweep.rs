//! The sweep behind the imports.

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    WorkflowCancellationToken, WorkflowContext, WorkflowContextView, WorkflowResult,
};

use super::{ImportActivities, SweepInput, SweepOutput};
use crate::timing;

/// Does what a crash left undone: one activity, started each minute by a schedule.
#[workflow]
pub struct SweepImports {
    input: SweepInput,
}

#[workflow_methods]
impl SweepImports {
    #[init]
    fn new(_ctx: &WorkflowContextView, input: SweepInput) -> Self {
        Self { input }
    }

    /// Runs the sweep once.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<SweepOutput> {
        let input = ctx.state(|s| s.input.clone());
        let options = timing::long(WorkflowCancellationToken::new());
        Ok(ctx
            .execute_activity(ImportActivities::sweep, input, options)
            .await?)
    }
}
