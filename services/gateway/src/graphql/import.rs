//! Imports: statements on their way into the ledger.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};

use djinn_proto::imports::v1 as pb;

use super::{
    account::Account,
    answer::{Answer, AnswerInput},
    connection::Connection,
    error::{Refused, Result, required},
    gap::BalanceGap,
    job::Job,
    mapping::{Mapping, MappingInput},
    mirror::mirror,
    money::Money,
    query,
    reading::{Question, Reading},
    row::{ImportRow, RowVerdict},
    scalar::{DateTime, Int64, RequestId, count, some},
    session::Session,
    share::ImportAccount,
};
use crate::domain::{Owner, cost};

mirror! {
    /// Where an import stands. CREATED, SCANNING, RECOGNISING (and ASKING, when something is truly
    /// ambiguous), STAGING, MATCHING, REVIEW, COMMITTING, COMMITTED; then, if it is undone,
    /// REVERTING, REVERTED. The rest are ends without effect.
    ImportState of pb::ImportState, Owner::Imports => {
        /// Durable, not yet begun.
        Created,
        /// Being scanned for malware. Stays here while the scanner cannot be reached.
        Scanning,
        /// Working out encoding, columns, formats and signs.
        Recognising,
        /// Waits for an answer about what is truly ambiguous.
        Asking,
        /// Reading rows.
        Staging,
        /// Comparing rows with the ledger.
        Matching,
        /// Waits for confirmImport or cancelImport until `expireTime`.
        Review,
        /// Writing to the ledger.
        Committing,
        /// In the ledger.
        Committed,
        /// Being undone.
        Reverting,
        /// Undone.
        Reverted,
        /// The file cannot be imported: infected, not a statement, or beyond a limit.
        Refused,
        /// Ended by a fault of ours.
        Failed,
        /// Ended by the user.
        Cancelled,
        /// Nobody confirmed in time.
        Expired,
    }
}

/// A statement on its way into the ledger.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Import {
    /// Its id, UUIDv7.
    id: ID,
    /// Id of the account it was begun for: rows go into it that name no other account of the user.
    account_id: ID,
    /// The file.
    upload: Option<Upload>,
    /// Where it stands.
    state: ImportState,
    /// The same as a job: progress, times, failure.
    job: Option<Job>,
    /// Stands for what the review shows: send it with confirmImport, answerImport and
    /// updateImportRows.
    etag: String,
    /// Rises each time the file is recognised again.
    generation: i32,
    /// How the file was understood; null before RECOGNISING has ended.
    reading: Option<Reading>,
    /// Rows by verdict; null before MATCHING has ended.
    counts: Option<ImportCounts>,
    /// Sum of the included rows of the account it was begun for, as the balances are that account's
    /// alone; `accounts` has those of all. Null before MATCHING has ended.
    included_amount: Option<Money>,
    /// The account's balance without this import; null before MATCHING has ended.
    balance_before: Option<Money>,
    /// The account's balance with this import; null before MATCHING has ended.
    balance_after: Option<Money>,
    /// What the file leaves open; only in ASKING.
    questions: Vec<Question>,
    /// When a review that nobody confirms expires; null outside REVIEW.
    expire_time: Option<DateTime>,
    /// Whether it commits by itself when every row is new, a duplicate, deleted before or linked,
    /// and the file's balance has no gap.
    auto_confirm: bool,
    /// What the user should know before confirming.
    warnings: Vec<ImportWarning>,
    /// The answers it was read with, in the order of their keys: a person's, else those of a
    /// template.
    answers: Vec<Answer>,
    /// Id of the template whose answers were used; null when a person answered or nothing was
    /// asked.
    template_id: Option<ID>,
    /// What undoing it did; null before REVERTED.
    reversal: Option<ImportReversal>,
    /// What a person says the columns mean; null without a mapping.
    mapping: Option<Mapping>,
    /// Where the running balance of the file does not follow, the first 20 in file order; empty
    /// before STAGING has ended, and in lists.
    balance_gaps: Vec<BalanceGap>,
    /// How many such places there are.
    balance_gap_count: i32,
    /// The accounts its rows go into, in the order of their ids; empty before MATCHING has ended.
    accounts: Vec<ImportAccount>,
}

#[ComplexObject]
impl Import {
    /// The account it was begun for.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>> {
        let account = Session::of(context)?.account(&self.account_id).await?;
        Ok(Some(account.try_into()?))
    }

    /// Its rows in the order of the file, once it has been matched.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only rows with one of these verdicts.")] verdicts: Option<
            Vec<RowVerdict>,
        >,
        #[graphql(desc = "Only rows that a commit adds, or only those it does not.")]
        included: Option<bool>,
        #[graphql(desc = "Only rows that go into this account.")] account_id: Option<ID>,
    ) -> Result<Option<Connection<ImportRow>>> {
        let asked = pb::ListImportRowsRequest {
            import_id: self.id.0.clone(),
            verdicts: query::numbers::<_, pb::RowVerdict>(verdicts),
            included,
            account_id: account_id.unwrap_or_default().0,
            ..pb::ListImportRowsRequest::default()
        };
        query::rows(context, asked, first, after).await
    }
}

impl TryFrom<pb::Import> for Import {
    type Error = Refused;

    fn try_from(import: pb::Import) -> Result<Self> {
        let owner = Owner::Imports;
        let warnings = import.warnings.into_iter().map(|warning| ImportWarning {
            reason: warning.reason,
            message: warning.message,
        });
        let reversal = import.reversal.map(|reversal| {
            Ok::<_, Refused>(ImportReversal {
                removed_count: count(reversal.removed_count, owner)?,
                kept_count: count(reversal.kept_count, owner)?,
            })
        });
        Ok(Self {
            id: import.import_id.into(),
            account_id: import.account_id.into(),
            upload: import.upload.map(TryInto::try_into).transpose()?,
            state: ImportState::read(import.state)?,
            job: import.job.map(TryInto::try_into).transpose()?,
            etag: import.etag,
            generation: import.generation,
            reading: import.reading.map(TryInto::try_into).transpose()?,
            counts: import.counts.map(TryInto::try_into).transpose()?,
            included_amount: import.included_amount.map(Into::into),
            balance_before: import.balance_before.map(Into::into),
            balance_after: import.balance_after.map(Into::into),
            questions: import.questions.into_iter().map(Into::into).collect(),
            expire_time: DateTime::read(import.expire_time, owner)?,
            auto_confirm: import.auto_confirm,
            warnings: warnings.collect(),
            answers: Answer::sorted(import.answers),
            template_id: some(import.template_id).map(ID),
            reversal: reversal.transpose()?,
            mapping: import.mapping.map(TryInto::try_into).transpose()?,
            balance_gaps: BalanceGap::all(import.balance_gaps)?,
            balance_gap_count: count(import.balance_gap_count, owner)?,
            accounts: ImportAccount::list(import.accounts)?,
        })
    }
}

/// A statement file as stored. It comes by POST /v1/statements.
#[derive(SimpleObject)]
pub(super) struct Upload {
    /// Its id, UUIDv7.
    id: ID,
    /// Name of the file on the user's device, for people only.
    file_name: String,
    /// Size in bytes.
    size_bytes: Int64,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    sha256: String,
    /// When the last byte was stored.
    create_time: DateTime,
}

impl TryFrom<pb::Upload> for Upload {
    type Error = Refused;

    fn try_from(upload: pb::Upload) -> Result<Self> {
        Ok(Self {
            id: upload.upload_id.into(),
            file_name: upload.file_name,
            size_bytes: Int64(upload.size_bytes),
            sha256: upload.sha256,
            create_time: DateTime::require(upload.create_time, Owner::Imports)?,
        })
    }
}

/// How many rows an import holds, by verdict.
#[derive(SimpleObject)]
pub(super) struct ImportCounts {
    /// Rows of the file, good and bad.
    row_count: i32,
    /// Rows the ledger does not have.
    new_count: i32,
    /// Rows the ledger has.
    duplicate_count: i32,
    /// Rows deleted by hand before.
    deleted_before_count: i32,
    /// Rows whose id the ledger has with another amount.
    changed_count: i32,
    /// Rows that cannot be read.
    invalid_count: i32,
    /// Rows that a commit would add, or has added.
    included_count: i32,
    /// Rows that a commit would link, or has linked, with transactions that are there.
    linked_count: i32,
    /// Rows that are like something in the ledger.
    suspected_count: i32,
    /// Rows with fields that a person has set in review, repaired ones among them.
    edited_count: i32,
}

impl TryFrom<pb::ImportCounts> for ImportCounts {
    type Error = Refused;

    fn try_from(counts: pb::ImportCounts) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            row_count: count(counts.row_count, owner)?,
            new_count: count(counts.new_count, owner)?,
            duplicate_count: count(counts.duplicate_count, owner)?,
            deleted_before_count: count(counts.deleted_before_count, owner)?,
            changed_count: count(counts.changed_count, owner)?,
            invalid_count: count(counts.invalid_count, owner)?,
            included_count: count(counts.included_count, owner)?,
            linked_count: count(counts.linked_count, owner)?,
            suspected_count: count(counts.suspected_count, owner)?,
            edited_count: count(counts.edited_count, owner)?,
        })
    }
}

/// Something worth knowing about an import.
#[derive(SimpleObject)]
pub(super) struct ImportWarning {
    /// A stable word for programs, as in "ID_CONFLICT".
    reason: String,
    /// One sentence for people.
    message: String,
}

/// What undoing an import did.
#[derive(SimpleObject)]
pub(super) struct ImportReversal {
    /// Transactions removed from the ledger.
    removed_count: i32,
    /// Transactions that stay because they were edited by hand since: `transactions(importId)`
    /// lists them, `lockedFields` tells what was edited.
    kept_count: i32,
}

/// A new import.
#[derive(InputObject)]
pub(super) struct CreateImportInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The file, as POST /v1/statements answered.
    upload_id: ID,
    /// The account it goes into. Rows that name another account of the user by its number go there,
    /// and rows of an account that is not known are asked about.
    account_id: ID,
    /// Commit without a review when every row is new, a duplicate, deleted before or linked,
    /// and the file's balance has no gap.
    #[graphql(default)]
    auto_confirm: bool,
    /// What the columns mean, if they are not what they seem. A mapping that the file does not
    /// allow is left out: the import waits in REVIEW and `warnings` says so.
    mapping: Option<MappingInput>,
}

impl From<CreateImportInput> for pb::CreateImportRequest {
    fn from(input: CreateImportInput) -> Self {
        Self {
            request_id: input.request_id.write(),
            upload_id: input.upload_id.0,
            account_id: input.account_id.0,
            auto_confirm: input.auto_confirm,
            mapping: input.mapping.map(Into::into),
        }
    }
}

/// The answers to the questions of an import in ASKING.
#[derive(InputObject)]
pub(super) struct AnswerImportInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The import.
    import_id: ID,
    /// The import as it was read, with its questions.
    etag: String,
    /// One for each question.
    answers: Vec<AnswerInput>,
}

impl TryFrom<AnswerImportInput> for pb::AnswerImportRequest {
    type Error = Refused;

    fn try_from(input: AnswerImportInput) -> Result<Self> {
        Ok(Self {
            request_id: input.request_id.write(),
            import_id: input.import_id.0,
            etag: input.etag,
            answers: AnswerInput::map(input.answers)?,
        })
    }
}

/// Another mapping for an import in REVIEW or ASKING.
#[derive(InputObject)]
pub(super) struct RereadImportInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The import.
    import_id: ID,
    /// The import as it was read.
    etag: String,
    /// What the columns mean; null says nothing of them.
    mapping: Option<MappingInput>,
    /// Answers to questions that are known beforehand; those given earlier hold on.
    #[graphql(default)]
    answers: Vec<AnswerInput>,
}

impl TryFrom<RereadImportInput> for pb::RereadImportRequest {
    type Error = Refused;

    fn try_from(input: RereadImportInput) -> Result<Self> {
        Ok(Self {
            request_id: input.request_id.write(),
            import_id: input.import_id.0,
            etag: input.etag,
            mapping: input.mapping.map(Into::into),
            answers: AnswerInput::map(input.answers)?,
        })
    }
}

/// The import in an answer that always has one.
pub(super) fn import(import: Option<pb::Import>) -> Result<Option<Import>> {
    Ok(Some(required(import, Owner::Imports)?.try_into()?))
}
