//! Which callers a method is open to, as the option `(djinn.edge)` in its proto says.

use std::{collections::BTreeMap, sync::Arc};

use crate::contract::{self, Edge};

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
    /// As [`contract::methods`].
    pub fn of(descriptors: &[u8], service_prefix: Option<&str>) -> Result<Self, contract::Error> {
        let methods = contract::methods(descriptors)?.into_iter();
        let methods = methods.map(|method| (method.path(), method.edge));
        let within = |path: &str| {
            let service = path.strip_prefix('/').unwrap_or(path);
            service_prefix.is_none_or(|prefix| service.starts_with(prefix))
        };
        let methods = methods.filter(|(path, _)| within(path)).collect();
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
