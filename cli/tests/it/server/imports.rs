//! Uploads and imports.

use djinn_proto::imports::v1::{
    AnswerImportRequest, AnswerImportResponse, BeginUploadRequest, BeginUploadResponse,
    CancelImportRequest, CancelImportResponse, ConfirmImportRequest, ConfirmImportResponse,
    CreateImportRequest, CreateImportResponse, DownloadErrorReportRequest,
    DownloadErrorReportResponse, GetImportRequest, GetImportResponse, GetUploadProgressRequest,
    GetUploadProgressResponse, Import, ImportState, ListImportRowsRequest, ListImportRowsResponse,
    ListImportsRequest, ListImportsResponse, PreviewReading, PreviewRow, PreviewStatementRequest,
    PreviewStatementResponse, RereadImportRequest, RereadImportResponse, RevertImportRequest,
    RevertImportResponse, RowProblem, UpdateImportRowsRequest, UpdateImportRowsResponse, Upload,
    UploadChunkRequest, UploadChunkResponse, UploadStatementRequest, UploadStatementResponse,
    WatchImportRequest, WatchImportResponse, import_service_server::ImportService,
    preview_statement_response, upload_statement_request::Part,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tonic::{Code, Request, Response, Status, Streaming};

use super::{
    Fake, Received, refusal,
    scene::{problem, question, reading, rows, states},
};

type Answers<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl ImportService for Fake {
    type PreviewStatementStream = Answers<PreviewStatementResponse>;
    type DownloadErrorReportStream = Answers<DownloadErrorReportResponse>;
    type WatchImportStream = Answers<WatchImportResponse>;

    /// `flaky.csv` breaks at its first try, `short.csv` loses a byte, `large.csv` is refused
    /// before it has been read.
    async fn upload_statement(
        &self,
        request: Request<Streaming<UploadStatementRequest>>,
    ) -> Result<Response<UploadStatementResponse>, Status> {
        let mut messages = request.into_inner();
        let mut received = Received::default();
        while let Some(message) = messages.message().await? {
            match message.part {
                Some(Part::Header(header)) => {
                    received.request_id = header.request_id;
                    received.file_name = header.file_name;
                    if received.file_name == "large.csv" {
                        let message = "the file is larger than 256 MiB";
                        return Err(refusal(Code::ResourceExhausted, "FILE_TOO_LARGE", message));
                    }
                }
                Some(Part::Chunk(chunk)) => {
                    received.chunk_sizes.push(chunk.len());
                    received.bytes.extend_from_slice(&chunk);
                }
                None => return Err(Status::invalid_argument("an empty message")),
            }
        }
        let mut state = self.state();
        state.uploads.push(received.clone());
        if received.file_name == "flaky.csv" && state.uploads.len() == 1 {
            return Err(Status::unavailable("temporarily unavailable, try again"));
        }
        let mut size_bytes = i64::try_from(received.bytes.len()).unwrap();
        if received.file_name == "short.csv" {
            size_bytes -= 1;
        }
        Ok(Response::new(UploadStatementResponse {
            upload: Some(Upload {
                upload_id: received.file_name.clone(),
                file_name: received.file_name,
                size_bytes,
                ..Upload::default()
            }),
        }))
    }

    async fn begin_upload(
        &self,
        request: Request<BeginUploadRequest>,
    ) -> Result<Response<BeginUploadResponse>, Status> {
        self.begin_chunked(request.into_inner())
    }

    async fn upload_chunk(
        &self,
        request: Request<Streaming<UploadChunkRequest>>,
    ) -> Result<Response<UploadChunkResponse>, Status> {
        self.receive_chunk(request.into_inner()).await
    }

    async fn get_upload_progress(
        &self,
        _: Request<GetUploadProgressRequest>,
    ) -> Result<Response<GetUploadProgressResponse>, Status> {
        Err(Status::unimplemented("the command asks with BeginUpload"))
    }

    async fn preview_statement(
        &self,
        request: Request<PreviewStatementRequest>,
    ) -> Result<Response<Self::PreviewStatementStream>, Status> {
        let request = request.into_inner();
        self.state().answers.extend(request.answers);
        let row = |line, problem: Option<RowProblem>| {
            preview_statement_response::Part::Row(PreviewRow {
                line,
                booked_on: "2025-01-31".to_owned(),
                amount: "-19.99".to_owned(),
                description: "Coffee".to_owned(),
                problem,
                ..PreviewRow::default()
            })
        };
        let parts = [
            preview_statement_response::Part::Reading(PreviewReading {
                reading: Some(reading()),
                questions: vec![question()],
                ..PreviewReading::default()
            }),
            row(2, None),
            row(3, Some(problem())),
        ];
        let parts = parts.map(|part| Ok(PreviewStatementResponse { part: Some(part) }));
        Ok(Response::new(stream::iter(parts).boxed()))
    }

    async fn create_import(
        &self,
        request: Request<CreateImportRequest>,
    ) -> Result<Response<CreateImportResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.import_request_ids.push(request.request_id);
        let import = Import {
            import_id: format!("0190a0a0-0000-7000-8000-{:012}", state.imports.len()),
            account_id: request.account_id,
            upload: Some(Upload {
                file_name: request.upload_id,
                ..Upload::default()
            }),
            state: ImportState::Created.into(),
            auto_confirm: request.auto_confirm,
            ..Import::default()
        };
        state.imports.push(import.clone());
        Ok(Response::new(CreateImportResponse {
            import: Some(import),
        }))
    }

    async fn get_import(
        &self,
        request: Request<GetImportRequest>,
    ) -> Result<Response<GetImportResponse>, Status> {
        let import = self.find(&request.into_inner().import_id)?;
        Ok(Response::new(GetImportResponse {
            import: Some(import),
        }))
    }

    async fn list_imports(
        &self,
        _request: Request<ListImportsRequest>,
    ) -> Result<Response<ListImportsResponse>, Status> {
        Ok(Response::new(ListImportsResponse {
            imports: self.state().imports.clone(),
            next_page_token: String::new(),
        }))
    }

    /// `forever.csv` never gets anywhere; `broken.csv` breaks at the first try; every other stream
    /// ends after its states, also where the contract would keep it open.
    async fn watch_import(
        &self,
        request: Request<WatchImportRequest>,
    ) -> Result<Response<Self::WatchImportStream>, Status> {
        let import = self.find(&request.into_inner().import_id)?;
        let mut state = self.state();
        state.watches += 1;
        let confirmed = !state.confirmations.is_empty();
        let name = import.upload.clone().unwrap_or_default().file_name;
        let states = states(&name, &import, confirmed);
        if let (Some(last), Some(kept)) = (
            states.last(),
            state
                .imports
                .iter_mut()
                .find(|kept| kept.import_id == import.import_id),
        ) {
            *kept = last.clone();
        }
        let states = stream::iter(states).map(|import| {
            Ok(WatchImportResponse {
                import: Some(import),
            })
        });
        Ok(Response::new(match (&*name, state.watches) {
            ("forever.csv", _) => states.chain(stream::pending()).boxed(),
            ("broken.csv", 1) => states
                .take(1)
                .chain(stream::iter([Err(Status::unavailable("try again"))]))
                .boxed(),
            _ => states.boxed(),
        }))
    }

    async fn list_import_rows(
        &self,
        request: Request<ListImportRowsRequest>,
    ) -> Result<Response<ListImportRowsResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        let rows = rows().into_iter().filter(|row| {
            let verdict = request.verdicts.is_empty() || request.verdicts.contains(&row.verdict);
            verdict
                && request
                    .included
                    .is_none_or(|included| row.included == included)
        });
        Ok(Response::new(ListImportRowsResponse {
            rows: rows.collect(),
            next_page_token: String::new(),
            etag: import.etag,
        }))
    }

    async fn update_import_rows(
        &self,
        request: Request<UpdateImportRowsRequest>,
    ) -> Result<Response<UpdateImportRowsResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        if request.etag != "e1" {
            let message = "the import has changed since";
            return Err(refusal(Code::Aborted, "ETAG_MISMATCH", message));
        }
        self.state().decisions.push(request);
        Ok(Response::new(UpdateImportRowsResponse {
            import: Some(import),
        }))
    }

    async fn confirm_import(
        &self,
        request: Request<ConfirmImportRequest>,
    ) -> Result<Response<ConfirmImportResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        if request.etag != "e1" {
            let message = "the import has changed since";
            return Err(refusal(Code::Aborted, "ETAG_MISMATCH", message));
        }
        self.state().confirmations.push(request);
        Ok(Response::new(ConfirmImportResponse {
            import: Some(import),
        }))
    }

    async fn cancel_import(
        &self,
        request: Request<CancelImportRequest>,
    ) -> Result<Response<CancelImportResponse>, Status> {
        let import = self.find(&request.into_inner().import_id)?;
        for kept in &mut self.state().imports {
            if kept.import_id == import.import_id {
                kept.state = ImportState::Cancelled.into();
            }
        }
        // The cancellation is durable, and the end follows.
        Ok(Response::new(CancelImportResponse {
            import: Some(import),
        }))
    }

    async fn answer_import(
        &self,
        request: Request<AnswerImportRequest>,
    ) -> Result<Response<AnswerImportResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        let mut state = self.state();
        for kept in &mut state.imports {
            if kept.import_id == import.import_id {
                kept.answers.extend(request.answers.clone());
            }
        }
        state.answered.push(request);
        // The answer is durable, and recognition follows.
        Ok(Response::new(AnswerImportResponse {
            import: Some(import),
        }))
    }

    async fn download_error_report(
        &self,
        request: Request<DownloadErrorReportRequest>,
    ) -> Result<Response<Self::DownloadErrorReportStream>, Status> {
        let import = self.find(&request.into_inner().import_id)?;
        let chunk = |text: &str| {
            Ok(DownloadErrorReportResponse {
                chunk: text.as_bytes().to_vec(),
            })
        };
        let mut parts = vec![chunk("line,reason\r\n"), chunk("2,BAD_DATE\r\n")];
        let named = import
            .upload
            .is_some_and(|upload| upload.file_name == "again.csv");
        if named {
            let message = "the import has changed since it was read";
            parts.push(Err(refusal(Code::Aborted, "ETAG_MISMATCH", message)));
        }
        Ok(Response::new(stream::iter(parts).boxed()))
    }

    async fn reread_import(
        &self,
        request: Request<RereadImportRequest>,
    ) -> Result<Response<RereadImportResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        let mut state = self.state();
        for kept in &mut state.imports {
            if kept.import_id == import.import_id {
                kept.mapping.clone_from(&request.mapping);
                kept.etag.push('r');
            }
        }
        state.reread.push(request);
        // The wish is durable, and the reading follows.
        Ok(Response::new(RereadImportResponse {
            import: Some(import),
        }))
    }

    /// `kept.csv` keeps two transactions, `stuck.csv` cannot be undone.
    async fn revert_import(
        &self,
        request: Request<RevertImportRequest>,
    ) -> Result<Response<RevertImportResponse>, Status> {
        let request = request.into_inner();
        let import = self.find(&request.import_id)?;
        let mut state = self.state();
        state.reverts.push(request);
        let kept = state
            .imports
            .iter_mut()
            .find(|kept| kept.import_id == import.import_id);
        match (import.state(), kept) {
            (ImportState::Committed, Some(kept)) => kept.state = ImportState::Reverting.into(),
            (ImportState::Reverting | ImportState::Reverted, _) => {}
            _ => {
                let message = "only a committed import can be undone";
                return Err(refusal(Code::FailedPrecondition, "WRONG_STATE", message));
            }
        }
        drop(state);
        let import = self.find(&import.import_id)?;
        Ok(Response::new(RevertImportResponse {
            import: Some(import),
        }))
    }
}

impl Fake {
    fn find(&self, import_id: &str) -> Result<Import, Status> {
        let state = self.state();
        let import = state
            .imports
            .iter()
            .find(|import| import.import_id == import_id);
        import.cloned().ok_or_else(|| {
            refusal(
                Code::NotFound,
                "IMPORT_NOT_FOUND",
                "there is no such import",
            )
        })
    }
}
