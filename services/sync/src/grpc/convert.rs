//! Between protobuf and the domain: requests in, resources out.

pub(crate) mod transaction;

use djinn_ledger::{account::Kind, money::Money};
use djinn_proto::{
    common::v1 as common,
    sync::v1::{
        self as proto, AccountKind, AccountState, CreateAccountRequest, ListAccountsRequest,
        UpdateAccountRequest,
    },
};
use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    domain::{
        account::{CreateAccount, ListAccounts, UpdateAccount, etag},
        field::{Fields, Invalid},
        page::Scope,
    },
    store::Holding,
};

/// The only field of a request that asks for one thing.
pub(crate) fn id(field: &str, text: &str) -> Result<Uuid, Invalid> {
    let mut fields = Fields::new();
    let id = fields.id(field, text);
    fields.finish(|| id)
}

pub(crate) fn create_account(request: &CreateAccountRequest) -> Result<CreateAccount, Invalid> {
    let mut fields = Fields::new();
    let request_id = fields.request_id("request_id", &request.request_id);
    let name = fields.name("name", &request.name);
    let kind = kind_or_checking(&mut fields, request.kind);
    let sent = request.opening_balance.as_ref();
    let sent = sent.map(|money| (money.currency_code.as_str(), money.minor_units));
    let opening = fields.opening("opening_balance", sent, &request.currency_code);
    let number = fields.number("number", &request.number);
    let time_zone = fields.time_zone("time_zone", &request.time_zone);
    fields.finish(|| {
        Some(CreateAccount {
            request_id: request_id?,
            body_hash: Sha256::digest(request.encode_to_vec()).into(),
            name: name?,
            kind: kind?,
            number: number?,
            time_zone: time_zone?,
            opening: opening?,
        })
    })
}

pub(crate) fn list_accounts(request: &ListAccountsRequest) -> Result<ListAccounts, Invalid> {
    let mut fields = Fields::new();
    let size = fields.page_size("page_size", request.page_size);
    let (closed, filter) = match AccountState::try_from(request.state) {
        Ok(AccountState::Unspecified) => (None, ""),
        Ok(AccountState::Open) => (Some(false), "open"),
        Ok(AccountState::Closed) => (Some(true), "closed"),
        Err(_) => {
            fields.refuse("state", "is not a state; send one of AccountState");
            (None, "")
        }
    };
    let scope = Scope::of("ListAccounts", &[filter]);
    let after = fields.page_token("page_token", &request.page_token, scope);
    fields.finish(|| {
        Some(ListAccounts {
            closed,
            after,
            size: size?,
            scope,
        })
    })
}

pub(crate) fn update_account(request: UpdateAccountRequest) -> Result<UpdateAccount, Invalid> {
    let mut fields = Fields::new();
    let paths = request.update_mask.unwrap_or_default().paths;
    let mask = fields.mask("update_mask", paths.iter().map(String::as_str));
    let Some(account) = request.account else {
        fields.refuse(
            "account",
            "is not set; send account_id, etag and new values",
        );
        return fields.finish(|| None);
    };
    let account_id = fields.id("account.account_id", &account.account_id);
    let etag = fields.etag("account.etag", &account.etag);
    // Only the fields of the mask are read: what else was sent is what the client has read before.
    let name = mask
        .name
        .then(|| fields.name("account.name", &account.name))
        .flatten();
    let kind = mask
        .kind
        .then(|| kind(&mut fields, "account.kind", account.kind))
        .flatten();
    let number = mask
        .number
        .then(|| fields.number("account.number", &account.number))
        .flatten();
    let time_zone = mask
        .time_zone
        .then(|| fields.time_zone("account.time_zone", &account.time_zone))
        .flatten();
    let opening = match account.opening_balance {
        Some(money) if mask.opening_balance => {
            let field = "account.opening_balance";
            fields.money(field, &money.currency_code, money.minor_units)
        }
        None if mask.opening_balance => {
            fields.refuse(
                "account.opening_balance",
                "is not set, but update_mask names it; send it, with minor_units 0 for none",
            );
            None
        }
        _ => None,
    };
    fields.finish(|| {
        Some(UpdateAccount {
            account_id: account_id?,
            etag: etag?,
            name,
            kind,
            number,
            time_zone,
            opening,
        })
    })
}

pub(crate) fn account(holding: Holding) -> proto::Account {
    let Holding {
        account,
        balance_minor,
    } = holding;
    let currency = account.opening.currency;
    let state = match account.closed_at {
        None => AccountState::Open,
        Some(_) => AccountState::Closed,
    };
    proto::Account {
        account_id: account.account_id.to_string(),
        kind: proto_kind(account.kind).into(),
        currency_code: currency.code().to_owned(),
        opening_balance: Some(money(account.opening)),
        balance: Some(money(Money {
            currency,
            minor_units: balance_minor,
        })),
        state: state.into(),
        etag: etag(&account),
        create_time: Some(account.created_at.into()),
        update_time: Some(account.updated_at.into()),
        close_time: account.closed_at.map(Into::into),
        name: account.name,
        number: account.number,
        time_zone: account.time_zone.name().to_owned(),
    }
}

fn money(money: Money) -> common::Money {
    common::Money {
        currency_code: money.currency.code().to_owned(),
        minor_units: money.minor_units,
    }
}

fn proto_kind(kind: Kind) -> AccountKind {
    match kind {
        Kind::Checking => AccountKind::Checking,
        Kind::Savings => AccountKind::Savings,
        Kind::CreditCard => AccountKind::CreditCard,
        Kind::Cash => AccountKind::Cash,
        Kind::Loan => AccountKind::Loan,
        Kind::Investment => AccountKind::Investment,
        Kind::Other => AccountKind::Other,
    }
}

fn kind_or_checking(fields: &mut Fields, number: i32) -> Option<Kind> {
    if number == AccountKind::Unspecified as i32 {
        Some(Kind::Checking)
    } else {
        kind(fields, "kind", number)
    }
}

fn kind(fields: &mut Fields, field: &str, number: i32) -> Option<Kind> {
    match AccountKind::try_from(number) {
        Ok(AccountKind::Checking) => Some(Kind::Checking),
        Ok(AccountKind::Savings) => Some(Kind::Savings),
        Ok(AccountKind::CreditCard) => Some(Kind::CreditCard),
        Ok(AccountKind::Cash) => Some(Kind::Cash),
        Ok(AccountKind::Loan) => Some(Kind::Loan),
        Ok(AccountKind::Investment) => Some(Kind::Investment),
        Ok(AccountKind::Other) => Some(Kind::Other),
        Ok(AccountKind::Unspecified) | Err(_) => {
            fields.refuse(field, "is not a kind of account; send one of AccountKind");
            None
        }
    }
}
