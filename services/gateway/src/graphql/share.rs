//! What an import does to each of its accounts.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};

use djinn_proto::imports::v1 as pb;

use super::{
    account::Account,
    error::{Refused, Result},
    money::{Money, money},
    scalar::{count, some},
    session::Session,
};
use crate::domain::{Owner, cost};

/// What an import does to one account.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct ImportAccount {
    /// Id of the account.
    account_id: ID,
    /// The number that its bank knows it by; null if not told.
    number: Option<String>,
    /// Rows that can be read and go into it.
    row_count: i32,
    /// Those that the ledger does not have.
    new_count: i32,
    /// Those that a commit would add, or has added.
    included_count: i32,
    /// Their sum.
    included_amount: Money,
    /// The account's balance without this import.
    balance_before: Money,
    /// The account's balance with this import; null where it would pass 64 bits.
    balance_after: Option<Money>,
    /// What the file calls the account, without spaces and in upper case; empty where only rows
    /// come that name no account.
    names: Vec<String>,
}

#[ComplexObject]
impl ImportAccount {
    /// The account.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>> {
        let account = Session::of(context)?.account(&self.account_id).await?;
        Ok(Some(account.try_into()?))
    }
}

impl ImportAccount {
    /// All of an import.
    pub(super) fn list(accounts: Vec<pb::ImportAccount>) -> Result<Vec<Self>> {
        accounts.into_iter().map(Self::try_from).collect()
    }
}

impl TryFrom<pb::ImportAccount> for ImportAccount {
    type Error = Refused;

    fn try_from(share: pb::ImportAccount) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            account_id: share.account_id.into(),
            number: some(share.number),
            row_count: count(share.row_count, owner)?,
            new_count: count(share.new_count, owner)?,
            included_count: count(share.included_count, owner)?,
            included_amount: money(share.included_amount, owner)?,
            balance_before: money(share.balance_before, owner)?,
            balance_after: share.balance_after.map(Into::into),
            names: share.names,
        })
    }
}
