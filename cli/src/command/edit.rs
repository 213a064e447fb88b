//! `djinn imports edit`: what a row says, set right before it is committed.

use chrono::NaiveDate;
use djinn_proto::{
    common::v1::Money,
    imports::v1::{ImportRowChange, UpdateImportRowsRequest},
};

use super::Session;
use crate::{
    amount::Currency,
    args::{EditedField, ImportEdit},
    error::Error,
    output::{document, import},
};

/// Edits the row and shows the import with its new etag.
pub(super) async fn run(session: &Session, args: ImportEdit) -> Result<(), Error> {
    let seen = session.client.import(args.import_id.to_string()).await?;
    let amount = match &args.amount {
        None => None,
        Some(text) => {
            let account = session.client.account(seen.account_id.clone()).await?;
            Some(Currency::parse(&account.currency_code)?.amount(text)?)
        }
    };
    let request = UpdateImportRowsRequest {
        import_id: seen.import_id,
        etag: args.etag.clone().unwrap_or(seen.etag),
        changes: vec![change(args, amount)],
    };
    let edited = session.client.decide(request).await?;
    session
        .output
        .result(&document::import(&edited), || import::show(&edited))
}

fn change(args: ImportEdit, amount: Option<Money>) -> ImportRowChange {
    let day = |day: NaiveDate| day.format("%Y-%m-%d").to_string();
    let value_on = args
        .value_date
        .map(|date| date.0.map(day).unwrap_or_default());
    let reset = args.reset.into_iter().map(EditedField::name);
    ImportRowChange {
        row_number: i64::from(args.row),
        booked_on: args.date.map(day),
        amount,
        description: args.description,
        counterparty: args.counterparty,
        value_on,
        reset_fields: reset.map(str::to_owned).collect(),
        ..ImportRowChange::default()
    }
}
