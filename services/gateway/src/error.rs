//! Everything the gateway itself can refuse. What a service refuses is passed on as it is, and what
//! is wrong with a token is `chassis::auth::Refusal`.

use std::time::Duration;

use djinn_chassis::fault::{Fault, Kind, Violation};

use crate::domain::{Class, Measure};

/// A refusal of the gateway.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Error {
    /// The time the client or the gateway allowed is over.
    #[error("the deadline has passed; whether the call took effect is unknown")]
    Deadline,
    /// Nothing was sent on a stream for too long.
    #[error("nothing was sent on this stream for too long")]
    StreamIdle,
    /// The gateway is stopping; another one, or the next one, will answer.
    #[error("the gateway is stopping")]
    Stopping,
    /// All places of one user are taken.
    #[error("too many calls at one time; wait for one of them to end")]
    TooManyCalls,
    /// A user has used up what a while allows, or somebody has come too often without a good token.
    #[error("too many {} in a short time; try again later", class.name())]
    RateLimited {
        /// Which limit.
        class: Class,
        /// When the same call may pass.
        retry: Duration,
    },
    /// A service cannot be reached.
    #[error("{service} cannot be reached")]
    ServiceAway {
        /// The service.
        service: &'static str,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A service went away in the middle of an answer, or answered what is not gRPC.
    #[error("{service} broke off its answer")]
    AnswerBroken {
        /// The service.
        service: &'static str,
    },
    /// One message is larger than a service would decode.
    #[error("a message is larger than {bytes_max} bytes")]
    MessageTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// A statement file is larger than allowed.
    #[error("the file is larger than {bytes_max} bytes")]
    FileTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// A chunk of a file is larger than allowed.
    #[error("the chunk is larger than {bytes_max} bytes; cut the file as the upload tells")]
    ChunkTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The client of an upload stopped sending.
    #[error("the next part of the file did not come in time")]
    UploadIdle,
    /// The body of an upload ended early or was not what its headers said.
    #[error("the body of the upload is broken off or malformed")]
    UploadBroken,
    /// The form of an upload is not the expected one.
    #[error("{problem}")]
    Form {
        /// The field of the form, or of the header of the upload.
        field: &'static str,
        /// What is wrong with it, for a developer.
        problem: &'static str,
    },
    /// The body of a GraphQL request is not JSON by its header. Forms and plain text are what a
    /// page of anybody may send without asking; so they are not listened to.
    #[error("a GraphQL request is a POST with the content type application/json")]
    NotJson,
    /// The body of a GraphQL request is larger than allowed.
    #[error("the body is larger than {bytes_max} bytes")]
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The body of a GraphQL request did not come in time.
    #[error("the body did not come in time")]
    BodyIdle,
    /// The body of a GraphQL request cannot be read.
    #[error("the body is not a JSON object with query, operationName and variables")]
    BodyBroken,
    /// Several GraphQL requests came in one.
    #[error("a list of requests is not answered; send them one by one, side by side")]
    Batch,
    /// A GraphQL request is, or leads to, too much of something.
    #[error("{} {found}, at most {} allowed", measure.limit().0, measure.limit().1)]
    TooMuch {
        /// Of what.
        measure: Measure,
        /// How much there is.
        found: usize,
    },
    /// A fragment of a GraphQL document holds itself.
    #[error("the fragment {name} holds itself")]
    FragmentCycle {
        /// Its name.
        name: String,
    },
    /// The schema was asked for where it is not told.
    #[error("the schema is not told here; it is in the documentation")]
    IntrospectionOff,
    /// A subscription came by POST, or with more than its one field.
    #[error("a subscription has one field and comes by WebSocket, at /graphql/ws")]
    Subscription,
    /// An argument of a GraphQL field cannot be passed on.
    #[error("{field}: {problem}")]
    Argument {
        /// Its name.
        field: &'static str,
        /// What is wrong with it, for a developer.
        problem: &'static str,
    },
    /// A WebSocket does not offer the protocol that is spoken here.
    #[error("the WebSocket must offer the protocol graphql-transport-ws")]
    Subprotocol,
    /// All WebSockets of one user are taken, or all operations on one of them.
    #[error("too many {what} at one time; end one of them")]
    TooManyOpen {
        /// Of what.
        what: &'static str,
    },
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Deadline | Self::UploadIdle | Self::BodyIdle => Kind::Timeout,
            Self::StreamIdle
            | Self::Stopping
            | Self::ServiceAway { .. }
            | Self::AnswerBroken { .. } => Kind::Unavailable,
            Self::TooManyCalls
            | Self::RateLimited { .. }
            | Self::MessageTooLarge { .. }
            | Self::FileTooLarge { .. }
            | Self::ChunkTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::TooManyOpen { .. } => Kind::Exhausted,
            Self::UploadBroken
            | Self::Form { .. }
            | Self::NotJson
            | Self::BodyBroken
            | Self::Batch
            | Self::TooMuch { .. }
            | Self::FragmentCycle { .. }
            | Self::Subscription
            | Self::Argument { .. }
            | Self::Subprotocol => Kind::Invalid,
            Self::IntrospectionOff => Kind::Refused,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Deadline => "DEADLINE_EXCEEDED",
            Self::StreamIdle => "STREAM_IDLE",
            Self::Stopping => "SERVER_STOPPING",
            Self::TooManyCalls => "TOO_MANY_CALLS",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::ServiceAway { .. } | Self::AnswerBroken { .. } => "SERVICE_UNAVAILABLE",
            Self::MessageTooLarge { .. } => "MESSAGE_TOO_LARGE",
            Self::FileTooLarge { .. } => "FILE_TOO_LARGE",
            Self::ChunkTooLarge { .. } => "CHUNK_TOO_LARGE",
            Self::UploadIdle => "UPLOAD_IDLE",
            Self::UploadBroken => "UPLOAD_BROKEN",
            Self::Form { .. } => "FORM_INVALID",
            Self::NotJson => "CONTENT_TYPE",
            Self::BodyTooLarge { .. } => "BODY_TOO_LARGE",
            Self::BodyIdle => "BODY_IDLE",
            Self::BodyBroken => "BODY_BROKEN",
            Self::Batch => "BATCH_REFUSED",
            Self::TooMuch { measure, .. } => measure.reason(),
            Self::FragmentCycle { .. } => "QUERY_INVALID",
            Self::IntrospectionOff => "INTROSPECTION_OFF",
            Self::Subscription => "SUBSCRIPTION_REFUSED",
            Self::Argument { .. } => "ARGUMENT_INVALID",
            Self::Subprotocol => "SUBPROTOCOL",
            Self::TooManyOpen { .. } => "TOO_MANY_OPEN",
        }
    }

    fn retry_delay(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry, .. } => Some(*retry),
            _ => None,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        let one = |field: &str, problem: &str| {
            vec![Violation {
                field: field.to_owned(),
                description: problem.to_owned(),
            }]
        };
        match self {
            Self::Form { field, problem } | Self::Argument { field, problem } => {
                one(field, problem)
            }
            Self::Deadline
            | Self::StreamIdle
            | Self::Stopping
            | Self::TooManyCalls
            | Self::RateLimited { .. }
            | Self::ServiceAway { .. }
            | Self::AnswerBroken { .. }
            | Self::MessageTooLarge { .. }
            | Self::FileTooLarge { .. }
            | Self::ChunkTooLarge { .. }
            | Self::UploadIdle
            | Self::UploadBroken
            | Self::NotJson
            | Self::BodyTooLarge { .. }
            | Self::BodyIdle
            | Self::BodyBroken
            | Self::Batch
            | Self::TooMuch { .. }
            | Self::FragmentCycle { .. }
            | Self::IntrospectionOff
            | Self::Subscription
            | Self::Subprotocol
            | Self::TooManyOpen { .. } => Vec::new(),
        }
    }
}
