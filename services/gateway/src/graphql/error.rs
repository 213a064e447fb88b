//! Errors as GraphQL knows them: the code and the reason that gRPC would tell, and never internals.

use std::fmt;

use async_graphql::{ErrorExtensionValues, Name, ServerError, Value, indexmap::IndexMap};

use crate::{
    domain::Owner,
    error::Error,
    grpc::{self, Code, Refusal, Status, code_name},
};

/// Characters of a message that are told: the library quotes what it could not read.
const MESSAGE_CHARACTERS_MAX: usize = 500;

/// Errors of one answer. A page of nodes that all fail for one reason tells it often enough.
pub(super) const ERRORS_MAX: usize = 100;

/// A refusal on its way out of a field.
#[derive(Clone, Debug)]
pub(super) struct Refused(Status);

/// What every field answers.
pub(super) type Result<T> = std::result::Result<T, Refused>;

impl Refused {
    pub(super) fn into_status(self) -> Status {
        self.0
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(grpc::status(error))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())
    }
}

impl From<Refused> for async_graphql::Error {
    fn from(refused: Refused) -> Self {
        let told = told(&refused.0);
        let mut error = Self::new(told.message);
        error.extensions = Some(told.extensions);
        error
    }
}

/// An error of the whole request, before any field was asked.
pub(super) fn whole(status: &Status) -> ServerError {
    let told = told(status);
    let mut error = ServerError::new(told.message, None);
    error.extensions = Some(told.extensions);
    error
}

/// What a service must send and did not: it is of another version, or broken.
pub(super) fn required<T>(value: Option<T>, owner: Owner) -> Result<T> {
    let service = owner.name();
    Ok(value.ok_or(Error::AnswerBroken { service })?)
}

/// Makes errors fit to be told: each gets the id of the request, and those of the library, which
/// are about the document, the code and reason that other refusals have by themselves.
pub(super) fn finish(errors: &mut Vec<ServerError>, request_id: &str) {
    errors.truncate(ERRORS_MAX);
    for error in errors {
        if let Some((cut, _)) = error.message.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
            error.message.truncate(cut);
        }
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("reason").is_none() {
            extensions.set("code", code_name(Code::InvalidArgument));
            extensions.set("reason", "QUERY_INVALID");
        }
        extensions.set("requestId", request_id);
    }
}

struct Told {
    message: String,
    extensions: ErrorExtensionValues,
}

fn told(status: &Status) -> Told {
    let refusal = Refusal::from(status);
    let code = code_name(refusal.code);
    let mut extensions = ErrorExtensionValues::default();
    // Our services always give a reason. What has none was made up by a library in between, and
    // its text may tell of internals.
    let (reason, message) = match refusal.reason.as_str() {
        "" => {
            tracing::warn!(
                code,
                message = refusal.message,
                "a call failed without a reason"
            );
            (code.as_str(), "the call failed".to_owned())
        }
        reason => (reason, refusal.message),
    };
    extensions.set("reason", reason);
    extensions.set("code", code.as_str());
    if let Some(retry) = refusal.retry {
        let millis = u64::try_from(retry.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        extensions.set("retryAfterMs", millis);
    }
    if !refusal.violations.is_empty() {
        let fields = refusal.violations.into_iter().map(|violation| {
            Value::Object(IndexMap::from_iter([
                (Name::new("field"), argument(&violation.field).into()),
                (Name::new("description"), violation.description.into()),
            ]))
        });
        extensions.set("fields", Value::List(fields.collect()));
    }
    Told {
        message,
        extensions,
    }
}

/// The argument that became a field of the proto, as `openingBalance` of `account.opening_balance`.
fn argument(field: &str) -> String {
    match field {
        "page_size" => return "first".to_owned(),
        "page_token" => return "after".to_owned(),
        "update_mask" => return "input".to_owned(),
        _ => {}
    }
    // What is sent with a mask is sent as a whole resource, and named with it.
    let resources = ["account.", "transaction."];
    let inside = resources.iter().find_map(|name| field.strip_prefix(name));
    let (mut name, mut capital) = (String::new(), false);
    for letter in inside.unwrap_or(field).chars() {
        match letter {
            '_' => capital = true,
            _ if std::mem::take(&mut capital) => name.push(letter.to_ascii_uppercase()),
            _ => name.push(letter),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_arguments() {
        for (field, name) in [
            ("page_token", "after"),
            ("booked_from", "bookedFrom"),
            ("account.opening_balance", "openingBalance"),
            ("account_id", "accountId"),
            ("changes[3].row_number", "changes[3].rowNumber"),
            ("", ""),
        ] {
            assert_eq!(argument(field), name);
        }
    }

    #[test]
    fn what_has_no_reason_tells_nothing() {
        let told = told(&Status::internal("database 10.0.0.1: password"));
        assert_eq!(told.message, "the call failed");
        assert_eq!(
            told.extensions.get("reason"),
            Some(&Value::from("INTERNAL"))
        );
    }

    #[test]
    fn long_messages_and_many_errors_are_cut() {
        let mut errors = vec![ServerError::new("é".repeat(1_000), None); 200];
        finish(&mut errors, "id");
        assert_eq!(errors.len(), ERRORS_MAX);
        assert_eq!(errors[0].message.chars().count(), MESSAGE_CHARACTERS_MAX);
        let extensions = errors[0].extensions.as_ref().expect("set");
        assert_eq!(extensions.get("reason"), Some(&"QUERY_INVALID".into()));
    }
}
