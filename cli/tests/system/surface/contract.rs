//! The methods of the contract and the places in their requests, read from the descriptors: what is
//! added to a proto tomorrow is in here without a line.

use std::collections::BTreeSet;

use djinn_chassis::{auth::Edges, contract::Edge};
use djinn_proto::DESCRIPTORS;
use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};

/// A method of the contract.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) descriptor: MethodDescriptor,
    pub(crate) path: PathAndQuery,
    /// The service of the mesh that answers it, as its package says.
    pub(crate) owner: String,
    /// Whether users may call it.
    pub(crate) public: bool,
}

/// Every method of every service.
pub(crate) fn methods() -> Vec<Method> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let edges = Edges::of(DESCRIPTORS, None).unwrap();
    let mut methods = Vec::new();
    for service in pool.services() {
        let package = service.package_name().to_owned();
        let owner = package.split('.').nth(1).unwrap().to_owned();
        for descriptor in service.methods() {
            let path = format!("/{}/{}", service.full_name(), descriptor.name());
            methods.push(Method {
                public: edges.get(&path) == Some(Edge::Public),
                path: path.parse().unwrap(),
                owner: owner.clone(),
                descriptor,
            });
        }
    }
    methods
}

impl Method {
    pub(crate) fn name(&self) -> &str {
        self.descriptor.name()
    }

    pub(crate) fn input(&self) -> MessageDescriptor {
        self.descriptor.input()
    }

    /// Whether one message answers one message.
    pub(crate) fn unary(&self) -> bool {
        !self.descriptor.is_client_streaming() && !self.descriptor.is_server_streaming()
    }

    /// Every place in its request that can hold something.
    pub(crate) fn spots(&self) -> Vec<Spot> {
        let mut found = Vec::new();
        walk(
            &self.input(),
            &mut Vec::new(),
            &mut BTreeSet::new(),
            &mut found,
        );
        found
    }

    /// Whether a path such as `account.account_id` leads to a field of its request.
    pub(crate) fn has_field(&self, path: &str) -> bool {
        let mut message = Some(self.input());
        !path.is_empty()
            && path.split('.').all(|name| {
                let field = message.take().and_then(|it| it.get_field_by_name(name));
                let known = field.is_some();
                message = field.and_then(|field| match field.kind() {
                    Kind::Message(inner) => Some(inner),
                    _ => None,
                });
                known
            })
    }
}

/// A place in a request: the fields that lead to it.
#[derive(Clone, Debug)]
pub(crate) struct Spot(Vec<FieldDescriptor>);

fn walk(
    message: &MessageDescriptor,
    way: &mut Vec<FieldDescriptor>,
    above: &mut BTreeSet<String>,
    found: &mut Vec<Spot>,
) {
    if !above.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        way.push(field.clone());
        let inner = match field.kind() {
            Kind::Message(inner) if !field.is_map() => Some(inner),
            _ => None,
        };
        if inner.is_none() || field.is_list() {
            found.push(Spot(way.clone()));
        }
        if let Some(inner) = inner {
            walk(&inner, way, above, found);
        }
        way.pop();
    }
    above.remove(message.full_name());
}

impl Spot {
    /// The field itself.
    pub(crate) fn field(&self) -> &FieldDescriptor {
        self.0.last().unwrap()
    }

    /// As a refusal names it.
    pub(crate) fn path(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(FieldDescriptor::name).collect();
        names.join(".")
    }

    /// Whether it is one text, be it in a list.
    pub(crate) fn text(&self) -> bool {
        matches!(self.field().kind(), Kind::String) && !self.field().is_map()
    }

    /// Whether it holds an id or a token that stands for something.
    pub(crate) fn stands_for_something(&self) -> bool {
        let name = self.field().name();
        self.text() && (name.ends_with("_id") || name.ends_with("_token") || name == "ids")
    }

    /// Puts a value there; one text into a list makes it a list of that text.
    pub(crate) fn set(&self, message: &mut DynamicMessage, value: Value) {
        put(&self.0, message, value);
    }
}

fn put(way: &[FieldDescriptor], message: &mut DynamicMessage, value: Value) {
    let (field, rest) = way.split_first().unwrap();
    if rest.is_empty() {
        let listed = field.is_list() && !matches!(value, Value::List(_));
        let value = if listed {
            Value::List(vec![value])
        } else {
            value
        };
        message.set_field(field, value);
        return;
    }
    let Kind::Message(inner) = field.kind() else {
        panic!("{} leads nowhere", field.full_name());
    };
    match message.get_field_mut(field) {
        Value::Message(inner) => put(rest, inner, value),
        Value::List(list) => {
            if list.is_empty() {
                list.push(Value::Message(DynamicMessage::new(inner)));
            }
            match list.first_mut() {
                Some(Value::Message(first)) => put(rest, first, value),
                _ => panic!("{} is no list of messages", field.full_name()),
            }
        }
        _ => panic!("{} is no message", field.full_name()),
    }
}
