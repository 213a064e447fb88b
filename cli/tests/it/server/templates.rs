//! Templates, kept as they are.

use djinn_proto::imports::v1::{
    DeleteTemplateRequest, DeleteTemplateResponse, ExportTemplateRequest, ExportTemplateResponse,
    GetTemplateRequest, GetTemplateResponse, ImportTemplateRequest, ImportTemplateResponse,
    ListTemplatesRequest, ListTemplatesResponse, Template,
    template_service_server::TemplateService,
};
use tonic::{Code, Request, Response, Status};

use super::{Fake, refusal};

#[tonic::async_trait]
impl TemplateService for Fake {
    /// Pages of one template each.
    async fn list_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesResponse>, Status> {
        let request = request.into_inner();
        let state = self.state();
        let mut found = state.templates.iter().filter(|template| {
            request.account_id.is_empty() || template.account_id == request.account_id
        });
        let from = request.page_token.parse().unwrap_or(0);
        let templates: Vec<Template> = found.by_ref().skip(from).take(1).cloned().collect();
        let next_page_token = match found.next() {
            Some(_) => (from + 1).to_string(),
            None => String::new(),
        };
        Ok(Response::new(ListTemplatesResponse {
            templates,
            next_page_token,
        }))
    }

    async fn get_template(
        &self,
        request: Request<GetTemplateRequest>,
    ) -> Result<Response<GetTemplateResponse>, Status> {
        let template = self.template(&request.into_inner().template_id)?;
        Ok(Response::new(GetTemplateResponse {
            template: Some(template),
        }))
    }

    async fn delete_template(
        &self,
        request: Request<DeleteTemplateRequest>,
    ) -> Result<Response<DeleteTemplateResponse>, Status> {
        let template = self.template(&request.into_inner().template_id)?;
        let mut state = self.state();
        state.templates.retain(|kept| *kept != template);
        Ok(Response::new(DeleteTemplateResponse {}))
    }

    async fn export_template(
        &self,
        request: Request<ExportTemplateRequest>,
    ) -> Result<Response<ExportTemplateResponse>, Status> {
        let template = self.template(&request.into_inner().template_id)?;
        Ok(Response::new(ExportTemplateResponse {
            file_name: "giro.djinn-template.json".to_owned(),
            content: template.name.into_bytes(),
        }))
    }

    /// The file is the template's name.
    async fn import_template(
        &self,
        request: Request<ImportTemplateRequest>,
    ) -> Result<Response<ImportTemplateResponse>, Status> {
        let request = request.into_inner();
        let name = String::from_utf8(request.content).unwrap();
        if name.starts_with("<html>") {
            let message = "content: is no template";
            return Err(refusal(Code::InvalidArgument, "INVALID_FIELD", message));
        }
        let mut state = self.state();
        let template = Template {
            template_id: format!("0190a0a0-0000-7000-9000-{:012}", state.templates.len()),
            account_id: request.account_id,
            name,
            columns: vec!["Datum".to_owned(), "Betrag".to_owned()],
            answers: [("date_order".to_owned(), "day_first".to_owned())].into(),
            ..Template::default()
        };
        state.templates.push(template.clone());
        Ok(Response::new(ImportTemplateResponse {
            template: Some(template),
        }))
    }
}

impl Fake {
    fn template(&self, template_id: &str) -> Result<Template, Status> {
        let state = self.state();
        let mut templates = state.templates.iter();
        let found = templates.find(|template| template.template_id == template_id);
        found
            .cloned()
            .ok_or_else(|| refusal(Code::NotFound, "NOT_FOUND", "there is no such template"))
    }
}
