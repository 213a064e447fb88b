//! Who may write a field. Pure: what the database knows is an input.

use crate::transaction::{Field, Source, Transaction};

/// What an author is. A later one outranks those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Writer {
    /// A bank connection or another provider of facts.
    Provider,
    /// A model of ours, or a language model.
    Model,
    /// A rule of the user's.
    Rule,
    /// A person.
    User,
}

impl Writer {
    const ALL: [Self; 4] = [Self::Provider, Self::Model, Self::Rule, Self::User];

    /// The writer as the columns `source` spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Rule => "rule",
            Self::User => "user",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|writer| writer.as_str() == text)
    }
}

/// What became of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its value, or the lock of a person on the value that was there, is new.
    Written,
    /// It had this value already.
    Unchanged,
    /// A person has locked it.
    Locked,
    /// It comes from somebody above the author.
    Outranked,
}

/// How a field is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Held {
    /// Whether a person has locked it.
    locked: bool,
    /// Whether it is a person's without a lock: reconciling is, and what a reconciled transaction
    /// keeps.
    fixed: bool,
    /// Whose value it is; `None` once a person has given it back.
    by: Option<Writer>,
}

/// How a field is held, with its provenance if it has one of its own.
pub(super) fn held(seen: &Transaction, field: Field, provenance: Option<Writer>) -> Held {
    Held {
        locked: seen.locked.contains(&field),
        fixed: !field.lockable() || (seen.reconciled_at.is_some() && field.reconciled()),
        by: match (provenance, seen.source) {
            // Without a lock a person's value is one that was given back: its provenance stays
            // true, and everybody may write it.
            (Some(Writer::User), _) => None,
            (Some(writer), _) => Some(writer),
            (None, Source::User) => Some(Writer::User),
            (None, Source::Import | Source::Bank) => Some(Writer::Provider),
        },
    }
}

/// Whether the writer may write a field that is held so; `equal` says that it has the value
/// already.
pub(super) fn outcome(writer: Writer, field: Field, held: Held, equal: bool) -> Outcome {
    if writer == Writer::User {
        // The lock is an effect of its own, but no field is locked twice.
        return match equal && (held.locked || !field.lockable()) {
            true => Outcome::Unchanged,
            false => Outcome::Written,
        };
    }
    if held.locked || held.fixed {
        Outcome::Locked
    } else if held.by.is_some_and(|by| by > writer) {
        Outcome::Outranked
    } else if equal {
        Outcome::Unchanged
    } else {
        Outcome::Written
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::money::{Currency, Money};

    fn seen(source: Source, locked: &[Field], reconciled: bool) -> Transaction {
        Transaction {
            transaction_id: Uuid::nil(),
            account_id: Uuid::nil(),
            booked_on: NaiveDate::MIN,
            value_on: None,
            amount: Money {
                currency: Currency::parse("EUR").unwrap(),
                minor_units: 0,
            },
            description: String::new(),
            counterparty: String::new(),
            note: String::new(),
            source,
            external_id: None,
            import_id: None,
            reconciled_at: reconciled.then_some(DateTime::<Utc>::UNIX_EPOCH),
            locked: locked.to_vec(),
            change_id: Uuid::nil(),
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: None,
        }
    }

    #[test]
    fn writers_rank_as_they_are_told() {
        assert!(Writer::ALL.is_sorted());
        for writer in Writer::ALL {
            assert_eq!(Writer::parse(writer.as_str()), Some(writer));
        }
        assert_eq!(Writer::parse("bank"), None);
    }

    /// What becomes of the field for each writer from the lowest to the highest, by first letters.
    fn outcomes(row: &Transaction, field: Field, by: Option<Writer>, equal: bool) -> String {
        let outcomes =
            Writer::ALL.map(|writer| outcome(writer, field, held(row, field, by), equal));
        let letters = outcomes.map(|outcome| format!("{outcome:?}").remove(0));
        letters.into_iter().collect()
    }

    #[test]
    fn the_higher_rank_writes_and_a_lock_stops_all_but_a_person() {
        let imported = seen(Source::Import, &[], false);
        let banked = seen(Source::Bank, &[], false);
        let entered = seen(Source::User, &[], false);
        let locked = seen(Source::Import, &[Field::Note], false);
        let entered_locked = seen(Source::User, &[Field::Note], false);
        // The row, whose value it is, what becomes of another value and of an equal one.
        for (row, by, other, equal) in [
            (&imported, None, "WWWW", "UUUW"),
            (&banked, None, "WWWW", "UUUW"),
            (&entered, None, "OOOW", "OOOW"),
            (&imported, Some(Writer::Provider), "WWWW", "UUUW"),
            (&imported, Some(Writer::Model), "OWWW", "OUUW"),
            (&imported, Some(Writer::Rule), "OOWW", "OOUW"),
            (&entered, Some(Writer::Rule), "OOWW", "OOUW"),
            (&locked, Some(Writer::User), "LLLW", "LLLU"),
            (&entered_locked, Some(Writer::User), "LLLW", "LLLU"),
            // Given back.
            (&imported, Some(Writer::User), "WWWW", "UUUW"),
            (&entered, Some(Writer::User), "WWWW", "UUUW"),
        ] {
            let found = [false, true].map(|equal| outcomes(row, Field::Note, by, equal));
            assert_eq!(found, [other, equal], "{:?} {by:?}", row.source);
        }
    }

    #[test]
    fn what_is_reconciled_is_a_persons() {
        let open = seen(Source::Import, &[], false);
        let reconciled = seen(Source::Import, &[], true);
        for (row, field, other, equal) in [
            // A person who lifts it in the same edit locks what they name.
            (&reconciled, Field::Amount, "LLLW", "LLLW"),
            (&reconciled, Field::BookedOn, "LLLW", "LLLW"),
            (&reconciled, Field::ValueOn, "WWWW", "UUUW"),
            (&reconciled, Field::Note, "WWWW", "UUUW"),
            (&open, Field::Amount, "WWWW", "UUUW"),
            (&open, Field::Reconciled, "LLLW", "LLLU"),
            (&reconciled, Field::Reconciled, "LLLW", "LLLU"),
        ] {
            let found = [false, true].map(|equal| outcomes(row, field, None, equal));
            assert_eq!(found, [other, equal], "{field:?}");
        }
    }
}
