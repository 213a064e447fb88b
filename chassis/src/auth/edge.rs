//! Which callers a method is open to, as the option `(djinn.edge)` in its proto says.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, bail};
use prost_reflect::{DescriptorPool, MethodDescriptor, Value};

/// The option on methods that names the callers.
const OPTION: &str = "djinn.edge";

/// The callers a method is open to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// Nobody from outside the process; also what a method without the option is.
    Internal,
    /// People, with a token of their own.
    Public,
    /// Other services, with a service token that names the user they act for.
    Service,
}

/// The methods of a server by path, with the callers each is open to; cheap to clone.
#[derive(Clone, Debug)]
pub struct Edges {
    methods: Arc<BTreeMap<String, Edge>>,
}

impl Edges {
    /// Reads the table from a serialised `FileDescriptorSet` that still carries its extensions.
    ///
    /// With a prefix, as `djinn.imports.`, only services whose full name begins with it are in.
    ///
    /// # Errors
    /// When the descriptors do not decode, do not declare the option, or a method has a value of it
    /// that this code does not know: guessing who may call is no way to start.
    pub fn of(descriptors: &[u8], service_prefix: Option<&str>) -> anyhow::Result<Self> {
        let pool = DescriptorPool::decode(descriptors).context("the descriptors do not decode")?;
        let mut methods = BTreeMap::new();
        for method in pool.services().flat_map(|service| {
            let methods: Vec<_> = service.methods().collect();
            methods
        }) {
            let service = method.parent_service().full_name().to_owned();
            if service_prefix.is_some_and(|prefix| !service.starts_with(prefix)) {
                continue;
            }
            methods.insert(path(&method), edge(&pool, &method)?);
        }
        Ok(Self {
            methods: Arc::new(methods),
        })
    }

    /// Who may call the method with this path, as `/djinn.imports.v1.ImportService/GetImport`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Edge> {
        self.methods.get(path).copied()
    }

    /// Every method with its callers, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Edge)> {
        self.methods
            .iter()
            .map(|(path, edge)| (path.as_str(), *edge))
    }
}

/// The path by which a method is called.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn edge(pool: &DescriptorPool, method: &MethodDescriptor) -> anyhow::Result<Edge> {
    let option = pool
        .get_extension_by_name(OPTION)
        .with_context(|| format!("the descriptors do not declare the option {OPTION}"))?;
    let options = method.options();
    match options.get_extension(&option).as_ref() {
        Value::EnumNumber(0) => Ok(Edge::Internal),
        Value::EnumNumber(1) => Ok(Edge::Public),
        Value::EnumNumber(2) => Ok(Edge::Service),
        other => bail!("{} has an unknown {OPTION}: {other:?}", method.full_name()),
    }
}
