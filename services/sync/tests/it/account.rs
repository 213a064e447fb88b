//! Accounts: created, read, listed and closed.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{
    Account, AccountKind, AccountState, CloseAccountRequest, CreateAccountRequest,
    GetAccountRequest, ListAccountsRequest,
};
use tonic::Code;
use uuid::Uuid;

use crate::service::{Client, Service, booking, create, invalid, money, refused, request};

async fn get(client: &mut Client, account_id: &str) -> Account {
    let account_id = account_id.to_owned();
    let got = client
        .get_account(GetAccountRequest { account_id })
        .await
        .unwrap();
    got.into_inner().account.unwrap()
}

async fn close(client: &mut Client, account_id: &str) -> Account {
    let account_id = account_id.to_owned();
    let closed = client
        .close_account(CloseAccountRequest { account_id })
        .await
        .unwrap();
    closed.into_inner().account.unwrap()
}

#[tokio::test]
async fn an_account_is_created_and_read() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let created = client
        .create_account(CreateAccountRequest {
            kind: AccountKind::CreditCard.into(),
            currency_code: "JPY".to_owned(),
            opening_balance: money("JPY", -5_000),
            ..request("  Visa 🧀 ")
        })
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    assert_eq!(
        created
            .account_id
            .parse::<Uuid>()
            .unwrap()
            .get_version_num(),
        7
    );
    assert_eq!(created.name, "Visa 🧀");
    assert_eq!(created.kind(), AccountKind::CreditCard);
    assert_eq!(created.currency_code, "JPY");
    assert_eq!(created.opening_balance, money("JPY", -5_000));
    assert_eq!(created.balance, money("JPY", -5_000));
    assert_eq!(created.state(), AccountState::Open);
    assert!(!created.etag.is_empty());
    assert!(created.create_time.is_some());
    assert_eq!(created.create_time, created.update_time);
    assert_eq!(created.close_time, None);
    assert_eq!(get(&mut client, &created.account_id).await, created);
    service.stop().await;
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let sent = CreateAccountRequest {
        kind: AccountKind::Unspecified.into(),
        ..request("Giro")
    };
    let created = client
        .create_account(sent)
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    assert_eq!(created.kind(), AccountKind::Checking);
    assert_eq!(created.opening_balance, money("EUR", 0));
}

/// A good request with something wrong in it.
fn wrong(set: impl FnOnce(&mut CreateAccountRequest)) -> CreateAccountRequest {
    let mut sent = request("Giro");
    set(&mut sent);
    sent
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let opening = "opening_balance.currency_code";
    let all = ["request_id", "name", "currency_code"];
    for (sent, expected) in [
        (CreateAccountRequest::default(), &all[..]),
        (wrong(|r| r.request_id = "1".to_owned()), &["request_id"]),
        (
            wrong(|r| r.request_id = Uuid::nil().to_string()),
            &["request_id"],
        ),
        (wrong(|r| r.name.clear()), &["name"]),
        (wrong(|r| r.name = "x".repeat(101)), &["name"]),
        (wrong(|r| r.name = "a\0b".to_owned()), &["name"]),
        (wrong(|r| r.kind = 99), &["kind"]),
        (wrong(|r| r.kind = -1), &["kind"]),
        (
            wrong(|r| r.currency_code = "eur".to_owned()),
            &["currency_code"],
        ),
        (wrong(|r| r.opening_balance = money("USD", 1)), &[opening]),
        (wrong(|r| r.opening_balance = money("", 1)), &[opening]),
    ] {
        assert_eq!(invalid(client.create_account(sent).await), expected);
    }
    assert_eq!(
        service.count("SELECT count(*) FROM ledger.account").await,
        0
    );
    assert_eq!(service.count("SELECT count(*) FROM sync.request").await, 0);
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    for account_id in ["", "x", "\0"].map(str::to_owned) {
        let sent = GetAccountRequest {
            account_id: account_id.clone(),
        };
        assert_eq!(invalid(client.get_account(sent).await), ["account_id"]);
        let sent = CloseAccountRequest { account_id };
        assert_eq!(invalid(client.close_account(sent).await), ["account_id"]);
    }
}

#[tokio::test]
async fn a_request_larger_than_a_message_is_refused() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let name = "x".repeat(djinn_chassis::serve::MESSAGE_BYTES_MAX);
    let status = client.create_account(request(&name)).await.unwrap_err();
    assert!(
        [Code::OutOfRange, Code::ResourceExhausted].contains(&status.code()),
        "{status:?}"
    );
}

#[tokio::test]
async fn the_balance_follows_the_transactions() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let sent = CreateAccountRequest {
        opening_balance: money("EUR", 1_000),
        ..request("Giro")
    };
    let account = client
        .create_account(sent)
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    let other = create(&mut client, "Other").await;
    let id = &account.account_id;
    service
        .book(user, &[booking(id, -250), booking(id, 5)])
        .await;
    let read = get(&mut client, id).await;
    assert_eq!(read.balance, money("EUR", 755));
    assert_eq!(read.opening_balance, money("EUR", 1_000));
    // Transactions are not the account's own fields.
    assert_eq!(read.etag, account.etag);
    let listed = client.list_accounts(ListAccountsRequest::default()).await;
    assert_eq!(listed.unwrap().into_inner().accounts, [read, other]);
}

#[tokio::test]
async fn a_balance_out_of_range_is_refused_and_not_wrapped() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let sent = CreateAccountRequest {
        opening_balance: money("EUR", i64::MAX),
        ..request("Giro")
    };
    let account = client
        .create_account(sent)
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    service.book(user, &[booking(&account.account_id, 1)]).await;
    let account_id = account.account_id;
    let got = refused(client.get_account(GetAccountRequest { account_id }).await);
    assert_eq!(
        (got.code, &*got.reason),
        (Code::FailedPrecondition, "BALANCE_OUT_OF_RANGE")
    );
}

#[tokio::test]
async fn pages_of_accounts_walk_everything_once() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(create(&mut client, &number.to_string()).await);
    }
    expected[3] = close(&mut client, &expected[3].account_id).await;
    let open: Vec<Account> = expected
        .iter()
        .filter(|account| account.state() == AccountState::Open)
        .cloned()
        .collect();
    for (state, expected) in [
        (AccountState::Unspecified, expected.clone()),
        (AccountState::Open, open),
        (AccountState::Closed, vec![expected[3].clone()]),
    ] {
        for page_size in [1, 2, 3, 6, 7, 8, 0, 5_000] {
            let (mut walked, mut page_token) = (Vec::new(), String::new());
            loop {
                let sent = ListAccountsRequest {
                    page_size,
                    page_token,
                    state: state.into(),
                };
                let page = client.list_accounts(sent).await.unwrap().into_inner();
                assert!(page_size == 0 || page.accounts.len() <= page_size.unsigned_abs() as usize);
                walked.extend(page.accounts);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            assert_eq!(walked, expected, "{state:?} {page_size}");
        }
    }
}

#[tokio::test]
async fn pages_of_another_list_are_refused() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    for name in ["a", "b"] {
        create(&mut client, name).await;
    }
    let sent = ListAccountsRequest {
        page_size: 1,
        ..ListAccountsRequest::default()
    };
    let page = client.list_accounts(sent).await.unwrap().into_inner();
    let token = page.next_page_token;
    for (sent, expected) in [
        (
            ListAccountsRequest {
                page_token: token.clone(),
                state: AccountState::Open.into(),
                ..ListAccountsRequest::default()
            },
            &["page_token"][..],
        ),
        (
            ListAccountsRequest {
                page_token: "garbage".to_owned(),
                ..ListAccountsRequest::default()
            },
            &["page_token"],
        ),
        (
            ListAccountsRequest {
                page_token: "A".repeat(1_000_000),
                ..ListAccountsRequest::default()
            },
            &["page_token"],
        ),
        (
            ListAccountsRequest {
                page_size: -1,
                state: 9,
                ..ListAccountsRequest::default()
            },
            &["page_size", "state"],
        ),
    ] {
        assert_eq!(invalid(client.list_accounts(sent).await), expected);
    }
}

#[tokio::test]
async fn closing_is_final_and_may_be_repeated() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account = create(&mut client, "Giro").await;
    service.book(user, &[booking(&account.account_id, 7)]).await;
    let closed = close(&mut client, &account.account_id).await;
    assert_eq!(closed.state(), AccountState::Closed);
    assert!(closed.close_time.is_some());
    assert_eq!(closed.update_time, closed.close_time);
    assert_ne!(closed.etag, account.etag);
    assert_eq!(closed.balance, money("EUR", 7));
    let changes = "SELECT count(*) FROM ledger.change";
    let before = service.count(changes).await;
    assert_eq!(close(&mut client, &account.account_id).await, closed);
    assert_eq!(get(&mut client, &account.account_id).await, closed);
    assert_eq!(service.count(changes).await, before);
}
