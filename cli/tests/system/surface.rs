//! The whole surface of the mesh: every method of every proto is called, and each is proved to keep
//! what all of them promise. Methods come from the descriptors; one that is added later is called
//! here without a word, and what no rule can know of it is asked for by a failure.

mod call;
mod contract;
mod house;
mod message;
mod person;
mod rules;
mod thief;

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use djinn_chassis::testing;
use prost_reflect::{DynamicMessage, Kind, MapKey, Value};
use serde_json::json;
use tonic::{Code, transport::Channel};

use crate::mesh::Mesh;
use call::{Answer, call};
use contract::{Method, Spot, methods};
use message::{Import, encoded, right};
use person::Person;
use rules::EMPTY_IS_RIGHT;
use thief::{Attempt, is_asked};

/// The two ways to a method: through the edge, and past it.
fn ways<'a>(mesh: &Mesh, method: &'a Method) -> [(&'a str, Channel); 2] {
    let direct = mesh.channel(&method.owner);
    [
        ("gateway", mesh.channel("gateway")),
        (&method.owner, direct),
    ]
}

/// Everything that is wrong, told at once.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn note(&mut self, method: &Method, way: &str, what: String) {
        self.0.push(format!("{} ({way}): {what}", method.name()));
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
    }
}

/// What users may call.
fn served() -> Vec<Method> {
    let mut methods = methods();
    methods.retain(|method| method.public);
    methods
}

fn empty(method: &Method) -> Vec<Bytes> {
    if method.descriptor.is_client_streaming() {
        return Vec::new();
    }
    vec![Bytes::new()]
}

#[tokio::test]
async fn every_method_asks_for_a_good_token_and_what_is_not_public_does_not_exist() {
    let mesh = Mesh::new().await;
    let user = testing::user();
    let expired = testing::token_with(user, &json!({ "exp": 1_700_000_000 }));
    let good = testing::token(user);
    let strangers = testing::Keys::generate().sign(&json!({ "sub": user.to_string() }));
    let mut findings = Findings::default();
    for method in methods() {
        for (way, channel) in ways(&mesh, &method) {
            if !method.public {
                let answer = call(&channel, &method, Some(&good), empty(&method)).await;
                if answer.code != Code::Unimplemented {
                    findings.note(&method, way, format!("not public, but {answer:?}"));
                }
                continue;
            }
            for (token, reason) in [
                (None, "TOKEN_MISSING"),
                (Some(&expired), "TOKEN_EXPIRED"),
                (Some(&strangers), "TOKEN_INVALID"),
            ] {
                let token = token.map(String::as_str);
                let answer = call(&channel, &method, token, empty(&method)).await;
                if (answer.code, &*answer.reason) != (Code::Unauthenticated, reason) {
                    findings.note(&method, way, format!("{reason} expected, but {answer:?}"));
                }
            }
        }
    }
    findings.none();
}

#[tokio::test]
async fn an_empty_request_is_refused_by_the_name_of_a_field_or_is_a_right_one() {
    let mesh = Mesh::new().await;
    let token = testing::token(testing::user());
    let mut findings = Findings::default();
    for method in served() {
        for (way, channel) in ways(&mesh, &method) {
            let mut requests = vec![vec![Bytes::new()]];
            if method.descriptor.is_client_streaming() {
                requests.push(Vec::new());
            }
            for request in requests {
                let answer = call(&channel, &method, Some(&token), request).await;
                let expected = match () {
                    () if EMPTY_IS_RIGHT.contains(&method.name()) => answer.code == Code::Ok,
                    () => answer.code == Code::InvalidArgument && names_a_field(&method, &answer),
                };
                if !expected {
                    findings.note(&method, way, format!("{answer:?}"));
                }
            }
        }
    }
    findings.none();
}

/// Whether a refusal names fields, and only such that exist.
fn names_a_field(method: &Method, answer: &Answer) -> bool {
    !answer.fields.is_empty() && answer.fields.iter().all(|field| method.has_field(field))
}

#[tokio::test]
async fn what_belongs_to_another_answers_exactly_as_what_does_not_exist() {
    let mesh = Mesh::new().await;
    let owner = Person::settle(&mesh).await;
    let thief = Person::settle(&mesh).await;
    let mut findings = Findings::default();
    let mut seen = 0;
    for method in served() {
        for (way, channel) in ways(&mesh, &method) {
            let attempt = Attempt {
                channel: &channel,
                method: &method,
                owner: &owner,
                thief: &thief,
            };
            for spot in method.spots() {
                if spot.stands_for_something() && is_asked(&method, &spot) {
                    seen += 1;
                    if let Err(what) = attempt.one(&spot).await {
                        findings.note(&method, way, format!("{}: {what}", spot.path()));
                    }
                }
            }
            if let Err(what) = attempt.all().await {
                findings.note(&method, way, format!("all at once: {what}"));
            }
        }
    }
    findings.none();
    assert!(seen >= 40, "only {seen} places were tried");
}

/// One mebibyte.
const MIB: usize = 1024 * 1024;

/// Entries of a list that nobody sends.
const ENTRIES: usize = 100_000;

/// Whether a request with what nobody sends on purpose was answered as it must be: it is wrong, or
/// there is nothing of that name. An etag that is none is one that is no longer good.
fn refused(spot: &Spot, code: Code) -> bool {
    match code {
        Code::InvalidArgument | Code::ResourceExhausted | Code::NotFound => true,
        Code::Aborted => spot.field().name() == "etag",
        _ => false,
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_leaves_nothing() {
    let mesh = Mesh::new().await;
    let person = Person::settle(&mesh).await;
    let before = mesh.database().weights().await;
    let gateway = mesh.channel("gateway");
    let mut findings = Findings::default();
    for method in served() {
        for spot in method.spots() {
            for (what, value) in oversized(&spot) {
                let asked = with(&method, &person, &spot, value);
                let answer = call(&gateway, &method, Some(&person.token), asked).await;
                if !refused(&spot, answer.code) {
                    let told = (answer.code, answer.message);
                    findings.note(&method, what, format!("{}: {told:?}", spot.path()));
                }
            }
        }
        let asked = vec![beyond_a_message()];
        let answer = call(&gateway, &method, Some(&person.token), asked).await;
        if (answer.code, &*answer.reason) != (Code::ResourceExhausted, "MESSAGE_TOO_LARGE") {
            findings.note(&method, "message", format!("{answer:?}"));
        }
    }
    findings.none();
    let mut after = mesh.database().weights().await;
    // An upload that was refused leaves its row, marked as deleted, for whoever asks what became of
    // it: the row is short, and the file is gone.
    let uploads = after.remove("imports.upload").unwrap();
    assert!(
        uploads.longest < 2 * 1024,
        "an upload's row has {} bytes",
        uploads.longest
    );
    let mut before = before;
    before.remove("imports.upload");
    assert_eq!(after, before);
}

/// Values of a place that are too large for anything.
fn oversized(spot: &Spot) -> Vec<(&'static str, Value)> {
    let field = spot.field();
    let long = || "x".repeat(MIB);
    let numbered = |count: usize| (0..count).map(|number| number.to_string());
    if field.is_map() {
        let entry = |key: String, value: &str| (MapKey::String(key), Value::String(value.into()));
        let many = numbered(ENTRIES).map(|key| entry(key, "x")).collect();
        return vec![
            ("long key", Value::Map([entry(long(), "x")].into())),
            (
                "long value",
                Value::Map([entry("key".into(), &long())].into()),
            ),
            ("many entries", Value::Map(many)),
        ];
    }
    let one = match field.kind() {
        Kind::String => Value::String("x".to_owned()),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(inner) => {
            let mut element = DynamicMessage::new(inner);
            let number = element.get_field_by_name("row_number").is_some();
            if number {
                element.set_field_by_name("row_number", Value::I64(1));
            }
            Value::Message(element)
        }
        Kind::Bytes => return vec![("long", Value::Bytes(vec![b'x'; 2 * MIB].into()))],
        _ => return Vec::new(),
    };
    let mut values = Vec::new();
    if spot.text() {
        values.push(("long", Value::String(long())));
    }
    if field.is_list() {
        values.push(("many entries", Value::List(vec![one; ENTRIES])));
    }
    values
}

/// The right request with one place replaced. Of a resource that is updated the mask names that
/// place, or it would not be read.
fn with(method: &Method, person: &Person, spot: &Spot, value: Value) -> Vec<Bytes> {
    let mut asked = right(method, person, Import::Open);
    let path = spot.path();
    let mask = method
        .spots()
        .into_iter()
        .find(|it| it.path() == "update_mask.paths");
    if let (Some(mask), Some((_, field))) = (mask, path.split_once('.'))
        && !path.starts_with("update_mask")
        && !is_asked(method, spot)
        && field != "etag"
    {
        let named = field.split('.').next().unwrap().to_owned();
        mask.set(&mut asked[0], Value::String(named));
    }
    // Of a stream of parts the one that has the place.
    let part = path.split('.').next().unwrap();
    let at = asked
        .iter()
        .position(|message| message.has_field_by_name(part));
    spot.set(&mut asked[at.unwrap_or(0)], value);
    encoded(&asked)
}

/// A message of more than 4 MiB: an unknown field, which every message may carry.
fn beyond_a_message() -> Bytes {
    let length = 4 * MIB + 1;
    let mut message = BytesMut::new();
    prost::encoding::encode_key(
        1000,
        prost::encoding::WireType::LengthDelimited,
        &mut message,
    );
    prost::encoding::encode_varint(length as u64, &mut message);
    message.put_bytes(b'x', length);
    message.freeze()
}

#[tokio::test]
async fn control_characters_and_what_is_no_id_are_refused() {
    let mesh = Mesh::new().await;
    let person = Person::settle(&mesh).await;
    let gateway = mesh.channel("gateway");
    let mut findings = Findings::default();
    for method in served() {
        for spot in method.spots() {
            for value in with_control_characters(&spot) {
                let asked = with(&method, &person, &spot, value);
                let answer = call(&gateway, &method, Some(&person.token), asked).await;
                if !refused(&spot, answer.code) {
                    findings.note(&method, "control", format!("{}: {answer:?}", spot.path()));
                }
            }
            if !spot.stands_for_something() || !is_asked(&method, &spot) {
                continue;
            }
            for text in [
                "x",
                "0190b3f4-0000-7000-8000-00000000000",
                "' OR ''='",
                "../..",
                "-1",
            ] {
                let value = Value::String(text.to_owned());
                let asked = with(&method, &person, &spot, value);
                let answer = call(&gateway, &method, Some(&person.token), asked).await;
                let named = answer.fields == [spot.path()];
                if answer.code != Code::InvalidArgument || !named {
                    findings.note(
                        &method,
                        "no id",
                        format!("{} {text:?}: {answer:?}", spot.path()),
                    );
                }
            }
        }
    }
    findings.none();
}

/// Texts that no line of a form can hold, wherever a text can be.
fn with_control_characters(spot: &Spot) -> Vec<Value> {
    let mut values = Vec::new();
    for text in ["\0", "a\0b", "\u{1b}[2J", "a\u{7f}"] {
        let value = Value::String(text.to_owned());
        if spot.field().is_map() {
            let key = |key: &str| MapKey::String(key.to_owned());
            let plain = Value::String("x".to_owned());
            values.push(Value::Map([(key(text), plain)].into()));
            values.push(Value::Map([(key("key"), value)].into()));
        } else if spot.text() {
            values.push(value);
        }
    }
    values
}

#[tokio::test]
async fn numbers_at_their_limits_are_no_surprise() {
    let mesh = Mesh::new().await;
    let person = Person::settle(&mesh).await;
    let gateway = mesh.channel("gateway");
    let mut findings = Findings::default();
    let surprise = |code| matches!(code, Code::Internal | Code::Unknown);
    for method in served() {
        for spot in method.spots() {
            let values = match spot.field().kind() {
                Kind::Int64 => [i64::MIN, -1, i64::MAX].map(Value::I64).to_vec(),
                Kind::Int32 => [i32::MIN, -1, i32::MAX].map(Value::I32).to_vec(),
                Kind::Enum(_) => [i32::MIN, -1, i32::MAX].map(Value::EnumNumber).to_vec(),
                _ => continue,
            };
            for value in values {
                let asked = with(&method, &person, &spot, value.clone());
                let answer = call(&gateway, &method, Some(&person.token), asked).await;
                if surprise(answer.code) {
                    findings.note(&method, "numbers", format!("{} {value}", spot.path()));
                }
            }
        }
    }
    // And what was accepted can be read.
    for method in served()
        .iter()
        .filter(|it| EMPTY_IS_RIGHT.contains(&it.name()))
    {
        let answer = call(&gateway, method, Some(&person.token), empty(method)).await;
        if answer.code != Code::Ok {
            findings.note(method, "afterwards", format!("{answer:?}"));
        }
    }
    findings.none();
}

#[tokio::test]
async fn while_a_service_is_away_its_methods_say_so_in_time_and_the_others_go_on() {
    let mut mesh = Mesh::new().await;
    let person = Person::settle(&mesh).await;
    let gateway = mesh.channel("gateway");
    let mut open = BTreeMap::new();
    for method in served() {
        if method.descriptor.is_server_streaming() && method.name().starts_with("Watch") {
            let asked = right(&method, &person, Import::Open);
            let [message] = encoded(&asked).try_into().unwrap();
            let mut stream = call::open(&gateway, &method, &person.token, message).await;
            stream.message().await.unwrap().unwrap();
            open.insert(method.name().to_owned(), stream);
        }
    }
    let mut findings = Findings::default();
    for away in ["imports", "sync"] {
        mesh.kill(away).await;
        for method in methods().into_iter().filter(|method| method.public) {
            let answer = call(&gateway, &method, Some(&person.token), empty(&method)).await;
            let told = (answer.code, &*answer.reason) == (Code::Unavailable, "SERVICE_UNAVAILABLE");
            // Imports is away from the beginning, sync since the second round.
            let expected = method.owner == "imports" || away == "sync";
            if told != expected {
                findings.note(&method, away, format!("{answer:?}"));
            }
        }
    }
    for (name, mut stream) in open {
        let end = stream.message().await;
        let code = end.as_ref().err().map(tonic::Status::code);
        if code != Some(Code::Unavailable) {
            findings
                .0
                .push(format!("{name}, which was being watched: {end:?}"));
        }
    }
    findings.none();
}
