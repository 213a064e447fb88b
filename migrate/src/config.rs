//! Where the cluster is, and the passwords its roles get.

use djinn_chassis::telemetry;
use secrecy::SecretString;

/// Brings a Djinn database to this release, then ends.
#[derive(clap::Parser, Debug)]
#[command(version)]
pub struct Config {
    /// An administrator of the cluster, who may create roles; the database in it is created if it
    /// is missing.
    #[arg(long, env = "DJINN_MIGRATE_DATABASE_URL")]
    pub database_url: SecretString,
    /// Password of djinn_migrator, which does data migrations.
    #[arg(long, env = "DJINN_MIGRATE_PASSWORD_MIGRATOR")]
    pub password_migrator: SecretString,
    /// Password of djinn_backup, which reads everything for dumps.
    #[arg(long, env = "DJINN_MIGRATE_PASSWORD_BACKUP")]
    pub password_backup: SecretString,
    /// Password of djinn_imports.
    #[arg(long, env = "DJINN_MIGRATE_PASSWORD_IMPORTS")]
    pub password_imports: SecretString,
    /// Password of djinn_sync.
    #[arg(long, env = "DJINN_MIGRATE_PASSWORD_SYNC")]
    pub password_sync: SecretString,
    /// How it logs.
    #[command(flatten)]
    pub telemetry: telemetry::Config,
}
