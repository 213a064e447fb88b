//! The questions of a file: answered as the command says, else at the terminal, else not at all.

use std::collections::BTreeMap;

use djinn_proto::imports::v1::{AnswerImportRequest, Import, Question};

use super::{
    Session,
    review::{at_terminal, has_terminal},
};
use crate::{clock, error::Error, output::statement};

/// The answers that came with the command.
pub(super) struct Answers {
    given: BTreeMap<String, String>,
}

impl Answers {
    /// Those of the flags.
    pub(super) fn given(flags: Vec<(String, String)>) -> Result<Self, Error> {
        let mut given = BTreeMap::new();
        for (key, choice) in flags {
            if given.get(&key).is_some_and(|other| *other != choice) {
                return Err(Error::AnsweredTwice(key));
            }
            given.insert(key, choice);
        }
        Ok(Self { given })
    }

    /// None: whatever is asked is asked at the terminal.
    pub(super) fn none() -> Self {
        Self {
            given: BTreeMap::new(),
        }
    }

    /// Answers the questions of an import, and gives the etag that was answered.
    pub(super) async fn give(
        &mut self,
        session: &Session,
        import: Import,
    ) -> Result<String, Error> {
        let open = match self.unanswered(&import) {
            Ok(open) => open,
            Err(problem) => {
                session
                    .output
                    .show(&statement::questions(&import.questions))?;
                return Err(Error::Answer {
                    problem,
                    import: Box::new(import),
                });
            }
        };
        let mut answers: BTreeMap<String, String> = self.given.clone();
        answers.retain(|key, _| import.questions.iter().any(|q| q.key == *key));
        if !open.is_empty() && !has_terminal() {
            session
                .output
                .show(&statement::questions(&import.questions))?;
            return Err(Error::Asking(Box::new(import)));
        }
        for question in open {
            let choice = pick(&question).await?;
            answers.insert(question.key, choice);
        }
        let request = AnswerImportRequest {
            import_id: import.import_id,
            etag: import.etag.clone(),
            answers: answers.into_iter().collect(),
            request_id: clock::id().to_string(),
        };
        session.client.answer(request).await?;
        Ok(import.etag)
    }

    /// The questions that the command does not answer, or what is wrong with its answers.
    fn unanswered(&self, import: &Import) -> Result<Vec<Question>, String> {
        let questions = &import.questions;
        let mut open = Vec::new();
        for question in questions {
            match self.given.get(&question.key) {
                None => open.push(question.clone()),
                Some(choice) if question.choices.iter().any(|c| c.value == *choice) => {}
                Some(choice) => {
                    return Err(format!(
                        "{choice} is no answer to {}; its choices are {}",
                        question.key,
                        choices(question)
                    ));
                }
            }
        }
        // What counted already is no question any more. Once all is answered, what is left over may
        // be for a question that follows from this.
        let counted =
            |key: &str, choice: &str| import.answers.get(key).is_some_and(|c| c == choice);
        let mut stray = self.given.iter().filter(|(key, choice)| {
            questions.iter().all(|question| question.key != **key) && !counted(key, choice)
        });
        match (open.first(), stray.next()) {
            (Some(_), Some((key, _))) => Err(format!(
                "no question is called {key}; the file asks for {}",
                questions
                    .iter()
                    .map(|question| format!("{} ({})", question.key, choices(question)))
                    .collect::<Vec<_>>()
                    .join(" and ")
            )),
            _ => Ok(open),
        }
    }

    /// Sees to it that a review rests on every answer of the command: one that nothing asked for,
    /// or that a template answered otherwise, must not be confirmed as if it had counted.
    pub(super) fn were_used(&self, import: &Import) -> Result<(), Error> {
        for (key, choice) in &self.given {
            let problem = match import.answers.get(key) {
                Some(used) if used == choice => continue,
                Some(used) => format!("{key} was answered with {used} and not with {choice}"),
                None => format!("the file does not ask for {key}"),
            };
            return Err(Error::Answer {
                problem,
                import: Box::new(import.clone()),
            });
        }
        Ok(())
    }
}

fn choices(question: &Question) -> String {
    let values: Vec<&str> = question.choices.iter().map(|c| c.value.as_str()).collect();
    values.join(", ")
}

/// Lets a person choose with the arrow keys, with the rows under each choice.
async fn pick(question: &Question) -> Result<String, Error> {
    let values: Vec<String> = question.choices.iter().map(|c| c.value.clone()).collect();
    let (rows, columns) = dialoguer::console::Term::stderr().size();
    let items = statement::items(question, usize::from(rows), usize::from(columns));
    let prompt = crate::output::text::clean(&question.prompt);
    let chosen = at_terminal(move || {
        dialoguer::Select::new()
            .with_prompt(prompt)
            .items(&items)
            .default(0)
            .report(false)
            .interact()
    })
    .await?;
    // The menu has one item for each choice.
    values
        .into_iter()
        .nth(chosen)
        .ok_or(Error::Incomplete("a menu"))
}

#[cfg(test)]
mod tests {
    use djinn_proto::imports::v1::{ImportState, QuestionChoice};

    use super::*;

    fn question(key: &str, values: &[&str]) -> Question {
        let choice = |value: &&str| QuestionChoice {
            value: (*value).to_owned(),
            ..QuestionChoice::default()
        };
        Question {
            key: key.to_owned(),
            choices: values.iter().map(choice).collect(),
            ..Question::default()
        }
    }

    fn answers(pairs: &[(&str, &str)]) -> Result<Answers, Error> {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Answers::given(owned.collect())
    }

    #[test]
    fn flags_answer_what_is_asked_and_nothing_else() {
        let questions = vec![
            question("date", &["dmy", "mdy"]),
            question("rows", &["keep", "drop"]),
        ];
        let asked = Import {
            questions,
            answers: [("amount".to_owned(), "signed".to_owned())].into(),
            ..Import::default()
        };
        for (given, expected) in [
            (&[("date", "dmy"), ("rows", "keep")][..], Ok(vec![])),
            (&[("amount", "signed")], Ok(vec!["date", "rows"])),
            (&[("date", "dmy")], Ok(vec!["rows"])),
            (&[], Ok(vec!["date", "rows"])),
            (
                &[("date", "dmy"), ("rows", "keep"), ("amount", "x")],
                Ok(vec![]),
            ),
            (
                &[("date", "ymd")],
                Err("ymd is no answer to date; its choices are dmy, mdy"),
            ),
            (
                &[("day", "dmy")],
                Err(
                    "no question is called day; the file asks for date (dmy, mdy) and rows (keep, \
                     drop)",
                ),
            ),
        ] {
            let found = answers(given).unwrap().unanswered(&asked);
            let keys = found.map(|open| open.into_iter().map(|q| q.key).collect::<Vec<_>>());
            let expected = expected
                .map(|keys: Vec<&str>| keys.into_iter().map(str::to_owned).collect::<Vec<_>>())
                .map_err(str::to_owned);
            assert_eq!(keys, expected, "{given:?}");
        }
    }

    #[test]
    fn one_question_has_one_answer() {
        assert!(answers(&[("date", "dmy"), ("date", "dmy")]).is_ok());
        assert!(answers(&[("date", "dmy"), ("date", "mdy")]).is_err());
    }

    #[test]
    fn an_answer_that_did_not_count_is_not_confirmed() {
        let import = Import {
            state: ImportState::Review.into(),
            answers: [("date".to_owned(), "dmy".to_owned())].into(),
            ..Import::default()
        };
        for (given, good) in [
            (&[][..], true),
            (&[("date", "dmy")], true),
            (&[("date", "mdy")], false),
            (&[("rows", "keep")], false),
        ] {
            let found = answers(given).unwrap().were_used(&import);
            assert_eq!(found.is_ok(), good, "{given:?}");
        }
    }
}
