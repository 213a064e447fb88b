//! `djinn transactions`: what the ledger holds, and edits by hand.

mod hand;

use chrono::NaiveDate;
use djinn_proto::sync::v1::ListTransactionsRequest;
use tonic::Code;
use uuid::Uuid;

use super::{Session, account};
use crate::{
    args::{TransactionList, Transactions},
    error::Error,
    output::{document, ledger},
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: Transactions) -> Result<(), Error> {
    match command {
        Transactions::List(args) => list(session, args).await,
        Transactions::Show { transaction_id } => show(session, transaction_id).await,
        Transactions::Add(args) => hand::add(session, args).await,
        Transactions::Edit(args) => hand::edit(session, args).await,
        Transactions::Delete(args) => hand::delete(session, args).await,
        Transactions::Unlock(args) => hand::unlock(session, args).await,
    }
}

async fn list(session: &Session, args: TransactionList) -> Result<(), Error> {
    let account_id = match &args.account {
        Some(account) => account::find(&session.client, account).await?.account_id,
        None => String::new(),
    };
    let request = ListTransactionsRequest {
        account_id,
        import_id: args
            .import
            .as_ref()
            .map(Uuid::to_string)
            .unwrap_or_default(),
        booked_from: day(args.from),
        booked_to: day(args.to),
        text: args.text.unwrap_or_default(),
        ..ListTransactionsRequest::default()
    };
    let transactions = session.client.transactions(request, args.limit).await?;
    let document = document::Transactions {
        transactions: &transactions,
    };
    session
        .output
        .result(&document, || ledger::transactions(&transactions))
}

/// A transaction with its history, or the history alone of one that is gone.
async fn show(session: &Session, transaction_id: Uuid) -> Result<(), Error> {
    let transaction_id = transaction_id.to_string();
    let client = &session.client;
    let changes = client.transaction_changes(transaction_id.clone()).await?;
    let transaction = match client.transaction(transaction_id).await {
        Ok(transaction) => Some(transaction),
        Err(Error::Call(status)) if status.code() == Code::NotFound => None,
        Err(error) => return Err(error),
    };
    let transaction = transaction.as_ref();
    let document = document::TransactionHistory {
        transaction,
        changes: &changes,
    };
    session
        .output
        .result(&document, || ledger::history(transaction, &changes))
}

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
