//! Changes of a review: what is to become of rows, and what a person sets right in them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use djinn_ledger::money::Currency;
use djinn_proto::{common::v1::Money, imports::v1 as proto};

use crate::{
    Error,
    domain::{
        edit::{COUNTERPARTY_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, Edit, Field, years},
        review::Action,
    },
};

/// What a call asks for, each row once.
#[derive(Debug, Default)]
pub(in crate::grpc) struct Changes {
    /// What is to become of rows, where that is told.
    pub(in crate::grpc) actions: BTreeMap<i32, Action>,
    /// What is set right.
    pub(in crate::grpc) edits: BTreeMap<i32, Edit>,
}

impl Changes {
    /// The rows whose fate is told, and their fates.
    pub(in crate::grpc) fn decisions(&self) -> (Vec<i32>, Vec<Action>) {
        self.actions
            .iter()
            .map(|(row, action)| (*row, *action))
            .unzip()
    }
}

/// What a value has to fit.
#[derive(Clone, Copy)]
pub(in crate::grpc) struct Frame {
    /// The account's currency.
    pub(in crate::grpc) currency: Currency,
    /// Today, which tells how far ahead a date may lie.
    pub(in crate::grpc) today: NaiveDate,
}

/// Reads the changes of a call.
pub(in crate::grpc) fn changes(
    asked: &[proto::ImportRowChange],
    frame: Frame,
) -> Result<Changes, Error> {
    const FIELD: &str = "changes.row_number";
    let (mut changes, mut seen) = (Changes::default(), BTreeSet::new());
    for change in asked {
        let number = i32::try_from(change.row_number)
            .ok()
            .filter(|number| *number >= 1)
            .ok_or_else(|| Error::invalid(FIELD, format!("{} is no row", change.row_number)))?;
        if !seen.insert(number) {
            return Err(Error::invalid(
                FIELD,
                format!("{number} is there twice; decide once"),
            ));
        }
        let edit = Reader { number, frame }.edit(change)?;
        if let Some(action) = action(change, &edit)? {
            changes.actions.insert(number, action);
        }
        if !edit.is_empty() {
            changes.edits.insert(number, edit);
        }
    }
    Ok(changes)
}

/// The action of a change. Without one it says whether the row is added, but for a change that
/// edits and does not add: an edit is no decision.
fn action(change: &proto::ImportRowChange, edit: &Edit) -> Result<Option<Action>, Error> {
    use proto::RowAction;
    let unknown = |_| {
        let problem = format!("{} is not an action", change.action);
        Error::invalid("changes.action", problem)
    };
    Ok(match RowAction::try_from(change.action).map_err(unknown)? {
        RowAction::Unspecified if change.included => Some(Action::Add),
        RowAction::Unspecified if !edit.is_empty() => None,
        RowAction::Unspecified | RowAction::Skip => Some(Action::Skip),
        RowAction::Add => Some(Action::Add),
        RowAction::Link => Some(Action::Link),
    })
}

/// Reads the fields of one row; what it refuses names the row.
struct Reader {
    number: i32,
    frame: Frame,
}

impl Reader {
    fn edit(&self, change: &proto::ImportRowChange) -> Result<Edit, Error> {
        let booked_on = change.booked_on.as_deref();
        let value_on = change.value_on.as_deref();
        let description = change.description.as_deref();
        let counterparty = change.counterparty.as_deref();
        let edit = Edit {
            booked_on: booked_on
                .map(|text| self.date("changes.booked_on", text))
                .transpose()?,
            amount_minor: change
                .amount
                .as_ref()
                .map(|money| self.amount(money))
                .transpose()?,
            description: description
                .map(|text| self.line("changes.description", text, DESCRIPTION_CHARACTERS_MAX))
                .transpose()?,
            counterparty: counterparty
                .map(|text| self.line("changes.counterparty", text, COUNTERPARTY_CHARACTERS_MAX))
                .transpose()?,
            value_on: value_on
                .map(|text| match text {
                    "" => Ok(None),
                    text => self.date("changes.value_on", text).map(Some),
                })
                .transpose()?,
            reset: self.reset(&change.reset_fields)?,
        };
        let both = edit.set().find(|field| edit.reset.contains(field));
        match both {
            None => Ok(edit),
            Some(field) => {
                let problem = format!("names {}, which is set as well; do one", field.as_str());
                Err(self.refusal("changes.reset_fields", &problem))
            }
        }
    }

    fn refusal(&self, field: &'static str, problem: &str) -> Error {
        Error::invalid(field, format!("of row {} {problem}", self.number))
    }

    fn date(&self, field: &'static str, text: &str) -> Result<NaiveDate, Error> {
        // The parser also reads `+2024-1-5`; a date that was cut short must not become another.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let shape = text.len() == 10 && digits == 8;
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| shape);
        let Some(date) = date else {
            let problem = "is not a date; send YYYY-MM-DD, as in \"2026-01-31\"";
            return Err(self.refusal(field, problem));
        };
        let years = years(self.frame.today);
        if years.contains(&date.year()) {
            return Ok(date);
        }
        let (first, last) = (years.start(), years.end());
        let problem = format!(
            "is in the year {}; send one of {first} to {last}",
            date.year()
        );
        Err(self.refusal(field, &problem))
    }

    fn amount(&self, money: &Money) -> Result<i64, Error> {
        let currency = self.frame.currency;
        if money.currency_code == currency.code() {
            return Ok(money.minor_units);
        }
        let problem = format!(
            "is not {currency}, which the account has and every row of it; convert the amount, or \
             leave the row out"
        );
        Err(self.refusal("changes.amount.currency_code", &problem))
    }

    /// A line that a person enters, without spaces around it; it may be empty.
    fn line(
        &self,
        field: &'static str,
        text: &str,
        characters_max: usize,
    ) -> Result<String, Error> {
        let line = text.trim();
        let count = line.chars().count();
        if count > characters_max {
            let problem = format!("has {count} characters; send at most {characters_max}");
            return Err(self.refusal(field, &problem));
        }
        if line.contains(char::is_control) {
            let problem = "holds a control character; send letters, digits, signs and spaces";
            return Err(self.refusal(field, problem));
        }
        Ok(line.to_owned())
    }

    fn reset(&self, names: &[String]) -> Result<BTreeSet<Field>, Error> {
        const FIELD: &str = "changes.reset_fields";
        if names.len() > Field::ALL.len() {
            let problem = format!("has {} entries; name each field once", names.len());
            return Err(self.refusal(FIELD, &problem));
        }
        let field = |name: &String| {
            Field::parse(name).ok_or_else(|| {
                // Cut, because it comes from outside and is sent back.
                let name: String = name.chars().take(40).collect();
                let known = Field::ALL.map(Field::as_str).join(", ");
                self.refusal(FIELD, &format!("names {name:?}; name of {known}"))
            })
        };
        names.iter().map(field).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            currency: Currency::parse("EUR").unwrap(),
            today: NaiveDate::from_ymd_opt(2026, 11, 28).unwrap(),
        }
    }

    fn change() -> proto::ImportRowChange {
        proto::ImportRowChange {
            row_number: 7,
            ..proto::ImportRowChange::default()
        }
    }

    fn money(code: &str) -> Option<Money> {
        Some(Money {
            currency_code: code.to_owned(),
            minor_units: -5,
        })
    }

    fn refusal(change: proto::ImportRowChange) -> String {
        changes(&[change], frame()).unwrap_err().to_string()
    }

    #[test]
    fn an_edit_is_no_decision_unless_it_says_so() {
        let edited = proto::ImportRowChange {
            description: Some(String::new()),
            ..change()
        };
        let included = proto::ImportRowChange {
            included: true,
            ..edited.clone()
        };
        let linked = proto::ImportRowChange {
            action: proto::RowAction::Link.into(),
            ..edited.clone()
        };
        for (change, action, edits) in [
            (change(), Some(Action::Skip), 0),
            (edited, None, 1),
            (included, Some(Action::Add), 1),
            (linked, Some(Action::Link), 1),
        ] {
            let read = changes(&[change], frame()).unwrap();
            assert_eq!(
                (read.actions.get(&7).copied(), read.edits.len()),
                (action, edits)
            );
        }
    }

    #[test]
    fn a_whole_edit_is_read() {
        let asked = proto::ImportRowChange {
            booked_on: Some("2024-02-29".to_owned()),
            amount: money("EUR"),
            description: Some("  Rent ".to_owned()),
            counterparty: Some(String::new()),
            value_on: Some(String::new()),
            ..change()
        };
        let read = changes(&[asked], frame()).unwrap();
        let expected = Edit {
            booked_on: NaiveDate::from_ymd_opt(2024, 2, 29),
            amount_minor: Some(-5),
            description: Some("Rent".to_owned()),
            counterparty: Some(String::new()),
            value_on: Some(None),
            reset: BTreeSet::new(),
        };
        assert_eq!(read.edits[&7], expected);
    }

    #[test]
    fn what_is_wrong_names_field_row_and_way_out() {
        let text = |text: &str| Some(text.to_owned());
        let booked = |date: &str| proto::ImportRowChange {
            booked_on: text(date),
            ..change()
        };
        let reset = |names: &[&str]| proto::ImportRowChange {
            reset_fields: names.iter().map(|it| (*it).to_owned()).collect(),
            booked_on: text("2024-01-31"),
            ..change()
        };
        for (change, expected) in [
            (
                booked(""),
                "changes.booked_on: of row 7 is not a date; send YYYY-MM-DD, as in \"2026-01-31\"",
            ),
            (
                booked("2023-02-29"),
                "changes.booked_on: of row 7 is not a date; send YYYY-MM-DD, as in \"2026-01-31\"",
            ),
            (
                booked("1969-12-31"),
                "changes.booked_on: of row 7 is in the year 1969; send one of 1970 to 2031",
            ),
            (
                booked("2032-01-01"),
                "changes.booked_on: of row 7 is in the year 2032; send one of 1970 to 2031",
            ),
            (
                proto::ImportRowChange {
                    amount: money("USD"),
                    ..change()
                },
                "changes.amount.currency_code: of row 7 is not EUR, which the account has and \
                 every row of it; convert the amount, or leave the row out",
            ),
            (
                proto::ImportRowChange {
                    description: text(&"x".repeat(1_001)),
                    ..change()
                },
                "changes.description: of row 7 has 1001 characters; send at most 1000",
            ),
            (
                proto::ImportRowChange {
                    counterparty: text("a\u{0}b"),
                    ..change()
                },
                "changes.counterparty: of row 7 holds a control character; send letters, digits, \
                 signs and spaces",
            ),
            (
                reset(&["note"]),
                "changes.reset_fields: of row 7 names \"note\"; name of amount, booked_on, \
                 counterparty, description, value_on",
            ),
            (
                reset(&["booked_on"]),
                "changes.reset_fields: of row 7 names booked_on, which is set as well; do one",
            ),
        ] {
            assert_eq!(refusal(change), expected);
        }
        let twice = changes(&[change(), change()], frame()).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "changes.row_number: 7 is there twice; decide once"
        );
    }
}
