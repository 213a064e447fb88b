//! Accounts and transactions as tables.

use djinn_proto::{
    common::v1::Money,
    sync::v1::{Account, Transaction},
};

use super::{table::Table, text};
use crate::amount;

/// The accounts.
pub(crate) fn accounts(accounts: &[Account]) -> String {
    if accounts.is_empty() {
        return "no accounts; `djinn account create` opens one".to_owned();
    }
    let mut table =
        Table::new(["ACCOUNT", "NAME", "KIND", "BALANCE", "CURRENCY", "STATE"]).right(3);
    for account in accounts {
        table.row([
            &account.account_id,
            &account.name,
            &text::account_kind(account.kind()),
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
            &transaction.counterparty,
            &transaction.description,
            &transaction.transaction_id,
        ]);
    }
    table.text()
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
}
