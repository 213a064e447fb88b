//! What a person says of a statement's columns.

use async_graphql::{InputObject, SimpleObject};

use djinn_proto::imports::v1 as pb;

use super::{
    error::{Refused, Result},
    scalar::{count, some},
};
use crate::domain::Owner;

/// What a person says of a file. Each part that is set counts more than what the file says.
#[derive(SimpleObject)]
pub(super) struct Mapping {
    /// Encoding of the text by its WHATWG name.
    encoding: Option<String>,
    /// The delimiter between columns; "\t" is a tab.
    delimiter: Option<String>,
    /// Line of the header, counted from 1.
    header_line: Option<i32>,
    /// Columns and what they mean.
    columns: Vec<MappedColumn>,
}

/// One column of a file and what a person says it means.
#[derive(SimpleObject)]
pub(super) struct MappedColumn {
    /// Position, counted from 1.
    position: i32,
    /// The meaning, as ReadingColumn has it, or "ignored".
    role: String,
    /// The format of dates or amounts, as ReadingColumn has it.
    format: Option<String>,
}

impl TryFrom<pb::Mapping> for Mapping {
    type Error = Refused;

    fn try_from(mapping: pb::Mapping) -> Result<Self> {
        let header_line = count(mapping.header_line, Owner::Imports)?;
        let columns = mapping.columns.into_iter().map(|column| MappedColumn {
            position: column.position,
            role: column.role,
            format: some(column.format),
        });
        Ok(Self {
            encoding: some(mapping.encoding),
            delimiter: some(mapping.delimiter),
            header_line: (header_line != 0).then_some(header_line),
            columns: columns.collect(),
        })
    }
}

/// What a person says of a file. What is left out is worked out as ever.
#[derive(InputObject)]
pub(super) struct MappingInput {
    /// Encoding of the text by its WHATWG name, as in "windows-1252".
    encoding: Option<String>,
    /// The delimiter between columns, one character; "\t" is a tab.
    delimiter: Option<String>,
    /// Line of the header, counted from 1.
    header_line: Option<i32>,
    /// Columns and what they mean, each once.
    #[graphql(default)]
    columns: Vec<MappedColumnInput>,
}

/// One column of a file and what it means.
#[derive(InputObject)]
pub(super) struct MappedColumnInput {
    /// Position, counted from 1.
    position: i32,
    /// The meaning: "booked_on", "value_on", "amount", "amount_inverted", "amount_out",
    /// "amount_in", "direction", "fee", "balance", "currency", "description", "counterparty",
    /// "external_id", "status", or "ignored".
    role: String,
    /// The format of dates or amounts, as ReadingColumn has it.
    format: Option<String>,
}

impl From<MappingInput> for pb::Mapping {
    fn from(input: MappingInput) -> Self {
        let columns = input.columns.into_iter().map(|column| pb::MappedColumn {
            position: column.position,
            role: column.role,
            format: column.format.unwrap_or_default(),
        });
        Self {
            encoding: input.encoding.unwrap_or_default(),
            delimiter: input.delimiter.unwrap_or_default(),
            header_line: input.header_line.map_or(0, i64::from),
            columns: columns.collect(),
        }
    }
}
