//! A gateway of the test's own.

use std::{net::SocketAddr, time::Duration};

use http::Uri;
use tokio::{net::TcpStream, task::JoinHandle};
use tonic::{
    Request,
    transport::{Channel, Endpoint},
};

use djinn_chassis::{
    auth,
    shutdown::{self, Shutdown},
    telemetry,
    testing::{eventually, free_port},
};
use djinn_gateway::{Config, run};

use crate::{
    keys::{AUDIENCE, ISSUER, Keys},
    limit::{limits, redis},
};

/// The longest any condition in these tests may take to come true.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A running gateway; stopped when dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) keys: Keys,
    pub(crate) shutdown: Shutdown,
    pub(crate) task: JoinHandle<anyhow::Result<()>>,
}

impl Gateway {
    /// In front of one backend that plays every service.
    pub(crate) async fn before(backend: SocketAddr) -> Self {
        Self::with(&[backend, backend], |_| {}).await
    }

    /// In front of the services imports and sync, with changes to the configuration.
    pub(crate) async fn with(services: &[SocketAddr; 2], edit: impl FnOnce(&mut Config)) -> Self {
        let keys = Keys::new();
        let url = |address| format!("http://{address}").parse().expect("a URL");
        let local = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        let grace = Duration::from_secs(5);
        let mut config = Config {
            listen: local(),
            admin_listen: local(),
            imports_url: url(services[0]),
            sync_url: url(services[1]),
            reflection: false,
            graphiql: false,
            cors_origins: Vec::new(),
            proxies: 0,
            // What is tested beside the limits does not meet them.
            limits: limits("10000+10000/min"),
            cache: redis(""),
            auth: auth::Config {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                public_key: Some(keys.public_path()),
                jwks_url: None,
            },
            shutdown: shutdown::Config { grace },
            telemetry: telemetry::Config {
                filter: "off".to_owned(),
                format: telemetry::Format::Text,
                otlp_endpoint: None,
                trace_ratio: 1.0,
            },
        };
        edit(&mut config);
        let address = config.listen;
        let shutdown = Shutdown::manual(grace);
        let task = tokio::spawn(run(config, shutdown.clone()));
        eventually("the gateway listens", SOON, async || {
            TcpStream::connect(address).await.ok()
        })
        .await;
        Self {
            address,
            keys,
            shutdown,
            task,
        }
    }

    pub(crate) fn uri(&self, path: &str) -> Uri {
        format!("http://{}{path}", self.address)
            .parse()
            .expect("a URI")
    }

    pub(crate) fn channel(&self) -> Channel {
        Endpoint::from(self.uri("/")).connect_lazy()
    }

    /// A request with a good token.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        request(&self.keys.token(), message)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request with a token.
pub(crate) fn request<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", value);
    request
}
