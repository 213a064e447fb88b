//! The service as a next release could be: the workflow of an import has one step more, under a
//! patch. A test runs it beside the release of today (`tests/it/faults/versions.rs`).
//!
//! The way before the patch is exactly today's, as it is for every change; of what a person can say
//! to an import only the confirmation is here, because the test says nothing else.

#![allow(
    missing_docs,
    clippy::allow_attributes,
    reason = "the macros make markers that nobody can document"
)]

use std::time::Duration;

use djinn_temporal::imports::{
    CommitInput, ConfirmInput, ImportActivities, ImportInput, ImportOutput, ImportRef,
};
use temporalio_common::ActivityDefinition;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    ActivityCloseTimeouts, ActivityOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowContextView, WorkflowResult,
};

/// The change: every file is scanned a second time before it is read.
const PATCH: &str = "scan-twice";

/// By its name another implementation of the same workflow.
#[workflow]
pub struct ImportStatement {
    input: ImportInput,
    in_review: bool,
    confirmed: Option<String>,
}

#[workflow_methods]
impl ImportStatement {
    #[init]
    fn new(_ctx: &WorkflowContextView, input: ImportInput) -> Self {
        Self {
            input,
            in_review: false,
            confirmed: None,
        }
    }

    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<ImportOutput> {
        let import = ctx.state(|s| s.input.import.clone());
        step(ctx, ImportActivities::scan, import.clone()).await?;
        if ctx.patched(PATCH) {
            step(ctx, ImportActivities::scan, import.clone()).await?;
        }
        step(ctx, ImportActivities::recognise, import.clone()).await?;
        step(ctx, ImportActivities::stage, import.clone()).await?;
        step(ctx, ImportActivities::match_rows, import.clone()).await?;
        let etag = review(ctx).await;
        commit(ctx, import, etag).await
    }

    #[update_validator(confirm)]
    fn validate_confirm(
        &self,
        _ctx: &WorkflowContextView,
        _input: &ConfirmInput,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.in_review {
            Ok(())
        } else {
            Err("the import is not in review".into())
        }
    }

    #[update]
    pub fn confirm(&mut self, _ctx: &mut SyncWorkflowContext<Self>, input: ConfirmInput) {
        self.in_review = false;
        self.confirmed = Some(input.etag);
    }
}

type Context = WorkflowContext<ImportStatement>;

async fn step<A>(
    ctx: &mut Context,
    activity: A,
    import: ImportRef,
) -> Result<A::Output, temporalio_common::error::ActivityExecutionError>
where
    A: ActivityDefinition<Input = ImportRef>,
    A::Output: temporalio_common::data_converters::TemporalDeserializable,
{
    ctx.execute_activity(activity, import, options()).await
}

/// Waits for the confirmation, with the timer that today's release sets too.
async fn review(ctx: &mut Context) -> String {
    ctx.state_mut(|s| s.in_review = true);
    let patience = Duration::from_secs(ctx.state(|s| s.input.review_ttl_s));
    let mut timer = ctx.timer(patience);
    temporalio_workflow::select! {
        _ = ctx.wait_condition(|s| s.confirmed.is_some()) => {}
        _ = timer => {}
    };
    ctx.state(|s| s.confirmed.clone()).unwrap_or_default()
}

async fn commit(
    ctx: &mut Context,
    import: ImportRef,
    etag: String,
) -> WorkflowResult<ImportOutput> {
    let input = CommitInput { import, etag };
    ctx.execute_activity(ImportActivities::commit, input, options())
        .await?;
    Ok(ImportOutput {
        status: "committed".to_owned(),
    })
}

/// As `djinn_temporal::timing::long`.
fn options() -> ActivityOptions {
    let timeouts = ActivityCloseTimeouts::StartToClose(Duration::from_secs(60));
    ActivityOptions::with_close_timeouts(timeouts)
        .heartbeat_timeout(Duration::from_secs(15))
        .build()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: djinn_imports::Config = djinn_chassis::config::load();
    let _telemetry = djinn_chassis::telemetry::init(env!("CARGO_PKG_NAME"), &config.telemetry)?;
    let shutdown = djinn_chassis::shutdown::signal(&config.shutdown);
    djinn_imports::run_release::<ImportStatement>(config, shutdown).await
}
