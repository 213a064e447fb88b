//! `djinn transactions`: what the ledger holds.

use chrono::NaiveDate;
use djinn_proto::sync::v1::ListTransactionsRequest;
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

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
