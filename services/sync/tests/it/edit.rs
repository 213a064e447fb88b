//! UpdateAccount: masks, etags, and what an edit may not do.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{
    Account, AccountKind, CloseAccountRequest, UpdateAccountRequest, UpdateAccountResponse,
};
use pbjson_types::FieldMask;
use tonic::{Code, Response, Status};

use crate::service::{Client, Service, create, invalid, money, refused};

async fn update(
    client: &mut Client,
    account: &Account,
    paths: &[&str],
) -> Result<Response<UpdateAccountResponse>, Status> {
    let sent = UpdateAccountRequest {
        account: Some(account.clone()),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
    };
    client.update_account(sent).await
}

async fn updated(client: &mut Client, account: &Account, paths: &[&str]) -> Account {
    let answer = update(client, account, paths).await.unwrap();
    answer.into_inner().account.unwrap()
}

/// What the user has and what they want of it.
fn wanted(account: &Account) -> Account {
    let mut wanted = account.clone();
    wanted.name = "Main".to_owned();
    wanted.set_kind(AccountKind::Savings);
    wanted.opening_balance = money("EUR", 250);
    wanted
}

#[tokio::test]
async fn only_the_fields_of_the_mask_change() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro").await;
    let named = updated(&mut client, &wanted(&account), &["name"]).await;
    let mut expected = Account {
        name: "Main".to_owned(),
        etag: named.etag.clone(),
        update_time: named.update_time,
        ..account.clone()
    };
    assert_eq!(named, expected);
    assert_ne!(named.etag, account.etag);
    assert!(named.update_time.unwrap().nanos >= 0);

    let rest = ["opening_balance", "kind"];
    let changed = updated(&mut client, &wanted(&named), &rest).await;
    expected.set_kind(AccountKind::Savings);
    expected.opening_balance = money("EUR", 250);
    expected.balance = money("EUR", 250);
    expected.etag.clone_from(&changed.etag);
    expected.update_time = changed.update_time;
    assert_eq!(changed, expected);
}

#[tokio::test]
async fn an_account_that_has_changed_since_is_not_overwritten() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro").await;
    let changed = updated(&mut client, &wanted(&account), &["name"]).await;
    let mut garbage = changed.clone();
    garbage.etag = "garbage".to_owned();
    for stale in [wanted(&account), garbage] {
        let refused = refused(update(&mut client, &stale, &["name"]).await);
        assert_eq!(
            (refused.code, &*refused.reason),
            (Code::Aborted, "ETAG_MISMATCH")
        );
    }
    updated(&mut client, &changed, &["name"]).await;
}

#[tokio::test]
async fn of_two_edits_at_once_one_wins() {
    let service = Service::start().await;
    let user = testing::user();
    let account = create(&mut service.client(user), "Giro").await;
    let edits = (0..8).map(|number| {
        let mut client = service.client(user);
        let mut account = account.clone();
        account.name = number.to_string();
        async move { update(&mut client, &account, &["name"]).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = futures::future::join_all(edits)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for lost in lost {
        assert_eq!(refused(lost).reason, "ETAG_MISMATCH");
    }
}

#[tokio::test]
async fn a_closed_account_is_not_edited() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro").await;
    let account_id = account.account_id.clone();
    let closed = client
        .close_account(CloseAccountRequest { account_id })
        .await;
    let closed = closed.unwrap().into_inner().account.unwrap();
    // With the etag of before as with that of now.
    for account in [account, closed] {
        let refused = refused(update(&mut client, &account, &["name"]).await);
        assert_eq!(
            (refused.code, &*refused.reason),
            (Code::FailedPrecondition, "ACCOUNT_CLOSED")
        );
    }
}

#[tokio::test]
async fn wrong_edits_name_their_fields() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro").await;
    let with = |edit: fn(&mut Account)| {
        let mut account = account.clone();
        edit(&mut account);
        account
    };
    for (sent, paths, expected) in [
        (account.clone(), &[][..], &["update_mask"][..]),
        (account.clone(), &["*"], &["update_mask"]),
        (account.clone(), &["currency_code"], &["update_mask"]),
        (account.clone(), &["balance"], &["update_mask"]),
        (
            account.clone(),
            &["name", "opening_balance.minor_units"],
            &["update_mask"],
        ),
        (with(|a| a.name.clear()), &["name"], &["account.name"]),
        (
            with(|a| a.name = "x".repeat(101)),
            &["name"],
            &["account.name"],
        ),
        (with(|a| a.kind = 0), &["kind"], &["account.kind"]),
        (with(|a| a.kind = 99), &["kind"], &["account.kind"]),
        (
            with(|a| a.account_id.clear()),
            &["name"],
            &["account.account_id"],
        ),
        (with(|a| a.etag.clear()), &["name"], &["account.etag"]),
        (
            with(|a| a.opening_balance = None),
            &["opening_balance"],
            &["account.opening_balance"],
        ),
        (
            with(|a| a.opening_balance = money("USD", 5)),
            &["opening_balance"],
            &["account.opening_balance.currency_code"],
        ),
        (
            with(|a| a.opening_balance = money("", 5)),
            &["opening_balance"],
            &["account.opening_balance.currency_code"],
        ),
        (
            Account::default(),
            &["name", "kind"],
            &[
                "account.account_id",
                "account.etag",
                "account.name",
                "account.kind",
            ],
        ),
    ] {
        assert_eq!(invalid(update(&mut client, &sent, paths).await), expected);
    }
    let nothing = client.update_account(UpdateAccountRequest::default()).await;
    assert_eq!(invalid(nothing), ["update_mask", "account"]);
    // What the mask does not name is not looked at.
    let odd = with(|a| {
        a.kind = 99;
        a.opening_balance = money("USD", 5);
        a.currency_code = "USD".to_owned();
    });
    let renamed = updated(&mut client, &odd, &["name"]).await;
    assert_eq!(renamed.currency_code, "EUR");
    assert_eq!(renamed.kind(), AccountKind::Checking);
}
