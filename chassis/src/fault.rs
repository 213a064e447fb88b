//! Errors on their way out: a closed set of kinds, and exactly two exits, a gRPC status and a
//! Temporal failure.

use std::time::Duration;

use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::ActivityError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The `domain` of every `ErrorInfo`: reasons are unique within it.
pub const DOMAIN: &str = "djinn";

/// What a failure means to the caller, and so what the caller should do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The request is wrong in itself: correct it.
    Invalid,
    /// A rule says no in the present state: change the state first.
    Refused,
    /// There is no such thing for this user.
    NotFound,
    /// It is there already.
    Exists,
    /// Somebody was faster: read again, then decide again.
    Conflict,
    /// The caller is known and may not.
    Denied,
    /// The caller is not known.
    Unauthenticated,
    /// A quota is used up: come back later.
    Exhausted,
    /// It took too long; whether it happened is unknown.
    Timeout,
    /// Something that is needed is away: try again.
    Unavailable,
    /// A defect or a surprise of ours: a person must look.
    Internal,
}

impl Kind {
    /// The gRPC code of this kind.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::Refused => Code::FailedPrecondition,
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyExists,
            Self::Conflict => Code::Aborted,
            Self::Denied => Code::PermissionDenied,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Exhausted => Code::ResourceExhausted,
            Self::Timeout => Code::DeadlineExceeded,
            Self::Unavailable => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }

    /// Whether the same attempt can succeed later. A conflict cannot: its caller must read again.
    #[must_use]
    pub fn retryable(self) -> bool {
        match self {
            Self::Exhausted | Self::Timeout | Self::Unavailable | Self::Internal => true,
            Self::Invalid
            | Self::Refused
            | Self::NotFound
            | Self::Exists
            | Self::Conflict
            | Self::Denied
            | Self::Unauthenticated => false,
        }
    }

    /// What is said to a caller in place of the error's own text, where that could tell of
    /// internals.
    fn redacted(self) -> Option<&'static str> {
        match self {
            Self::Internal => Some("internal error"),
            Self::Unavailable => Some("temporarily unavailable, try again"),
            Self::Invalid
            | Self::Refused
            | Self::NotFound
            | Self::Exists
            | Self::Conflict
            | Self::Denied
            | Self::Unauthenticated
            | Self::Exhausted
            | Self::Timeout => None,
        }
    }
}

/// One field of a request that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The path of the field as the proto names it, as `mapping.date_column`.
    pub field: String,
    /// What is wrong with it, in words for a developer.
    pub description: String,
}

/// An error that knows what it means to a caller. Each service has one enum that implements it by
/// an exhaustive `match`.
///
/// Its `Display` is one readable sentence without its sources and without private data: for kinds
/// that are not redacted the caller reads it.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// What the caller should do about it.
    fn kind(&self) -> Kind;
    /// The stable name that programs compare, in capitals with underscores, as `ETAG_MISMATCH`.
    fn reason(&self) -> &'static str;
    /// The fields that are wrong, for [`Kind::Invalid`].
    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }
    /// After which time the same attempt may succeed, where that is known.
    fn retry_delay(&self) -> Option<Duration> {
        None
    }
}

/// The exit through the gRPC door: code, reason and field violations. Where the text could tell of
/// internals it is replaced, and the error is logged, once, with its chain.
///
/// An exit consumes the error, so that nobody logs or maps it a second time.
pub fn status<F: Fault>(fault: F) -> Status {
    log(&fault);
    let kind = fault.kind();
    let message = match kind.redacted() {
        Some(text) => text.to_owned(),
        None => fault.to_string(),
    };
    let mut details = refusal_details(fault.reason());
    let violations: Vec<FieldViolation> = fault
        .violations()
        .into_iter()
        .map(|violation| FieldViolation::new(violation.field, violation.description))
        .collect();
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    if let Some(delay) = fault.retry_delay() {
        details.set_retry_info(Some(delay));
    }
    Status::with_error_details(kind.code(), message, details)
}

/// The exit through the Temporal door: a failure with a type, which is final unless a retry can
/// help.
///
/// Its message is the error's own text without its sources, since history is read by operators and
/// kept for days; the chain is in the log, once.
pub fn failure<F: Fault>(fault: F, tries: Tries) -> ActivityError {
    log(&fault);
    let kind = fault.kind();
    let failure = ApplicationFailure::builder(fault.to_string())
        .type_name(fault.reason().to_owned())
        .non_retryable(!kind.retryable() || tries.used_up(kind))
        .build();
    ActivityError::application(failure)
}

/// How often an activity is tried when what fails is a surprise of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tries {
    /// This is the n-th try, from 1: a defect that is there after [`INTERNAL_TRIES_MAX`] of them is
    /// there after a thousand, and a person should hear of it rather than wait.
    Counted(u32),
    /// As long as it takes, because nobody could do anything else in its place.
    Endless,
}

impl Tries {
    fn used_up(self, kind: Kind) -> bool {
        let Self::Counted(attempt) = self else {
            return false;
        };
        kind == Kind::Internal && attempt >= INTERNAL_TRIES_MAX
    }
}

/// Tries of an activity that fails with [`Kind::Internal`]: with the pauses in between about four
/// minutes, long enough for a deployment that is half done.
pub const INTERNAL_TRIES_MAX: u32 = 8;

/// A status with a reason, for refusals of the chassis itself, which carry no error.
pub(crate) fn refusal(code: Code, reason: &'static str, message: &'static str) -> Status {
    Status::with_error_details(code, message, refusal_details(reason))
}

/// A status for who came when all hands were full: UNAVAILABLE, and when to come again. Nothing is
/// logged for it, since there may be thousands a second.
#[must_use]
pub fn busy(reason: &'static str, message: &'static str, retry: Duration) -> Status {
    let mut details = refusal_details(reason);
    details.set_retry_info(Some(retry));
    Status::with_error_details(Code::Unavailable, message, details)
}

fn refusal_details(reason: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new())
}

fn log(fault: &dyn Fault) {
    let (kind, reason) = (fault.kind(), fault.reason());
    match kind {
        Kind::Internal => tracing::error!(reason, error = %chain(fault), "internal error"),
        Kind::Unavailable => tracing::warn!(reason, error = %chain(fault), "unavailable"),
        _ => tracing::debug!(reason, ?kind, "refused"),
    }
}

/// An error and its sources in one line, for a log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Many errors repeat their source's text in their own.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const KINDS: [Kind; 11] = [
        Kind::Invalid,
        Kind::Refused,
        Kind::NotFound,
        Kind::Exists,
        Kind::Conflict,
        Kind::Denied,
        Kind::Unauthenticated,
        Kind::Exhausted,
        Kind::Timeout,
        Kind::Unavailable,
        Kind::Internal,
    ];

    #[derive(Debug, thiserror::Error)]
    #[error("the row cannot be read")]
    struct Sample {
        kind: Kind,
        source: std::io::Error,
    }

    impl Fault for Sample {
        fn kind(&self) -> Kind {
            self.kind
        }

        fn reason(&self) -> &'static str {
            "SAMPLE"
        }

        fn violations(&self) -> Vec<Violation> {
            match self.kind {
                Kind::Invalid => vec![Violation {
                    field: "mapping.date_column".to_owned(),
                    description: "is not a column".to_owned(),
                }],
                _ => Vec::new(),
            }
        }
    }

    fn sample(kind: Kind) -> Sample {
        let source = std::io::Error::other("password=hunter2");
        Sample { kind, source }
    }

    /// What is logged while this runs, one string per event.
    fn logged(run: impl FnOnce()) -> Vec<String> {
        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, run);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn statuses_carry_code_reason_and_violations_and_no_internals() {
        for kind in KINDS {
            let status = status(sample(kind));
            assert_eq!(status.code(), kind.code(), "{kind:?}");
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!((&*info.reason, &*info.domain), ("SAMPLE", "djinn"));
            let redacted = matches!(kind, Kind::Internal | Kind::Unavailable);
            assert_eq!(
                status.message() != "the row cannot be read",
                redacted,
                "{kind:?}"
            );
            assert!(!format!("{status:?}").contains("hunter2"), "{kind:?}");
            let violations = details
                .bad_request()
                .map_or(0, |bad| bad.field_violations.len());
            assert_eq!(violations, usize::from(kind == Kind::Invalid), "{kind:?}");
        }
    }

    #[test]
    fn a_defect_is_tried_a_few_times_and_what_passes_is_tried_on() {
        for (kind, tries, is_final) in [
            (
                Kind::Internal,
                Tries::Counted(INTERNAL_TRIES_MAX - 1),
                false,
            ),
            (Kind::Internal, Tries::Counted(INTERNAL_TRIES_MAX), true),
            (Kind::Internal, Tries::Counted(u32::MAX), true),
            (Kind::Internal, Tries::Endless, false),
            (Kind::Unavailable, Tries::Counted(u32::MAX), false),
            (Kind::Invalid, Tries::Endless, true),
        ] {
            let ActivityError::Application(failure) = failure(sample(kind), tries) else {
                panic!("not an application failure");
            };
            assert_eq!(failure.is_non_retryable(), is_final, "{kind:?} {tries:?}");
        }
    }

    #[test]
    fn failures_are_final_unless_a_retry_can_help() {
        for kind in KINDS {
            let ActivityError::Application(failure) = failure(sample(kind), Tries::Counted(1))
            else {
                panic!("not an application failure");
            };
            assert_eq!(failure.type_name(), Some("SAMPLE"));
            assert_eq!(failure.is_non_retryable(), !kind.retryable(), "{kind:?}");
            let source = failure.source_error();
            assert_eq!(source.to_string(), "the row cannot be read");
            assert!(source.source().is_none(), "the chain stays out of history");
        }
    }

    #[test]
    fn what_a_person_must_look_at_is_logged_once_with_its_chain() {
        for (kind, level) in [
            (Kind::Internal, Some("ERROR")),
            (Kind::Unavailable, Some("WARN")),
            (Kind::NotFound, None),
            (Kind::Conflict, None),
        ] {
            for lines in [
                logged(|| drop(status(sample(kind)))),
                logged(|| drop(failure(sample(kind), Tries::Counted(1)))),
            ] {
                assert_eq!(
                    lines.len(),
                    usize::from(level.is_some()),
                    "{kind:?}: {lines:?}"
                );
                for line in lines {
                    assert!(line.contains(level.unwrap()), "{line}");
                    assert!(
                        line.contains("the row cannot be read: password=hunter2"),
                        "{line}"
                    );
                }
            }
        }
    }

    #[test]
    fn codes_and_retries() {
        let table = KINDS.map(|kind| format!("{kind:?} {:?} {}", kind.code(), kind.retryable()));
        assert_eq!(
            table,
            [
                "Invalid InvalidArgument false",
                "Refused FailedPrecondition false",
                "NotFound NotFound false",
                "Exists AlreadyExists false",
                "Conflict Aborted false",
                "Denied PermissionDenied false",
                "Unauthenticated Unauthenticated false",
                "Exhausted ResourceExhausted true",
                "Timeout DeadlineExceeded true",
                "Unavailable Unavailable true",
                "Internal Internal true",
            ]
        );
    }
}
