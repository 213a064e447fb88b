//! What the columns of the table hold as far as money is concerned.

use djinn_ledger::money::Currency;

use super::amount::Numeral;
use super::column::{self, Facts, Survey};
use super::header::{self, NumberKind, TextKind};
use super::layout::Layout;
use super::number::Format;
use super::sign;

/// A column whose values tell the direction.
#[derive(Clone, Debug)]
pub(super) struct Indicator {
    pub(super) column: usize,
    /// Its values that mean money out.
    pub(super) out: Vec<String>,
    /// Its values that mean money in.
    pub(super) into: Vec<String>,
    /// Whether it has other values too.
    pub(super) partial: bool,
    /// Whether it tells the side of some rows only and is not headed as doing so: it is believed
    /// where amounts have no signs.
    pub(super) weak: bool,
}

/// The columns of the table as far as amounts are concerned.
pub(super) struct Table<'a> {
    pub(super) survey: &'a Survey,
    pub(super) layout: &'a Layout,
    exponent: Option<u8>,
    mark: Option<char>,
    kinds: Vec<NumberKind>,
}

impl<'a> Table<'a> {
    pub(super) fn new(survey: &'a Survey, layout: &'a Layout, currency: Option<Currency>) -> Self {
        let kinds = (0..survey.columns.len())
            .map(|index| header::number(column::name(layout, index)))
            .collect();
        let exponent = currency.map(|currency| currency.exponent());
        let mut table = Self {
            survey,
            layout,
            exponent,
            mark: None,
            kinds,
        };
        table.mark = table.common_mark();
        table
    }

    /// The decimal mark of the file, if its columns agree on one.
    pub(super) fn mark(&self) -> Option<char> {
        self.mark
    }

    pub(super) fn facts(&self, index: usize) -> Option<&Facts> {
        self.survey.columns.get(index)
    }

    pub(super) fn kind(&self, index: usize) -> NumberKind {
        self.kinds
            .get(index)
            .copied()
            .unwrap_or(NumberKind::Unnamed)
    }

    /// The decimal mark of the columns that leave no doubt, if they agree: a file has one.
    fn common_mark(&self) -> Option<char> {
        let mut found = None;
        for facts in self.survey.columns.iter().filter(|facts| facts.numeric()) {
            let formats = facts.numbers.formats(self.exponent);
            if let [only] = formats.as_slice()
                && facts.numbers.cents > 0
            {
                if found.is_some() && found != only.mark() {
                    return None;
                }
                found = only.mark();
            }
        }
        found
    }

    /// The formats of a column: two when they differ and nothing tells.
    pub(super) fn formats(&self, index: usize) -> Vec<Format> {
        let Some(facts) = self.facts(index) else {
            return Vec::new();
        };
        let formats = facts.numbers.formats(self.exponent);
        let fitting: Vec<Format> = formats
            .iter()
            .filter(|format| format.mark() == self.mark)
            .copied()
            .collect();
        // Where every amount is torn, the mark of other columns proves nothing of this one.
        let torn = facts.numbers.torn > 0
            && facts.numbers.torn == facts.numbers.negative + facts.numbers.positive;
        let stated = |format: &&Format| format.mark() == self.layout.mark;
        let mut chosen = if self.mark.is_some() && !fitting.is_empty() && !torn {
            fitting
        } else if torn && self.layout.mark.is_some() && formats.iter().any(|f| stated(&f)) {
            // A figure in front of the table that has both marks shows which is which.
            formats.iter().filter(stated).copied().collect()
        } else {
            formats
        };
        // Groups of thousands are likelier than three decimals.
        if chosen.len() == 2 {
            chosen.sort_by_key(|format| format.mark() == self.torn_mark(index));
        }
        chosen
    }

    /// The mark that would be the decimal mark of `12,345`.
    fn torn_mark(&self, index: usize) -> Option<char> {
        let values = self.facts(index).and_then(|facts| facts.values.clone())?;
        let comma = values.iter().any(|(value, _)| value.contains(','));
        Some(if comma { ',' } else { '.' })
    }

    pub(super) fn numeric(&self, index: usize) -> bool {
        let money = header::money(self.kind(index));
        self.facts(index).is_some_and(|facts| {
            (facts.numeric() || (money && facts.mostly_numeric())) && !facts.currency()
        }) && !self.layout.date_columns.contains(&index)
    }

    pub(super) fn empty(&self, index: usize) -> bool {
        self.facts(index).is_none_or(|facts| facts.filled == 0)
    }

    /// Whether an unnamed column looks like money and not like ids, rates or quantities.
    pub(super) fn monetary(&self, index: usize) -> bool {
        self.facts(index).is_some_and(|facts| {
            let numbers = &facts.numbers;
            numbers.padded == 0
                && numbers.fine == 0
                && numbers.shaped * 2 >= numbers.filled - numbers.zero
                && (numbers.cents > 0 || numbers.negative > 0 || numbers.currency.is_some())
        })
    }

    /// Whether an unnamed column may be money in whole units: filled, never padded, not constant.
    pub(super) fn whole(&self, index: usize) -> bool {
        self.facts(index).is_some_and(|facts| {
            let several = facts.values.as_ref().is_none_or(|values| values.len() > 1);
            facts.numbers.padded == 0
                && facts.numbers.fine == 0
                && facts.filled == self.survey.rows
                && several
        })
    }

    pub(super) fn columns(&self, wanted: impl Fn(NumberKind) -> bool) -> Vec<usize> {
        let all = 0..self.survey.columns.len();
        all.filter(|index| wanted(self.kind(*index)) && self.numeric(*index))
            .collect()
    }

    /// Whether amounts were torn apart at their decimal comma: rows are wider than the header, and
    /// behind a column of whole numbers stands one of two digits each.
    pub(super) fn torn_apart(&self, names: usize) -> bool {
        names > 0
            && self.survey.columns.len() > names
            && self.survey.columns.windows(2).any(|pair| match pair {
                [left, right] => {
                    let (whole, cents) = (&left.numbers, &right.numbers);
                    left.numeric()
                        && whole.cents == 0
                        && whole.filled * 10 >= self.survey.rows * 9
                        && cents.filled == cents.pairs
                        && cents.filled >= whole.filled.max(1)
                }
                _ => false,
            })
    }

    /// Columns that may hold a balance after each row.
    pub(super) fn balances(&self) -> Vec<Numeral> {
        let mut columns = self.columns(|kind| kind == NumberKind::Balance);
        if columns.is_empty() {
            columns = self.columns(|kind| {
                matches!(
                    kind,
                    NumberKind::Unnamed | NumberKind::Currency | NumberKind::Other
                )
            });
            let bare: Vec<usize> = columns.iter().copied().filter(|i| self.whole(*i)).collect();
            columns.retain(|index| self.monetary(*index));
            if columns.is_empty() {
                columns = bare;
            }
        }
        let numeral = |column: usize| {
            self.formats(column).first().map(|format| Numeral {
                column,
                format: *format,
            })
        };
        columns.into_iter().take(4).filter_map(numeral).collect()
    }

    /// Whether balances are named as such.
    pub(super) fn balance_named(&self) -> bool {
        !self.columns(|kind| kind == NumberKind::Balance).is_empty()
    }

    /// The column of a fee that is not zero everywhere.
    pub(super) fn fee(&self) -> Option<Numeral> {
        let columns = self.columns(|kind| kind == NumberKind::Fee);
        let charged = |index: &usize| {
            self.facts(*index)
                .is_some_and(|facts| facts.numbers.negative + facts.numbers.positive > 0)
        };
        let column = columns.into_iter().find(charged)?;
        self.formats(column).first().map(|format| Numeral {
            column,
            format: *format,
        })
    }

    /// Columns whose values tell the direction, best first.
    pub(super) fn indicators(&self) -> Vec<Indicator> {
        let mut found = Vec::new();
        for (index, facts) in self.survey.columns.iter().enumerate() {
            let Some(values) = &facts.values else {
                continue;
            };
            let known = facts.filled * 20 >= self.survey.rows * 19;
            if facts.filled == 0 || self.numeric(index) || facts.currency() {
                continue;
            }
            let name = column::name(self.layout, index);
            let free = matches!(
                header::text(name),
                TextKind::Indicator | TextKind::Type | TextKind::Other | TextKind::Unnamed
            );
            let known_letters = sign::letters(values.iter().map(|(value, _)| value.as_str()));
            let either = self.kind(index) == NumberKind::Either;
            if !known_letters || !(free || either) {
                continue;
            }
            let headed =
                header::text(name) == TextKind::Indicator || self.kind(index) == NumberKind::Either;
            let side = |inward: bool| -> Vec<String> {
                let told = |value: &&(String, u64)| sign::indicated(&value.0) == Some(inward);
                values
                    .iter()
                    .filter(told)
                    .map(|(value, _)| value.clone())
                    .collect()
            };
            let (mut out, mut into) = (side(false), side(true));
            if !known {
                // Where only one side has a mark, an empty cell is the other side.
                match (out.is_empty(), into.is_empty()) {
                    (true, false) if headed => out.push(String::new()),
                    (false, true) if headed => into.push(String::new()),
                    _ => continue,
                }
            }
            let blank = usize::from(!known);
            let all = out.len() + into.len() == values.len() + blank;
            let both = !out.is_empty() && !into.is_empty();
            let short = values.iter().any(|(value, _)| value.chars().count() < 2);
            let typed = matches!(header::text(name), TextKind::Type | TextKind::Indicator);
            let sure = all && (headed || both || (typed && !short));
            let weak = !sure && typed && both && !short;
            if sure || weak || (headed && !(out.is_empty() && into.is_empty())) {
                found.push((!all, !headed, index, out, into));
            }
        }
        found.sort_by_key(|(partial, unheaded, index, _, _)| (*partial, *unheaded, *index));
        let plain = |(partial, unheaded, column, out, into)| Indicator {
            column,
            out,
            into,
            partial,
            weak: partial && unheaded,
        };
        found.into_iter().map(plain).collect()
    }
}
