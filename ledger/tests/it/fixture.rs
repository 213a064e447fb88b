//! A database with both services' roles on it, and short ways to fill it.

pub(crate) mod stage;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use djinn_chassis::{
    auth::UserId,
    clock::Clock,
    postgres::{self, Options, Postgres, UserTransaction},
    testing::{self, Database},
};
use djinn_ledger::{
    Change,
    account::{self, Kind, NewAccount},
    money::{Currency, Money},
    zone::Zone,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

/// The roles that services connect as.
pub(crate) const ROLES: [&str; 2] = ["djinn_imports", "djinn_sync"];

/// The tables whose rows carry a change.
const WITH_CHANGE: [&str; 6] = [
    "account",
    "edit",
    "field_lock",
    "provenance",
    "tombstone",
    "transaction",
];

/// A test's database and the pools of the services on it.
pub(crate) struct Fixture {
    // Dropped last, after the pools.
    pub(crate) imports: Postgres,
    pub(crate) sync: Postgres,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
}

/// A transaction to insert.
pub(crate) struct Booking<'a> {
    pub(crate) account_id: Uuid,
    pub(crate) booked_on: &'a str,
    pub(crate) amount_minor: i64,
    pub(crate) description: &'a str,
    pub(crate) counterparty: &'a str,
    pub(crate) import_id: Option<Uuid>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = testing::database().await;
        Self {
            imports: pool(&database, "djinn_imports", 20).await,
            sync: pool(&database, "djinn_sync", 20).await,
            clock: Clock::system(),
            database,
        }
    }

    /// The pool of one of [`ROLES`].
    pub(crate) fn pool(&self, role: &str) -> &Postgres {
        match role {
            "djinn_imports" => &self.imports,
            _ => &self.sync,
        }
    }

    /// A connection of the superuser, for what only the owner could try.
    pub(crate) async fn superuser(&self) -> PgConnection {
        let url = self.database.url("postgres");
        PgConnection::connect(&url).await.unwrap()
    }

    /// An account in EUR with this opening balance, committed.
    pub(crate) async fn account(&self, user: UserId, opening_minor: i64) -> Uuid {
        let mut transaction = self.sync.user(user).await.unwrap();
        let change = Change::begin(&self.clock);
        let account = self.new_account("Giro", opening_minor);
        account::create(&mut transaction, &change, &account)
            .await
            .unwrap();
        change.commit(transaction, &[]).await.unwrap();
        account.account_id
    }

    /// An account that does not exist yet.
    pub(crate) fn new_account(&self, name: &str, opening_minor: i64) -> NewAccount {
        NewAccount {
            account_id: self.clock.id(),
            name: name.to_owned(),
            kind: Kind::Checking,
            number: String::new(),
            time_zone: Zone::default(),
            opening: Money {
                currency: Currency::parse("EUR").unwrap(),
                minor_units: opening_minor,
            },
            created_at: self.clock.now(),
        }
    }

    /// Adds bookings as the imports service would, in one change.
    pub(crate) async fn book(&self, user: UserId, bookings: &[Booking<'_>]) -> Vec<Uuid> {
        let mut transaction = self.imports.user(user).await.unwrap();
        let change = Change::begin(&self.clock);
        let mut ids = Vec::new();
        for booking in bookings {
            let id = self.clock.id();
            insert(&mut transaction, user, id, booking, change.id())
                .await
                .unwrap();
            ids.push(id);
        }
        let accounts: Vec<Uuid> = bookings.iter().map(|booking| booking.account_id).collect();
        change.commit(transaction, &accounts).await.unwrap();
        ids
    }

    /// Adds one booking of this amount.
    pub(crate) async fn book_amount(&self, user: UserId, account_id: Uuid, minor: i64) -> Uuid {
        self.book(user, &[booking(account_id, minor)]).await[0]
    }

    /// How many rows of the user carry a change that has no version, by table.
    pub(crate) async fn rows_without_a_change(&self, user: UserId) -> BTreeMap<String, i64> {
        let mut transaction = self.sync.user(user).await.unwrap();
        let tables = sqlx::query(
            "SELECT table_name::text FROM information_schema.columns \
             WHERE table_schema = 'ledger' AND column_name = 'change_id' \
               AND table_name <> 'change' ORDER BY table_name",
        )
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        let tables: Vec<String> = tables.iter().map(|table| table.get(0)).collect();
        assert_eq!(tables, WITH_CHANGE, "the catalog shows its tables");
        let mut found = BTreeMap::new();
        for table in tables {
            let sql = format!(
                "SELECT count(*) FROM ledger.{table} WHERE NOT EXISTS (\
                 SELECT FROM ledger.change c WHERE c.change_id = {table}.change_id)"
            );
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut *transaction)
                .await
                .unwrap();
            if count > 0 {
                found.insert(table, count);
            }
        }
        found
    }
}

/// A pool as this role.
pub(crate) async fn pool(database: &Database, role: &str, connections_max: u32) -> Postgres {
    let options = Options {
        url: database.url(role).into(),
        connections_max,
    };
    Postgres::connect(&options).await.unwrap()
}

/// A booking with nothing special about it.
pub(crate) fn booking(account_id: Uuid, amount_minor: i64) -> Booking<'static> {
    Booking {
        account_id,
        booked_on: "2026-01-31",
        amount_minor,
        description: "REWE",
        counterparty: "",
        import_id: None,
    }
}

/// Inserts a booking for whichever user is named.
pub(crate) async fn insert(
    transaction: &mut UserTransaction,
    user: UserId,
    transaction_id: Uuid,
    booking: &Booking<'_>,
    change_id: Uuid,
) -> Result<(), postgres::Error> {
    sqlx::query(
        "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, booked_on, \
         amount_minor, currency_code, description, counterparty, source, import_id, change_id, \
         created_at) VALUES ($1, $2, $3, $4, $5, 'EUR', $6, $7, 'import', $8, $9, now())",
    )
    .bind(user.uuid())
    .bind(transaction_id)
    .bind(booking.account_id)
    .bind(booking.booked_on.parse::<NaiveDate>().unwrap())
    .bind(booking.amount_minor)
    .bind(booking.description)
    .bind(booking.counterparty)
    .bind(booking.import_id)
    .bind(change_id)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The SQLSTATE of a statement that must fail.
#[track_caller]
pub(crate) fn sqlstate<T: std::fmt::Debug>(result: Result<T, sqlx::Error>) -> String {
    match result {
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => panic!("an error of the database was expected: {other:?}"),
    }
}

/// Runs one statement.
pub(crate) async fn run(
    connection: &mut PgConnection,
    sql: impl Into<String>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql.into()))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// The one number that a statement gives.
pub(crate) async fn count(
    connection: &mut PgConnection,
    sql: impl Into<String>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(sql.into()))
        .fetch_one(connection)
        .await
}
