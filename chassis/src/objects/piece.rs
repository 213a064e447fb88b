//! Bodies on their way to the store, cut into small pieces. The HTTP client copies whatever piece
//! it is given before it writes it, so a part that leaves in one piece is held twice.
//!
//! It cuts and nothing else: signatures and checksums are made before, of the whole.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use aws_sdk_s3::{
    config::{ConfigBag, HttpClient, RuntimeComponents, SharedHttpClient},
    error::BoxError,
    primitives::SdkBody,
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponentsBuilder,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The most bytes that leave in one piece.
pub(super) const PIECE_BYTES_MAX: usize = 64 * 1024;

/// An HTTP client whose requests leave in pieces.
#[derive(Debug)]
pub(super) struct CutClient(pub(super) SharedHttpClient);

impl HttpClient for CutClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(CutConnector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct CutConnector(SharedHttpConnector);

impl HttpConnector for CutConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body_mut();
        if body
            .bytes()
            .is_some_and(|whole| whole.len() > PIECE_BYTES_MAX)
        {
            let whole = std::mem::replace(body, SdkBody::taken());
            *body = SdkBody::from_body_1_x(Pieces {
                whole,
                rest: Bytes::new(),
            });
        }
        self.0.call(request)
    }
}

/// A body in pieces that share its memory.
struct Pieces {
    whole: SdkBody,
    /// What came out of it and is not sent yet.
    rest: Bytes,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.rest.is_empty() {
            let next = ready!(Pin::new(&mut self.whole).poll_frame(context));
            match next.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let whole = Body::size_hint(&self.whole);
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let mut hint = SizeHint::new();
        hint.set_lower(whole.lower().saturating_add(rest));
        if let Some(upper) = whole.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_leaves_in_small_pieces_of_its_own_memory() {
        for length in [0, 1, PIECE_BYTES_MAX, PIECE_BYTES_MAX + 1, 1_000_000] {
            let bytes = Bytes::from((0..=250).cycle().take(length).collect::<Vec<u8>>());
            let memory = bytes.as_ptr_range();
            let mut pieces = Pieces {
                whole: SdkBody::from(bytes.clone()),
                rest: Bytes::new(),
            };
            let mut sent = Vec::new();
            loop {
                let left = u64::try_from(length - sent.len()).unwrap();
                assert_eq!(pieces.size_hint().exact(), Some(left), "{length}");
                let Some(frame) = pieces.frame().await else {
                    break;
                };
                let piece = frame.unwrap().into_data().unwrap();
                assert!(piece.len() <= PIECE_BYTES_MAX, "{length}");
                assert!(memory.contains(&piece.as_ptr()), "{length}: a copy");
                sent.extend_from_slice(&piece);
            }
            assert!(pieces.is_end_stream());
            assert_eq!(sent, bytes, "{length}");
        }
    }
}
