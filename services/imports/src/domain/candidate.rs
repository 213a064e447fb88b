//! Every meaning that the amount columns of a file may reasonably have, in order of likelihood,
//! from the names of the columns and from what they hold.

use super::amount::{Amount, Numeral, Plan, Signs, Unknown};
use super::header::NumberKind;
use super::number::{FORMATS, Format};
use super::table::{Indicator, Table};

/// More meanings than this are not tried: the file is unlike any statement.
pub(super) const PLANS_MAX: usize = 96;

/// How strongly the names of the columns speak for a base; the first is the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Booked,
    Pair,
    Amount,
    Gross,
    Unknown,
    Foreign,
    /// Never the amount by itself, but it may fill rows that the amount leaves empty.
    Rest,
    /// Whole numbers without a name, as ids are: the amount only where a balance proves it.
    Bare,
}

/// Columns that may hold the amount, with all ways to read them, likeliest first.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) rank: Rank,
    pub(super) plans: Vec<Plan>,
}

impl Table<'_> {
    /// All bases, strongest first.
    pub(super) fn bases(&self) -> Vec<Base> {
        let mut bases = self.pairs();
        bases.extend(self.marked());
        let indicators = self.indicators();
        let singles = [
            (Rank::Booked, NumberKind::Booked),
            (Rank::Amount, NumberKind::Amount),
            (Rank::Amount, NumberKind::Either),
            (Rank::Amount, NumberKind::Net),
            (Rank::Gross, NumberKind::Gross),
            (Rank::Foreign, NumberKind::Foreign),
        ];
        for (rank, kind) in singles {
            let mut columns = self.columns(|other| other == kind);
            // Of columns with the same kind of name, money is what looks like it.
            if columns.iter().any(|index| self.monetary(*index)) {
                columns.retain(|index| self.monetary(*index));
            }
            for index in columns {
                bases.push(self.single(index, rank, &indicators));
            }
        }
        if bases.iter().all(|base| base.rank == Rank::Foreign) {
            bases.extend(self.lone_sides(&indicators));
        }
        if bases.iter().all(|base| base.rank == Rank::Foreign) {
            bases.extend(self.unnamed(&indicators));
        } else {
            bases.extend(self.rest(&bases));
        }
        bases.retain(|base| !base.plans.is_empty());
        bases.sort_by_key(|base| base.rank);
        bases
    }

    /// Columns of money that no base uses: no row may have its money only there.
    fn rest(&self, bases: &[Base]) -> Vec<Base> {
        let used: Vec<usize> = bases
            .iter()
            .flat_map(|base| &base.plans)
            .flat_map(|p| p.amount.columns())
            .collect();
        let mut columns = self.columns(|kind| {
            matches!(
                kind,
                NumberKind::Debit | NumberKind::Credit | NumberKind::Unnamed | NumberKind::Other
            )
        });
        columns.retain(|index| self.monetary(*index) && !used.contains(index));
        columns.truncate(6);
        columns
            .into_iter()
            .map(|index| self.single(index, Rank::Rest, &[]))
            .collect()
    }

    /// A column for debits without one for credits, or the other way round.
    fn lone_sides(&self, indicators: &[Indicator]) -> Vec<Base> {
        let sides = self.columns(|kind| matches!(kind, NumberKind::Debit | NumberKind::Credit));
        let free = sides.into_iter().filter(|index| self.monetary(*index));
        free.map(|index| self.single(index, Rank::Unknown, indicators))
            .collect()
    }

    fn pairs(&self) -> Vec<Base> {
        let side = |wanted: NumberKind| -> Vec<usize> {
            (0..self.survey.columns.len())
                .filter(|index| self.kind(*index) == wanted)
                .filter(|index| self.readable(*index) || self.empty(*index))
                .collect()
        };
        let (outs, ins) = (side(NumberKind::Debit), side(NumberKind::Credit));
        let mut bases = Vec::new();
        for out in &outs {
            for into in &ins {
                let near = ins
                    .iter()
                    .all(|other| into.abs_diff(*out) <= other.abs_diff(*out));
                let agreed = self.marked_as(*out, false) && self.marked_as(*into, true);
                if near && agreed && !(self.empty(*out) && self.empty(*into)) {
                    bases.push(Base {
                        rank: Rank::Pair,
                        plans: self.pair(*out, *into),
                    });
                }
            }
        }
        bases
    }

    /// Whether a column that is headed as one side has figures in most of its cells. The others
    /// are errors of their rows: the side must not be left out for them.
    fn readable(&self, index: usize) -> bool {
        self.numeric(index)
            || self.facts(index).is_some_and(|facts| {
                facts.numbers.best() * 2 > facts.filled && facts.dates.best() == 0
            })
    }

    /// Whether the marks in a column of one side, if it has any, name that side.
    fn marked_as(&self, index: usize, credit: bool) -> bool {
        self.facts(index).is_none_or(|facts| {
            let numbers = &facts.numbers;
            let marked = if credit { numbers.sided } else { 0 };
            numbers.credited == marked
        })
    }

    /// What a bare cell means in a column whose cells name their side; none for other columns.
    fn marks(&self, index: usize) -> Option<Unknown> {
        let numbers = &self.facts(index)?.numbers;
        let full = numbers.sided + numbers.zero >= numbers.best();
        let credits = numbers.credited > 0;
        match numbers.sided {
            // A plus on some and no minus on any: the plus is the mark.
            0 => (numbers.plus > 0 && numbers.negative == 0 && numbers.plus < numbers.positive)
                .then_some(Unknown::Out),
            _ if full => Some(Unknown::Rejected),
            _ if numbers.negative > 0 => None,
            sided if numbers.credited == sided => Some(Unknown::Out),
            _ => (!credits).then_some(Unknown::In),
        }
    }

    fn pair(&self, out: usize, into: usize) -> Vec<Plan> {
        let (left, right) = (self.formats(out), self.formats(into));
        let mut plans = Vec::new();
        let signs = |index: usize| {
            self.facts(index)
                .map_or((0, 0), |f| (f.numbers.positive, f.numbers.negative))
        };
        let ((out_plus, out_minus), (in_plus, in_minus)) = (signs(out), signs(into));
        // One sign per column repeats what the column says, from the side of bank or of customer.
        let plain = (in_minus == 0 && (out_minus == 0 || out_plus == 0))
            || (in_plus == 0 && out_minus == 0);
        let choices: &[Signs] = if plain {
            &[Signs::Ignored]
        } else {
            &[Signs::Ignored, Signs::Reversal, Signs::Direction]
        };
        let fallback = [Format::DotComma];
        let first = if left.is_empty() { &right } else { &left };
        let first = if first.is_empty() {
            fallback.as_slice()
        } else {
            first.as_slice()
        };
        for out_format in first {
            let same = |format: &&Format| format.mark() == out_format.mark();
            let in_format = right
                .iter()
                .find(same)
                .or(right.first())
                .unwrap_or(out_format);
            let out = Numeral {
                column: out,
                format: *out_format,
            };
            let into = Numeral {
                column: into,
                format: *in_format,
            };
            for signs in choices {
                for (out, into) in [(out, into), (into, out)] {
                    let amount = Amount::Pair {
                        out,
                        into,
                        signs: *signs,
                    };
                    plans.push(Plan { amount, fee: None });
                }
            }
        }
        plans
    }

    fn marked(&self) -> Vec<Base> {
        let wanted = |kind| {
            !matches!(
                kind,
                NumberKind::Balance | NumberKind::BalanceBefore | NumberKind::Id
            )
        };
        let columns = self.columns(wanted).into_iter();
        let columns = columns.filter(|index| self.monetary(*index));
        let base = |column: usize| {
            let bare = self.marks(column)?;
            let mut amounts = Vec::new();
            for format in self.formats(column) {
                let cell = Numeral { column, format };
                let marked = |inverted| Amount::Marked {
                    cell,
                    inverted,
                    bare,
                };
                amounts.push(marked(false));
                if bare == Unknown::Rejected {
                    amounts.push(marked(true));
                } else {
                    amounts.extend([false, true].map(|inverted| Amount::Signed { cell, inverted }));
                }
            }
            let plans = amounts.into_iter();
            let booked = self.kind(column) == NumberKind::Booked;
            Some(Base {
                rank: if booked { Rank::Booked } else { Rank::Pair },
                plans: plans.map(|amount| Plan { amount, fee: None }).collect(),
            })
        };
        columns.filter_map(base).collect()
    }

    fn single(&self, index: usize, rank: Rank, indicators: &[Indicator]) -> Base {
        let mut amounts = Vec::new();
        for format in self.formats(index) {
            let cell = Numeral {
                column: index,
                format,
            };
            let unsigned = self
                .facts(index)
                .is_none_or(|facts| facts.numbers.negative == 0);
            let told = indicators.iter().find(|found| unsigned || !found.weak);
            if let Some(Indicator {
                column: indicator,
                out,
                into,
                partial,
                ..
            }) = told
            {
                let unknowns: &[Unknown] = if *partial {
                    &[Unknown::Rejected, Unknown::Out, Unknown::In]
                } else {
                    &[Unknown::Rejected]
                };
                for signs in [Signs::Ignored, Signs::Direction, Signs::Reversal] {
                    for unknown in unknowns {
                        amounts.push(Amount::Indicated {
                            cell,
                            indicator: *indicator,
                            out: out.clone(),
                            into: into.clone(),
                            unknown: *unknown,
                            signs,
                        });
                    }
                }
            }
            for inverted in [false, true] {
                amounts.push(Amount::Signed { cell, inverted });
            }
            if unsigned && told.is_none() {
                amounts.extend(self.offered(cell));
            }
        }
        Base {
            rank,
            plans: amounts
                .into_iter()
                .map(|amount| Plan { amount, fee: None })
                .collect(),
        }
    }

    /// Without names: columns that look like money, alone and as pairs that exclude each other.
    fn unnamed(&self, indicators: &[Indicator]) -> Vec<Base> {
        let mut columns = self.columns(|kind| {
            matches!(
                kind,
                NumberKind::Unnamed | NumberKind::Other | NumberKind::Currency
            )
        });
        let mut bare: Vec<usize> = columns.iter().copied().filter(|i| self.whole(*i)).collect();
        columns.retain(|index| self.monetary(*index));
        bare.retain(|index| !columns.contains(index));
        if columns.is_empty() {
            // Currencies without decimals look like ids: only a balance can tell.
            columns = std::mem::take(&mut bare);
        }
        columns.truncate(6);
        bare.truncate(3);
        let bare = bare.into_iter();
        let mut bases: Vec<Base> = bare
            .map(|index| self.single(index, Rank::Bare, &[]))
            .collect();
        for left in &columns {
            for right in &self.complements(*left, &columns) {
                let (first, second) = (*left.min(right), *left.max(right));
                bases.push(Base {
                    rank: Rank::Pair,
                    plans: self.pair(first, second),
                });
            }
        }
        for index in columns {
            bases.push(self.single(index, Rank::Unknown, indicators));
        }
        bases
    }
}

impl Table<'_> {
    /// Columns that fill just as many rows as another leaves empty, so that each row may have one
    /// or the other: whole amounts look like money only beside those with decimals.
    fn complements(&self, index: usize, monetary: &[usize]) -> Vec<usize> {
        // Where every cell is filled, the column that has no money has a zero.
        let filled = |index: usize| {
            self.facts(index)
                .map_or((false, 0), |facts| match facts.filled {
                    filled if filled == self.survey.rows && facts.numbers.zero > 0 => {
                        (true, facts.numbers.positive + facts.numbers.negative)
                    }
                    filled => (false, filled),
                })
        };
        let plain = |other: &usize| {
            self.facts(*other)
                .is_some_and(|facts| facts.numbers.padded == 0 && facts.numbers.fine == 0)
        };
        let unnamed = |kind| matches!(kind, NumberKind::Unnamed | NumberKind::Currency);
        let others = self.columns(unnamed).into_iter().filter(plain);
        // A pair of two monetary columns is found from its left one.
        let once = |other: &usize| !monetary.contains(other) || *other > index;
        let fits = |other: usize| {
            let ((zeros, left), (other_zeros, right)) = (filled(index), filled(other));
            let alike = other != index && zeros == other_zeros;
            alike && left.min(right) > 0 && left + right == self.survey.rows
        };
        let mates = monetary.iter().filter(|other| fits(**other));
        let beside = mates.map(|other| other.abs_diff(index)).min();
        others
            .filter(|other| fits(*other) && once(other))
            // Whole numbers beside such a pair are those of cheques, unless they stand nearer: the
            // other column may be the balance.
            .filter(|other| {
                monetary.contains(other) || beside.is_none_or(|mate| other.abs_diff(index) < mate)
            })
            .collect()
    }
}

/// Whether the formats of a plan's columns are the preferred ones among equals.
pub(super) fn format_rank(plan: &Plan) -> usize {
    let format = match &plan.amount {
        Amount::Signed { cell, .. }
        | Amount::Marked { cell, .. }
        | Amount::Indicated { cell, .. } => cell.format,
        Amount::Pair { out, .. } => out.format,
    };
    FORMATS
        .iter()
        .position(|other| *other == format)
        .unwrap_or(FORMATS.len())
}
