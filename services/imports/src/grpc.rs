//! The gRPC door: it parses requests, calls a step or the store, and converts what they answer.
//!
//! * [`parse`]: requests into what the rest of the service trusts.
//! * [`convert`]: answers into messages.
//! * [`receive`], [`watch`]: the streams.
//!
//! It decides nothing. Every way out of it is a message or [`fault::status`].

use std::pin::Pin;

use djinn_chassis::{
    auth::{self, UserId, caller},
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
    domain::{
        page,
        review::{CHANGES_MAX, Etag},
        status::Status,
    },
    steps::Steps,
    store::{
        self,
        due::Duty,
        import::{Import, NewImport},
        request,
    },
};

mod convert;
mod parse;
mod preview;
mod receive;
mod watch;

/// Imports that one user may have open.
const OPEN_MAX: i64 = 20;
/// When an import whose workflow did not start at once is started by the sweep.
const START_GRACE: chrono::Duration = chrono::Duration::minutes(1);

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
    type WatchImportStream = Sending<proto::WatchImportResponse>;

    async fn upload_statement(
        &self,
        request: Request<Streaming<proto::UploadStatementRequest>>,
    ) -> Answer<proto::UploadStatementResponse> {
        let user = caller(&request)?.user_id;
        let upload = receive::receive(&self.steps, user, request.into_inner()).await;
        let upload = upload.map_err(fault::status)?;
        Ok(Response::new(proto::UploadStatementResponse { upload: Some(convert::upload(&upload)) }))
    }

    async fn preview_statement(
        &self,
        request: Request<proto::PreviewStatementRequest>,
    ) -> Answer<Self::PreviewStatementStream> {
        let caller = caller(&request)?;
        let rows = preview::preview(&self.steps, caller.user_id, request.into_inner()).await;
        let rows = rows.map_err(fault::status)?;
        Ok(Response::new(Box::pin(auth::until_expiry(rows, &caller, &self.steps.clock))))
    }

    async fn create_import(
        &self,
        request: Request<proto::CreateImportRequest>,
    ) -> Answer<proto::CreateImportResponse> {
        let user = caller(&request)?.user_id;
        let created = self.create(user, &request.into_inner()).await.map_err(fault::status)?;
        let import = self.message(user, created).await.map_err(fault::status)?;
        Ok(Response::new(proto::CreateImportResponse { import: Some(import) }))
    }

    async fn get_import(
        &self,
        request: Request<proto::GetImportRequest>,
    ) -> Answer<proto::GetImportResponse> {
        let user = caller(&request)?.user_id;
        let id = request.into_inner().import_id;
        let import = self.look_up(user, &id).await.map_err(fault::status)?;
        Ok(Response::new(proto::GetImportResponse { import: Some(import) }))
    }

    async fn list_imports(
        &self,
        request: Request<proto::ListImportsRequest>,
    ) -> Answer<proto::ListImportsResponse> {
        let user = caller(&request)?.user_id;
        let page = self.list(user, &request.into_inner()).await.map_err(fault::status)?;
        Ok(Response::new(page))
    }

    async fn watch_import(
        &self,
        request: Request<proto::WatchImportRequest>,
    ) -> Answer<Self::WatchImportStream> {
        let caller = caller(&request)?;
        let id = request.into_inner().import_id;
        // Unknown ids answer at once, before the stream begins.
        let first = self.look_up(caller.user_id, &id).await.map_err(fault::status)?;
        let changes = watch::watch(self.steps.clone(), caller.user_id, first, self.shutdown.clone());
        Ok(Response::new(Box::pin(auth::until_expiry(changes, &caller, &self.steps.clock))))
    }

    async fn list_import_rows(
        &self,
        request: Request<proto::ListImportRowsRequest>,
    ) -> Answer<proto::ListImportRowsResponse> {
        let user = caller(&request)?.user_id;
        let page = self.list_rows(user, &request.into_inner()).await.map_err(fault::status)?;
        Ok(Response::new(page))
    }

    async fn update_import_rows(
        &self,
        request: Request<proto::UpdateImportRowsRequest>,
    ) -> Answer<proto::UpdateImportRowsResponse> {
        let user = caller(&request)?.user_id;
        let updated = self.update_rows(user, request.into_inner()).await.map_err(fault::status)?;
        let import = self.message(user, updated).await.map_err(fault::status)?;
        Ok(Response::new(proto::UpdateImportRowsResponse { import: Some(import) }))
    }

    async fn confirm_import(
        &self,
        request: Request<proto::ConfirmImportRequest>,
    ) -> Answer<proto::ConfirmImportResponse> {
        let user = caller(&request)?.user_id;
        let confirmed = self.confirm(user, &request.into_inner()).await.map_err(fault::status)?;
        let import = self.message(user, confirmed).await.map_err(fault::status)?;
        Ok(Response::new(proto::ConfirmImportResponse { import: Some(import) }))
    }

    async fn cancel_import(
        &self,
        request: Request<proto::CancelImportRequest>,
    ) -> Answer<proto::CancelImportResponse> {
        let user = caller(&request)?.user_id;
        let cancelled = self.cancel(user, &request.into_inner()).await.map_err(fault::status)?;
        let import = self.message(user, cancelled).await.map_err(fault::status)?;
        Ok(Response::new(proto::CancelImportResponse { import: Some(import) }))
    }
}

impl Door {
    async fn create(
        &self,
        user: UserId,
        asked: &proto::CreateImportRequest,
    ) -> Result<Uuid, Error> {
        let request_id = parse::id("request_id", &asked.request_id)?;
        let upload_id = parse::id("upload_id", &asked.upload_id)?;
        let account_id = parse::id("account_id", &asked.account_id)?;
        let auto_confirm = asked.auto_confirm;
        let import_id = self.steps.clock.id();
        let now = self.steps.clock.now();
        let body_hash = body_hash(&[
            upload_id.as_bytes(),
            account_id.as_bytes(),
            &[u8::from(auto_confirm)],
        ]);
        let mut transaction = self.steps.store.user(user).await?;
        let claim = request::Request { rpc: "CreateImport", request_id, body_hash: &body_hash };
        if let Some(first) = request::claim(&mut transaction, claim, import_id, now).await? {
            return Ok(first);
        }
        check_parts(&mut transaction, upload_id, account_id).await?;
        let open = store::import::count_open(&mut transaction).await?;
        if open >= OPEN_MAX {
            return Err(Error::TooManyOpen { open });
        }
        let new = NewImport { import_id, upload_id, account_id, auto_confirm };
        store::import::create(&mut transaction, new, now).await?;
        let start_at = now + START_GRACE;
        store::due::set(&mut transaction, Duty::StartImport, import_id, start_at).await?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned
            && let Err(error) = self.steps.workflows.start(user, &owned).await
        {
            // Accepted is accepted: the row is durable and the sweep starts it.
            tracing::warn!(import.id = %import_id, %error, "import left to the sweep");
        }
        Ok(import_id)
    }

    async fn list(
        &self,
        user: UserId,
        asked: &proto::ListImportsRequest,
    ) -> Result<proto::ListImportsResponse, Error> {
        let size = parse::page_size(asked.page_size)?;
        let filters = parse::import_filters(asked);
        let mut filter = parse::import_filter(asked)?;
        let key = page::key(&asked.page_token, &filters).map_err(|_| parse::bad_token())?;
        filter.before = key.map(|key| parse::id("page_token", key)).transpose()?;
        let mut transaction = self.steps.store.user(user).await?;
        let mut found = store::import::list(&mut transaction, &filter, size + 1).await?;
        let more = parse::cut(&mut found, size);
        let next_page_token = match found.last() {
            Some(last) if more => page::token(&last.import_id.to_string(), &filters),
            _ => String::new(),
        };
        let mut imports = Vec::with_capacity(found.len());
        for import in &found {
            let file = store::upload::get(&mut transaction, import.upload_id).await?;
            imports.push(convert::import(import, file.as_ref()));
        }
        Ok(proto::ListImportsResponse { imports, next_page_token })
    }

    async fn list_rows(
        &self,
        user: UserId,
        asked: &proto::ListImportRowsRequest,
    ) -> Result<proto::ListImportRowsResponse, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let size = parse::page_size(asked.page_size)?;
        let filters = parse::row_filters(asked);
        let mut filter = parse::row_filter(asked)?;
        let key = page::key(&asked.page_token, &filters).map_err(|_| parse::bad_token())?;
        if let Some(key) = key {
            filter.after = key.parse().map_err(|_| parse::bad_token())?;
        }
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        if !is_matched(import.status) {
            let needed = "its rows can be listed once it is in review";
            return Err(Error::WrongStatus { status: import.status, needed });
        }
        let target = import.target();
        let mut found =
            store::review::list(&mut transaction, target, &filter, size + 1).await?;
        let more = parse::cut(&mut found, size);
        let next_page_token = match found.last() {
            Some(last) if more => page::token(&last.row_number.to_string(), &filters),
            _ => String::new(),
        };
        let rows = found.iter().map(convert::row).collect();
        let etag = import.etag.to_string();
        Ok(proto::ListImportRowsResponse { rows, next_page_token, etag })
    }

    async fn update_rows(
        &self,
        user: UserId,
        asked: proto::UpdateImportRowsRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        if asked.changes.len() > CHANGES_MAX {
            return Err(Error::too_many_changes(asked.changes.len()));
        }
        let (rows, decisions) = parse::changes(&asked.changes)?;
        let mut transaction = self.steps.store.user(user).await?;
        store::import::lock_for_edit(&mut transaction, import_id).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        in_review(&import, &asked.etag)?;
        let target = import.target();
        let decided = store::review::decide(&mut transaction, target, &rows, &decisions).await?;
        if usize::try_from(decided) != Ok(rows.len()) {
            let problem = "names a row that does not exist or cannot be read; list the rows first";
            return Err(Error::invalid("changes.row_number", problem));
        }
        self.steps.publish_decisions(&mut transaction, &import).await?;
        transaction.commit().await?;
        Ok(import_id)
    }

    async fn confirm(
        &self,
        user: UserId,
        asked: &proto::ConfirmImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let body_hash = body_hash(&[import_id.as_bytes(), asked.etag.as_bytes()]);
        let claim = request::Request { rpc: "ConfirmImport", request_id, body_hash: &body_hash };
        let now = self.steps.clock.now();
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        let earlier = request::claim(&mut transaction, claim, import_id, now).await?;
        // A repeated confirmation of an import that went on because of the first one.
        if earlier.is_some()
            && matches!(import.status, Status::Committing | Status::Committed)
        {
            return Ok(import_id);
        }
        in_review(&import, &asked.etag)?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            self.steps.workflows.confirm(&owned, request_id, asked.etag.clone()).await?;
        }
        Ok(import_id)
    }

    async fn cancel(
        &self,
        user: UserId,
        asked: &proto::CancelImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        if import.status == Status::Cancelled {
            return Ok(import_id);
        }
        if !import.status.can_be_given_up() {
            let needed = "only an import that is not yet being committed can be cancelled";
            return Err(Error::WrongStatus { status: import.status, needed });
        }
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            // One that was left behind has no workflow yet that could be told.
            self.steps.workflows.start(user, &owned).await?;
            self.steps.workflows.cancel(&owned, request_id).await?;
        }
        Ok(import_id)
    }

    async fn look_up(&self, user: UserId, id: &str) -> Result<proto::Import, Error> {
        let import_id = parse::id("import_id", id)?;
        self.message(user, import_id).await
    }

    async fn message(&self, user: UserId, import_id: Uuid) -> Result<proto::Import, Error> {
        let mut transaction = self.steps.store.user(user).await?;
        read(&mut transaction, import_id).await
    }
}

/// The import as a message.
async fn read(
    transaction: &mut UserTransaction,
    import_id: Uuid,
) -> Result<proto::Import, Error> {
    let import = get(transaction, import_id, &import_id.to_string()).await?;
    let file = store::upload::get(transaction, import.upload_id).await?;
    Ok(convert::import(&import, file.as_ref()))
}

async fn get(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    asked: &str,
) -> Result<Import, Error> {
    store::import::get(transaction, import_id)
        .await?
        .ok_or_else(|| Error::NotFound { what: "import", id: asked.to_owned() })
}

async fn check_parts(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    account_id: Uuid,
) -> Result<(), Error> {
    if store::upload::get(transaction, upload_id).await?.is_none() {
        return Err(Error::NotFound { what: "upload", id: upload_id.to_string() });
    }
    match djinn_ledger::account::get(transaction, account_id).await? {
        None => Err(Error::NotFound { what: "account", id: account_id.to_string() }),
        Some(account) if account.closed_at.is_some() => Err(Error::AccountClosed),
        Some(_) => Ok(()),
    }
}

fn in_review(import: &Import, etag: &str) -> Result<(), Error> {
    if import.status != Status::Review {
        let needed = "this is possible in review only";
        return Err(Error::WrongStatus { status: import.status, needed });
    }
    match Etag::parse(etag) {
        Some(etag) if etag == import.etag => Ok(()),
        _ => Err(Error::EtagMismatch),
    }
}

/// Whether rows have verdicts.
fn is_matched(status: Status) -> bool {
    matches!(
        status,
        Status::Review
            | Status::Committing
            | Status::Committed
            | Status::Reverting
            | Status::Reverted
            | Status::Cancelled
            | Status::Expired
            | Status::Failed
    )
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
