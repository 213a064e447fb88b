//! A database per test, copied from the migrated template.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its database can only stop"
)]

use std::{collections::BTreeMap, time::Duration};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use url::Url;
use uuid::Uuid;

use super::{eventually, stack};

/// How long a copy may take while others are being made from the same template.
const CREATE_DEADLINE: Duration = Duration::from_secs(60);

/// A test's own database, which is dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    /// The superuser's way to its server.
    admin_url: String,
}

/// Copies the template into a new database. The superuser does this and no more: what a test reads
/// and writes, it does as a role that row-level security binds.
///
/// # Panics
/// When there is no stack, or the copy cannot be made within a minute.
pub async fn database() -> Database {
    let name = format!("t_{}", Uuid::new_v4().simple());
    let template = &stack().template;
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
    // A template that somebody is connected to, if only for a moment, cannot be copied.
    eventually(
        "a copy of the template",
        CREATE_DEADLINE,
        async || match administer(&stack().admin_database_url, &create).await {
            Ok(()) => Some(()),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55006") => None,
            Err(error) => panic!("{create}: {error}"),
        },
    )
    .await;
    Database::of(name, stack().admin_database_url.clone())
}

/// How much a table holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weight {
    /// Its rows.
    pub rows: i64,
    /// The bytes of its longest row, as text.
    pub longest: i64,
}

impl Database {
    /// A database that is there already, on a server that the superuser reaches by this URL.
    pub(super) fn of(name: String, admin_url: String) -> Self {
        Self { name, admin_url }
    }

    /// How much each table of ours holds, by `schema.table`, whosever rows they are: so that a test
    /// can tell that something left nothing behind.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn weights(&self) -> BTreeMap<String, Weight> {
        let mut connection = self.superuser().await;
        let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
                      WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";
        let tables = sqlx::query_scalar(tables).fetch_all(&mut connection).await;
        let tables: Vec<String> = tables.expect("a list of tables");
        let mut weights = BTreeMap::new();
        for table in tables {
            let weigh = format!(
                "SELECT count(*), coalesce(max(octet_length(t::text)), 0)::bigint FROM {table} t"
            );
            let row = sqlx::query(AssertSqlSafe(weigh)).fetch_one(&mut connection);
            let row = row.await.expect("a table's weight");
            let (rows, longest) = (row.get(0), row.get(1));
            weights.insert(table, Weight { rows, longest });
        }
        weights
    }

    /// Does what only the superuser may.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn run(&self, statement: &str) {
        let mut connection = self.superuser().await;
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection);
        done.await.expect("a statement");
    }

    async fn superuser(&self) -> PgConnection {
        let mut url: Url = self.admin_url.parse().expect("a database URL");
        url.set_path(&self.name);
        let connection = PgConnection::connect(url.as_str()).await;
        connection.expect("a connection")
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a role connects to this database.
    ///
    /// # Panics
    /// When the stack has no password for the role.
    #[must_use]
    pub fn url(&self, role: &str) -> String {
        let password = stack().passwords.get(role);
        let password = password.unwrap_or_else(|| panic!("the stack has no password for {role}"));
        let mut url: Url = self.admin_url.parse().expect("a database URL");
        url.set_username(role).expect("a database URL with a host");
        url.set_password(Some(password))
            .expect("a database URL with a host");
        url.set_path(&self.name);
        url.into()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop_database = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let admin_url = std::mem::take(&mut self.admin_url);
        // The test's own runtime may be the one that is ending right now.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(sqlx::Error::Io)?;
            runtime.block_on(administer(&admin_url, &drop_database))
        });
        match dropped.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, database = self.name, "not dropped"),
            Err(_) => tracing::warn!(database = self.name, "not dropped"),
        }
    }
}

async fn administer(admin_url: &str, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(admin_url).await?;
    // Names are made here and in the stack's file.
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    connection.execute(statement).await?;
    connection.close().await
}
