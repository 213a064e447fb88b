//! Reading by GraphQL.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::time::Instant;

use djinn_chassis::testing::free_port;
use djinn_gateway::domain::limits;

use super::{ask, data, posted, refused, send};
use crate::{
    backend::{ABSENT, APART, BROKEN, Backend, HANG, MISSING},
    edge::Gateway,
    wire,
};

#[tokio::test]
async fn an_import_is_told_whole_with_what_hangs_on_it() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let told = data(
        &gateway,
        "{ import(id: \"i1\") {
            id accountId state etag generation autoConfirm templateId expireTime
            upload { id fileName sizeBytes createTime }
            job { kind state progress { doneCount totalCount unit } failure { reason } endTime }
            reading { encoding headerLine columns { position name role } }
            counts { rowCount newCount editedCount }
            includedAmount { amount } balanceAfter { currencyCode minorUnits amount }
            questions { key prompt choices { value label samples } }
            warnings { reason } answers { key value } reversal { keptCount }
            balanceGaps { lineAbove lineBelow bookedBelow expected found difference
                unread { line reason } unreadCount } balanceGapCount
            account { id name kind state balance { amount } openingBalance { minorUnits }
                closeTime }
            rows(first: 3) { nodes { rowNumber verdict included action amount { amount }
                problem { reason original } transaction { id }
                resembles { transactionId bookedOn counterparty daysApart reason } }
                pageInfo { hasNextPage } }
        } }",
    )
    .await;
    let expected = json!({ "import": {
        "id": "i1", "accountId": "a1", "state": "ASKING", "etag": "e1", "generation": 1,
        "autoConfirm": false, "templateId": null, "expireTime": null,
        "upload": { "id": "u1", "fileName": "may.csv", "sizeBytes": "5000000000",
            "createTime": "2026-02-28T12:00:00.123456Z" },
        "job": { "kind": "IMPORT", "state": "WAITING",
            "progress": { "doneCount": "7", "totalCount": null, "unit": "rows" },
            "failure": null, "endTime": null },
        "reading": { "encoding": "UTF-8", "headerLine": null,
            "columns": [{ "position": 1, "name": null, "role": "booked_on" }] },
        "counts": { "rowCount": 7, "newCount": 0, "editedCount": 2 },
        "includedAmount": null,
        "balanceAfter": { "currencyCode": "EUR", "minorUnits": "5", "amount": "0.05" },
        "questions": [{ "key": "date", "prompt": "Which comes first?", "choices": [
            { "value": "dmy", "label": "day first", "samples": ["01.02.2026"] }] }],
        "warnings": [{ "reason": "ID_CONFLICT" }],
        "balanceGaps": [{ "lineAbove": 4, "lineBelow": 6, "bookedBelow": "2026-02-03",
            "expected": "110.00", "found": "80.00", "difference": "-30.00",
            "unread": [{ "line": 5, "reason": "BAD_DATE" }], "unreadCount": 1 }],
        "balanceGapCount": 21,
        "answers": [{ "key": "a", "value": "1" }, { "key": "b", "value": "2" }],
        "reversal": null,
        "account": { "id": "a1", "name": "Account a1", "kind": "CREDIT_CARD", "state": "OPEN",
            "balance": { "amount": "-1234.56" }, "openingBalance": { "minorUnits": "0" },
            "closeTime": null },
        "rows": { "nodes": [
            { "rowNumber": 1, "verdict": "NEW", "included": true, "action": "ADD",
                "amount": { "amount": "0.01" }, "problem": null, "transaction": null,
                "resembles": null },
            { "rowNumber": 2, "verdict": "INVALID", "included": false, "action": "SKIP",
                "amount": null, "problem": { "reason": "BAD_DATE", "original": "x;y" },
                "transaction": null, "resembles": null },
            { "rowNumber": 3, "verdict": "NEW", "included": true, "action": "ADD",
                "amount": { "amount": "0.03" }, "problem": null, "transaction": null,
                "resembles": { "transactionId": "t9", "bookedOn": "2025-01-30",
                    "counterparty": null, "daysApart": -2, "reason": "SAME_AMOUNT" } }],
            "pageInfo": { "hasNextPage": true } },
    } });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let lists = [
        ("accounts(state: OPEN, ", "id", 5),
        ("imports(states: [REVIEW, ASKING], ", "id", 5),
        (
            "importRows(importId: \"i\", included: true, ",
            "rowNumber",
            4,
        ),
        ("templates(accountId: \"a\", ", "id", 3),
        ("transactionChanges(transactionId: \"x\", ", "changeTime", 3),
    ];
    for (list, field, all) in lists {
        let (mut after, mut found) = (Value::Null, 0);
        loop {
            let query = format!(
                "{{ it: {list} first: 2, after: {after}) {{
                    edges {{ cursor node {{ {field} }} }} nodes {{ {field} }}
                    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
            );
            let page = data(&gateway, &query).await["it"].clone();
            let edges = page["edges"].as_array().expect("edges");
            let nodes: Vec<_> = edges.iter().map(|edge| edge["node"].clone()).collect();
            assert_eq!(page["nodes"], json!(nodes), "{list}");
            found += edges.len();
            let info = &page["pageInfo"];
            assert_eq!(info["hasPreviousPage"], json!(!after.is_null()), "{list}");
            assert_eq!(
                info["endCursor"],
                edges.last().expect("one")["cursor"],
                "{list}"
            );
            if info["hasNextPage"] == false {
                assert!(info["endCursor"].is_null(), "{list}");
                break;
            }
            assert_eq!(
                (edges.len(), &info["startCursor"]),
                (2, &Value::Null),
                "{list}"
            );
            after = info["endCursor"].clone();
        }
        assert_eq!(found, all, "{list}");
    }
    assert_eq!(
        backend.asked("ListImports")[0]["states"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let rows = backend.asked("ListImportRows");
    assert_eq!(
        (&rows[0]["included"], &rows[0]["importId"]),
        (&json!(true), &json!("i"))
    );
}

#[tokio::test]
async fn a_cursor_serves_only_its_own_list() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let page = "{ accounts(first: 2) { pageInfo { endCursor } } }";
    let cursor = data(&gateway, page).await["accounts"]["pageInfo"]["endCursor"].clone();
    let other = format!("{{ accounts(state: CLOSED, after: {cursor}) {{ nodes {{ id }} }} }}");
    let answer = ask(&gateway, &other).await;
    refused(&answer, "INVALID_ARGUMENT", "FIELDS_INVALID");
    let fields = json!([{ "field": "after", "description": "is not a token of this list" }]);
    assert_eq!(answer["errors"][0]["extensions"]["fields"], fields);
    assert_eq!(answer["errors"][0]["path"], json!(["accounts"]));
    assert_eq!(answer["data"], json!({ "accounts": null }));
    for first in [0, -1, 1_001] {
        let query = format!("{{ accounts(first: {first}) {{ nodes {{ id }} }} }}");
        let answer = ask(&gateway, &query).await;
        refused(&answer, "INVALID_ARGUMENT", "ARGUMENT_INVALID");
    }
}

#[tokio::test]
async fn every_filter_of_transactions_arrives() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = "query($from: Date, $text: String) {
        transactions(first: 1, accountId: \"a\", importId: \"i\", bookedFrom: $from,
            bookedTo: \"2026-12-31\", text: $text) { nodes {
                id bookedOn valueOn amount { minorUnits amount } counterparty source externalId
                note reconciled lockedFields etag updateTime } } }";
    let variables = json!({ "from": "2026-01-01", "text": "\"; drop" });
    let answer = wire::json(&send(&gateway, query, variables).await);
    let expected = json!({ "id": "x0", "bookedOn": "2026-02-28", "valueOn": null,
        "amount": { "minorUnits": "-9223372036854775808", "amount": "-92233720368547758.08" },
        "counterparty": null, "source": "IMPORT", "externalId": null, "note": null,
        "reconciled": false, "lockedFields": ["booked_on"], "etag": "e1", "updateTime": null });
    assert_eq!(answer["data"]["transactions"]["nodes"], json!([expected]));
    let asked = json!({ "pageSize": 1, "accountId": "a", "importId": "i",
        "bookedFrom": "2026-01-01", "bookedTo": "2026-12-31", "text": "\"; drop" });
    assert_eq!(backend.asked("ListTransactions"), [asked]);
}

#[tokio::test]
async fn a_hundred_transactions_of_one_account_ask_for_it_once() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = "{ transactions { nodes { account { id name } import { id account { id } } } }
                   account(id: \"a1\") { id } transaction(id: \"x\") { account { id } } }";
    let told = data(&gateway, query).await;
    assert_eq!(
        told["transactions"]["nodes"].as_array().map(Vec::len),
        Some(100)
    );
    assert_eq!(backend.asked("GetAccount").len(), 1);
    assert_eq!(backend.asked("GetImport").len(), 1);
    // The next request hears what has changed since.
    data(&gateway, "{ account(id: \"a1\") { id } }").await;
    assert_eq!(backend.asked("GetAccount").len(), 2);
}

#[tokio::test]
async fn many_lookups_take_turns_and_leave_places_for_others() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = format!(
        "{{ transactions(first: 500, text: \"{APART}\") {{ nodes {{ account {{ id }} }} }} }}"
    );
    data(&gateway, &query).await;
    assert_eq!(backend.asked("GetAccount").len(), 500);
}

#[tokio::test]
async fn the_token_and_the_id_of_the_request_are_passed_on() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let body =
        json!({ "query": "{ import(id: \"i\") { account { id } rows { nodes { line } } } }" });
    let answer = wire::http1(posted(&gateway, Some(&token), body.to_string())).await;
    let id = answer.headers()["x-request-id"].to_str().expect("text");
    let calls = backend.calls();
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!(
            call.get("authorization").expect("a token"),
            &*format!("Bearer {token}")
        );
        assert_eq!(call.get("x-request-id").expect("an id"), id);
        assert!(call.contains_key("grpc-timeout"));
    }
}

#[tokio::test]
async fn what_fails_is_null_and_the_rest_is_told() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = format!(
        "{{ good: account(id: \"a1\") {{ id }} other: account(id: \"{MISSING}\") {{ id }} }}"
    );
    let answer = ask(&gateway, &query).await;
    assert_eq!(
        answer["data"],
        json!({ "good": { "id": "a1" }, "other": null })
    );
    refused(&answer, "NOT_FOUND", "IMPORT_UNKNOWN");
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["path"], &error["message"]),
        (&json!(["other"]), &json!("no such import"))
    );
    let fields = json!([{ "field": "importId", "description": "no such import" }]);
    assert_eq!(error["extensions"]["fields"], fields);
}

#[tokio::test]
async fn internals_are_never_shown() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for (id, code) in [(BROKEN, "INTERNAL"), (ABSENT, "UNIMPLEMENTED")] {
        let answer = ask(&gateway, &format!("{{ import(id: \"{id}\") {{ id }} }}")).await;
        refused(&answer, code, code);
        assert_eq!(
            answer["errors"][0]["message"], "the call failed",
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_told_beside_what_is_there() {
    let backend = Backend::start().await;
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let gateway = Gateway::with(&[backend.address, nobody], |_| {}).await;
    let began = Instant::now();
    let answer = ask(&gateway, "{ import(id: \"i1\") { id account { id } } }").await;
    assert_eq!(
        answer["data"],
        json!({ "import": { "id": "i1", "account": null } })
    );
    refused(&answer, "UNAVAILABLE", "SERVICE_UNAVAILABLE");
    assert!(began.elapsed() < limits::DEADLINE_DEFAULT);
}

#[tokio::test]
async fn a_service_that_hangs_costs_the_deadline_and_no_more() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let began = Instant::now();
    let query = format!(
        "{{ account(id: \"a1\") {{ id }} import(id: \"{HANG}\") {{ id }}
            other: import(id: \"{HANG}\") {{ id }} }}"
    );
    let answer = ask(&gateway, &query).await;
    assert_eq!(answer["data"]["account"]["id"], "a1");
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2);
    for error in errors {
        assert_eq!(
            error["extensions"]["reason"], "DEADLINE_EXCEEDED",
            "{answer}"
        );
    }
    let took = began.elapsed();
    assert!(took >= limits::DEADLINE_DEFAULT && took < limits::DEADLINE_DEFAULT * 2);
    assert_eq!(
        backend.asked("GetImport").len(),
        1,
        "both wait for one call"
    );
}
