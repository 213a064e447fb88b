//! Transactions and what happened to them.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, SimpleObject};

use djinn_proto::sync::v1 as pb;

use super::{
    account::Account,
    error::{Refused, Result, required},
    import::Import,
    mask::Mask,
    mirror::mirror,
    money::{Money, MoneyInput, money},
    scalar::{Date, DateTime, RequestId, some},
    session::Session,
};
use crate::domain::{Owner, cost};

mirror! {
    /// Where a transaction came from.
    TransactionSource of pb::TransactionSource, Owner::Sync => {
        /// A statement file.
        Import,
        /// A bank connection.
        Bank,
        /// Entered by hand.
        User,
    }

    /// What happened to a transaction.
    TransactionChangeKind of pb::TransactionChangeKind, Owner::Sync => {
        /// It was entered or came with an import: the oldest entry.
        Created,
        /// Fields got other values.
        Edited,
        /// Fields were given back to rules and banks.
        Unlocked,
        /// It was deleted by hand; the fields tell what it was.
        Deleted,
        /// Its import was undone.
        Reverted,
    }

    /// Who changed a transaction.
    TransactionChangeActor of pb::TransactionChangeActor, Owner::Sync => {
        /// A person.
        User,
        /// A rule.
        Rule,
        /// A model.
        Model,
        /// A bank connection.
        Provider,
        /// A statement file.
        Import,
    }
}

/// A booking in an account.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Transaction {
    /// Its id, UUIDv7.
    id: ID,
    /// Id of its account.
    account_id: ID,
    /// Date of booking.
    booked_on: Date,
    /// Date of value.
    value_on: Option<Date>,
    /// The amount; outflow is negative.
    amount: Money,
    /// What the booking says.
    description: String,
    /// The other party.
    counterparty: Option<String>,
    /// Where it came from.
    source: TransactionSource,
    /// The bank's id of the booking.
    external_id: Option<String>,
    /// Id of the import that added it.
    import_id: Option<ID>,
    /// When it was added.
    create_time: DateTime,
    /// What the user notes about it.
    note: Option<String>,
    /// Whether it was checked against a statement: its date and amount stay as they are.
    reconciled: bool,
    /// The fields edited by hand, as the services name them (`booked_on`), in alphabetical order:
    /// nothing but a person changes them.
    locked_fields: Vec<String>,
    /// Stands for what was read: send it with updateTransaction and deleteTransaction.
    etag: String,
    /// When it was last edited; null if never.
    update_time: Option<DateTime>,
}

#[ComplexObject]
impl Transaction {
    /// Its account.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>> {
        let account = Session::of(context)?.account(&self.account_id).await?;
        Ok(Some(account.try_into()?))
    }

    /// The import that added it.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn import(&self, context: &Context<'_>) -> Result<Option<Import>> {
        let Some(id) = &self.import_id else {
            return Ok(None);
        };
        let import = Session::of(context)?.import(id).await?;
        Ok(Some(import.try_into()?))
    }
}

impl TryFrom<pb::Transaction> for Transaction {
    type Error = Refused;

    fn try_from(transaction: pb::Transaction) -> Result<Self> {
        let owner = Owner::Sync;
        Ok(Self {
            id: transaction.transaction_id.into(),
            account_id: transaction.account_id.into(),
            booked_on: required(Date::read(transaction.booked_on), owner)?,
            value_on: Date::read(transaction.value_on),
            amount: money(transaction.amount, owner)?,
            description: transaction.description,
            counterparty: some(transaction.counterparty),
            source: TransactionSource::read(transaction.source)?,
            external_id: some(transaction.external_id),
            import_id: some(transaction.import_id).map(ID),
            create_time: DateTime::require(transaction.create_time, owner)?,
            note: some(transaction.note),
            reconciled: transaction.reconciled,
            locked_fields: transaction.locked_fields,
            etag: transaction.etag,
            update_time: DateTime::read(transaction.update_time, owner)?,
        })
    }
}

/// One entry of a transaction's history.
#[derive(SimpleObject)]
pub(super) struct TransactionChange {
    /// What happened.
    kind: TransactionChangeKind,
    /// Who did it.
    actor: TransactionChangeActor,
    /// What did it, as the id of an import or rule; null for people.
    reference: Option<String>,
    /// When.
    change_time: DateTime,
    /// The fields, in alphabetical order; none for CREATED and REVERTED.
    fields: Vec<TransactionFieldChange>,
}

/// One field of a change, as text: dates as 2026-02-28, amounts as decimal numbers.
#[derive(SimpleObject)]
pub(super) struct TransactionFieldChange {
    /// The field, as the services name it: `booked_on`.
    field: String,
    /// What it was.
    old_value: String,
    /// What it became; empty for a deletion.
    new_value: String,
}

impl TryFrom<pb::TransactionChange> for TransactionChange {
    type Error = Refused;

    fn try_from(change: pb::TransactionChange) -> Result<Self> {
        let fields = change.fields.into_iter();
        let fields = fields.map(|field| TransactionFieldChange {
            field: field.field,
            old_value: field.old_value,
            new_value: field.new_value,
        });
        Ok(Self {
            kind: TransactionChangeKind::read(change.kind)?,
            actor: TransactionChangeActor::read(change.actor)?,
            reference: some(change.reference),
            change_time: DateTime::require(change.change_time, Owner::Sync)?,
            fields: fields.collect(),
        })
    }
}

/// A new transaction.
#[derive(InputObject)]
pub(super) struct CreateTransactionInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The account.
    account_id: ID,
    /// Date of booking.
    booked_on: Date,
    /// Date of value.
    value_on: Option<Date>,
    /// The amount in the account's currency; outflow is negative.
    amount: MoneyInput,
    /// What the booking says, at most 1,000 characters; may be left out if there is a counterparty.
    description: Option<String>,
    /// The other party, at most 200 characters.
    counterparty: Option<String>,
    /// A note, at most 4,000 characters.
    note: Option<String>,
}

impl From<CreateTransactionInput> for pb::CreateTransactionRequest {
    fn from(input: CreateTransactionInput) -> Self {
        Self {
            request_id: input.request_id.write(),
            account_id: input.account_id.0,
            booked_on: input.booked_on.write(),
            value_on: input.value_on.map(Date::write).unwrap_or_default(),
            amount: Some(input.amount.into()),
            description: input.description.unwrap_or_default(),
            counterparty: input.counterparty.unwrap_or_default(),
            note: input.note.unwrap_or_default(),
        }
    }
}

/// A change to a transaction: only what is sent changes, and null empties. Every field that is sent
/// but `reconciled` is locked from then on: nothing but a person changes it any more.
#[derive(InputObject)]
pub(super) struct UpdateTransactionInput {
    /// The transaction.
    transaction_id: ID,
    /// The transaction as it was read.
    etag: String,
    /// Date of booking.
    booked_on: MaybeUndefined<Date>,
    /// Date of value.
    value_on: MaybeUndefined<Date>,
    /// The amount; outflow is negative.
    amount: MaybeUndefined<MoneyInput>,
    /// What the booking says, at most 1,000 characters.
    description: MaybeUndefined<String>,
    /// The other party, at most 200 characters.
    counterparty: MaybeUndefined<String>,
    /// A note, at most 4,000 characters.
    note: MaybeUndefined<String>,
    /// Whether it was checked against a statement.
    reconciled: MaybeUndefined<bool>,
}

impl From<UpdateTransactionInput> for pb::UpdateTransactionRequest {
    fn from(input: UpdateTransactionInput) -> Self {
        let mut mask = Mask::default();
        let mut text = |name, value| mask.takes(name, value).unwrap_or_default();
        let description = text("description", input.description);
        let counterparty = text("counterparty", input.counterparty);
        let note = text("note", input.note);
        let mut date = |name, value| {
            let date = mask.takes(name, value);
            date.map(Date::write).unwrap_or_default()
        };
        let transaction = pb::Transaction {
            transaction_id: input.transaction_id.0,
            etag: input.etag,
            booked_on: date("booked_on", input.booked_on),
            value_on: date("value_on", input.value_on),
            amount: mask.takes("amount", input.amount).map(Into::into),
            description,
            counterparty,
            note,
            reconciled: mask
                .takes("reconciled", input.reconciled)
                .unwrap_or_default(),
            ..pb::Transaction::default()
        };
        let mut asked = Self {
            transaction: Some(transaction),
            update_mask: None,
        };
        asked.update_mask.get_or_insert_default().paths = mask.paths();
        asked
    }
}
