//! What the reader cannot know from the file alone, put so that a person can answer it.

use serde::{Deserialize, Serialize};

use super::wording;

/// More than this is an interrogation: what is left over is decided with the first answer or the
/// file is refused.
pub const QUESTIONS_MAX: usize = 2;

/// Sample rows per choice.
pub const SAMPLES_MAX: usize = 3;

/// Every key that a question about how a file reads can have. Those about whose rows it holds begin
/// with [`super::routing::PREFIX`].
pub const KEYS: [&str; 3] = [wording::DATE, wording::AMOUNT, wording::ROWS];

/// One question about a statement.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What the answer is filed under, one of [`KEYS`].
    pub key: String,
    /// The question in words.
    pub prompt: String,
    /// The possible answers, likeliest first; never fewer than two.
    pub choices: Vec<Choice>,
}

/// One possible answer.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent back as the answer; stable for one file.
    pub value: String,
    /// The answer in words.
    pub label: String,
    /// Up to [`SAMPLES_MAX`] rows as they would read under this answer, the same ones as under the
    /// other answers and such as differ there.
    pub samples: Vec<String>,
}
