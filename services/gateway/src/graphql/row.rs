//! The rows of an import.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, SimpleObject};

use djinn_proto::imports::v1 as pb;

use super::{
    error::{Refused, Result},
    mirror::mirror,
    money::{Money, MoneyInput},
    scalar::{Date, count, some},
    session::Session,
    transaction::Transaction,
};
use crate::domain::{Owner, cost};

mirror! {
    /// What matching says of a row.
    RowVerdict of pb::RowVerdict, Owner::Imports => {
        /// Not in the ledger: included by default.
        New,
        /// Already in the ledger: excluded by default. Including it adds it once more.
        Duplicate,
        /// Was in the ledger and was deleted by hand: excluded by default.
        DeletedBefore,
        /// Carries the id of a row in the ledger, with another amount: excluded by default.
        Changed,
        /// Cannot be read; `problem` says why. Cannot be included before it is repaired: with a
        /// date and an amount of a person's it is a row like any other.
        Invalid,
        /// In the ledger by hand, with the same amount and payee up to seven days apart: linked by
        /// default, so that the transaction that is there takes over what the file says and nothing
        /// is added.
        Linked,
        /// Not in the ledger, but like a transaction that is, up to seven days apart; `resembles`
        /// says which and why. Included by default.
        Suspected,
    }
}

mirror! {
    /// What a commit does with a row.
    RowAction of pb::RowAction, Owner::Imports => {
        /// It is added.
        Add,
        /// It is not added. The transaction it resembles is taken for the same booking: what is
        /// blank there and not locked is filled from the row, and the same file again knows it.
        /// Nothing is written to a reconciled transaction.
        Link,
        /// It is left out.
        Skip,
    }
}

/// A row of an import.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct ImportRow {
    /// Number of the row in the file, from 1, good and bad rows together. The key of the row.
    row_number: i32,
    /// Line in the file, counted from 1.
    line: i32,
    /// What matching says of it.
    verdict: RowVerdict,
    /// Whether a commit adds it: `action` is ADD.
    included: bool,
    /// What a commit does with it.
    action: RowAction,
    /// Date of booking; null for an invalid row.
    booked_on: Option<Date>,
    /// Date of value.
    value_on: Option<Date>,
    /// The amount; null for an invalid row.
    amount: Option<Money>,
    /// What the booking says.
    description: String,
    /// The other party.
    counterparty: Option<String>,
    /// The bank's id of the booking.
    external_id: Option<String>,
    /// Id of the row of the ledger it resembles, for DUPLICATE, CHANGED, LINKED and SUSPECTED.
    transaction_id: Option<ID>,
    /// The transaction of `transactionId` as it is now, and why; null once that is gone.
    resembles: Option<RowResemblance>,
    /// Why the file's row cannot be read, and how it stands there; for INVALID, and for a row that
    /// was INVALID before it was repaired.
    problem: Option<RowProblem>,
    /// Fields that a person has set in this review, in the order of their names: amount, booked_on,
    /// counterparty, description, value_on.
    edited_fields: Vec<String>,
    /// Id of the account it goes into; null for an invalid row.
    account_id: Option<ID>,
}

#[ComplexObject]
impl ImportRow {
    /// The row of the ledger it resembles, for DUPLICATE, CHANGED, LINKED and SUSPECTED.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn transaction(&self, context: &Context<'_>) -> Result<Option<Transaction>> {
        let Some(id) = &self.transaction_id else {
            return Ok(None);
        };
        let transaction = Session::of(context)?.transaction(id).await?;
        Ok(Some(transaction.try_into()?))
    }
}

/// A transaction that a row resembles.
#[derive(SimpleObject)]
pub(super) struct RowResemblance {
    /// Its id.
    transaction_id: ID,
    /// Its date of booking.
    booked_on: Option<Date>,
    /// Its amount.
    amount: Option<Money>,
    /// What it says.
    description: String,
    /// The other party.
    counterparty: Option<String>,
    /// Days from it to the row; negative when the row is the earlier one.
    days_apart: i32,
    /// A stable word for programs: SAME_PAYEE or SAME_AMOUNT for LINKED and SUSPECTED, SAME_BOOKING
    /// for DUPLICATE, SAME_ID for CHANGED.
    reason: String,
    /// One sentence for people.
    message: String,
}

impl From<pb::RowResemblance> for RowResemblance {
    fn from(stored: pb::RowResemblance) -> Self {
        Self {
            transaction_id: stored.transaction_id.into(),
            booked_on: Date::read(stored.booked_on),
            amount: stored.amount.map(Into::into),
            description: stored.description,
            counterparty: some(stored.counterparty),
            days_apart: stored.days_apart,
            reason: stored.reason,
            message: stored.message,
        }
    }
}

/// Why a row cannot be read.
#[derive(SimpleObject)]
pub(super) struct RowProblem {
    /// A stable word for programs, as in "BAD_DATE".
    reason: String,
    /// One sentence for people, with the cell in question.
    message: String,
    /// The line as it stands in the file, cut after 1,024 bytes.
    original: String,
}

impl TryFrom<pb::ImportRow> for ImportRow {
    type Error = Refused;

    fn try_from(row: pb::ImportRow) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            row_number: count(row.row_number, owner)?,
            line: count(row.line, owner)?,
            verdict: RowVerdict::read(row.verdict)?,
            included: row.included,
            action: RowAction::read(row.action)?,
            booked_on: Date::read(row.booked_on),
            value_on: Date::read(row.value_on),
            amount: row.amount.map(Into::into),
            description: row.description,
            counterparty: some(row.counterparty),
            external_id: some(row.external_id),
            transaction_id: some(row.transaction_id).map(ID),
            resembles: row.resembles.map(Into::into),
            problem: row.problem.map(|problem| RowProblem {
                reason: problem.reason,
                message: problem.message,
                original: problem.original,
            }),
            edited_fields: row.edited_fields,
            account_id: some(row.account_id).map(ID),
        })
    }
}

/// One change in a review. A field of the row that is given here is edited: it will be committed
/// with this value, and the file's is kept beside it. A field that is not given stays as it is.
#[derive(InputObject)]
pub(super) struct ImportRowChangeInput {
    /// The row.
    row_number: i32,
    /// Whether a commit adds it, when `action` is not given. In a change that edits or resets
    /// fields, false leaves open what a commit does with the row.
    #[graphql(default)]
    included: bool,
    /// What a commit does with it. LINK is possible for LINKED and for SUSPECTED rows whose
    /// transaction was entered by hand. Where the same change edits the row, this is about the row
    /// as edited.
    action: Option<RowAction>,
    /// Date of booking, from 1970 to five years ahead. An INVALID row needs it, with the amount, to
    /// be repaired.
    booked_on: Option<Date>,
    /// The amount, in the account's currency.
    amount: Option<MoneyInput>,
    /// What the booking says, at most 1,000 characters; null takes away what is there.
    description: MaybeUndefined<String>,
    /// The other party, at most 200 characters; null takes away what is there.
    counterparty: MaybeUndefined<String>,
    /// Date of value, from 1970 to five years ahead; null takes away what is there.
    value_on: MaybeUndefined<Date>,
    /// Edited fields to give back, by the names of `editedFields`: they are as the file has them
    /// again. A repaired row without date or amount is INVALID again.
    #[graphql(default)]
    reset_fields: Vec<String>,
}

/// Changes to a review: all are made or none.
#[derive(InputObject)]
pub(super) struct UpdateImportRowsInput {
    /// The import.
    import_id: ID,
    /// The review as it was read.
    etag: String,
    /// The changes, at most 5,000, one for each row.
    changes: Vec<ImportRowChangeInput>,
}

impl From<UpdateImportRowsInput> for pb::UpdateImportRowsRequest {
    fn from(input: UpdateImportRowsInput) -> Self {
        let change = |change: ImportRowChangeInput| pb::ImportRowChange {
            row_number: change.row_number.into(),
            included: change.included,
            action: change.action.map_or(0, |it| pb::RowAction::from(it).into()),
            booked_on: change.booked_on.map(Date::write),
            amount: change.amount.map(Into::into),
            description: emptied(change.description),
            counterparty: emptied(change.counterparty),
            value_on: emptied(change.value_on.map_value(Date::write)),
            reset_fields: change.reset_fields,
        };
        Self {
            import_id: input.import_id.0,
            etag: input.etag,
            changes: input.changes.into_iter().map(change).collect(),
        }
    }
}

/// What null stands for in a text that can be emptied.
fn emptied(text: MaybeUndefined<String>) -> Option<String> {
    match text {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(text) => Some(text),
    }
}
