//! Accounts and transactions as tables.

use djinn_proto::{
    common::v1::Money,
    sync::v1::{Account, Transaction, TransactionChange, TransactionFieldChange},
};

use super::{table::Table, text};
use crate::amount;

/// The accounts.
pub(crate) fn accounts(accounts: &[Account]) -> String {
    if accounts.is_empty() {
        return "no accounts; `djinn account create` opens one".to_owned();
    }
    let mut table = Table::new([
        "ACCOUNT", "NAME", "KIND", "NUMBER", "BALANCE", "CURRENCY", "STATE",
    ])
    .right(4);
    for account in accounts {
        table.row([
            &account.account_id,
            &account.name,
            &text::account_kind(account.kind()),
            &account.number,
            &decimal(account.balance.as_ref()),
            &account.currency_code,
            &text::account_state(account.state()),
        ]);
    }
    table.text()
}

/// The transactions.
pub(crate) fn transactions(transactions: &[Transaction]) -> String {
    if transactions.is_empty() {
        return "no transactions".to_owned();
    }
    let mut table = Table::new([
        "BOOKED",
        "AMOUNT",
        "CURRENCY",
        "MARK",
        "COUNTERPARTY",
        "DESCRIPTION",
        "ID",
    ])
    .right(1);
    for transaction in transactions {
        table.row([
            &transaction.booked_on,
            &decimal(transaction.amount.as_ref()),
            currency(transaction.amount.as_ref()),
            mark(transaction),
            &transaction.counterparty,
            &transaction.description,
            &transaction.transaction_id,
        ]);
    }
    table.text()
}

fn mark(transaction: &Transaction) -> &'static str {
    match (transaction.locked_fields.is_empty(), transaction.reconciled) {
        (true, false) => "",
        (false, false) => "*",
        (true, true) => "=",
        (false, true) => "*=",
    }
}

/// A transaction with all its fields; those that are locked say so.
pub(crate) fn transaction(transaction: &Transaction) -> String {
    let amount = transaction.amount.as_ref();
    let mut table = Table::new(["FIELD", "VALUE", "LOCKED"]);
    for (field, value) in [
        ("transaction_id", &*transaction.transaction_id),
        ("account_id", &transaction.account_id),
        ("booked_on", &transaction.booked_on),
        ("value_on", &transaction.value_on),
        (
            "amount",
            &amount.map(amount::with_currency).unwrap_or_default(),
        ),
        ("description", &transaction.description),
        ("counterparty", &transaction.counterparty),
        ("note", &transaction.note),
        (
            "reconciled",
            if transaction.reconciled { "yes" } else { "no" },
        ),
        ("source", &text::source(transaction.source())),
        ("external_id", &transaction.external_id),
        ("import_id", &transaction.import_id),
        ("create_time", &text::moment(transaction.create_time)),
        ("update_time", &text::moment(transaction.update_time)),
        ("etag", &transaction.etag),
    ] {
        let locked = transaction.locked_fields.iter().any(|name| name == field);
        table.row([field, value, if locked { "locked" } else { "" }]);
    }
    table.text()
}

/// A transaction and what happened to it, one line for each field.
pub(crate) fn history(transaction: Option<&Transaction>, changes: &[TransactionChange]) -> String {
    let mut table = Table::new(["WHEN", "WHAT", "BY", "FIELD", "FROM", "TO"]);
    let nothing = TransactionFieldChange::default();
    for change in changes {
        let by = match &*change.reference {
            "" => text::change_actor(change.actor()),
            reference => format!("{} {reference}", text::change_actor(change.actor())),
        };
        let what = text::change_kind(change.kind());
        let fields = match &*change.fields {
            [] => std::slice::from_ref(&nothing),
            fields => fields,
        };
        for field in fields {
            table.row([
                &text::moment(change.change_time),
                &what,
                &by,
                &field.field,
                &field.old_value,
                &field.new_value,
            ]);
        }
    }
    let now = match transaction {
        Some(transaction) => self::transaction(transaction),
        None => "the transaction is gone; its history stays".to_owned(),
    };
    format!("{now}\n\n{}", table.text())
}

/// The amount without its currency, or nothing.
pub(super) fn decimal(money: Option<&Money>) -> String {
    money.map(amount::decimal).unwrap_or_default()
}

/// The currency of the amount, or nothing.
pub(super) fn currency(money: Option<&Money>) -> &str {
    money.map_or("", |money| &money.currency_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_line_up_on_the_right() {
        let transaction = |booked_on: &str, code: &str, minor_units| Transaction {
            booked_on: booked_on.to_owned(),
            amount: Some(Money {
                currency_code: code.to_owned(),
                minor_units,
            }),
            description: "\u{1b}[31mred".to_owned(),
            ..Transaction::default()
        };
        let table = transactions(&[
            transaction("2025-01-02", "EUR", -123_456),
            transaction("2025-01-01", "JPY", 5),
        ]);
        assert!(table.contains("┆ -1234.56 ┆ EUR "), "{table}");
        assert!(table.contains("┆        5 ┆ JPY "), "{table}");
        assert!(!table.contains('\u{1b}'), "{table}");
    }

    #[test]
    fn what_a_person_did_is_marked() {
        for (locked, reconciled, expected) in [
            (false, false, ""),
            (true, false, "*"),
            (false, true, "="),
            (true, true, "*="),
        ] {
            let transaction = Transaction {
                locked_fields: vec!["note".to_owned(); usize::from(locked)],
                reconciled,
                ..Transaction::default()
            };
            assert_eq!(mark(&transaction), expected);
        }
    }
}
