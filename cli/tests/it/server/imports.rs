//! Uploads and imports.

use djinn_proto::{
    common::v1::{Job, JobFailure, Money},
    imports::v1::{
        AnswerImportRequest, AnswerImportResponse, CancelImportRequest, CancelImportResponse,
        ConfirmImportRequest, ConfirmImportResponse, CreateImportRequest, CreateImportResponse,
        GetImportRequest, GetImportResponse, Import, ImportCounts, ImportRow, ImportState,
        ListImportRowsRequest, ListImportRowsResponse, ListImportsRequest, ListImportsResponse,
        PreviewReading, PreviewRow, PreviewStatementRequest, PreviewStatementResponse, Question,
        QuestionChoice, Reading, ReadingColumn, RowProblem, RowVerdict, UpdateImportRowsRequest,
        UpdateImportRowsResponse, Upload, UploadStatementRequest, UploadStatementResponse,
        WatchImportRequest, WatchImportResponse, import_service_server::ImportService,
        preview_statement_response, upload_statement_request::Part,
    },
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tonic::{Code, Request, Response, Status, Streaming};

use super::{Fake, Received, refusal};

type Answers<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl ImportService for Fake {
    type PreviewStatementStream = Answers<PreviewStatementResponse>;
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
        _request: Request<UpdateImportRowsRequest>,
    ) -> Result<Response<UpdateImportRowsResponse>, Status> {
        Err(Status::unimplemented("the client does not call this"))
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

    async fn revert_import(
        &self,
        _: tonic::Request<djinn_proto::imports::v1::RevertImportRequest>,
    ) -> Result<tonic::Response<djinn_proto::imports::v1::RevertImportResponse>, tonic::Status>
    {
        Err(tonic::Status::unimplemented("follows"))
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

/// What an import of this file goes through.
fn states(name: &str, import: &Import, confirmed: bool) -> Vec<Import> {
    use ImportState as S;
    let at = |state: S| Import {
        state: state.into(),
        ..import.clone()
    };
    let failed = |import: Import, reason: &str, message: &str| Import {
        job: Some(Job {
            failure: Some(JobFailure {
                reason: reason.to_owned(),
                message: message.to_owned(),
            }),
            ..Job::default()
        }),
        ..import
    };
    let clean = Import {
        counts: Some(ImportCounts::default()),
        ..review(import, S::Review)
    };
    if import.state() == S::Cancelled {
        return vec![review(import, S::Review), at(S::Cancelled)];
    }
    match (name, confirmed) {
        ("refused.csv", _) => vec![
            at(S::Scanning),
            failed(at(S::Refused), "INFECTED", "The file is infected."),
        ],
        ("asking.csv" | "twice.csv", false) => asking(name, import),
        ("forever.csv", _) => vec![at(S::Scanning)],
        ("auto.csv", _) => vec![
            clean,
            review(import, S::Committing),
            review(import, S::Committed),
        ],
        ("back.csv", true) => vec![
            review(import, S::Committing),
            Import {
                etag: "e2".to_owned(),
                ..failed(
                    review(import, S::Review),
                    "VERDICTS_CHANGED",
                    "The account changed meanwhile.",
                )
            },
        ],
        (_, false) => vec![at(S::Scanning), at(S::Matching), review(import, S::Review)],
        (_, true) => vec![
            review(import, S::Review),
            review(import, S::Committing),
            review(import, S::Committed),
        ],
    }
}

/// `asking.csv` asks once; `twice.csv` asks something else when the first question is answered.
fn asking(name: &str, import: &Import) -> Vec<Import> {
    use ImportState as S;
    let working = Import {
        state: S::Recognising.into(),
        ..import.clone()
    };
    let asks = |etag: &str, question: Question| Import {
        state: S::Asking.into(),
        questions: vec![question],
        etag: etag.to_owned(),
        ..import.clone()
    };
    let first = asks("1-0", question());
    let second = asks("2-0", rows_question());
    match (name, import.answers.len()) {
        (_, 0) => vec![working, first],
        ("twice.csv", 1) if import.etag == "2-0" => vec![second],
        ("twice.csv", 1) => vec![first, working, second],
        ("twice.csv", _) => vec![second, working, review(import, S::Review)],
        _ => vec![first, working, review(import, S::Review)],
    }
}

fn review(import: &Import, state: ImportState) -> Import {
    let money = |minor_units| {
        Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units,
        })
    };
    Import {
        state: state.into(),
        etag: "e1".to_owned(),
        reading: Some(reading()),
        counts: Some(ImportCounts {
            row_count: 3,
            new_count: 1,
            duplicate_count: 1,
            invalid_count: 1,
            included_count: 1,
            ..ImportCounts::default()
        }),
        included_amount: money(-1999),
        balance_before: money(10_000),
        balance_after: money(8_001),
        ..import.clone()
    }
}

fn rows() -> Vec<ImportRow> {
    let row = |row_number, verdict: RowVerdict, included| ImportRow {
        row_number,
        line: row_number + 1,
        verdict: verdict.into(),
        included,
        booked_on: "2025-01-31".to_owned(),
        amount: Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units: -1999,
        }),
        description: "Coffee".to_owned(),
        ..ImportRow::default()
    };
    vec![
        row(1, RowVerdict::New, true),
        row(2, RowVerdict::Duplicate, false),
        ImportRow {
            problem: Some(problem()),
            amount: None,
            ..row(3, RowVerdict::Invalid, false)
        },
    ]
}

fn problem() -> RowProblem {
    RowProblem {
        reason: "BAD_DATE".to_owned(),
        message: "31.02.2025 is not a day".to_owned(),
        original: "31.02.2025;-1,00".to_owned(),
    }
}

fn reading() -> Reading {
    Reading {
        encoding: "windows-1252".to_owned(),
        delimiter: ";".to_owned(),
        header_line: 1,
        columns: vec![ReadingColumn {
            position: 1,
            name: "Datum".to_owned(),
            role: "booked_on".to_owned(),
            format: "%d.%m.%Y".to_owned(),
        }],
        currency_code: "EUR".to_owned(),
        evidence: vec!["Day 31 occurs".to_owned()],
    }
}

fn question() -> Question {
    Question {
        key: "date_order".to_owned(),
        prompt: "Which comes first?".to_owned(),
        choices: vec![QuestionChoice {
            value: "day_first".to_owned(),
            label: "the day".to_owned(),
            samples: vec!["2 January 2025".to_owned()],
        }],
    }
}

fn rows_question() -> Question {
    let choice = |value: &str, label: &str, sample: &str| QuestionChoice {
        value: value.to_owned(),
        label: label.to_owned(),
        samples: vec![sample.to_owned()],
    };
    Question {
        key: "rows".to_owned(),
        prompt: "Do they count?".to_owned(),
        choices: vec![
            choice("drop", "No.", "left out: 16.01.2025;Hotel"),
            choice("keep", "Yes.", "16 January 2025  -80.00 EUR  Hotel"),
        ],
    }
}
