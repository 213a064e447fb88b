//! Each request in one transaction; those about the ledger's transactions are in [`transaction`].
//! Everything on the ledger goes through `djinn-ledger`; the only statements here are those on the
//! answers given once, in [`request`].

mod request;
mod transaction;

use djinn_chassis::{
    auth::UserId,
    clock::Clock,
    postgres::{Postgres, UserTransaction},
};
use djinn_ledger::{
    Change,
    account::{self, Account, NewAccount},
};
use uuid::Uuid;

use self::request::Claim;
use crate::{
    Error,
    domain::account::{CreateAccount, ListAccounts, UpdateAccount},
};

/// The way to the database; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    postgres: Postgres,
    clock: Clock,
}

/// An account with what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    /// The account.
    pub(crate) account: Account,
    /// Its balance in minor units of its currency.
    pub(crate) balance_minor: i64,
}

/// A page of accounts.
#[derive(Clone, Debug)]
pub(crate) struct Holdings {
    /// The accounts, oldest first.
    pub(crate) accounts: Vec<Holding>,
    /// Behind which one to go on, if there are more.
    pub(crate) next: Option<Uuid>,
}

impl Store {
    /// On this pool, with this clock.
    pub(crate) fn new(postgres: Postgres, clock: Clock) -> Self {
        Self { postgres, clock }
    }

    /// Opens an account. The same request again finds the account as it is by then.
    pub(crate) async fn create_account(
        &self,
        user: UserId,
        request: &CreateAccount,
    ) -> Result<Holding, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let now = self.clock.now();
        let claim = Claim {
            rpc: "CreateAccount",
            request_id: request.request_id,
            body_hash: &request.body_hash,
        };
        let account_id = self.clock.id();
        if let Some(account_id) = claim.make(&mut transaction, account_id, now).await? {
            let holding = holding(&mut transaction, account_id).await?;
            return holding.ok_or(Error::AnswerLost { account_id });
        }
        let change = Change::begin(&self.clock);
        let account = NewAccount {
            account_id,
            name: request.name.clone(),
            kind: request.kind,
            number: request.number.clone(),
            time_zone: request.time_zone,
            opening: request.opening,
            created_at: now,
        };
        account::create(&mut transaction, &change, &account).await?;
        let holding = existing(&mut transaction, account_id).await?;
        change.commit(transaction, &[]).await?;
        Ok(holding)
    }

    /// The account with its balance.
    pub(crate) async fn account(&self, user: UserId, account_id: Uuid) -> Result<Holding, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let holding = existing(&mut transaction, account_id).await?;
        transaction.commit().await?;
        Ok(holding)
    }

    /// A page of accounts with their balances.
    pub(crate) async fn accounts(
        &self,
        user: UserId,
        request: &ListAccounts,
    ) -> Result<Holdings, Error> {
        let mut transaction = self.postgres.user(user).await?;
        let query = account::Query {
            closed: request.closed,
            after: request.after,
            // One more than asked for tells whether there are more.
            limit: i64::try_from(request.size + 1).unwrap_or(i64::MAX),
        };
        let mut accounts = account::list(&mut transaction, &query).await?;
        let more = accounts.len() > request.size;
        accounts.truncate(request.size);
        let ids: Vec<Uuid> = accounts.iter().map(|account| account.account_id).collect();
        let balances = account::balances(&mut transaction, &ids).await?;
        transaction.commit().await?;
        let next = ids.last().copied().filter(|_| more);
        let accounts = accounts
            .into_iter()
            .filter_map(|account| {
                let balance_minor = *balances.get(&account.account_id)?;
                Some(Holding {
                    account,
                    balance_minor,
                })
            })
            .collect();
        Ok(Holdings { accounts, next })
    }

    /// Edits an account that is still what the caller has read.
    pub(crate) async fn update_account(
        &self,
        user: UserId,
        request: &UpdateAccount,
    ) -> Result<Holding, Error> {
        let account_id = request.account_id;
        let mut transaction = self.postgres.user(user).await?;
        let account = account::get_for_update(&mut transaction, account_id)
            .await?
            .ok_or(not_found("account", account_id))?;
        let edit = request.permit(&account)?;
        let change = Change::begin(&self.clock);
        let now = self.clock.now();
        account::update(&mut transaction, &change, account_id, &edit, now).await?;
        let holding = existing(&mut transaction, account_id).await?;
        // None of its transactions changes, so its version stays.
        change.commit(transaction, &[]).await?;
        Ok(holding)
    }

    /// Closes an account that is not closed yet.
    pub(crate) async fn close_account(
        &self,
        user: UserId,
        account_id: Uuid,
    ) -> Result<Holding, Error> {
        let mut transaction = self.postgres.user(user).await?;
        // Behind a commit that is under way, which has seen the account open.
        account::lock(&mut transaction, &[account_id]).await?;
        let account = account::get_for_update(&mut transaction, account_id)
            .await?
            .ok_or(not_found("account", account_id))?;
        if account.closed_at.is_some() {
            let holding = existing(&mut transaction, account_id).await?;
            transaction.commit().await?;
            return Ok(holding);
        }
        let change = Change::begin(&self.clock);
        account::close(&mut transaction, &change, account_id, self.clock.now()).await?;
        let holding = existing(&mut transaction, account_id).await?;
        change.commit(transaction, &[]).await?;
        Ok(holding)
    }
}

async fn existing(transaction: &mut UserTransaction, account_id: Uuid) -> Result<Holding, Error> {
    let holding = holding(transaction, account_id).await?;
    holding.ok_or(not_found("account", account_id))
}

async fn holding(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Option<Holding>, Error> {
    let account = account::get(transaction, account_id).await?;
    let balance = account::balance(transaction, account_id).await?;
    Ok(account
        .zip(balance)
        .map(|(account, balance_minor)| Holding {
            account,
            balance_minor,
        }))
}

fn not_found(what: &'static str, id: Uuid) -> Error {
    Error::NotFound { what, id }
}
