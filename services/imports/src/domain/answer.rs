//! Answers to questions: whether they fit what was asked, and what becomes of a question that a
//! person, or a template of theirs, has answered before it was asked. Nothing here looks for a
//! template: whoever has one brings it along in the [`Hints`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::layout::Layout;
use super::question::Question;
use super::reading::Hints;
use super::when::When;
use super::wording;

/// Choices by key of the question.
pub type Answers = BTreeMap<String, String>;

/// No request needs more answers than this; there are [`super::question::KEYS`] alone.
pub const ANSWERS_MAX: usize = 16;
/// The longest key or choice in bytes, well above what [`super::wording`] makes.
pub const TEXT_BYTES_MAX: usize = 256;

/// What was answered for an earlier statement with the same header (C.3, rule 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What people call it.
    pub name: String,
    /// The answers.
    pub answers: Answers,
}

/// Who answered.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Giver {
    /// A person, about this very file.
    Person,
    /// A template, from an earlier file.
    Template,
}

/// An answer that a reading rests on.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The key of the question.
    pub key: String,
    /// The choice.
    pub value: String,
    /// Who made it.
    pub by: Giver,
}

/// An answer that does not fit what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The key of the question, or what was taken for one.
    pub key: String,
    /// What is wrong, and the way out.
    pub problem: String,
}

/// Whether each question has one of its choices as its answer, and nothing else is answered.
///
/// # Errors
/// The first answer that does not fit.
pub fn check(questions: &[Question], answers: &Answers) -> Result<(), Misfit> {
    let misfit = |key: &str, problem| Misfit {
        key: key.to_owned(),
        problem,
    };
    for question in questions {
        let values: Vec<&str> = question.choices.iter().map(|c| c.value.as_str()).collect();
        match answers.get(&question.key) {
            Some(answer) if values.contains(&answer.as_str()) => {}
            Some(answer) => {
                let problem = format!("{answer:?} is no choice; send {}", one_of(&values));
                return Err(misfit(&question.key, problem));
            }
            None => {
                let problem = format!("is missing; send {}", one_of(&values));
                return Err(misfit(&question.key, problem));
            }
        }
    }
    let asked = |key: &&String| questions.iter().any(|question| question.key == **key);
    match answers.keys().find(|key| !asked(key)) {
        None => Ok(()),
        Some(key) => {
            let keys: Vec<&str> = questions.iter().map(|q| q.key.as_str()).collect();
            let problem = format!("is not asked; the questions are {}", keys.join(", "));
            Err(misfit(key, problem))
        }
    }
}

fn one_of(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    quoted.join(" or ")
}

impl Hints {
    /// Keeps the choice that was answered, by the person before the template. An answer that is no
    /// choice changes nothing, and where nothing is open nothing is answered.
    pub(super) fn settle<T>(
        &self,
        choices: &mut Vec<T>,
        key: &str,
        token: impl Fn(&T) -> String,
    ) -> Option<Given> {
        if choices.len() < 2 {
            return None;
        }
        let saved = self.template.as_ref().map(|template| &template.answers);
        let sources = [
            (Giver::Person, Some(&self.answers)),
            (Giver::Template, saved),
        ];
        for (by, answers) in sources {
            let Some(value) = answers.and_then(|answers| answers.get(key)) else {
                continue;
            };
            if let Some(index) = choices.iter().position(|choice| token(choice) == *value) {
                let chosen = choices.swap_remove(index);
                choices.clear();
                choices.push(chosen);
                let (key, value) = (key.to_owned(), value.clone());
                return Some(Given { key, value, by });
            }
        }
        None
    }

    /// The sentence that gives an answer its due among the evidence.
    pub(super) fn credit(&self, by: Giver, label: &str) -> String {
        match (by, &self.template) {
            (Giver::Template, Some(template)) => {
                format!("The template {:?} answers: {label}", template.name)
            }
            _ => format!("Your answer: {label}"),
        }
    }
}

/// Takes the answer about the date, if there is one that fits.
pub(super) fn date(when: &mut When, layout: &Layout, hints: &Hints) -> Option<Given> {
    let given = hints.settle(&mut when.choices, wording::DATE, |day| day.token())?;
    if let [day] = when.choices.as_slice() {
        let label = wording::day(layout, *day);
        when.evidence.push(hints.credit(given.by, &label));
    }
    Some(given)
}

/// Takes the answer about the amount, if there is one that fits.
pub(super) fn amount(decision: &mut Decision, layout: &Layout, hints: &Hints) -> Option<Given> {
    let open = decision.choices.clone();
    let given = hints.settle(&mut decision.choices, wording::AMOUNT, |plan| plan.token())?;
    if let [plan] = decision.choices.as_slice() {
        let label = wording::plan(layout, plan, &open);
        decision.evidence.push(hints.credit(given.by, &label));
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use expect_test::expect;

    use super::super::question::Choice;
    use super::*;

    fn question(key: &str, values: [&str; 2]) -> Question {
        let choice = |value: &str| Choice {
            value: value.to_owned(),
            label: String::new(),
            samples: Vec::new(),
        };
        Question {
            key: key.to_owned(),
            prompt: String::new(),
            choices: values.map(choice).to_vec(),
        }
    }

    fn answers(pairs: &[(&str, &str)]) -> Answers {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    }

    #[test]
    fn every_question_has_one_of_its_choices_and_nothing_else_is_answered() {
        let questions = [
            question("date", ["0:dmy", "0:mdy"]),
            question("rows", ["drop", "keep"]),
        ];
        let mut found = String::new();
        for pairs in [
            &[("date", "0:mdy"), ("rows", "keep")][..],
            &[],
            &[("date", "0:mdy")],
            &[("date", "0:ymd"), ("rows", "keep")],
            &[("date", ""), ("rows", "keep")],
            &[("date", "0:mdy"), ("rows", "KEEP")],
            &[("date", "0:mdy"), ("rows", "keep"), ("amount", "x")],
        ] {
            let line = match check(&questions, &answers(pairs)) {
                Ok(()) => "good".to_owned(),
                Err(misfit) => format!("{}: {}", misfit.key, misfit.problem),
            };
            found += &format!("{line}\n");
        }
        expect![[r#"
            good
            date: is missing; send "0:dmy" or "0:mdy"
            rows: is missing; send "drop" or "keep"
            date: "0:ymd" is no choice; send "0:dmy" or "0:mdy"
            date: "" is no choice; send "0:dmy" or "0:mdy"
            rows: "KEEP" is no choice; send "drop" or "keep"
            amount: is not asked; the questions are date, rows
        "#]]
        .assert_eq(&found);
    }

    #[test]
    fn a_person_comes_before_a_template_and_neither_invents_a_choice() {
        for (person, template, expected) in [
            (None, None, None),
            (Some("b"), None, Some(("b", Giver::Person))),
            (None, Some("b"), Some(("b", Giver::Template))),
            (Some("a"), Some("b"), Some(("a", Giver::Person))),
            (Some("x"), Some("b"), Some(("b", Giver::Template))),
            (Some("x"), Some("x"), None),
            (None, Some("x"), None),
        ] {
            let hints = Hints {
                today: NaiveDate::default(),
                currency: None,
                kind: None,
                time_zone: None,
                answers: answers(&person.map(|p| ("k", p)).into_iter().collect::<Vec<_>>()),
                template: template.map(|t| Saved {
                    name: "n".to_owned(),
                    answers: answers(&[("k", t)]),
                }),
                mapping: None,
            };
            let mut choices = vec!["a", "b", "c"];
            let given = hints.settle(&mut choices, "k", |choice| (*choice).to_owned());
            let found = given.as_ref().map(|given| (given.value.as_str(), given.by));
            assert_eq!(found, expected, "{person:?} {template:?}");
            let left = expected.map_or(vec!["a", "b", "c"], |(value, _)| vec![value]);
            assert_eq!(choices, left);
            let mut only = vec!["b"];
            assert_eq!(hints.settle(&mut only, "k", |c| (*c).to_owned()), None);
        }
    }
}
