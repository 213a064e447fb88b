//! The sync service: the ledger as people read and edit it.
//!
//! | room | what it does |
//! |---|---|
//! | [`config`](Config) | what it can be told |
//! | [`error`](Error) | what can go wrong, and what each means to the caller |
//! | `domain` | requests once they are understood: fields, masks, page tokens. Pure |
//! | `store` | each request in one transaction, through `djinn-ledger` |
//! | `grpc` | `LedgerService`, and the conversions between protobuf and the domain |
//!
//! It serves reads and edits by hand only: bank connections, the phone's queue and with them a
//! Temporal worker come later. What it must not do: add transactions of a statement (that is the
//! imports service's, under its locks), or touch the schema `ledger` other than through
//! `djinn-ledger`.

mod config;
mod domain;
mod error;
mod grpc;
mod store;

use std::time::Duration;

use djinn_chassis::{
    auth::{AuthenticateLayer, Edges, Verifier},
    clock::Clock,
    fault,
    postgres::Postgres,
    serve::{self, Part, Readiness, Server},
    shutdown::Shutdown,
};
use djinn_proto::{DESCRIPTORS, sync::v1::ledger_service_server};

use crate::store::Store;
pub use crate::{config::Config, error::Error};

/// How often the database is asked whether it still answers. Readiness is for operators and load
/// balancers: a call in between finds out by itself.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// The services of this process, for health and reflection.
const SERVICE_NAMES: &[&str] = &[ledger_service_server::SERVICE_NAME];

/// Serves until the shutdown.
///
/// # Errors
/// When an address is taken, the key of tokens cannot be read, or a server fails. A database that
/// is away is no error: the service waits for it, not ready.
pub async fn run(config: Config, shutdown: Shutdown) -> anyhow::Result<()> {
    let clock = Clock::system();
    let users = Verifier::load(&config.auth).await?;
    let edges = Edges::of(DESCRIPTORS, Some("djinn.sync."))?;
    let postgres = Postgres::connect(&config.database()).await?;
    let readiness = Readiness::new();
    let database = readiness.part("database");
    let admin = serve::bind(config.admin_listen).await?;
    let server = Server {
        listener: serve::bind(config.listen).await?,
        routes: grpc::routes(Store::new(postgres.clone(), clock.clone())),
        authenticate: AuthenticateLayer::new(edges, users, None, clock),
        readiness: readiness.clone(),
        service_names: SERVICE_NAMES,
        descriptors: DESCRIPTORS,
    };
    tokio::try_join!(
        server.run(shutdown.clone()),
        serve::admin(admin, readiness, shutdown.clone()),
        watch(&postgres, &database, &shutdown),
    )?;
    Ok(())
}

/// Keeps the readiness in step with the database until the shutdown begins.
async fn watch(postgres: &Postgres, part: &Part, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut was_ready = true;
    loop {
        let ping = postgres.ping().await;
        part.set(ping.is_ok());
        // Told once, not every few seconds for as long as it lasts.
        if let Err(error) = &ping
            && was_ready
        {
            let error = fault::chain(error);
            tracing::warn!(error, "the database does not answer");
        }
        was_ready = ping.is_ok();
        tokio::select! {
            () = tokio::time::sleep(PING_INTERVAL) => {}
            () = shutdown.requested() => return Ok(()),
        }
    }
}
