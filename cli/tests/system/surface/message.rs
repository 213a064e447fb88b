//! Requests that get past the parsing: each field by its name has a value that is right in itself.

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use uuid::Uuid;

use super::{contract::Method, person::Person};

/// A statement of one chunk, and its hash.
pub(super) const STATEMENT: &[u8] = b"Date,Description,Amount\n2024-01-31,Salary,2500.00\n";
pub(super) const STATEMENT_SHA256: &str =
    "b90c9cfa7cca1cdb25523915a276df8a623f818fddcda68f0d83f317b6fd24c1";

/// Which of a person's imports is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Import {
    /// The one in review.
    Open,
    /// The one that is committed: nothing more becomes of it.
    Settled,
}

/// The right request of this person, as one message for each part of a stream.
pub(crate) fn right(method: &Method, person: &Person, import: Import) -> Vec<DynamicMessage> {
    let input = method.input();
    let Some(part) = input.oneofs().find(|it| !it.is_synthetic()) else {
        return vec![filled(&input, method, person, import)];
    };
    // A stream of parts: one message for each kind, in the order of the proto.
    let parts = part.fields().map(|field| {
        let mut message = DynamicMessage::new(input.clone());
        let value = value(&field, method, person, import);
        message.set_field(&field, value.unwrap());
        message
    });
    parts.collect()
}

pub(crate) fn encoded(messages: &[DynamicMessage]) -> Vec<Bytes> {
    messages
        .iter()
        .map(|it| it.encode_to_vec().into())
        .collect()
}

fn filled(
    descriptor: &MessageDescriptor,
    method: &Method,
    person: &Person,
    import: Import,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if let Some(value) = value(&field, method, person, import) {
            message.set_field(&field, value);
        }
    }
    message
}

/// The right value of a field; `None` leaves it out.
fn value(
    field: &FieldDescriptor,
    method: &Method,
    person: &Person,
    import: Import,
) -> Option<Value> {
    if field.is_map() {
        return None;
    }
    let one = match field.kind() {
        Kind::Message(inner) if inner.full_name() == "google.protobuf.FieldMask" => {
            let mut mask = DynamicMessage::new(inner);
            let editable = person.editable(method).to_owned();
            mask.set_field_by_name("paths", Value::List(vec![Value::String(editable)]));
            Some(Value::Message(mask))
        }
        Kind::Message(inner) if inner.package_name().starts_with("google.") => None,
        Kind::Message(inner) => Some(Value::Message(filled(&inner, method, person, import))),
        Kind::String => text(field, method, person, import).map(Value::String),
        Kind::Bytes => Some(Value::Bytes(bytes(field, person))),
        Kind::Enum(_) if field.name() == "kind" => Some(Value::EnumNumber(1)),
        Kind::Int64 if field.name() == "row_number" => Some(Value::I64(1)),
        // Elsewhere a size need not be told.
        Kind::Int64 if field.name() == "size_bytes" && method.name() == "BeginUpload" => {
            i64::try_from(STATEMENT.len()).ok().map(Value::I64)
        }
        Kind::Int32 if field.name() == "position" => Some(Value::I32(2)),
        _ => None,
    };
    let one = one?;
    Some(if field.is_list() {
        Value::List(vec![one])
    } else {
        one
    })
}

fn bytes(field: &FieldDescriptor, person: &Person) -> Bytes {
    match field.name() {
        "chunk" => Bytes::from_static(STATEMENT),
        "content" => person.template_file.clone(),
        _ => missing(field),
    }
}

/// The right text of a field. A name that is unknown here would leave a request that is refused for
/// that, before what is to be seen.
fn text(
    field: &FieldDescriptor,
    method: &Method,
    person: &Person,
    import: Import,
) -> Option<String> {
    let request = field.parent_message().full_name() == method.input().full_name();
    Some(match field.name() {
        "request_id" => Uuid::new_v4().to_string(),
        "import_id" if request => person.import(import).to_owned(),
        // Not every upload came in chunks; the last one does.
        "upload_id" if matches!(method.name(), "UploadChunk" | "GetUploadProgress") => {
            person.ids("upload_id").last()?.clone()
        }
        "account_id" | "upload_id" | "transaction_id" | "template_id" => {
            person.ids(field.name())[0].clone()
        }
        "etag" => person.etag(field, import),
        "name" | "description" | "counterparty" | "note" => "Giro".to_owned(),
        "currency_code" => "EUR".to_owned(),
        "time_zone" => "Europe/Berlin".to_owned(),
        "file_name" => "statement.csv".to_owned(),
        "sha256" => STATEMENT_SHA256.to_owned(),
        "booked_on" | "value_on" => "2024-01-31".to_owned(),
        "text" => "coffee".to_owned(),
        "role" => "description".to_owned(),
        "fields" => "note".to_owned(),
        // No two accounts have the same, and the same request must be.
        "number" => return None,
        // Filters that would hide what must not be seen, and what only answers carry.
        "page_token" | "booked_from" | "booked_to" => return None,
        _ if !request => return None,
        _ => missing(field),
    })
}

fn missing<T>(field: &FieldDescriptor) -> T {
    panic!(
        "{} is new: give it a right value in cli/tests/system/surface/message.rs, or its method is \
         refused before any of its checks",
        field.full_name()
    );
}
