//! The ledger.

use tonic::{Request, Response};

use djinn_proto::sync::v1::{ledger_service_server::LedgerService, *};

use super::{
    Answer, Fake,
    sample::{self, page},
};

/// A filter under which every transaction has an account of its own.
pub(crate) const APART: &str = "apart";

/// A filter under which every transaction has a long note.
pub(crate) const LONG: &str = "long";

#[tonic::async_trait]
impl LedgerService for Fake {
    async fn create_account(
        &self,
        request: Request<CreateAccountRequest>,
    ) -> Answer<CreateAccountResponse> {
        let asked = self.take("CreateAccount", request).await?;
        let account = Some(Account {
            name: asked.name,
            ..sample::account("created")
        });
        Ok(Response::new(CreateAccountResponse { account }))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Answer<GetAccountResponse> {
        let asked = self.take("GetAccount", request).await?;
        let account = Some(sample::account(&asked.account_id));
        Ok(Response::new(GetAccountResponse { account }))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Answer<ListAccountsResponse> {
        let asked = self.take("ListAccounts", request).await?;
        let all = (1..=5).map(|at| sample::account(&format!("a{at}")));
        let (size, token) = (asked.page_size, &asked.page_token);
        let (accounts, next_page_token) = page(all, size, token, &asked.state.to_string())?;
        Ok(Response::new(ListAccountsResponse {
            accounts,
            next_page_token,
        }))
    }

    async fn update_account(
        &self,
        request: Request<UpdateAccountRequest>,
    ) -> Answer<UpdateAccountResponse> {
        let asked = self.take("UpdateAccount", request).await?;
        let account = asked.account.map(|it| sample::account(&it.account_id));
        Ok(Response::new(UpdateAccountResponse { account }))
    }

    async fn close_account(
        &self,
        request: Request<CloseAccountRequest>,
    ) -> Answer<CloseAccountResponse> {
        let asked = self.take("CloseAccount", request).await?;
        let account = Some(Account {
            state: AccountState::Closed.into(),
            ..sample::account(&asked.account_id)
        });
        Ok(Response::new(CloseAccountResponse { account }))
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Answer<GetTransactionResponse> {
        let asked = self.take("GetTransaction", request).await?;
        let transaction = Some(sample::transaction(&asked.transaction_id, "a1"));
        Ok(Response::new(GetTransactionResponse { transaction }))
    }

    async fn list_transactions(
        &self,
        request: Request<ListTransactionsRequest>,
    ) -> Answer<ListTransactionsResponse> {
        let asked = self.take("ListTransactions", request).await?;
        let all = (0..1_200).map(|at| {
            let account = match asked.text.as_str() {
                APART => format!("a{at}"),
                _ => "a1".to_owned(),
            };
            let note = match asked.text.as_str() {
                LONG => "n".repeat(3_000),
                _ => String::new(),
            };
            let id = format!("x{at}");
            Transaction {
                note,
                ..sample::transaction(&id, &account)
            }
        });
        let (size, token) = (asked.page_size, &asked.page_token);
        let scope = format!("{}{}{}", asked.account_id, asked.import_id, asked.text);
        let (transactions, next_page_token) = page(all, size, token, &scope)?;
        Ok(Response::new(ListTransactionsResponse {
            transactions,
            next_page_token,
        }))
    }

    async fn create_transaction(
        &self,
        request: Request<CreateTransactionRequest>,
    ) -> Answer<CreateTransactionResponse> {
        let asked = self.take("CreateTransaction", request).await?;
        let transaction = Some(sample::transaction("created", &asked.account_id));
        Ok(Response::new(CreateTransactionResponse { transaction }))
    }

    async fn update_transaction(
        &self,
        request: Request<UpdateTransactionRequest>,
    ) -> Answer<UpdateTransactionResponse> {
        let asked = self.take("UpdateTransaction", request).await?;
        let sent = asked.transaction;
        let transaction = sent.map(|it| sample::transaction(&it.transaction_id, "a1"));
        Ok(Response::new(UpdateTransactionResponse { transaction }))
    }

    async fn delete_transaction(
        &self,
        request: Request<DeleteTransactionRequest>,
    ) -> Answer<DeleteTransactionResponse> {
        self.take("DeleteTransaction", request).await?;
        Ok(Response::new(DeleteTransactionResponse {}))
    }

    async fn unlock_transaction_fields(
        &self,
        request: Request<UnlockTransactionFieldsRequest>,
    ) -> Answer<UnlockTransactionFieldsResponse> {
        let asked = self.take("UnlockTransactionFields", request).await?;
        let transaction = Some(sample::transaction(&asked.transaction_id, "a1"));
        Ok(Response::new(UnlockTransactionFieldsResponse {
            transaction,
        }))
    }

    async fn list_transaction_changes(
        &self,
        request: Request<ListTransactionChangesRequest>,
    ) -> Answer<ListTransactionChangesResponse> {
        let asked = self.take("ListTransactionChanges", request).await?;
        let all = (0..3).map(|_| sample::change());
        let (size, token) = (asked.page_size, &asked.page_token);
        let (changes, next_page_token) = page(all, size, token, &asked.transaction_id)?;
        Ok(Response::new(ListTransactionChangesResponse {
            changes,
            next_page_token,
        }))
    }
}
