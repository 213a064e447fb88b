//! Accounts.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use djinn_proto::sync::v1 as pb;

use super::{
    error::{Refused, Result},
    mask::Mask,
    mirror::mirror,
    money::{Money, MoneyInput, money},
    scalar::{DateTime, RequestId, some},
};
use crate::domain::Owner;

mirror! {
    /// What kind of account it is.
    AccountKind of pb::AccountKind, Owner::Sync => {
        /// A current account.
        Checking,
        /// A savings account.
        Savings,
        /// A credit card: purchases are negative, payments positive.
        CreditCard,
        /// Cash.
        Cash,
        /// A loan.
        Loan,
        /// Investments.
        Investment,
        /// Anything else.
        Other,
    }

    /// Whether an account takes transactions.
    AccountState of pb::AccountState, Owner::Sync => {
        /// It does.
        Open,
        /// It does not.
        Closed,
    }
}

/// An account.
#[derive(SimpleObject)]
pub(super) struct Account {
    /// Its id, UUIDv7.
    id: ID,
    /// Its name, 1 to 100 characters.
    name: String,
    /// Its kind.
    kind: AccountKind,
    /// ISO 4217 code of all its amounts; never changes.
    currency_code: String,
    /// Balance before its first transaction.
    opening_balance: Money,
    /// Opening balance plus all transactions.
    balance: Money,
    /// Whether it takes transactions.
    state: AccountState,
    /// Stands for what was read: send it with updateAccount.
    etag: String,
    /// When it was created.
    create_time: DateTime,
    /// When it last changed.
    update_time: DateTime,
    /// When it was closed; null while open.
    close_time: Option<DateTime>,
    /// The number that its bank knows it by, as an IBAN, without spaces and in upper case; null if
    /// not told. Rows of a statement that name it go into this account.
    number: Option<String>,
    /// The time zone of its holder by its IANA name, as Europe/Berlin; null if not told. Where a
    /// statement writes times with their offset from UTC, a row is booked on the day it was there.
    time_zone: Option<String>,
}

impl TryFrom<pb::Account> for Account {
    type Error = Refused;

    fn try_from(account: pb::Account) -> Result<Self> {
        let owner = Owner::Sync;
        Ok(Self {
            id: account.account_id.into(),
            name: account.name,
            kind: AccountKind::read(account.kind)?,
            currency_code: account.currency_code,
            opening_balance: money(account.opening_balance, owner)?,
            balance: money(account.balance, owner)?,
            state: AccountState::read(account.state)?,
            etag: account.etag,
            create_time: DateTime::require(account.create_time, owner)?,
            update_time: DateTime::require(account.update_time, owner)?,
            close_time: DateTime::read(account.close_time, owner)?,
            number: some(account.number),
            time_zone: some(account.time_zone),
        })
    }
}

/// A new account.
#[derive(InputObject)]
pub(super) struct CreateAccountInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// Its name, 1 to 100 characters.
    name: String,
    /// Its kind; CHECKING if it is not told.
    kind: Option<AccountKind>,
    /// ISO 4217 code of all its amounts.
    currency_code: String,
    /// Balance before its first transaction; zero if it is not told.
    opening_balance: Option<MoneyInput>,
    /// The number that its bank knows it by, as an IBAN, at most 64 characters. Two open accounts
    /// cannot have the same.
    number: Option<String>,
    /// The time zone of its holder by its IANA name, as Europe/Berlin. If it is not told, days
    /// count as statements write them.
    time_zone: Option<String>,
}

impl From<CreateAccountInput> for pb::CreateAccountRequest {
    fn from(input: CreateAccountInput) -> Self {
        let kind = input.kind.map(pb::AccountKind::from);
        Self {
            request_id: input.request_id.write(),
            name: input.name,
            kind: kind.unwrap_or_default().into(),
            currency_code: input.currency_code,
            opening_balance: input.opening_balance.map(Into::into),
            number: input.number.unwrap_or_default(),
            time_zone: input.time_zone.unwrap_or_default(),
        }
    }
}

/// A change to an account: only what is sent changes.
#[derive(InputObject)]
pub(super) struct UpdateAccountInput {
    /// The account.
    account_id: ID,
    /// The account as it was read.
    etag: String,
    /// Its name, 1 to 100 characters.
    name: MaybeUndefined<String>,
    /// Its kind.
    kind: MaybeUndefined<AccountKind>,
    /// Balance before its first transaction.
    opening_balance: MaybeUndefined<MoneyInput>,
    /// The number that its bank knows it by; an empty text forgets it.
    number: MaybeUndefined<String>,
    /// The time zone of its holder by its IANA name; an empty text forgets it.
    time_zone: MaybeUndefined<String>,
}

impl From<UpdateAccountInput> for pb::UpdateAccountRequest {
    fn from(input: UpdateAccountInput) -> Self {
        let mut mask = Mask::default();
        let kind = mask.takes("kind", input.kind).map(pb::AccountKind::from);
        let opening = mask.takes("opening_balance", input.opening_balance);
        let account = pb::Account {
            account_id: input.account_id.0,
            etag: input.etag,
            name: mask.takes("name", input.name).unwrap_or_default(),
            kind: kind.unwrap_or_default().into(),
            opening_balance: opening.map(Into::into),
            number: mask.takes("number", input.number).unwrap_or_default(),
            time_zone: mask.takes("time_zone", input.time_zone).unwrap_or_default(),
            ..pb::Account::default()
        };
        let mut asked = Self {
            account: Some(account),
            update_mask: None,
        };
        asked.update_mask.get_or_insert_default().paths = mask.paths();
        asked
    }
}
