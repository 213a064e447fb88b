//! `djinn account`: opening and listing accounts.

use djinn_proto::sync::v1::{Account, AccountKind, AccountState, CreateAccountRequest};
use uuid::Uuid;

use super::Session;
use crate::{
    args,
    client::Client,
    clock,
    error::Error,
    output::{document, ledger},
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: args::Account) -> Result<(), Error> {
    match command {
        args::Account::Create(args) => create(session, args).await,
        args::Account::List => list(session).await,
    }
}

async fn create(session: &Session, args: args::AccountCreate) -> Result<(), Error> {
    let opening_balance = args
        .opening_balance
        .map(|text| args.currency.amount(&text))
        .transpose()?;
    let request = CreateAccountRequest {
        request_id: args.request_id.unwrap_or_else(clock::id).to_string(),
        name: args.name,
        kind: AccountKind::from(args.kind).into(),
        currency_code: args.currency.code,
        opening_balance,
        number: args.number.unwrap_or_default(),
        time_zone: args.time_zone.unwrap_or_default(),
    };
    let account = session.client.create_account(request).await?;
    session.output.result(&document::account(&account), || {
        ledger::accounts(std::slice::from_ref(&account))
    })
}

async fn list(session: &Session) -> Result<(), Error> {
    let accounts = session.client.accounts().await?;
    let document = document::Accounts {
        accounts: &accounts,
    };
    session
        .output
        .result(&document, || ledger::accounts(&accounts))
}

/// The account that a person means: by id, or by name.
pub(super) async fn find(client: &Client, id_or_name: &str) -> Result<Account, Error> {
    if let Ok(account_id) = Uuid::try_parse(id_or_name) {
        return client.account(account_id.to_string()).await;
    }
    choose(client.accounts().await?, id_or_name)
}

/// The one account of this name. An open one goes before closed ones that had the name earlier.
fn choose(accounts: Vec<Account>, name: &str) -> Result<Account, Error> {
    let (open, closed): (Vec<_>, Vec<_>) = accounts
        .into_iter()
        .filter(|account| account.name == name)
        .partition(|account| account.state() != AccountState::Closed);
    let mut named = if open.is_empty() { closed } else { open };
    match (named.pop(), named.len()) {
        (None, _) => Err(Error::NoAccount(name.to_owned())),
        (Some(account), 0) => Ok(account),
        (Some(_), others) => Err(Error::ManyAccounts {
            name: name.to_owned(),
            count: others + 1,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_one_account_or_none() {
        let account = |account_id: &str, name: &str, state: AccountState| Account {
            account_id: account_id.to_owned(),
            name: name.to_owned(),
            state: state.into(),
            ..Account::default()
        };
        let accounts = [
            account("1", "Main", AccountState::Open),
            account("2", "Old", AccountState::Closed),
            account("3", "Again", AccountState::Closed),
            account("4", "Again", AccountState::Open),
            account("5", "Twice", AccountState::Open),
            account("6", "Twice", AccountState::Open),
        ];
        for (name, expected) in [
            ("Main", Ok("1")),
            ("Old", Ok("2")),
            ("Again", Ok("4")),
            ("main", Err("no account is called main")),
            ("Twice", Err("2 accounts are called Twice")),
        ] {
            let chosen = choose(accounts.to_vec(), name)
                .map(|account| account.account_id)
                .map_err(|error| error.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(chosen, expected, "{name}");
        }
    }
}
