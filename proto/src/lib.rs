//! The contract of the mesh: messages, clients and servers of every service, generated from
//! `djinn/<service>/v1/*.proto` at build time.
//!
//! The proto files are the documentation. This crate adds nothing to them but the descriptors, from
//! which reflection is served and the gateway learns which methods are public. It must not hold
//! conversions to domain types: those live at each service's own door.

#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated; what people wrote is in the proto files, held to its rules by buf lint"
)]

/// The descriptors of every file, with comments and options, as a serialised `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/djinn.bin"));

/// Shapes that every service shares.
pub mod common {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/djinn.common.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/djinn.common.v1.serde.rs"));
    }
}

/// Statements on their way into the ledger.
pub mod imports {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/djinn.imports.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/djinn.imports.v1.serde.rs"));
    }
}

/// The ledger and, later, bank connections and the phone's queue.
pub mod sync {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/djinn.sync.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/djinn.sync.v1.serde.rs"));
    }
}
