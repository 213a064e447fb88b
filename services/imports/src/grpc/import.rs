//! Imports: begin, list, look up.

use djinn_chassis::{auth::UserId, postgres::UserTransaction};
use djinn_ledger::{account::Account, money::Currency};
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{Door, body_hash, complete, parse, read, reread};
use crate::{
    Error,
    domain::page,
    store::{self, due::Duty, import::NewImport, request},
};

/// Imports that one user may have open.
const OPEN_MAX: i64 = 20;
/// When an import whose workflow did not start at once is started by the sweep.
const START_GRACE: chrono::Duration = chrono::Duration::minutes(1);

impl Door {
    pub(super) async fn create(
        &self,
        user: UserId,
        asked: &proto::CreateImportRequest,
    ) -> Result<Uuid, Error> {
        let request_id = parse::id("request_id", &asked.request_id)?;
        let upload_id = parse::id("upload_id", &asked.upload_id)?;
        let account_id = parse::id("account_id", &asked.account_id)?;
        let auto_confirm = asked.auto_confirm;
        let mapping = reread::mapping(asked.mapping.as_ref())?;
        let written = reread::written(mapping.as_ref())?;
        let import_id = self.steps.clock.id();
        let now = self.steps.clock.now();
        let auto = [u8::from(auto_confirm)];
        let mut parts = vec![&upload_id.as_bytes()[..], account_id.as_bytes(), &auto];
        // Without a mapping as in releases that knew none, whose requests may be repeated.
        if mapping.is_some() {
            parts.push(&written);
        }
        let body_hash = body_hash(&parts);
        let mut transaction = self.steps.store.user(user).await?;
        let claim = request::Request {
            rpc: "CreateImport",
            request_id,
            body_hash: &body_hash,
        };
        if let Some(first) = request::claim(&mut transaction, claim, import_id, now).await? {
            return Ok(first);
        }
        let currency = check_parts(&mut transaction, upload_id, account_id).await?;
        let open = store::import::count_open(&mut transaction).await?;
        if open >= OPEN_MAX {
            return Err(Error::TooManyOpen { open });
        }
        let new = NewImport {
            import_id,
            upload_id,
            account_id,
            currency,
            auto_confirm,
            mapping,
        };
        store::import::create(&mut transaction, &new, now).await?;
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

    pub(super) async fn list(
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
        if let Some(account_id) = filter.account_id {
            account(&mut transaction, account_id).await?;
        }
        let mut found = store::import::list(&mut transaction, &filter, size + 1).await?;
        let more = parse::cut(&mut found, size);
        let next_page_token = match found.last() {
            Some(last) if more => page::token(&last.import_id.to_string(), &filters),
            _ => String::new(),
        };
        let mut imports = Vec::with_capacity(found.len());
        for import in &found {
            imports.push(complete(&mut transaction, import).await?);
        }
        Ok(proto::ListImportsResponse {
            imports,
            next_page_token,
        })
    }

    pub(super) async fn look_up(&self, user: UserId, id: &str) -> Result<proto::Import, Error> {
        let import_id = parse::id("import_id", id)?;
        self.message(user, import_id).await
    }

    pub(super) async fn message(
        &self,
        user: UserId,
        import_id: Uuid,
    ) -> Result<proto::Import, Error> {
        let mut transaction = self.steps.store.user(user).await?;
        read(&mut transaction, import_id).await
    }
}

async fn check_parts(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    account_id: Uuid,
) -> Result<Currency, Error> {
    if store::upload::get(transaction, upload_id).await?.is_none() {
        return Err(Error::NotFound {
            what: "upload",
            id: upload_id.to_string(),
        });
    }
    let account = account(transaction, account_id).await?;
    if account.closed_at.is_some() {
        return Err(Error::AccountClosed);
    }
    Ok(account.opening.currency)
}

/// An account that the user has.
pub(super) async fn account(
    transaction: &mut UserTransaction,
    account_id: Uuid,
) -> Result<Account, Error> {
    let account = djinn_ledger::account::get(transaction, account_id).await?;
    account.ok_or_else(|| Error::NotFound {
        what: "account",
        id: account_id.to_string(),
    })
}
