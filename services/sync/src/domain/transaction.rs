//! Requests about transactions, and whether an edit may go ahead.

use chrono::{DateTime, NaiveDate, Utc};
use djinn_ledger::{
    Version,
    account::Account,
    edit::{Edit, Opened},
    money::{Currency, Money},
    transaction::{Field, Filter, NewTransaction, Position, Transaction},
};
use uuid::Uuid;

use super::{
    edit::EditRefused,
    field::{Fields, Invalid},
    page::Scope,
};

/// The most text in a page, in bytes: with its other fields it stays under the largest message,
/// which is 4 MiB. A page that reaches it ends early and says where to go on.
pub(crate) const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A page of transactions.
#[derive(Clone, Debug)]
pub(crate) struct ListTransactions {
    /// Which ones.
    pub(crate) filter: Filter,
    /// Only those behind this one.
    pub(crate) after: Option<Position>,
    /// How many at most.
    pub(crate) size: usize,
    /// What the next page's token is for.
    pub(crate) scope: Scope,
}

/// A page of a transaction's history.
#[derive(Clone, Debug)]
pub(crate) struct ListTransactionChanges {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// Only entries before this version.
    pub(crate) after: Option<Version>,
    /// How many at most.
    pub(crate) size: usize,
    /// What the next page's token is for.
    pub(crate) scope: Scope,
}

/// A new transaction.
#[derive(Clone, Debug)]
pub(crate) struct CreateTransaction {
    /// Makes the request safe to repeat.
    pub(crate) request_id: Uuid,
    /// SHA-256 of the request as it was sent.
    pub(crate) body_hash: [u8; 32],
    /// The account.
    pub(crate) account_id: Uuid,
    /// The date of booking.
    pub(crate) booked_on: NaiveDate,
    /// The date of value, if it is known.
    pub(crate) value_on: Option<NaiveDate>,
    /// The amount. Its currency is compared with the account's.
    pub(crate) amount: Money,
    /// What the booking says, checked.
    pub(crate) description: String,
    /// The other party, checked.
    pub(crate) counterparty: String,
    /// A note, checked.
    pub(crate) note: String,
}

/// An edit of a transaction that the caller has read.
#[derive(Clone, Debug)]
pub(crate) struct UpdateTransaction {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// What the caller has read.
    pub(crate) etag: String,
    /// The new values, checked.
    pub(crate) edit: Edit,
    /// The currency of the new amount, if there is one. It is compared with the account's.
    pub(crate) currency: Option<Currency>,
}

/// A transaction to delete.
#[derive(Clone, Debug)]
pub(crate) struct DeleteTransaction {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// What the caller has read, if they care.
    pub(crate) etag: Option<String>,
}

/// Fields to give back, of a transaction that the caller has read.
#[derive(Clone, Debug)]
pub(crate) struct UnlockTransactionFields {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// What the caller has read.
    pub(crate) etag: String,
    /// The fields, at least one.
    pub(crate) fields: Vec<Field>,
}

impl CreateTransaction {
    /// What to add, if the account takes it.
    ///
    /// # Errors
    /// [`EditRefused::AccountClosed`], or an amount in another currency.
    pub(crate) fn permit(
        &self,
        account: &Account,
        transaction_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<NewTransaction, EditRefused> {
        open(account)?;
        same_currency("amount", Some(self.amount.currency), account)?;
        Ok(NewTransaction {
            transaction_id,
            account_id: self.account_id,
            booked_on: self.booked_on,
            value_on: self.value_on,
            amount: self.amount,
            description: self.description.clone(),
            counterparty: self.counterparty.clone(),
            note: self.note.clone(),
            created_at: now,
        })
    }
}

impl UpdateTransaction {
    /// What to write, if the account is open and the transaction is what the caller has read.
    ///
    /// # Errors
    /// [`EditRefused`]. A closed account comes first, because no fresh etag would help; then the
    /// etag, because the rest is judged by what the caller has not seen.
    pub(crate) fn permit(&self, opened: &Opened) -> Result<&Edit, EditRefused> {
        open(&opened.account)?;
        unchanged(&self.etag, &opened.transaction)?;
        let lifted = self.edit.reconciled == Some(false);
        if !lifted && (self.edit.amount_minor.is_some() || self.edit.booked_on.is_some()) {
            not_reconciled(&opened.transaction)?;
        }
        same_currency("transaction.amount", self.currency, &opened.account)?;
        Ok(&self.edit)
    }
}

impl DeleteTransaction {
    /// Whether the transaction may go.
    ///
    /// # Errors
    /// [`EditRefused`], in the order of [`UpdateTransaction::permit`].
    pub(crate) fn permit(&self, opened: &Opened) -> Result<(), EditRefused> {
        open(&opened.account)?;
        if let Some(etag) = &self.etag {
            unchanged(etag, &opened.transaction)?;
        }
        not_reconciled(&opened.transaction)
    }
}

impl UnlockTransactionFields {
    /// Whether the fields may be given back. Those of a closed account may: it changes none of its
    /// values.
    ///
    /// # Errors
    /// [`EditRefused::EtagMismatch`].
    pub(crate) fn permit(&self, opened: &Opened) -> Result<(), EditRefused> {
        unchanged(&self.etag, &opened.transaction)
    }
}

/// What stands for a transaction as it was read: its last change.
pub(crate) fn etag(transaction: &Transaction) -> String {
    transaction.change_id.to_string()
}

fn open(account: &Account) -> Result<(), EditRefused> {
    match account.closed_at {
        None => Ok(()),
        Some(_) => Err(EditRefused::AccountClosed {
            account_id: account.account_id,
        }),
    }
}

fn unchanged(seen: &str, transaction: &Transaction) -> Result<(), EditRefused> {
    if seen == etag(transaction) {
        Ok(())
    } else {
        Err(EditRefused::EtagMismatch {
            what: "transaction",
        })
    }
}

fn not_reconciled(transaction: &Transaction) -> Result<(), EditRefused> {
    match transaction.reconciled_at {
        None => Ok(()),
        Some(_) => Err(EditRefused::Reconciled {
            transaction_id: transaction.transaction_id,
        }),
    }
}

fn same_currency(
    field: &str,
    sent: Option<Currency>,
    account: &Account,
) -> Result<(), EditRefused> {
    let currency = account.opening.currency;
    match sent.filter(|sent| *sent != currency) {
        None => Ok(()),
        Some(other) => Err(EditRefused::Invalid(Invalid::of(
            format!("{field}.currency_code"),
            format!("is {other}, but the account's currency is {currency} and never changes"),
        ))),
    }
}

impl Fields {
    /// The fields that a list of names means, in the order of the names; at least one, and none
    /// that cannot change.
    pub(crate) fn names<'a>(
        &mut self,
        field: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Field> {
        let mut found = Vec::new();
        for name in names {
            let Some(named) = Field::parse(name) else {
                // Cut, because it comes from outside and is sent back.
                let name: String = name.chars().take(40).collect();
                let known = editable();
                self.refuse(
                    field,
                    format!("names {name:?}, which cannot change; name of {known}"),
                );
                // One is enough: a list may hold thousands.
                return found;
            };
            if !found.contains(&named) {
                found.push(named);
            }
        }
        if found.is_empty() {
            self.refuse(field, format!("is empty; name some of {}", editable()));
        }
        found.sort_unstable();
        found
    }
}

fn editable() -> String {
    Field::ALL.map(Field::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use djinn_ledger::{account::Kind, transaction::Source, zone::Zone};

    use super::*;

    const DAY: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

    fn money(code: &str) -> Money {
        Money {
            currency: Currency::parse(code).unwrap(),
            minor_units: 5,
        }
    }

    fn opened(closed: bool, reconciled: bool) -> Opened {
        Opened {
            account: Account {
                account_id: Uuid::from_u128(1),
                name: "Giro".to_owned(),
                kind: Kind::Checking,
                number: String::new(),
                time_zone: Zone::default(),
                opening: money("EUR"),
                closed_at: closed.then_some(DAY),
                version: 7,
                change_id: Uuid::from_u128(2),
                created_at: DAY,
                updated_at: DAY,
            },
            transaction: Transaction {
                transaction_id: Uuid::from_u128(3),
                account_id: Uuid::from_u128(1),
                booked_on: DAY.date_naive(),
                value_on: None,
                amount: money("EUR"),
                description: String::new(),
                counterparty: String::new(),
                note: String::new(),
                source: Source::Import,
                external_id: None,
                import_id: None,
                reconciled_at: reconciled.then_some(DAY),
                locked: Vec::new(),
                change_id: Uuid::from_u128(4),
                created_at: DAY,
                updated_at: None,
            },
        }
    }

    /// The kinds of refusals in short.
    fn told(result: Result<impl Sized, EditRefused>) -> &'static str {
        match result {
            Ok(_) => "ok",
            Err(EditRefused::AccountClosed { .. }) => "closed",
            Err(EditRefused::EtagMismatch { .. }) => "etag",
            Err(EditRefused::Reconciled { .. }) => "reconciled",
            Err(EditRefused::Invalid(_)) => "currency",
        }
    }

    #[test]
    fn edits_are_refused_in_this_order() {
        let seen = etag(&opened(false, false).transaction);
        let edit = |set: fn(&mut Edit)| {
            let mut edit = Edit::default();
            set(&mut edit);
            edit
        };
        let amount = edit(|edit| edit.amount_minor = Some(1));
        let day = edit(|edit| edit.booked_on = Some(DAY.date_naive()));
        let note = edit(|edit| edit.note = Some(String::new()));
        let lifted = edit(|edit| {
            edit.amount_minor = Some(1);
            edit.reconciled = Some(false);
        });
        let kept = edit(|edit| {
            edit.amount_minor = Some(1);
            edit.reconciled = Some(true);
        });
        for (edit, etag, code, closed, reconciled, expected) in [
            (&amount, &*seen, "EUR", false, false, "ok"),
            (&amount, "x", "USD", true, true, "closed"),
            (&amount, "x", "USD", false, true, "etag"),
            (&amount, "", "USD", false, true, "etag"),
            (&amount, &seen, "USD", false, true, "reconciled"),
            (&amount, &seen, "USD", false, false, "currency"),
            (&day, &seen, "EUR", false, true, "reconciled"),
            (&kept, &seen, "EUR", false, true, "reconciled"),
            (&kept, &seen, "EUR", false, false, "ok"),
            (&lifted, &seen, "EUR", false, true, "ok"),
            (&note, &seen, "EUR", false, true, "ok"),
            (&note, &seen, "EUR", true, true, "closed"),
        ] {
            let request = UpdateTransaction {
                transaction_id: Uuid::from_u128(3),
                etag: etag.to_owned(),
                edit: edit.clone(),
                currency: Some(money(code).currency),
            };
            let found = told(request.permit(&opened(closed, reconciled)));
            assert_eq!(found, expected, "{request:?}");
        }
    }

    #[test]
    fn deletions_and_unlocks_are_refused_in_the_same_order() {
        let seen = etag(&opened(false, false).transaction);
        for (etag, closed, reconciled, deletion, unlock) in [
            (Some(&*seen), false, false, "ok", "ok"),
            (None, false, false, "ok", "etag"),
            (None, false, true, "reconciled", "etag"),
            (Some("x"), false, true, "etag", "etag"),
            (Some("x"), true, true, "closed", "etag"),
            (Some(&*seen), true, false, "closed", "ok"),
            (Some(&*seen), false, true, "reconciled", "ok"),
        ] {
            let opened = opened(closed, reconciled);
            let request = DeleteTransaction {
                transaction_id: Uuid::from_u128(3),
                etag: etag.map(str::to_owned),
            };
            assert_eq!(told(request.permit(&opened)), deletion, "{request:?}");
            let request = UnlockTransactionFields {
                transaction_id: Uuid::from_u128(3),
                etag: etag.unwrap_or_default().to_owned(),
                fields: vec![Field::Note],
            };
            assert_eq!(told(request.permit(&opened)), unlock, "{request:?}");
        }
    }

    #[test]
    fn names_of_fields() {
        let read = |names: &[&str]| {
            let mut fields = Fields::new();
            let found = fields.names("update_mask", names.iter().copied());
            fields
                .finish(|| Some(found))
                .map_err(|invalid| invalid.to_string())
        };
        assert_eq!(
            read(&["note", "amount", "note"]),
            Ok(vec![Field::Amount, Field::Note])
        );
        let known = "amount, booked_on, counterparty, description, note, reconciled, value_on";
        for (names, expected) in [
            (
                &[][..],
                format!("update_mask: is empty; name some of {known}"),
            ),
            (
                &["note", "account_id"],
                format!("update_mask: names \"account_id\", which cannot change; name of {known}"),
            ),
            (
                &["*"],
                format!("update_mask: names \"*\", which cannot change; name of {known}"),
            ),
        ] {
            assert_eq!(read(names), Err(expected));
        }
        assert!(read(&["amount.minor_units"]).is_err());
        assert!(read(&[&"x".repeat(100_000)]).unwrap_err().len() < 250);
        assert!(read(&["x"; 10_000]).unwrap_err().len() < 250);
        assert_eq!(read(&["note"; 10_000]), Ok(vec![Field::Note]));
    }
}
