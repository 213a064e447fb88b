//! What people are given before anything is tried: one of everything, through the gateway.

use djinn_chassis::auth::UserId;
use djinn_proto::{
    common::v1::Money,
    imports::v1::{self as imports, Import, ImportState, upload_statement_request::Part},
    sync::v1 as ledger,
};

use super::{
    message::{STATEMENT, STATEMENT_SHA256},
    person::Person,
};
use crate::mesh::{Imports, Ledger, Mesh, Templates};

/// A statement whose dates are either of two.
const AMBIGUOUS: &str = "Date,Description,Amount\n\
    01/02/2024,Shop,-1.10\n03/04/2024,Shop,-2.10\n05/06/2024,Shop,-3.10\n";

/// A statement whose amounts are its own.
fn statement(cents: u32) -> String {
    let mut file = String::from("Date,Description,Amount\n");
    for day in 1..=3 {
        file.push_str(&format!("2024-01-{day:02},Shop {day},-{day}.{cents:02}\n"));
    }
    file
}

/// A person who is being given things.
pub(super) struct House<'a> {
    imports: Imports,
    templates: Templates,
    ledger: Ledger,
    person: &'a mut Person,
}

impl<'a> House<'a> {
    /// What is being furnished.
    pub(super) fn of(mesh: &Mesh, user: UserId, person: &'a mut Person) -> Self {
        Self {
            imports: mesh.imports(user),
            templates: mesh.templates(user),
            ledger: mesh.ledger(user),
            person,
        }
    }

    /// One of everything, and two of what is listed.
    pub(super) async fn furnish(&mut self) {
        let (giro, savings) = (self.account().await, self.account().await);
        let committed = self
            .import(&giro, &statement(10), ImportState::Review)
            .await;
        self.confirm(&committed).await;
        let etag = self.etag(&committed.import_id).await;
        self.person.etags.insert("settled import", etag);
        let open = self
            .import(&savings, &statement(20), ImportState::Review)
            .await;
        self.person.etags.insert("open import", open.etag);
        let given_up = self
            .import(&savings, &statement(30), ImportState::Review)
            .await;
        self.reread(&given_up).await;
        self.cancel(&given_up).await;
        self.transactions(&giro).await;
        self.enter(&giro).await;
        self.edit().await;
        self.answer(&savings).await;
        self.copy_template(&giro).await;
        let undone = self
            .import(&savings, &statement(40), ImportState::Review)
            .await;
        self.confirm(&undone).await;
        self.revert(&undone).await;
        self.begin_upload().await;
    }

    /// An upload in chunks of which nothing has come.
    async fn begin_upload(&mut self) {
        let request = imports::BeginUploadRequest {
            request_id: self.person.request_id("BeginUpload"),
            file_name: "statement.csv".to_owned(),
            size_bytes: i64::try_from(STATEMENT.len()).unwrap(),
            sha256: STATEMENT_SHA256.to_owned(),
        };
        let begun = self.imports.begin_upload(request).await.unwrap();
        let progress = begun.into_inner().progress.unwrap();
        self.person.take("upload_id", &progress.upload_id);
    }

    async fn account(&mut self) -> String {
        let request = ledger::CreateAccountRequest {
            request_id: self.person.request_id("CreateAccount"),
            name: "Giro".to_owned(),
            currency_code: "EUR".to_owned(),
            opening_balance: Some(euros(100)),
            ..Default::default()
        };
        let created = self.ledger.create_account(request).await.unwrap();
        let account = created.into_inner().account.unwrap();
        self.person.take("account_id", &account.account_id);
        self.person.etags.entry("account").or_insert(account.etag);
        account.account_id
    }

    /// An import that has come to this state.
    async fn import(&mut self, account_id: &str, file: &str, wanted: ImportState) -> Import {
        let header = imports::UploadHeader {
            request_id: self.person.request_id("UploadStatement"),
            file_name: "statement.csv".to_owned(),
            size_bytes: i64::try_from(file.len()).unwrap(),
        };
        let parts = [Part::Header(header), Part::Chunk(file.to_owned().into())];
        let parts = parts.map(|part| imports::UploadStatementRequest { part: Some(part) });
        let stored = self.imports.upload_statement(futures::stream::iter(parts));
        let upload = stored.await.unwrap().into_inner().upload.unwrap();
        self.person.take("upload_id", &upload.upload_id);
        let request = imports::CreateImportRequest {
            request_id: self.person.request_id("CreateImport"),
            upload_id: upload.upload_id,
            account_id: account_id.to_owned(),
            auto_confirm: false,
            mapping: None,
        };
        let created = self.imports.create_import(request).await.unwrap();
        let import_id = created.into_inner().import.unwrap().import_id;
        self.person.take("import_id", &import_id);
        self.follow(&import_id, wanted).await
    }

    async fn confirm(&mut self, import: &Import) {
        let request = imports::ConfirmImportRequest {
            import_id: import.import_id.clone(),
            etag: import.etag.clone(),
            request_id: self.person.request_id("ConfirmImport"),
        };
        self.imports.confirm_import(request).await.unwrap();
        self.follow(&import.import_id, ImportState::Committed).await;
    }

    async fn cancel(&mut self, import: &Import) {
        let request = imports::CancelImportRequest {
            import_id: import.import_id.clone(),
            request_id: self.person.request_id("CancelImport"),
        };
        self.imports.cancel_import(request).await.unwrap();
        self.follow(&import.import_id, ImportState::Cancelled).await;
    }

    /// Has the file read once more, as it was.
    async fn reread(&mut self, import: &Import) {
        let request = imports::RereadImportRequest {
            import_id: import.import_id.clone(),
            etag: import.etag.clone(),
            request_id: self.person.request_id("RereadImport"),
            ..Default::default()
        };
        self.imports.reread_import(request).await.unwrap();
        let again = |found: &Import| {
            found.state() == ImportState::Review && found.generation > import.generation
        };
        self.follow_until(&import.import_id, again).await;
    }

    async fn follow(&mut self, import_id: &str, wanted: ImportState) -> Import {
        self.follow_until(import_id, |import| import.state() == wanted)
            .await
    }

    async fn follow_until(&mut self, import_id: &str, wanted: impl Fn(&Import) -> bool) -> Import {
        let request = imports::WatchImportRequest {
            import_id: import_id.to_owned(),
        };
        let mut states = self
            .imports
            .watch_import(request)
            .await
            .unwrap()
            .into_inner();
        while let Some(message) = states.message().await.unwrap() {
            let import = message.import.unwrap();
            if wanted(&import) {
                return import;
            }
        }
        panic!("{import_id} ended before it was as wanted");
    }

    async fn transactions(&mut self, account_id: &str) {
        let request = ledger::ListTransactionsRequest {
            account_id: account_id.to_owned(),
            ..Default::default()
        };
        let listed = self.ledger.list_transactions(request).await.unwrap();
        for transaction in listed.into_inner().transactions {
            self.person
                .take("transaction_id", &transaction.transaction_id);
            self.person
                .etags
                .entry("transaction")
                .or_insert(transaction.etag);
        }
    }

    async fn etag(&mut self, import_id: &str) -> String {
        let request = imports::GetImportRequest {
            import_id: import_id.to_owned(),
        };
        let import = self.imports.get_import(request).await.unwrap();
        import.into_inner().import.unwrap().etag
    }

    /// A transaction by hand.
    async fn enter(&mut self, account_id: &str) {
        let request = ledger::CreateTransactionRequest {
            request_id: self.person.request_id("CreateTransaction"),
            account_id: account_id.to_owned(),
            booked_on: "2024-01-31".to_owned(),
            amount: Some(euros(-500)),
            description: "By hand".to_owned(),
            ..Default::default()
        };
        let created = self.ledger.create_transaction(request).await.unwrap();
        let id = created.into_inner().transaction.unwrap().transaction_id;
        self.person.take("transaction_id", &id);
    }

    /// A note, so that the first transaction has a history of two entries.
    async fn edit(&mut self) {
        let mut transaction = ledger::Transaction {
            transaction_id: self.person.ids("transaction_id")[0].clone(),
            etag: self.person.etags["transaction"].clone(),
            ..Default::default()
        };
        "Checked".clone_into(&mut transaction.note);
        let request = ledger::UpdateTransactionRequest {
            transaction: Some(transaction),
            update_mask: Some(pbjson_types::FieldMask {
                paths: vec!["note".to_owned()],
            }),
        };
        let updated = self.ledger.update_transaction(request).await.unwrap();
        let etag = updated.into_inner().transaction.unwrap().etag;
        self.person.etags.insert("transaction", etag);
    }

    /// A statement that asks, its answers, and the template that is kept of them.
    async fn answer(&mut self, account_id: &str) {
        let asking = self
            .import(account_id, AMBIGUOUS, ImportState::Asking)
            .await;
        let first = |question: &imports::Question| {
            (question.key.clone(), question.choices[0].value.clone())
        };
        let request = imports::AnswerImportRequest {
            import_id: asking.import_id.clone(),
            etag: asking.etag,
            answers: asking.questions.iter().map(first).collect(),
            request_id: self.person.request_id("AnswerImport"),
        };
        self.imports.answer_import(request).await.unwrap();
        let review = self.follow(&asking.import_id, ImportState::Review).await;
        self.confirm(&review).await;
        let listed = self
            .templates
            .list_templates(imports::ListTemplatesRequest::default());
        let listed = listed.await.unwrap().into_inner().templates;
        self.person.take("template_id", &listed[0].template_id);
    }

    /// The template once more, in another account.
    async fn copy_template(&mut self, account_id: &str) {
        let request = imports::ExportTemplateRequest {
            template_id: self.person.ids("template_id")[0].clone(),
        };
        let exported = self.templates.export_template(request).await.unwrap();
        self.person.template_file = exported.into_inner().content.into();
        let request = imports::ImportTemplateRequest {
            request_id: self.person.request_id("ImportTemplate"),
            account_id: account_id.to_owned(),
            content: self.person.template_file.to_vec(),
        };
        let taken = self.templates.import_template(request).await.unwrap();
        let id = taken.into_inner().template.unwrap().template_id;
        self.person.take("template_id", &id);
    }

    async fn revert(&mut self, import: &Import) {
        let request = imports::RevertImportRequest {
            import_id: import.import_id.clone(),
            request_id: self.person.request_id("RevertImport"),
        };
        self.imports.revert_import(request).await.unwrap();
        self.follow(&import.import_id, ImportState::Reverted).await;
    }
}

fn euros(cents: i64) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        minor_units: cents,
    }
}
