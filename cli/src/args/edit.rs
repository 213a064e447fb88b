//! `djinn imports edit`.

use chrono::NaiveDate;
use clap::{ArgGroup, ValueEnum};
use uuid::Uuid;

use super::transaction::{DayOrNone, day_or_none};

/// What is not given stays; an empty text takes away what is there.
#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("fields").required(true).multiple(true).args([
        "date", "amount", "description", "counterparty", "value_date", "reset",
    ])
))]
pub(crate) struct ImportEdit {
    /// The import.
    #[arg(value_name = "ID")]
    pub(crate) import_id: Uuid,
    /// The row, by its number in `djinn imports rows`. One that cannot be read needs a date and an
    /// amount.
    #[arg(value_name = "ROW")]
    pub(crate) row: u32,
    /// The date of booking, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) date: Option<NaiveDate>,
    /// The amount in the account's currency, as -12.30; outflow is negative.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) amount: Option<String>,
    /// What the booking says.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,
    /// The other party.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) counterparty: Option<String>,
    /// The date of value, YYYY-MM-DD, or empty.
    #[arg(long, value_name = "DAY", value_parser = day_or_none)]
    pub(crate) value_date: Option<DayOrNone>,
    /// Fields to give back: they are as the file has them again.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) reset: Vec<EditedField>,
    /// The review as it was seen; the present one when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
}

/// A field of a row that can be edited.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EditedField {
    /// The amount.
    Amount,
    /// The other party.
    Counterparty,
    /// The date of booking.
    Date,
    /// What the booking says.
    Description,
    /// The date of value.
    ValueDate,
}

impl EditedField {
    /// The name as the server spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Counterparty => "counterparty",
            Self::Date => "booked_on",
            Self::Description => "description",
            Self::ValueDate => "value_on",
        }
    }
}
