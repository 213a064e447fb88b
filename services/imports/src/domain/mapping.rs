//! What a person says of a file where the reader was wrong or at a loss: its encoding, delimiter
//! and header, and what its columns mean. A mapping speaks as a header would, only that its word
//! counts more; what it leaves open is decided as always, by the same proofs. Whether it fits the
//! file is told by the file, and a mapping that does not is refused by the name of its field.

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use super::date::{ORDERS, Order};
use super::description::example;
use super::number::{FORMATS, Format};
use super::record::COLUMNS_MAX;

mod fit;
mod text;

#[cfg(test)]
mod tests;

pub(super) use text::stated;

/// What a column means, in the words of the description of a reading.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The day of booking.
    BookedOn,
    /// The day the money counts.
    ValueOn,
    /// The amount with its sign as written.
    Amount,
    /// The amount with its sign turned.
    AmountInverted,
    /// Money out.
    AmountOut,
    /// Money in.
    AmountIn,
    /// Words that tell which way the money went.
    Direction,
    /// A fee beside the amount.
    Fee,
    /// The balance behind the row.
    Balance,
    /// The currency.
    Currency,
    /// What the booking says.
    Description,
    /// The other party.
    Counterparty,
    /// The bank's id.
    ExternalId,
    /// A state, under some of which no money moved.
    Status,
    /// Nothing.
    Ignored,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 15] = [
        Self::BookedOn,
        Self::ValueOn,
        Self::Amount,
        Self::AmountInverted,
        Self::AmountOut,
        Self::AmountIn,
        Self::Direction,
        Self::Fee,
        Self::Balance,
        Self::Currency,
        Self::Description,
        Self::Counterparty,
        Self::ExternalId,
        Self::Status,
        Self::Ignored,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookedOn => "booked_on",
            Self::ValueOn => "value_on",
            Self::Amount => "amount",
            Self::AmountInverted => "amount_inverted",
            Self::AmountOut => "amount_out",
            Self::AmountIn => "amount_in",
            Self::Direction => "direction",
            Self::Fee => "fee",
            Self::Balance => "balance",
            Self::Currency => "currency",
            Self::Description => "description",
            Self::Counterparty => "counterparty",
            Self::ExternalId => "external_id",
            Self::Status => "status",
            Self::Ignored => "ignored",
        }
    }

    /// A name that the vocabularies understand as this role and as nothing else.
    fn spoken(self) -> &'static str {
        match self {
            Self::BookedOn => "booking date",
            Self::ValueOn => "value date",
            Self::Amount | Self::AmountInverted => "billing amount",
            Self::AmountOut => "debit",
            Self::AmountIn => "credit",
            Self::Direction => "indicator",
            Self::Fee => "fee",
            Self::Balance => "balance",
            Self::Currency => "currency",
            Self::Description => "description",
            Self::Counterparty => "counterparty",
            Self::ExternalId => "transaction id",
            Self::Status => "status",
            // A kind of text that is known and means nothing for the booking.
            Self::Ignored => "category",
        }
    }

    /// Whether one column at most can have it.
    fn is_single(self) -> bool {
        !matches!(
            self,
            Self::Currency | Self::Description | Self::Counterparty | Self::Ignored
        )
    }

    fn is_date(self) -> bool {
        matches!(self, Self::BookedOn | Self::ValueOn)
    }

    /// Whether it stands for an amount by itself.
    fn is_amount(self) -> bool {
        matches!(
            self,
            Self::Amount | Self::AmountInverted | Self::AmountOut | Self::AmountIn
        )
    }

    fn is_number(self) -> bool {
        self.is_amount() || matches!(self, Self::Fee | Self::Balance)
    }
}

/// How a column writes what it holds.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Dates in this order.
    Date(Order),
    /// Numbers in this format.
    Number(Format),
}

impl Written {
    /// As the description of a reading writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Date(order) => order.label(),
            Self::Number(format) => example(format),
        }
    }
}

/// A column and what it means.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The column, from 0.
    pub column: usize,
    /// Its meaning.
    pub role: Role,
    /// How it writes that; none leaves it to the reader.
    pub format: Option<Written>,
}

/// What a person says of a file. Empty, it says nothing.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The encoding by its WHATWG name.
    pub encoding: Option<String>,
    /// The delimiter.
    pub delimiter: Option<char>,
    /// The line of the header, from 1.
    pub header_line: Option<u64>,
    /// Columns, in the order in which they were sent.
    pub columns: Vec<Mapped>,
}

/// A part of a mapping that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The field, as the proto calls it.
    pub field: String,
    /// What is wrong, and the way out.
    pub problem: String,
}

/// A column as it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Position, from 1.
    pub position: i32,
    /// The word of a role.
    pub role: &'a str,
    /// A format, or empty.
    pub format: &'a str,
}

fn unfit<T>(field: impl Into<String>, problem: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit {
        field: field.into(),
        problem: problem.into(),
    })
}

fn place(index: usize, field: &str) -> String {
    format!("mapping.columns[{index}].{field}")
}

impl Mapping {
    /// What was sent, as far as it can be judged without the file.
    ///
    /// # Errors
    /// The first part that cannot be.
    pub fn parse(
        encoding: &str,
        delimiter: &str,
        header_line: i64,
        columns: &[Sent<'_>],
    ) -> Result<Self, Unfit> {
        if columns.len() > COLUMNS_MAX {
            let problem = format!("has {} entries; send at most {COLUMNS_MAX}", columns.len());
            return unfit("mapping.columns", problem);
        }
        let mut mapping = Self {
            encoding: charset(encoding)?,
            delimiter: separator(delimiter)?,
            header_line: match header_line {
                0 => None,
                line => match u64::try_from(line) {
                    Ok(line) => Some(line),
                    Err(_) => return unfit("mapping.header_line", "is negative; lines begin at 1"),
                },
            },
            columns: Vec::with_capacity(columns.len()),
        };
        for (index, sent) in columns.iter().enumerate() {
            let mapped = mapped(index, sent)?;
            mapping.add(index, mapped)?;
        }
        Ok(mapping)
    }

    fn add(&mut self, index: usize, mapped: Mapped) -> Result<(), Unfit> {
        if self.find(mapped.column).is_some() {
            let problem = format!("{} is there twice; say one thing", mapped.column + 1);
            return unfit(place(index, "position"), problem);
        }
        let word = mapped.role.as_str();
        if mapped.role.is_single() && self.of(mapped.role).is_some() {
            let problem = format!("{word} is there twice; only one column can be that");
            return unfit(place(index, "role"), problem);
        }
        let whole = |role| matches!(role, Role::Amount | Role::AmountInverted);
        let rival = self.columns.iter().find(|other| {
            let both = other.role.is_amount() && mapped.role.is_amount();
            both && (whole(other.role) || whole(mapped.role))
        });
        if let Some(rival) = rival {
            let rival = rival.role.as_str();
            let problem = format!("{word} cannot stand beside {rival}; send one of them");
            return unfit(place(index, "role"), problem);
        }
        self.columns.push(mapped);
        Ok(())
    }

    fn find(&self, column: usize) -> Option<&Mapped> {
        self.columns.iter().find(|mapped| mapped.column == column)
    }

    /// The column of a role, with its place in what was sent.
    fn of(&self, role: Role) -> Option<(usize, Mapped)> {
        let mut places = self.columns.iter().copied().enumerate();
        places.find(|(_, mapped)| mapped.role == role)
    }

    /// Whether a column may be taken for this: it is said to be, or nothing is said of it and no
    /// other column is said to be what only one can.
    fn allows(&self, column: usize, role: Role) -> bool {
        match self.find(column) {
            Some(mapped) => mapped.role == role,
            None => !role.is_single() || self.of(role).is_none(),
        }
    }
}

/// The name by which an encoding is known.
fn charset(label: &str) -> Result<Option<String>, Unfit> {
    if label.is_empty() {
        return Ok(None);
    }
    let known = Encoding::for_label_no_replacement(label.as_bytes());
    match known.filter(|_| label.trim() == label) {
        Some(encoding) => Ok(Some(encoding.name().to_owned())),
        None => unfit(
            "mapping.encoding",
            "is no encoding that is known; send a WHATWG name such as utf-8 or windows-1252",
        ),
    }
}

/// One ASCII character that is neither part of a word nor a quotation mark; a tab also as `\t`.
fn separator(text: &str) -> Result<Option<char>, Unfit> {
    let mut characters = text.chars();
    let fits = |c: char| c == '\t' || c == ' ' || (c.is_ascii_punctuation() && c != '"');
    match (text, characters.next(), characters.next()) {
        ("", ..) => Ok(None),
        ("\\t", ..) => Ok(Some('\t')),
        (_, Some(one), None) if fits(one) => Ok(Some(one)),
        _ => unfit(
            "mapping.delimiter",
            "is no delimiter; send one character such as ; or , or | or \\t for a tab",
        ),
    }
}

fn mapped(index: usize, sent: &Sent<'_>) -> Result<Mapped, Unfit> {
    let position = usize::try_from(sent.position).ok();
    let column = position
        .filter(|position| (1..=COLUMNS_MAX).contains(position))
        .and_then(|position| position.checked_sub(1));
    let Some(column) = column else {
        let problem = format!("is no column; send 1 to {COLUMNS_MAX}");
        return unfit(place(index, "position"), problem);
    };
    let Some(role) = Role::ALL
        .into_iter()
        .find(|role| role.as_str() == sent.role)
    else {
        let words: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        let problem = format!("is no role; send one of {}", words.join(", "));
        return unfit(place(index, "role"), problem);
    };
    let format = if sent.format.is_empty() {
        None
    } else {
        let words: Vec<Written> = if role.is_date() {
            ORDERS.into_iter().map(Written::Date).collect()
        } else if role.is_number() {
            FORMATS.into_iter().map(Written::Number).collect()
        } else {
            let problem = "stands for dates and amounts only; leave it out";
            return unfit(place(index, "format"), problem);
        };
        let found = words.iter().find(|word| word.as_str() == sent.format);
        let Some(found) = found else {
            let words: Vec<String> = words.iter().map(|w| format!("{:?}", w.as_str())).collect();
            let problem = format!("is no format; send one of {}", words.join(", "));
            return unfit(place(index, "format"), problem);
        };
        Some(*found)
    };
    Ok(Mapped {
        column,
        role,
        format,
    })
}
