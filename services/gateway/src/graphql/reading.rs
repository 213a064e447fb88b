//! How a statement was understood, and what it leaves open.

use async_graphql::SimpleObject;

use djinn_proto::imports::v1 as pb;

use super::{
    error::{Refused, Result},
    scalar::{count, some},
};
use crate::domain::Owner;

/// How a file was understood. What is shown is what is committed.
#[derive(SimpleObject)]
pub(super) struct Reading {
    /// Encoding of the text by its WHATWG name, as in "windows-1252".
    encoding: String,
    /// The delimiter between columns.
    delimiter: String,
    /// Line of the header, counted from 1; null without one.
    header_line: Option<i32>,
    /// What each used column was taken for, in the order of the file.
    columns: Vec<ReadingColumn>,
    /// The currency of the amounts; null when the file does not tell.
    currency_code: Option<String>,
    /// Why it reads this way, one sentence each, for people.
    evidence: Vec<String>,
}

/// One column of a file and its meaning.
#[derive(SimpleObject)]
pub(super) struct ReadingColumn {
    /// Position, counted from 1.
    position: i32,
    /// The header's name.
    name: Option<String>,
    /// The meaning, as in "booked_on" or "amount".
    role: String,
    /// The format, as in "%d.%m.%Y" or "1.234,56"; null for text.
    format: Option<String>,
}

impl TryFrom<pb::Reading> for Reading {
    type Error = Refused;

    fn try_from(reading: pb::Reading) -> Result<Self> {
        let header_line = count(reading.header_line, Owner::Imports)?;
        let columns = reading.columns.into_iter().map(|column| ReadingColumn {
            position: column.position,
            name: some(column.name),
            role: column.role,
            format: some(column.format),
        });
        Ok(Self {
            encoding: reading.encoding,
            delimiter: reading.delimiter,
            header_line: (header_line != 0).then_some(header_line),
            columns: columns.collect(),
            currency_code: some(reading.currency_code),
            evidence: reading.evidence,
        })
    }
}

/// A question the file leaves open.
#[derive(SimpleObject)]
pub(super) struct Question {
    /// Stable key of the question.
    key: String,
    /// The question, for people.
    prompt: String,
    /// The choices, the likeliest first.
    choices: Vec<QuestionChoice>,
}

/// One possible answer.
#[derive(SimpleObject)]
pub(super) struct QuestionChoice {
    /// Stable value of the choice.
    value: String,
    /// The choice, for people.
    label: String,
    /// Up to three rows as they would read under this choice.
    samples: Vec<String>,
}

impl From<pb::Question> for Question {
    fn from(question: pb::Question) -> Self {
        let choices = question.choices.into_iter().map(|choice| QuestionChoice {
            value: choice.value,
            label: choice.label,
            samples: choice.samples,
        });
        Self {
            key: question.key,
            prompt: question.prompt,
            choices: choices.collect(),
        }
    }
}
