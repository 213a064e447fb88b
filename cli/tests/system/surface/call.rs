//! Calls of any method, by bytes: nothing here knows a message.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataValue,
    transport::Channel,
};
use tonic_types::StatusExt;

use super::contract::Method;

/// The gateway ends a unary call after ten seconds by itself; what takes longer hangs.
const HANG: Duration = Duration::from_secs(12);

/// What came of a call. Of a stream of answers only the first is waited for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) details: Bytes,
    pub(crate) reason: String,
    /// The fields a refusal names.
    pub(crate) fields: Vec<String>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The same with every one of these texts taken out, wherever it stands.
    pub(crate) fn without(&self, texts: &[String]) -> Self {
        let mut answer = self.clone();
        let mut details = String::from_utf8_lossy(&self.details).into_owned();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            answer.message = answer.message.replace(text, "ID");
            details = details.replace(text, "ID");
        }
        answer.details = details.into_bytes().into();
        answer
    }

    /// Whether one of these texts stands anywhere in it.
    pub(crate) fn tells_of<'a>(&self, texts: impl IntoIterator<Item = &'a String>) -> bool {
        let parts = [&self.body[..], self.message.as_bytes(), &self.details];
        texts.into_iter().any(|text| {
            let text = text.as_bytes();
            parts
                .iter()
                .any(|part| part.windows(text.len()).any(|it| it == text))
        })
    }
}

impl From<Result<Bytes, Status>> for Answer {
    fn from(result: Result<Bytes, Status>) -> Self {
        let (status, body) = match result {
            Ok(body) => (Status::ok(""), body),
            Err(status) => (status, Bytes::new()),
        };
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        let violations = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        let violations = violations.unwrap_or_default().into_iter();
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            details: Bytes::copy_from_slice(status.details()),
            reason: reason.unwrap_or_default(),
            fields: violations.map(|violation| violation.field).collect(),
            body,
        }
    }
}

/// Calls a method.
pub(crate) async fn call(
    channel: &Channel,
    method: &Method,
    token: Option<&str>,
    messages: Vec<Bytes>,
) -> Answer {
    let path = method.path.clone();
    let answer = tokio::time::timeout(HANG, send(channel, method, token, messages)).await;
    match answer {
        Ok(result) => result.into(),
        Err(_) => panic!("{path} hangs"),
    }
}

async fn send(
    channel: &Channel,
    method: &Method,
    token: Option<&str>,
    messages: Vec<Bytes>,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let path = method.path.clone();
    if method.unary() {
        let [message] = messages.try_into().unwrap();
        let request = with(token, message);
        return Ok(grpc.unary(request, path, Raw).await?.into_inner());
    }
    let request = with(token, futures::stream::iter(messages));
    let mut answers = grpc.streaming(request, path, Raw).await?.into_inner();
    let first = answers.message().await?;
    Ok(first.unwrap_or_default())
}

/// Opens a stream of answers and leaves it to be read.
pub(crate) async fn open(
    channel: &Channel,
    method: &Method,
    token: &str,
    message: Bytes,
) -> tonic::Streaming<Bytes> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let request = with(Some(token), message);
    let answers = grpc
        .server_streaming(request, method.path.clone(), Raw)
        .await;
    answers.unwrap().into_inner()
}

fn with<T>(token: Option<&str>, body: T) -> Request<T> {
    let mut request = Request::new(body);
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Messages as the bytes they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
