//! The templates.

use tonic::{Request, Response, Status};

use djinn_proto::imports::v1::{template_service_server::TemplateService, *};

use super::{
    Answer, Fake,
    sample::{self, page},
};

#[tonic::async_trait]
impl TemplateService for Fake {
    async fn list_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Answer<ListTemplatesResponse> {
        let asked = self.take("ListTemplates", request).await?;
        let all = (1..=3).map(|at| sample::template(&format!("t{at}")));
        let (size, token) = (asked.page_size, &asked.page_token);
        let (templates, next_page_token) = page(all, size, token, &asked.account_id)?;
        Ok(Response::new(ListTemplatesResponse {
            templates,
            next_page_token,
        }))
    }

    async fn get_template(
        &self,
        request: Request<GetTemplateRequest>,
    ) -> Answer<GetTemplateResponse> {
        let asked = self.take("GetTemplate", request).await?;
        let template = Some(sample::template(&asked.template_id));
        Ok(Response::new(GetTemplateResponse { template }))
    }

    async fn delete_template(
        &self,
        request: Request<DeleteTemplateRequest>,
    ) -> Answer<DeleteTemplateResponse> {
        self.take("DeleteTemplate", request).await?;
        Ok(Response::new(DeleteTemplateResponse {}))
    }

    async fn export_template(
        &self,
        _: Request<ExportTemplateRequest>,
    ) -> Answer<ExportTemplateResponse> {
        Err(Status::unimplemented(""))
    }

    async fn import_template(
        &self,
        _: Request<ImportTemplateRequest>,
    ) -> Answer<ImportTemplateResponse> {
        Err(Status::unimplemented(""))
    }
}
