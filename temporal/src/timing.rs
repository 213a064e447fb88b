//! Timeouts and retries, one function per class of activity.
//!
//! Tries are bounded by time and not by their number: a restart of the database outlasts any
//! reasonable count. A permanent failure says so itself and is not tried again, and so does, after
//! a few tries, one that nobody expected (`chassis::fault::Tries`).

use std::time::Duration;

use temporalio_workflow::{
    ActivityCloseTimeouts, ActivityOptions, RetryPolicy, WorkflowCancellationToken,
};

/// A worker that says nothing for this long is taken for dead and its task given to another.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest pause between two tries: short enough that work goes on soon after a repair.
const RETRY_INTERVAL_MAX: Duration = Duration::from_secs(60);
/// One try at work that grows with the file.
const LONG_ATTEMPT_MAX: Duration = Duration::from_secs(60 * 60);
/// All tries at it: a scanner that is down over a weekend must not fail an import.
const LONG_TOTAL_MAX: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// One try at a single short transaction.
const SHORT_ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// For work that grows with the file and heartbeats: scan, recognise, stage, match, commit, undo.
pub(crate) fn long(cancellation: WorkflowCancellationToken) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleAndStartToClose {
        schedule_to_close: LONG_TOTAL_MAX,
        start_to_close: LONG_ATTEMPT_MAX,
    })
    .heartbeat_timeout(HEARTBEAT_TIMEOUT)
    .retry_policy(retries())
    .cancellation_token(cancellation)
    .build()
}

/// As [`long`], but a failure of this type is final: it is a defect that a person must look at, and
/// no second try comes to another result.
pub(crate) fn long_unless(
    final_type: &str,
    cancellation: WorkflowCancellationToken,
) -> ActivityOptions {
    let mut options = long(cancellation);
    let mut policy = retries();
    policy.set_non_retryable_error_types([final_type]);
    options.retry_policy = Some(policy);
    options
}

/// For one short transaction. Tried for as long as it takes: without it an import would stand for
/// ever in a state that is no longer true.
pub(crate) fn short() -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::StartToClose(SHORT_ATTEMPT_MAX))
        .retry_policy(retries())
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

fn retries() -> RetryPolicy {
    RetryPolicy::builder()
        .maximum_interval(RETRY_INTERVAL_MAX)
        .build()
}
