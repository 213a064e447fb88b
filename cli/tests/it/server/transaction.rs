//! Transactions by hand. Each edit makes a new etag, e1, e2, and so on.

use djinn_proto::{
    common::v1::Money,
    sync::v1::{
        CreateTransactionRequest, CreateTransactionResponse, DeleteTransactionRequest,
        DeleteTransactionResponse, GetTransactionRequest, GetTransactionResponse,
        ListTransactionChangesRequest, ListTransactionChangesResponse, Transaction,
        TransactionChange, TransactionChangeActor, TransactionChangeKind, TransactionFieldChange,
        TransactionSource, UnlockTransactionFieldsRequest, UnlockTransactionFieldsResponse,
        UpdateTransactionRequest, UpdateTransactionResponse,
    },
};
use tonic::{Code, Response, Status};

use super::{Fake, State, refusal};

/// Changes on a page of a history.
const CHANGES: usize = 2;

type Answer<T> = Result<Response<T>, Status>;

fn not_found() -> Status {
    refusal(Code::NotFound, "NOT_FOUND", "there is no such transaction")
}

impl State {
    fn transaction(&mut self, id: &str, etag: &str) -> Result<&mut Transaction, Status> {
        let found = self
            .transactions
            .iter_mut()
            .find(|transaction| transaction.transaction_id == id)
            .ok_or_else(not_found)?;
        if etag.is_empty() || found.etag == etag {
            return Ok(found);
        }
        let message = "the transaction has changed since it was read";
        Err(refusal(Code::Aborted, "ETAG_MISMATCH", message))
    }
}

/// Gives the transaction its next etag.
fn touch(transaction: &mut Transaction) {
    let number: usize = transaction.etag[1..].parse().unwrap();
    transaction.etag = format!("e{}", number + 1);
}

impl Fake {
    pub(super) fn get_transaction(
        &self,
        request: &GetTransactionRequest,
    ) -> Answer<GetTransactionResponse> {
        let mut state = self.state();
        let found = state.transaction(&request.transaction_id, "")?;
        Ok(Response::new(GetTransactionResponse {
            transaction: Some(found.clone()),
        }))
    }

    pub(super) fn create_transaction(
        &self,
        request: CreateTransactionRequest,
    ) -> Answer<CreateTransactionResponse> {
        let mut state = self.state();
        let made = Transaction {
            transaction_id: format!("0190a0a0-0000-7000-8000-{:012}", state.transactions.len()),
            account_id: request.account_id.clone(),
            booked_on: request.booked_on.clone(),
            value_on: request.value_on.clone(),
            amount: request.amount.clone(),
            description: request.description.clone(),
            counterparty: request.counterparty.clone(),
            note: request.note.clone(),
            source: TransactionSource::User.into(),
            etag: "e1".to_owned(),
            ..Transaction::default()
        };
        state.entered.push(request);
        state.transactions.push(made.clone());
        Ok(Response::new(CreateTransactionResponse {
            transaction: Some(made),
        }))
    }

    pub(super) fn update_transaction(
        &self,
        request: UpdateTransactionRequest,
    ) -> Answer<UpdateTransactionResponse> {
        let mut state = self.state();
        state.edited.push(request.clone());
        let sent = request.transaction.unwrap_or_default();
        let found = state.transaction(&sent.transaction_id, &sent.etag)?;
        for path in request.update_mask.unwrap_or_default().paths {
            match &*path {
                "amount" => found.amount.clone_from(&sent.amount),
                "note" => found.note.clone_from(&sent.note),
                "reconciled" => found.reconciled = sent.reconciled,
                _ => {}
            }
            if path != "reconciled" {
                found.locked_fields.push(path);
            }
        }
        touch(found);
        Ok(Response::new(UpdateTransactionResponse {
            transaction: Some(found.clone()),
        }))
    }

    pub(super) fn delete_transaction(
        &self,
        request: DeleteTransactionRequest,
    ) -> Answer<DeleteTransactionResponse> {
        let mut state = self.state();
        let id = request.transaction_id.clone();
        state.transaction(&id, &request.etag)?;
        state.deleted.push(request);
        state.transactions.retain(|kept| kept.transaction_id != id);
        Ok(Response::new(DeleteTransactionResponse {}))
    }

    pub(super) fn unlock_transaction_fields(
        &self,
        request: UnlockTransactionFieldsRequest,
    ) -> Answer<UnlockTransactionFieldsResponse> {
        let mut state = self.state();
        state.unlocked.push(request.clone());
        let found = state.transaction(&request.transaction_id, &request.etag)?;
        found
            .locked_fields
            .retain(|field| !request.fields.contains(field));
        touch(found);
        Ok(Response::new(UnlockTransactionFieldsResponse {
            transaction: Some(found.clone()),
        }))
    }

    /// Three changes on two pages, of every transaction that is or was here.
    pub(super) fn list_transaction_changes(
        &self,
        request: &ListTransactionChangesRequest,
    ) -> Answer<ListTransactionChangesResponse> {
        let state = self.state();
        let id = &request.transaction_id;
        let here = state.transactions.iter().any(|it| it.transaction_id == *id);
        let was = state.deleted.iter().any(|it| it.transaction_id == *id);
        if !here && !was {
            return Err(not_found());
        }
        let change = |kind: TransactionChangeKind, actor: TransactionChangeActor, fields| {
            TransactionChange {
                kind: kind.into(),
                actor: actor.into(),
                fields,
                ..TransactionChange::default()
            }
        };
        let field = |field: &str, old_value: &str, new_value: &str| TransactionFieldChange {
            field: field.to_owned(),
            old_value: old_value.to_owned(),
            new_value: new_value.to_owned(),
        };
        let mut rule = change(
            TransactionChangeKind::Edited,
            TransactionChangeActor::Rule,
            vec![field("note", "", "by a rule")],
        );
        rule.reference = "r1".to_owned();
        let all = [
            change(
                TransactionChangeKind::Edited,
                TransactionChangeActor::User,
                vec![
                    field("amount", "-12.30", "0.05"),
                    field("note", "by a rule", "\u{1b}[2Jmine"),
                ],
            ),
            rule,
            change(
                TransactionChangeKind::Created,
                TransactionChangeActor::User,
                vec![],
            ),
        ];
        let start = super::ledger::offset(&request.page_token)?;
        let changes: Vec<_> = all.iter().skip(start).take(CHANGES).cloned().collect();
        Ok(Response::new(ListTransactionChangesResponse {
            next_page_token: super::ledger::token(start + changes.len(), all.len()),
            changes,
        }))
    }
}

/// A transaction as a file brought it.
pub(crate) fn imported() -> Transaction {
    Transaction {
        transaction_id: "0190a0a0-0000-7000-8000-00000000000a".to_owned(),
        account_id: "0190a0a0-0000-7000-8000-000000000000".to_owned(),
        booked_on: "2025-01-31".to_owned(),
        amount: Some(Money {
            currency_code: "KWD".to_owned(),
            minor_units: -1_999,
        }),
        description: "Coffee".to_owned(),
        source: TransactionSource::Import.into(),
        etag: "e7".to_owned(),
        ..Transaction::default()
    }
}
