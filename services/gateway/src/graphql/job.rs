//! Long work.

use async_graphql::SimpleObject;

use djinn_proto::common::v1 as pb;

use super::{
    error::{Refused, Result},
    mirror::mirror,
    scalar::{DateTime, Int64, some},
};
use crate::domain::Owner;

mirror! {
    /// What kind of work a job is.
    JobKind of pb::JobKind, Owner::Imports => {
        /// A statement on its way into the ledger.
        Import,
    }

    /// Where a job stands. What carries the job has finer states of its own.
    JobState of pb::JobState, Owner::Imports => {
        /// Accepted and durable, but no step has begun.
        Queued,
        /// A step is under way, or being tried again after a failure that passes.
        Running,
        /// Waits for a person.
        Waiting,
        /// Done, and its data is committed.
        Succeeded,
        /// Ended without effect; `failure` says why and what to do.
        Failed,
        /// Ended by a person, without effect.
        Cancelled,
        /// Ended because nobody answered in time, without effect.
        Expired,
    }
}

/// A piece of long work.
#[derive(SimpleObject)]
pub(super) struct Job {
    /// What kind of work this is.
    kind: JobKind,
    /// Where it stands.
    state: JobState,
    /// How far it has come in its current step.
    progress: Option<JobProgress>,
    /// Why it ended or was handed back to a person; null while all is well.
    failure: Option<JobFailure>,
    /// When it was accepted.
    create_time: DateTime,
    /// When its state, progress or failure last changed.
    update_time: DateTime,
    /// When it ended; null until then.
    end_time: Option<DateTime>,
}

/// How far a job has come.
#[derive(SimpleObject)]
pub(super) struct JobProgress {
    /// Units done so far. Grows, but starts again when the work is done again another way.
    done_count: Int64,
    /// Units in all; null while that is not known.
    total_count: Option<Int64>,
    /// What is counted, as in "rows" or "bytes".
    unit: Option<String>,
}

/// Why a job ended, or why it was handed back to a person.
#[derive(SimpleObject)]
pub(super) struct JobFailure {
    /// A stable word for programs, as in "INFECTED".
    reason: String,
    /// One sentence for people: what is wrong, and the way out.
    message: String,
}

impl TryFrom<pb::Job> for Job {
    type Error = Refused;

    fn try_from(job: pb::Job) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            kind: JobKind::read(job.kind)?,
            state: JobState::read(job.state)?,
            progress: job.progress.map(|progress| JobProgress {
                done_count: Int64(progress.done_count),
                total_count: (progress.total_count != 0).then_some(Int64(progress.total_count)),
                unit: some(progress.unit),
            }),
            failure: job.failure.map(|failure| JobFailure {
                reason: failure.reason,
                message: failure.message,
            }),
            create_time: DateTime::require(job.create_time, owner)?,
            update_time: DateTime::require(job.update_time, owner)?,
            end_time: DateTime::read(job.end_time, owner)?,
        })
    }
}
