//! Transactions: read, entered, edited, unlocked and deleted by hand.

use djinn_chassis::{auth::UserId, postgres::UserTransaction};
use djinn_ledger::{
    Change, account,
    edit::{
        self, Author, Opened,
        history::{self, History},
    },
    transaction::{self, Listed, Transaction},
};
use uuid::Uuid;

use super::{Store, not_found, request::Claim};
use crate::{
    Error,
    domain::transaction::{
        CreateTransaction, DeleteTransaction, ListTransactionChanges, ListTransactions,
        TEXT_BYTES_MAX, UnlockTransactionFields, UpdateTransaction,
    },
};

impl Store {
    /// The transaction.
    pub(crate) async fn transaction(
        &self,
        user: UserId,
        transaction_id: Uuid,
    ) -> Result<Transaction, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let found = existing(&mut transaction, transaction_id).await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// A page of transactions. An account that the user does not have is not an empty list. What
    /// imports there are is not known here, so one without transactions is.
    pub(crate) async fn transactions(
        &self,
        user: UserId,
        request: &ListTransactions,
    ) -> Result<Listed, Error> {
        let mut transaction = self.postgres.user(user).await?;
        if let Some(account_id) = request.filter.account_id {
            let account = account::get(&mut transaction, account_id).await?;
            account.ok_or(not_found("account", account_id))?;
        }
        let page = transaction::Page {
            after: request.after,
            rows_max: request.size,
            bytes_max: TEXT_BYTES_MAX,
        };
        let listed = transaction::list(&mut transaction, &request.filter, &page).await?;
        transaction.commit().await?;
        Ok(listed)
    }

    /// Enters a transaction. The same request again finds it as it is by then, if it still is.
    pub(crate) async fn create_transaction(
        &self,
        user: UserId,
        request: &CreateTransaction,
    ) -> Result<Transaction, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let (transaction_id, now) = (self.clock.id(), self.clock.now());
        let claim = Claim {
            rpc: "CreateTransaction",
            request_id: request.request_id,
            body_hash: &request.body_hash,
        };
        if let Some(earlier) = claim.make(&mut transaction, transaction_id, now).await? {
            let found = existing(&mut transaction, earlier).await?;
            transaction.commit().await?;
            return Ok(found);
        }
        let account_id = request.account_id;
        // Behind a deletion, a close or an edit that is under way, each of which holds the row.
        let account = account::get_for_update(&mut transaction, account_id)
            .await?
            .ok_or(not_found("account", account_id))?;
        let new = request.permit(&account, transaction_id, now)?;
        let change = Change::begin(&self.clock);
        transaction::create(&mut transaction, &change, &new).await?;
        let delta = i128::from(new.amount.minor_units);
        account::check_balance(&mut transaction, account_id, delta).await?;
        let made = existing(&mut transaction, transaction_id).await?;
        change.commit(transaction, &[account_id]).await?;
        Ok(made)
    }

    /// Edits a transaction that is still what the caller has read.
    pub(crate) async fn update_transaction(
        &self,
        user: UserId,
        request: &UpdateTransaction,
    ) -> Result<Transaction, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let opened = opened(&mut transaction, request.transaction_id).await?;
        let edit = request.permit(&opened)?;
        let (change, now) = (Change::begin(&self.clock), self.clock.now());
        let (author, seen) = (Author::user(), opened.transaction);
        let written = edit::write(&mut transaction, &change, &seen, &author, edit, now).await?;
        if written.fields().is_empty() {
            transaction.commit().await?;
            return Ok(seen);
        }
        let account_id = seen.account_id;
        let edited = existing(&mut transaction, seen.transaction_id).await?;
        let minor = |transaction: &Transaction| i128::from(transaction.amount.minor_units);
        let delta = minor(&edited) - minor(&seen);
        account::check_balance(&mut transaction, account_id, delta).await?;
        change.commit(transaction, &[account_id]).await?;
        Ok(edited)
    }

    /// Deletes a transaction; one that is gone already stays gone.
    pub(crate) async fn delete_transaction(
        &self,
        user: UserId,
        request: &DeleteTransaction,
    ) -> Result<(), Error> {
        let transaction_id = request.transaction_id;
        let mut transaction = self.postgres.user(user).await?;
        let Some(opened) = edit::open(&mut transaction, transaction_id).await? else {
            let removed = edit::was_removed(&mut transaction, transaction_id).await?;
            transaction.commit().await?;
            return match removed {
                true => Ok(()),
                false => Err(not_found("transaction", transaction_id)),
            };
        };
        request.permit(&opened)?;
        let (change, seen) = (Change::begin(&self.clock), opened.transaction);
        edit::delete(&mut transaction, &change, &seen, self.clock.now()).await?;
        let delta = -i128::from(seen.amount.minor_units);
        account::check_balance(&mut transaction, seen.account_id, delta).await?;
        change.commit(transaction, &[seen.account_id]).await?;
        Ok(())
    }

    /// Gives back fields of a transaction that is still what the caller has read.
    pub(crate) async fn unlock_transaction_fields(
        &self,
        user: UserId,
        request: &UnlockTransactionFields,
    ) -> Result<Transaction, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let opened = opened(&mut transaction, request.transaction_id).await?;
        request.permit(&opened)?;
        let (change, seen) = (Change::begin(&self.clock), opened.transaction);
        let (fields, now) = (&request.fields, self.clock.now());
        if !edit::unlock(&mut transaction, &change, &seen, fields, now).await? {
            transaction.commit().await?;
            return Ok(seen);
        }
        let unlocked = existing(&mut transaction, seen.transaction_id).await?;
        change.commit(transaction, &[seen.account_id]).await?;
        Ok(unlocked)
    }

    /// A page of a transaction's history, also of one that is gone.
    pub(crate) async fn transaction_changes(
        &self,
        user: UserId,
        request: &ListTransactionChanges,
    ) -> Result<History, Error> {
        let transaction_id = request.transaction_id;
        let page = history::Page {
            after: request.after,
            entries_max: request.size,
            bytes_max: TEXT_BYTES_MAX,
        };
        let mut transaction = self.postgres.user(user).await?;
        let history = history::list(&mut transaction, transaction_id, &page).await?;
        transaction.commit().await?;
        history.ok_or(not_found("transaction", transaction_id))
    }
}

async fn existing(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Transaction, Error> {
    let found = transaction::get(transaction, transaction_id).await?;
    found.ok_or(not_found("transaction", transaction_id))
}

async fn opened(transaction: &mut UserTransaction, transaction_id: Uuid) -> Result<Opened, Error> {
    let opened = edit::open(transaction, transaction_id).await?;
    opened.ok_or(not_found("transaction", transaction_id))
}
