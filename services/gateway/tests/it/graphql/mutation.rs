//! Changing by GraphQL: each mutation passes on what it got.

use serde_json::{Value, json};

use super::{REQUEST, ask, data, refused, send};
use crate::{
    backend::{ABSENT, Backend, MISSING, STALE},
    edge::Gateway,
    wire,
};

/// A mutation with its input, what it selects and answers, and what the service was asked.
struct Case {
    name: &'static str,
    argument: Value,
    selects: &'static str,
    answers: Value,
    asks: (&'static str, Value),
}

fn accounts() -> Vec<Case> {
    vec![
        Case {
            name: "createAccount(input: CreateAccountInput!)",
            argument: json!({ "requestId": REQUEST, "name": "Giro", "kind": "SAVINGS",
                "currencyCode": "EUR",
                "openingBalance": { "currencyCode": "EUR", "minorUnits": "-9007199254740993" } }),
            selects: "{ id name }",
            answers: json!({ "id": "created", "name": "Giro" }),
            asks: (
                "CreateAccount",
                json!({ "requestId": REQUEST, "name": "Giro", "kind": "ACCOUNT_KIND_SAVINGS",
                    "currencyCode": "EUR",
                    "openingBalance":
                        { "currencyCode": "EUR", "minorUnits": "-9007199254740993" } }),
            ),
        },
        Case {
            name: "updateAccount(input: UpdateAccountInput!)",
            argument: json!({ "accountId": "a1", "etag": "e1", "name": "New", "kind": null }),
            selects: "{ id }",
            answers: json!({ "id": "a1" }),
            asks: (
                "UpdateAccount",
                json!({ "account": { "accountId": "a1", "etag": "e1", "name": "New" },
                    "updateMask": { "paths": ["kind", "name"] } }),
            ),
        },
        Case {
            name: "closeAccount(id: ID!)",
            argument: json!("a1"),
            selects: "{ id state }",
            answers: json!({ "id": "a1", "state": "CLOSED" }),
            asks: ("CloseAccount", json!({ "accountId": "a1" })),
        },
    ]
}

fn transactions() -> Vec<Case> {
    vec![
        Case {
            name: "createTransaction(input: CreateTransactionInput!)",
            argument: json!({ "requestId": REQUEST, "accountId": "a1", "bookedOn": "2026-02-28",
                "amount": { "currencyCode": "EUR", "minorUnits": -5 }, "note": "mine" }),
            selects: "{ id account { id } }",
            answers: json!({ "id": "created", "account": { "id": "a1" } }),
            asks: (
                "CreateTransaction",
                json!({ "requestId": REQUEST, "accountId": "a1", "bookedOn": "2026-02-28",
                    "amount": { "currencyCode": "EUR", "minorUnits": "-5" }, "note": "mine" }),
            ),
        },
        Case {
            name: "updateTransaction(input: UpdateTransactionInput!)",
            argument: json!({ "transactionId": "x1", "etag": "e1", "valueOn": null,
                "bookedOn": "2026-03-01", "amount": { "currencyCode": "EUR", "minorUnits": "7" },
                "note": "n", "description": null, "counterparty": "c", "reconciled": true }),
            selects: "{ id etag }",
            answers: json!({ "id": "x1", "etag": "e1" }),
            asks: (
                "UpdateTransaction",
                json!({ "transaction": { "transactionId": "x1", "etag": "e1",
                        "bookedOn": "2026-03-01", "note": "n", "counterparty": "c",
                        "amount": { "currencyCode": "EUR", "minorUnits": "7" },
                        "reconciled": true },
                    "updateMask": { "paths": ["amount", "booked_on", "counterparty",
                        "description", "note", "reconciled", "value_on"] } }),
            ),
        },
        Case {
            name: "deleteTransaction(input: DeleteTransactionInput!)",
            argument: json!({ "transactionId": "x1", "etag": "e1" }),
            selects: "",
            answers: json!("x1"),
            asks: (
                "DeleteTransaction",
                json!({ "transactionId": "x1", "etag": "e1" }),
            ),
        },
        Case {
            name: "unlockTransactionFields(input: UnlockTransactionFieldsInput!)",
            argument: json!({ "transactionId": "x1", "etag": "e1", "fields": ["note"] }),
            selects: "{ id }",
            answers: json!({ "id": "x1" }),
            asks: (
                "UnlockTransactionFields",
                json!({ "transactionId": "x1", "etag": "e1", "fields": ["note"] }),
            ),
        },
    ]
}

fn another_mapping() -> Case {
    Case {
        name: "rereadImport(input: RereadImportInput!)",
        argument: json!({ "requestId": REQUEST, "importId": "i1", "etag": "e1",
            "mapping": { "delimiter": "|", "headerLine": 3,
                "columns": [{ "position": 2, "role": "amount", "format": "1.234,56" },
                    { "position": 4, "role": "ignored" }] },
            "answers": [{ "key": "date", "value": "dmy" }] }),
        selects: "{ id mapping { encoding delimiter headerLine \
            columns { position role format } } }",
        answers: json!({ "id": "i1", "mapping": { "encoding": null, "delimiter": "|",
            "headerLine": 3, "columns": [
                { "position": 2, "role": "amount", "format": "1.234,56" },
                { "position": 4, "role": "ignored", "format": null }] } }),
        asks: (
            "RereadImport",
            json!({ "requestId": REQUEST, "importId": "i1", "etag": "e1",
                "mapping": { "delimiter": "|", "headerLine": "3", "columns": [
                    { "position": 2, "role": "amount", "format": "1.234,56" },
                    { "position": 4, "role": "ignored" }] },
                "answers": { "date": "dmy" } }),
        ),
    }
}

fn imports() -> Vec<Case> {
    let (named, seen) = (
        json!({ "requestId": REQUEST, "importId": "i1" }),
        json!({ "requestId": REQUEST, "importId": "i1", "etag": "e1" }),
    );
    vec![
        Case {
            name: "createImport(input: CreateImportInput!)",
            argument: json!({ "requestId": REQUEST, "uploadId": "u1", "accountId": "a2" }),
            selects: "{ id accountId }",
            answers: json!({ "id": "created", "accountId": "a2" }),
            asks: (
                "CreateImport",
                json!({ "requestId": REQUEST, "uploadId": "u1", "accountId": "a2" }),
            ),
        },
        Case {
            name: "answerImport(input: AnswerImportInput!)",
            argument: json!({ "requestId": REQUEST, "importId": "i1", "etag": "e1",
                "answers": [{ "key": "date", "value": "dmy" }, { "key": "b", "value": "2" }] }),
            selects: "{ id }",
            answers: json!({ "id": "i1" }),
            asks: (
                "AnswerImport",
                json!({ "requestId": REQUEST, "importId": "i1", "etag": "e1",
                    "answers": { "date": "dmy", "b": "2" } }),
            ),
        },
        another_mapping(),
        rows(),
        Case {
            name: "confirmImport(input: ConfirmImportInput!)",
            argument: seen.clone(),
            selects: "{ id }",
            answers: json!({ "id": "i1" }),
            asks: ("ConfirmImport", seen),
        },
        Case {
            name: "cancelImport(input: ImportInput!)",
            argument: named.clone(),
            selects: "{ id }",
            answers: json!({ "id": "i1" }),
            asks: ("CancelImport", named.clone()),
        },
        Case {
            name: "revertImport(input: ImportInput!)",
            argument: named.clone(),
            selects: "{ reversal { removedCount keptCount } }",
            answers: json!({ "reversal": { "removedCount": 9, "keptCount": 1 } }),
            asks: ("RevertImport", named),
        },
    ]
}

fn templates() -> Vec<Case> {
    vec![Case {
        name: "deleteTemplate(id: ID!)",
        argument: json!("t1"),
        selects: "",
        answers: json!("t1"),
        asks: ("DeleteTemplate", json!({ "templateId": "t1" })),
    }]
}

/// Decisions and edits of a review.
fn rows() -> Case {
    Case {
        name: "updateImportRows(input: UpdateImportRowsInput!)",
        argument: json!({ "importId": "i1", "etag": "e1", "changes": [
                { "rowNumber": 1, "included": false }, { "rowNumber": 2, "included": true },
                { "rowNumber": 3, "action": "LINK" },
                { "rowNumber": 4, "bookedOn": "2026-02-28", "valueOn": null, "description": "Rent",
                  "amount": { "currencyCode": "EUR", "minorUnits": "-5" } },
                { "rowNumber": 5, "description": null, "counterparty": "",
                  "resetFields": ["amount"] }] }),
        selects: "{ id }",
        answers: json!({ "id": "i1" }),
        asks: (
            "UpdateImportRows",
            json!({ "importId": "i1", "etag": "e1", "changes": [
                    { "rowNumber": "1" }, { "rowNumber": "2", "included": true },
                    { "rowNumber": "3", "action": "ROW_ACTION_LINK" },
                    { "rowNumber": "4", "bookedOn": "2026-02-28", "valueOn": "",
                      "description": "Rent",
                      "amount": { "currencyCode": "EUR", "minorUnits": "-5" } },
                    { "rowNumber": "5", "description": "", "counterparty": "",
                      "resetFields": ["amount"] }] }),
        ),
    }
}

/// A document for a mutation written as `name(argument: Type!)`.
fn document(name: &str, selects: &str) -> String {
    let (field, argument) = name.split_once('(').expect("an argument");
    let (argument, kind) = argument.split_once(": ").expect("a type");
    format!("mutation($it: {kind} {{ it: {field}({argument}: $it) {selects} }}")
}

#[tokio::test]
async fn each_passes_on_what_it_got() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for case in accounts()
        .into_iter()
        .chain(transactions())
        .chain(imports())
        .chain(templates())
    {
        let document = document(case.name, case.selects);
        let answer = send(&gateway, &document, json!({ "it": case.argument })).await;
        let expected = json!({ "data": { "it": case.answers } });
        assert_eq!(wire::json(&answer), expected, "{}", case.name);
        let (method, asked) = case.asks;
        assert_eq!(backend.asked(method), [asked], "{}", case.name);
    }
}

#[tokio::test]
async fn refusals_keep_their_code_and_reason() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let update = |id: &str, etag: &str| {
        format!(
            "mutation {{ updateTransaction(input: {{ transactionId: \"{id}\", etag: \"{etag}\",
                note: \"n\" }}) {{ id }} }}"
        )
    };
    for (id, etag, code, reason) in [
        ("x1", STALE, "ABORTED", "ETAG_MISMATCH"),
        (MISSING, "e1", "NOT_FOUND", "IMPORT_UNKNOWN"),
        (ABSENT, "e1", "UNIMPLEMENTED", "UNIMPLEMENTED"),
    ] {
        let answer = ask(&gateway, &update(id, etag)).await;
        refused(&answer, code, reason);
        assert_eq!(answer["data"], json!({ "updateTransaction": null }));
    }
}

#[tokio::test]
async fn one_question_is_not_answered_twice() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = format!(
        "mutation {{ answerImport(input: {{ requestId: \"{REQUEST}\", importId: \"i\", etag: \"e\",
            answers: [{{ key: \"a\", value: \"1\" }}, {{ key: \"a\", value: \"2\" }}]
            }}) {{ id }} }}"
    );
    let answer = ask(&gateway, &query).await;
    refused(&answer, "INVALID_ARGUMENT", "ARGUMENT_INVALID");
    let fields = &answer["errors"][0]["extensions"]["fields"];
    assert_eq!(fields[0]["field"], "answers");
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn what_is_safe_to_repeat_needs_its_id() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for input in [
        "{ importId: \"i\" }",
        "{ importId: \"i\", requestId: \"again\" }",
    ] {
        let query = format!("mutation {{ revertImport(input: {input}) {{ id }} }}");
        let answer = ask(&gateway, &query).await;
        refused(&answer, "INVALID_ARGUMENT", "QUERY_INVALID");
    }
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn a_change_is_seen_by_what_comes_after_it() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let create = |name: &str| {
        format!(
            "{name}: createTransaction(input: {{ requestId: \"{REQUEST}\", accountId: \"a1\",
                bookedOn: \"2026-02-28\", amount: {{ currencyCode: \"EUR\", minorUnits: 1 }} }}) {{
                account {{ balance {{ amount }} }} }}"
        )
    };
    data(
        &gateway,
        &format!("mutation {{ {} {} }}", create("one"), create("two")),
    )
    .await;
    assert_eq!(backend.asked("GetAccount").len(), 2);
}
