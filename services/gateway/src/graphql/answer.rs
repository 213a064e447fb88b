//! The answers to questions about a statement, which are maps in the protos.

use std::collections::{HashMap, hash_map::Entry};

use async_graphql::{InputObject, SimpleObject};

use super::error::Result;
use crate::error::Error;

/// The answer to one question.
#[derive(SimpleObject)]
pub(super) struct Answer {
    /// Key of the question.
    key: String,
    /// Value of the choice.
    value: String,
}

impl Answer {
    /// Answers in the order of their keys: those of a map have none.
    pub(super) fn sorted(map: HashMap<String, String>) -> Vec<Self> {
        let mut answers: Vec<_> = map.into_iter().collect();
        answers.sort_unstable();
        let answer = |(key, value)| Self { key, value };
        answers.into_iter().map(answer).collect()
    }
}

/// The answer to one question.
#[derive(InputObject)]
pub(super) struct AnswerInput {
    /// Key of the question.
    key: String,
    /// Value of one of its choices.
    value: String,
}

impl AnswerInput {
    /// Answers as the proto takes them. Two to one question are refused: in a map one of them would
    /// be gone without a word.
    pub(super) fn map(answers: Vec<Self>) -> Result<HashMap<String, String>> {
        let mut map = HashMap::new();
        for Self { key, value } in answers {
            match map.entry(key) {
                Entry::Vacant(entry) => entry.insert(value),
                Entry::Occupied(_) => {
                    let (field, problem) = ("answers", "one question is answered twice");
                    return Err(Error::Argument { field, problem }.into());
                }
            };
        }
        Ok(map)
    }
}
