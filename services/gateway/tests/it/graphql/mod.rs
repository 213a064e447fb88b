//! GraphQL at the edge, over real HTTP and WebSockets.

mod limits;
mod mutation;
mod page;
mod query;
mod request;
mod schema;
mod socket;
mod subscription;

use axum::body::Body;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{HeaderName, Request, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    edge::{Gateway, SOON},
    wire,
};

pub(crate) const PROTOCOL: &str = "graphql-transport-ws";

/// A UUID for a mutation.
pub(crate) const REQUEST: &str = "0190b3f4-0000-7000-8000-000000000001";

/// A request by POST, with a token or without.
pub(crate) fn posted(gateway: &Gateway, token: Option<&str>, body: String) -> Request<Body> {
    let mut request =
        Request::post(gateway.uri("/graphql")).header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body)).expect("a request")
}

/// Sends a document with a good token.
pub(crate) async fn send(gateway: &Gateway, query: &str, variables: Value) -> Response<Bytes> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    wire::http1(posted(gateway, Some(&gateway.keys.token()), body)).await
}

/// The answer to a document that comes through the transport well.
pub(crate) async fn ask(gateway: &Gateway, query: &str) -> Value {
    let answer = send(gateway, query, json!({})).await;
    assert_eq!(answer.status(), 200);
    wire::json(&answer)
}

/// The data of an answer without errors.
pub(crate) async fn data(gateway: &Gateway, query: &str) -> Value {
    let answer = ask(gateway, query).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    answer["data"].clone()
}

/// Code and reason of the only error, which has an id.
#[track_caller]
pub(crate) fn refusal(answer: &Value) -> (String, String) {
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{answer}");
    let told = &errors[0]["extensions"];
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("requestId").len(), 36, "{answer}");
    (text("code"), text("reason"))
}

/// The same as a pair of literals.
#[track_caller]
pub(crate) fn refused(answer: &Value, code: &str, reason: &str) {
    assert_eq!(refusal(answer), (code.to_owned(), reason.to_owned()));
}

/// What a client of a WebSocket hears.
#[derive(PartialEq, Debug)]
pub(crate) enum Heard {
    Message(Value),
    Closed(u16, String),
    /// A close without a reason, as it answers one.
    Left,
    Gone,
}

/// A client with a WebSocket.
pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    /// Opens the socket and says nothing.
    pub(crate) async fn open(
        gateway: &Gateway,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{}/graphql/ws", gateway.address);
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            let value = value.parse().expect("a value");
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        let stream = TcpStream::connect(gateway.address)
            .await
            .expect("a connection");
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens the socket as a user.
    pub(crate) async fn known(gateway: &Gateway, token: &str) -> Self {
        let open = Self::open(gateway, &[("sec-websocket-protocol", PROTOCOL)]).await;
        let mut client = open.expect("a socket");
        client.init(token).await;
        assert_eq!(
            client.hear().await,
            message(json!({ "type": "connection_ack" }))
        );
        client
    }

    pub(crate) async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload }))
            .await;
    }

    pub(crate) async fn say(&mut self, message: Value) {
        let message = Message::text(message.to_string());
        self.0.send(message).await.expect("sent");
    }

    /// Begins an operation.
    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next thing that is not a ping.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let heard = timeout(SOON, self.0.next()).await.expect("something");
            match heard {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Message(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Heard::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return Heard::Left,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    /// The payload of the next message, which has this type and is about this operation.
    pub(crate) async fn next(&mut self, kind: &str, id: &str) -> Value {
        match self.hear().await {
            Heard::Message(message) => {
                assert_eq!(
                    (&message["type"], &message["id"]),
                    (&kind.into(), &id.into())
                );
                message["payload"].clone()
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn message(message: Value) -> Heard {
    Heard::Message(message)
}
