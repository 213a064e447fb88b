//! Accounts, transactions, and failures that any call can meet.

use std::net::TcpListener;

use crate::{
    process::{command, djinn, outcome},
    server::Fake,
};

#[tokio::test]
async fn accounts_are_opened_and_listed() {
    let (fake, url) = Fake::start().await;
    let request_id = "0190a0a0-0000-7000-8000-00000000abcd";
    let created = djinn(
        &url,
        &[
            "--json",
            "account",
            "create",
            "--name",
            "Main",
            "--currency",
            "eur",
            "--kind",
            "savings",
            "--opening-balance",
            "-12.30",
            "--number",
            "DE71500105170012345678",
            "--time-zone",
            "Europe/Berlin",
            "--request-id",
            request_id,
        ],
    )
    .await
    .ended(0)
    .document();
    assert_eq!(created["name"], "Main");
    assert_eq!(created["kind"], "ACCOUNT_KIND_SAVINGS");
    assert_eq!(created["number"], "DE71500105170012345678");
    assert_eq!(created["timeZone"], "Europe/Berlin");
    assert_eq!(created["balance"]["currencyCode"], "EUR");
    assert_eq!(created["balance"]["minorUnits"], "-1230");
    assert_eq!(fake.state().account_request_ids, [request_id]);

    for (name, currency) in [("Yen", "JPY"), ("Dinar", "KWD")] {
        djinn(
            &url,
            &["account", "create", "--name", name, "--currency", currency],
        )
        .await
        .ended(0);
    }
    let listed = djinn(&url, &["account", "list", "--json"])
        .await
        .ended(0)
        .document();
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 3);

    let table = djinn(&url, &["account", "list"]).await.ended(0).stdout;
    assert!(
        table.contains("┆ DE71500105170012345678 ┆  -12.30 ┆ EUR"),
        "{table}"
    );
    assert!(table.contains("┆       0 ┆ JPY"), "{table}");
    assert!(table.contains("┆   0.000 ┆ KWD"), "{table}");
}

#[tokio::test]
async fn no_accounts_is_an_empty_list() {
    let (_fake, url) = Fake::start().await;
    let listed = djinn(&url, &["--json", "account", "list"])
        .await
        .ended(0)
        .document();
    assert_eq!(listed.to_string(), r#"{"accounts":[]}"#);
}

#[tokio::test]
async fn an_amount_with_too_many_decimals_is_never_sent() {
    let (fake, url) = Fake::start().await;
    let args = ["account", "create", "--name", "Yen", "--currency", "JPY"];
    let failed = djinn(
        &url,
        &[&args[..], &["--opening-balance", "1.50", "--json"]].concat(),
    )
    .await
    .ended(2);
    assert_eq!(failed.stdout, "");
    assert_eq!(failed.failure()["reason"], "BAD_AMOUNT");
    assert!(fake.state().accounts.is_empty());
}

#[tokio::test]
async fn refusals_name_reason_fields_and_code() {
    let (_fake, url) = Fake::start().await;
    let create = ["--json", "account", "create", "--currency", "EUR", "--name"];
    let refused = djinn(&url, &[&create[..], &[""]].concat()).await.ended(2);
    assert_eq!(refused.failure()["reason"], "BAD_NAME");
    assert_eq!(refused.failure()["fields"][0]["field"], "name");
    let sentence =
        "djinn: the name cannot be taken (BAD_NAME); name: must have 1 to 100 characters";
    assert_eq!(refused.stderr.lines().next(), Some(sentence));

    djinn(&url, &[&create[..], &["Main"]].concat())
        .await
        .ended(0);
    let again = djinn(&url, &[&create[..], &["Main"]].concat())
        .await
        .ended(8);
    assert_eq!(again.failure()["reason"], "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn transactions_follow_the_pages() {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let list = ["--json", "transactions", "list", "--account", "Main"];
    let all = djinn(&url, &list).await.ended(0).document();
    assert_eq!(all["transactions"].as_array().unwrap().len(), 2_500);
    assert_eq!(all["transactions"][0]["amount"]["minorUnits"], "-1999");

    let filters = [
        "--from",
        "2025-01-01",
        "--to",
        "2025-1-31",
        "--text",
        "cof",
        "--limit",
        "1200",
    ];
    let some = djinn(&url, &[&list[..], &filters].concat())
        .await
        .ended(0)
        .document();
    assert_eq!(some["transactions"].as_array().unwrap().len(), 1_200);

    let state = fake.state();
    let sizes: Vec<_> = state
        .transaction_lists
        .iter()
        .map(|request| request.page_size)
        .collect();
    assert_eq!(sizes, [1_000, 1_000, 1_000, 1_000, 200]);
    let last = state.transaction_lists.last().unwrap();
    assert_eq!(last.account_id, state.accounts[0].account_id);
    assert_eq!(
        (&*last.booked_from, &*last.booked_to),
        ("2025-01-01", "2025-01-31")
    );
    assert_eq!(last.text, "cof");
}

#[tokio::test]
async fn an_unknown_account_is_not_found() {
    let (_fake, url) = Fake::start().await;
    let by_name = djinn(
        &url,
        &["--json", "transactions", "list", "--account", "Main"],
    )
    .await;
    assert_eq!(by_name.ended(6).failure()["reason"], "NO_SUCH_ACCOUNT");
    let id = "0190a0a0-0000-7000-8000-000000000009";
    let by_id = djinn(&url, &["--json", "transactions", "list", "--account", id]).await;
    assert_eq!(by_id.ended(6).failure()["reason"], "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn a_bad_token_is_told_apart_from_none() {
    let (_fake, url) = Fake::start().await;
    let list = ["--json", "account", "list"];
    let mut bad = command(&url, &list);
    bad.env("DJINN_TOKEN", "another");
    let bad = outcome(bad).await.ended(7);
    assert_eq!(bad.failure()["reason"], "TOKEN_EXPIRED");
    assert!(bad.stderr.contains("sign in again"), "{}", bad.stderr);

    let mut none = command(&url, &list);
    none.env_remove("DJINN_TOKEN");
    assert_eq!(
        outcome(none).await.ended(7).failure()["reason"],
        "TOKEN_MISSING"
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{closed}");
        let down = djinn(&url, &["--json", "account", "list"]).await.ended(9);
        assert_eq!(down.stdout, "");
        assert_eq!(down.failure()["reason"], "UNREACHABLE");
        let first = down.stderr.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("djinn: cannot reach {url}: ")),
            "{first}"
        );
        assert!(first.contains("refused"), "{first}");
    }
}
