//! `djinn templates`: what was answered about statements: looking at it, sharing it, forgetting it.

use std::path::{Path, PathBuf};

use djinn_proto::imports::v1::{ImportTemplateRequest, ListTemplatesRequest};
use uuid::Uuid;

use super::{Session, account};
use crate::{
    args::Templates,
    clock,
    error::Error,
    output::{document, template},
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: Templates) -> Result<(), Error> {
    match command {
        Templates::List { account } => list(session, account).await,
        Templates::Show { template_id } => show(session, template_id).await,
        Templates::Export {
            template_id,
            output,
        } => export(session, template_id, output).await,
        Templates::Import {
            file,
            account,
            request_id,
        } => import(session, &file, &account, request_id).await,
        Templates::Delete { template_id } => delete(session, template_id).await,
    }
}

async fn list(session: &Session, of: Option<String>) -> Result<(), Error> {
    let account_id = match of {
        Some(name) => account::find(&session.client, &name).await?.account_id,
        None => String::new(),
    };
    let request = ListTemplatesRequest {
        account_id,
        ..ListTemplatesRequest::default()
    };
    let templates = session.client.templates(request).await?;
    let document = document::Templates {
        templates: &templates,
    };
    session
        .output
        .result(&document, || template::list(&templates))
}

async fn show(session: &Session, template_id: Uuid) -> Result<(), Error> {
    let shown = session.client.template(template_id.to_string()).await?;
    session
        .output
        .result(&document::template(&shown), || template::show(&shown))
}

async fn export(
    session: &Session,
    template_id: Uuid,
    output: Option<PathBuf>,
) -> Result<(), Error> {
    let file = session
        .client
        .export_template(template_id.to_string())
        .await?;
    let Some(path) = output else {
        return session.output.result(&document::exported(&file), || {
            String::from_utf8_lossy(&file.content).into_owned()
        });
    };
    let written = tokio::fs::write(&path, &file.content).await;
    written.map_err(|source| Error::Unwritable {
        path: path.clone(),
        source,
    })?;
    session
        .output
        .result(&document::exported(&file), || written_to(&path))
}

fn written_to(path: &Path) -> String {
    format!("Wrote {}", path.display())
}

async fn import(
    session: &Session,
    file: &Path,
    name: &str,
    request_id: Option<Uuid>,
) -> Result<(), Error> {
    let account = account::find(&session.client, name).await?;
    let content = tokio::fs::read(file).await.map_err(|source| Error::File {
        path: file.to_owned(),
        source,
    })?;
    let request = ImportTemplateRequest {
        request_id: request_id.unwrap_or_else(clock::id).to_string(),
        account_id: account.account_id,
        content,
    };
    let taken = session.client.import_template(request).await?;
    session
        .output
        .result(&document::template(&taken), || template::show(&taken))
}

async fn delete(session: &Session, template_id: Uuid) -> Result<(), Error> {
    let template_id = template_id.to_string();
    session.client.delete_template(template_id.clone()).await?;
    let document = document::DeletedTemplate {
        template_id: &template_id,
    };
    session.output.result(&document, || {
        format!("Forgot template {template_id}; the next such statement asks again")
    })
}
