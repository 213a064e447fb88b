//! Reflection, in the version that tools speak and in the one that older ones do. Each is made when
//! somebody first asks: descriptors in memory are a quarter of a megabyte, which most processes
//! never need.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{Status, body::Body, server::NamedService, service::Routes};
use tonic_reflection::server::{Builder, Error};
use tower::{Service, ServiceExt};

/// What can be asked for.
#[derive(Clone, Copy)]
pub(super) struct Served {
    /// The serialised `FileDescriptorSet`.
    pub(super) descriptors: &'static [u8],
    /// The full names of the services.
    pub(super) service_names: &'static [&'static str],
}

/// One version of the reflection service; clones are one.
#[derive(Clone)]
pub(super) struct Reflection<const ALPHA: bool> {
    served: Served,
    made: Arc<OnceLock<Option<Routes>>>,
}

impl<const ALPHA: bool> Reflection<ALPHA> {
    pub(super) fn new(served: Served) -> Self {
        Self {
            served,
            made: Arc::default(),
        }
    }

    fn made(&self) -> Option<Routes> {
        let make = || {
            let made = self.served.routes(ALPHA);
            made.inspect_err(|error| tracing::error!(%error, "reflection cannot be served"))
                .ok()
        };
        self.made.get_or_init(make).clone()
    }
}

impl Served {
    fn routes(self, alpha: bool) -> Result<Routes, Error> {
        let builder = self.service_names.iter().fold(
            Builder::configure()
                .register_encoded_file_descriptor_set(self.descriptors)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                // What refusals carry: without it tools show a reason as bytes.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health"),
            |builder, name| builder.with_service_name(*name),
        );
        Ok(match alpha {
            true => Routes::new(builder.build_v1alpha()?),
            false => Routes::new(builder.build_v1()?),
        })
    }
}

impl<const ALPHA: bool> NamedService for Reflection<ALPHA> {
    const NAME: &'static str = match ALPHA {
        true => "grpc.reflection.v1alpha.ServerReflection",
        false => "grpc.reflection.v1.ServerReflection",
    };
}

impl<const ALPHA: bool> Service<Request<Body>> for Reflection<ALPHA> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let made = self.made();
        Box::pin(async move {
            match made {
                Some(routes) => routes.oneshot(request).await,
                None => Ok(Status::internal("reflection cannot be served").into_http()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn descriptors_that_cannot_be_served_are_told_as_such() {
        let reflection = Reflection::<false>::new(Served {
            descriptors: b"nonsense",
            service_names: &[],
        });
        for _ in 0..2 {
            let answer = reflection
                .clone()
                .oneshot(Request::default())
                .await
                .unwrap();
            let status = Status::from_header_map(answer.headers()).unwrap();
            assert_eq!(status.code(), Code::Internal);
        }
    }
}
