//! A gateway with made-up answers. What an import goes through is told by the name of its file.

mod chunks;
mod imports;
mod ledger;
mod scene;
mod templates;
pub(crate) mod transaction;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use djinn_proto::{
    imports::v1::{
        AnswerImportRequest, BeginUploadRequest, ConfirmImportRequest, Import, RereadImportRequest,
        RevertImportRequest, Template, UpdateImportRowsRequest,
        import_service_server::ImportServiceServer, template_service_server::TemplateServiceServer,
    },
    sync::v1::{
        Account, CreateTransactionRequest, DeleteTransactionRequest, ListTransactionsRequest,
        Transaction, UnlockTransactionFieldsRequest, UpdateTransactionRequest,
        ledger_service_server::LedgerServiceServer,
    },
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Status, transport::Server};
use tonic_types::{ErrorDetails, StatusExt};

use crate::process::TOKEN;

/// What the server has seen and holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) accounts: Vec<Account>,
    pub(crate) account_request_ids: Vec<String>,
    pub(crate) uploads: Vec<Received>,
    pub(crate) chunked: Vec<Chunked>,
    pub(crate) answers: Vec<(String, String)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) import_request_ids: Vec<String>,
    pub(crate) confirmations: Vec<ConfirmImportRequest>,
    pub(crate) decisions: Vec<UpdateImportRowsRequest>,
    pub(crate) reverts: Vec<RevertImportRequest>,
    pub(crate) answered: Vec<AnswerImportRequest>,
    pub(crate) reread: Vec<RereadImportRequest>,
    pub(crate) templates: Vec<Template>,
    pub(crate) watches: usize,
    pub(crate) transaction_lists: Vec<ListTransactionsRequest>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) entered: Vec<CreateTransactionRequest>,
    pub(crate) edited: Vec<UpdateTransactionRequest>,
    pub(crate) deleted: Vec<DeleteTransactionRequest>,
    pub(crate) unlocked: Vec<UnlockTransactionFieldsRequest>,
}

/// One try of an upload.
#[derive(Clone, Default)]
pub(crate) struct Received {
    pub(crate) request_id: String,
    pub(crate) file_name: String,
    pub(crate) chunk_sizes: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// An upload in chunks.
#[derive(Clone, Default)]
pub(crate) struct Chunked {
    pub(crate) asked: BeginUploadRequest,
    pub(crate) chunks: BTreeMap<i32, Vec<u8>>,
    /// The numbers as they were sent, also those that were not stored.
    pub(crate) sent: Vec<i32>,
}

/// The server, for as long as the test's runtime lives.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// Starts on a free port and returns the address too.
    pub(crate) async fn start() -> (Self, String) {
        let fake = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let server = Server::builder()
            .add_service(ImportServiceServer::with_interceptor(
                fake.clone(),
                signed_in,
            ))
            .add_service(TemplateServiceServer::with_interceptor(
                fake.clone(),
                signed_in,
            ))
            .add_service(LedgerServiceServer::with_interceptor(
                fake.clone(),
                signed_in,
            ))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        (fake, format!("http://{address}"))
    }

    /// What the server has seen and holds.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// A refusal as the services make it.
pub(crate) fn refusal(code: Code, reason: &str, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "djinn", HashMap::new());
    Status::with_error_details(code, message, details)
}

fn signed_in(request: Request<()>) -> Result<Request<()>, Status> {
    let expected = format!("Bearer {TOKEN}");
    match request.metadata().get("authorization") {
        Some(token) if token.as_bytes() == expected.as_bytes() => Ok(request),
        _ => Err(refusal(
            Code::Unauthenticated,
            "TOKEN_EXPIRED",
            "the token has expired",
        )),
    }
}
