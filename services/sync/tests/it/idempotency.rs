//! CreateAccount sent twice: by a client that did not hear the answer, by two at once, by mistake.

use djinn_chassis::testing;
use djinn_proto::sync::v1::CreateAccountRequest;
use tonic::Code;

use crate::service::{Service, money, refused, request};

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let sent = request("Giro");
    let first = client
        .create_account(sent.clone())
        .await
        .unwrap()
        .into_inner();
    for _ in 0..3 {
        let again = client
            .create_account(sent.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(again, first);
    }
    assert_eq!(
        service.count("SELECT count(*) FROM ledger.account").await,
        1
    );
    assert_eq!(service.count("SELECT count(*) FROM ledger.change").await, 1);
}

#[tokio::test]
async fn another_request_under_the_same_id_is_a_conflict() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let sent = request("Giro");
    client.create_account(sent.clone()).await.unwrap();
    for other in [
        CreateAccountRequest {
            name: "Giro 2".to_owned(),
            ..sent.clone()
        },
        CreateAccountRequest {
            kind: 4,
            ..sent.clone()
        },
        CreateAccountRequest {
            currency_code: "USD".to_owned(),
            ..sent.clone()
        },
        CreateAccountRequest {
            opening_balance: money("EUR", 1),
            ..sent.clone()
        },
    ] {
        let refused = refused(client.create_account(other).await);
        assert_eq!(
            (refused.code, &*refused.reason),
            (Code::AlreadyExists, "REQUEST_ID_REUSED")
        );
    }
    assert_eq!(
        service.count("SELECT count(*) FROM ledger.account").await,
        1
    );
    client.create_account(sent).await.unwrap();
}

#[tokio::test]
async fn two_at_once_make_one_account() {
    let service = Service::start().await;
    let user = testing::user();
    let sent = request("Giro");
    let calls = (0..8).map(|_| {
        let (mut client, sent) = (service.client(user), sent.clone());
        async move { client.create_account(sent).await.unwrap().into_inner() }
    });
    let answers = futures::future::join_all(calls).await;
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(
        service.count("SELECT count(*) FROM ledger.account").await,
        1
    );
}

#[tokio::test]
async fn two_different_at_once_make_one_account_and_one_conflict() {
    let service = Service::start().await;
    let user = testing::user();
    let sent = request("Giro");
    let calls = ["a", "b"].map(|name| {
        let mut client = service.client(user);
        let name = name.to_owned();
        let sent = CreateAccountRequest {
            name,
            ..sent.clone()
        };
        async move { client.create_account(sent).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = futures::future::join_all(calls)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    for lost in lost {
        assert_eq!(refused(lost).reason, "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn another_users_request_id_is_ones_own() {
    let service = Service::start().await;
    let sent = request("Giro");
    let mut ids = Vec::new();
    for user in [testing::user(), testing::user()] {
        let mut client = service.client(user);
        let created = client
            .create_account(sent.clone())
            .await
            .unwrap()
            .into_inner();
        ids.push(created.account.unwrap().account_id);
    }
    assert_ne!(ids[0], ids[1]);
}
