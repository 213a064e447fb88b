//! Calls of a user that the gateway makes itself, for doors that do not pass calls on: by the same
//! lanes, with the user's own token, and within the same limits as calls that are passed on.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt};
use http::HeaderValue;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, metadata::AsciiMetadataValue};
use tracing::Span;

use djinn_chassis::{
    auth::{Caller, Refusal, UserId},
    telemetry,
};
use djinn_proto::{
    imports::v1::{
        self as imports, import_service_client::ImportServiceClient as Imports,
        template_service_client::TemplateServiceClient as Templates,
    },
    sync::v1::{self as sync, ledger_service_client::LedgerServiceClient as Ledger},
};

use super::{
    Gate, Lanes,
    call::{Link, Terms, Watch},
    header::REQUEST_ID_KEY,
    lane::{Lane, Places},
    status,
};
use crate::{
    domain::{Class, Owner, limits},
    error::Error,
    limit::Visit,
};

/// A token that the gate has checked, with whom it stands for.
#[derive(Clone)]
pub(crate) struct Bearer {
    /// The user, and when the token ends.
    pub(crate) caller: Caller,
    /// The value of the header `authorization`.
    pub(crate) value: HeaderValue,
}

/// The calls of one request. Clones share its places.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Parts>);

struct Parts {
    lanes: Lanes,
    gate: Gate,
    user: UserId,
    expiry: Instant,
    authorization: AsciiMetadataValue,
    trace_id: Option<AsciiMetadataValue>,
    visit: Visit,
    places: Semaphore,
    stop: CancellationToken,
}

impl Calls {
    /// `request_id` is the id of the request, for logs; `visit` is where it came from and how its
    /// user stands; `stop` ends streams.
    ///
    /// # Errors
    /// When the token cannot be sent on, which a token that was checked can.
    pub(crate) fn new(
        lanes: Lanes,
        gate: Gate,
        bearer: &Bearer,
        request_id: &str,
        visit: Visit,
        stop: CancellationToken,
    ) -> Result<Self, Status> {
        let authorization = AsciiMetadataValue::try_from(bearer.value.as_bytes());
        let expiry = gate.expiry(&bearer.caller);
        Ok(Self(Arc::new(Parts {
            lanes,
            gate,
            user: bearer.caller.user_id,
            expiry,
            authorization: authorization.map_err(|_| Status::from(Refusal::Invalid))?,
            trace_id: request_id.parse().ok(),
            visit,
            places: Semaphore::new(limits::REQUEST_CALLS_MAX),
            stop,
        })))
    }

    /// Counts this request as so many calls of its user, or refuses it.
    pub(crate) async fn admit(&self, class: Class, units: u32) -> Result<(), Status> {
        let Parts { gate, visit, .. } = &*self.0;
        gate.admit(visit, self.0.user, class, units).await
    }

    /// Whether it was counted.
    pub(crate) fn counted(&self) -> bool {
        self.0.visit.standing().is_some()
    }

    /// Follows an import.
    pub(crate) async fn watch_import(
        &self,
        asked: imports::WatchImportRequest,
    ) -> Result<Streamed<imports::WatchImportResponse>, Status> {
        self.streamed(asked, async |mut client, request| {
            client.watch_import(request).await
        })
        .await
    }

    /// Downloads the rows of an import that could not be read.
    pub(crate) async fn download_error_report(
        &self,
        asked: imports::DownloadErrorReportRequest,
    ) -> Result<Streamed<imports::DownloadErrorReportResponse>, Status> {
        self.streamed(asked, async |mut client, request| {
            client.download_error_report(request).await
        })
        .await
    }

    /// A stream of answers. It ends as every stream through the gateway does: with its token, after
    /// a long silence, or when the gateway stops. Dropping it tells the service.
    async fn streamed<Q, A, F>(
        &self,
        asked: Q,
        call: impl FnOnce(Imports<tonic::transport::Channel>, Request<Q>) -> F,
    ) -> Result<Streamed<A>, Status>
    where
        F: Future<Output = Result<Response<Streaming<A>>, Status>>,
    {
        let Parts { lanes, gate, .. } = &*self.0;
        let lane = lanes.lane(Owner::Imports, false);
        let places = lane.places(gate, self.0.user)?;
        let terms = Terms {
            deadline: None,
            expiry: Some(self.0.expiry),
            idle: Some(limits::STREAM_IDLE),
            stop: Some(self.0.stop.clone()),
        };
        let mut watch = Watch::new(Link::new(), terms);
        let answer = tokio::select! {
            biased;
            cut = watch.cut() => return Err(cut.into()),
            answer = call(Imports::new(lane.shared()), self.request(asked)) => answer,
        };
        watch.link().touch();
        Ok(Streamed {
            inner: Some(
                answer
                    .map_err(|refused| lane.refused(refused))?
                    .into_inner(),
            ),
            watch,
            lane: lane.clone(),
            _places: places,
        })
    }

    fn request<Q>(&self, asked: Q) -> Request<Q> {
        let mut request = Request::new(asked);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.authorization.clone());
        if let Some(id) = &self.0.trace_id {
            metadata.insert(REQUEST_ID_KEY, id.clone());
        }
        telemetry::pass_on(&Span::current(), metadata.as_mut());
        request
    }

    /// One unary call. It waits for its turn among those of its request, so that one request with a
    /// thousand lookups does not take all the places of its user.
    async fn unary<Q, A, F>(
        &self,
        owner: Owner,
        deadline: Instant,
        asked: Q,
        call: impl FnOnce(tonic::transport::Channel, Request<Q>) -> F,
    ) -> Result<A, Status>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let lane = self.0.lanes.lane(owner, true);
        let answer = async {
            let _turn = self.0.places.acquire().await;
            let _places = lane.places(&self.0.gate, self.0.user)?;
            let mut request = self.request(asked);
            request.set_timeout(deadline.saturating_duration_since(Instant::now()));
            let answer = call(lane.shared(), request).await;
            answer.map_err(|refused| lane.refused(refused))
        };
        match timeout_at(deadline, answer).await {
            Ok(answer) => answer.map(Response::into_inner),
            Err(_) => Err(status(Error::Deadline)),
        }
    }
}

/// The unary methods that other doors call, each under its own name.
macro_rules! unary {
    ($($owner:ident $client:ident: $method:ident($asked:ty) -> $answer:ty;)*) => {
        impl Calls {
            $(
                pub(crate) async fn $method(
                    &self,
                    deadline: Instant,
                    asked: $asked,
                ) -> Result<$answer, Status> {
                    self.unary(Owner::$owner, deadline, asked, async |channel, request| {
                        $client::new(channel).$method(request).await
                    })
                    .await
                }
            )*
        }
    };
}

unary! {
    Imports Imports: create_import(imports::CreateImportRequest) -> imports::CreateImportResponse;
    Imports Imports: begin_upload(imports::BeginUploadRequest) -> imports::BeginUploadResponse;
    Imports Imports: get_upload_progress(imports::GetUploadProgressRequest)
        -> imports::GetUploadProgressResponse;
    Imports Imports: get_import(imports::GetImportRequest) -> imports::GetImportResponse;
    Imports Imports: list_imports(imports::ListImportsRequest) -> imports::ListImportsResponse;
    Imports Imports: list_import_rows(imports::ListImportRowsRequest)
        -> imports::ListImportRowsResponse;
    Imports Imports: update_import_rows(imports::UpdateImportRowsRequest)
        -> imports::UpdateImportRowsResponse;
    Imports Imports: confirm_import(imports::ConfirmImportRequest)
        -> imports::ConfirmImportResponse;
    Imports Imports: cancel_import(imports::CancelImportRequest) -> imports::CancelImportResponse;
    Imports Imports: answer_import(imports::AnswerImportRequest) -> imports::AnswerImportResponse;
    Imports Imports: reread_import(imports::RereadImportRequest) -> imports::RereadImportResponse;
    Imports Imports: revert_import(imports::RevertImportRequest) -> imports::RevertImportResponse;
    Imports Templates: list_templates(imports::ListTemplatesRequest)
        -> imports::ListTemplatesResponse;
    Imports Templates: get_template(imports::GetTemplateRequest) -> imports::GetTemplateResponse;
    Imports Templates: delete_template(imports::DeleteTemplateRequest)
        -> imports::DeleteTemplateResponse;
    Sync Ledger: create_account(sync::CreateAccountRequest) -> sync::CreateAccountResponse;
    Sync Ledger: get_account(sync::GetAccountRequest) -> sync::GetAccountResponse;
    Sync Ledger: list_accounts(sync::ListAccountsRequest) -> sync::ListAccountsResponse;
    Sync Ledger: update_account(sync::UpdateAccountRequest) -> sync::UpdateAccountResponse;
    Sync Ledger: close_account(sync::CloseAccountRequest) -> sync::CloseAccountResponse;
    Sync Ledger: get_transaction(sync::GetTransactionRequest) -> sync::GetTransactionResponse;
    Sync Ledger: list_transactions(sync::ListTransactionsRequest)
        -> sync::ListTransactionsResponse;
    Sync Ledger: create_transaction(sync::CreateTransactionRequest)
        -> sync::CreateTransactionResponse;
    Sync Ledger: update_transaction(sync::UpdateTransactionRequest)
        -> sync::UpdateTransactionResponse;
    Sync Ledger: delete_transaction(sync::DeleteTransactionRequest)
        -> sync::DeleteTransactionResponse;
    Sync Ledger: unlock_transaction_fields(sync::UnlockTransactionFieldsRequest)
        -> sync::UnlockTransactionFieldsResponse;
    Sync Ledger: list_transaction_changes(sync::ListTransactionChangesRequest)
        -> sync::ListTransactionChangesResponse;
}

/// A stream of answers to a user. It is read no faster than it is asked for.
pub(crate) struct Streamed<A> {
    /// `None` once the stream is over.
    inner: Option<Streaming<A>>,
    watch: Watch,
    lane: Lane,
    _places: Places,
}

impl<A> Stream for Streamed<A> {
    type Item = Result<A, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        // Looked at first, so that a service that never pauses cannot outlive the token.
        if let Poll::Ready(cut) = this.watch.poll_cut(cx) {
            this.inner = None;
            return Poll::Ready(Some(Err(cut.into())));
        }
        let item = std::task::ready!(inner.poll_next_unpin(cx));
        this.watch.link().touch();
        let item = item.map(|item| item.map_err(|refused| this.lane.refused(refused)));
        if !matches!(item, Some(Ok(_))) {
            this.inner = None;
        }
        Poll::Ready(item)
    }
}
