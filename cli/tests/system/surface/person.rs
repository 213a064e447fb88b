//! Two people, each with one of everything: what one has, the other must not see.

use std::collections::BTreeMap;

use bytes::Bytes;
use djinn_chassis::testing;
use djinn_proto::{
    common::v1::Money,
    imports::v1::{self as imports, ImportState, upload_statement_request::Part},
    sync::v1 as ledger,
};
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use uuid::Uuid;

use super::{
    call,
    contract::{Method, methods},
    message::{self, Import, encoded},
    rules::UNIMPLEMENTED,
};
use crate::mesh::Mesh;

/// A statement of this many bookings, whose sum and texts are its own.
fn statement(cents: u32) -> String {
    let mut file = String::from("Date,Description,Amount\n");
    for day in 1..=3 {
        file.push_str(&format!("2024-01-{day:02},Shop {day},-{day}.{cents:02}\n"));
    }
    file
}

/// A person and what they have.
pub(crate) struct Person {
    pub(crate) token: String,
    ids: BTreeMap<String, Vec<String>>,
    etags: BTreeMap<&'static str, String>,
    request_ids: BTreeMap<String, String>,
    page_tokens: BTreeMap<String, String>,
    /// A template as a file.
    pub(crate) template_file: Bytes,
}

impl Person {
    /// Gives a new person one of everything, through the gateway.
    pub(crate) async fn settle(mesh: &Mesh) -> Self {
        let user = testing::user();
        let mut person = Self {
            token: testing::token(user),
            ids: BTreeMap::new(),
            etags: BTreeMap::new(),
            request_ids: BTreeMap::new(),
            page_tokens: BTreeMap::new(),
            template_file: Bytes::from_static(b"{}"),
        };
        let mut house = House {
            imports: mesh.imports(user),
            ledger: mesh.ledger(user),
            person: &mut person,
        };
        house.furnish().await;
        for method in methods() {
            person.take_page_token(mesh, &method).await;
        }
        person
    }

    /// The ids of this name that stand for something of theirs.
    pub(crate) fn ids(&self, name: &str) -> &[String] {
        let ids = self.ids.get(name);
        ids.unwrap_or_else(|| panic!("nobody has a {name}: let them have one in person.rs"))
    }

    pub(crate) fn import(&self, import: Import) -> &str {
        let ids = self.ids("import_id");
        match import {
            Import::Settled => &ids[0],
            Import::Open => &ids[1],
        }
    }

    /// Everything that stands for something of theirs at this place of this method.
    pub(crate) fn stands_for(&self, method: &Method, field: &str) -> Vec<String> {
        let of_method = |known: &BTreeMap<String, String>| {
            let value = known.get(method.name());
            let value = value.unwrap_or_else(|| {
                panic!("nobody has a {field} of {}: see person.rs", method.name())
            });
            vec![value.clone()]
        };
        match field {
            "request_id" => of_method(&self.request_ids),
            "page_token" => of_method(&self.page_tokens),
            _ => self.ids(field).to_vec(),
        }
    }

    /// Every id of theirs.
    pub(crate) fn all_ids(&self) -> impl Iterator<Item = &String> {
        self.ids.values().flatten()
    }

    /// The etag that goes with the id beside it.
    pub(crate) fn etag(&self, field: &FieldDescriptor, import: Import) -> String {
        let message = field.parent_message();
        let beside = |name: &str| message.get_field_by_name(name).is_some();
        let of = match import {
            _ if beside("transaction_id") => "transaction",
            _ if beside("import_id") && import == Import::Open => "open import",
            _ if beside("import_id") => "settled import",
            _ => "account",
        };
        self.etags.get(of).cloned().unwrap_or_default()
    }

    /// A field that an update of this method may change.
    pub(crate) fn editable(&self, method: &Method) -> &'static str {
        match method.name() {
            "UpdateAccount" => "name",
            "UpdateTransaction" => "note",
            other => panic!("{other} has an update_mask: name a field it may change in person.rs"),
        }
    }

    fn take(&mut self, name: &str, id: &str) {
        self.ids
            .entry(name.to_owned())
            .or_default()
            .push(id.to_owned());
    }

    /// A new request id, kept as that of a method.
    fn request_id(&mut self, method: &str) -> String {
        let id = Uuid::new_v4().to_string();
        self.request_ids.insert(method.to_owned(), id.clone());
        id
    }

    /// Asks for a page of one, so that there is a token of the next.
    async fn take_page_token(&mut self, mesh: &Mesh, method: &Method) {
        let size = method.input().get_field_by_name("page_size");
        let (Some(size), false) = (size, UNIMPLEMENTED.contains(&method.name())) else {
            return;
        };
        let mut asked = message::right(method, self, Import::Settled);
        asked[0] = without_filters(&asked[0]);
        asked[0].set_field(&size, Value::I32(1));
        let gateway = mesh.channel("gateway");
        let answer = call::call(&gateway, method, Some(&self.token), encoded(&asked)).await;
        let page = DynamicMessage::decode(method.descriptor.output(), answer.body).unwrap();
        let token = page.get_field_by_name("next_page_token").unwrap();
        let token = token.as_str().unwrap();
        assert_ne!(
            token,
            "",
            "{} has one page: give people two in person.rs",
            method.name()
        );
        self.page_tokens
            .insert(method.name().to_owned(), token.to_owned());
    }
}

/// The request with nothing but the id it cannot do without.
fn without_filters(asked: &DynamicMessage) -> DynamicMessage {
    use prost_reflect::ReflectMessage;
    let mut plain = DynamicMessage::new(asked.descriptor());
    let resource = asked.descriptor().fields().next().unwrap();
    if resource.name().ends_with("_id") {
        plain.set_field(&resource, asked.get_field(&resource).into_owned());
    }
    plain
}

/// A person who is being given things.
struct House<'a> {
    imports: crate::mesh::Imports,
    ledger: crate::mesh::Ledger,
    person: &'a mut Person,
}

impl House<'_> {
    async fn furnish(&mut self) {
        let (giro, savings) = (self.account().await, self.account().await);
        let committed = self.import(&giro, 10).await;
        self.confirm(&committed).await;
        let open = self.import(&savings, 20).await;
        self.person.etags.insert("open import", open.etag);
        let given_up = self.import(&savings, 30).await;
        self.cancel(&given_up).await;
        self.transactions(&giro).await;
    }

    async fn account(&mut self) -> String {
        let request = ledger::CreateAccountRequest {
            request_id: self.person.request_id("CreateAccount"),
            name: "Giro".to_owned(),
            currency_code: "EUR".to_owned(),
            opening_balance: Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units: 100,
            }),
            ..Default::default()
        };
        let created = self.ledger.create_account(request).await.unwrap();
        let account = created.into_inner().account.unwrap();
        self.person.take("account_id", &account.account_id);
        self.person.etags.entry("account").or_insert(account.etag);
        account.account_id
    }

    /// An import that has come to its review.
    async fn import(&mut self, account_id: &str, cents: u32) -> imports::Import {
        let file = statement(cents);
        let header = imports::UploadHeader {
            request_id: self.person.request_id("UploadStatement"),
            file_name: "statement.csv".to_owned(),
            size_bytes: i64::try_from(file.len()).unwrap(),
        };
        let parts = [Part::Header(header), Part::Chunk(file.into_bytes().into())];
        let parts = parts.map(|part| imports::UploadStatementRequest { part: Some(part) });
        let stored = self.imports.upload_statement(futures::stream::iter(parts));
        let upload = stored.await.unwrap().into_inner().upload.unwrap();
        self.person.take("upload_id", &upload.upload_id);
        let request = imports::CreateImportRequest {
            request_id: self.person.request_id("CreateImport"),
            upload_id: upload.upload_id,
            account_id: account_id.to_owned(),
            auto_confirm: false,
        };
        let created = self.imports.create_import(request).await.unwrap();
        let import_id = created.into_inner().import.unwrap().import_id;
        self.person.take("import_id", &import_id);
        self.follow(&import_id, ImportState::Review).await
    }

    async fn confirm(&mut self, import: &imports::Import) {
        let request = imports::ConfirmImportRequest {
            import_id: import.import_id.clone(),
            etag: import.etag.clone(),
            request_id: self.person.request_id("ConfirmImport"),
        };
        self.imports.confirm_import(request).await.unwrap();
        let committed = self.follow(&import.import_id, ImportState::Committed).await;
        self.person.etags.insert("settled import", committed.etag);
    }

    async fn cancel(&mut self, import: &imports::Import) {
        let request = imports::CancelImportRequest {
            import_id: import.import_id.clone(),
            request_id: self.person.request_id("CancelImport"),
        };
        self.imports.cancel_import(request).await.unwrap();
        self.follow(&import.import_id, ImportState::Cancelled).await;
    }

    async fn follow(&mut self, import_id: &str, wanted: ImportState) -> imports::Import {
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
            if import.state() == wanted {
                return import;
            }
        }
        panic!("{import_id} ended before it was {wanted:?}");
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
}
