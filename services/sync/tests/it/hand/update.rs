//! UpdateTransaction: masks, locks, etags, and what an edit may not do.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{CloseAccountRequest, TransactionSource};

use super::*;
use crate::service::{Service, booking, create, invalid};

/// The fields that a mask may name.
const ALL: [&str; 7] = [
    "amount",
    "booked_on",
    "counterparty",
    "description",
    "note",
    "reconciled",
    "value_on",
];

/// What the user wants of a transaction: everything else than what it has.
fn wanted(transaction: &Transaction) -> Transaction {
    with(transaction, |t| {
        t.booked_on = "2026-02-01".to_owned();
        t.value_on = "2026-02-02".to_owned();
        t.amount = money("EUR", 77);
        t.description = "Buns".to_owned();
        t.counterparty = "Bakery".to_owned();
        t.note = "a\nb".to_owned();
        t.reconciled = true;
    })
}

/// A user's client with one imported transaction.
async fn shelf() -> (Service, Client, Transaction) {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let ids = service.book(user, &[booking(&account_id, -1_230)]).await;
    let read = get(&mut client, &ids[0]).await.unwrap();
    (service, client, read)
}

#[tokio::test]
async fn only_the_fields_of_the_mask_change_and_are_locked() {
    let (_service, mut client, read) = shelf().await;
    assert_eq!((&read.locked_fields, read.update_time), (&vec![], None));
    let named = updated(&mut client, &wanted(&read), &["note", "amount"]).await;
    let expected = Transaction {
        amount: money("EUR", 77),
        note: "a\nb".to_owned(),
        locked_fields: vec!["amount".to_owned(), "note".to_owned()],
        etag: named.etag.clone(),
        update_time: named.update_time,
        ..read.clone()
    };
    assert_eq!(named, expected);
    assert!(named.update_time.is_some());
    assert_ne!(named.etag, read.etag);

    let all = updated(&mut client, &wanted(&named), &ALL).await;
    let expected = Transaction {
        locked_fields: ALL
            .iter()
            .filter(|name| **name != "reconciled")
            .map(|name| (*name).to_owned())
            .collect(),
        etag: all.etag.clone(),
        update_time: all.update_time,
        ..wanted(&named)
    };
    assert_eq!(all, expected);
    assert_eq!(all.source(), TransactionSource::Import);
    assert_eq!(get(&mut client, &read.transaction_id).await.unwrap(), all);
}

#[tokio::test]
async fn empty_and_equal_values_lock_too_and_a_second_time_changes_nothing() {
    let (service, mut client, read) = shelf().await;
    let empty = with(&read, |t| t.description.clear());
    let mask = ["description", "counterparty", "value_on", "booked_on"];
    let locked = updated(&mut client, &empty, &mask).await;
    assert_eq!(locked.description, "");
    assert_eq!(locked.booked_on, read.booked_on);
    let names = ["booked_on", "counterparty", "description", "value_on"];
    assert_eq!(locked.locked_fields, names);
    assert_ne!(locked.etag, read.etag);
    let versions = "SELECT count(*) FROM ledger.change";
    let before = service.count(versions).await;
    assert_eq!(updated(&mut client, &locked, &mask).await, locked);
    assert_eq!(service.count(versions).await, before);
}

#[tokio::test]
async fn what_has_changed_since_is_not_overwritten() {
    let (_service, mut client, read) = shelf().await;
    let changed = updated(&mut client, &wanted(&read), &["note"]).await;
    let garbage = with(&changed, |t| t.etag = "garbage".to_owned());
    for stale in [wanted(&read), garbage] {
        let refused = update(&mut client, &stale, &["note"]).await;
        refusal(refused, Code::Aborted, "ETAG_MISMATCH");
    }
    updated(&mut client, &changed, &["description"]).await;
}

#[tokio::test]
async fn of_edits_at_once_one_wins() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let made = enter(&mut client, entry(&account_id)).await;
    let edits = (0..8).map(|number| {
        let mut client = service.client(user);
        let wanted = with(&made, |t| t.note = number.to_string());
        async move { update(&mut client, &wanted, &["note"]).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = futures::future::join_all(edits)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for lost in lost {
        refusal(lost, Code::Aborted, "ETAG_MISMATCH");
    }
}

#[tokio::test]
async fn a_reconciled_one_keeps_its_date_and_amount() {
    let (_service, mut client, read) = shelf().await;
    let mark = with(&read, |t| t.reconciled = true);
    let marked = updated(&mut client, &mark, &["reconciled"]).await;
    assert!(marked.reconciled && marked.locked_fields.is_empty());
    let id = &marked.transaction_id;
    for mask in [
        &["amount"][..],
        &["booked_on"],
        &["note", "amount"],
        &["amount", "reconciled"],
    ] {
        let refused = update(&mut client, &wanted(&marked), mask).await;
        refusal(refused, Code::FailedPrecondition, "RECONCILED");
    }
    for etag in ["", &marked.etag] {
        let refused = delete(&mut client, id, etag).await;
        refusal(refused, Code::FailedPrecondition, "RECONCILED");
    }
    assert_eq!(get(&mut client, id).await.unwrap(), marked);
    let noted = updated(&mut client, &wanted(&marked), &["note", "value_on"]).await;
    assert!(noted.reconciled);
    let open = with(&wanted(&noted), |t| t.reconciled = false);
    let lifted = updated(&mut client, &open, &["amount", "reconciled"]).await;
    assert!(!lifted.reconciled);
    assert_eq!(lifted.amount, money("EUR", 77));
    delete(&mut client, id, &lifted.etag).await.unwrap();
}

#[tokio::test]
async fn a_closed_account_keeps_its_transactions() {
    let (_service, mut client, read) = shelf().await;
    let account_id = read.account_id.clone();
    client
        .close_account(CloseAccountRequest { account_id })
        .await
        .unwrap();
    let stale = with(&wanted(&read), |t| t.etag = "x".to_owned());
    for wanted in [wanted(&read), stale] {
        let refused = update(&mut client, &wanted, &["note"]).await;
        refusal(refused, Code::FailedPrecondition, "ACCOUNT_CLOSED");
        let refused = delete(&mut client, &read.transaction_id, &wanted.etag).await;
        refusal(refused, Code::FailedPrecondition, "ACCOUNT_CLOSED");
    }
    let kept = get(&mut client, &read.transaction_id).await.unwrap();
    assert_eq!(kept, read);
}

#[tokio::test]
async fn wrong_edits_name_their_fields() {
    let (_service, mut client, read) = shelf().await;
    let edit = |set: fn(&mut Transaction)| with(&read, set);
    let code = "transaction.amount.currency_code";
    for (sent, paths, expected) in [
        (read.clone(), &[][..], &["update_mask"][..]),
        (read.clone(), &["*"], &["update_mask"]),
        (read.clone(), &["account_id"], &["update_mask"]),
        (read.clone(), &["note", "source"], &["update_mask"]),
        (read.clone(), &["amount.minor_units"], &["update_mask"]),
        (
            edit(|t| t.booked_on.clear()),
            &["booked_on"],
            &["transaction.booked_on"],
        ),
        (
            edit(|t| t.booked_on = "2200-01-01".to_owned()),
            &["booked_on"],
            &["transaction.booked_on"],
        ),
        (
            edit(|t| t.value_on = "x".to_owned()),
            &["value_on"],
            &["transaction.value_on"],
        ),
        (
            edit(|t| t.amount = None),
            &["amount"],
            &["transaction.amount"],
        ),
        (edit(|t| t.amount = money("USD", 1)), &["amount"], &[code]),
        (edit(|t| t.amount = money("", 1)), &["amount"], &[code]),
        (
            edit(|t| t.description = "x".repeat(1_001)),
            &["description"],
            &["transaction.description"],
        ),
        (
            edit(|t| t.counterparty = "a\tb".to_owned()),
            &["counterparty"],
            &["transaction.counterparty"],
        ),
        (
            edit(|t| t.note = "x".repeat(4_001)),
            &["note"],
            &["transaction.note"],
        ),
        (
            edit(|t| t.transaction_id.clear()),
            &["note"],
            &["transaction.transaction_id"],
        ),
        (edit(|t| t.etag.clear()), &["note"], &["transaction.etag"]),
    ] {
        let refused = update(&mut client, &sent, paths).await;
        assert_eq!(invalid(refused), expected, "{paths:?}");
    }
    let nothing = UpdateTransactionRequest::default();
    let nothing = client.update_transaction(nothing).await;
    assert_eq!(invalid(nothing), ["update_mask", "transaction"]);
    // What the mask does not name is not looked at.
    let odd = edit(|t| {
        t.booked_on = "x".to_owned();
        t.amount = None;
        t.account_id.clear();
    });
    updated(&mut client, &odd, &["note"]).await;
    let unchanged = get(&mut client, &read.transaction_id).await.unwrap();
    assert_eq!(unchanged.booked_on, read.booked_on);
}

/// A description of a file may be longer than a person's, and stays so while it is not edited.
#[tokio::test]
async fn a_long_text_of_a_file_stands_in_no_edits_way() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let long = "x".repeat(10_000);
    let mut entry = booking(&account_id, 1);
    entry.description = &long;
    let ids = service.book(user, &[entry]).await;
    let read = get(&mut client, &ids[0]).await.unwrap();
    let edited = updated(&mut client, &wanted(&read), &["note"]).await;
    assert_eq!(edited.description, long);
    let refused = update(&mut client, &edited, &["description"]).await;
    assert_eq!(invalid(refused), ["transaction.description"]);
}
