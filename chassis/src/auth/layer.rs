//! The layer that stands in front of every method: who is calling, and is the method open to them?

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use tonic::Status;
use tower::{Layer, Service};

use super::{Caller, Edges, Refusal, ServiceVerifier, Verifier};
use crate::{clock::Clock, contract::Edge};

/// Services of the mesh's tools, which carry nobody's data and are open to all: health and
/// reflection. Where reflection is unwanted it is not served.
const OPEN_PREFIXES: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];

/// Lets a request through only with the token that its method asks for, and puts the [`Caller`]
/// into its extensions.
///
/// A public method asks for a user's token, one for services for a service token. What is internal
/// or unknown answers UNIMPLEMENTED, as if it did not exist.
#[derive(Clone)]
pub struct AuthenticateLayer {
    edges: Edges,
    users: Verifier,
    services: Option<ServiceVerifier>,
    clock: Clock,
}

impl AuthenticateLayer {
    /// The layer over these methods. Without `services`, methods for services are closed.
    #[must_use]
    pub fn new(
        edges: Edges,
        users: Verifier,
        services: Option<ServiceVerifier>,
        clock: Clock,
    ) -> Self {
        Self {
            edges,
            users,
            services,
            clock,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The caller for a method that asks for one, or why there is none.
    async fn authenticate(&self, edge: Edge, headers: &HeaderMap) -> Result<Caller, Status> {
        let now = self.clock.now();
        match (edge, &self.services) {
            (Edge::Public, _) => Ok(self.users.verify(bearer(headers)?, now).await?),
            (Edge::Service, Some(services)) => Ok(services.verify(bearer(headers)?, now)?),
            (Edge::Service, None) | (Edge::Internal, _) => Err(unknown()),
        }
    }
}

fn unknown() -> Status {
    Status::unimplemented("")
}

/// The token of the only `authorization` header; two would leave open which one counts.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Invalid);
    }
    let text = value.to_str().map_err(|_| Refusal::Invalid)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::Invalid);
    }
    Ok(token.trim_matches(' '))
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate {
            layer: self.clone(),
            inner,
        }
    }
}

/// The service that [`AuthenticateLayer`] makes.
#[derive(Clone)]
pub struct Authenticate<S> {
    layer: AuthenticateLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Authenticate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone that was asked whether it is ready is the one that is called.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let path = request.uri().path();
        if OPEN_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
            return Box::pin(inner.call(request));
        }
        let layer = self.layer.clone();
        Box::pin(async move {
            let edge = layer.edges.get(request.uri().path());
            let edge = edge.unwrap_or(Edge::Internal);
            match layer.authenticate(edge, request.headers()).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}
