//! Rows that a person sets right in review, and what follows for their verdicts.

use std::collections::BTreeMap;

use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::{
    intake::touched::{Touched, match_touched},
    money::Money,
};
use uuid::Uuid;

use super::{Steps, matching::find_resembling, route};
use crate::{
    Error,
    domain::{
        edit::{Edit, Row},
        fingerprint::fingerprint,
    },
    store::{
        self,
        edit::{Repaired, Stored, Written},
        import::Import,
    },
};

/// Rows that are read and written at once: their texts are as long as the file has them.
const ROWS_AT_ONCE: usize = 500;

impl Steps {
    /// Makes the edits and compares what they touch with the ledger again, in the caller's
    /// transaction, which has locked the import. What the review shows is the caller's to publish.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row that does not exist, or cannot be repaired by its edit.
    pub(crate) async fn edit_rows(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
        edits: &BTreeMap<i32, Edit>,
    ) -> Result<(), Error> {
        // A row that could not be read tells no account: only where there is one it is certain.
        let repairable = route::ids(transaction, import).await?.len() <= 1;
        let mut touched = Touched::default();
        let edits: Vec<(i32, &Edit)> = edits.iter().map(|(row, edit)| (*row, edit)).collect();
        for edits in edits.chunks(ROWS_AT_ONCE) {
            self.edit_some(transaction, import, edits, repairable, &mut touched)
                .await?;
        }
        let (batch, stable) = (import.batch(), import.ids_are_stable);
        let amounts = match_touched(transaction, batch, touched, stable).await?;
        find_resembling(transaction, batch, stable, Some(&amounts)).await?;
        Ok(())
    }

    async fn edit_some(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
        edits: &[(i32, &Edit)],
        repairable: bool,
        touched: &mut Touched,
    ) -> Result<(), Error> {
        let target = import.target();
        let numbers: Vec<i32> = edits.iter().map(|(row_number, _)| *row_number).collect();
        let mut staged = store::edit::staged(transaction, target, &numbers).await?;
        let rejected = store::edit::rejected(transaction, target, &numbers).await?;
        let (mut written, mut repaired, mut given_up) = (Vec::new(), Vec::new(), Vec::new());
        for (row_number, edit) in edits {
            let Some(stored) = staged.remove(row_number) else {
                if !rejected.contains(row_number) {
                    return Err(no_row(*row_number));
                }
                if !repairable {
                    return Err(of_some_account(*row_number));
                }
                let row = Row::repaired(edit).ok_or_else(|| unrepaired(*row_number))?;
                let row = self.repair(import, *row_number, row);
                touched.amounts.push(row.written.row.values.amount_minor);
                touched.fingerprints.push(row.written.fingerprint.clone());
                repaired.push(row);
                continue;
            };
            if edit.amount_minor.is_some() && stored.currency_code != import.currency.code() {
                return Err(of_another_currency(*row_number, &stored.currency_code));
            }
            touched.amounts.push(stored.row.values.amount_minor);
            if stored.row.source.is_none() {
                touched.fingerprints.push(stored.fingerprint.clone());
            }
            match edited(import, *row_number, stored, edit) {
                Some(row) => {
                    touched.amounts.push(row.row.values.amount_minor);
                    if row.row.source.is_none() {
                        touched.fingerprints.push(row.fingerprint.clone());
                    }
                    written.push(row);
                }
                None => given_up.push(*row_number),
            }
        }
        store::edit::write(transaction, target, &written).await?;
        store::edit::repair(transaction, target, &repaired).await?;
        store::edit::give_up(transaction, target, &given_up).await
    }

    fn repair(&self, import: &Import, row_number: i32, row: Row) -> Repaired {
        Repaired {
            written: of_a_person(import, row_number, row, import.account_id),
            account_id: import.account_id,
            transaction_id: self.clock.id(),
            currency_code: import.currency.code().to_owned(),
        }
    }
}

/// The row as it becomes; `None` if it cannot be one any more. What the file says is what it is
/// known again by, and no edit changes that.
fn edited(import: &Import, row_number: i32, stored: Stored, edit: &Edit) -> Option<Written> {
    let row = stored.row.with(edit)?;
    Some(match row.source {
        Some(_) => Written {
            row_number,
            row,
            fingerprint: stored.fingerprint,
        },
        None => of_a_person(import, row_number, row, stored.account_id),
    })
}

/// A row of which the file says nothing is known again by what the person says.
fn of_a_person(import: &Import, row_number: i32, row: Row, account_id: Uuid) -> Written {
    let values = &row.values;
    let money = Money {
        currency: import.currency,
        minor_units: values.amount_minor,
    };
    let (description, counterparty) = (&values.description, &values.counterparty);
    let account = *account_id.as_bytes();
    let fingerprint = fingerprint(account, values.booked_on, money, description, counterparty);
    Written {
        row_number,
        row,
        fingerprint: fingerprint.to_vec(),
    }
}

fn no_row(row_number: i32) -> Error {
    let problem = format!("there is no row {row_number}; list the rows first");
    Error::invalid("changes.row_number", problem)
}

fn of_some_account(row_number: i32) -> Error {
    let problem = format!(
        "row {row_number} cannot be read, and of several accounts nothing tells whose it is; set \
         it right in the file and import that"
    );
    Error::invalid("changes.row_number", problem)
}

fn of_another_currency(row_number: i32, currency: &str) -> Error {
    let problem = format!(
        "row {row_number} is of an account in {currency}; leave it out and enter it there by hand"
    );
    Error::invalid("changes.amount", problem)
}

fn unrepaired(row_number: i32) -> Error {
    let problem = format!(
        "row {row_number} cannot be read; send both booked_on and amount to make a row of it"
    );
    Error::invalid("changes.booked_on", problem)
}
