//! `djinn transactions`.

use chrono::NaiveDate;
use clap::{ArgGroup, Subcommand};
use uuid::Uuid;

use super::YesNo;

#[derive(Subcommand)]
pub(crate) enum Transactions {
    /// List transactions, newest booking first.
    ///
    /// MARK is * for one with fields that were edited by hand, and = for a reconciled one.
    List(TransactionList),
    /// Show a transaction and what happened to it, also one that was deleted.
    Show {
        /// The transaction.
        #[arg(value_name = "ID")]
        transaction_id: Uuid,
    },
    /// Enter a transaction by hand.
    Add(TransactionAdd),
    /// Change fields of a transaction; nothing but a person changes them afterwards.
    Edit(TransactionEdit),
    /// Delete a transaction; a file that brings it again leaves it out.
    Delete(TransactionDelete),
    /// Give fields that were edited by hand back to rules and banks.
    Unlock(TransactionUnlock),
}

#[derive(clap::Args)]
pub(crate) struct TransactionList {
    /// Only those of this account.
    #[arg(long, value_name = "ID_OR_NAME")]
    pub(crate) account: Option<String>,
    /// Only those added by this import.
    #[arg(long, value_name = "ID")]
    pub(crate) import: Option<Uuid>,
    /// Only those booked on this day or later, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<NaiveDate>,
    /// Only those booked on this day or earlier, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<NaiveDate>,
    /// Only those whose description or counterparty holds this text.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// How many to list at most; all when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

#[derive(clap::Args)]
pub(crate) struct TransactionAdd {
    /// The account.
    #[arg(long, value_name = "ID_OR_NAME")]
    pub(crate) account: String,
    /// The date of booking, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) date: NaiveDate,
    /// The amount in the account's currency, as -12.30; outflow is negative.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) amount: String,
    /// What the booking says.
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        default_value = ""
    )]
    pub(crate) description: String,
    /// The other party.
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        default_value = ""
    )]
    pub(crate) counterparty: String,
    /// The date of value, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    pub(crate) value_date: Option<NaiveDate>,
    /// A note.
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        default_value = ""
    )]
    pub(crate) note: String,
    /// Id of the request: the same again does not enter a second transaction.
    #[arg(long, value_name = "UUID")]
    pub(crate) request_id: Option<Uuid>,
}

/// What is not given stays; an empty text takes away what is there.
#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("fields").required(true).multiple(true).args([
        "date", "amount", "description", "counterparty", "value_date", "note", "reconciled",
    ])
))]
pub(crate) struct TransactionEdit {
    /// The transaction.
    #[arg(value_name = "ID")]
    pub(crate) transaction_id: Uuid,
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
    /// A note.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) note: Option<String>,
    /// Whether it was checked against a statement: then its date and amount stay as they are.
    #[arg(long, value_enum)]
    pub(crate) reconciled: Option<YesNo>,
    /// The transaction as it was seen; as it is now when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct TransactionDelete {
    /// The transaction.
    #[arg(value_name = "ID")]
    pub(crate) transaction_id: Uuid,
    /// The transaction as it was seen; whatever it has become when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
    /// Delete without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(clap::Args)]
pub(crate) struct TransactionUnlock {
    /// The transaction.
    #[arg(value_name = "ID")]
    pub(crate) transaction_id: Uuid,
    /// The fields, by name, as amount, booked_on or description.
    #[arg(value_name = "FIELD", required = true)]
    pub(crate) fields: Vec<String>,
    /// The transaction as it was seen; as it is now when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
}

/// A day, or none of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DayOrNone(pub(crate) Option<NaiveDate>);

pub(super) fn day_or_none(text: &str) -> Result<DayOrNone, chrono::ParseError> {
    match text {
        "" => Ok(DayOrNone(None)),
        text => Ok(DayOrNone(Some(text.parse()?))),
    }
}
