//! Reflection at the edge: the public methods and nothing else, from our own descriptors.

use http::{Request, Response};
use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;
use tonic::{body::Body, service::Routes as Services};
use tonic_reflection::server::Builder;
use tower::ServiceExt;

use crate::domain::Routes;

/// The reflection services, v1 and v1alpha (older grpcurl speaks only the latter).
#[derive(Clone)]
pub(crate) struct Reflection(Services);

/// The descriptors cannot be served.
#[derive(thiserror::Error, Debug)]
pub(crate) enum ReflectionError {
    #[error("the descriptors cannot be read")]
    Read(#[from] DecodeError),
    #[error("the descriptors cannot be served")]
    Serve(#[from] tonic_reflection::server::Error),
}

impl Reflection {
    /// Serves the descriptors, from which every method that is not public has been removed.
    pub(crate) fn new(descriptors: &[u8], routes: &Routes) -> Result<Self, ReflectionError> {
        let public = public_only(descriptors, routes)?;
        let configure = || {
            Builder::configure()
                .register_file_descriptor_set(public.clone())
                // What refusals carry: without it tools show a reason as bytes.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        let services = Services::new(configure().build_v1()?);
        Ok(Self(services.add_service(configure().build_v1alpha()?)))
    }

    pub(crate) async fn answer(&self, request: Request<axum::body::Body>) -> Response<Body> {
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
        }
    }
}

fn public_only(descriptors: &[u8], routes: &Routes) -> Result<FileDescriptorSet, DecodeError> {
    let mut set = FileDescriptorSet::decode(descriptors)?;
    for file in &mut set.file {
        // Comments are addressed by positions, which no longer fit, and may speak of the removed.
        file.source_code_info = None;
        let package = file.package.clone().unwrap_or_default();
        for service in &mut file.service {
            let name = service.name.clone().unwrap_or_default();
            service.method.retain(|method| {
                let path = format!("/{package}.{name}/{}", method.name.as_deref().unwrap_or(""));
                routes.get(&path).is_some()
            });
        }
        file.service.retain(|service| !service.method.is_empty());
    }
    Ok(set)
}
