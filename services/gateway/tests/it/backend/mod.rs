//! The services, as these tests play them: real tonic servers whose answers follow the request.

mod chunk;
mod ledger;
pub(crate) mod sample;
mod template;

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, StreamExt};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Request, Response, Status, Streaming,
    metadata::MetadataMap,
    transport::{
        Server,
        server::{Router, TcpIncoming},
    },
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_types::{ErrorDetails, StatusExt};

use djinn_proto::{
    imports::v1::{
        import_service_server::{ImportService, ImportServiceServer},
        template_service_server::TemplateServiceServer,
        upload_statement_request::Part,
        *,
    },
    sync::v1::ledger_service_server::LedgerServiceServer,
};

use self::sample::{page, refusal};
pub(crate) use self::{
    chunk::{CONFLICT, STORED},
    ledger::{APART, LONG},
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
    /// The header of a chunk.
    Chunk {
        upload_id: String,
        number: i32,
        sha256: String,
        size_bytes: i64,
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

/// An etag that is not the present one, and ids of what no method does and what fails inside.
pub(crate) const STALE: &str = "stale";
pub(crate) const ABSENT: &str = "absent";
pub(crate) const BROKEN: &str = "broken";

/// The request id of an upload that the backend begins and then does not read.
pub(crate) const STALL: &str = "stall";

/// A backend on a free port; gone when dropped.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    metadata: Arc<Mutex<Vec<MetadataMap>>>,
    asked: Arc<Mutex<Vec<(&'static str, Value)>>>,
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
        let (metadata, asked) = (Arc::default(), Arc::default());
        let fake = Fake {
            metadata: Arc::clone(&metadata),
            asked: Arc::clone(&asked),
            uploads: uploads_in,
            watching: Arc::new(Mutex::new(Some(watching))),
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", ServingStatus::Serving).await;
        let router = Server::builder()
            .add_service(ImportServiceServer::new(fake.clone()))
            .add_service(TemplateServiceServer::new(fake.clone()))
            .add_service(LedgerServiceServer::new(fake))
            .add_service(health_service);
        let (address, task) = serve(router).await;
        Self {
            address,
            metadata,
            asked,
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

    /// Ends what WatchImport sends.
    pub(crate) fn end_watch(&mut self) {
        let (closed, _) = mpsc::channel(1);
        self.watch = closed;
    }

    /// What a method was asked so far, in the JSON of the protos.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("no panic");
        let asked = asked.iter().filter(|(name, _)| *name == method);
        asked.map(|(_, message)| message.clone()).collect()
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
            // As services do: an answer in two small packets would wait for the client's word.
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
            .await;
        served.expect("the backend serves");
    });
    (address, task)
}

#[derive(Clone)]
struct Fake {
    metadata: Arc<Mutex<Vec<MetadataMap>>>,
    asked: Arc<Mutex<Vec<(&'static str, Value)>>>,
    uploads: UnboundedSender<Seen>,
    watching: Arc<Mutex<Option<Watching>>>,
}

impl Fake {
    fn note<T>(&self, request: &Request<T>) {
        let mut noted = self.metadata.lock().expect("no panic");
        noted.push(request.metadata().clone());
    }

    fn noted(&self, method: &'static str, message: Value) {
        let mut asked = self.asked.lock().expect("no panic");
        asked.push((method, message));
    }

    /// The message of a request, noted with its metadata. An import or transaction with one of the
    /// special ids, or a stale etag, is refused as the services would.
    async fn take<T: serde::Serialize>(
        &self,
        method: &'static str,
        request: Request<T>,
    ) -> Result<T, Status> {
        self.note(&request);
        let message = request.into_inner();
        let json = serde_json::to_value(&message).expect("JSON");
        self.noted(method, json.clone());
        for value in sample::texts(&json) {
            match value {
                MISSING => return Err(missing()),
                HANG => std::future::pending().await,
                STALE => {
                    let message = "it has changed; read it again";
                    return Err(refusal(Code::Aborted, "ETAG_MISMATCH", message, &[]));
                }
                ABSENT => return Err(Status::unimplemented("not in this release")),
                BROKEN => return Err(Status::internal("SELECT secret FROM 10.0.0.1")),
                _ => {}
            }
        }
        Ok(message)
    }

    fn seen(&self, seen: Seen) {
        // The test may have ended.
        self.uploads.send(seen).ok();
    }
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
    type DownloadErrorReportStream =
        futures::stream::BoxStream<'static, Result<DownloadErrorReportResponse, Status>>;
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

    async fn begin_upload(
        &self,
        request: Request<BeginUploadRequest>,
    ) -> Answer<BeginUploadResponse> {
        let asked = self.take("BeginUpload", request).await?;
        let progress = Some(chunk::begun(&asked));
        Ok(Response::new(BeginUploadResponse { progress }))
    }

    async fn upload_chunk(
        &self,
        request: Request<Streaming<UploadChunkRequest>>,
    ) -> Answer<UploadChunkResponse> {
        self.receive_chunk(request).await
    }

    async fn get_upload_progress(
        &self,
        request: Request<GetUploadProgressRequest>,
    ) -> Answer<GetUploadProgressResponse> {
        let asked = self.take("GetUploadProgress", request).await?;
        let progress = Some(chunk::whole(&asked.upload_id));
        Ok(Response::new(GetUploadProgressResponse { progress }))
    }

    async fn preview_statement(
        &self,
        _: Request<PreviewStatementRequest>,
    ) -> Answer<Self::PreviewStatementStream> {
        Err(Status::unimplemented(""))
    }

    async fn create_import(
        &self,
        request: Request<CreateImportRequest>,
    ) -> Answer<CreateImportResponse> {
        let asked = self.take("CreateImport", request).await?;
        let import = Some(Import {
            account_id: asked.account_id,
            ..sample::import("created")
        });
        Ok(Response::new(CreateImportResponse { import }))
    }

    async fn get_import(&self, request: Request<GetImportRequest>) -> Answer<GetImportResponse> {
        let asked = self.take("GetImport", request).await?;
        let import = Some(sample::import(&asked.import_id));
        let mut response = Response::new(GetImportResponse { import });
        let metadata = response.metadata_mut();
        metadata.insert("x-answer", "yes".parse().expect("a value"));
        metadata.insert("access-control-allow-origin", "*".parse().expect("a value"));
        Ok(response)
    }

    async fn list_imports(
        &self,
        request: Request<ListImportsRequest>,
    ) -> Answer<ListImportsResponse> {
        let asked = self.take("ListImports", request).await?;
        let all = (1..=5).map(|at| sample::import(&format!("i{at}")));
        let scope = format!("{}{:?}", asked.account_id, asked.states);
        let (imports, next_page_token) = page(all, asked.page_size, &asked.page_token, &scope)?;
        Ok(Response::new(ListImportsResponse {
            imports,
            next_page_token,
        }))
    }

    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> Answer<Self::WatchImportStream> {
        self.take("WatchImport", request).await?;
        let watching = self.watching.lock().expect("no panic").take();
        Ok(Response::new(ReceiverStream::new(
            watching.expect("one watcher a test"),
        )))
    }

    async fn list_import_rows(
        &self,
        request: Request<ListImportRowsRequest>,
    ) -> Answer<ListImportRowsResponse> {
        let asked = self.take("ListImportRows", request).await?;
        let all = (1..=7).map(sample::row);
        let all = all.filter(|row| asked.included.is_none_or(|it| it == row.included));
        let scope = format!(
            "{}{:?}{:?}",
            asked.import_id, asked.verdicts, asked.included
        );
        let (rows, next_page_token) = page(all, asked.page_size, &asked.page_token, &scope)?;
        Ok(Response::new(ListImportRowsResponse {
            rows,
            next_page_token,
            etag: "e1".to_owned(),
        }))
    }

    async fn update_import_rows(
        &self,
        request: Request<UpdateImportRowsRequest>,
    ) -> Answer<UpdateImportRowsResponse> {
        let asked = self.take("UpdateImportRows", request).await?;
        let import = Some(sample::import(&asked.import_id));
        Ok(Response::new(UpdateImportRowsResponse { import }))
    }

    async fn confirm_import(
        &self,
        request: Request<ConfirmImportRequest>,
    ) -> Answer<ConfirmImportResponse> {
        let asked = self.take("ConfirmImport", request).await?;
        let import = Some(sample::import(&asked.import_id));
        Ok(Response::new(ConfirmImportResponse { import }))
    }

    async fn cancel_import(
        &self,
        request: Request<CancelImportRequest>,
    ) -> Answer<CancelImportResponse> {
        let asked = self.take("CancelImport", request).await?;
        let import = Some(sample::import(&asked.import_id));
        Ok(Response::new(CancelImportResponse { import }))
    }

    async fn answer_import(
        &self,
        request: Request<AnswerImportRequest>,
    ) -> Answer<AnswerImportResponse> {
        let asked = self.take("AnswerImport", request).await?;
        let import = Some(sample::import(&asked.import_id));
        Ok(Response::new(AnswerImportResponse { import }))
    }

    async fn download_error_report(
        &self,
        request: Request<DownloadErrorReportRequest>,
    ) -> Answer<Self::DownloadErrorReportStream> {
        let asked = self.take("DownloadErrorReport", request).await?;
        let chunk = |text: &str| {
            Ok(DownloadErrorReportResponse {
                chunk: text.as_bytes().to_vec(),
            })
        };
        let mut parts = vec![chunk("line,reason\r\n"), chunk("2,BAD_DATE\r\n")];
        match &*asked.import_id {
            "unknown" => {
                let message = "there is no import unknown";
                return Err(refusal(Code::NotFound, "NOT_FOUND", message, &[]));
            }
            "read-again" => parts.push(Err(refusal(
                Code::Aborted,
                "ETAG_MISMATCH",
                "the import has changed",
                &[],
            ))),
            _ => {}
        }
        Ok(Response::new(futures::stream::iter(parts).boxed()))
    }

    async fn reread_import(
        &self,
        request: Request<RereadImportRequest>,
    ) -> Answer<RereadImportResponse> {
        let asked = self.take("RereadImport", request).await?;
        let import = Some(Import {
            mapping: asked.mapping,
            ..sample::import(&asked.import_id)
        });
        Ok(Response::new(RereadImportResponse { import }))
    }

    async fn revert_import(
        &self,
        request: Request<RevertImportRequest>,
    ) -> Answer<RevertImportResponse> {
        let asked = self.take("RevertImport", request).await?;
        let import = Some(Import {
            reversal: Some(ImportReversal {
                removed_count: 9,
                kept_count: 1,
            }),
            ..sample::import(&asked.import_id)
        });
        Ok(Response::new(RevertImportResponse { import }))
    }
}
