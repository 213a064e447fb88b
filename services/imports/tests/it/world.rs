//! One mesh of one service for each test: a database of its own, a task queue of its own, and the
//! service as a process that can be killed.

use std::{net::SocketAddr, time::Duration};

use djinn_chassis::{
    auth::UserId,
    postgres::{Options, Postgres, UserTransaction},
    testing::{self, Database, Process, Proxy},
};
use djinn_proto::imports::v1::{
    self as proto, Import, ImportState, import_service_client::ImportServiceClient,
    template_service_client::TemplateServiceClient, upload_statement_request::Part,
};
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

// Told by its path, because an example reads this file as well.
#[path = "world/account.rs"]
mod account;

/// Long enough for a busy machine; a condition that holds sooner ends sooner.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) type Client = ImportServiceClient<InterceptedService<Channel, Bearer>>;
pub(crate) type Templates = TemplateServiceClient<InterceptedService<Channel, Bearer>>;

#[derive(Clone)]
pub(crate) struct Bearer(pub(crate) String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).unwrap();
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) scanner: Proxy,
    /// Between the service and Temporal, where a test wants it cut.
    pub(crate) temporal: Option<Proxy>,
    ports: (u16, u16),
    pub(crate) queue: String,
    environment: Vec<(String, String)>,
    /// Another one to play another release.
    pub(crate) binary: &'static str,
    process: Option<Process>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With some variables set otherwise.
    pub(crate) async fn with(environment: &[(&str, &str)]) -> Self {
        let mut world = Self::stopped(environment, None).await;
        world.start(&[]).await;
        world
    }

    pub(crate) async fn with_temporal_behind_a_proxy(environment: &[(&str, &str)]) -> Self {
        let proxy = Proxy::to(testing::stack().temporal_address.clone()).await;
        let address = format!("http://{}", proxy.address());
        let mut world = Self::stopped(&[("TEMPORAL_ADDRESS", &address)], Some(proxy)).await;
        world.start(environment).await;
        world
    }

    /// Before its first start.
    pub(crate) async fn stopped(environment: &[(&str, &str)], temporal: Option<Proxy>) -> Self {
        Self {
            binary: "djinn-imports",
            database: testing::database().await,
            scanner: Proxy::to(testing::stack().clamd_address.clone()).await,
            ports: (testing::free_port(), testing::free_port()),
            queue: format!("imports-{}", Uuid::new_v4().simple()),
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            process: None,
            temporal,
        }
    }

    /// Starts the service, with more variables for this life of it.
    pub(crate) async fn start(&mut self, more: &[(&str, &str)]) {
        let stack = testing::stack();
        let auth = testing::auth();
        let key = auth.public_key.unwrap().display().to_string();
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let temporal = format!("http://{}", stack.temporal_address);
        let database = self.database.url("djinn_imports");
        let mut environment = vec![
            set("DJINN_IMPORTS_LISTEN", &at(self.ports.0)),
            set("DJINN_IMPORTS_ADMIN_LISTEN", &at(self.ports.1)),
            set("DJINN_IMPORTS_DATABASE_URL", &database),
            set("DJINN_IMPORTS_TASK_QUEUE", &self.queue),
            set("DJINN_CLAMD_ADDRESS", &self.scanner.address().to_string()),
            set("DJINN_S3_ENDPOINT", &stack.s3_endpoint),
            set("DJINN_S3_BUCKET", &stack.s3_bucket),
            set("DJINN_S3_ACCESS_KEY_ID", &stack.s3_access_key_id),
            set("DJINN_S3_SECRET_ACCESS_KEY", &stack.s3_secret_access_key),
            set("DJINN_AUTH_ISSUER", &auth.issuer),
            set("DJINN_AUTH_AUDIENCE", &auth.audience),
            set("DJINN_AUTH_PUBLIC_KEY", &key),
            set("TEMPORAL_ADDRESS", &temporal),
            set("TEMPORAL_NAMESPACE", &stack.temporal_namespace),
            set("DJINN_LOG_FORMAT", "text"),
        ];
        environment.extend(self.environment.clone());
        environment.extend(more.iter().map(|(name, value)| set(name, value)));
        let admin = SocketAddr::from(([127, 0, 0, 1], self.ports.1));
        self.process = Some(Process::start(self.binary, environment, admin).await);
    }

    /// The service as a process that is running.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the service was started")
    }

    /// SIGKILL, and wait for the end.
    pub(crate) async fn kill(&mut self) {
        let process = self.process.take();
        process.expect("the service was started").kill().await;
    }

    /// SIGTERM, and wait for the end.
    pub(crate) async fn stop(&mut self) -> std::process::ExitStatus {
        let process = self.process.take();
        process.expect("the service was started").terminate().await
    }

    /// Makes what is due in a minute due now.
    pub(crate) async fn hurry_duties(&self, user: UserId) {
        let mut transaction = self.as_imports(user).await;
        sqlx::query("UPDATE imports.due SET due_at = now() - interval '1 minute'")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Whether the process runs.
    pub(crate) async fn lives(&self) -> bool {
        let admin = SocketAddr::from(([127, 0, 0, 1], self.ports.1));
        testing::get(admin, "/livez").await.is_some()
    }

    /// What the process says of itself under this name, all labels together.
    pub(crate) async fn figure(&self, name: &str) -> f64 {
        let admin = SocketAddr::from(([127, 0, 0, 1], self.ports.1));
        let (_, text) = testing::get(admin, "/metrics").await.unwrap();
        let figures = text.lines().filter_map(|line| {
            let (metric, figure) = line.rsplit_once(' ')?;
            let metric = metric.split('{').next()?;
            (metric == name).then(|| figure.parse::<f64>().unwrap())
        });
        figures.sum()
    }

    /// Waits until the process has died by itself, as at a failpoint.
    pub(crate) async fn died(&mut self) {
        let death = async || (!self.lives().await).then_some(());
        testing::eventually("the death of the process", PATIENCE, death).await;
        self.process.take();
    }

    pub(crate) fn client(&self, user: UserId) -> Client {
        self.client_with(testing::token(user))
    }

    pub(crate) fn client_with(&self, token: String) -> Client {
        ImportServiceClient::with_interceptor(self.channel(), Bearer(token))
    }

    pub(crate) fn templates(&self, user: UserId) -> Templates {
        TemplateServiceClient::with_interceptor(self.channel(), Bearer(testing::token(user)))
    }

    pub(crate) fn channel(&self) -> Channel {
        let url = format!("http://127.0.0.1:{}", self.ports.0);
        Endpoint::from_shared(url).unwrap().connect_lazy()
    }

    /// A transaction of the ledger's other writer, to open accounts and enter rows with.
    pub(crate) async fn as_sync(&self, user: UserId) -> UserTransaction {
        self.transaction("djinn_sync", user).await
    }

    /// A transaction as the service itself.
    pub(crate) async fn as_imports(&self, user: UserId) -> UserTransaction {
        self.transaction("djinn_imports", user).await
    }

    async fn transaction(&self, role: &str, user: UserId) -> UserTransaction {
        let options = Options {
            url: self.database.url(role).into(),
            connections_max: 1,
        };
        Postgres::connect(&options)
            .await
            .unwrap()
            .user(user)
            .await
            .unwrap()
    }
}

/// A statement with a header nobody can misread: date, text, amount.
pub(crate) fn statement(rows: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut file = String::from("Date,Description,Amount\n");
    for (date, text, amount) in rows {
        file.push_str(&format!("{date},{text},{amount}\n"));
    }
    file.into_bytes()
}

/// A statement of which only its owner knows whether the day or the month comes first: no day is
/// beyond the twelfth, and the rows are in order neither way.
pub(crate) fn ambiguous() -> Vec<u8> {
    statement(&[
        ("02/01/2024", "Rent", "-900.50"),
        ("01/02/2024", "Salary", "2500.00"),
        ("05/01/2024", "Coffee", "-3.20"),
        ("03/03/2024", "Groceries", "-41.15"),
    ])
}

/// A statement that asks for date and amount first, and then for a row without a date.
pub(crate) fn ambiguous_twice() -> Vec<u8> {
    b"Date,Description,Amount\n02/01/2024,A,12.50\n,B,3.50\n01/02/2024,C,20.00\n\
      05/01/2024,D,7.00\n"
        .to_vec()
}

/// Rows of a statement that differ from each other, with positive and negative amounts.
pub(crate) fn many(count: usize) -> Vec<u8> {
    let mut file = String::from("Date,Description,Amount\n");
    for row in 0..count {
        let (day, sign) = (row % 28 + 1, if row % 3 == 0 { "" } else { "-" });
        file.push_str(&format!(
            "2024-01-{day:02},Shop {row},{sign}{}.{:02}\n",
            row + 1,
            row % 100
        ));
    }
    file.into_bytes()
}

/// The sum of [`many`] in cents.
pub(crate) fn sum_of_many(count: usize) -> i64 {
    (0..count)
        .map(|row| {
            let cents = i64::try_from((row + 1) * 100 + row % 100).unwrap();
            if row % 3 == 0 { cents } else { -cents }
        })
        .sum()
}

pub(crate) async fn upload(client: &mut Client, file: &[u8]) -> Result<String, Status> {
    upload_as(client, Uuid::new_v4(), "statement.csv", file).await
}

pub(crate) async fn upload_as(
    client: &mut Client,
    request_id: Uuid,
    file_name: &str,
    file: &[u8],
) -> Result<String, Status> {
    let header = proto::UploadHeader {
        request_id: request_id.to_string(),
        file_name: file_name.to_owned(),
        size_bytes: i64::try_from(file.len()).unwrap(),
    };
    let chunks: Vec<Part> = file
        .chunks(64 * 1024)
        .map(|chunk| Part::Chunk(chunk.to_vec().into()))
        .collect();
    let messages = std::iter::once(Part::Header(header))
        .chain(chunks)
        .map(|part| proto::UploadStatementRequest { part: Some(part) });
    let answer = client
        .upload_statement(futures::stream::iter(messages))
        .await?;
    Ok(answer.into_inner().upload.unwrap().upload_id)
}

pub(crate) async fn create(
    client: &mut Client,
    upload_id: &str,
    account_id: Uuid,
) -> Result<Import, Status> {
    let request = proto::CreateImportRequest {
        request_id: Uuid::new_v4().to_string(),
        upload_id: upload_id.to_owned(),
        account_id: account_id.to_string(),
        auto_confirm: false,
        mapping: None,
    };
    Ok(client
        .create_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

/// Uploads and begins to import.
pub(crate) async fn begin(client: &mut Client, file: &[u8], account_id: Uuid) -> String {
    let upload_id = upload(client, file).await.unwrap();
    create(client, &upload_id, account_id)
        .await
        .unwrap()
        .import_id
}

pub(crate) async fn get(client: &mut Client, import_id: &str) -> Import {
    let request = proto::GetImportRequest {
        import_id: import_id.to_owned(),
    };
    client
        .get_import(request)
        .await
        .unwrap()
        .into_inner()
        .import
        .unwrap()
}

/// Waits until the import is in this state. Calls that fail while the service is away are repeated.
pub(crate) async fn reach(client: &mut Client, import_id: &str, state: ImportState) -> Import {
    let what = format!("import in {}", state.as_str_name());
    testing::eventually(&what, PATIENCE, async || {
        let request = proto::GetImportRequest {
            import_id: import_id.to_owned(),
        };
        let import = client.get_import(request).await.ok()?.into_inner().import?;
        let ended = import
            .job
            .as_ref()
            .is_some_and(|job| job.end_time.is_some());
        assert!(
            import.state() == state || !ended,
            "ended as {} instead: {:?}",
            import.state().as_str_name(),
            import.job
        );
        (import.state() == state).then_some(import)
    })
    .await
}

pub(crate) async fn confirm(client: &mut Client, import: &Import) -> Result<Import, Status> {
    let request = proto::ConfirmImportRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        request_id: Uuid::new_v4().to_string(),
    };
    Ok(client
        .confirm_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

/// Answers what an import asks.
pub(crate) async fn answer(
    client: &mut Client,
    import: &Import,
    answers: &[(&str, &str)],
) -> Result<Import, Status> {
    answer_as(client, Uuid::new_v4(), import, answers).await
}

pub(crate) async fn answer_as(
    client: &mut Client,
    request_id: Uuid,
    import: &Import,
    answers: &[(&str, &str)],
) -> Result<Import, Status> {
    let answers = answers
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let request = proto::AnswerImportRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        answers: answers.collect(),
        request_id: request_id.to_string(),
    };
    Ok(client
        .answer_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

pub(crate) async fn cancel(client: &mut Client, import_id: &str) -> Result<Import, Status> {
    let request = proto::CancelImportRequest {
        import_id: import_id.to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    Ok(client
        .cancel_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

pub(crate) async fn revert(client: &mut Client, import_id: &str) -> Result<Import, Status> {
    let request = proto::RevertImportRequest {
        import_id: import_id.to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    Ok(client
        .revert_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

/// From file to ledger.
pub(crate) async fn import(client: &mut Client, file: &[u8], account_id: Uuid) -> Import {
    let import_id = begin(client, file, account_id).await;
    let review = reach(client, &import_id, ImportState::Review).await;
    confirm(client, &review).await.unwrap();
    reach(client, &import_id, ImportState::Committed).await
}

/// The reason in the details of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, why: &str) {
    let status = answer.expect_err("this must be refused");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (code, why),
        "{status:?}"
    );
}
