//! The gRPC door: it parses requests, calls a step or the store, and converts what they answer.
//!
//! * [`parse`]: requests into what the rest of the service trusts.
//! * [`convert`]: answers into messages.
//! * [`import`], [`answer`], [`reread`], [`review`], [`revert`], [`template`]: the calls, by noun.
//! * [`receive`], [`chunk`], [`preview`], [`report`], [`watch`]: the streams.
//!
//! It decides nothing. Every way out of it is a message or [`fault::status`].

use std::pin::Pin;

use djinn_chassis::{
    auth::{self, caller},
    fault,
    postgres::UserTransaction,
};
use djinn_proto::imports::v1 as proto;
use futures::Stream;
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status as GrpcStatus, Streaming};
use uuid::Uuid;

use crate::{
    Error,
    domain::status::Status,
    steps::Steps,
    store::{self, import::Import},
};

mod answer;
mod chunk;
mod convert;
mod import;
mod parse;
mod preview;
mod receive;
mod report;
mod reread;
mod revert;
mod review;
mod template;
mod watch;

pub use template::TemplateDoor;

/// The service, as gRPC calls it.
pub struct Door {
    /// What it calls.
    pub steps: Steps,
    /// Asked to stop: endless streams end.
    pub shutdown: djinn_chassis::shutdown::Shutdown,
}

type Answer<T> = Result<Response<T>, GrpcStatus>;
type Sending<T> = Pin<Box<dyn Stream<Item = Result<T, GrpcStatus>> + Send>>;

#[tonic::async_trait]
impl proto::import_service_server::ImportService for Door {
    type PreviewStatementStream = Sending<proto::PreviewStatementResponse>;
    type DownloadErrorReportStream = Sending<proto::DownloadErrorReportResponse>;
    type WatchImportStream = Sending<proto::WatchImportResponse>;

    async fn upload_statement(
        &self,
        request: Request<Streaming<proto::UploadStatementRequest>>,
    ) -> Answer<proto::UploadStatementResponse> {
        let user = caller(&request)?.user_id;
        let upload = receive::receive(&self.steps, user, request.into_inner()).await;
        let upload = upload.map_err(fault::status)?;
        Ok(Response::new(proto::UploadStatementResponse {
            upload: Some(convert::upload(&upload)),
        }))
    }

    async fn begin_upload(
        &self,
        request: Request<proto::BeginUploadRequest>,
    ) -> Answer<proto::BeginUploadResponse> {
        let user = caller(&request)?.user_id;
        let begun = self.begin_chunked(user, &request.into_inner()).await;
        Ok(Response::new(proto::BeginUploadResponse {
            progress: Some(begun.map_err(fault::status)?),
        }))
    }

    async fn upload_chunk(
        &self,
        request: Request<Streaming<proto::UploadChunkRequest>>,
    ) -> Answer<proto::UploadChunkResponse> {
        let user = caller(&request)?.user_id;
        let stored = self.receive_chunk(user, request.into_inner()).await;
        Ok(Response::new(proto::UploadChunkResponse {
            progress: Some(stored.map_err(fault::status)?),
        }))
    }

    async fn get_upload_progress(
        &self,
        request: Request<proto::GetUploadProgressRequest>,
    ) -> Answer<proto::GetUploadProgressResponse> {
        let user = caller(&request)?.user_id;
        let progress = self.progress(user, &request.into_inner()).await;
        Ok(Response::new(proto::GetUploadProgressResponse {
            progress: Some(progress.map_err(fault::status)?),
        }))
    }

    async fn preview_statement(
        &self,
        request: Request<proto::PreviewStatementRequest>,
    ) -> Answer<Self::PreviewStatementStream> {
        let caller = caller(&request)?;
        let rows = preview::preview(&self.steps, caller.user_id, request.into_inner()).await;
        let rows = rows.map_err(fault::status)?;
        Ok(Response::new(Box::pin(auth::until_expiry(
            rows,
            &caller,
            &self.steps.clock,
        ))))
    }

    async fn create_import(
        &self,
        request: Request<proto::CreateImportRequest>,
    ) -> Answer<proto::CreateImportResponse> {
        let user = caller(&request)?.user_id;
        let created = self
            .create(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, created).await.map_err(fault::status)?;
        Ok(Response::new(proto::CreateImportResponse {
            import: Some(import),
        }))
    }

    async fn get_import(
        &self,
        request: Request<proto::GetImportRequest>,
    ) -> Answer<proto::GetImportResponse> {
        let user = caller(&request)?.user_id;
        let id = request.into_inner().import_id;
        let import = self.look_up(user, &id).await.map_err(fault::status)?;
        Ok(Response::new(proto::GetImportResponse {
            import: Some(import),
        }))
    }

    async fn list_imports(
        &self,
        request: Request<proto::ListImportsRequest>,
    ) -> Answer<proto::ListImportsResponse> {
        let user = caller(&request)?.user_id;
        let page = self
            .list(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        Ok(Response::new(page))
    }

    async fn watch_import(
        &self,
        request: Request<proto::WatchImportRequest>,
    ) -> Answer<Self::WatchImportStream> {
        let caller = caller(&request)?;
        let id = request.into_inner().import_id;
        // Unknown ids answer at once, before the stream begins.
        let first = self
            .look_up(caller.user_id, &id)
            .await
            .map_err(fault::status)?;
        let changes = watch::watch(
            self.steps.clone(),
            caller.user_id,
            first,
            self.shutdown.clone(),
        );
        Ok(Response::new(Box::pin(auth::until_expiry(
            changes,
            &caller,
            &self.steps.clock,
        ))))
    }

    async fn list_import_rows(
        &self,
        request: Request<proto::ListImportRowsRequest>,
    ) -> Answer<proto::ListImportRowsResponse> {
        let user = caller(&request)?.user_id;
        let page = self
            .list_rows(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        Ok(Response::new(page))
    }

    async fn update_import_rows(
        &self,
        request: Request<proto::UpdateImportRowsRequest>,
    ) -> Answer<proto::UpdateImportRowsResponse> {
        let user = caller(&request)?.user_id;
        let updated = self
            .update_rows(user, request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, updated).await.map_err(fault::status)?;
        Ok(Response::new(proto::UpdateImportRowsResponse {
            import: Some(import),
        }))
    }

    async fn confirm_import(
        &self,
        request: Request<proto::ConfirmImportRequest>,
    ) -> Answer<proto::ConfirmImportResponse> {
        let user = caller(&request)?.user_id;
        let confirmed = self
            .confirm(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, confirmed).await.map_err(fault::status)?;
        Ok(Response::new(proto::ConfirmImportResponse {
            import: Some(import),
        }))
    }

    async fn cancel_import(
        &self,
        request: Request<proto::CancelImportRequest>,
    ) -> Answer<proto::CancelImportResponse> {
        let user = caller(&request)?.user_id;
        let cancelled = self
            .cancel(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, cancelled).await.map_err(fault::status)?;
        Ok(Response::new(proto::CancelImportResponse {
            import: Some(import),
        }))
    }

    async fn answer_import(
        &self,
        request: Request<proto::AnswerImportRequest>,
    ) -> Answer<proto::AnswerImportResponse> {
        let user = caller(&request)?.user_id;
        let answered = self
            .answer(user, request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, answered).await.map_err(fault::status)?;
        Ok(Response::new(proto::AnswerImportResponse {
            import: Some(import),
        }))
    }

    async fn download_error_report(
        &self,
        request: Request<proto::DownloadErrorReportRequest>,
    ) -> Answer<Self::DownloadErrorReportStream> {
        let caller = caller(&request)?;
        let chunks = self.report(caller.user_id, &request.into_inner()).await;
        let chunks = chunks.map_err(fault::status)?;
        Ok(Response::new(Box::pin(auth::until_expiry(
            chunks,
            &caller,
            &self.steps.clock,
        ))))
    }

    async fn reread_import(
        &self,
        request: Request<proto::RereadImportRequest>,
    ) -> Answer<proto::RereadImportResponse> {
        let user = caller(&request)?.user_id;
        let read = self
            .reread(user, request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, read).await.map_err(fault::status)?;
        Ok(Response::new(proto::RereadImportResponse {
            import: Some(import),
        }))
    }

    async fn revert_import(
        &self,
        request: Request<proto::RevertImportRequest>,
    ) -> Answer<proto::RevertImportResponse> {
        let user = caller(&request)?.user_id;
        let reverting = self
            .revert(user, &request.into_inner())
            .await
            .map_err(fault::status)?;
        let import = self.message(user, reverting).await.map_err(fault::status)?;
        Ok(Response::new(proto::RevertImportResponse {
            import: Some(import),
        }))
    }
}

/// The import as a message.
async fn read(transaction: &mut UserTransaction, import_id: Uuid) -> Result<proto::Import, Error> {
    let import = get(transaction, import_id, &import_id.to_string()).await?;
    complete(transaction, &import).await
}

/// The import as a message, with what stands in other rows than its own.
async fn complete(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<proto::Import, Error> {
    let file = store::upload::get(transaction, import.upload_id).await?;
    let reversal = match import.status {
        Status::Reverted => Some(store::revert::get(transaction, import.import_id).await?),
        _ => None,
    };
    let accounts = match import.etag.revision {
        0 => Vec::new(),
        _ => accounts(transaction, import).await?,
    };
    Ok(proto::Import {
        accounts,
        reversal: reversal.map(convert::reversal),
        ..convert::import(import, file.as_ref())
    })
}

/// The accounts that its rows go into, as its last matching left them.
async fn accounts(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<Vec<proto::ImportAccount>, Error> {
    let shares = store::account::list(transaction, import.target()).await?;
    let mut accounts = Vec::with_capacity(shares.len());
    for share in &shares {
        let account = import::account(transaction, share.account_id).await?;
        accounts.push(convert::import_account(share, &account));
    }
    Ok(accounts)
}

async fn get(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    asked: &str,
) -> Result<Import, Error> {
    store::import::get(transaction, import_id)
        .await?
        .ok_or_else(|| Error::NotFound {
            what: "import",
            id: asked.to_owned(),
        })
}

/// The hash of a request's parts; lengths keep them apart.
fn body_hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
