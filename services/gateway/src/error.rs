//! Everything the gateway itself can refuse. What a service refuses is passed on as it is, and what
//! is wrong with a token is `chassis::auth::Refusal`.

use djinn_chassis::fault::{Fault, Kind, Violation};

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
    /// All places for calls to a service are taken.
    #[error("too many calls to {service} at one time")]
    Overloaded {
        /// The service.
        service: &'static str,
    },
    /// All places of one user are taken.
    #[error("too many calls at one time; wait for one of them to end")]
    TooManyCalls,
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
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Deadline | Self::UploadIdle => Kind::Timeout,
            Self::StreamIdle
            | Self::Stopping
            | Self::Overloaded { .. }
            | Self::ServiceAway { .. }
            | Self::AnswerBroken { .. } => Kind::Unavailable,
            Self::TooManyCalls | Self::MessageTooLarge { .. } | Self::FileTooLarge { .. } => {
                Kind::Exhausted
            }
            Self::UploadBroken | Self::Form { .. } => Kind::Invalid,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Deadline => "DEADLINE_EXCEEDED",
            Self::StreamIdle => "STREAM_IDLE",
            Self::Stopping => "SERVER_STOPPING",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::TooManyCalls => "TOO_MANY_CALLS",
            Self::ServiceAway { .. } | Self::AnswerBroken { .. } => "SERVICE_UNAVAILABLE",
            Self::MessageTooLarge { .. } => "MESSAGE_TOO_LARGE",
            Self::FileTooLarge { .. } => "FILE_TOO_LARGE",
            Self::UploadIdle => "UPLOAD_IDLE",
            Self::UploadBroken => "UPLOAD_BROKEN",
            Self::Form { .. } => "FORM_INVALID",
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Form { field, problem } => vec![Violation {
                field: (*field).to_owned(),
                description: (*problem).to_owned(),
            }],
            Self::Deadline
            | Self::StreamIdle
            | Self::Stopping
            | Self::Overloaded { .. }
            | Self::TooManyCalls
            | Self::ServiceAway { .. }
            | Self::AnswerBroken { .. }
            | Self::MessageTooLarge { .. }
            | Self::FileTooLarge { .. }
            | Self::UploadIdle
            | Self::UploadBroken => Vec::new(),
        }
    }
}
