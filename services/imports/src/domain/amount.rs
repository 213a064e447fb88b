//! What the amount of a row is: from which columns, and with which sign. Outflow is negative.

use std::borrow::Cow;

use djinn_ledger::money::Decimal;
use serde::{Deserialize, Serialize};

use super::number::{self, Format, NumberError, Side};
use super::record::Record;

/// A column of numbers with its format.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numeral {
    /// The column, from 0.
    pub column: usize,
    /// How it writes numbers.
    pub format: Format,
}

/// What the written signs of a pair or of an indicated amount mean.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Signs {
    /// Nothing: the column or the indicator alone gives the direction.
    Ignored,
    /// A minus turns the direction around, as for a reversed booking.
    Reversal,
    /// They are the direction; column and indicator only repeat it.
    Direction,
}

/// What a row with an unknown indicator, or an amount without a mark, is.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// No transaction: it is rejected and shown.
    #[default]
    Rejected,
    /// Money out.
    Out,
    /// Money in.
    In,
}

/// Where amounts stand.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Amount {
    /// One column with signs.
    Signed {
        /// The column.
        cell: Numeral,
        /// Whether positive means money out, as on many card statements.
        inverted: bool,
    },
    /// One column whose cells name the side, as in `0.80Dr`, or of which only one side has a mark,
    /// as in `5.00 Cr` or `+5.00` beside bare amounts that are debits.
    Marked {
        /// The column.
        cell: Numeral,
        /// Whether the debit mark means money in.
        inverted: bool,
        /// What cells without a mark mean.
        #[serde(default)]
        bare: Unknown,
    },
    /// A column for money out and one for money in.
    Pair {
        /// Money out.
        out: Numeral,
        /// Money in.
        into: Numeral,
        /// What signs inside mean.
        signs: Signs,
    },
    /// One column, and another whose value tells the direction.
    Indicated {
        /// The amounts.
        cell: Numeral,
        /// The column with the direction.
        indicator: usize,
        /// Its values that mean money out.
        out: Vec<String>,
        /// Its values that mean money in.
        into: Vec<String>,
        /// What other values mean.
        unknown: Unknown,
        /// What signs inside mean.
        signs: Signs,
    },
}

/// Why a row has no readable amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) reason: &'static str,
    pub(super) detail: Cow<'static, str>,
}

impl Unreadable {
    fn new(reason: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// The figure in a column; an empty cell is none.
pub(super) fn figure(record: &Record, cell: Numeral) -> Result<Option<number::Figure>, Unreadable> {
    number::read(record.cell(cell.column), cell.format).map_err(|error| match error {
        NumberError::NotNumeric => Unreadable::new(
            "BAD_AMOUNT",
            "The amount is no number of the column's format.",
        ),
        NumberError::Overflow => Unreadable::new("AMOUNT_TOO_LARGE", "The amount is too large."),
    })
}

fn directed(value: Decimal, out: bool, signs: Signs) -> Decimal {
    match (signs, out) {
        (Signs::Ignored, true) => value.magnitude().negated(),
        (Signs::Ignored, false) => value.magnitude(),
        (Signs::Reversal, true) => value.negated(),
        (Signs::Reversal, false) | (Signs::Direction, _) => value,
    }
}

impl Amount {
    /// The signed amount of a record; none when its cells are empty.
    pub(super) fn read(&self, record: &Record) -> Result<Option<Decimal>, Unreadable> {
        match self {
            Self::Signed { cell, inverted } => {
                let value = figure(record, *cell)?.map(|figure| figure.value);
                Ok(value.map(|value| if *inverted { value.negated() } else { value }))
            }
            Self::Marked {
                cell,
                inverted,
                bare,
            } => {
                let Some(figure) = figure(record, *cell)? else {
                    return Ok(None);
                };
                let side = figure.side.or(figure.plus.then_some(Side::Credit));
                let debit = match (side, bare) {
                    (Some(side), _) => side == Side::Debit,
                    (None, _) if figure.value.digits == 0 => return Ok(Some(figure.value)),
                    (None, Unknown::Out) => true,
                    (None, Unknown::In) => false,
                    (None, Unknown::Rejected) => {
                        let detail = "The amount names no side.";
                        return Err(Unreadable::new("NO_DIRECTION", detail));
                    }
                };
                let out = debit != *inverted;
                Ok(Some(directed(figure.value, out, Signs::Ignored)))
            }
            Self::Pair { out, into, signs } => pair(record, *out, *into, *signs),
            Self::Indicated {
                cell,
                indicator,
                out,
                into,
                unknown,
                signs,
            } => {
                let Some(figure) = figure(record, *cell)? else {
                    return Ok(None);
                };
                let value = record.cell(*indicator);
                let outward = match (
                    out.iter().any(|o| o == value),
                    into.iter().any(|i| i == value),
                ) {
                    (true, _) => true,
                    (_, true) => false,
                    _ if figure.value.digits == 0 => return Ok(Some(figure.value)),
                    _ => match unknown {
                        Unknown::Out => true,
                        Unknown::In => false,
                        Unknown::Rejected => {
                            let detail = format!("{value:?} does not tell the direction.");
                            return Err(Unreadable::new("NO_DIRECTION", detail));
                        }
                    },
                };
                Ok(Some(directed(figure.value, outward, *signs)))
            }
        }
    }

    /// The columns it reads.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Signed { cell, .. } | Self::Marked { cell, .. } => vec![cell.column],
            Self::Pair { out, into, .. } => vec![out.column, into.column],
            Self::Indicated {
                cell, indicator, ..
            } => vec![cell.column, *indicator],
        }
    }

    /// The column whose format the amounts are written in.
    pub(super) fn cell(&self) -> Numeral {
        match self {
            Self::Signed { cell, .. }
            | Self::Marked { cell, .. }
            | Self::Indicated { cell, .. } => *cell,
            Self::Pair { out, .. } => *out,
        }
    }

    /// A short name for answers, stable for one format of files.
    pub(super) fn token(&self) -> String {
        let mark = |cell: &Numeral| match cell.format.mark() {
            Some(',') => "comma",
            _ => "dot",
        };
        match self {
            Self::Signed { cell, inverted } => {
                let sign = if *inverted { "inverted" } else { "signed" };
                format!("{sign}:{}:{}", cell.column, mark(cell))
            }
            Self::Marked {
                cell,
                inverted,
                bare,
            } => {
                let sign = if *inverted { "unmarked" } else { "marked" };
                let bare = match bare {
                    Unknown::Rejected => "",
                    Unknown::Out => ":out",
                    Unknown::In => ":in",
                };
                format!("{sign}:{}:{}{bare}", cell.column, mark(cell))
            }
            Self::Pair { out, into, signs } => {
                format!(
                    "pair:{}:{}:{}:{}",
                    out.column,
                    into.column,
                    mark(out),
                    name(*signs)
                )
            }
            Self::Indicated {
                cell,
                indicator,
                out,
                unknown,
                signs,
                ..
            } => {
                let rest = match unknown {
                    Unknown::Rejected => "rejected",
                    Unknown::Out => "out",
                    Unknown::In => "in",
                };
                let first = out.first().map_or("", String::as_str);
                let (column, signs) = (cell.column, name(*signs));
                format!(
                    "told:{column}:{indicator}:{}:{signs}:{first}:{rest}",
                    mark(cell)
                )
            }
        }
    }
}

fn name(signs: Signs) -> &'static str {
    match signs {
        Signs::Ignored => "ignored",
        Signs::Reversal => "reversal",
        Signs::Direction => "direction",
    }
}

fn pair(
    record: &Record,
    out: Numeral,
    into: Numeral,
    signs: Signs,
) -> Result<Option<Decimal>, Unreadable> {
    let left = figure(record, out)?.map(|figure| figure.value);
    let right = figure(record, into)?.map(|figure| figure.value);
    let (outward, inward) = match (left, right) {
        (None, None) => return Ok(None),
        (left, right) => (left.unwrap_or_default(), right.unwrap_or_default()),
    };
    match (outward.digits, inward.digits) {
        (0, 0) => Ok(Some(left.or(right).unwrap_or_default().magnitude())),
        (_, 0) => Ok(Some(directed(outward, true, signs))),
        (0, _) => Ok(Some(directed(inward, false, signs))),
        _ => Err(Unreadable::new(
            "TWO_AMOUNTS",
            "Both the column out and the column in are filled.",
        )),
    }
}

/// An amount, and a fee that leaves the account with it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The amount.
    pub amount: Amount,
    /// The column of a fee that is not part of the amount.
    pub fee: Option<Numeral>,
}

impl Plan {
    /// The signed amount of a record, the fee taken off.
    pub(super) fn read(&self, record: &Record) -> Result<Option<Decimal>, Unreadable> {
        let amount = self.amount.read(record)?;
        let Some(fee) = self.fee else {
            return Ok(amount);
        };
        let fee = figure(record, fee)?.map(|figure| figure.value.magnitude().negated());
        // A row may hold nothing but a fee.
        let charged = fee.filter(|fee| amount.is_some() || fee.digits != 0);
        if amount.is_none() && charged.is_none() {
            return Ok(None);
        }
        let sum = amount.unwrap_or_default().plus(charged.unwrap_or_default());
        let overflow = |_| Unreadable::new("AMOUNT_TOO_LARGE", "The amount is too large.");
        sum.map(Some).map_err(overflow)
    }

    pub(super) fn token(&self) -> String {
        let token = self.amount.token();
        self.fee.map_or_else(
            || token.clone(),
            |fee| format!("{token}:less:{}", fee.column),
        )
    }
}
