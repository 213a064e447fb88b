//! Transactions: read one by one, and listed by filters and pages.

use djinn_chassis::{serve::MESSAGE_BYTES_MAX, testing};
use djinn_proto::sync::v1::{
    GetTransactionRequest, ListTransactionsRequest, Transaction, TransactionSource,
};
use prost::Message;
use uuid::Uuid;

use crate::service::{Booking, Client, Service, booking, create, invalid, money};

async fn list(client: &mut Client, request: ListTransactionsRequest) -> Vec<Transaction> {
    let listed = client.list_transactions(request).await.unwrap().into_inner();
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
    let sent = GetTransactionRequest { transaction_id: transaction_id.clone() };
    let got = client.get_transaction(sent).await.unwrap().into_inner().transaction.unwrap();
    assert!(got.create_time.is_some());
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
    };
    assert_eq!(got, expected);
    assert_eq!(list(&mut client, ListTransactionsRequest::default()).await, [got]);

    for transaction_id in ["", "x"] {
        let transaction_id = transaction_id.to_owned();
        let got = client.get_transaction(GetTransactionRequest { transaction_id }).await;
        assert_eq!(invalid(got), ["transaction_id"]);
    }
}

#[tokio::test]
async fn filters_hold_together() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let giro = create(&mut client, "Giro").await.account_id;
    let cash = create(&mut client, "Cash").await.account_id;
    let import = Uuid::new_v4();
    let entry = |account_id, booked_on, description, import_id| Booking {
        booked_on,
        description,
        import_id,
        ..booking(account_id, 1)
    };
    let ids = service
        .book(
            user,
            &[
                entry(&giro, "2026-01-01", "Rent 100 %", Some(import)),
                entry(&cash, "2026-01-02", "Bread", None),
                entry(&giro, "2026-01-03", "Rent_al", None),
            ],
        )
        .await;
    let nothing = ListTransactionsRequest::default();
    let text = |text: &str| ListTransactionsRequest {
        text: text.to_owned(),
        ..ListTransactionsRequest::default()
    };
    for (sent, expected) in [
        (nothing.clone(), &[2, 1, 0][..]),
        (ListTransactionsRequest { account_id: giro.clone(), ..nothing.clone() }, &[2, 0]),
        (ListTransactionsRequest { import_id: import.to_string(), ..nothing.clone() }, &[0]),
        (ListTransactionsRequest { booked_from: "2026-01-02".to_owned(), ..nothing.clone() }, &[2, 1]),
        (ListTransactionsRequest { booked_to: "2026-01-02".to_owned(), ..nothing.clone() }, &[1, 0]),
        (text("RENT"), &[2, 0]),
        (text("%"), &[0]),
        (text("t_a"), &[2]),
        (text("\\"), &[]),
        (ListTransactionsRequest { account_id: cash.clone(), ..text("rent") }, &[]),
    ] {
        let found = list(&mut client, sent.clone()).await;
        let found: Vec<_> = found.into_iter().map(|found| found.transaction_id).collect();
        let expected: Vec<_> = expected.iter().map(|at: &usize| ids[*at].clone()).collect();
        assert_eq!(found, expected, "{sent:?}");
    }
}

#[tokio::test]
async fn pages_walk_everything_once() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let accounts = [create(&mut client, "a").await, create(&mut client, "b").await];
    let days = ["2026-01-01", "2026-01-02", "2026-01-03"];
    let entries: Vec<_> = (0..250)
        .map(|number| Booking {
            booked_on: days[number % days.len()],
            ..booking(&accounts[number % 2].account_id, 1)
        })
        .collect();
    let mut expected = service.book(user, &entries).await;
    expected.sort();
    for (page_size, pages) in [(1, 250), (99, 3), (125, 2), (249, 2), (250, 1), (0, 3), (9_999, 1)] {
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
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    service.book(user, &[booking(&account_id, 1), booking(&account_id, 2)]).await;
    let nothing = ListTransactionsRequest::default();
    let first = ListTransactionsRequest { page_size: 1, ..nothing.clone() };
    let page_token = client.list_transactions(first).await.unwrap().into_inner().next_page_token;
    let going_on = ListTransactionsRequest { page_token, ..nothing.clone() };
    for (sent, expected) in [
        (
            ListTransactionsRequest {
                page_size: -1,
                page_token: "x".to_owned(),
                account_id: "x".to_owned(),
                import_id: "x".to_owned(),
                booked_from: "x".to_owned(),
                booked_to: "2026-02-30".to_owned(),
                text: "x".repeat(101),
            },
            &[
                "page_size", "account_id", "import_id", "booked_from", "booked_to", "text",
                "page_token",
            ][..],
        ),
        (
            ListTransactionsRequest {
                booked_from: "2026-01-02".to_owned(),
                booked_to: "2026-01-01".to_owned(),
                ..nothing.clone()
            },
            &["booked_to"],
        ),
        (ListTransactionsRequest { text: "a\0".to_owned(), ..nothing.clone() }, &["text"]),
        (ListTransactionsRequest { account_id, ..going_on.clone() }, &["page_token"]),
        (ListTransactionsRequest { text: "x".to_owned(), ..going_on.clone() }, &["page_token"]),
        (
            ListTransactionsRequest { booked_to: "2026-01-01".to_owned(), ..going_on.clone() },
            &["page_token"],
        ),
        (ListTransactionsRequest { page_token: "AA".repeat(40), ..nothing }, &["page_token"]),
    ] {
        assert_eq!(invalid(client.list_transactions(sent).await), expected);
    }
    assert_eq!(list(&mut client, going_on).await.len(), 1);
}
