//! What people and programs see: tables or one JSON document on stdout, all else on stderr.

pub(crate) mod document;
mod gap;
pub(crate) mod import;
pub(crate) mod ledger;
pub(crate) mod progress;
pub(crate) mod statement;
mod table;
pub(crate) mod template;
pub(crate) mod text;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::error::Error;

/// Where the results of a command go.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// Stdout holds one JSON document and nothing else.
    json: bool,
}

impl Output {
    /// For people, or for programs with `--json`.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// The result of a command: its document for programs, its table for people.
    pub(crate) fn result(
        self,
        document: &impl Serialize,
        table: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if self.json {
            write(&serde_json::to_string(document).map_err(Error::Json)?)
        } else {
            write(&table())
        }
    }

    /// Whether stdout holds one JSON document and nothing else.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Something to read on the way to the result.
    pub(crate) fn show(self, text: &str) -> Result<(), Error> {
        if self.json {
            note(text);
            Ok(())
        } else {
            write(text)
        }
    }
}

/// A remark that is not part of the result.
pub(crate) fn note(text: impl Display) {
    eprintln!("{text}");
}

/// Reports how the command failed, and gives the exit code for it.
pub(crate) fn failure(error: &Error, json: bool) -> ExitCode {
    if json {
        // An import that did not get through is still the answer to the question how it stands.
        let document = error.import().map(document::import);
        if let Some(Err(error)) =
            document.map(|import| Output::new(true).result(&import, String::new))
        {
            note(format_args!("djinn: {}", error.sentence()));
        }
    }
    note(format_args!("djinn: {}", error.sentence()));
    if json && let Ok(document) = serde_json::to_string(&document::failure(error)) {
        note(document);
    }
    ExitCode::from(error.exit() as u8)
}

/// Writes to stdout; unlike `println!` it does not panic when nobody reads any more.
fn write(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", text.trim_end_matches('\n'))
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}
