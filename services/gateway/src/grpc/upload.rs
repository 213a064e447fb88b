//! The upload of a file to the imports service, as a stream that only its sender can end.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderValue;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, body::Body, metadata::AsciiMetadataValue, transport::Channel};
use tower::Service;

use djinn_chassis::auth::{Refusal, UserId};
use djinn_proto::imports::v1::{
    self as pb, import_service_client::ImportServiceClient, upload_statement_request::Part,
};

use super::{
    Gate, Lanes, body::RequestBody, call::Link, header::REQUEST_ID_KEY, pending::Pending, status,
};
use crate::{
    domain::{Owner, limits},
    error::Error,
};

/// What is known of a file before its first byte.
pub(crate) struct Header {
    /// The user, whose token is passed on.
    pub(crate) user: UserId,
    /// The value of the header `authorization`.
    pub(crate) authorization: HeaderValue,
    /// The id of this HTTP request, for logs.
    pub(crate) trace_id: Option<HeaderValue>,
    /// The client's id that makes the upload safe to repeat.
    pub(crate) request_id: String,
    /// The name of the file on the client's device.
    pub(crate) file_name: String,
    /// How many bytes the client announced, or 0.
    pub(crate) size_bytes: i64,
}

/// An upload under way. Dropping it resets the stream, so that the service can never take what came
/// so far for the whole file.
pub(crate) struct Upload {
    parts: Option<mpsc::Sender<pb::UploadStatementRequest>>,
    answer: Pending<Stored>,
    link: Arc<Link>,
}

type Stored = Pin<Box<dyn Future<Output = Result<pb::Upload, Status>> + Send>>;

impl Upload {
    /// Opens the stream and sends the header. Refused when all places are taken; that the service
    /// is away shows in `answer`.
    pub(crate) fn begin(lanes: &Lanes, gate: &Gate, header: Header) -> Result<Self, Status> {
        let lane = lanes.lane(Owner::Imports, false);
        let places = lane.places(gate, header.user)?;
        let link = Link::new();
        // One chunk waits here while one is sent: enough to keep both sides busy, and no more.
        let (parts, queue) = mpsc::channel(1);
        let first = Part::Header(pb::UploadHeader {
            request_id: header.request_id,
            file_name: header.file_name,
            size_bytes: header.size_bytes,
        });
        let first = pb::UploadStatementRequest { part: Some(first) };
        let messages =
            futures::StreamExt::chain(futures::stream::iter([first]), ReceiverStream::new(queue));
        let mut request = Request::new(messages);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", metadata_value(&header.authorization)?);
        if let Some(id) = &header.trace_id {
            metadata.insert(REQUEST_ID_KEY, metadata_value(id)?);
        }
        let (channel, owner) = (lane.alone(), lane.clone());
        let watched = Watched {
            channel,
            link: Arc::clone(&link),
        };
        let answer: Stored = Box::pin(async move {
            let mut client = ImportServiceClient::new(watched);
            let answer = client.upload_statement(request).await;
            let answer = answer.map_err(|refused| owner.refused(refused))?;
            let broken = || {
                status(Error::AnswerBroken {
                    service: owner.name(),
                })
            };
            answer.into_inner().upload.ok_or_else(broken)
        });
        Ok(Self {
            parts: Some(parts),
            answer: Pending::new(answer, Arc::clone(&link), places),
            link,
        })
    }

    /// Waits for an answer that comes before the end of the file; it is the answer then.
    pub(crate) async fn answer(&mut self) -> Result<pb::Upload, Status> {
        (&mut self.answer).await.0
    }

    /// Sends a chunk, waiting until the service has room for it. `Some` is the service's answer, if
    /// it did not want the rest.
    pub(crate) async fn send(&mut self, chunk: Bytes) -> Result<Option<pb::Upload>, Status> {
        let Some(parts) = &self.parts else {
            return Err(status(Error::UploadBroken));
        };
        let part = pb::UploadStatementRequest {
            part: Some(Part::Chunk(chunk)),
        };
        tokio::select! {
            biased;
            (answer, _) = &mut self.answer => answer.map(Some),
            sent = timeout(limits::UPLOAD_SERVICE_TIMEOUT, parts.send(part)) => match sent {
                Ok(Ok(())) => Ok(None),
                // The stream is gone, so its answer is here or about to be.
                Ok(Err(_)) => self.finish().await.map(Some),
                Err(_) => Err(status(Error::Deadline)),
            },
        }
    }

    /// Ends the file and waits for the service to have stored it.
    pub(crate) async fn finish(&mut self) -> Result<pb::Upload, Status> {
        self.parts = None;
        match timeout(limits::UPLOAD_SERVICE_TIMEOUT, &mut self.answer).await {
            Ok((answer, _)) => answer,
            Err(_) => Err(status(Error::Deadline)),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Before the sender is dropped, which alone would look like the end of the file.
        self.link.abort();
    }
}

fn metadata_value(value: &HeaderValue) -> Result<AsciiMetadataValue, Status> {
    AsciiMetadataValue::try_from(value.as_bytes()).map_err(|_| Refusal::Invalid.into())
}

/// A channel whose request bodies end as their link says.
struct Watched {
    channel: Channel,
    link: Arc<Link>,
}

impl Service<http::Request<Body>> for Watched {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = <Channel as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let link = Arc::clone(&self.link);
        self.channel
            .call(request.map(|body| Body::new(RequestBody::stream(body, link))))
    }
}
