//! The services, as these tests play them: real tonic servers whose answers follow the request.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, StreamExt};
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinHandle,
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{
    Code, Request, Response, Status, Streaming,
    metadata::MetadataMap,
    transport::{Server, server::Router},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_types::{ErrorDetails, StatusExt};

use djinn_proto::{
    imports::v1::{
        import_service_server::{ImportService, ImportServiceServer},
        upload_statement_request::Part,
        *,
    },
    sync::v1::{
        ledger_service_server::{LedgerService, LedgerServiceServer},
        *,
    },
};

type Answer<T> = Result<Response<T>, Status>;
type Watching = mpsc::Receiver<Result<WatchImportResponse, Status>>;

/// What the backend saw of an upload.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    Began {
        request_id: String,
        file_name: String,
        authorization: bool,
    },
    /// At least one further chunk has come.
    More,
    Whole {
        bytes: u64,
        zeros: bool,
    },
    Broken(Code),
}

/// The ids of imports to which the backend has a special answer.
pub(crate) const MISSING: &str = "missing";
pub(crate) const HANG: &str = "hang";

/// The request id of an upload that the backend begins and then does not read.
pub(crate) const STALL: &str = "stall";

/// A backend on a free port; gone when dropped.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    metadata: Arc<Mutex<Vec<MetadataMap>>>,
    /// What comes of uploads.
    pub(crate) uploads: UnboundedReceiver<Seen>,
    /// What WatchImport sends; closed when its client has gone.
    pub(crate) watch: mpsc::Sender<Result<WatchImportResponse, Status>>,
    pub(crate) health: HealthReporter,
    task: JoinHandle<()>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let (uploads_in, uploads) = mpsc::unbounded_channel();
        let (watch, watching) = mpsc::channel(1);
        let metadata = Arc::default();
        let fake = Fake {
            metadata: Arc::clone(&metadata),
            uploads: uploads_in,
            watching: Arc::new(Mutex::new(Some(watching))),
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", ServingStatus::Serving).await;
        let router = Server::builder()
            .add_service(ImportServiceServer::new(fake.clone()))
            .add_service(LedgerServiceServer::new(fake))
            .add_service(health_service);
        let (address, task) = serve(router).await;
        Self {
            address,
            metadata,
            uploads,
            watch,
            health,
            task,
        }
    }
}

impl Backend {
    /// The metadata of the calls so far.
    pub(crate) fn calls(&self) -> Vec<MetadataMap> {
        self.metadata.lock().expect("no panic").clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(router: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let task = tokio::spawn(async move {
        let served = router
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await;
        served.expect("the backend serves");
    });
    (address, task)
}

#[derive(Clone)]
struct Fake {
    metadata: Arc<Mutex<Vec<MetadataMap>>>,
    uploads: UnboundedSender<Seen>,
    watching: Arc<Mutex<Option<Watching>>>,
}

impl Fake {
    fn note<T>(&self, request: &Request<T>) {
        let mut noted = self.metadata.lock().expect("no panic");
        noted.push(request.metadata().clone());
    }

    fn seen(&self, seen: Seen) {
        // The test may have ended.
        self.uploads.send(seen).ok();
    }
}

fn import(import_id: String) -> Option<Import> {
    Some(Import {
        import_id,
        ..Import::default()
    })
}

/// A refusal with everything a service can say.
fn missing() -> Status {
    let mut details = ErrorDetails::with_error_info("IMPORT_UNKNOWN", "djinn", []);
    details.add_bad_request_violation("import_id", "no such import");
    let mut status = Status::with_error_details(Code::NotFound, "no such import", details);
    status
        .metadata_mut()
        .insert("x-why", "because".parse().expect("a value"));
    status
}

#[tonic::async_trait]
impl ImportService for Fake {
    type PreviewStatementStream =
        Pin<Box<dyn Stream<Item = Result<PreviewStatementResponse, Status>> + Send>>;
    type WatchImportStream = ReceiverStream<Result<WatchImportResponse, Status>>;

    async fn upload_statement(
        &self,
        request: Request<Streaming<UploadStatementRequest>>,
    ) -> Answer<UploadStatementResponse> {
        self.note(&request);
        let authorization = request.metadata().contains_key("authorization");
        let mut parts = request.into_inner();
        let (mut bytes, mut zeros, mut told, mut name) = (0, true, false, String::new());
        loop {
            match parts.next().await {
                None => break,
                Some(Err(broken)) => {
                    self.seen(Seen::Broken(broken.code()));
                    return Err(broken);
                }
                Some(Ok(UploadStatementRequest {
                    part: Some(Part::Header(header)),
                })) => {
                    let UploadHeader {
                        request_id,
                        file_name,
                        size_bytes: _,
                    } = header;
                    name.clone_from(&file_name);
                    let (refused, stalled) = (request_id == "refuse", request_id == STALL);
                    self.seen(Seen::Began {
                        request_id,
                        file_name,
                        authorization,
                    });
                    if stalled {
                        std::future::pending::<()>().await;
                    }
                    if refused {
                        let mut details = ErrorDetails::with_error_info("REQUEST_ID", "djinn", []);
                        details.add_bad_request_violation("header.request_id", "not a UUID");
                        let code = Code::InvalidArgument;
                        return Err(Status::with_error_details(code, "not a UUID", details));
                    }
                }
                Some(Ok(UploadStatementRequest {
                    part: Some(Part::Chunk(chunk)),
                })) => {
                    bytes += chunk.len() as u64;
                    zeros &= chunk.iter().all(|byte| *byte == 0);
                    if !std::mem::replace(&mut told, true) {
                        self.seen(Seen::More);
                    }
                }
                Some(Ok(UploadStatementRequest { part: None })) => {}
            }
        }
        self.seen(Seen::Whole { bytes, zeros });
        let size_bytes = i64::try_from(bytes).expect("a file");
        let upload = Upload {
            file_name: name,
            size_bytes,
            ..Upload::default()
        };
        Ok(Response::new(UploadStatementResponse {
            upload: Some(upload),
        }))
    }

    async fn preview_statement(
        &self,
        _: Request<PreviewStatementRequest>,
    ) -> Answer<Self::PreviewStatementStream> {
        Err(Status::unimplemented(""))
    }

    async fn create_import(&self, _: Request<CreateImportRequest>) -> Answer<CreateImportResponse> {
        Err(Status::unimplemented(""))
    }

    async fn get_import(&self, request: Request<GetImportRequest>) -> Answer<GetImportResponse> {
        self.note(&request);
        let import_id = request.into_inner().import_id;
        match import_id.as_str() {
            MISSING => return Err(missing()),
            HANG => std::future::pending().await,
            _ => {}
        }
        let mut response = Response::new(GetImportResponse {
            import: import(import_id),
        });
        let metadata = response.metadata_mut();
        metadata.insert("x-answer", "yes".parse().expect("a value"));
        metadata.insert("access-control-allow-origin", "*".parse().expect("a value"));
        Ok(response)
    }

    async fn list_imports(&self, _: Request<ListImportsRequest>) -> Answer<ListImportsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> Answer<Self::WatchImportStream> {
        self.note(&request);
        let watching = self.watching.lock().expect("no panic").take();
        Ok(Response::new(ReceiverStream::new(
            watching.expect("one watcher a test"),
        )))
    }

    async fn list_import_rows(
        &self,
        _: Request<ListImportRowsRequest>,
    ) -> Answer<ListImportRowsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn update_import_rows(
        &self,
        _: Request<UpdateImportRowsRequest>,
    ) -> Answer<UpdateImportRowsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn confirm_import(
        &self,
        _: Request<ConfirmImportRequest>,
    ) -> Answer<ConfirmImportResponse> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_import(&self, _: Request<CancelImportRequest>) -> Answer<CancelImportResponse> {
        Err(Status::unimplemented(""))
    }

    async fn answer_import(
        &self,
        _: tonic::Request<djinn_proto::imports::v1::AnswerImportRequest>,
    ) -> Result<tonic::Response<djinn_proto::imports::v1::AnswerImportResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented("follows"))
    }

    async fn revert_import(
        &self,
        _: tonic::Request<djinn_proto::imports::v1::RevertImportRequest>,
    ) -> Result<tonic::Response<djinn_proto::imports::v1::RevertImportResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented("follows"))
    }
}

#[tonic::async_trait]
impl LedgerService for Fake {
    async fn create_account(
        &self,
        _: Request<CreateAccountRequest>,
    ) -> Answer<CreateAccountResponse> {
        Err(Status::unimplemented(""))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Answer<GetAccountResponse> {
        self.note(&request);
        let account_id = request.into_inner().account_id;
        let account = Account {
            account_id,
            ..Account::default()
        };
        Ok(Response::new(GetAccountResponse {
            account: Some(account),
        }))
    }

    async fn list_accounts(&self, _: Request<ListAccountsRequest>) -> Answer<ListAccountsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn update_account(
        &self,
        _: Request<UpdateAccountRequest>,
    ) -> Answer<UpdateAccountResponse> {
        Err(Status::unimplemented(""))
    }

    async fn close_account(&self, _: Request<CloseAccountRequest>) -> Answer<CloseAccountResponse> {
        Err(Status::unimplemented(""))
    }

    async fn get_transaction(
        &self,
        _: Request<GetTransactionRequest>,
    ) -> Answer<GetTransactionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn list_transactions(
        &self,
        _: Request<ListTransactionsRequest>,
    ) -> Answer<ListTransactionsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn create_transaction(
        &self,
        _: Request<CreateTransactionRequest>,
    ) -> Answer<CreateTransactionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn update_transaction(
        &self,
        _: Request<UpdateTransactionRequest>,
    ) -> Answer<UpdateTransactionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn delete_transaction(
        &self,
        _: Request<DeleteTransactionRequest>,
    ) -> Answer<DeleteTransactionResponse> {
        Err(Status::unimplemented(""))
    }

    async fn unlock_transaction_fields(
        &self,
        _: Request<UnlockTransactionFieldsRequest>,
    ) -> Answer<UnlockTransactionFieldsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn list_transaction_changes(
        &self,
        _: Request<ListTransactionChangesRequest>,
    ) -> Answer<ListTransactionChangesResponse> {
        Err(Status::unimplemented(""))
    }
}
