//! The configuration of the sync service. Every variable is in `.env.example`.

use std::net::SocketAddr;

use djinn_chassis::{auth, postgres, shutdown, telemetry};
use secrecy::SecretString;

/// Serves the ledger: accounts and transactions.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "djinn-sync", version)]
pub struct Config {
    /// Where the gRPC door listens.
    #[arg(long, env = "DJINN_SYNC_LISTEN", default_value = "127.0.0.1:4003")]
    pub listen: SocketAddr,
    /// Where health and metrics are served. Never publish it.
    #[arg(
        long,
        env = "DJINN_SYNC_ADMIN_LISTEN",
        default_value = "127.0.0.1:9103"
    )]
    pub admin_listen: SocketAddr,
    /// The database, as the role djinn_sync.
    #[arg(long, env = "DJINN_SYNC_DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// Connections to it at most.
    #[arg(
        long,
        env = "DJINN_SYNC_DATABASE_CONNECTIONS_MAX",
        default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub database_connections_max: u32,
    /// Who may call.
    #[command(flatten)]
    pub auth: auth::Config,
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
