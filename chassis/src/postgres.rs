//! Postgres: one pool per service, and every statement inside a transaction that says for whom.
//!
//! Row-level security reads the user from a setting of the transaction. A transaction that is
//! dropped gives its connection back only after its rollback has been confirmed; otherwise the
//! connection is closed hard, and the server ends the query within a second.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgConnection, Row,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use sqlx_core::transaction::TransactionManager;

use crate::{
    auth::UserId,
    fault::{Fault, Kind},
};

/// How long a caller waits for a connection before it is told that the database is away. Short: the
/// caller has a deadline of its own and does better to retry.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection unused for this long is closed: a backend holds megabytes of a small server, and
/// what is prepared on it some more of the service.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections are renewed after this, since a backend's caches only grow.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 60);

/// How long the rollback of an abandoned transaction may take before its connection is closed
/// instead. Enough for a round trip, too short for a statement that is still running.
const ROLLBACK_TIMEOUT: Duration = Duration::from_millis(250);

/// Settings of every connection.
const SETTINGS: [(&str, &str); 3] = [
    // The client library cannot cancel a statement; it can hang up. This makes the server notice.
    ("client_connection_check_interval", "1s"),
    // Statements end by their caller's deadline or heartbeat, never by a clock of the server's.
    ("statement_timeout", "0"),
    // A process that froze inside a transaction must not hold its locks for ever.
    ("idle_in_transaction_session_timeout", "5min"),
];

/// Where the database is and how much of it a service may use. Each service has variables of its
/// own for these.
#[derive(Clone, Debug)]
pub struct Options {
    /// `postgres://role:password@host:port/database`.
    pub url: SecretString,
    /// The most connections this process opens. All processes share 80.
    pub connections_max: u32,
}

/// A pool of connections as the service's role; cheap to clone.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
    refusal: Arc<OnceLock<String>>,
}

/// What can go wrong with the database, by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, is starting or stopping, or has no connection left.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Another transaction was in the way: serialisation failure, deadlock, or a lock not granted.
    #[error("the transaction met another one")]
    Conflict(#[source] sqlx::Error),
    /// A constraint does not hold. Stores turn the ones they expect into errors of their own.
    #[error("the constraint {name:?} is violated")]
    Constraint {
        /// The constraint's name; the column's for a missing value; empty if the server names none.
        name: String,
        /// What the server said.
        source: sqlx::Error,
    },
    /// A defect: a statement, a type or a privilege that is wrong.
    #[error("the database refused a statement")]
    Internal(#[source] sqlx::Error),
}

impl Postgres {
    /// Makes the pool without connecting, so that a service starts before its database does; the
    /// first use connects. Every new connection checks that row-level security binds its role. It
    /// is async because the pool starts its upkeep on the runtime it is made in.
    ///
    /// # Errors
    /// [`Error::Internal`] if the URL does not parse.
    pub async fn connect(options: &Options) -> Result<Self, Error> {
        let connect = PgConnectOptions::from_str(options.url.expose_secret())
            .map_err(Error::Internal)?
            .options(SETTINGS);
        let connect = match connect.get_application_name() {
            Some(_) => connect,
            None => connect.application_name(&program()),
        };
        let refusal = Arc::new(OnceLock::new());
        let refused = Arc::clone(&refusal);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections_max)
            .min_connections(0)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            .max_lifetime(LIFETIME_MAX)
            .after_connect(move |connection, _| {
                let refused = Arc::clone(&refused);
                Box::pin(async move { bound_by_row_security(connection, &refused).await })
            })
            .connect_lazy_with(connect);
        Ok(Self { pool, refusal })
    }

    /// Begins a transaction that sees and writes this user's rows and nobody else's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after 3 s without a connection.
    pub async fn user(&self, user: UserId) -> Result<UserTransaction, Error> {
        let mut transaction = self.unscoped().await?;
        sqlx::query("SELECT set_config('djinn.user_id', $1, true)")
            .bind(user.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(UserTransaction { transaction, user })
    }

    /// Begins a transaction for no user: tables under row-level security raise an error in it. For
    /// sweeps, which read what is due and then work user by user.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after 3 s without a connection.
    pub async fn unscoped(&self) -> Result<Transaction, Error> {
        let mut transaction = Transaction {
            connection: Some(self.acquire().await?),
        };
        Manager::begin(&mut transaction, None).await?;
        Ok(transaction)
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there is none within 3 s, [`Error::Internal`] if the role may not
    /// be used.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut transaction = self.unscoped().await?;
        sqlx::query("SELECT 1").execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn acquire(&self) -> Result<PoolConnection<sqlx::Postgres>, Error> {
        let connection = match self.refusal.get() {
            Some(_) => Err(sqlx::Error::PoolTimedOut),
            None => self.pool.acquire().await,
        };
        connection.map_err(|error| match self.refusal.get() {
            Some(refusal) => Error::Internal(sqlx::Error::Configuration(refusal.clone().into())),
            None => error.into(),
        })
    }
}

type Manager = <sqlx::Postgres as sqlx::Database>::TransactionManager;

fn program() -> String {
    let path = std::env::current_exe().ok();
    let stem = path.as_deref().and_then(std::path::Path::file_stem);
    stem.map_or(Cow::Borrowed("djinn"), std::ffi::OsStr::to_string_lossy)
        .into_owned()
}

/// A role that row-level security does not bind would show every user to every other: the service
/// refuses to work with it, and says so once.
async fn bound_by_row_security(
    connection: &mut PgConnection,
    refusal: &OnceLock<String>,
) -> Result<(), sqlx::Error> {
    let row = sqlx::query(
        "SELECT current_user::text, rolsuper OR rolbypassrls \
         FROM pg_catalog.pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !row.try_get::<bool, _>(1)? {
        return Ok(());
    }
    let role: String = row.try_get(0)?;
    let text = format!("the role {role} is above row-level security: connect as the service's own");
    Err(sqlx::Error::Configuration(
        refusal.get_or_init(|| text).clone().into(),
    ))
}

/// A transaction that speaks for no user; see [`Postgres::unscoped`]. Dropped, it is rolled back.
#[derive(Debug)]
pub struct Transaction {
    // `None` only inside `drop` and after `commit`.
    connection: Option<PoolConnection<sqlx::Postgres>>,
}

impl Transaction {
    /// Makes what was written last. After an error, and after a cancelled call, whether it was
    /// written is unknown: read it.
    ///
    /// # Errors
    /// As the database answers; deferred constraints are checked here.
    pub async fn commit(mut self) -> Result<(), Error> {
        // Postgres answers COMMIT of a transaction in which a statement has failed with a rollback
        // and no error. Whoever swallowed that statement's error must not believe in its writes.
        sqlx::query("SELECT 1").execute(&mut *self).await?;
        Manager::commit(&mut self).await?;
        self.connection.take();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a transaction is not used after its end"),
        }
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a transaction is not used after its end"),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            // An early return with an error is as common as a cancelled call, and deserves to keep
            // its connection: it goes back once the server has confirmed the rollback.
            Ok(runtime) => drop(runtime.spawn(roll_back(connection))),
            Err(_) => drop(connection.detach()),
        }
    }
}

/// Held while the rollback of an abandoned transaction is under way. However this ends, by an
/// error, by the timeout or with the runtime itself, a connection that is not known to be clean is
/// closed.
struct Abandoned(Option<PoolConnection<sqlx::Postgres>>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            // Taken out of the pool and dropped, its socket closes without another word.
            drop(connection.detach());
        }
    }
}

async fn roll_back(connection: PoolConnection<sqlx::Postgres>) {
    let mut abandoned = Abandoned(Some(connection));
    let Some(connection) = &mut abandoned.0 else {
        return;
    };
    let clean = tokio::time::timeout(ROLLBACK_TIMEOUT, clean(connection));
    if let Ok(Ok(true)) = clean.await {
        drop(abandoned.0.take());
    }
}

/// Rolls back whatever is open, and whether the connection is known to be idle after that.
///
/// The client library loses count of the server's answers where a COPY was cancelled as it began
/// (sqlx 0.9.0, *tried*): the next statement would read the answer of another. A number that nobody
/// else asks for shows that question and answer match.
async fn clean(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Savepoints first, if the work was inside one.
    while Manager::get_transaction_depth(connection) > 0 {
        Manager::rollback(connection).await?;
    }
    // A BEGIN that was cancelled has not been counted, so this is sent always. Where nothing is
    // open the server would warn, once per refused request.
    sqlx::raw_sql("SET client_min_messages = error; ROLLBACK; RESET client_min_messages")
        .execute(&mut *connection)
        .await?;
    let nonce = uuid::Uuid::new_v4();
    let answer: uuid::Uuid = sqlx::query_scalar("SELECT $1::uuid")
        .bind(nonce)
        .fetch_one(connection)
        .await?;
    Ok(answer == nonce)
}

/// A transaction in which row-level security shows one user's rows. Dropped, it is rolled back.
#[derive(Debug)]
pub struct UserTransaction {
    transaction: Transaction,
    user: UserId,
}

impl UserTransaction {
    /// The user whose rows this transaction sees.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.user
    }

    /// Makes what was written last; see [`Transaction::commit`].
    ///
    /// # Errors
    /// As the database answers; deferred constraints are checked here.
    pub async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await
    }
}

impl Deref for UserTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for UserTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let database = match &error {
            sqlx::Error::Database(database) => database,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => return Self::Unavailable(error),
            _ => return Self::Internal(error),
        };
        let code = database.code().unwrap_or_default();
        match class(&code) {
            Class::Unavailable => Self::Unavailable(error),
            Class::Conflict => Self::Conflict(error),
            Class::Constraint => {
                let name = database.constraint().map(str::to_owned);
                let postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
                let column = || postgres.and_then(|error| error.column().map(str::to_owned));
                let name = name.or_else(column).unwrap_or_default();
                Self::Constraint {
                    name,
                    source: error,
                }
            }
            Class::Internal => Self::Internal(error),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Class {
    Unavailable,
    Conflict,
    Constraint,
    Internal,
}

/// What an SQLSTATE means: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn class(code: &str) -> Class {
    match code {
        // Serialisation failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Class::Conflict,
        // Cancelled by an operator, shutdown, crash, starting up, idle for too long.
        "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Class::Unavailable,
        _ => match code.get(..2) {
            // Connection exceptions; out of connections, memory or disk.
            Some("08" | "53") => Class::Unavailable,
            Some("23") => Class::Constraint,
            _ => Class::Internal,
        },
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Conflict(_) => Kind::Conflict,
            // One that a store expects never gets here, so this one is a surprise.
            Self::Constraint { .. } | Self::Internal(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "DATABASE_UNAVAILABLE",
            Self::Conflict(_) => "TRANSACTION_CONFLICT",
            Self::Constraint { .. } => "CONSTRAINT_VIOLATED",
            Self::Internal(_) => "DATABASE_REFUSED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_sorted_by_what_to_do() {
        for (code, expected) in [
            ("40001", Class::Conflict),
            ("40P01", Class::Conflict),
            ("55P03", Class::Conflict),
            ("23505", Class::Constraint),
            ("23514", Class::Constraint),
            ("23P01", Class::Constraint),
            ("57P01", Class::Unavailable),
            ("57P03", Class::Unavailable),
            ("53300", Class::Unavailable),
            ("08006", Class::Unavailable),
            ("42501", Class::Internal),
            ("42P01", Class::Internal),
            ("25P02", Class::Internal),
            ("22P02", Class::Internal),
            ("", Class::Internal),
        ] {
            assert_eq!(class(code), expected, "{code}");
        }
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_unavailable_and_does_not_keep_from_starting() {
        let port = crate::testing::free_port();
        let url = format!("postgres://djinn_test:secret@127.0.0.1:{port}/djinn");
        let options = Options {
            url: url.into(),
            connections_max: 1,
        };
        let postgres = Postgres::connect(&options).await.unwrap();
        let error = postgres.ping().await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(!format!("{options:?} {postgres:?} {error:?}").contains("secret"));
    }

    #[tokio::test]
    async fn a_url_that_is_none_is_refused_without_being_shown() {
        let options = Options {
            url: "secret".to_owned().into(),
            connections_max: 1,
        };
        let error = Postgres::connect(&options).await.unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error:?}");
        assert!(!crate::fault::chain(&error).contains("secret"), "{error:?}");
    }
}
