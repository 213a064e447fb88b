//! Templates: list, look up, give away, take, forget. The second service of this door.

use djinn_chassis::{
    auth::{UserId, caller},
    fault,
    postgres::UserTransaction,
};
use djinn_proto::imports::v1 as proto;
use tonic::{Request, Response};
use uuid::Uuid;

use super::{Answer, body_hash, convert, parse};
use crate::{
    Error,
    domain::{page, template::Template},
    steps::Steps,
    store::{
        self, request,
        template::{Earlier, Filter, Kept},
    },
};

/// The service, as gRPC calls it.
pub struct TemplateDoor {
    /// What it calls.
    pub steps: Steps,
}

#[tonic::async_trait]
impl proto::template_service_server::TemplateService for TemplateDoor {
    async fn list_templates(
        &self,
        request: Request<proto::ListTemplatesRequest>,
    ) -> Answer<proto::ListTemplatesResponse> {
        let user = caller(&request)?.user_id;
        let page = self.list(user, &request.into_inner()).await;
        Ok(Response::new(page.map_err(fault::status)?))
    }

    async fn get_template(
        &self,
        request: Request<proto::GetTemplateRequest>,
    ) -> Answer<proto::GetTemplateResponse> {
        let user = caller(&request)?.user_id;
        let kept = self.find(user, &request.into_inner().template_id).await;
        let kept = kept.map_err(fault::status)?;
        Ok(Response::new(proto::GetTemplateResponse {
            template: Some(convert::template(&kept)),
        }))
    }

    async fn delete_template(
        &self,
        request: Request<proto::DeleteTemplateRequest>,
    ) -> Answer<proto::DeleteTemplateResponse> {
        let user = caller(&request)?.user_id;
        let deleted = self.delete(user, &request.into_inner().template_id).await;
        deleted.map_err(fault::status)?;
        Ok(Response::new(proto::DeleteTemplateResponse {}))
    }

    async fn export_template(
        &self,
        request: Request<proto::ExportTemplateRequest>,
    ) -> Answer<proto::ExportTemplateResponse> {
        let user = caller(&request)?.user_id;
        let kept = self.find(user, &request.into_inner().template_id).await;
        let file = kept.and_then(|kept| export(&kept.template));
        Ok(Response::new(file.map_err(fault::status)?))
    }

    async fn import_template(
        &self,
        request: Request<proto::ImportTemplateRequest>,
    ) -> Answer<proto::ImportTemplateResponse> {
        let user = caller(&request)?.user_id;
        let kept = self.take(user, &request.into_inner()).await;
        let kept = kept.map_err(fault::status)?;
        Ok(Response::new(proto::ImportTemplateResponse {
            template: Some(convert::template(&kept)),
        }))
    }
}

impl TemplateDoor {
    async fn list(
        &self,
        user: UserId,
        asked: &proto::ListTemplatesRequest,
    ) -> Result<proto::ListTemplatesResponse, Error> {
        let size = parse::page_size(asked.page_size)?;
        let filters = format!("templates|{}", asked.account_id);
        let key = page::key(&asked.page_token, &filters).map_err(|_| parse::bad_token())?;
        let filter = Filter {
            account_id: match asked.account_id.as_str() {
                "" => None,
                text => Some(parse::id("account_id", text)?),
            },
            before: key.map(|key| parse::id("page_token", key)).transpose()?,
        };
        let mut transaction = self.steps.store.user(user).await?;
        if let Some(account_id) = filter.account_id {
            account(&mut transaction, account_id, &asked.account_id).await?;
        }
        let mut found = store::template::list(&mut transaction, filter, size + 1).await?;
        let more = parse::cut(&mut found, size);
        let next_page_token = match found.last() {
            Some(last) if more => page::token(&last.template_id.to_string(), &filters),
            _ => String::new(),
        };
        Ok(proto::ListTemplatesResponse {
            templates: found.iter().map(convert::template).collect(),
            next_page_token,
        })
    }

    async fn find(&self, user: UserId, id: &str) -> Result<Kept, Error> {
        let template_id = parse::id("template_id", id)?;
        let mut transaction = self.steps.store.user(user).await?;
        let found = store::template::get(&mut transaction, template_id).await?;
        found.ok_or_else(|| no_template(id))
    }

    async fn delete(&self, user: UserId, id: &str) -> Result<(), Error> {
        let template_id = parse::id("template_id", id)?;
        let mut transaction = self.steps.store.user(user).await?;
        if !store::template::delete(&mut transaction, template_id).await? {
            return Err(no_template(id));
        }
        Ok(transaction.commit().await?)
    }

    async fn take(
        &self,
        user: UserId,
        asked: &proto::ImportTemplateRequest,
    ) -> Result<Kept, Error> {
        let request_id = parse::id("request_id", &asked.request_id)?;
        let account_id = parse::id("account_id", &asked.account_id)?;
        let template = Template::read(&asked.content)?;
        let body_hash = body_hash(&[account_id.as_bytes(), &asked.content]);
        let claim = request::Request {
            rpc: "ImportTemplate",
            request_id,
            body_hash: &body_hash,
        };
        let (id, now) = (self.steps.clock.id(), self.steps.clock.now());
        let fingerprint = template.heading.fingerprint();
        let mut transaction = self.steps.store.user(user).await?;
        let open = account(&mut transaction, account_id, &asked.account_id).await?;
        // The account stands for what it made: a template of this heading is there or is not.
        let first = request::claim(&mut transaction, claim, account_id, now).await?;
        if first.is_none() {
            if !open {
                return Err(Error::AccountClosed);
            }
            let earlier = Earlier::Replaced;
            store::template::keep(&mut transaction, id, account_id, &template, earlier, now)
                .await?;
        }
        let kept = store::template::find(&mut transaction, account_id, &fingerprint).await?;
        transaction.commit().await?;
        kept.ok_or_else(|| no_template("that was made by this request: it has been deleted since"))
    }
}

/// Whether the account is open.
async fn account(
    transaction: &mut UserTransaction,
    account_id: Uuid,
    asked: &str,
) -> Result<bool, Error> {
    match djinn_ledger::account::get(transaction, account_id).await? {
        Some(account) => Ok(account.closed_at.is_none()),
        None => Err(Error::NotFound {
            what: "account",
            id: asked.to_owned(),
        }),
    }
}

fn no_template(asked: &str) -> Error {
    Error::NotFound {
        what: "template",
        id: asked.to_owned(),
    }
}

fn export(template: &Template) -> Result<proto::ExportTemplateResponse, Error> {
    if template.portable_answers().is_empty() {
        return Err(Error::FileRefused {
            reason: "NOTHING_TO_EXPORT",
            detail: "the template only says which of your accounts rows go into, which serves \
                     nobody else; there is nothing to export"
                .to_owned(),
        });
    }
    let content = template
        .write()
        .map_err(|error| Error::Task(error.into()))?;
    Ok(proto::ExportTemplateResponse {
        file_name: template.file_name(),
        content,
    })
}
