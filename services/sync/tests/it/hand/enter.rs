//! CreateTransaction: what it takes, what it refuses, and that it is safe to repeat.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{
    CloseAccountRequest, CreateAccountRequest, GetAccountRequest, TransactionSource,
};

use super::*;
use crate::service::{Service, booking, create, invalid, request};

#[tokio::test]
async fn a_transaction_is_entered_and_read() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let sent = CreateTransactionRequest {
        value_on: "2026-02-01".to_owned(),
        description: " Käse 🧀 ".to_owned(),
        counterparty: "Markt".to_owned(),
        note: "for\n\tSunday".to_owned(),
        ..entry(&account_id)
    };
    let made = enter(&mut client, sent).await;
    let version = made.transaction_id.parse::<Uuid>().unwrap();
    assert_eq!(version.get_version_num(), 7);
    assert!(!made.etag.is_empty() && made.create_time.is_some());
    let expected = Transaction {
        transaction_id: made.transaction_id.clone(),
        account_id: account_id.clone(),
        booked_on: "2026-01-31".to_owned(),
        value_on: "2026-02-01".to_owned(),
        amount: money("EUR", -1_230),
        description: "Käse 🧀".to_owned(),
        counterparty: "Markt".to_owned(),
        source: TransactionSource::User.into(),
        create_time: made.create_time,
        note: "for\n\tSunday".to_owned(),
        etag: made.etag.clone(),
        ..Transaction::default()
    };
    assert_eq!(made, expected);
    assert_eq!(get(&mut client, &made.transaction_id).await.unwrap(), made);
    let account = client.get_account(GetAccountRequest { account_id }).await;
    let account = account.unwrap().into_inner().account.unwrap();
    assert_eq!(account.balance, money("EUR", -1_230));
    let bare = "SELECT count(*) FROM ledger.transaction WHERE fingerprint IS NULL";
    assert_eq!(service.count(bare).await, 1);
    service.stop().await;
}

#[tokio::test]
async fn a_counterparty_stands_for_a_description() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let sent = CreateTransactionRequest {
        description: String::new(),
        counterparty: "Markt".to_owned(),
        amount: money("EUR", 0),
        ..entry(&account_id)
    };
    let made = enter(&mut client, sent).await;
    assert_eq!((&*made.description, &*made.counterparty), ("", "Markt"));
}

/// A good request with something wrong in it.
fn wrong(set: fn(&mut CreateTransactionRequest)) -> CreateTransactionRequest {
    let mut sent = entry(&Uuid::new_v4().to_string());
    set(&mut sent);
    sent
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let all = [
        "request_id",
        "account_id",
        "booked_on",
        "amount",
        "description",
    ];
    let nothing = CreateTransactionRequest::default();
    assert_eq!(invalid(client.create_transaction(nothing).await), all);
    let day = |text: &str| CreateTransactionRequest {
        booked_on: text.to_owned(),
        ..entry(&Uuid::new_v4().to_string())
    };
    for (sent, expected) in [
        (wrong(|r| r.request_id.clear()), "request_id"),
        (wrong(|r| r.account_id = "x".to_owned()), "account_id"),
        (day(""), "booked_on"),
        (day("31.1.2026"), "booked_on"),
        (day("1899-12-31"), "booked_on"),
        (day("9999-12-31"), "booked_on"),
        (wrong(|r| r.value_on = "0226-01-01".to_owned()), "value_on"),
        (wrong(|r| r.amount = None), "amount"),
        (wrong(|r| r.amount = money("", 1)), "amount.currency_code"),
        (wrong(|r| r.description = " ".to_owned()), "description"),
        (wrong(|r| r.description = "a\nb".to_owned()), "description"),
        (wrong(|r| r.counterparty = "\0".to_owned()), "counterparty"),
        (wrong(|r| r.note = "a\u{1b}b".to_owned()), "note"),
    ] {
        assert_eq!(invalid(client.create_transaction(sent).await), [expected]);
    }
    let claims = "SELECT count(*) FROM sync.request";
    assert_eq!(service.count(claims).await, 0);
}

#[tokio::test]
async fn texts_have_a_limit_and_the_currency_is_the_accounts() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let longest = CreateTransactionRequest {
        description: "ä".repeat(1_000),
        counterparty: "ä".repeat(200),
        note: "ä".repeat(4_000),
        ..entry(&account_id)
    };
    let with = |set: fn(&mut CreateTransactionRequest)| {
        let mut sent = longest.clone();
        set(&mut sent);
        sent
    };
    for (sent, expected) in [
        (with(|r| r.description.push('x')), "description"),
        (with(|r| r.counterparty.push('x')), "counterparty"),
        (with(|r| r.note.push('x')), "note"),
        (with(|r| r.amount = money("USD", 1)), "amount.currency_code"),
    ] {
        assert_eq!(invalid(client.create_transaction(sent).await), [expected]);
    }
    enter(&mut client, longest).await;
    for sql in [
        "SELECT count(*) FROM ledger.transaction",
        "SELECT count(*) FROM sync.request WHERE rpc = 'CreateTransaction'",
    ] {
        assert_eq!(service.count(sql).await, 1, "{sql}");
    }
}

#[tokio::test]
async fn a_request_larger_than_a_message_is_refused() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let sent = CreateTransactionRequest {
        note: "x".repeat(djinn_chassis::serve::MESSAGE_BYTES_MAX),
        ..entry(&account_id)
    };
    let status = client.create_transaction(sent).await.unwrap_err();
    let expected = [Code::OutOfRange, Code::ResourceExhausted];
    assert!(expected.contains(&status.code()), "{status:?}");
}

#[tokio::test]
async fn only_an_open_account_of_ones_own_takes_it() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let unknown = client.create_transaction(entry(&Uuid::new_v4().to_string()));
    refusal(unknown.await, Code::NotFound, "NOT_FOUND");
    let mut thief = service.client(testing::user());
    let foreign = thief.create_transaction(entry(&account_id)).await;
    refusal(foreign, Code::NotFound, "NOT_FOUND");
    let closed = CloseAccountRequest {
        account_id: account_id.clone(),
    };
    client.close_account(closed).await.unwrap();
    let late = client.create_transaction(entry(&account_id)).await;
    refusal(late, Code::FailedPrecondition, "ACCOUNT_CLOSED");
    let rows = "SELECT count(*) FROM ledger.transaction";
    assert_eq!(service.count(rows).await, 0);
}

#[tokio::test]
async fn a_balance_does_not_leave_its_range() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let opening = CreateAccountRequest {
        opening_balance: money("EUR", i64::MAX),
        ..request("Giro")
    };
    let account = client.create_account(opening).await.unwrap().into_inner();
    let account_id = account.account.unwrap().account_id;
    let one_more = CreateTransactionRequest {
        amount: money("EUR", 1),
        ..entry(&account_id)
    };
    let refused = client.create_transaction(one_more.clone()).await;
    refusal(refused, Code::FailedPrecondition, "BALANCE_OUT_OF_RANGE");
    let made = enter(&mut client, entry(&account_id)).await;
    let deposit = service.book(user, &[booking(&account_id, 1_230)]).await;
    // Neither an edit nor a deletion lifts it over the edge.
    let wanted = with(&made, |t| t.amount = money("EUR", -1_229));
    let edited = update(&mut client, &wanted, &["amount"]).await;
    refusal(edited, Code::FailedPrecondition, "BALANCE_OUT_OF_RANGE");
    let deleted = delete(&mut client, &made.transaction_id, "").await;
    refusal(deleted, Code::FailedPrecondition, "BALANCE_OUT_OF_RANGE");
    assert_eq!(get(&mut client, &made.transaction_id).await.unwrap(), made);
    delete(&mut client, &deposit[0], "").await.unwrap();
    let wanted = with(&made, |t| t.amount = money("EUR", 0));
    updated(&mut client, &wanted, &["amount"]).await;
    let account = client.get_account(GetAccountRequest { account_id }).await;
    let balance = account.unwrap().into_inner().account.unwrap().balance;
    assert_eq!(balance, money("EUR", i64::MAX));
    // The request that was refused claimed nothing.
    let again = client.create_transaction(one_more).await;
    refusal(again, Code::FailedPrecondition, "BALANCE_OUT_OF_RANGE");
}

#[tokio::test]
async fn the_same_request_again_enters_nothing_twice() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let sent = entry(&account_id);
    let calls = (0..6).map(|_| {
        let (mut client, sent) = (service.client(user), sent.clone());
        async move { enter(&mut client, sent).await }
    });
    let answers = futures::future::join_all(calls).await;
    assert!(
        answers.iter().all(|made| *made == answers[0]),
        "{answers:?}"
    );
    let rows = "SELECT count(*) FROM ledger.transaction";
    assert_eq!(service.count(rows).await, 1);
    let others: [fn(&mut CreateTransactionRequest); 4] = [
        |r| r.description = "Buns".to_owned(),
        |r| r.amount = money("EUR", -1_231),
        |r| r.booked_on = "2026-02-01".to_owned(),
        |r| r.note = "x".to_owned(),
    ];
    for set in others {
        let mut other = sent.clone();
        set(&mut other);
        let refused = client.create_transaction(other).await;
        refusal(refused, Code::AlreadyExists, "REQUEST_ID_REUSED");
    }
    // An edit since then is in the answer; what was deleted since then is not entered again.
    let wanted = with(&answers[0], |t| t.note = "x".to_owned());
    let edited = updated(&mut client, &wanted, &["note"]).await;
    assert_eq!(enter(&mut client, sent.clone()).await, edited);
    delete(&mut client, &edited.transaction_id, "")
        .await
        .unwrap();
    let gone = client.create_transaction(sent).await;
    refusal(gone, Code::NotFound, "NOT_FOUND");
    assert_eq!(service.count(rows).await, 0);
}
