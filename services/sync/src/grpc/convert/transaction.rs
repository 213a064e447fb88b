//! Requests about transactions in, transactions and their histories out.

use chrono::NaiveDate;
use djinn_ledger::{
    edit::{
        Edit, Writer,
        history::{Actor, Entry, Kind},
    },
    money::Money,
    transaction::{Field, Filter, Source, Transaction},
};
use djinn_proto::sync::v1::{
    self as proto, CreateTransactionRequest, DeleteTransactionRequest,
    ListTransactionChangesRequest, ListTransactionsRequest, TransactionChange,
    TransactionChangeActor, TransactionChangeKind, TransactionFieldChange, TransactionSource,
    UnlockTransactionFieldsRequest, UpdateTransactionRequest,
};
use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::money;
use crate::domain::{
    field::{COUNTERPARTY_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, Fields, Invalid},
    page::Scope,
    transaction::{
        CreateTransaction, DeleteTransaction, ListTransactionChanges, ListTransactions,
        UnlockTransactionFields, UpdateTransaction, etag,
    },
};

pub(crate) fn list(request: &ListTransactionsRequest) -> Result<ListTransactions, Invalid> {
    let mut fields = Fields::new();
    let size = fields.page_size("page_size", request.page_size);
    let filter = Filter {
        account_id: fields.optional_id("account_id", &request.account_id),
        import_id: fields.optional_id("import_id", &request.import_id),
        booked_from: fields.date("booked_from", &request.booked_from),
        booked_to: fields.date("booked_to", &request.booked_to),
        text: fields.text("text", &request.text),
    };
    if let (Some(from), Some(to)) = (filter.booked_from, filter.booked_to)
        && from > to
    {
        fields.refuse("booked_to", "is before booked_from; send a later day");
    }
    let id_text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let scope = Scope::of(
        "ListTransactions",
        &[
            &id_text(filter.account_id),
            &id_text(filter.import_id),
            &request.booked_from,
            &request.booked_to,
            &request.text,
        ],
    );
    let after = fields.page_token("page_token", &request.page_token, scope);
    fields.finish(|| {
        Some(ListTransactions {
            filter,
            after,
            size: size?,
            scope,
        })
    })
}

pub(crate) fn list_changes(
    request: &ListTransactionChangesRequest,
) -> Result<ListTransactionChanges, Invalid> {
    let mut fields = Fields::new();
    let transaction_id = fields.id("transaction_id", &request.transaction_id);
    let size = fields.page_size("page_size", request.page_size);
    let id = transaction_id.map(|id| id.to_string()).unwrap_or_default();
    let scope = Scope::of("ListTransactionChanges", &[&id]);
    let after = fields.page_token("page_token", &request.page_token, scope);
    fields.finish(|| {
        Some(ListTransactionChanges {
            transaction_id: transaction_id?,
            after,
            size: size?,
            scope,
        })
    })
}

pub(crate) fn create(request: &CreateTransactionRequest) -> Result<CreateTransaction, Invalid> {
    let mut fields = Fields::new();
    let request_id = fields.request_id("request_id", &request.request_id);
    let account_id = fields.id("account_id", &request.account_id);
    let booked_on = booking_day(&mut fields, "booked_on", &request.booked_on);
    let value_on = fields.day("value_on", &request.value_on);
    let amount = match &request.amount {
        Some(amount) => fields.money("amount", &amount.currency_code, amount.minor_units),
        None => {
            fields.refuse("amount", "is not set; send it in the account's currency");
            None
        }
    };
    let description = description(&mut fields, "description", &request.description);
    let counterparty = counterparty(&mut fields, "counterparty", &request.counterparty);
    if let (Some(""), Some("")) = (description.as_deref(), counterparty.as_deref()) {
        let text = "is empty, as is counterparty; send one of them, so that a list can show it";
        fields.refuse("description", text);
    }
    let note = fields.note("note", &request.note);
    fields.finish(|| {
        Some(CreateTransaction {
            request_id: request_id?,
            body_hash: Sha256::digest(request.encode_to_vec()).into(),
            account_id: account_id?,
            booked_on: booked_on?,
            value_on,
            amount: amount?,
            description: description?,
            counterparty: counterparty?,
            note: note?,
        })
    })
}

pub(crate) fn update(request: UpdateTransactionRequest) -> Result<UpdateTransaction, Invalid> {
    let mut fields = Fields::new();
    let paths = request.update_mask.unwrap_or_default().paths;
    let mask = fields.names("update_mask", paths.iter().map(String::as_str));
    let Some(sent) = request.transaction else {
        fields.refuse(
            "transaction",
            "is not set; send transaction_id, etag and new values",
        );
        return fields.finish(|| None);
    };
    let transaction_id = fields.id("transaction.transaction_id", &sent.transaction_id);
    let etag = fields.etag("transaction.etag", &sent.etag);
    let (mut edit, mut currency) = (Edit::default(), None);
    // Only the fields of the mask are read: what else was sent is what the client has read before.
    for field in mask {
        let path = format!("transaction.{}", field.as_str());
        match field {
            Field::Amount => {
                let amount = new_amount(&mut fields, &path, &sent);
                currency = amount.map(|amount| amount.currency);
                edit.amount_minor = amount.map(|amount| amount.minor_units);
            }
            Field::BookedOn => edit.booked_on = booking_day(&mut fields, &path, &sent.booked_on),
            Field::Counterparty => {
                edit.counterparty = counterparty(&mut fields, &path, &sent.counterparty);
            }
            Field::Description => {
                edit.description = description(&mut fields, &path, &sent.description);
            }
            Field::Note => edit.note = fields.note(&path, &sent.note),
            Field::Reconciled => edit.reconciled = Some(sent.reconciled),
            Field::ValueOn => edit.value_on = Some(fields.day(&path, &sent.value_on)),
        }
    }
    fields.finish(|| {
        Some(UpdateTransaction {
            transaction_id: transaction_id?,
            etag: etag?,
            edit,
            currency,
        })
    })
}

pub(crate) fn delete(request: &DeleteTransactionRequest) -> Result<DeleteTransaction, Invalid> {
    Ok(DeleteTransaction {
        transaction_id: super::id("transaction_id", &request.transaction_id)?,
        etag: Some(request.etag.clone()).filter(|etag| !etag.is_empty()),
    })
}

pub(crate) fn unlock(
    request: &UnlockTransactionFieldsRequest,
) -> Result<UnlockTransactionFields, Invalid> {
    let mut fields = Fields::new();
    let transaction_id = fields.id("transaction_id", &request.transaction_id);
    let etag = fields.etag("etag", &request.etag);
    let names = fields.names("fields", request.fields.iter().map(String::as_str));
    fields.finish(|| {
        Some(UnlockTransactionFields {
            transaction_id: transaction_id?,
            etag: etag?,
            fields: names,
        })
    })
}

fn booking_day(fields: &mut Fields, field: &str, text: &str) -> Option<NaiveDate> {
    if text.is_empty() {
        fields.refuse(
            field,
            "is empty; send the date of booking, as in \"2026-01-31\"",
        );
    }
    fields.day(field, text)
}

fn new_amount(fields: &mut Fields, field: &str, sent: &proto::Transaction) -> Option<Money> {
    match &sent.amount {
        Some(amount) => fields.money(field, &amount.currency_code, amount.minor_units),
        None => {
            fields.refuse(
                field,
                "is not set, but update_mask names it; send it, with minor_units 0 for none",
            );
            None
        }
    }
}

fn description(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    fields.line(field, text, DESCRIPTION_CHARACTERS_MAX)
}

fn counterparty(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    fields.line(field, text, COUNTERPARTY_CHARACTERS_MAX)
}

pub(crate) fn transaction(transaction: Transaction) -> proto::Transaction {
    let source = match transaction.source {
        Source::Import => TransactionSource::Import,
        Source::Bank => TransactionSource::Bank,
        Source::User => TransactionSource::User,
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    let locked = transaction.locked.iter();
    proto::Transaction {
        transaction_id: transaction.transaction_id.to_string(),
        account_id: transaction.account_id.to_string(),
        booked_on: transaction.booked_on.to_string(),
        value_on: text(transaction.value_on.map(|date| date.to_string())),
        amount: Some(money(transaction.amount)),
        source: source.into(),
        import_id: text(transaction.import_id.map(|id| id.to_string())),
        create_time: Some(transaction.created_at.into()),
        reconciled: transaction.reconciled_at.is_some(),
        locked_fields: locked.map(|field| field.as_str().to_owned()).collect(),
        etag: etag(&transaction),
        update_time: transaction.updated_at.map(Into::into),
        description: transaction.description,
        counterparty: transaction.counterparty,
        external_id: text(transaction.external_id),
        note: transaction.note,
    }
}

pub(crate) fn change(entry: Entry) -> TransactionChange {
    let kind = match entry.kind {
        Kind::Created => TransactionChangeKind::Created,
        Kind::Edited => TransactionChangeKind::Edited,
        Kind::Unlocked => TransactionChangeKind::Unlocked,
        Kind::Deleted => TransactionChangeKind::Deleted,
        Kind::Reverted => TransactionChangeKind::Reverted,
    };
    let actor = match entry.actor {
        Actor::Import => TransactionChangeActor::Import,
        Actor::Writer(Writer::User) => TransactionChangeActor::User,
        Actor::Writer(Writer::Rule) => TransactionChangeActor::Rule,
        Actor::Writer(Writer::Model) => TransactionChangeActor::Model,
        Actor::Writer(Writer::Provider) => TransactionChangeActor::Provider,
    };
    let fields = entry
        .fields
        .into_iter()
        .map(|change| TransactionFieldChange {
            field: change.field,
            old_value: change.old_value.unwrap_or_default(),
            new_value: change.new_value.unwrap_or_default(),
        });
    TransactionChange {
        kind: kind.into(),
        actor: actor.into(),
        reference: entry.reference.unwrap_or_default(),
        change_time: Some(entry.at.into()),
        fields: fields.collect(),
    }
}
