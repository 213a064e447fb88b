//! Refusals as gRPC knows them, and what the HTTP door needs to know of one.

use std::{collections::HashMap, time::Duration};

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use djinn_chassis::fault::{self, Violation};

use crate::{domain::limits, error::Error};

/// The gateway's own refusal as a status with its reason.
pub(crate) fn status(error: Error) -> Status {
    fault::status(error)
}

/// The answer to who came when all places for something were taken. Not an `Error`, which would be
/// logged: under a load that is too much there are thousands of these a second, each as cheap as it
/// can be.
pub(crate) fn overloaded(service: &'static str) -> Status {
    overloads(service).increment(1);
    no_place()
}

/// Those that there were.
pub(super) fn overloads(service: &'static str) -> metrics::Counter {
    metrics::counter!("overloaded_total", "service" => service)
}

/// What `overloaded` says.
pub(super) fn no_place() -> Status {
    let message = "temporarily unavailable, try again";
    fault::busy("OVERLOADED", message, limits::LANE_RETRY)
}

/// The answer to a method that does not exist for users, whatever the reason.
pub(crate) fn unknown_method() -> Status {
    let details = ErrorDetails::with_error_info("UNKNOWN_METHOD", fault::DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unimplemented, "there is no such method", details)
}

/// The code in a header or in trailers, if they carry one.
pub(crate) fn code_of(headers: &HeaderMap) -> Option<Code> {
    let value = headers.get("grpc-status")?;
    Some(Code::from_bytes(value.as_bytes()))
}

/// The name of a code as the gRPC documentation writes it: `DeadlineExceeded` is
/// `DEADLINE_EXCEEDED`.
pub(crate) fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// A status in the parts a program on the other side compares.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The code.
    pub(crate) code: Code,
    /// The stable word, empty if the service gave none.
    pub(crate) reason: String,
    /// One sentence.
    pub(crate) message: String,
    /// The fields that are wrong, if it is about fields.
    pub(crate) violations: Vec<Violation>,
    /// After which time it may pass, if that is known.
    pub(crate) retry: Option<Duration>,
}

impl From<&Status> for Refusal {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        let violations = details.bad_request().map(|bad| {
            let wrong = bad.field_violations.iter();
            wrong
                .map(|violation| Violation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect()
        });
        let retry = details.retry_info().and_then(|info| info.retry_delay);
        Self {
            code: status.code(),
            reason: reason.unwrap_or_default(),
            message: status.message().to_owned(),
            violations: violations.unwrap_or_default(),
            retry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, code_name};

    #[test]
    fn codes_are_named_as_documented() {
        let names: Vec<_> = (0..=16).map(|code| code_name(Code::from(code))).collect();
        assert_eq!(names[0], "OK");
        assert_eq!(names[1], "CANCELLED");
        assert_eq!(names[4], "DEADLINE_EXCEEDED");
        assert_eq!(names[16], "UNAUTHENTICATED");
    }
}
