//! Refusals as gRPC knows them, and what the HTTP door needs to know of one.

use std::collections::HashMap;

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use djinn_chassis::fault;

use crate::error::Error;

/// The gateway's own refusal as a status with its reason.
pub(crate) fn status(error: Error) -> Status {
    fault::status(error)
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

/// A status in the parts a program on the other side compares.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The code.
    pub(crate) code: Code,
    /// The stable word, empty if the service gave none.
    pub(crate) reason: String,
    /// One sentence.
    pub(crate) message: String,
    /// The first field that is wrong, if it is about fields.
    pub(crate) field: Option<String>,
}

impl From<&Status> for Refusal {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        let field = details
            .bad_request()
            .and_then(|bad| bad.field_violations.first())
            .map(|violation| violation.field.clone());
        Self {
            code: status.code(),
            reason: reason.unwrap_or_default(),
            message: status.message().to_owned(),
            field,
        }
    }
}
