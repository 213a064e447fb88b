//! `djinn transactions`: entering, editing, deleting, unlocking and showing.

use djinn_proto::sync::v1::Transaction;

use crate::{
    process::djinn,
    server::{Fake, transaction::imported},
};

/// A server with one transaction, its address and its id.
async fn shelf() -> (Fake, String, String) {
    let (fake, url) = Fake::start().await;
    let transaction = imported();
    let id = transaction.transaction_id.clone();
    fake.state().transactions.push(transaction);
    (fake, url, id)
}

#[tokio::test]
async fn a_transaction_is_entered_in_the_accounts_currency() {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Dinar", "--currency", "KWD"],
    )
    .await
    .ended(0);
    let request_id = "0190a0a0-0000-7000-8000-00000000abcd";
    let add = ["--json", "transactions", "add", "--account", "Dinar"];
    let flags = [
        "--date",
        "2025-02-28",
        "--amount",
        "-1.5",
        "--description",
        "-dash",
        "--counterparty",
        "Markt",
        "--value-date",
        "2025-03-01",
        "--note",
        "two\nlines",
        "--request-id",
        request_id,
    ];
    let made = djinn(&url, &[&add[..], &flags].concat()).await.ended(0);
    let made = made.document();
    assert_eq!(made["amount"]["minorUnits"], "-1500");
    assert_eq!(made["source"], "TRANSACTION_SOURCE_USER");
    let short = ["--date", "2025-02-28", "--amount", "7"];
    let table = djinn(&url, &[&add[1..], &short].concat()).await.ended(0);
    assert!(table.stdout.contains("7.000 KWD"), "{}", table.stdout);

    let state = fake.state();
    let [first, second] = &*state.entered else {
        panic!("{:?}", state.entered);
    };
    assert_eq!(first.request_id, request_id);
    assert_eq!(first.account_id, state.accounts[0].account_id);
    let dates = (&*first.booked_on, &*first.value_on);
    assert_eq!(dates, ("2025-02-28", "2025-03-01"));
    let texts = (&*first.description, &*first.counterparty, &*first.note);
    assert_eq!(texts, ("-dash", "Markt", "two\nlines"));
    assert!(!second.request_id.is_empty() && second.request_id != request_id);
    assert_eq!((&*second.value_on, &*second.note), ("", ""));
}

#[tokio::test]
async fn an_amount_that_the_currency_has_not_is_never_sent() {
    let (fake, url, id) = shelf().await;
    let edit = ["--json", "transactions", "edit", &id, "--amount", "1.2345"];
    let failed = djinn(&url, &edit).await.ended(2);
    assert_eq!(failed.failure()["reason"], "BAD_AMOUNT");
    assert!(fake.state().edited.is_empty());
}

/// The mask is the flags that are given, and nothing else is sent.
#[tokio::test]
async fn an_edit_sends_what_was_given() {
    let (fake, url, id) = shelf().await;
    let all = [
        "--date",
        "2025-02-01",
        "--amount=-0.001",
        "--description",
        "",
        "--counterparty",
        "Markt",
        "--value-date",
        "",
        "--note",
        "mine",
        "--reconciled",
        "no",
    ];
    let every = [
        "booked_on",
        "amount",
        "description",
        "counterparty",
        "value_on",
        "note",
        "reconciled",
    ];
    for (flags, paths, etag) in [
        (&all[..], &every[..], "e7"),
        (
            &["--reconciled", "yes", "--etag", "e8"],
            &["reconciled"],
            "e8",
        ),
        (&["--value-date", "2025-02-02"], &["value_on"], "e9"),
    ] {
        let edit = ["--json", "transactions", "edit", &id];
        djinn(&url, &[&edit[..], flags].concat()).await.ended(0);
        let state = fake.state();
        let sent = state.edited.last().unwrap().clone();
        assert_eq!(sent.update_mask.unwrap().paths, paths);
        assert_eq!(sent.transaction.unwrap().etag, etag);
    }
    let first = fake.state().edited[0].transaction.clone().unwrap();
    let expected = Transaction {
        transaction_id: id,
        booked_on: "2025-02-01".to_owned(),
        amount: first.amount.clone(),
        counterparty: "Markt".to_owned(),
        note: "mine".to_owned(),
        etag: "e7".to_owned(),
        ..Transaction::default()
    };
    assert_eq!(first, expected);
    let amount = first.amount.unwrap();
    assert_eq!((&*amount.currency_code, amount.minor_units), ("KWD", -1));
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_a_conflict() {
    let (fake, url, id) = shelf().await;
    let note = ["--note", "x", "--etag", "e1"];
    let edit = [&["--json", "transactions", "edit", &id], &note[..]].concat();
    for line in [
        &edit[..],
        &[
            "--json",
            "transactions",
            "delete",
            &id,
            "--yes",
            "--etag",
            "e1",
        ],
        &[
            "--json",
            "transactions",
            "unlock",
            &id,
            "note",
            "--etag",
            "e1",
        ],
    ] {
        let failed = djinn(&url, line).await.ended(8);
        assert_eq!(failed.failure()["reason"], "ETAG_MISMATCH");
    }
    assert_eq!(fake.state().transactions, [imported()]);
}

#[tokio::test]
async fn nothing_is_deleted_without_consent() {
    let (fake, url, id) = shelf().await;
    let alone = djinn(&url, &["--json", "transactions", "delete", &id]).await;
    let alone = alone.ended(5);
    assert_eq!(alone.failure()["reason"], "NOT_AGREED");
    assert!(alone.stderr.contains("--yes deletes"), "{}", alone.stderr);
    assert_eq!(alone.stdout, "");
    assert!(fake.state().deleted.is_empty());

    let delete = ["--json", "transactions", "delete", &id, "--yes"];
    let done = djinn(&url, &delete).await.ended(0).document();
    assert_eq!(done.to_string(), format!(r#"{{"transactionId":"{id}"}}"#));
    assert_eq!(fake.state().deleted[0].etag, "");
    assert!(fake.state().transactions.is_empty());
}

#[tokio::test]
async fn fields_are_given_back() {
    let (fake, url, id) = shelf().await;
    fake.state().transactions[0].locked_fields = vec!["amount".to_owned(), "note".to_owned()];
    let unlock = ["--json", "transactions", "unlock", &id, "note", "value_on"];
    let found = djinn(&url, &unlock).await.ended(0).document();
    assert_eq!(found["lockedFields"].to_string(), r#"["amount"]"#);
    let sent = fake.state().unlocked[0].clone();
    assert_eq!(sent.fields, ["note", "value_on"]);
    assert_eq!(sent.etag, "e7");
}

#[tokio::test]
async fn a_transaction_is_shown_with_its_history() {
    let (fake, url, id) = shelf().await;
    fake.state().transactions[0].locked_fields = vec!["amount".to_owned()];
    let show = ["transactions", "show", &id];
    let shown = djinn(&url, &[&["--json"], &show[..]].concat()).await;
    let shown = shown.ended(0).document();
    assert_eq!(shown["transaction"]["etag"], "e7");
    assert_eq!(shown["changes"].as_array().unwrap().len(), 3);
    assert_eq!(shown["changes"][1]["reference"], "r1");

    let text = djinn(&url, &show).await.ended(0).stdout;
    let cells = |line: &str| {
        let cells = line.split(['│', '┆']).map(str::trim);
        cells
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<_>>()
            .join("|")
    };
    let lines: Vec<String> = text.lines().map(cells).collect();
    for expected in [
        "amount|-1.999 KWD|locked",
        "description|Coffee",
        "reconciled|no",
        "source|import",
        "edited|user|amount|-12.30|0.05",
        "edited|rule r1|note|by a rule",
        "created|user",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {text}"
        );
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[tokio::test]
async fn what_is_gone_still_has_its_history() {
    let (_fake, url, id) = shelf().await;
    let delete = ["transactions", "delete", &id, "--yes"];
    let done = djinn(&url, &delete).await.ended(0);
    assert_eq!(done.stdout, format!("Deleted transaction {id}\n"));
    let shown = djinn(&url, &["--json", "transactions", "show", &id]).await;
    let shown = shown.ended(0).document();
    assert!(shown["transaction"].is_null(), "{shown}");
    assert_eq!(shown["changes"].as_array().unwrap().len(), 3);
    let text = djinn(&url, &["transactions", "show", &id]).await.ended(0);
    assert!(text.stdout.contains("is gone"), "{}", text.stdout);
}

#[tokio::test]
async fn an_unknown_transaction_is_not_found() {
    let (_fake, url) = Fake::start().await;
    let id = "0190a0a0-0000-7000-8000-000000000009";
    for line in [
        &["--json", "transactions", "show", id][..],
        &["--json", "transactions", "edit", id, "--note", "x"],
        &["--json", "transactions", "delete", id, "--yes"],
        &["--json", "transactions", "delete", id],
        &["--json", "transactions", "unlock", id, "note"],
    ] {
        let failed = djinn(&url, line).await.ended(6);
        assert_eq!(failed.failure()["reason"], "NOT_FOUND", "{line:?}");
    }
}
