//! The calls about templates.

use djinn_proto::imports::v1::{
    DeleteTemplateRequest, ExportTemplateRequest, ExportTemplateResponse, GetTemplateRequest,
    ImportTemplateRequest, ListTemplatesRequest, Template,
};

use super::{Client, PAGE_SIZE};
use crate::error::Error;

impl Client {
    /// Every template that passes the filter of `request`, newest first.
    pub(crate) async fn templates(
        &self,
        mut request: ListTemplatesRequest,
    ) -> Result<Vec<Template>, Error> {
        request.page_size = PAGE_SIZE;
        let mut templates = Vec::new();
        loop {
            let page = self
                .unary(
                    &self.templates,
                    request.clone(),
                    async |mut service, request| service.list_templates(request).await,
                )
                .await?;
            templates.extend(page.templates);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(templates);
            }
        }
    }

    /// A template by its id.
    pub(crate) async fn template(&self, template_id: String) -> Result<Template, Error> {
        let request = GetTemplateRequest { template_id };
        self.unary(&self.templates, request, async |mut service, request| {
            service.get_template(request).await
        })
        .await?
        .template
        .ok_or(Error::Incomplete("GetTemplate"))
    }

    /// A template as a file.
    pub(crate) async fn export_template(
        &self,
        template_id: String,
    ) -> Result<ExportTemplateResponse, Error> {
        let request = ExportTemplateRequest { template_id };
        self.unary(&self.templates, request, async |mut service, request| {
            service.export_template(request).await
        })
        .await
    }

    /// Takes a template file.
    pub(crate) async fn import_template(
        &self,
        request: ImportTemplateRequest,
    ) -> Result<Template, Error> {
        self.unary(&self.templates, request, async |mut service, request| {
            service.import_template(request).await
        })
        .await?
        .template
        .ok_or(Error::Incomplete("ImportTemplate"))
    }

    /// Forgets a template.
    pub(crate) async fn delete_template(&self, template_id: String) -> Result<(), Error> {
        let request = DeleteTemplateRequest { template_id };
        self.unary(&self.templates, request, async |mut service, request| {
            service.delete_template(request).await
        })
        .await
        .map(drop)
    }
}
