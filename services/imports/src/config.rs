//! The configuration of the imports service. Every variable is in `.env.example`.

use std::{net::SocketAddr, time::Duration};

use djinn_chassis::{auth, config, objects, postgres, shutdown, telemetry, temporal};
use secrecy::SecretString;

/// Takes statements in and brings them into the ledger.
#[derive(clap::Parser, Clone, Debug)]
#[command(version)]
pub struct Config {
    /// Where the gRPC door listens.
    #[arg(long, env = "DJINN_IMPORTS_LISTEN", default_value = "127.0.0.1:4001")]
    pub listen: SocketAddr,
    /// Where health and metrics are served.
    #[arg(
        long,
        env = "DJINN_IMPORTS_ADMIN_LISTEN",
        default_value = "127.0.0.1:9101"
    )]
    pub admin_listen: SocketAddr,
    /// The database, as the role djinn_imports.
    #[arg(long, env = "DJINN_IMPORTS_DATABASE_URL")]
    pub database_url: SecretString,
    /// Connections to it at most.
    #[arg(long, env = "DJINN_IMPORTS_DATABASE_CONNECTIONS_MAX", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(2..=100))]
    pub database_connections_max: u32,
    /// The task queue of its workflows; another one only to keep two meshes on one Temporal apart.
    #[arg(long, env = "DJINN_IMPORTS_TASK_QUEUE",
          default_value = djinn_temporal::imports::TASK_QUEUE)]
    pub task_queue: String,
    /// The malware scanner, host and port of a clamd.
    #[arg(long, env = "DJINN_CLAMD_ADDRESS", default_value = "127.0.0.1:3310")]
    pub clamd_address: String,
    /// How long a review waits for a person.
    #[arg(long, env = "DJINN_IMPORTS_REVIEW_TTL", default_value = "7d",
          value_parser = config::duration)]
    pub review_ttl: Duration,
    /// The object store.
    #[command(flatten)]
    pub objects: objects::Config,
    /// Who may call.
    #[command(flatten)]
    pub auth: auth::Config,
    /// The worker.
    #[command(flatten)]
    pub worker: temporal::WorkerConfig,
    /// How it stops.
    #[command(flatten)]
    pub shutdown: shutdown::Config,
    /// How it logs.
    #[command(flatten)]
    pub telemetry: telemetry::Config,
}

impl Config {
    /// The database's part.
    pub(crate) fn database(&self) -> postgres::Options {
        postgres::Options {
            url: self.database_url.clone(),
            connections_max: self.database_connections_max,
        }
    }
}
