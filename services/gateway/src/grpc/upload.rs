//! The upload of a file, or of a chunk of one, to the imports service, as a stream that only its
//! sender can end.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, Chain, Iter},
};
use http::HeaderValue;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, body::Body, metadata::AsciiMetadataValue, transport::Channel};
use tower::Service;
use tracing::Span;

use djinn_chassis::{
    auth::{Refusal, UserId},
    telemetry,
};
use djinn_proto::imports::v1::{
    self as pb, import_service_client::ImportServiceClient, upload_chunk_request,
    upload_statement_request,
};

use super::{
    Gate, Lanes, body::RequestBody, call::Link, header::REQUEST_ID_KEY, pending::Pending, status,
};
use crate::{
    domain::{Owner, limits},
    error::Error,
};

/// Who uploads.
pub(crate) struct Uploader {
    /// The user, whose token is passed on.
    pub(crate) user: UserId,
    /// The value of the header `authorization`.
    pub(crate) authorization: HeaderValue,
    /// The id of this HTTP request, for logs.
    pub(crate) trace_id: Option<HeaderValue>,
}

/// An upload under way, with the answer that it gets and the messages it is sent in. Dropping it
/// resets the stream, so that the service can never take what came so far for the whole of it.
pub(crate) struct Upload<A, M>
where
    A: Send + 'static,
{
    parts: Option<mpsc::Sender<M>>,
    answer: Pending<Stored<A>>,
    link: Arc<Link>,
    message: fn(Bytes) -> M,
}

/// A file in one stream.
pub(crate) type Statement = Upload<pb::Upload, pb::UploadStatementRequest>;

/// A chunk of a file.
pub(crate) type Chunk = Upload<pb::UploadProgress, pb::UploadChunkRequest>;

type Stored<A> = Pin<Box<dyn Future<Output = Result<A, Status>> + Send>>;
type Imports = ImportServiceClient<Watched>;
/// The header, and then what is sent. By name: of a boxed stream the compiler would not know that
/// it lives as long as the call.
type Messages<M> = Chain<Iter<std::array::IntoIter<M, 1>>, ReceiverStream<M>>;

impl Statement {
    /// Opens the stream and sends the header. Refused when all places are taken; that the service
    /// is away shows in `answer`.
    pub(crate) fn begin(
        lanes: &Lanes,
        gate: &Gate,
        uploader: &Uploader,
        header: pb::UploadHeader,
    ) -> Result<Self, Status> {
        use upload_statement_request::Part;
        let message = |part| pb::UploadStatementRequest { part: Some(part) };
        let ask = |mut imports: Imports, request| async move {
            let answer = imports.upload_statement(request).await?;
            Ok(answer.into_inner().upload)
        };
        let first = message(Part::Header(header));
        Self::open(lanes, gate, uploader, first, ask, |bytes| {
            pb::UploadStatementRequest {
                part: Some(Part::Chunk(bytes)),
            }
        })
    }
}

impl Chunk {
    /// The same for a chunk.
    pub(crate) fn begin(
        lanes: &Lanes,
        gate: &Gate,
        uploader: &Uploader,
        header: pb::UploadChunkHeader,
    ) -> Result<Self, Status> {
        use upload_chunk_request::Part;
        let message = |part| pb::UploadChunkRequest { part: Some(part) };
        let ask = |mut imports: Imports, request| async move {
            let answer = imports.upload_chunk(request).await?;
            Ok(answer.into_inner().progress)
        };
        let first = message(Part::Header(header));
        Self::open(lanes, gate, uploader, first, ask, |bytes| {
            pb::UploadChunkRequest {
                part: Some(Part::Chunk(bytes)),
            }
        })
    }
}

impl<A, M> Upload<A, M>
where
    A: Send + 'static,
    M: Send + 'static,
{
    fn open<F>(
        lanes: &Lanes,
        gate: &Gate,
        uploader: &Uploader,
        first: M,
        ask: impl FnOnce(Imports, Request<Messages<M>>) -> F + Send + 'static,
        message: fn(Bytes) -> M,
    ) -> Result<Self, Status>
    where
        F: Future<Output = Result<Option<A>, Status>> + Send,
    {
        let lane = lanes.lane(Owner::Imports, false);
        let places = lane.places(gate, uploader.user)?;
        let link = Link::new();
        // One chunk waits here while one is sent: enough to keep both sides busy, and no more.
        let (parts, queue) = mpsc::channel(1);
        let messages = stream::iter([first]).chain(ReceiverStream::new(queue));
        let mut request = Request::new(messages);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", metadata_value(&uploader.authorization)?);
        if let Some(id) = &uploader.trace_id {
            metadata.insert(REQUEST_ID_KEY, metadata_value(id)?);
        }
        telemetry::pass_on(&Span::current(), metadata.as_mut());
        let (channel, owner) = (lane.alone(), lane.clone());
        let watched = Watched {
            channel,
            link: Arc::clone(&link),
        };
        let answer: Stored<A> = Box::pin(async move {
            let answer = ask(ImportServiceClient::new(watched), request).await;
            let answer = answer.map_err(|refused| owner.refused(refused))?;
            let service = owner.name();
            answer.ok_or_else(|| status(Error::AnswerBroken { service }))
        });
        Ok(Self {
            parts: Some(parts),
            answer: Pending::new(answer, Arc::clone(&link), places),
            link,
            message,
        })
    }

    /// Waits for an answer that comes before the end of the file; it is the answer then.
    pub(crate) async fn answer(&mut self) -> Result<A, Status> {
        (&mut self.answer).await.0
    }

    /// Sends some bytes, waiting until the service has room for them. `Some` is the service's
    /// answer, if it did not want the rest.
    pub(crate) async fn send(&mut self, bytes: Bytes) -> Result<Option<A>, Status> {
        let Some(parts) = &self.parts else {
            return Err(status(Error::UploadBroken));
        };
        let part = (self.message)(bytes);
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
    pub(crate) async fn finish(&mut self) -> Result<A, Status> {
        self.parts = None;
        match timeout(limits::UPLOAD_SERVICE_TIMEOUT, &mut self.answer).await {
            Ok((answer, _)) => answer,
            Err(_) => Err(status(Error::Deadline)),
        }
    }
}

impl<A, M> Drop for Upload<A, M>
where
    A: Send + 'static,
{
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
