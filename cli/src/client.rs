//! The connection to the gateway: every call of the contract that the commands make, with the
//! user's token, a deadline, and a bounded number of tries when the server is away for a moment.
//!
//! A call is tried again with the same message, and so with the same request id: what the server
//! did before the connection broke is found again and never done twice.

mod chunked;
pub(crate) mod report;
mod template;
mod trace;
mod transaction;
mod upload;
pub(crate) mod watch;

use std::time::Duration;

use djinn_proto::{
    imports::v1::{
        AnswerImportRequest, CancelImportRequest, ConfirmImportRequest, CreateImportRequest,
        GetImportRequest, Import, ImportRow, ListImportRowsRequest, ListImportRowsResponse,
        ListImportsRequest, PreviewReading, PreviewRow, PreviewStatementRequest,
        RereadImportRequest, RevertImportRequest, UpdateImportRowsRequest, WatchImportRequest,
        WatchImportResponse, import_service_client::ImportServiceClient,
        preview_statement_response::Part, template_service_client::TemplateServiceClient,
    },
    sync::v1::{
        Account, CreateAccountRequest, GetAccountRequest, ListAccountsRequest,
        ListTransactionsRequest, Transaction, ledger_service_client::LedgerServiceClient,
    },
};
use tonic::{
    Request, Response, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::{args::Global, error::Error};

/// Waits between tries: long enough for a gateway that restarts, short enough for a person.
const BACKOFF: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// For a connection to be made; a host that swallows packets would hold the command for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For a call that is no stream; the services' own default is the same.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Between pings on a quiet connection: a stream that waits for hours notices a dead peer.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Rows asked for in one call, the most the contract allows.
const PAGE_SIZE: i32 = 1_000;

type Service = InterceptedService<Channel, Bearer>;

/// The gateway, as one user.
pub(crate) struct Client {
    url: String,
    imports: ImportServiceClient<Service>,
    templates: TemplateServiceClient<Service>,
    ledger: LedgerServiceClient<Service>,
}

/// Puts the user's token and the command's trace on every call.
#[derive(Clone)]
pub(crate) struct Bearer {
    authorization: MetadataValue<Ascii>,
    trace_parent: MetadataValue<Ascii>,
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        metadata.insert("traceparent", self.trace_parent.clone());
        Ok(request)
    }
}

impl Client {
    /// The gateway of the flags. Nothing is sent yet.
    pub(crate) fn new(global: &Global) -> Result<Self, Error> {
        let token = match global.token.as_deref().map(str::trim) {
            None | Some("") => return Err(Error::NoToken),
            Some(token) => token,
        };
        let mut authorization =
            MetadataValue::try_from(format!("Bearer {token}")).map_err(|_| Error::BadToken)?;
        authorization.set_sensitive(true);
        let bearer = Bearer {
            authorization,
            trace_parent: trace::parent(global.trace_parent.as_deref()),
        };

        let url = global.url.as_str().trim_end_matches('/').to_owned();
        let address = |source| Error::Address {
            url: url.clone(),
            source,
        };
        let mut endpoint = Endpoint::from_shared(url.clone())
            .map_err(address)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .user_agent(concat!("djinn-cli/", env!("CARGO_PKG_VERSION")))
            .map_err(address)?;
        if global.url.scheme() == "https" {
            endpoint = endpoint
                .tls_config(ClientTlsConfig::new().with_enabled_roots())
                .map_err(address)?;
        }
        let channel = InterceptedService::new(endpoint.connect_lazy(), bearer);
        Ok(Self {
            url,
            imports: ImportServiceClient::new(channel.clone()),
            templates: TemplateServiceClient::new(channel.clone()),
            ledger: LedgerServiceClient::new(channel),
        })
    }

    /// Opens an account.
    pub(crate) async fn create_account(
        &self,
        request: CreateAccountRequest,
    ) -> Result<Account, Error> {
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.create_account(request).await
        })
        .await?
        .account
        .ok_or(Error::Incomplete("CreateAccount"))
    }

    /// An account by its id.
    pub(crate) async fn account(&self, account_id: String) -> Result<Account, Error> {
        let request = GetAccountRequest { account_id };
        self.unary(&self.ledger, request, async |mut ledger, request| {
            ledger.get_account(request).await
        })
        .await?
        .account
        .ok_or(Error::Incomplete("GetAccount"))
    }

    /// Every account, oldest first.
    pub(crate) async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let mut request = ListAccountsRequest {
            page_size: PAGE_SIZE,
            ..ListAccountsRequest::default()
        };
        let mut accounts = Vec::new();
        loop {
            let page = self
                .unary(
                    &self.ledger,
                    request.clone(),
                    async |mut ledger, request| ledger.list_accounts(request).await,
                )
                .await?;
            accounts.extend(page.accounts);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(accounts);
            }
        }
    }

    /// Transactions that pass the filters of `request`, at most `limit`.
    pub(crate) async fn transactions(
        &self,
        mut request: ListTransactionsRequest,
        limit: Option<u32>,
    ) -> Result<Vec<Transaction>, Error> {
        let mut transactions = Vec::new();
        while let Some(page_size) = page_size(limit, transactions.len()) {
            request.page_size = page_size;
            let page = self
                .unary(
                    &self.ledger,
                    request.clone(),
                    async |mut ledger, request| ledger.list_transactions(request).await,
                )
                .await?;
            transactions.extend(page.transactions);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        Ok(transactions)
    }

    /// How an upload reads, and its first rows.
    pub(crate) async fn preview(
        &self,
        request: PreviewStatementRequest,
    ) -> Result<(PreviewReading, Vec<PreviewRow>), Error> {
        self.retry(async || {
            let mut stream = self
                .imports
                .clone()
                .preview_statement(request.clone())
                .await
                .map_err(|status| self.error(status))?
                .into_inner();
            let (mut reading, mut rows) = (None, Vec::new());
            while let Some(response) = stream.message().await.map_err(|s| self.error(s))? {
                match response.part {
                    Some(Part::Reading(part)) => reading = Some(part),
                    Some(Part::Row(row)) => rows.push(row),
                    // A part of a later version.
                    None => {}
                }
            }
            let reading = reading.ok_or(Error::Incomplete("PreviewStatement"))?;
            Ok((reading, rows))
        })
        .await
    }

    /// Begins an import.
    pub(crate) async fn create_import(
        &self,
        request: CreateImportRequest,
    ) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.create_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("CreateImport"))
    }

    /// An import by its id.
    pub(crate) async fn import(&self, import_id: String) -> Result<Import, Error> {
        let request = GetImportRequest { import_id };
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.get_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("GetImport"))
    }

    /// Every import, newest first.
    pub(crate) async fn imports(&self) -> Result<Vec<Import>, Error> {
        let mut request = ListImportsRequest {
            page_size: PAGE_SIZE,
            ..ListImportsRequest::default()
        };
        let mut imports = Vec::new();
        loop {
            let page = self
                .unary(
                    &self.imports,
                    request.clone(),
                    async |mut imports, request| imports.list_imports(request).await,
                )
                .await?;
            imports.extend(page.imports);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(imports);
            }
        }
    }

    /// One page of an import's rows.
    pub(crate) async fn row_page(
        &self,
        request: ListImportRowsRequest,
    ) -> Result<ListImportRowsResponse, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.list_import_rows(request).await
        })
        .await
    }

    /// Rows of an import that pass the filters of `request`, at most `limit`.
    pub(crate) async fn rows(
        &self,
        mut request: ListImportRowsRequest,
        limit: Option<u32>,
    ) -> Result<Vec<ImportRow>, Error> {
        let mut rows = Vec::new();
        while let Some(page_size) = page_size(limit, rows.len()) {
            request.page_size = page_size;
            let page = self.row_page(request.clone()).await?;
            rows.extend(page.rows);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        Ok(rows)
    }

    /// Says what is to become of rows in the review that `request.etag` stands for.
    pub(crate) async fn decide(&self, request: UpdateImportRowsRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.update_import_rows(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("UpdateImportRows"))
    }

    /// Answers the questions that `request.etag` stands for.
    pub(crate) async fn answer(&self, request: AnswerImportRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.answer_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("AnswerImport"))
    }

    /// Confirms the review that `request.etag` stands for.
    pub(crate) async fn confirm(&self, request: ConfirmImportRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.confirm_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("ConfirmImport"))
    }

    /// Ends an import without effect.
    pub(crate) async fn cancel(&self, request: CancelImportRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.cancel_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("CancelImport"))
    }

    /// Has the file of an import read once more.
    pub(crate) async fn reread(&self, request: RereadImportRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.reread_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("RereadImport"))
    }

    /// Undoes a committed import.
    pub(crate) async fn revert(&self, request: RevertImportRequest) -> Result<Import, Error> {
        self.unary(&self.imports, request, async |mut imports, request| {
            imports.revert_import(request).await
        })
        .await?
        .import
        .ok_or(Error::Incomplete("RevertImport"))
    }

    /// Opens the stream of an import's states, once.
    async fn open_watch(&self, import_id: &str) -> Result<Streaming<WatchImportResponse>, Error> {
        let request = WatchImportRequest {
            import_id: import_id.to_owned(),
        };
        let response = self.imports.clone().watch_import(request).await;
        Ok(response.map_err(|status| self.error(status))?.into_inner())
    }

    /// One call with one answer.
    async fn unary<S: Clone, Q: Clone, A>(
        &self,
        service: &S,
        message: Q,
        method: impl AsyncFn(S, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Error> {
        self.retry(async || {
            let mut request = Request::new(message.clone());
            request.set_timeout(CALL_TIMEOUT);
            let response = method(service.clone(), request).await;
            Ok(response.map_err(|status| self.error(status))?.into_inner())
        })
        .await
    }

    /// Tries a call again while a later moment can help.
    async fn retry<T>(&self, call: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        let mut waits = BACKOFF.into_iter();
        loop {
            match (call().await, waits.next()) {
                (Err(error), Some(wait)) if error.transient() => tokio::time::sleep(wait).await,
                (result, _) => return result,
            }
        }
    }

    fn error(&self, status: Status) -> Error {
        Error::call(&self.url, status)
    }
}

/// The size of the next page, or nothing when there are enough.
fn page_size(limit: Option<u32>, have: usize) -> Option<i32> {
    let Some(limit) = limit else {
        return Some(PAGE_SIZE);
    };
    let have = u32::try_from(have).unwrap_or(u32::MAX);
    let wanted = i32::try_from(limit.saturating_sub(have)).unwrap_or(PAGE_SIZE);
    (wanted > 0).then(|| wanted.min(PAGE_SIZE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_as_large_as_they_may_and_no_larger_than_they_must() {
        for (limit, have, expected) in [
            (None, 0, Some(1_000)),
            (None, 5_000, Some(1_000)),
            (Some(10), 0, Some(10)),
            (Some(1_500), 0, Some(1_000)),
            (Some(1_500), 1_000, Some(500)),
            (Some(1_500), 1_500, None),
            (Some(1_500), 1_501, None),
            (Some(u32::MAX), 0, Some(1_000)),
        ] {
            assert_eq!(page_size(limit, have), expected, "{limit:?} {have}");
        }
    }
}
