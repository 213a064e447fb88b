//! The service on a database of its own, and clients to it.

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use djinn_chassis::{
    auth::UserId,
    clock::Clock,
    fault::{DOMAIN, Violation},
    postgres::{Options, Postgres},
    shutdown::Shutdown,
    testing::{self, Database},
};
use djinn_ledger::Change;
use djinn_proto::{
    common::v1::Money,
    sync::v1::{Account, AccountKind, CreateAccountRequest, ledger_service_client},
};
use djinn_sync::Config;
use tokio::task::JoinHandle;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;
use uuid::Uuid;

/// How long anything may take to come up or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A client that speaks for one user, or for nobody.
pub(crate) type Client =
    ledger_service_client::LedgerServiceClient<InterceptedService<Channel, Token>>;

/// A running service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    shutdown: Shutdown,
    running: JoinHandle<anyhow::Result<()>>,
    imports: Postgres,
    clock: Clock,
    // Dropped last, after those who are connected to it.
    pub(crate) database: Database,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let database = testing::database().await;
        let url = database.url("djinn_sync");
        Self::start_on(database, &url).await
    }

    /// The service on this database by another way to it, as through a proxy.
    pub(crate) async fn start_on(database: Database, url: &str) -> Self {
        let (address, admin) = (free_address(), free_address());
        let config = config(address, admin, url);
        let shutdown = Shutdown::manual(Duration::from_secs(5));
        let running = tokio::spawn(djinn_sync::run(config, shutdown.clone()));
        let options = Options {
            url: database.url("djinn_imports").into(),
            connections_max: 2,
        };
        let service = Self {
            address,
            admin,
            shutdown,
            running,
            imports: Postgres::connect(&options).await.unwrap(),
            clock: Clock::system(),
            database,
        };
        service.ready().await;
        service
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&self) {
        testing::eventually("readiness", PATIENCE, async || {
            let (status, _) = testing::get(self.admin, "/readyz").await?;
            (status == 200).then_some(())
        })
        .await;
    }

    /// Asks it to stop and waits for the end.
    pub(crate) async fn stop(mut self) {
        self.shutdown.begin();
        let ended = tokio::time::timeout(PATIENCE, &mut self.running).await;
        ended.expect("an end in time").unwrap().unwrap();
    }

    pub(crate) fn client(&self, user: UserId) -> Client {
        self.client_with(Some(&testing::token(user)))
    }

    pub(crate) fn client_with(&self, token: Option<&str>) -> Client {
        let token = token.map(|token| format!("Bearer {token}").parse().unwrap());
        Client::new(InterceptedService::new(self.channel(), Token(token)))
    }

    pub(crate) fn channel(&self) -> Channel {
        let endpoint: Endpoint = format!("http://{}", self.address).parse().unwrap();
        endpoint.connect_lazy()
    }

    /// Adds transactions as an import would.
    pub(crate) async fn book(&self, user: UserId, bookings: &[Booking<'_>]) -> Vec<String> {
        let mut transaction = self.imports.user(user).await.unwrap();
        let change = Change::begin(&self.clock);
        let (mut ids, mut accounts) = (Vec::new(), Vec::new());
        for booking in bookings {
            let (id, account) = (self.clock.id(), booking.account_id.parse::<Uuid>().unwrap());
            sqlx::query(
                "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, booked_on, \
                 amount_minor, currency_code, description, counterparty, source, import_id, \
                 change_id, created_at) \
                 VALUES ($1, $2, $3, $4::date, $5, 'EUR', $6, $7, 'import', $8, $9, now())",
            )
            .bind(user.uuid())
            .bind(id)
            .bind(account)
            .bind(booking.booked_on.parse::<chrono::NaiveDate>().unwrap())
            .bind(booking.amount_minor)
            .bind(booking.description)
            .bind(booking.counterparty)
            .bind(booking.import_id)
            .bind(change.id())
            .execute(&mut *transaction)
            .await
            .unwrap();
            ids.push(id.to_string());
            accounts.push(account);
        }
        change.commit(transaction, &accounts).await.unwrap();
        ids
    }

    /// The one number that a statement gives to the superuser.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let url = self.database.url("postgres");
        let mut superuser = <sqlx::PgConnection as sqlx::Connection>::connect(&url)
            .await
            .unwrap();
        sqlx::query_scalar(sql)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A transaction to add.
pub(crate) struct Booking<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) booked_on: &'a str,
    pub(crate) amount_minor: i64,
    pub(crate) description: &'a str,
    pub(crate) counterparty: &'a str,
    pub(crate) import_id: Option<Uuid>,
}

/// A transaction with nothing special about it.
pub(crate) fn booking(account_id: &str, amount_minor: i64) -> Booking<'_> {
    Booking {
        account_id,
        booked_on: "2026-01-31",
        amount_minor,
        description: "REWE",
        counterparty: "",
        import_id: None,
    }
}

/// Puts the token on every request.
#[derive(Clone)]
pub(crate) struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

pub(crate) fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], testing::free_port()).into()
}

fn config(address: SocketAddr, admin: SocketAddr, url: &str) -> Config {
    let auth = testing::auth();
    let key = auth.public_key.clone().unwrap();
    let arguments = [
        ("--listen", address.to_string()),
        ("--admin-listen", admin.to_string()),
        ("--database-url", url.to_owned()),
        ("--auth-issuer", auth.issuer),
        ("--auth-audience", auth.audience),
        ("--auth-public-key", key.display().to_string()),
    ];
    let program = ["djinn-sync".to_owned()].into_iter();
    let arguments = arguments
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value]);
    Config::try_parse_from(program.chain(arguments)).unwrap()
}

/// What a client is told when it is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) fields: Vec<Violation>,
}

impl Refused {
    /// The names of the fields that are wrong.
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.fields
            .iter()
            .map(|violation| &*violation.field)
            .collect()
    }
}

/// The refusal of a call that must not succeed.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> Refused {
    let status = result.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has a reason");
    assert_eq!(info.domain, DOMAIN);
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone());
    let fields = violations
        .unwrap_or_default()
        .into_iter()
        .map(|violation| Violation {
            field: violation.field,
            description: violation.description,
        });
    Refused {
        code: status.code(),
        reason: info.reason.clone(),
        message: status.message().to_owned(),
        fields: fields.collect(),
    }
}

/// The fields of a request that must be invalid; each says what is wrong and the way out.
#[track_caller]
pub(crate) fn invalid<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let refused = refused(result);
    assert_eq!(
        (refused.code, &*refused.reason),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    assert!(!refused.fields.is_empty());
    for violation in &refused.fields {
        let text = &violation.description;
        assert!(
            text.contains(';') || text.contains("never changes"),
            "no way out: {text}"
        );
    }
    refused.fields().into_iter().map(str::to_owned).collect()
}

/// A request for an account in EUR.
pub(crate) fn request(name: &str) -> CreateAccountRequest {
    CreateAccountRequest {
        request_id: Uuid::new_v4().to_string(),
        name: name.to_owned(),
        kind: AccountKind::Checking.into(),
        currency_code: "EUR".to_owned(),
        opening_balance: None,
        number: String::new(),
        time_zone: String::new(),
    }
}

/// A new account in EUR.
pub(crate) async fn create(client: &mut Client, name: &str) -> Account {
    let created = client.create_account(request(name)).await.unwrap();
    created.into_inner().account.unwrap()
}

pub(crate) fn money(currency_code: &str, minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: currency_code.to_owned(),
        minor_units,
    })
}
