//! Three services as processes over one database, and the terminal in front of them.

use std::{collections::BTreeMap, net::SocketAddr, process::Stdio};

use djinn_chassis::{
    auth::UserId,
    testing::{self, Collector, Database, Process},
};
use djinn_proto::{
    imports::v1::{
        import_service_client::ImportServiceClient, template_service_client::TemplateServiceClient,
    },
    sync::v1::ledger_service_client::LedgerServiceClient,
};
use serde_json::Value;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

pub(crate) struct Mesh {
    // Before the database, which is dropped when nobody uses it any more.
    processes: BTreeMap<&'static str, Process>,
    database: Database,
    folder: tempfile::TempDir,
    addresses: BTreeMap<&'static str, SocketAddr>,
    admins: BTreeMap<&'static str, SocketAddr>,
}

/// Clients with a user's token on each call.
pub(crate) type Imports = ImportServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Templates = TemplateServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Ledger = LedgerServiceClient<InterceptedService<Channel, Bearer>>;

/// What the terminal said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).unwrap();
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], testing::free_port()))
}

impl Mesh {
    pub(crate) async fn new() -> Self {
        Self::start(Vec::new()).await
    }

    /// One whose traces go to a collector.
    pub(crate) async fn traced(collector: &Collector) -> Self {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.url());
        Self::start(vec![endpoint]).await
    }

    async fn start(shared: Vec<(String, String)>) -> Self {
        let database = testing::database().await;
        let (imports, sync, gateway) = (local(), local(), local());
        let (mut processes, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        let mut admins = BTreeMap::new();
        for (name, address, own) in [
            ("imports", imports, imports_variables(&database)),
            ("sync", sync, sync_variables(&database)),
            ("gateway", gateway, gateway_variables(imports, sync)),
        ] {
            let admin = local();
            let prefix = format!("DJINN_{}", name.to_uppercase());
            let mut environment = own;
            environment.push((format!("{prefix}_LISTEN"), address.to_string()));
            environment.push((format!("{prefix}_ADMIN_LISTEN"), admin.to_string()));
            environment.extend(auth_variables());
            environment.extend(shared.clone());
            let process = Process::start(&format!("djinn-{name}"), environment, admin).await;
            processes.insert(name, process);
            addresses.insert(name, address);
            admins.insert(name, admin);
        }
        Self {
            processes,
            database,
            folder: tempfile::tempdir().unwrap(),
            addresses,
            admins,
        }
    }

    /// The figures of each service.
    pub(crate) async fn metrics(&self) -> Vec<(&'static str, String)> {
        let mut figures = Vec::new();
        for (name, admin) in &self.admins {
            let (status, text) = testing::get(*admin, "/metrics").await.unwrap();
            assert_eq!(status, 200, "{name}");
            figures.push((*name, text));
        }
        figures
    }

    /// All that the services tell an operator: their figures and their logs, each with what it is.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        let figures = self.metrics().await.into_iter();
        let figures = figures.map(|(name, text)| (format!("the figures of {name}"), text));
        let logs = self.processes.iter();
        let logs = logs.map(|(name, process)| (format!("the log of {name}"), process.log()));
        figures.chain(logs).collect()
    }

    pub(crate) fn gateway(&self) -> SocketAddr {
        self.addresses["gateway"]
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// A connection to the gateway, or past it to a service.
    pub(crate) fn channel(&self, service: &str) -> Channel {
        let address = self.addresses.get(service);
        let address = address.unwrap_or_else(|| panic!("{service} is not started in mesh.rs"));
        Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy()
    }

    /// Ends a service at once.
    pub(crate) async fn kill(&mut self, service: &str) {
        self.processes.remove(service).unwrap().kill().await;
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// Runs `djinn --json` as this user.
    pub(crate) async fn run(&self, user: UserId, arguments: &[&str]) -> Said {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_djinn"))
            .arg("--json")
            .args(arguments)
            .env("DJINN_URL", format!("http://{}", self.gateway()))
            .env("DJINN_TOKEN", testing::token(user))
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, for a command that must succeed.
    pub(crate) async fn json(&self, user: UserId, arguments: &[&str]) -> Value {
        let said = self.run(user, arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// A client through the gateway.
    pub(crate) fn imports(&self, user: UserId) -> Imports {
        let bearer = Bearer(testing::token(user));
        ImportServiceClient::with_interceptor(self.channel("gateway"), bearer)
    }

    /// The same for templates.
    pub(crate) fn templates(&self, user: UserId) -> Templates {
        let bearer = Bearer(testing::token(user));
        TemplateServiceClient::with_interceptor(self.channel("gateway"), bearer)
    }

    /// The same for the ledger.
    pub(crate) fn ledger(&self, user: UserId) -> Ledger {
        let bearer = Bearer(testing::token(user));
        LedgerServiceClient::with_interceptor(self.channel("gateway"), bearer)
    }
}

/// Minor units of a Money in JSON; zero is left out there.
pub(crate) fn money(value: &Value) -> i64 {
    value["minorUnits"]
        .as_str()
        .map_or(0, |text| text.parse().unwrap())
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn auth_variables() -> Vec<(String, String)> {
    let auth = testing::auth();
    let key = auth
        .public_key
        .expect("the stack has a key")
        .display()
        .to_string();
    variables([
        ("DJINN_AUTH_ISSUER", auth.issuer),
        ("DJINN_AUTH_AUDIENCE", auth.audience),
        ("DJINN_AUTH_PUBLIC_KEY", key),
    ])
}

fn imports_variables(database: &Database) -> Vec<(String, String)> {
    let stack = testing::stack();
    variables([
        ("DJINN_IMPORTS_DATABASE_URL", database.url("djinn_imports")),
        (
            "DJINN_IMPORTS_TASK_QUEUE",
            format!("imports-{}", Uuid::new_v4().simple()),
        ),
        ("DJINN_CLAMD_ADDRESS", stack.clamd_address.clone()),
        ("DJINN_S3_ENDPOINT", stack.s3_endpoint.clone()),
        ("DJINN_S3_BUCKET", stack.s3_bucket.clone()),
        ("DJINN_S3_ACCESS_KEY_ID", stack.s3_access_key_id.clone()),
        (
            "DJINN_S3_SECRET_ACCESS_KEY",
            stack.s3_secret_access_key.clone(),
        ),
        (
            "TEMPORAL_ADDRESS",
            format!("http://{}", stack.temporal_address),
        ),
        ("TEMPORAL_NAMESPACE", stack.temporal_namespace.clone()),
    ])
}

fn sync_variables(database: &Database) -> Vec<(String, String)> {
    variables([("DJINN_SYNC_DATABASE_URL", database.url("djinn_sync"))])
}

/// A rate that no test reaches.
const PLENTY: &str = "100000+100000/min";

fn gateway_variables(imports: SocketAddr, sync: SocketAddr) -> Vec<(String, String)> {
    variables([
        ("DJINN_GATEWAY_IMPORTS_URL", format!("http://{imports}")),
        ("DJINN_GATEWAY_SYNC_URL", format!("http://{sync}")),
        ("DJINN_REDIS_URL", testing::stack().redis_url.clone()),
        // One user walks the whole surface in a few seconds here, as no person does.
        ("DJINN_GATEWAY_LIMIT_READS", PLENTY.to_owned()),
        ("DJINN_GATEWAY_LIMIT_WRITES", PLENTY.to_owned()),
        ("DJINN_GATEWAY_LIMIT_UPLOADS", PLENTY.to_owned()),
        ("DJINN_GATEWAY_LIMIT_CHUNKS", PLENTY.to_owned()),
        ("DJINN_GATEWAY_LIMIT_STRANGERS", PLENTY.to_owned()),
    ])
}
