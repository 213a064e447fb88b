//! Following an import: its life and all its ends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::Status;

use djinn_gateway::domain::limits;
use djinn_proto::imports::v1::{Import, ImportState, Reading, WatchImportResponse};

use super::{Client, Heard};
use crate::{
    backend::{Backend, MISSING, sample},
    edge::{Gateway, SOON},
    keys::now,
};

const FOLLOW: &str =
    "subscription { importProgress(importId: \"i1\") { id state account { name } } }";

async fn send(backend: &Backend, state: ImportState) {
    let import = Import {
        state: state.into(),
        ..sample::import("i1")
    };
    update(backend, import).await;
}

async fn update(backend: &Backend, import: Import) {
    let import = Some(import);
    let sent = backend.watch.send(Ok(WatchImportResponse { import }));
    sent.await.expect("the service is heard");
}

/// The service hears that nobody follows any more.
async fn left(backend: &Backend) {
    let closed = timeout(SOON, backend.watch.closed()).await;
    closed.expect("the service hears of it");
}

#[tokio::test]
async fn an_import_is_followed_to_its_end() {
    let mut backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token();
    let mut client = Client::known(&gateway, &token).await;
    client.subscribe("1", FOLLOW).await;
    for (state, name) in [
        (ImportState::Staging, "STAGING"),
        (ImportState::Review, "REVIEW"),
        (ImportState::Committed, "COMMITTED"),
    ] {
        send(&backend, state).await;
        let told = client.next("next", "1").await;
        let account = json!({ "name": "Account a1" });
        let expected = json!({ "id": "i1", "state": name, "account": account });
        assert_eq!(told, json!({ "data": { "importProgress": expected } }));
    }
    // What hangs on an event is as fresh as the event.
    assert_eq!(backend.asked("GetAccount").len(), 3);
    assert_eq!(backend.asked("WatchImport"), [json!({ "importId": "i1" })]);
    for call in backend.calls() {
        assert_eq!(
            call.get("authorization").expect("a token"),
            &*format!("Bearer {token}")
        );
    }
    backend.end_watch();
    client.next("complete", "1").await;
    // The socket stays.
    client
        .subscribe("1", "{ account(id: \"a1\") { id } }")
        .await;
    client.next("next", "1").await;
}

#[tokio::test]
async fn what_a_service_refuses_ends_it_with_the_reason() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    let query = FOLLOW.replace("i1", MISSING);
    client.subscribe("1", &query).await;
    let told = client.next("next", "1").await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(told["data"], Value::Null);
    client.next("complete", "1").await;

    client.subscribe("2", FOLLOW).await;
    send(&backend, ImportState::Staging).await;
    client.next("next", "2").await;
    let sent = backend.watch.send(Err(Status::internal("secret"))).await;
    sent.expect("the service is heard");
    let told = client.next("next", "2").await;
    assert_eq!(told["errors"][0]["message"], "the call failed");
    client.next("complete", "2").await;
    left(&backend).await;
}

#[tokio::test]
async fn it_ends_with_its_token_and_the_socket_follows() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let token = gateway.keys.token_with(json!({ "exp": now() + 2 }));
    let mut client = Client::known(&gateway, &token).await;
    client.subscribe("1", FOLLOW).await;
    send(&backend, ImportState::Review).await;
    client.next("next", "1").await;
    let told = client.next("next", "1").await;
    let told = &told["errors"][0]["extensions"];
    assert_eq!(told["code"], "UNAUTHENTICATED");
    assert_eq!(told["reason"], "TOKEN_EXPIRED");
    client.next("complete", "1").await;
    assert_eq!(
        client.hear().await,
        Heard::Closed(4401, "UNAUTHENTICATED".to_owned())
    );
    left(&backend).await;
}

#[tokio::test]
async fn completing_or_leaving_cancels_it_at_the_service() {
    for way in ["complete", "close", "hang up"] {
        let backend = Backend::start().await;
        let gateway = Gateway::before(backend.address).await;
        let mut client = Client::known(&gateway, &gateway.keys.token()).await;
        client.subscribe("1", FOLLOW).await;
        send(&backend, ImportState::Staging).await;
        client.next("next", "1").await;
        match way {
            "complete" => {
                client.say(json!({ "type": "complete", "id": "1" })).await;
                left(&backend).await;
                client
                    .subscribe("1", "{ account(id: \"a1\") { id } }")
                    .await;
                client.next("next", "1").await;
            }
            "close" => {
                client.0.close(None).await.expect("sent");
                // The gateway closes as well, before it hangs up.
                assert_eq!(client.hear().await, Heard::Left);
            }
            _ => drop(client),
        }
        left(&backend).await;
    }
}

#[tokio::test]
async fn a_stop_ends_it_and_then_the_gateway() {
    let backend = Backend::start().await;
    let mut gateway = Gateway::before(backend.address).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    let mut idle = Client::known(&gateway, &gateway.keys.token()).await;
    client.subscribe("1", FOLLOW).await;
    send(&backend, ImportState::Staging).await;
    client.next("next", "1").await;
    gateway.shutdown.begin();
    let told = client.next("next", "1").await;
    let told = &told["errors"][0]["extensions"];
    assert_eq!(
        (&told["code"], &told["reason"]),
        (&json!("UNAVAILABLE"), &json!("SERVER_STOPPING"))
    );
    client.next("complete", "1").await;
    let closed = Heard::Closed(1001, "SERVER_STOPPING".to_owned());
    assert_eq!(client.hear().await, closed);
    assert_eq!(idle.hear().await, closed);
    left(&backend).await;
    drop((client, idle));
    let ended = timeout(SOON, &mut gateway.task).await.expect("an end");
    ended.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_slow_client_stops_the_service_and_is_dropped() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = Client::known(&gateway, &gateway.keys.token()).await;
    let query = FOLLOW.replace("account { name }", "reading { evidence }");
    client.subscribe("1", &query).await;
    let size = 64 * 1024;
    let import = Import {
        reading: Some(Reading {
            evidence: vec!["x".repeat(size)],
            ..Reading::default()
        }),
        ..sample::import("i1")
    };
    // What is under way fits into the windows of two connections; nothing else is kept.
    let most = 32 * 1024 * 1024 / size;
    let mut taken = 0;
    let patience = Duration::from_secs(2);
    while timeout(patience, update(&backend, import.clone()))
        .await
        .is_ok()
    {
        taken += 1;
        assert!(taken < most, "the gateway keeps what nobody reads");
    }
    let dropped = timeout(limits::CONNECTION_STALL * 2, backend.watch.closed()).await;
    dropped.expect("the client is dropped");
}
