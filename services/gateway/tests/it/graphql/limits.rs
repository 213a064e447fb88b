//! Each limit of a GraphQL request, hit once; and that what stays below them works.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use djinn_chassis::testing::eventually;
use djinn_gateway::domain::limits;

use super::{ask, data, posted, refusal, refused, send};
use crate::{
    backend::{Backend, HANG, LONG},
    edge::{Gateway, SOON},
    wire,
};

/// The document that common tools send to learn a schema.
const INTROSPECTION: &str = "
    query IntrospectionQuery { __schema { queryType { name } mutationType { name }
        subscriptionType { name } types { ...FullType }
        directives { name description locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name
        description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
        inputFields { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind
        name ofType { kind name } } } } } } } } } }";

#[tokio::test]
async fn documents_beyond_a_limit_are_refused_before_any_call() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let bomb = {
        let mut bomb = "{ ...F0 }".to_owned();
        for at in 0..25 {
            let spreads = format!(" ...F{}", at + 1).repeat(20);
            bomb += &format!(" fragment F{at} on Query {{ {spreads} }}");
        }
        bomb + " fragment F25 on Query { account(id: 1) { id } }"
    };
    let aliases: String = (0..=limits::QUERY_ALIASES_MAX)
        .map(|at| format!("n{at}: id "))
        .collect();
    for (query, reason) in [
        ("#".repeat(limits::QUERY_BYTES_MAX + 1), "QUERY_TOO_LARGE"),
        (
            format!("{{ a {} {} }}", "{ a ".repeat(15), "}".repeat(15)),
            "QUERY_TOO_DEEP",
        ),
        (bomb, "QUERY_TOO_MANY_FIELDS"),
        (
            "{ ...A } fragment A on Query { ...A }".to_owned(),
            "QUERY_INVALID",
        ),
        (
            format!("{{ {} }}", "account(id: 1) { id } ".repeat(21)),
            "QUERY_TOO_MANY_ROOTS",
        ),
        (
            format!("{{ account(id: 1) {{ {aliases} }} }}"),
            "QUERY_TOO_MANY_ALIASES",
        ),
        (
            format!(
                "{{ account(id: 1) {{ {} }} }}",
                "id @skip(if: true) ".repeat(51)
            ),
            "QUERY_TOO_MANY_DIRECTIVES",
        ),
        // A thousand times five and a call, twice a page of a page.
        (
            "{ imports(first: 50) { nodes { rows(first: 100) { nodes { line rowNumber included
                verdict } } } } }"
                .to_owned(),
            "QUERY_TOO_COSTLY",
        ),
        (
            "{ __schema { types { name } } }".to_owned(),
            "INTROSPECTION_OFF",
        ),
        ("{ nothing }".to_owned(), "QUERY_INVALID"),
        ("{ account(id: 1) { id }".to_owned(), "QUERY_INVALID"),
        ("".to_owned(), "QUERY_INVALID"),
        (
            "subscription { importProgress(importId: 1) { id } }".to_owned(),
            "SUBSCRIPTION_REFUSED",
        ),
    ] {
        let answer = ask(&gateway, &query).await;
        let told = refusal(&answer);
        assert_eq!(told.1, reason, "{query:.60}");
        assert_eq!(answer.get("data"), None, "{query:.60}");
    }
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn the_cost_of_a_page_follows_its_variables() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = "query($first: Int) { transactions(first: $first) { nodes { id note etag amount {
        amount } account { name } } } }";
    for (first, reason) in [
        (json!(null), None),
        (json!(900), None),
        (json!(1_000), None),
        (json!(100_000), Some("ARGUMENT_INVALID")),
    ] {
        let answer = wire::json(&send(&gateway, query, json!({ "first": first })).await);
        match reason {
            None => assert_eq!(answer["errors"], Value::Null, "{first}"),
            Some(reason) => assert_eq!(refusal(&answer).1, reason, "{first}"),
        }
    }
    let wider = query.replace("etag", "etag import { account { id } }");
    let answer = wire::json(&send(&gateway, &wider, json!({ "first": 1_000 })).await);
    refused(&answer, "INVALID_ARGUMENT", "QUERY_TOO_COSTLY");
}

#[tokio::test]
async fn nesting_of_any_kind_does_not_end_the_gateway() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let deep = |open: &str, close: &str| {
        let times = limits::QUERY_BYTES_MAX / (open.len() + close.len()) - 20;
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    for query in [
        deep("{a", "}"),
        "{a".repeat(8_000),
        format!(
            "{{ accounts(first: {}) {{ nodes {{ id }} }} }}",
            deep("[", "]")
        ),
        format!(
            "{{ accounts(first: {}) {{ nodes {{ id }} }} }}",
            deep("{a:", "}")
        ),
        format!(
            "query($a: {}) {{ accounts(first: $a) {{ nodes {{ id }} }} }}",
            {
                let times = limits::QUERY_BYTES_MAX / 2 - 60;
                format!("{}Int{}", "[".repeat(times), "]".repeat(times))
            }
        ),
        format!("{{ ...on Query {} }}", deep("{...on Query", "}")),
    ] {
        // Some of them are good documents, if anybody wants such.
        ask(&gateway, &query).await;
    }
    let variables = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!("{{\"query\":\"{{ a }}\",\"variables\":{{\"a\":{variables}}}}}");
    let answer = wire::http1(posted(&gateway, Some(&gateway.keys.token()), body)).await;
    assert_eq!(answer.status(), 400);
    data(&gateway, "{ account(id: 1) { id } }").await;
}

#[tokio::test]
async fn an_answer_has_an_end() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let query = format!(
        "{{ transactions(first: 1000, text: \"{LONG}\") {{ nodes {{ a: note b: note }} }} }}"
    );
    let answer = ask(&gateway, &query).await;
    refused(&answer, "INVALID_ARGUMENT", "ANSWER_TOO_LARGE");
    assert_eq!(answer.get("data"), None);
    let one = query.replace("b: note", "id");
    let told = data(&gateway, &one).await;
    assert_eq!(
        told["transactions"]["nodes"].as_array().map(Vec::len),
        Some(1_000)
    );
}

#[tokio::test]
async fn a_user_has_a_share_of_the_requests() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let hang = json!({ "query": format!("{{ import(id: \"{HANG}\") {{ id }} }}") }).to_string();
    let mut hanging = JoinSet::new();
    for at in 0..limits::USER_REQUESTS_MAX {
        hanging.spawn(wire::http1(posted(&gateway, Some(&token), hang.clone())));
        eventually("the call has arrived", SOON, async || {
            (backend.calls().len() == at + 1).then_some(())
        })
        .await;
    }
    let quick = json!({ "query": "{ account(id: 1) { id } }" }).to_string();
    let answer = wire::http1(posted(&gateway, Some(&token), quick.clone())).await;
    refused(&wire::json(&answer), "RESOURCE_EXHAUSTED", "TOO_MANY_CALLS");
    let other = gateway.keys.token();
    let answer = wire::http1(posted(&gateway, Some(&other), quick.clone())).await;
    assert_eq!(wire::json(&answer)["data"]["account"]["id"], "1");
    // Their clients hang up.
    hanging.shutdown().await;
    eventually("the places come back", SOON, async || {
        let answer = wire::http1(posted(&gateway, Some(&token), quick.clone())).await;
        (wire::json(&answer)["errors"] == Value::Null).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_schema_is_told_where_reflection_is_on() {
    let backend = Backend::start().await;
    let services = [backend.address, backend.address];
    let gateway = Gateway::with(&services, |config| config.reflection = true).await;
    let told = data(&gateway, INTROSPECTION).await;
    assert_eq!(told["__schema"]["queryType"]["name"], "Query");
    assert!(told["__schema"]["types"].as_array().expect("types").len() > 50);
}
