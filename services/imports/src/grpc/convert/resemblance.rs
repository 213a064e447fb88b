//! What a row resembles, and why, in words.

use djinn_ledger::intake::resemblance::Resembled;
use djinn_proto::{common::v1 as common, imports::v1::RowResemblance};

use super::date;
use crate::{domain::review::Verdict, store::review::GoodRow};

/// The transaction that a row resembles.
pub(super) fn show(row: &GoodRow, stored: &Resembled) -> RowResemblance {
    let days_apart = (row.booked_on - stored.booked_on).num_days();
    let (reason, message) = reason(row, days_apart.unsigned_abs());
    RowResemblance {
        transaction_id: stored.transaction_id.to_string(),
        booked_on: date(stored.booked_on),
        amount: Some(common::Money {
            currency_code: stored.currency_code.clone(),
            minor_units: stored.amount_minor,
        }),
        description: stored.description.clone(),
        counterparty: stored.counterparty.clone(),
        days_apart: i32::try_from(days_apart).unwrap_or_default(),
        reason: reason.to_owned(),
        message,
    }
}

fn reason(row: &GoodRow, days_apart: u64) -> (&'static str, String) {
    let apart = match days_apart {
        0 => "on the same day".to_owned(),
        1 => "one day apart".to_owned(),
        days => format!("{days} days apart"),
    };
    let end = match (row.verdict, row.linkable) {
        (Verdict::Linked, _) => "it was entered by hand, and this row tells of it",
        (_, true) => "it was entered by hand, and may be the same booking",
        (_, false) => "it came from a statement, and may be the same booking told otherwise",
    };
    match (row.verdict, row.same_payee) {
        (Verdict::Changed, _) => (
            "SAME_ID",
            "The bank's id is that of this transaction, and the amount is another.".to_owned(),
        ),
        (_, Some(true)) => (
            "SAME_PAYEE",
            format!("Amount and payee are those of this transaction, {apart}: {end}."),
        ),
        (_, Some(false)) => (
            "SAME_AMOUNT",
            format!("The amount is that of this transaction, {apart}: {end}."),
        ),
        (_, None) => (
            "SAME_BOOKING",
            "The ledger has this booking already.".to_owned(),
        ),
    }
}
