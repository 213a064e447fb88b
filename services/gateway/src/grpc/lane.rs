//! The connections to the services. Each has two lanes, one for unary calls and one for streams, so
//! that watchers can never take the places of short calls.

use std::{error::Error as _, sync::Arc};

use http::Uri;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tonic::{
    Status, TimeoutExpired,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{Gate, overloaded, status, tally::Place};
use crate::{
    domain::{Owner, limits},
    error::Error,
};

/// The lanes of every service.
#[derive(Clone)]
pub(crate) struct Lanes {
    imports: Service,
    sync: Service,
}

#[derive(Clone)]
struct Service {
    unary: Lane,
    streams: Lane,
}

/// A connection to a service, shared by the calls of a kind, and the places for them.
#[derive(Clone)]
pub(super) struct Lane {
    owner: Owner,
    endpoint: Endpoint,
    shared: Channel,
    places: Arc<Semaphore>,
}

/// What a call holds until its last byte: a place on a lane and a place among its user's calls.
pub(super) struct Places {
    _lane: OwnedSemaphorePermit,
    _user: Place,
}

impl Lanes {
    /// Prepares the connections; each is made when it is first used, and again when it was lost, so
    /// the gateway starts and stays up without its services.
    pub(crate) fn new(imports: &Uri, sync: &Uri) -> Self {
        Self {
            imports: Service::new(Owner::Imports, imports),
            sync: Service::new(Owner::Sync, sync),
        }
    }

    /// The lane for calls of a kind.
    pub(super) fn lane(&self, owner: Owner, unary: bool) -> &Lane {
        let service = self.service(owner);
        if unary {
            &service.unary
        } else {
            &service.streams
        }
    }

    /// Whether a service says that it serves, within `HEALTH_TIMEOUT`.
    pub(crate) async fn serving(&self, owner: Owner) -> bool {
        let mut client = HealthClient::new(self.service(owner).unary.shared());
        let check = client.check(HealthCheckRequest {
            service: String::new(),
        });
        match timeout(limits::HEALTH_TIMEOUT, check).await {
            Ok(Ok(answer)) => answer.get_ref().status() == ServingStatus::Serving,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    fn service(&self, owner: Owner) -> &Service {
        match owner {
            Owner::Imports => &self.imports,
            Owner::Sync => &self.sync,
        }
    }
}

impl Service {
    fn new(owner: Owner, url: &Uri) -> Self {
        Self {
            unary: Lane::new(owner, url),
            streams: Lane::new(owner, url),
        }
    }
}

impl Lane {
    fn new(owner: Owner, url: &Uri) -> Self {
        let endpoint = Endpoint::from(url.clone())
            .connect_timeout(limits::CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(limits::LANE_PING_INTERVAL)
            .keep_alive_timeout(limits::LANE_PING_TIMEOUT)
            // A lane without calls costs its service no pings; the next call finds out.
            .keep_alive_while_idle(false)
            .initial_stream_window_size(limits::LANE_STREAM_WINDOW)
            .initial_connection_window_size(limits::LANE_WINDOW);
        Self {
            owner,
            shared: endpoint.connect_lazy(),
            endpoint,
            places: Arc::new(Semaphore::new(limits::LANE_CALLS_MAX)),
        }
    }

    /// The name of the service, for refusals and logs.
    pub(super) fn name(&self) -> &'static str {
        self.owner.name()
    }

    /// The connection for calls whose client sends one message.
    pub(super) fn shared(&self) -> Channel {
        self.shared.clone()
    }

    /// A connection for a single call whose client sends a stream. HTTP/2 servers close a
    /// connection on which small frames pile up unread (h2: `too_many_data_frames`), and how a
    /// stream is framed is its client's choice: on a shared one, it could end everyone's calls.
    pub(super) fn alone(&self) -> Channel {
        self.endpoint.connect_lazy()
    }

    /// Whether there is no place now.
    pub(super) fn full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Refuses a call for which there is no place now, before anything is spent on it: a token that
    /// is checked for nothing costs as much as a short call.
    pub(super) fn shed(&self) -> Result<(), Status> {
        if self.full() {
            return Err(overloaded(self.name()));
        }
        Ok(())
    }

    /// Takes the places of one call, or refuses at once: a queue would only make everyone late.
    pub(super) fn places(
        &self,
        gate: &Gate,
        user: djinn_chassis::auth::UserId,
    ) -> Result<Places, Status> {
        let _user = gate.place(user)?;
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(_lane) => Ok(Places { _lane, _user }),
            Err(_) => Err(overloaded(self.name())),
        }
    }

    /// Why a call got no answer.
    pub(super) fn failed(&self, error: tonic::transport::Error) -> Status {
        if expired(&error) {
            return status(Error::Deadline);
        }
        status(Error::ServiceAway {
            service: self.name(),
            source: error.into(),
        })
    }

    /// A refusal that a generated client returned: the service's own is passed on; one that the
    /// client made of a failed connection tells of internals and is replaced.
    pub(super) fn refused(&self, refused: Status) -> Status {
        if refused.source().is_none() {
            return refused;
        }
        if expired(&refused) {
            return status(Error::Deadline);
        }
        status(Error::ServiceAway {
            service: self.name(),
            source: refused.into(),
        })
    }
}

/// Whether a deadline is behind an error. A `Channel` reports an expired `grpc-timeout` as
/// CANCELLED, so its sources are looked through.
fn expired(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(cause) = error {
        if cause.is::<TimeoutExpired>() {
            return true;
        }
        error = cause.source();
    }
    false
}
