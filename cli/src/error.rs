//! Everything that can go wrong: a sentence for people, a reason for programs, an exit code.

use std::{io, path::PathBuf};

use djinn_proto::imports::v1::{Import, ImportState};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{amount, output::text};
use words::{ended, failure, goes_on, reviewed, shown, waiting};

/// How the process ends; `args::EXIT_CODES` says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// A fault of ours or of the server.
    Unexpected = 1,
    /// An argument or a field cannot be taken.
    Usage = 2,
    /// The import waits for an answer.
    Question = 3,
    /// The import has ended without effect, could not be undone, or a rule says no.
    Refused = 4,
    /// The import waits for confirmation, or nobody agreed to its undoing or to a deletion.
    Unconfirmed = 5,
    /// There is no such thing, or it belongs to somebody else.
    NotFound = 6,
    /// No token, or not a good one.
    SignedOut = 7,
    /// Changed meanwhile, or there already.
    Conflict = 8,
    /// The server does not answer.
    Unavailable = 9,
    /// Ctrl-C, by the convention of shells: 128 + SIGINT.
    Interrupted = 130,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server says no.
    #[error("{}", message(.0))]
    Call(#[source] Status),
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach {url}: {}", chain(.source))]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the transport says.
        source: Status,
    },
    /// The server took the call and did not answer in time.
    #[error("{url} did not answer in time")]
    Timeout {
        /// Where it is.
        url: String,
    },
    /// The server answered without the thing it was asked for.
    #[error("the server answered {0} with nothing in it")]
    Incomplete(&'static str),
    /// The stored file is not the file that was sent.
    #[error("{sent} bytes were sent and the server stored {stored}")]
    Truncated {
        /// Bytes read from the file.
        sent: i64,
        /// Bytes of the upload.
        stored: i64,
    },
    /// No token was given.
    #[error("no access token was given")]
    NoToken,
    /// The token cannot be put into a header.
    #[error("the access token holds characters that no token has")]
    BadToken,
    /// `djinn token` outside development.
    #[error("tokens are made here for development only, and DJINN_ENV is {0}")]
    NotDevelopment(String),
    /// The key for `djinn token` is of no use.
    #[error("{path} is not an Ed25519 private key in PEM (PKCS #8): {source}")]
    Key {
        /// The key.
        path: PathBuf,
        /// What is wrong with it.
        source: jsonwebtoken::errors::Error,
    },
    /// The token would end beyond the calendar.
    #[error("that time to live is too long")]
    Lifetime,
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An amount cannot be taken.
    #[error(transparent)]
    Amount(#[from] amount::Error),
    /// The gateway's address cannot be used.
    #[error("{url} is not an address of a gateway: {source}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// No account has this name.
    #[error("no account is called {0}")]
    NoAccount(String),
    /// Several accounts have this name.
    #[error("{count} accounts are called {name}")]
    ManyAccounts {
        /// The name.
        name: String,
        /// How many have it.
        count: usize,
    },
    /// The import waits for an answer.
    #[error("the file leaves open what only its owner knows")]
    Asking(Box<Import>),
    /// An answer of the command is of no use to the import.
    #[error("{problem}")]
    Answer {
        /// What is wrong with it.
        problem: String,
        /// The import, which stays where it is.
        import: Box<Import>,
    },
    /// One question was answered in two ways.
    #[error("--answer {0} is given twice, with different choices")]
    AnsweredTwice(String),
    /// The import asks nothing.
    #[error("the import is {} and asks nothing", text::state(.0.state()))]
    NotAsking(Box<Import>),
    /// A file was asked for that is no JSON document, on an stdout that holds nothing else.
    #[error("the report is CSV; with --json name a file for it by --output")]
    NoOutput,
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The import waits for confirmation, with the reason when it was handed back.
    #[error("{}", waiting(.0))]
    Unconfirmed(Box<Import>),
    /// Nobody has agreed to undo the import.
    #[error("nobody has agreed to undo the import, so it stays committed")]
    NotReverted(Box<Import>),
    /// The import has ended without effect, or could not be undone.
    #[error("{}", ended(.0))]
    Ended(Box<Import>),
    /// Nobody at a terminal said yes.
    #[error("nobody agreed to the deletion, and nothing was deleted")]
    NotDeleted,
    /// Ctrl-C; what happens to the work is the way out.
    #[error("interrupted")]
    Interrupted,
    /// The terminal cannot ask.
    #[error("the terminal cannot ask: {0}")]
    Prompt(#[source] dialoguer::Error),
    /// Stdout cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[source] io::Error),
    /// The answer cannot be written as JSON.
    #[error("the answer cannot be written as JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// The process cannot start.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// An error whose way out only the caller knew.
    #[error("{error}")]
    Guided {
        /// The error.
        #[source]
        error: Box<Error>,
        /// What to do.
        way_out: String,
    },
}

/// A field of the request that cannot be taken.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    /// Its path in the request.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) description: String,
}

impl Error {
    /// What a failed call means: the server's answer, or none at all.
    pub(crate) fn call(url: &str, status: Status) -> Self {
        let url = url.to_owned();
        // Only the transport gives a status a source; what the server sends has none.
        match std::error::Error::source(&status) {
            None => Self::Call(status),
            Some(source) if timed_out(source) => Self::Timeout { url },
            Some(_) => Self::Unreachable {
                url,
                source: status,
            },
        }
    }

    /// The same error with what to do about it.
    pub(crate) fn guided(self, way_out: String) -> Self {
        match self {
            // These know better.
            Self::Guided { .. }
            | Self::Asking(_)
            | Self::Answer { .. }
            | Self::NotAsking(_)
            | Self::Unconfirmed(_)
            | Self::NotReverted(_)
            | Self::Ended(_) => self,
            error => Self::Guided {
                error: Box::new(error),
                way_out,
            },
        }
    }

    /// Whether the same call can succeed a moment later.
    pub(crate) fn transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Call(status) => status.code() == Code::Unavailable,
            _ => false,
        }
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Call(status) => exit(status.code()),
            Self::Unreachable { .. } | Self::Timeout { .. } => Exit::Unavailable,
            Self::Incomplete(_)
            | Self::Truncated { .. }
            | Self::Prompt(_)
            | Self::Output(_)
            | Self::Json(_)
            | Self::Runtime(_) => Exit::Unexpected,
            Self::NoToken | Self::BadToken => Exit::SignedOut,
            Self::Key { .. }
            | Self::Lifetime
            | Self::File { .. }
            | Self::Amount(_)
            | Self::Address { .. }
            | Self::Answer { .. }
            | Self::AnsweredTwice(_)
            | Self::NoOutput
            | Self::Unwritable { .. }
            | Self::ManyAccounts { .. } => Exit::Usage,
            Self::NoAccount(_) => Exit::NotFound,
            Self::Asking(_) => Exit::Question,
            Self::Unconfirmed(_) | Self::NotReverted(_) | Self::NotDeleted => Exit::Unconfirmed,
            Self::Ended(_) | Self::NotAsking(_) | Self::NotDevelopment(_) => Exit::Refused,
            Self::Interrupted => Exit::Interrupted,
            Self::Guided { error, .. } => error.exit(),
        }
    }

    /// A stable word for programs.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Call(status) => match status.get_details_error_info() {
                Some(info) if !info.reason.is_empty() => info.reason,
                _ => code_name(status.code()).to_owned(),
            },
            Self::Ended(import) => match failure(import) {
                Some((reason, _)) => reason.to_owned(),
                None => text::state(import.state()).to_ascii_uppercase(),
            },
            Self::Guided { error, .. } => error.reason(),
            Self::Unreachable { .. } => "UNREACHABLE".to_owned(),
            Self::Timeout { .. } => "TIMEOUT".to_owned(),
            Self::Incomplete(_) => "INCOMPLETE_ANSWER".to_owned(),
            Self::Truncated { .. } => "TRUNCATED_UPLOAD".to_owned(),
            Self::NoToken => "TOKEN_MISSING".to_owned(),
            Self::BadToken => "TOKEN_INVALID".to_owned(),
            Self::NotDevelopment(_) => "NOT_DEVELOPMENT".to_owned(),
            Self::Key { .. } => "BAD_KEY".to_owned(),
            Self::Lifetime => "BAD_LIFETIME".to_owned(),
            Self::File { .. } => "UNREADABLE_FILE".to_owned(),
            Self::Amount(_) => "BAD_AMOUNT".to_owned(),
            Self::Address { .. } => "BAD_ADDRESS".to_owned(),
            Self::NoAccount(_) => "NO_SUCH_ACCOUNT".to_owned(),
            Self::ManyAccounts { .. } => "AMBIGUOUS_ACCOUNT".to_owned(),
            Self::Asking(_) => "ASKING".to_owned(),
            Self::Answer { .. } | Self::AnsweredTwice(_) => "BAD_ANSWER".to_owned(),
            Self::NotAsking(_) => "NOT_ASKING".to_owned(),
            Self::NoOutput => "NO_OUTPUT".to_owned(),
            Self::Unwritable { .. } => "UNWRITABLE_FILE".to_owned(),
            Self::Unconfirmed(_) => "UNCONFIRMED".to_owned(),
            Self::NotReverted(_) | Self::NotDeleted => "NOT_AGREED".to_owned(),
            Self::Interrupted => "INTERRUPTED".to_owned(),
            Self::Prompt(_) | Self::Output(_) | Self::Json(_) | Self::Runtime(_) => {
                "LOCAL_FAULT".to_owned()
            }
        }
    }

    /// The fields that cannot be taken.
    pub(crate) fn fields(&self) -> Vec<Field> {
        match self {
            Self::Call(status) => status
                .get_details_bad_request()
                .map(|request| request.field_violations)
                .unwrap_or_default()
                .into_iter()
                .map(|violation| Field {
                    field: violation.field,
                    description: violation.description,
                })
                .collect(),
            Self::Guided { error, .. } => error.fields(),
            _ => Vec::new(),
        }
    }

    /// The import that the command ended at: with `--json` it is the document on stdout.
    pub(crate) fn import(&self) -> Option<&Import> {
        match self {
            Self::Asking(import)
            | Self::Answer { import, .. }
            | Self::NotAsking(import)
            | Self::Unconfirmed(import)
            | Self::NotReverted(import)
            | Self::Ended(import) => Some(import),
            Self::Guided { error, .. } => error.import(),
            _ => None,
        }
    }

    /// What to do about it.
    fn way_out(&self) -> Option<String> {
        let way_out = match self {
            Self::Guided { error, way_out } => match error.way_out() {
                Some(first) => format!("{first}; {way_out}"),
                None => way_out.clone(),
            },
            Self::NoToken => {
                "pass --token or set DJINN_TOKEN; in development `djinn token` makes one".to_owned()
            }
            Self::Call(status) if status.code() == Code::Unauthenticated => {
                "sign in again and pass the new token; in development `djinn token` makes one"
                    .to_owned()
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                "check --url (DJINN_URL) and that the gateway runs, then try again".to_owned()
            }
            Self::NotDevelopment(_) => {
                "set DJINN_ENV=development on a development machine; elsewhere sign in with the \
                 identity provider"
                    .to_owned()
            }
            Self::NotDeleted => "--yes deletes without asking".to_owned(),
            Self::NoAccount(_) => "`djinn account list` shows the names".to_owned(),
            Self::ManyAccounts { .. } => {
                "give the id instead, `djinn account list` shows it".to_owned()
            }
            Self::Asking(import) => goes_on(import),
            Self::Answer { import, .. } => match import.state() {
                ImportState::Asking => goes_on(import),
                ImportState::Review => reviewed(import),
                _ => shown(import),
            },
            Self::NotAsking(import) => shown(import),
            Self::Unconfirmed(import) => reviewed(import),
            Self::NotReverted(import) => format!(
                "`djinn imports revert {} --yes` undoes it without asking",
                import.import_id
            ),
            _ => return None,
        };
        Some(way_out)
    }

    /// All of it as one line for people.
    pub(crate) fn sentence(&self) -> String {
        let mut sentence = format!("{self} ({})", self.reason());
        for Field { field, description } in self.fields() {
            sentence.push_str(&format!("; {field}: {description}"));
        }
        if let Some(way_out) = self.way_out() {
            sentence.push_str("; ");
            sentence.push_str(&way_out);
        }
        text::clean(&sentence)
    }
}

/// How the process ends after the server's answer.
fn exit(code: Code) -> Exit {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
        Code::FailedPrecondition | Code::PermissionDenied | Code::ResourceExhausted => {
            Exit::Refused
        }
        Code::NotFound => Exit::NotFound,
        Code::Unauthenticated => Exit::SignedOut,
        Code::Aborted | Code::AlreadyExists => Exit::Conflict,
        Code::Unavailable | Code::DeadlineExceeded => Exit::Unavailable,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => Exit::Unexpected,
    }
}

/// The name of a code in the gRPC specification, the reason of last resort.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// What the server says, or the meaning of its code when it says nothing.
fn message(status: &Status) -> String {
    match status.message() {
        "" => status.code().description().to_owned(),
        message => message.trim_end_matches('.').to_owned(),
    }
}

/// What the transport says, down to the cause that helps: "Connection refused".
fn chain(status: &Status) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(status);
    while let Some(error) = next {
        let part = error.to_string();
        // Some layers repeat the text of the layer below.
        if parts.last().is_none_or(|last| !last.contains(&part)) {
            parts.push(part);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// Whether the deadline of the call passed on this side.
fn timed_out(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        next = error.source();
    }
    false
}

mod words;

#[cfg(test)]
mod tests;
