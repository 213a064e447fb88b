//! Transactions entered, edited, deleted and unlocked by hand.

use djinn_proto::sync::v1::{
    CreateTransactionRequest, DeleteTransactionRequest, Transaction,
    UnlockTransactionFieldsRequest, UpdateTransactionRequest,
};
use pbjson_types::FieldMask;

use super::day;
use crate::{
    amount::Currency,
    args::{TransactionAdd, TransactionDelete, TransactionEdit, TransactionUnlock, YesNo},
    clock,
    command::{Session, account, review},
    error::Error,
    output::{document, ledger},
};

/// Enters a transaction.
pub(super) async fn add(session: &Session, args: TransactionAdd) -> Result<(), Error> {
    let account = account::find(&session.client, &args.account).await?;
    let amount = Currency::parse(&account.currency_code)?.amount(&args.amount)?;
    let request = CreateTransactionRequest {
        request_id: args.request_id.unwrap_or_else(clock::id).to_string(),
        account_id: account.account_id,
        booked_on: day(Some(args.date)),
        value_on: day(args.value_date),
        amount: Some(amount),
        description: args.description,
        counterparty: args.counterparty,
        note: args.note,
    };
    let made = session.client.create_transaction(request).await?;
    print(session, &made)
}

/// Changes the fields that were given.
pub(super) async fn edit(session: &Session, args: TransactionEdit) -> Result<(), Error> {
    let transaction_id = args.transaction_id.to_string();
    let seen = session.client.transaction(transaction_id).await?;
    let request = change(&seen, args)?;
    let edited = session.client.update_transaction(request).await?;
    print(session, &edited)
}

/// The request that makes of `seen` what the flags say.
fn change(seen: &Transaction, args: TransactionEdit) -> Result<UpdateTransactionRequest, Error> {
    let mut transaction = Transaction {
        transaction_id: seen.transaction_id.clone(),
        etag: args.etag.unwrap_or_else(|| seen.etag.clone()),
        ..Transaction::default()
    };
    let mut paths = Vec::new();
    let mut set = |path: &str| paths.push(path.to_owned());
    if let Some(date) = args.date {
        set("booked_on");
        transaction.booked_on = day(Some(date));
    }
    if let Some(text) = args.amount {
        set("amount");
        let code = seen.amount.as_ref().map(|amount| &*amount.currency_code);
        let currency = Currency::parse(code.unwrap_or_default())?;
        transaction.amount = Some(currency.amount(&text)?);
    }
    if let Some(text) = args.description {
        set("description");
        transaction.description = text;
    }
    if let Some(text) = args.counterparty {
        set("counterparty");
        transaction.counterparty = text;
    }
    if let Some(date) = args.value_date {
        set("value_on");
        transaction.value_on = day(date.0);
    }
    if let Some(text) = args.note {
        set("note");
        transaction.note = text;
    }
    if let Some(reconciled) = args.reconciled {
        set("reconciled");
        transaction.reconciled = reconciled == YesNo::Yes;
    }
    Ok(UpdateTransactionRequest {
        transaction: Some(transaction),
        update_mask: Some(FieldMask { paths }),
    })
}

/// Deletes a transaction, with consent. What a person has agreed to is what they were shown.
pub(super) async fn delete(session: &Session, args: TransactionDelete) -> Result<(), Error> {
    let transaction_id = args.transaction_id.to_string();
    let mut etag = args.etag.unwrap_or_default();
    if !args.yes {
        let seen = session.client.transaction(transaction_id.clone()).await?;
        let list = ledger::transactions(std::slice::from_ref(&seen));
        session.output.show(&list)?;
        let agreed = tokio::select! {
            agreed = review::ask("Delete this?".to_owned()) => agreed?,
            error = review::interrupted() => return Err(error),
        };
        if !agreed {
            return Err(Error::NotDeleted);
        }
        if etag.is_empty() {
            etag = seen.etag;
        }
    }
    let request = DeleteTransactionRequest {
        transaction_id: transaction_id.clone(),
        etag,
    };
    session.client.delete_transaction(request).await?;
    let document = document::Deleted {
        transaction_id: &transaction_id,
    };
    session.output.result(&document, || {
        format!("Deleted transaction {transaction_id}")
    })
}

/// Gives fields back.
pub(super) async fn unlock(session: &Session, args: TransactionUnlock) -> Result<(), Error> {
    let transaction_id = args.transaction_id.to_string();
    let etag = match args.etag {
        Some(etag) => etag,
        None => {
            session
                .client
                .transaction(transaction_id.clone())
                .await?
                .etag
        }
    };
    let request = UnlockTransactionFieldsRequest {
        transaction_id,
        etag,
        fields: args.fields,
    };
    let unlocked = session.client.unlock_transaction_fields(request).await?;
    print(session, &unlocked)
}

fn print(session: &Session, transaction: &Transaction) -> Result<(), Error> {
    session
        .output
        .result(&document::transaction(transaction), || {
            ledger::transaction(transaction)
        })
}
