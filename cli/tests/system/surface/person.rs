//! Two people, each with one of everything: what one has, the other must not see.

use std::collections::BTreeMap;

use bytes::Bytes;
use djinn_chassis::testing;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use uuid::Uuid;

use super::{
    call,
    contract::{Method, methods},
    house::House,
    message::{self, Import, encoded},
};
use crate::mesh::Mesh;

/// A person and what they have.
pub(crate) struct Person {
    pub(crate) token: String,
    ids: BTreeMap<String, Vec<String>>,
    pub(super) etags: BTreeMap<&'static str, String>,
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
        House::of(mesh, user, &mut person).furnish().await;
        for method in methods() {
            person.take_page_token(mesh, &method).await;
        }
        person
    }

    /// The ids of this name that stand for something of theirs.
    pub(crate) fn ids(&self, name: &str) -> &[String] {
        let ids = self.ids.get(name);
        ids.unwrap_or_else(|| panic!("nobody has a {name}: let them have one in house.rs"))
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
                panic!("nobody has a {field} of {}: see house.rs", method.name())
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

    pub(super) fn take(&mut self, name: &str, id: &str) {
        self.ids
            .entry(name.to_owned())
            .or_default()
            .push(id.to_owned());
    }

    /// A new request id, kept as that of a method.
    pub(super) fn request_id(&mut self, method: &str) -> String {
        let id = Uuid::new_v4().to_string();
        self.request_ids.insert(method.to_owned(), id.clone());
        id
    }

    /// Asks for a page of one, so that there is a token of the next.
    async fn take_page_token(&mut self, mesh: &Mesh, method: &Method) {
        let size = method.input().get_field_by_name("page_size");
        let Some(size) = size else {
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
            "{} has one page: give people two in house.rs",
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
