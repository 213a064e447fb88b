//! Calls about one transaction.

use djinn_proto::sync::v1::{
    CreateTransactionRequest, DeleteTransactionRequest, GetTransactionRequest,
    ListTransactionChangesRequest, Transaction, TransactionChange, UnlockTransactionFieldsRequest,
    UpdateTransactionRequest,
};

use super::{Client, PAGE_SIZE};
use crate::error::Error;

impl Client {
    /// A transaction by its id.
    pub(crate) async fn transaction(&self, transaction_id: String) -> Result<Transaction, Error> {
        let request = GetTransactionRequest { transaction_id };
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.get_transaction(request).await
        })
        .await?
        .transaction
        .ok_or(Error::Incomplete("GetTransaction"))
    }

    /// Enters a transaction.
    pub(crate) async fn create_transaction(
        &self,
        request: CreateTransactionRequest,
    ) -> Result<Transaction, Error> {
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.create_transaction(request).await
        })
        .await?
        .transaction
        .ok_or(Error::Incomplete("CreateTransaction"))
    }

    /// Changes fields of a transaction that is still what its etag stands for.
    pub(crate) async fn update_transaction(
        &self,
        request: UpdateTransactionRequest,
    ) -> Result<Transaction, Error> {
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.update_transaction(request).await
        })
        .await?
        .transaction
        .ok_or(Error::Incomplete("UpdateTransaction"))
    }

    /// Deletes a transaction.
    pub(crate) async fn delete_transaction(
        &self,
        request: DeleteTransactionRequest,
    ) -> Result<(), Error> {
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.delete_transaction(request).await
        })
        .await
        .map(drop)
    }

    /// Gives fields of a transaction back.
    pub(crate) async fn unlock_transaction_fields(
        &self,
        request: UnlockTransactionFieldsRequest,
    ) -> Result<Transaction, Error> {
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.unlock_transaction_fields(request).await
        })
        .await?
        .transaction
        .ok_or(Error::Incomplete("UnlockTransactionFields"))
    }

    /// All that happened to a transaction, newest first.
    pub(crate) async fn transaction_changes(
        &self,
        transaction_id: String,
    ) -> Result<Vec<TransactionChange>, Error> {
        let mut request = ListTransactionChangesRequest {
            transaction_id,
            page_size: PAGE_SIZE,
            page_token: String::new(),
        };
        let mut changes = Vec::new();
        loop {
            let page = self
                .unary(
                    &self.ledger,
                    request.clone(),
                    async |mut ledger, request| ledger.list_transaction_changes(request).await,
                )
                .await?;
            changes.extend(page.changes);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(changes);
            }
        }
    }
}
