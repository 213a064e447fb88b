//! The fields of a transaction that can be edited, and their values as the history tells them.

use super::Transaction;
use crate::money::Decimal;

/// A field that can be edited. The order is that of the names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The amount.
    Amount,
    /// The date of booking.
    BookedOn,
    /// The other party.
    Counterparty,
    /// What the booking says.
    Description,
    /// What the user notes about it.
    Note,
    /// Whether it was checked against a statement.
    Reconciled,
    /// The date of value.
    ValueOn,
}

impl Field {
    /// Every field, in the order of the names.
    pub const ALL: [Self; 7] = [
        Self::Amount,
        Self::BookedOn,
        Self::Counterparty,
        Self::Description,
        Self::Note,
        Self::Reconciled,
        Self::ValueOn,
    ];

    /// The name, as the columns `field` and the contract spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::BookedOn => "booked_on",
            Self::Counterparty => "counterparty",
            Self::Description => "description",
            Self::Note => "note",
            Self::Reconciled => "reconciled",
            Self::ValueOn => "value_on",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// Whether an edit by hand locks it. Nothing but a person reconciles, so that needs no lock.
    #[must_use]
    pub fn lockable(self) -> bool {
        self != Self::Reconciled
    }

    /// Whether it stays as it is while the transaction is reconciled.
    #[must_use]
    pub fn reconciled(self) -> bool {
        matches!(self, Self::Amount | Self::BookedOn)
    }
}

impl Transaction {
    /// The value of a field as text; `None` where there is nothing.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<String> {
        match field {
            Field::Amount => Some(self.amount_text(self.amount.minor_units)),
            Field::BookedOn => Some(self.booked_on.to_string()),
            Field::Counterparty => text(&self.counterparty),
            Field::Description => text(&self.description),
            Field::Note => text(&self.note),
            Field::Reconciled => Some(self.reconciled_at.is_some().to_string()),
            Field::ValueOn => self.value_on.map(|date| date.to_string()),
        }
    }

    /// An amount in its currency as a decimal number.
    pub(crate) fn amount_text(&self, minor_units: i64) -> String {
        let decimal = Decimal {
            digits: minor_units,
            scale: self.amount.currency.exponent(),
        };
        decimal.to_string()
    }
}

/// A text, or `None` if it is empty.
pub(crate) fn text(value: &str) -> Option<String> {
    Some(value.to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_their_names() {
        let names: Vec<_> = Field::ALL.iter().map(|field| field.as_str()).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(Field::ALL.is_sorted());
        for field in Field::ALL {
            assert_eq!(Field::parse(field.as_str()), Some(field));
        }
        for name in ["", "Amount", "amount ", "account_id", "booked-on"] {
            assert_eq!(Field::parse(name), None, "{name:?}");
        }
    }
}
