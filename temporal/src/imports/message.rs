//! What goes into the workflows and activities of imports and what comes out: ids, counts and
//! words, never rows. Fields are only ever added, with a default, because a history may be a week
//! old.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which import a workflow or activity is about. Both ids are UUIDs in text form.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ImportRef {
    /// The user it belongs to.
    pub user_id: String,
    /// The import.
    pub import_id: String,
}

/// Input of [`ImportStatement`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportInput {
    /// The import.
    pub import: ImportRef,
    /// How long a review waits for a person, in seconds.
    pub review_ttl_s: u64,
}

/// Output of [`ImportStatement`], for operators; clients read the import itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportOutput {
    /// The import's last status.
    pub status: String,
}

/// What a scan found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum ScanOutcome {
    /// The scanner said so, in its exact words.
    Clean,
    /// A finding: the object is gone and the import refused.
    Refused,
}

/// Output of the activity `scan`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScanOutput {
    /// What was found.
    pub outcome: ScanOutcome,
}

/// How far recognition came.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum RecogniseOutcome {
    /// The reading is frozen.
    Ready,
    /// A person must answer first.
    Asks,
    /// Not a statement that can be read; the import is refused.
    Refused,
    /// Only of `reread`: the review was edited since it was seen, and stays as it is.
    Unchanged,
}

/// Output of the activity `recognise`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecogniseOutput {
    /// How far it came.
    pub outcome: RecogniseOutcome,
    /// Stands for the questions, if it asks. Empty without, and from releases that could not be
    /// answered.
    #[serde(default)]
    pub etag: String,
}

/// Input of the update `answer`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct AnswerInput {
    /// The request that it came with, a UUID in text form.
    pub request_id: String,
    /// The questions that are answered.
    pub etag: String,
    /// For each question's key a choice. Never more than a handful of short words.
    pub answers: BTreeMap<String, String>,
}

/// Input of the activity `recognise_again`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecogniseAgainInput {
    /// The import.
    pub import: ImportRef,
    /// The answer it goes on with.
    pub answer: AnswerInput,
}

/// Input of the update `reread`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct RereadInput {
    /// The request that it came with, a UUID in text form.
    pub request_id: String,
    /// The import as it was seen.
    pub etag: String,
    /// What the columns mean, in JSON as the imports service writes it; some tens of kilobytes for
    /// the widest tables.
    pub mapping: Option<String>,
    /// Answers that are known beforehand, as in [`AnswerInput`].
    pub answers: BTreeMap<String, String>,
}

/// Input of the activity `reread`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RereadActivityInput {
    /// The import.
    pub import: ImportRef,
    /// What was asked for.
    pub asked: RereadInput,
}

/// Output of the activity `stage`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageOutput {
    /// Rows of the file, good and bad.
    pub row_count: i64,
}

/// Output of the activity `match_rows`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatchOutput {
    /// Stands for the review as it begins.
    pub etag: String,
    /// Whether it commits without a person: asked for, and nothing is in doubt.
    pub auto_confirm: bool,
}

/// Input of the activity `commit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommitInput {
    /// The import.
    pub import: ImportRef,
    /// The review that was confirmed.
    pub etag: String,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Every included row is in the ledger.
    Committed,
    /// The review no longer is what was confirmed; a person looks again.
    Review,
}

/// Output of the activity `commit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommitOutput {
    /// How it ended.
    pub outcome: CommitOutcome,
    /// Rows added to the ledger by this import, also when an earlier try added them.
    pub added_count: i64,
}

/// How an import ends without effect.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum Ending {
    /// By the user.
    Cancelled,
    /// Because nobody confirmed in time.
    Expired,
    /// By a fault of ours.
    Failed {
        /// The type of the failure.
        reason: String,
        /// One sentence for people.
        message: String,
    },
}

/// Input of the activity `close`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CloseInput {
    /// The import.
    pub import: ImportRef,
    /// How it ends.
    pub ending: Ending,
}

/// Output of the activity `close`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CloseOutput {
    /// The status after it; another than asked for when the import had ended before.
    pub status: String,
}

/// Input of the update `confirm`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConfirmInput {
    /// The review that is confirmed.
    pub etag: String,
}

/// Input of the update `cancel`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CancelInput {}

/// Input of the activity `sweep`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepInput {}

/// Output of the activity `sweep`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepOutput {
    /// Imports started that a crash had left behind.
    pub started_count: i64,
    /// Workflows started that undo an import.
    #[serde(default)]
    pub revert_count: i64,
    /// Uploads aborted that nobody finished.
    pub aborted_count: i64,
    /// Ended imports whose staged rows were deleted.
    pub purged_count: i64,
}
