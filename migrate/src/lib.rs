//! Brings a database to this release: roles, schemas, migrations and grants.
//!
//! * [`config`]: where the cluster is, and the passwords of the roles.
//! * [`roles`]: who exists in the cluster. A service's role owns nothing and bypasses nothing.
//! * `run` below: one advisory lock, then every folder of migrations as the owner, each with a
//!   migrations table of its own, because several folders must not share one.
//!
//! Forward only: there is no way down, and a migration that has run never changes.

mod config;
mod roles;

use anyhow::Context;
use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection,
    migrate::{MigrateDatabase, Migrator},
    postgres::Postgres,
};
use tracing::info;

pub use config::Config;

/// Makes concurrent runs wait for each other; any number that nothing else in the cluster uses.
const LOCK: i64 = 0x646A_696E_6E01;

/// The schemas in the order they depend on each other.
fn migrations() -> [(&'static str, Migrator); 3] {
    [
        ("ledger", sqlx::migrate!("../ledger/migrations")),
        ("imports", sqlx::migrate!("../services/imports/migrations")),
        ("sync", sqlx::migrate!("../services/sync/migrations")),
    ]
}

/// Creates what is missing and runs what has not run.
///
/// # Errors
/// When the cluster cannot be reached, the administrator may not create roles, or a migration
/// fails; a migration that fails leaves nothing behind.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let url = config.database_url.expose_secret();
    if !Postgres::database_exists(url)
        .await
        .context("the database server cannot be reached")?
    {
        Postgres::create_database(url)
            .await
            .context("the database cannot be created")?;
    }
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await?;
    roles::ensure(&mut connection, &config).await?;
    for (schema, migrator) in migrations() {
        migrate(&mut connection, schema, migrator).await?;
    }
    connection.close().await?;
    info!("database is up to date");
    Ok(())
}

async fn migrate(
    connection: &mut PgConnection,
    schema: &'static str,
    mut migrator: Migrator,
) -> anyhow::Result<()> {
    create_schema(connection, schema).await?;
    // As the owner, so that everything belongs to a role that cannot log in.
    connection.execute("SET ROLE djinn_owner").await?;
    migrator.dangerous_set_table_name(format!("{schema}._sqlx_migrations"));
    // The lock above covers all folders; sqlx would take one per folder.
    migrator.set_locking(false);
    migrator
        .run_direct(None, connection, false)
        .await
        .with_context(|| format!("a migration of the schema {schema} failed"))?;
    connection.execute("RESET ROLE").await?;
    Ok(())
}

async fn create_schema(connection: &mut PgConnection, schema: &'static str) -> anyhow::Result<()> {
    let sql = format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION djinn_owner");
    connection.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The macro does not see that a file was added; `build.rs` makes cargo see it.
    #[test]
    fn every_migration_of_every_folder_is_in_the_program() {
        for (schema, migrator) in migrations() {
            let folder = match schema {
                "ledger" => "../ledger/migrations".to_owned(),
                service => format!("../services/{service}/migrations"),
            };
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            let files = folder.read_dir().unwrap();
            let mut written: Vec<String> = files
                .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
                .collect();
            written.sort();
            let mut held: Vec<&str> = migrator.iter().map(|it| it.sql.as_str()).collect();
            held.sort_unstable();
            assert_eq!(held, written, "{schema}");
        }
    }
}
