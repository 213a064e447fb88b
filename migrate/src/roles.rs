//! The roles of the cluster.
//!
//! `djinn_owner` owns every schema and cannot log in. A service's role owns nothing and cannot
//! bypass row-level security; forced row-level security holds for the owner too. Only
//! `djinn_migrator` and `djinn_backup` see across users, and they log in for nothing else.

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::Config;

/// Creates the roles that are missing and sets attributes and passwords of all.
pub(crate) async fn ensure(connection: &mut PgConnection, config: &Config) -> anyhow::Result<()> {
    let plain = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
    let across = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS";
    role(connection, "djinn_owner", &format!("NOLOGIN {plain}"), None).await?;
    for (name, attributes, password) in [
        ("djinn_migrator", across, &config.password_migrator),
        ("djinn_backup", across, &config.password_backup),
        ("djinn_imports", plain, &config.password_imports),
        ("djinn_sync", plain, &config.password_sync),
    ] {
        role(
            connection,
            name,
            &format!("LOGIN {attributes}"),
            Some(password),
        )
        .await?;
    }
    for sql in [
        "GRANT djinn_owner TO CURRENT_USER",
        "GRANT djinn_owner TO djinn_migrator",
        "GRANT pg_read_all_data TO djinn_backup",
        // Nobody but the owner creates anything where every role would find it.
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ] {
        connection
            .execute(sql)
            .await
            .with_context(|| format!("`{sql}` failed"))?;
    }
    Ok(())
}

async fn role(
    connection: &mut PgConnection,
    name: &'static str,
    attributes: &str,
    password: Option<&SecretString>,
) -> anyhow::Result<()> {
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
            .bind(name)
            .fetch_one(&mut *connection)
            .await?;
    let verb = if exists { "ALTER" } else { "CREATE" };
    // Utility statements take no parameters: the server quotes the password itself.
    let quoted: Option<String> = sqlx::query_scalar("SELECT quote_literal($1::text)")
        .bind(password.map(|password| password.expose_secret()))
        .fetch_one(&mut *connection)
        .await?;
    let password = quoted.map_or(String::new(), |quoted| format!(" PASSWORD {quoted}"));
    let sql = format!("{verb} ROLE {name} WITH {attributes}{password}");
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .with_context(|| format!("the role {name} cannot be created or changed"))?;
    Ok(())
}
