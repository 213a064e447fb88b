//! Accounts and transactions.

use std::collections::HashMap;

use djinn_proto::{
    common::v1::Money,
    sync::v1::{
        Account, AccountState, CloseAccountRequest, CloseAccountResponse, CreateAccountRequest,
        CreateAccountResponse, CreateTransactionRequest, CreateTransactionResponse,
        DeleteTransactionRequest, DeleteTransactionResponse, GetAccountRequest, GetAccountResponse,
        GetTransactionRequest, GetTransactionResponse, ListAccountsRequest, ListAccountsResponse,
        ListTransactionChangesRequest, ListTransactionChangesResponse, ListTransactionsRequest,
        ListTransactionsResponse, Transaction, UnlockTransactionFieldsRequest,
        UnlockTransactionFieldsResponse, UpdateAccountRequest, UpdateAccountResponse,
        UpdateTransactionRequest, UpdateTransactionResponse, ledger_service_server::LedgerService,
    },
};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::{Fake, refusal};

/// Transactions in the ledger, more than two pages of them.
const TRANSACTIONS: usize = 2_500;

#[tonic::async_trait]
impl LedgerService for Fake {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        let request = request.into_inner();
        if request.name.is_empty() {
            let mut details = ErrorDetails::new();
            details
                .set_error_info("BAD_NAME", "djinn", HashMap::new())
                .add_bad_request_violation("name", "must have 1 to 100 characters");
            let message = "the name cannot be taken";
            return Err(Status::with_error_details(
                Code::InvalidArgument,
                message,
                details,
            ));
        }
        let mut state = self.state();
        if state
            .accounts
            .iter()
            .any(|account| account.name == request.name)
        {
            let message = "the request id was used for another account";
            return Err(refusal(Code::AlreadyExists, "REQUEST_ID_REUSED", message));
        }
        state.account_request_ids.push(request.request_id);
        let balance = request.opening_balance.unwrap_or(Money {
            currency_code: request.currency_code.clone(),
            minor_units: 0,
        });
        let account = Account {
            account_id: format!("0190a0a0-0000-7000-8000-{:012}", state.accounts.len()),
            name: request.name,
            kind: request.kind,
            currency_code: request.currency_code,
            opening_balance: Some(balance.clone()),
            balance: Some(balance),
            state: AccountState::Open.into(),
            number: request.number,
            time_zone: request.time_zone,
            ..Account::default()
        };
        state.accounts.push(account.clone());
        Ok(Response::new(CreateAccountResponse {
            account: Some(account),
        }))
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        let account_id = request.into_inner().account_id;
        let state = self.state();
        let account = state
            .accounts
            .iter()
            .find(|account| account.account_id == account_id);
        match account.cloned() {
            Some(account) => Ok(Response::new(GetAccountResponse {
                account: Some(account),
            })),
            None => Err(refusal(
                Code::NotFound,
                "ACCOUNT_NOT_FOUND",
                "there is no such account",
            )),
        }
    }

    /// Two accounts a page, so that a client has to follow.
    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let start = offset(&request.into_inner().page_token)?;
        let state = self.state();
        let accounts: Vec<_> = state.accounts.iter().skip(start).take(2).cloned().collect();
        let next = start + accounts.len();
        Ok(Response::new(ListAccountsResponse {
            accounts,
            next_page_token: token(next, state.accounts.len()),
        }))
    }

    async fn list_transactions(
        &self,
        request: Request<ListTransactionsRequest>,
    ) -> Result<Response<ListTransactionsResponse>, Status> {
        let request = request.into_inner();
        let start = offset(&request.page_token)?;
        let size = usize::try_from(request.page_size).unwrap();
        let transactions: Vec<_> = (start..TRANSACTIONS.min(start + size))
            .map(booking)
            .collect();
        let next = start + transactions.len();
        self.state().transaction_lists.push(request);
        Ok(Response::new(ListTransactionsResponse {
            transactions,
            next_page_token: token(next, TRANSACTIONS),
        }))
    }

    async fn update_account(
        &self,
        _request: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        Err(Status::unimplemented("the client does not call this"))
    }

    async fn close_account(
        &self,
        _request: Request<CloseAccountRequest>,
    ) -> Result<Response<CloseAccountResponse>, Status> {
        Err(Status::unimplemented("the client does not call this"))
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        self.get_transaction(&request.into_inner())
    }

    async fn create_transaction(
        &self,
        request: Request<CreateTransactionRequest>,
    ) -> Result<Response<CreateTransactionResponse>, Status> {
        self.create_transaction(request.into_inner())
    }

    async fn update_transaction(
        &self,
        request: Request<UpdateTransactionRequest>,
    ) -> Result<Response<UpdateTransactionResponse>, Status> {
        self.update_transaction(request.into_inner())
    }

    async fn delete_transaction(
        &self,
        request: Request<DeleteTransactionRequest>,
    ) -> Result<Response<DeleteTransactionResponse>, Status> {
        self.delete_transaction(request.into_inner())
    }

    async fn unlock_transaction_fields(
        &self,
        request: Request<UnlockTransactionFieldsRequest>,
    ) -> Result<Response<UnlockTransactionFieldsResponse>, Status> {
        self.unlock_transaction_fields(request.into_inner())
    }

    async fn list_transaction_changes(
        &self,
        request: Request<ListTransactionChangesRequest>,
    ) -> Result<Response<ListTransactionChangesResponse>, Status> {
        self.list_transaction_changes(&request.into_inner())
    }
}

fn booking(number: usize) -> Transaction {
    Transaction {
        transaction_id: format!("t{number}"),
        booked_on: "2025-01-31".to_owned(),
        amount: Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units: -1999,
        }),
        description: "Coffee".to_owned(),
        ..Transaction::default()
    }
}

/// Where a page begins.
pub(super) fn offset(page_token: &str) -> Result<usize, Status> {
    match page_token {
        "" => Ok(0),
        token => token
            .parse()
            .map_err(|_| Status::invalid_argument("bad page token")),
    }
}

/// The token of the next page, or none after the last one.
pub(super) fn token(next: usize, all: usize) -> String {
    if next < all {
        next.to_string()
    } else {
        String::new()
    }
}
