//! What a person sets right in a row before it is committed: which values an edit leaves, and
//! which of them are the person's. A row that was read can always be given back to the file; one
//! that could not be read is a row for as long as a person gives it a date and an amount.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::date;

/// The longest description that a person enters, in characters. A statement's may be longer.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;

/// The longest name of another party that a person enters, in characters.
pub const COUNTERPARTY_CHARACTERS_MAX: usize = 200;

/// A field that can be edited. The order is that of the names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Field {
    /// The amount.
    Amount,
    /// The date of booking.
    BookedOn,
    /// The other party.
    Counterparty,
    /// What the booking says.
    Description,
    /// The date of value.
    ValueOn,
}

impl Field {
    /// Every field, in the order of the names.
    pub const ALL: [Self; 5] = [
        Self::Amount,
        Self::BookedOn,
        Self::Counterparty,
        Self::Description,
        Self::ValueOn,
    ];

    /// The name, as the contract and the ledger spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::BookedOn => "booked_on",
            Self::Counterparty => "counterparty",
            Self::Description => "description",
            Self::ValueOn => "value_on",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// New values for some fields of a row, and fields to give back; `None` keeps what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// The date of booking.
    pub booked_on: Option<NaiveDate>,
    /// The amount in minor units of the account's currency.
    pub amount_minor: Option<i64>,
    /// What the booking says.
    pub description: Option<String>,
    /// The other party.
    pub counterparty: Option<String>,
    /// The date of value; the inner `None` takes it away.
    pub value_on: Option<Option<NaiveDate>>,
    /// Fields to give back to the file.
    pub reset: BTreeSet<Field>,
}

impl Edit {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reset.is_empty() && self.set().next().is_none()
    }

    /// The fields that it sets.
    pub fn set(&self) -> impl Iterator<Item = Field> + '_ {
        Field::ALL.into_iter().filter(|field| match field {
            Field::Amount => self.amount_minor.is_some(),
            Field::BookedOn => self.booked_on.is_some(),
            Field::Counterparty => self.counterparty.is_some(),
            Field::Description => self.description.is_some(),
            Field::ValueOn => self.value_on.is_some(),
        })
    }
}

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The date of booking.
    pub booked_on: NaiveDate,
    /// The date of value.
    pub value_on: Option<NaiveDate>,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// What the booking says.
    pub description: String,
    /// The other party.
    pub counterparty: String,
}

/// A row in review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it says now.
    pub values: Values,
    /// What the file says; `None` if that could not be read.
    pub source: Option<Values>,
    /// The fields that are a person's.
    pub edited: BTreeSet<Field>,
}

impl Row {
    /// The row with the edit made; `None` for a repaired one that lacks a date or an amount again.
    #[must_use]
    pub fn with(mut self, edit: &Edit) -> Option<Self> {
        for field in &edit.reset {
            if self.edited.remove(field) {
                self.give_back(*field)?;
            }
        }
        let values = &mut self.values;
        if let Some(booked_on) = edit.booked_on {
            values.booked_on = booked_on;
        }
        if let Some(amount_minor) = edit.amount_minor {
            values.amount_minor = amount_minor;
        }
        if let Some(description) = &edit.description {
            values.description.clone_from(description);
        }
        if let Some(counterparty) = &edit.counterparty {
            values.counterparty.clone_from(counterparty);
        }
        if let Some(value_on) = edit.value_on {
            values.value_on = value_on;
        }
        self.edited.extend(edit.set());
        Some(self)
    }

    /// The field as the file has it, which of a row that could not be read is nothing.
    fn give_back(&mut self, field: Field) -> Option<()> {
        let (values, source) = (&mut self.values, self.source.as_ref());
        match field {
            Field::Amount => values.amount_minor = source?.amount_minor,
            Field::BookedOn => values.booked_on = source?.booked_on,
            Field::Counterparty => {
                values.counterparty = source.map(|it| it.counterparty.clone()).unwrap_or_default();
            }
            Field::Description => {
                values.description = source.map(|it| it.description.clone()).unwrap_or_default();
            }
            Field::ValueOn => values.value_on = source.and_then(|it| it.value_on),
        }
        Some(())
    }

    /// A row that could not be read, with what a person says of it; `None` while that is not a date
    /// and an amount.
    #[must_use]
    pub fn repaired(edit: &Edit) -> Option<Self> {
        Some(Self {
            values: Values {
                booked_on: edit.booked_on?,
                value_on: edit.value_on.flatten(),
                amount_minor: edit.amount_minor?,
                description: edit.description.clone().unwrap_or_default(),
                counterparty: edit.counterparty.clone().unwrap_or_default(),
            },
            source: None,
            edited: edit.set().collect(),
        })
    }
}

/// The years in which the reader, too, would take a date for one.
#[must_use]
pub fn years(today: NaiveDate) -> std::ops::RangeInclusive<i32> {
    date::YEAR_MIN..=today.year() + date::YEARS_AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn values() -> Values {
        Values {
            booked_on: day("2024-01-15"),
            value_on: Some(day("2024-01-16")),
            amount_minor: -1_250,
            description: "Rent".to_owned(),
            counterparty: "Landlord".to_owned(),
        }
    }

    fn read() -> Row {
        Row {
            values: values(),
            source: Some(values()),
            edited: BTreeSet::new(),
        }
    }

    fn all() -> Edit {
        Edit {
            booked_on: Some(day("2024-02-01")),
            amount_minor: Some(5),
            description: Some(String::new()),
            counterparty: Some("Other".to_owned()),
            value_on: Some(None),
            reset: BTreeSet::new(),
        }
    }

    fn resetting(fields: &[Field]) -> Edit {
        Edit {
            reset: fields.iter().copied().collect(),
            ..Edit::default()
        }
    }

    #[test]
    fn fields_are_those_of_the_ledger_in_the_order_of_their_names() {
        assert!(Field::ALL.is_sorted());
        let names = Field::ALL.map(Field::as_str);
        assert!(names.is_sorted(), "{names:?}");
        for field in Field::ALL {
            assert_eq!(Field::parse(field.as_str()), Some(field));
            let ledger = djinn_ledger::transaction::Field::parse(field.as_str());
            assert!(ledger.is_some_and(|it| it.lockable()), "{field:?}");
        }
        assert_eq!(Field::parse("note"), None);
    }

    #[test]
    fn an_edit_sets_what_it_names_and_can_be_given_back_whole() {
        let edited = read().with(&all()).unwrap();
        assert_eq!(
            edited.values,
            Values {
                booked_on: day("2024-02-01"),
                value_on: None,
                amount_minor: 5,
                description: String::new(),
                counterparty: "Other".to_owned(),
            }
        );
        assert_eq!(edited.edited, Field::ALL.into_iter().collect());
        assert_eq!(edited.source, Some(values()));
        let back = edited.clone().with(&resetting(&Field::ALL)).unwrap();
        assert_eq!(back, read());
        let half = edited.with(&resetting(&[Field::Amount])).unwrap();
        assert_eq!(half.values.amount_minor, -1_250);
        assert!(!half.edited.contains(&Field::Amount));
        assert!(half.edited.contains(&Field::BookedOn));
    }

    #[test]
    fn what_was_not_edited_is_not_given_back() {
        assert_eq!(read().with(&resetting(&Field::ALL)), Some(read()));
        assert_eq!(read().with(&Edit::default()), Some(read()));
        assert!(Edit::default().is_empty() && !all().is_empty());
    }

    #[test]
    fn a_repaired_row_needs_date_and_amount_for_as_long_as_it_is_one() {
        for (edit, repairs) in [
            (all(), true),
            (
                Edit {
                    booked_on: None,
                    ..all()
                },
                false,
            ),
            (
                Edit {
                    amount_minor: None,
                    ..all()
                },
                false,
            ),
        ] {
            assert_eq!(Row::repaired(&edit).is_some(), repairs, "{edit:?}");
        }
        let row = Row::repaired(&all()).unwrap();
        for (field, stays) in [
            (Field::Amount, false),
            (Field::BookedOn, false),
            (Field::Counterparty, true),
            (Field::Description, true),
            (Field::ValueOn, true),
        ] {
            let with = row.clone().with(&resetting(&[field]));
            assert_eq!(with.is_some(), stays, "{field:?}");
        }
        let nameless = row.with(&resetting(&[Field::Counterparty])).unwrap();
        assert_eq!(nameless.values.counterparty, "");
    }

    #[test]
    fn years_are_the_readers() {
        assert_eq!(years(day("2026-11-28")), 1970..=2031);
    }
}
