//! What can go wrong in the imports service, and what each means to the caller.

use std::borrow::Cow;

use djinn_chassis::{
    fault::{Fault, Kind, Violation},
    objects, postgres,
};
use uuid::Uuid;

use crate::domain::{
    answer::Misfit,
    mapping::Unfit,
    reading::ReadError,
    review::{CHANGES_MAX, UnknownAction, UnknownVerdict},
    status::{Status, UnknownStatus},
    template::BadFile,
};

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the request is wrong.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as the proto calls it.
        field: Cow<'static, str>,
        /// What is wrong, and the way out.
        problem: String,
    },
    /// Nothing of that id belongs to the user; the same for ids that do not exist at all.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The id as it was sent.
        id: String,
    },
    /// The request id stands for another request.
    #[error("request_id {request_id} was used for another request; choose a new UUID")]
    RequestIdReused {
        /// The id.
        request_id: Uuid,
    },
    /// The review is no longer what the caller has seen.
    #[error("the import has changed since it was read; read it again and decide again")]
    EtagMismatch,
    /// The import is not where the call needs it.
    #[error("the import is {status}: {needed}")]
    WrongStatus {
        /// Where it is.
        status: Status,
        /// What the call needs, and the way out.
        needed: &'static str,
    },
    /// The workflow said no.
    #[error("{0}")]
    RefusedByWorkflow(String),
    /// The workflow says no to what the status allows: the report of the last step is on its way.
    #[error("the import is {status}, and its workflow has not heard of it yet; try again soon")]
    NotHeardYet {
        /// Where it stands.
        status: Status,
    },
    /// The rows to add come to more than an amount can be.
    #[error("the rows to add come to more than 64 bits of minor units; leave out or edit some")]
    SumTooLarge,
    /// The account takes no transactions.
    #[error("the account is closed; open another one to import into")]
    AccountClosed,
    /// The file is larger than the limit.
    #[error("the file is larger than {limit_bytes} bytes; split it by date and upload the parts")]
    FileTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// No byte came for too long.
    #[error("no data arrived for {idle_s} s; send it again")]
    UploadIdle {
        /// The limit.
        idle_s: u64,
    },
    /// A chunk took too long to come.
    #[error("the chunk did not come within {limit_s} s; send it again on a better network")]
    ChunkSlow {
        /// The limit.
        limit_s: u64,
    },
    /// Too many chunks come at one time.
    #[error("too many chunks at one time")]
    ChunksBusy,
    /// Putting a file together took too long; the next call goes on.
    #[error("putting the file together took too long")]
    FinishSlow,
    /// Other bytes under the number of a chunk that is taken.
    #[error(
        "chunk {number} has SHA-256 {known}, and {sent} was sent; send the chunk of the file that \
         was begun, or begin another upload"
    )]
    ChunkConflict {
        /// The number.
        number: i32,
        /// The hash that it has.
        known: String,
        /// The hash that was sent.
        sent: String,
    },
    /// The chunks make another file than the one that was announced.
    #[error(
        "announced were {announced}, and the chunks make {found}; the file was deleted. Begin \
         another upload with the hash of the file as it is now"
    )]
    FileMismatch {
        /// What was announced.
        announced: String,
        /// What came.
        found: String,
    },
    /// The upload was given up.
    #[error(
        "upload {upload_id} was given up: nothing new came for 24 hours, or it was not the file \
         that was announced; begin another upload"
    )]
    UploadGone {
        /// The upload.
        upload_id: Uuid,
    },
    /// The object store does not know of an upload that is not whole.
    #[error(
        "what had come of upload {upload_id} is lost in the object store; begin another upload"
    )]
    PartsLost {
        /// The upload.
        upload_id: Uuid,
    },
    /// Too many uploads of the user are not whole.
    #[error(
        "{unfinished} uploads are unfinished, the most there may be; finish one, or wait until one \
         is given up 24 hours after its last chunk"
    )]
    TooManyUnfinished {
        /// How many.
        unfinished: i64,
    },
    /// Too many imports wait for the user.
    #[error("{open} imports are open, the most there may be; confirm or cancel some")]
    TooManyOpen {
        /// How many.
        open: i64,
    },
    /// The file is not one that can be imported; `reason` says which rule.
    #[error("{detail}")]
    FileRefused {
        /// The rule, in a stable word.
        reason: &'static str,
        /// What is wrong, and the way out.
        detail: String,
    },
    /// A successor or a person has moved the import on; what this worker did is void.
    #[error("import {import_id} was moved on by somebody else")]
    Overtaken {
        /// The import.
        import_id: Uuid,
    },
    /// The worker stops, or the workflow has no use for the step any more.
    #[error("the step was interrupted")]
    Interrupted,
    /// The commit wrote another number of rows than the review showed.
    #[error("import {import_id}: {inserted} rows instead of {expected} would have been added")]
    CountMismatch {
        /// The import.
        import_id: Uuid,
        /// What the review showed.
        expected: i64,
        /// What the statement did.
        inserted: u64,
    },
    /// The commit linked another number of transactions than the review showed.
    #[error("import {import_id}: {linked} rows instead of {expected} would have been linked")]
    LinkMismatch {
        /// The import.
        import_id: Uuid,
        /// What the review showed.
        expected: i64,
        /// What the statements did.
        linked: i64,
    },
    /// Undoing an import would free more transactions than it was linked with.
    #[error(
        "import {import_id} was linked with {linked} transactions, and {freed} would be freed: \
         whoever runs the service must look"
    )]
    UnlinkMismatch {
        /// The import.
        import_id: Uuid,
        /// What the commit linked.
        linked: i64,
        /// What was freed, before it was rolled back.
        freed: i64,
    },
    /// Undoing an import would not remove what the import added.
    #[error(
        "import {import_id} added {included} rows, of which the ledger holds {found}; {removed} \
         would have gone and {buried} be noted as gone, and these numbers do not agree: whoever \
         runs the service must look"
    )]
    ReversalMismatch {
        /// The import.
        import_id: Uuid,
        /// What the commit added.
        included: i64,
        /// What the ledger holds of it.
        found: i64,
        /// What was removed, before it was rolled back.
        removed: i64,
        /// The tombstones of what was removed.
        buried: i64,
    },
    /// The scanner is away, slow, or said something other than yes or no.
    #[error("the malware scanner cannot be used: {detail}")]
    Scanner {
        /// What happened.
        detail: String,
        /// The error behind it, if there is one.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The stored file could not be read.
    #[error("the stored file cannot be read")]
    Read(#[source] std::io::Error),
    /// A value in the database that this release does not know.
    #[error("{table} {id}: a value cannot be decoded")]
    Undecodable {
        /// The table.
        table: &'static str,
        /// The row.
        id: Uuid,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] djinn_ledger::Error),
    /// The database.
    #[error("the database")]
    Database(#[from] postgres::Error),
    /// The object store.
    #[error("the object store")]
    Objects(#[from] objects::Error),
    /// Temporal.
    #[error("temporal")]
    Temporal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A task of ours ended without an answer.
    #[error("a task ended without an answer")]
    Task(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Where a failpoint stands the process dies, as by a power cut; there is no error.
    #[cfg(feature = "failpoints")]
    pub(crate) fn killed() -> Self {
        match nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL) {
            Ok(()) => Self::Interrupted,
            Err(errno) => Self::Task(errno.into()),
        }
    }

    /// A field that is wrong.
    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// A row whose status this release does not know.
    pub(crate) fn status(import_id: Uuid, source: UnknownStatus) -> Self {
        Self::Undecodable {
            table: "imports.import",
            id: import_id,
            source: source.into(),
        }
    }

    /// A row whose verdict this release does not know.
    pub(crate) fn verdict(import_id: Uuid, source: UnknownVerdict) -> Self {
        Self::Undecodable {
            table: "imports.verdict",
            id: import_id,
            source: source.into(),
        }
    }

    /// A row whose action this release does not know.
    pub(crate) fn action(import_id: Uuid, source: UnknownAction) -> Self {
        Self::Undecodable {
            table: "imports.staged_row",
            id: import_id,
            source: source.into(),
        }
    }

    /// Too many changes for one call.
    pub(crate) fn too_many_changes(count: usize) -> Self {
        Self::invalid(
            "changes",
            format!("{count} changes; send at most {CHANGES_MAX} in a call"),
        )
    }
}

impl From<Misfit> for Error {
    fn from(misfit: Misfit) -> Self {
        Self::invalid(format!("answers.{}", misfit.key), misfit.problem)
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        Self::invalid(unfit.field, unfit.problem)
    }
}

impl From<BadFile> for Error {
    fn from(error: BadFile) -> Self {
        Self::invalid("content", error.to_string())
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(source) => Self::Read(source),
            ReadError::Limit { .. } => Self::FileRefused {
                reason: "OVER_LIMIT",
                detail: error.to_string(),
            },
            ReadError::Undecodable { .. } => Self::FileRefused {
                reason: "UNDECODABLE_TEXT",
                detail: error.to_string(),
            },
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(source.into())
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid { .. } => Kind::Invalid,
            Self::NotFound { .. } => Kind::NotFound,
            Self::RequestIdReused { .. } | Self::ChunkConflict { .. } => Kind::Exists,
            Self::EtagMismatch => Kind::Conflict,
            Self::WrongStatus { .. }
            | Self::RefusedByWorkflow(_)
            | Self::SumTooLarge
            | Self::AccountClosed
            | Self::FileMismatch { .. }
            | Self::UploadGone { .. }
            | Self::PartsLost { .. }
            | Self::FileRefused { .. } => Kind::Refused,
            Self::FileTooLarge { .. }
            | Self::TooManyOpen { .. }
            | Self::TooManyUnfinished { .. } => Kind::Exhausted,
            Self::UploadIdle { .. } | Self::ChunkSlow { .. } => Kind::Timeout,
            Self::ChunksBusy | Self::FinishSlow => Kind::Unavailable,
            // Only activities meet it, and the next try sees where the import is now.
            Self::Overtaken { .. } | Self::Interrupted => Kind::Unavailable,
            Self::NotHeardYet { .. } | Self::Scanner { .. } | Self::Read(_) | Self::Temporal(_) => {
                Kind::Unavailable
            }
            Self::CountMismatch { .. }
            | Self::LinkMismatch { .. }
            | Self::UnlinkMismatch { .. }
            | Self::ReversalMismatch { .. }
            | Self::Undecodable { .. }
            | Self::Task(_) => Kind::Internal,
            Self::Ledger(error) => passing(error.kind()),
            Self::Database(error) => passing(error.kind()),
            Self::Objects(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::RequestIdReused { .. } => "REQUEST_ID_REUSED",
            Self::EtagMismatch => "ETAG_MISMATCH",
            Self::WrongStatus { .. } | Self::RefusedByWorkflow(_) => "WRONG_STATE",
            Self::NotHeardYet { .. } => "STEP_NOT_REPORTED",
            Self::SumTooLarge => "SUM_TOO_LARGE",
            Self::AccountClosed => "ACCOUNT_CLOSED",
            Self::FileTooLarge { .. } => "FILE_TOO_LARGE",
            Self::UploadIdle { .. } => "UPLOAD_IDLE",
            Self::ChunkSlow { .. } => "CHUNK_SLOW",
            Self::ChunksBusy => "CHUNKS_BUSY",
            Self::FinishSlow => "FINISH_SLOW",
            Self::ChunkConflict { .. } => "CHUNK_CONFLICT",
            Self::FileMismatch { .. } => "FILE_MISMATCH",
            Self::UploadGone { .. } => "UPLOAD_GONE",
            Self::PartsLost { .. } => "PARTS_LOST",
            Self::TooManyUnfinished { .. } => "UNFINISHED_UPLOADS",
            Self::TooManyOpen { .. } => "OPEN_IMPORTS",
            Self::FileRefused { reason, .. } => reason,
            Self::Overtaken { .. } => "OVERTAKEN",
            Self::Interrupted => "INTERRUPTED",
            Self::CountMismatch { .. } => "COUNT_MISMATCH",
            Self::LinkMismatch { .. } => "LINK_MISMATCH",
            Self::ReversalMismatch { .. } | Self::UnlinkMismatch { .. } => {
                djinn_temporal::revert::MISMATCH
            }
            Self::Scanner { .. } => "SCANNER_UNAVAILABLE",
            Self::Read(_) => "FILE_UNREADABLE",
            Self::Undecodable { .. } => "UNDECODABLE",
            Self::Ledger(error) => error.reason(),
            Self::Database(error) => error.reason(),
            Self::Objects(error) => error.reason(),
            Self::Temporal(_) => "TEMPORAL_UNAVAILABLE",
            Self::Task(_) => "TASK_LOST",
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid { field, problem } => vec![Violation {
                field: field.to_string(),
                description: problem.clone(),
            }],
            _ => Vec::new(),
        }
    }
}

/// A deadlock or a serialisation failure passes by itself: here the whole transaction is tried
/// again, by the client or by Temporal, so it is not the conflict of somebody's decision.
fn passing(kind: Kind) -> Kind {
    match kind {
        Kind::Conflict => Kind::Unavailable,
        other => other,
    }
}
