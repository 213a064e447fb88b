//! Which methods users may call, and which service answers them.

use std::collections::BTreeMap;

use djinn_chassis::contract::{self, Edge};

use super::Class;

/// A service of the mesh that answers users' calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// Statements and imports.
    Imports,
    /// The ledger.
    Sync,
}

impl Owner {
    /// Every owner, in the order in which /health names them.
    pub const ALL: [Self; 2] = [Self::Imports, Self::Sync];

    /// The name of the service, as in packages and in /health.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Imports => "imports",
            Self::Sync => "sync",
        }
    }

    /// The owner of a proto package such as `djinn.imports.v1`.
    fn of_package(package: &str) -> Option<Self> {
        let service = package.strip_prefix("djinn.")?.split('.').next()?;
        Self::ALL.into_iter().find(|owner| owner.name() == service)
    }
}

/// A public method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// Who answers it.
    pub owner: Owner,
    /// Which limit it counts against.
    pub class: Class,
    /// Whether the client sends a stream of messages.
    pub client_streams: bool,
    /// Whether the service sends a stream of messages.
    pub server_streams: bool,
    /// Whether the answer has no end of its own: `Watch*`, by the contract.
    pub endless: bool,
}

impl Route {
    /// Whether one message answers one message, and so a deadline applies.
    #[must_use]
    pub fn unary(self) -> bool {
        !self.client_streams && !self.server_streams
    }
}

/// The public methods by path. What is not in here does not exist for users.
#[derive(Clone, Debug)]
pub struct Routes(BTreeMap<String, Route>);

/// The contract does not fit this gateway; it must not start.
#[derive(thiserror::Error, Debug)]
pub enum RoutesError {
    /// The descriptors are not those of the contract.
    #[error(transparent)]
    Contract(#[from] contract::Error),
    /// A method is public, but no service this gateway knows owns its package.
    #[error("the method {path} is public, but the gateway knows no service for its package")]
    NoOwner {
        /// Path of the method.
        path: String,
    },
    /// A method is public, and its name does not tell what it does.
    #[error("the method {path} is public, but its name does not say which limit it counts against")]
    NoClass {
        /// Path of the method.
        path: String,
    },
}

impl Routes {
    /// Builds the table from the descriptors: a method is in it only if its proto says PUBLIC.
    ///
    /// # Errors
    /// `NoOwner` for a public method of an unknown package: it would otherwise be refused at run
    /// time, and nobody would know why. `NoClass` for one that would pass without a limit.
    pub fn of(descriptors: &[u8]) -> Result<Self, RoutesError> {
        let mut routes = BTreeMap::new();
        for method in contract::methods(descriptors)? {
            let path = method.path();
            if method.edge != Edge::Public {
                continue;
            }
            let Some(owner) = Owner::of_package(&method.package) else {
                return Err(RoutesError::NoOwner { path });
            };
            let Some(class) = Class::of_method(&method.name) else {
                return Err(RoutesError::NoClass { path });
            };
            let route = Route {
                owner,
                class,
                client_streams: method.client_streams,
                server_streams: method.server_streams,
                endless: method.server_streams && method.name.starts_with("Watch"),
            };
            routes.insert(path, route);
        }
        Ok(Self(routes))
    }

    /// The method at a path such as `/djinn.imports.v1.ImportService/GetImport`, if it is public.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Route> {
        self.0.get(path).copied()
    }

    /// Every public method in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Route)> {
        self.0.iter().map(|(path, route)| (path.as_str(), *route))
    }
}
