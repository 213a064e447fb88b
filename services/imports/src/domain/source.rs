//! Where a statement's bytes come from, and why they cannot be read.

use std::io::Read;

/// Where a statement's bytes come from. Every call reads from the beginning.
pub trait Source {
    /// Opens the bytes.
    ///
    /// # Errors
    /// When they cannot be reached.
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>>;
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error("the source cannot be read")]
    Io(#[from] std::io::Error),
    /// The file is larger than a limit allows.
    #[error("the {what} is over the limit of {limit}")]
    Limit {
        /// What is too large: file, line, cell, columns, rows.
        what: &'static str,
        /// The limit in words.
        limit: &'static str,
    },
    /// The bytes are not of the frozen encoding: the file is another one.
    #[error("the text is not {encoding}")]
    Undecodable {
        /// The encoding's name.
        encoding: String,
    },
}

impl ReadError {
    pub(super) fn limit(what: &'static str, limit: &'static str) -> Self {
        Self::Limit { what, limit }
    }
}
