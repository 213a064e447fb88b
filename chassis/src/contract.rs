//! What the contract says of its methods: who may call them, and how their messages travel.
//!
//! It is read from the descriptors, of which only these fields are decoded. A full reading, with
//! all names resolved, takes 2 MiB for a moment, which a process that lives on never gives back.

use prost::Message;

/// The option on methods that names the callers, declared in `djinn/edge.proto`.
const OPTION: (&str, i32) = ("edge", 50_401);

/// The package that declares it.
const OPTION_PACKAGE: &str = "djinn";

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

/// A method of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Method {
    /// The package of its service, as `djinn.imports.v1`.
    pub package: String,
    /// Its service, as `ImportService`.
    pub service: String,
    /// Its own name, as `GetImport`.
    pub name: String,
    /// Who may call it.
    pub edge: Edge,
    /// Whether the client sends a stream of messages.
    pub client_streams: bool,
    /// Whether the server sends a stream of messages.
    pub server_streams: bool,
}

impl Method {
    /// The path by which it is called, as `/djinn.imports.v1.ImportService/GetImport`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}.{}/{}", self.package, self.service, self.name)
    }
}

/// Descriptors that are not those of a contract.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no serialised `FileDescriptorSet`.
    #[error("the descriptors do not decode")]
    Descriptors(#[from] prost::DecodeError),
    /// They do not declare the option: nobody could call anything.
    #[error("the descriptors do not declare the option {OPTION_PACKAGE}.{}", OPTION.0)]
    NoOption,
    /// A method has a value of the option that this code does not know: guessing who may call is no
    /// way to start.
    #[error("{path} has an unknown {OPTION_PACKAGE}.{}: {value}", OPTION.0)]
    UnknownEdge {
        /// Path of the method.
        path: String,
        /// The value.
        value: i32,
    },
}

/// The methods of a serialised `FileDescriptorSet` that still carries its extensions.
///
/// # Errors
/// [`Error`], for descriptors of something else.
pub fn methods(descriptors: &[u8]) -> Result<Vec<Method>, Error> {
    let files = FileSet::decode(descriptors)?.files;
    let declares = |file: &File| {
        let named = |option: &Extension| (&*option.name, option.number) == OPTION;
        file.package == OPTION_PACKAGE && file.extensions.iter().any(named)
    };
    if !files.iter().any(declares) {
        return Err(Error::NoOption);
    }
    let mut methods = Vec::new();
    for file in files {
        for service in file.services {
            for method in service.methods {
                methods.push(known(&file.package, &service.name, method)?);
            }
        }
    }
    Ok(methods)
}

fn known(package: &str, service: &str, told: MethodDescriptor) -> Result<Method, Error> {
    let mut method = Method {
        package: package.to_owned(),
        service: service.to_owned(),
        name: told.name,
        edge: Edge::Internal,
        client_streams: told.client_streams,
        server_streams: told.server_streams,
    };
    method.edge = match told.options.and_then(|options| options.edge) {
        None | Some(0) => Edge::Internal,
        Some(1) => Edge::Public,
        Some(2) => Edge::Service,
        Some(value) => {
            let path = method.path();
            return Err(Error::UnknownEdge { path, value });
        }
    };
    Ok(method)
}

// The fields of `google/protobuf/descriptor.proto` that matter here; all others are skipped.

#[derive(Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "6")]
    services: Vec<ServiceDescriptor>,
    #[prost(message, repeated, tag = "7")]
    extensions: Vec<Extension>,
}

#[derive(Message)]
struct Extension {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
}

#[derive(Message)]
struct ServiceDescriptor {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<MethodDescriptor>,
}

#[derive(Message)]
struct MethodDescriptor {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "4")]
    options: Option<MethodOptions>,
    #[prost(bool, tag = "5")]
    client_streams: bool,
    #[prost(bool, tag = "6")]
    server_streams: bool,
}

#[derive(Message)]
struct MethodOptions {
    #[prost(int32, optional, tag = "50401")]
    edge: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn methods_come_from_the_descriptors_with_their_callers() {
        let found = methods(fixture::descriptors()).unwrap();
        let told = found.iter().map(|method| {
            let streams = (method.client_streams, method.server_streams);
            (method.path(), method.edge, streams)
        });
        let expected = [
            ("EchoService/Say", Edge::Public, (false, false)),
            ("EchoService/Relay", Edge::Service, (false, false)),
            ("EchoService/Forgotten", Edge::Internal, (false, false)),
            ("EchoService/WatchTicks", Edge::Public, (false, true)),
            ("OtherService/Say", Edge::Public, (false, false)),
        ];
        let expected =
            expected.map(|(path, edge, streams)| (format!("/djinn.test.v1.{path}"), edge, streams));
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn descriptors_of_something_else_are_refused() {
        let health = tonic_health::pb::FILE_DESCRIPTOR_SET;
        assert!(matches!(methods(health), Err(Error::NoOption)));
        assert!(matches!(methods(b"nonsense"), Err(Error::Descriptors(_))));
    }

    #[test]
    fn callers_that_this_code_does_not_know_are_no_guess() {
        let method = |edge| MethodDescriptor {
            name: "Say".to_owned(),
            options: Some(MethodOptions { edge: Some(edge) }),
            client_streams: false,
            server_streams: false,
        };
        let edge = |value| known("djinn.test.v1", "EchoService", method(value));
        assert_eq!(edge(2).unwrap().edge, Edge::Service);
        assert_eq!(
            edge(3).unwrap_err().to_string(),
            "/djinn.test.v1.EchoService/Say has an unknown djinn.edge: 3",
        );
    }
}
