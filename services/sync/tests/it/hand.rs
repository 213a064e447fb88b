//! Transactions by hand: entered, edited, unlocked, deleted, and their histories.

mod delete;
mod enter;
mod history;
mod unlock;
mod update;

use djinn_proto::sync::v1::{
    CreateTransactionRequest, DeleteTransactionRequest, DeleteTransactionResponse,
    GetTransactionRequest, ListTransactionChangesRequest, Transaction, TransactionChange,
    UpdateTransactionRequest, UpdateTransactionResponse,
};
use pbjson_types::FieldMask;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::service::{Client, money, refused};

/// A request for a transaction of -12.30 EUR.
fn entry(account_id: &str) -> CreateTransactionRequest {
    CreateTransactionRequest {
        request_id: Uuid::new_v4().to_string(),
        account_id: account_id.to_owned(),
        booked_on: "2026-01-31".to_owned(),
        value_on: String::new(),
        amount: money("EUR", -1_230),
        description: "Bread".to_owned(),
        counterparty: String::new(),
        note: String::new(),
    }
}

async fn enter(client: &mut Client, request: CreateTransactionRequest) -> Transaction {
    let made = client.create_transaction(request).await.unwrap();
    made.into_inner().transaction.unwrap()
}

async fn get(client: &mut Client, transaction_id: &str) -> Result<Transaction, Status> {
    let transaction_id = transaction_id.to_owned();
    let got = client
        .get_transaction(GetTransactionRequest { transaction_id })
        .await?;
    Ok(got.into_inner().transaction.unwrap())
}

async fn update(
    client: &mut Client,
    transaction: &Transaction,
    paths: &[&str],
) -> Result<Response<UpdateTransactionResponse>, Status> {
    let sent = UpdateTransactionRequest {
        transaction: Some(transaction.clone()),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
    };
    client.update_transaction(sent).await
}

async fn updated(client: &mut Client, transaction: &Transaction, paths: &[&str]) -> Transaction {
    let answer = update(client, transaction, paths).await.unwrap();
    answer.into_inner().transaction.unwrap()
}

async fn delete(
    client: &mut Client,
    transaction_id: &str,
    etag: &str,
) -> Result<Response<DeleteTransactionResponse>, Status> {
    let sent = DeleteTransactionRequest {
        transaction_id: transaction_id.to_owned(),
        etag: etag.to_owned(),
    };
    client.delete_transaction(sent).await
}

async fn changes(client: &mut Client, transaction_id: &str) -> Vec<TransactionChange> {
    let sent = ListTransactionChangesRequest {
        transaction_id: transaction_id.to_owned(),
        ..ListTransactionChangesRequest::default()
    };
    let listed = client.list_transaction_changes(sent).await.unwrap();
    let listed = listed.into_inner();
    assert_eq!(listed.next_page_token, "");
    listed.changes
}

/// Fails unless the call is refused like this.
#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, reason: &str) {
    let refused = refused(result);
    assert_eq!((refused.code, &*refused.reason), (code, reason));
}

/// A transaction with something else in it.
fn with(transaction: &Transaction, set: impl FnOnce(&mut Transaction)) -> Transaction {
    let mut wanted = transaction.clone();
    set(&mut wanted);
    wanted
}
