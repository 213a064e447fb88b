//! The methods of a server, as its descriptors declare them.

use std::{collections::BTreeMap, sync::Arc};

use crate::contract;

/// How the messages of a method travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One message each way.
    Unary,
    /// A stream in at least one direction.
    Streaming,
}

/// The shapes of all methods by path; cheap to clone.
#[derive(Clone)]
pub(super) struct Methods {
    shapes: Arc<BTreeMap<String, Shape>>,
}

impl Methods {
    /// Reads a serialised `FileDescriptorSet`.
    pub(super) fn of(descriptors: &[u8]) -> Result<Self, contract::Error> {
        let methods = contract::methods(descriptors)?.into_iter();
        let shapes = methods.map(|method| {
            let shape = match method.client_streams || method.server_streams {
                true => Shape::Streaming,
                false => Shape::Unary,
            };
            (method.path(), shape)
        });
        Ok(Self {
            shapes: Arc::new(shapes.collect()),
        })
    }

    /// The shape of the method with this path; `None` for methods of health and reflection, and for
    /// those that do not exist.
    pub(super) fn shape(&self, path: &str) -> Option<Shape> {
        self.shapes.get(path).copied()
    }

    /// The name to count a call under. Paths are the caller's to invent, so unknown ones share one.
    pub(super) fn label(&self, path: &str) -> String {
        match self.shapes.get_key_value(path) {
            Some((known, _)) => known.trim_start_matches('/').to_owned(),
            None if path.starts_with("/grpc.health.") => "grpc.health".to_owned(),
            None if path.starts_with("/grpc.reflection.") => "grpc.reflection".to_owned(),
            None => "unknown".to_owned(),
        }
    }
}
