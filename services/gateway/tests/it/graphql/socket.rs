//! WebSockets: who may have one, and how the protocol is kept.

use futures::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use djinn_gateway::domain::limits;

use super::{Client, Heard, PROTOCOL, message};
use crate::{
    backend::Backend,
    edge::Gateway,
    keys::{Keys, now},
};

fn closed(code: u16, reason: &str) -> Heard {
    Heard::Closed(code, reason.to_owned())
}

#[tokio::test]
async fn a_token_comes_with_the_first_message_or_the_header() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    client.say(json!({ "type": "ping" })).await;
    assert_eq!(client.hear().await, message(json!({ "type": "pong" })));

    let token = format!("Bearer {}", gateway.keys.token());
    let headers = [
        ("sec-websocket-protocol", PROTOCOL),
        ("authorization", &token),
    ];
    let mut client = Client::open(&gateway, &headers).await.expect("a socket");
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(
        client.hear().await,
        message(json!({ "type": "connection_ack" }))
    );
    client
        .subscribe("1", "{ account(id: \"a1\") { id } }")
        .await;
    let answer = client.next("next", "1").await;
    assert_eq!(answer, json!({ "data": { "account": { "id": "a1" } } }));
    client.next("complete", "1").await;
    assert_eq!(
        backend.calls()[0].get("authorization").expect("a token"),
        &*token
    );
}

#[tokio::test]
async fn a_bad_token_opens_nothing() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let protocol = ("sec-websocket-protocol", PROTOCOL);
    let expired = gateway.keys.token_with(json!({ "exp": now() - 1 }));
    for (token, reason) in [
        (Keys::new().token(), "TOKEN_INVALID"),
        (expired.clone(), "TOKEN_EXPIRED"),
    ] {
        let mut client = Client::open(&gateway, &[protocol]).await.expect("a socket");
        client.init(&token).await;
        assert_eq!(client.hear().await, closed(4403, reason));
        let header = format!("Bearer {token}");
        let refused = Client::open(&gateway, &[protocol, ("authorization", &header)]).await;
        assert_eq!(refused.err(), Some(401));
    }
    let mut client = Client::open(&gateway, &[protocol]).await.expect("a socket");
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.hear().await, closed(4403, "TOKEN_MISSING"));
    let mut client = Client::open(&gateway, &[protocol]).await.expect("a socket");
    client.subscribe("1", "{ account(id: 1) { id } }").await;
    assert_eq!(client.hear().await, closed(4401, "UNAUTHENTICATED"));
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn the_protocol_is_the_one_that_is_spoken() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for headers in [&[][..], &[("sec-websocket-protocol", "graphql-ws")]] {
        assert_eq!(Client::open(&gateway, headers).await.err(), Some(400));
    }
    let token = gateway.keys.token();
    for (said, code, reason) in [
        (Message::text("{"), 4400, "MESSAGE_INVALID"),
        (Message::binary(vec![0]), 4400, "MESSAGE_INVALID"),
        (
            Message::text(r#"{"type":"start","id":"1"}"#),
            4400,
            "MESSAGE_INVALID",
        ),
        (
            Message::text(r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#),
            4400,
            "MESSAGE_INVALID",
        ),
        (
            Message::text(r#"{"type":"connection_init"}"#),
            4429,
            "CONNECTION_INIT_REPEATED",
        ),
    ] {
        let mut client = Client::known(&gateway, &token).await;
        client.0.send(said).await.expect("sent");
        assert_eq!(client.hear().await, closed(code, reason));
    }
    let mut client = Client::known(&gateway, &token).await;
    let watch = "subscription { importProgress(importId: \"i\") { id } }";
    client.subscribe("1", watch).await;
    client.subscribe("1", "{ account(id: 1) { id } }").await;
    assert_eq!(client.hear().await, closed(4409, "OPERATION_ID_REUSED"));
    let mut client = Client::known(&gateway, &token).await;
    let large = "x".repeat(limits::SOCKET_MESSAGE_BYTES_MAX + 1);
    client.0.send(Message::text(large)).await.expect("sent");
    assert_eq!(client.hear().await, Heard::Gone);
}

#[tokio::test]
async fn a_refused_operation_leaves_the_others_alone() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    client.subscribe("bad", "{ nothing }").await;
    let errors = client.next("error", "bad").await;
    assert_eq!(errors[0]["extensions"]["reason"], "QUERY_INVALID");
    let batch = json!([{ "query": "{ account(id: 1) { id } }" }]);
    client
        .say(json!({ "type": "subscribe", "id": "batch", "payload": batch }))
        .await;
    let errors = client.next("error", "batch").await;
    assert_eq!(errors[0]["extensions"]["reason"], "BATCH_REFUSED");
    client
        .subscribe(
            "two",
            "subscription { a: importProgress(importId: 1) { id }
        b: importProgress(importId: 2) { id } }",
        )
        .await;
    let errors = client.next("error", "two").await;
    assert_eq!(errors[0]["extensions"]["reason"], "SUBSCRIPTION_REFUSED");
    assert_eq!(
        errors[0]["extensions"]["requestId"].as_str().map(str::len),
        Some(36)
    );
    // An id may be used again when its operation is over.
    for _ in 0..2 {
        client
            .subscribe("good", "mutation { closeAccount(id: \"a1\") { state } }")
            .await;
        let answer = client.next("next", "good").await;
        assert_eq!(answer["data"]["closeAccount"]["state"], "CLOSED");
        client.next("complete", "good").await;
    }
}

#[tokio::test]
async fn sockets_and_operations_are_counted() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let mut clients = Vec::new();
    for _ in 0..limits::USER_SOCKETS_MAX {
        clients.push(Client::known(&gateway, &token).await);
    }
    let protocol = ("sec-websocket-protocol", PROTOCOL);
    let mut client = Client::open(&gateway, &[protocol]).await.expect("a socket");
    client.init(&token).await;
    assert_eq!(client.hear().await, closed(4403, "TOO_MANY_OPEN"));
    Client::known(&gateway, &gateway.keys.token()).await;

    let mut client = clients.pop().expect("one");
    for at in 0..limits::SOCKET_OPERATIONS_MAX {
        let hang = "{ import(id: \"hang\") { id } }";
        client.subscribe(&at.to_string(), hang).await;
    }
    client.subscribe("more", "{ account(id: 1) { id } }").await;
    loop {
        // Some of those that hang are refused for the share of their user.
        let Heard::Message(heard) = client.hear().await else {
            panic!("closed");
        };
        let reason = &heard["payload"][0]["extensions"]["reason"];
        match heard["id"] == "more" {
            true => {
                assert_eq!(reason, "TOO_MANY_OPEN");
                break;
            }
            false => assert_eq!(reason, "TOO_MANY_CALLS"),
        }
    }
}

#[tokio::test]
async fn whoever_says_nothing_is_sent_away() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let protocol = ("sec-websocket-protocol", PROTOCOL);
    let mut client = Client::open(&gateway, &[protocol]).await.expect("a socket");
    let end = async {
        loop {
            if let Some(Ok(Message::Close(Some(frame)))) =
                futures::StreamExt::next(&mut client.0).await
            {
                return (u16::from(frame.code), frame.reason.to_string());
            }
        }
    };
    let end = tokio::time::timeout(limits::SOCKET_INIT_TIMEOUT * 2, end).await;
    let told = (4408, "CONNECTION_INIT_TIMEOUT".to_owned());
    assert_eq!(end.expect("in time"), told);
}
