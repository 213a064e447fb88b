//! The messages of graphql-transport-ws, and the codes with which it closes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graphql::{Answer, Request};

/// The name of the protocol, as WebSockets offer it. Its predecessor, graphql-ws, is not spoken: it
/// is not maintained by anybody any more.
pub(super) const NAME: &str = "graphql-transport-ws";

/// What a client sends.
pub(super) enum Said {
    /// Who it is: `authorization` of the payload.
    Init {
        /// Its value, if it is text.
        authorization: Option<String>,
    },
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// An operation begins.
    Subscribe {
        /// Chosen by the client; answers carry it.
        id: String,
        /// The operation, or why it cannot be read.
        request: Box<Result<Request, crate::error::Error>>,
    },
    /// An operation is to end.
    Complete {
        /// Which.
        id: String,
    },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    ConnectionInit { payload: Option<Value> },
    Ping,
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

impl Said {
    /// Reads a message; `None` if it is none of the protocol.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match serde_json::from_str(text).ok()? {
            Message::ConnectionInit { payload } => Self::Init {
                authorization: payload.as_ref().and_then(authorization),
            },
            Message::Ping => Self::Ping,
            Message::Pong => Self::Pong,
            Message::Subscribe { id, payload } => Self::Subscribe {
                id,
                request: Box::new(Request::parse(payload.to_string().as_bytes())),
            },
            Message::Complete { id } => Self::Complete { id },
        })
    }
}

/// Libraries write the key as headers are written, in any case.
fn authorization(payload: &Value) -> Option<String> {
    let entries = payload.as_object()?.iter();
    let mut entries = entries.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let (_, value) = entries.next()?;
    Some(value.as_str()?.to_owned())
}

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Told<'a> {
    /// It is known, and may begin.
    ConnectionAck,
    /// Yes.
    Pong,
    /// An answer of an operation.
    Next {
        /// Which.
        id: &'a str,
        /// The answer.
        payload: &'a Answer,
    },
    /// An operation was refused, and is over.
    Error {
        /// Which.
        id: &'a str,
        /// Why.
        payload: Value,
    },
    /// An operation is over.
    Complete {
        /// Which.
        id: &'a str,
    },
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Close {
    /// Nothing was asked for long.
    Idle,
    /// The gateway stops.
    Stopping,
    /// A message is none of the protocol.
    BadMessage,
    /// An operation came before `connection_init`, or the token has expired.
    Unauthorized,
    /// The token opens nothing, or there are too many connections.
    Forbidden,
    /// `connection_init` did not come in time.
    InitTimeout,
    /// Two operations under one id.
    DuplicateId,
    /// `connection_init` came twice.
    TooManyInits,
}

impl Close {
    /// The code, by the protocol.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Idle => 1000,
            Self::Stopping => 1001,
            Self::BadMessage => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::InitTimeout => 4408,
            Self::DuplicateId => 4409,
            Self::TooManyInits => 4429,
        }
    }

    /// A word for programs, where a status says no more.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Idle => "SOCKET_IDLE",
            Self::Stopping => "SERVER_STOPPING",
            Self::BadMessage => "MESSAGE_INVALID",
            Self::Unauthorized => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::InitTimeout => "CONNECTION_INIT_TIMEOUT",
            Self::DuplicateId => "OPERATION_ID_REUSED",
            Self::TooManyInits => "CONNECTION_INIT_REPEATED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_by_their_type() {
        let init = r#"{"type":"connection_init","payload":{"Authorization":"Bearer a"}}"#;
        let Some(Said::Init { authorization }) = Said::parse(init) else {
            panic!("no init");
        };
        assert_eq!(authorization.as_deref(), Some("Bearer a"));
        for none in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"authorization":7}}"#,
        ] {
            let said = Said::parse(none);
            assert!(
                matches!(
                    said,
                    Some(Said::Init {
                        authorization: None
                    })
                ),
                "{none}"
            );
        }
        let ping = r#"{"type":"ping","payload":{"any":1}}"#;
        assert!(matches!(Said::parse(ping), Some(Said::Ping)));
        for bad in [
            "",
            "{}",
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"subscribe","id":"1"}"#,
        ] {
            assert!(Said::parse(bad).is_none(), "{bad}");
        }
    }
}
