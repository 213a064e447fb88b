//! A frozen reading in words, for whoever reviews what it decided.

use djinn_ledger::money::Currency;

use super::{
    amount::{Amount, Numeral},
    number::Format,
    reading::Reading,
    when::Day,
};

/// How a file reads, column by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Encoding by its WHATWG name.
    pub encoding: String,
    /// The delimiter; a tab as "\t".
    pub delimiter: String,
    /// Line of the header, from 1, or 0 without one.
    pub header_line: u64,
    /// The columns that mean something, in the order of the file.
    pub columns: Vec<Column>,
    /// The currency of rows that name none, if the file tells.
    pub currency: Option<Currency>,
}

/// One column and its meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// Position, from 1.
    pub position: usize,
    /// The meaning, in a stable word.
    pub role: &'static str,
    /// How it writes numbers or dates; empty for text.
    pub format: &'static str,
    /// The header's name, or empty.
    pub name: String,
}

/// Puts a reading into words.
#[must_use]
pub fn describe(reading: &Reading) -> Description {
    let mut columns = Vec::new();
    let mut add = |index: usize, role, format| {
        let name = reading.names.get(index).cloned().unwrap_or_default();
        columns.push(Column {
            position: index + 1,
            role,
            format,
            name,
        });
    };
    let day = |day: Day| (day.column, day.order.label());
    let (column, order) = day(reading.day);
    add(column, "booked_on", order);
    if let Some((column, order)) = reading.value_day.map(day) {
        add(column, "value_on", order);
    }
    for (cell, role) in amounts(&reading.plan.amount) {
        add(cell.column, role, example(cell.format));
    }
    if let Amount::Indicated { indicator, .. } = &reading.plan.amount {
        add(*indicator, "direction", "");
    }
    for (cell, role) in [(reading.plan.fee, "fee"), (reading.balance, "balance")] {
        if let Some(cell) = cell {
            add(cell.column, role, example(cell.format));
        }
    }
    for (indices, role) in [
        (&reading.currency_columns, "currency"),
        (&reading.descriptions, "description"),
        (&reading.counterparties, "counterparty"),
    ] {
        for index in indices {
            add(*index, role, "");
        }
    }
    for (index, role) in [
        (reading.external_id, "external_id"),
        (reading.void_status, "status"),
        (reading.owner.column, "account"),
    ] {
        if let Some(index) = index {
            add(index, role, "");
        }
    }
    columns.sort();
    columns.dedup();
    Description {
        encoding: reading.charset.name.clone(),
        delimiter: match reading.dialect.delimiter {
            '\t' => "\\t".to_owned(),
            other => other.to_string(),
        },
        header_line: if reading.names.is_empty() {
            0
        } else {
            reading.before
        },
        columns,
        currency: reading.currency,
    }
}

pub(super) fn amounts(amount: &Amount) -> Vec<(Numeral, &'static str)> {
    match amount {
        Amount::Signed {
            cell,
            inverted: true,
        } => vec![(*cell, "amount_inverted")],
        Amount::Signed { cell, .. }
        | Amount::Marked { cell, .. }
        | Amount::Indicated { cell, .. } => vec![(*cell, "amount")],
        Amount::Pair { out, into, .. } => vec![(*out, "amount_out"), (*into, "amount_in")],
    }
}

/// A number as it is written in this format.
pub(super) fn example(format: Format) -> &'static str {
    match format {
        Format::DotComma => "1,234.56",
        Format::CommaDot => "1.234,56",
        Format::DotSpace => "1 234.56",
        Format::CommaSpace => "1 234,56",
        Format::DotApostrophe => "1'234.56",
        Format::CommaApostrophe => "1'234,56",
        Format::DotLakh => "12,34,567.89",
        Format::Whole => "1234",
    }
}
