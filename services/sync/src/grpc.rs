//! The gRPC door: `djinn.sync.v1.LedgerService`. A method reads its caller, understands its
//! request, asks the store and tells the answer; there is no rule here.

mod convert;

use djinn_chassis::{
    auth::{self, UserId},
    fault,
    serve::MESSAGE_BYTES_MAX,
};
use djinn_proto::sync::v1::{
    CloseAccountRequest, CloseAccountResponse, CreateAccountRequest, CreateAccountResponse,
    CreateTransactionRequest, CreateTransactionResponse, DeleteTransactionRequest,
    DeleteTransactionResponse, GetAccountRequest, GetAccountResponse, GetTransactionRequest,
    GetTransactionResponse, ListAccountsRequest, ListAccountsResponse,
    ListTransactionChangesRequest, ListTransactionChangesResponse, ListTransactionsRequest,
    ListTransactionsResponse, UnlockTransactionFieldsRequest, UnlockTransactionFieldsResponse,
    UpdateAccountRequest, UpdateAccountResponse, UpdateTransactionRequest,
    UpdateTransactionResponse,
    ledger_service_server::{LedgerService, LedgerServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{Error, domain::page, store::Store};

/// The routes of every gRPC service of this process.
pub(crate) fn routes(store: Store) -> Routes {
    let ledger = LedgerServiceServer::new(Ledger { store })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Routes::new(ledger)
}

struct Ledger {
    store: Store,
}

/// Who asks, and what.
fn open<T>(request: Request<T>) -> Result<(UserId, T), Status> {
    let caller = auth::caller(&request)?;
    Ok((caller.user_id, request.into_inner()))
}

/// The one way out.
fn answer<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(fault::status)
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Result<Response<CreateAccountResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.create_account(user, &request).await)
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.get_account(user, &request).await)
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.list_accounts(user, &request).await)
    }

    async fn update_account(
        &self,
        request: Request<UpdateAccountRequest>,
    ) -> Result<Response<UpdateAccountResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.update_account(user, request).await)
    }

    async fn close_account(
        &self,
        request: Request<CloseAccountRequest>,
    ) -> Result<Response<CloseAccountResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.close_account(user, &request).await)
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.get_transaction(user, &request).await)
    }

    async fn list_transactions(
        &self,
        request: Request<ListTransactionsRequest>,
    ) -> Result<Response<ListTransactionsResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.list_transactions(user, &request).await)
    }

    async fn create_transaction(
        &self,
        request: Request<CreateTransactionRequest>,
    ) -> Result<Response<CreateTransactionResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.create_transaction(user, &request).await)
    }

    async fn update_transaction(
        &self,
        request: Request<UpdateTransactionRequest>,
    ) -> Result<Response<UpdateTransactionResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.update_transaction(user, request).await)
    }

    async fn delete_transaction(
        &self,
        request: Request<DeleteTransactionRequest>,
    ) -> Result<Response<DeleteTransactionResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.delete_transaction(user, &request).await)
    }

    async fn unlock_transaction_fields(
        &self,
        request: Request<UnlockTransactionFieldsRequest>,
    ) -> Result<Response<UnlockTransactionFieldsResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.unlock_transaction_fields(user, &request).await)
    }

    async fn list_transaction_changes(
        &self,
        request: Request<ListTransactionChangesRequest>,
    ) -> Result<Response<ListTransactionChangesResponse>, Status> {
        let (user, request) = open(request)?;
        answer(self.list_transaction_changes(user, &request).await)
    }
}

impl Ledger {
    async fn create_account(
        &self,
        user: UserId,
        request: &CreateAccountRequest,
    ) -> Result<CreateAccountResponse, Error> {
        let request = convert::create_account(request)?;
        let holding = self.store.create_account(user, &request).await?;
        Ok(CreateAccountResponse {
            account: Some(convert::account(holding)),
        })
    }

    async fn get_account(
        &self,
        user: UserId,
        request: &GetAccountRequest,
    ) -> Result<GetAccountResponse, Error> {
        let account_id = convert::id("account_id", &request.account_id)?;
        let holding = self.store.account(user, account_id).await?;
        Ok(GetAccountResponse {
            account: Some(convert::account(holding)),
        })
    }

    async fn list_accounts(
        &self,
        user: UserId,
        request: &ListAccountsRequest,
    ) -> Result<ListAccountsResponse, Error> {
        let request = convert::list_accounts(request)?;
        let holdings = self.store.accounts(user, &request).await?;
        let next = holdings.next.map(|last| page::token(request.scope, &last));
        Ok(ListAccountsResponse {
            accounts: holdings
                .accounts
                .into_iter()
                .map(convert::account)
                .collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }

    async fn update_account(
        &self,
        user: UserId,
        request: UpdateAccountRequest,
    ) -> Result<UpdateAccountResponse, Error> {
        let request = convert::update_account(request)?;
        let holding = self.store.update_account(user, &request).await?;
        Ok(UpdateAccountResponse {
            account: Some(convert::account(holding)),
        })
    }

    async fn close_account(
        &self,
        user: UserId,
        request: &CloseAccountRequest,
    ) -> Result<CloseAccountResponse, Error> {
        let account_id = convert::id("account_id", &request.account_id)?;
        let holding = self.store.close_account(user, account_id).await?;
        Ok(CloseAccountResponse {
            account: Some(convert::account(holding)),
        })
    }

    async fn get_transaction(
        &self,
        user: UserId,
        request: &GetTransactionRequest,
    ) -> Result<GetTransactionResponse, Error> {
        let transaction_id = convert::id("transaction_id", &request.transaction_id)?;
        let transaction = self.store.transaction(user, transaction_id).await?;
        Ok(GetTransactionResponse {
            transaction: Some(convert::transaction::transaction(transaction)),
        })
    }

    async fn list_transactions(
        &self,
        user: UserId,
        request: &ListTransactionsRequest,
    ) -> Result<ListTransactionsResponse, Error> {
        let request = convert::transaction::list(request)?;
        let listed = self.store.transactions(user, &request).await?;
        let next = listed.next.map(|last| page::token(request.scope, &last));
        let transactions = listed.transactions.into_iter();
        Ok(ListTransactionsResponse {
            transactions: transactions
                .map(convert::transaction::transaction)
                .collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }

    async fn create_transaction(
        &self,
        user: UserId,
        request: &CreateTransactionRequest,
    ) -> Result<CreateTransactionResponse, Error> {
        let request = convert::transaction::create(request)?;
        let made = self.store.create_transaction(user, &request).await?;
        Ok(CreateTransactionResponse {
            transaction: Some(convert::transaction::transaction(made)),
        })
    }

    async fn update_transaction(
        &self,
        user: UserId,
        request: UpdateTransactionRequest,
    ) -> Result<UpdateTransactionResponse, Error> {
        let request = convert::transaction::update(request)?;
        let edited = self.store.update_transaction(user, &request).await?;
        Ok(UpdateTransactionResponse {
            transaction: Some(convert::transaction::transaction(edited)),
        })
    }

    async fn delete_transaction(
        &self,
        user: UserId,
        request: &DeleteTransactionRequest,
    ) -> Result<DeleteTransactionResponse, Error> {
        let request = convert::transaction::delete(request)?;
        self.store.delete_transaction(user, &request).await?;
        Ok(DeleteTransactionResponse {})
    }

    async fn unlock_transaction_fields(
        &self,
        user: UserId,
        request: &UnlockTransactionFieldsRequest,
    ) -> Result<UnlockTransactionFieldsResponse, Error> {
        let request = convert::transaction::unlock(request)?;
        let unlocked = self.store.unlock_transaction_fields(user, &request).await?;
        Ok(UnlockTransactionFieldsResponse {
            transaction: Some(convert::transaction::transaction(unlocked)),
        })
    }

    async fn list_transaction_changes(
        &self,
        user: UserId,
        request: &ListTransactionChangesRequest,
    ) -> Result<ListTransactionChangesResponse, Error> {
        let request = convert::transaction::list_changes(request)?;
        let history = self.store.transaction_changes(user, &request).await?;
        let next = history.next.map(|last| page::token(request.scope, &last));
        let entries = history.entries.into_iter();
        Ok(ListTransactionChangesResponse {
            changes: entries.map(convert::transaction::change).collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }
}
