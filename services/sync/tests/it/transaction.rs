//! Transactions: read one by one, and listed by filters and pages.

use djinn_chassis::{serve::MESSAGE_BYTES_MAX, testing};
use djinn_proto::sync::v1::{
    GetTransactionRequest, ListTransactionsRequest, Transaction, TransactionSource,
};
use prost::Message;
use uuid::Uuid;

use crate::service::{Booking, Client, Service, booking, create, invalid, money};

async fn list(client: &mut Client, request: ListTransactionsRequest) -> Vec<Transaction> {
    let listed = client
        .list_transactions(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.next_page_token, "");
    listed.transactions
}

#[tokio::test]
async fn a_transaction_is_read() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let import_id = Uuid::new_v4();
    let entry = Booking {
        account_id: &account_id,
        booked_on: "2024-02-29",
        amount_minor: -1_234,
        description: "Käse 🧀",
        counterparty: "REWE",
        import_id: Some(import_id),
    };
    let transaction_id = service.book(user, &[entry]).await.remove(0);
    let sent = GetTransactionRequest {
        transaction_id: transaction_id.clone(),
    };
    let got = client
        .get_transaction(sent)
        .await
        .unwrap()
        .into_inner()
        .transaction
        .unwrap();
    assert!(got.create_time.is_some() && !got.etag.is_empty());
    let expected = Transaction {
        transaction_id,
        account_id,
        booked_on: "2024-02-29".to_owned(),
        value_on: String::new(),
        amount: money("EUR", -1_234),
        description: "Käse 🧀".to_owned(),
        counterparty: "REWE".to_owned(),
        source: TransactionSource::Import.into(),
        external_id: String::new(),
        import_id: import_id.to_string(),
        create_time: got.create_time,
        note: String::new(),
        reconciled: false,
        locked_fields: vec![],
        etag: got.etag.clone(),
        update_time: None,
    };
    assert_eq!(got, expected);
    assert_eq!(
        list(&mut client, ListTransactionsRequest::default()).await,
        [got]
    );

    for transaction_id in ["", "x"] {
        let transaction_id = transaction_id.to_owned();
        let got = client
            .get_transaction(GetTransactionRequest { transaction_id })
            .await;
        assert_eq!(invalid(got), ["transaction_id"]);
    }
}

/// A request with these fields set.
fn asking(set: impl FnOnce(&mut ListTransactionsRequest)) -> ListTransactionsRequest {
    let mut sent = ListTransactionsRequest::default();
    set(&mut sent);
    sent
}

#[tokio::test]
async fn filters_hold_together() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let giro = create(&mut client, "Giro").await.account_id;
    let cash = create(&mut client, "Cash").await.account_id;
    let import = Uuid::new_v4();
    let entries = [
        (&giro, "2026-01-01", "Rent 100 %", Some(import)),
        (&cash, "2026-01-02", "Bread", None),
        (&giro, "2026-01-03", "Rent_al", None),
    ];
    let entries = entries.map(|(account_id, booked_on, description, import_id)| Booking {
        booked_on,
        description,
        import_id,
        ..booking(account_id, 1)
    });
    let ids = service.book(user, &entries).await;
    for (sent, expected) in [
        (asking(|_| {}), &[2, 1, 0][..]),
        (asking(|r| r.account_id.clone_from(&giro)), &[2, 0]),
        (asking(|r| r.account_id = giro.to_uppercase()), &[2, 0]),
        (asking(|r| r.import_id = import.to_string()), &[0]),
        (asking(|r| r.booked_from = "2026-01-02".to_owned()), &[2, 1]),
        (asking(|r| r.booked_to = "2026-01-02".to_owned()), &[1, 0]),
        (asking(|r| r.text = "RENT".to_owned()), &[2, 0]),
        (asking(|r| r.text = "%".to_owned()), &[0]),
        (asking(|r| r.text = "t_a".to_owned()), &[2]),
        (asking(|r| r.text = "\\".to_owned()), &[]),
    ] {
        let found = list(&mut client, sent.clone()).await;
        let found: Vec<_> = found
            .into_iter()
            .map(|found| found.transaction_id)
            .collect();
        let expected: Vec<_> = expected.iter().map(|at: &usize| ids[*at].clone()).collect();
        assert_eq!(found, expected, "{sent:?}");
    }
    let both = asking(|r| {
        r.account_id = cash;
        r.text = "rent".to_owned();
    });
    assert_eq!(list(&mut client, both).await, []);
}

#[tokio::test]
async fn pages_walk_everything_once() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let accounts = [
        create(&mut client, "a").await,
        create(&mut client, "b").await,
    ];
    let days = ["2026-01-01", "2026-01-02", "2026-01-03"];
    let entries: Vec<_> = (0..250)
        .map(|number| Booking {
            booked_on: days[number % days.len()],
            ..booking(&accounts[number % 2].account_id, 1)
        })
        .collect();
    let mut expected = service.book(user, &entries).await;
    expected.sort();
    for (page_size, pages) in [
        (1, 250),
        (99, 3),
        (125, 2),
        (249, 2),
        (250, 1),
        (0, 3),
        (9_999, 1),
    ] {
        let (mut walked, mut page_token, mut count) = (Vec::new(), String::new(), 0);
        loop {
            let sent = ListTransactionsRequest {
                page_size,
                page_token,
                ..ListTransactionsRequest::default()
            };
            let page = client.list_transactions(sent).await.unwrap().into_inner();
            walked.extend(page.transactions);
            count += 1;
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(count, pages, "{page_size}");
        let order = |row: &Transaction| (row.booked_on.clone(), row.transaction_id.clone());
        assert!(walked.is_sorted_by(|one, next| order(one) > order(next)));
        let mut found: Vec<_> = walked.into_iter().map(|row| row.transaction_id).collect();
        found.sort();
        assert_eq!(found, expected, "{page_size}");
    }
}

#[tokio::test]
async fn a_page_fits_a_message_whatever_its_texts() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let long = "x".repeat(64 * 1024);
    let entries: Vec<_> = (0..100)
        .map(|_| Booking {
            description: &long,
            counterparty: &long,
            ..booking(&account_id, 1)
        })
        .collect();
    service.book(user, &entries).await;
    let (mut found, mut page_token) = (0, String::new());
    loop {
        let sent = ListTransactionsRequest {
            page_size: 1_000,
            page_token,
            ..ListTransactionsRequest::default()
        };
        let page = client.list_transactions(sent).await.unwrap().into_inner();
        assert!(page.encoded_len() < MESSAGE_BYTES_MAX);
        found += page.transactions.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(found, 100);
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let all = ListTransactionsRequest {
        page_size: -1,
        page_token: "x".to_owned(),
        account_id: "x".to_owned(),
        import_id: "x".to_owned(),
        booked_from: "x".to_owned(),
        booked_to: "2026-02-30".to_owned(),
        text: "x".repeat(101),
    };
    let mut found = invalid(client.list_transactions(all).await);
    found.sort();
    let expected = [
        "account_id",
        "booked_from",
        "booked_to",
        "import_id",
        "page_size",
        "page_token",
        "text",
    ];
    assert_eq!(found, expected);
    let backwards = asking(|r| {
        r.booked_from = "2026-01-02".to_owned();
        r.booked_to = "2026-01-01".to_owned();
    });
    assert_eq!(
        invalid(client.list_transactions(backwards).await),
        ["booked_to"]
    );
    let control = asking(|r| r.text = "a\0".to_owned());
    assert_eq!(invalid(client.list_transactions(control).await), ["text"]);
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_alone() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let bookings = [booking(&account_id, 1), booking(&account_id, 2)];
    service.book(user, &bookings).await;
    let first = client.list_transactions(asking(|r| r.page_size = 1)).await;
    let page_token = first.unwrap().into_inner().next_page_token;
    let going_on = ListTransactionsRequest {
        page_token,
        ..ListTransactionsRequest::default()
    };
    let and = |set: fn(&mut ListTransactionsRequest)| {
        let mut sent = going_on.clone();
        set(&mut sent);
        sent
    };
    let mut of_account = going_on.clone();
    of_account.account_id = account_id;
    for sent in [
        of_account,
        and(|r| r.import_id = Uuid::nil().to_string()),
        and(|r| r.booked_from = "2026-01-01".to_owned()),
        and(|r| r.booked_to = "2026-01-01".to_owned()),
        and(|r| r.text = "x".to_owned()),
        and(|r| r.page_token.push('A')),
        and(|r| r.page_token = "AA".repeat(40)),
    ] {
        let field = invalid(client.list_transactions(sent).await);
        assert_eq!(field, ["page_token"]);
    }
    // Another size is no other list.
    let larger = and(|r| r.page_size = 500);
    assert_eq!(list(&mut client, larger).await.len(), 1);
}
