//! Tries every possible meaning of the amount columns against all rows in one pass: does it parse,
//! which signs come out, do they agree with the words of the rows, and does a running balance
//! follow from them. A balance that follows is the strongest proof there is.

use chrono::NaiveDate;
use djinn_ledger::money::Decimal;

use super::amount::{Numeral, Plan, figure};
use super::column;
use super::encoding::Charset;
use super::layout::Layout;
use super::number::Side;
use super::reading::{ReadError, Source};
use super::record::{Dialect, Record, Records};
use super::{sign, summary};

/// Words are looked for in so many rows: after that they tell nothing new.
const WORD_ROWS_MAX: u64 = 5_000;

/// Balances are compared in units of ten to the minus this.
const SCALE: u8 = 8;

/// How often a balance followed from the row before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Pairs of rows with both balances and an amount other than zero.
    pub(super) steps: u64,
    /// Rows in order of time: the balance is the one above plus the amount.
    pub(super) rising: u64,
    /// The same with the amount's sign turned.
    pub(super) rising_inverted: u64,
    /// Newest first: the balance above is this one plus the amount above.
    pub(super) falling: u64,
    pub(super) falling_inverted: u64,
}

/// What a balance says of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It follows with the plan's signs.
    Follows,
    /// It follows with the signs turned.
    Inverted,
    /// Both or neither; nothing can be told.
    Silent,
}

impl Chain {
    /// `direction` is how the dates run through the file, which tells a balance after the row from
    /// one before it.
    pub(super) fn proof(&self, direction: Option<bool>, named: bool) -> Proof {
        // A balance before each row steps as one behind it does in a file turned upside down; only
        // the dates tell them apart, and every step has to agree.
        let before = match direction {
            Some(true) => (self.falling_inverted, self.rising),
            Some(false) => (self.rising_inverted, self.falling),
            None => (0, 0),
        };
        if !named && self.steps > 1 && before.0 == self.steps && before.1 == 0 {
            return Proof::Follows;
        }
        let (straight, inverted) = match direction {
            Some(true) => (self.rising, self.rising_inverted),
            Some(false) => (self.falling, self.falling_inverted),
            None => (
                self.rising.max(self.falling),
                self.rising_inverted.max(self.falling_inverted),
            ),
        };
        // Six of ten: gaps and rows of other accounts are forgiven, chance is not.
        let enough = |count: u64, rival: u64| count * 10 >= self.steps * 6 && rival * 4 <= count;
        match (straight > 0, inverted > 0) {
            (true, _) if enough(straight, inverted) => Proof::Follows,
            (_, true) if enough(inverted, straight) => Proof::Inverted,
            _ => Proof::Silent,
        }
    }
}

/// What one plan gives over all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Rows with an amount.
    pub(super) filled: u64,
    /// Rows whose amount cannot be read.
    pub(super) errors: u64,
    pub(super) positive: u64,
    pub(super) negative: u64,
    /// Rows whose words agree with the sign, or contradict it.
    pub(super) agree: u64,
    pub(super) disagree: u64,
    /// One chain per balance column that was tried.
    pub(super) chains: Vec<Chain>,
    /// For each plan: whether some row has another size there.
    pub(super) unlike: Vec<bool>,
    /// For each plan: rows that have money there and none here.
    pub(super) gaps: Vec<u64>,
}

/// What to try.
pub(super) struct Trial<'a> {
    pub(super) plans: &'a [Plan],
    pub(super) balances: &'a [Numeral],
    /// Columns in which words are looked for.
    pub(super) texts: &'a [usize],
    /// A column whose values may be unique ids.
    pub(super) id: Option<usize>,
    /// A column of states, to find rows under which no money moved.
    pub(super) status: Option<usize>,
}

/// The outcomes, and what else the pass saw.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) outcomes: Vec<Outcome>,
    /// Whether the id column is filled and distinct in every row.
    pub(super) unique: bool,
    /// Rows with an amount under the first plan whose state says that no money moved.
    pub(super) void: u64,
    /// Rows without a date but with an amount, in front of further rows with a date.
    pub(super) undated: u64,
}

/// The row before.
#[derive(Clone, Copy, Default)]
struct Last {
    balance: Option<i128>,
    amount: Option<i128>,
}

struct Run<'a> {
    trial: &'a Trial<'a>,
    findings: Findings,
    last: Vec<Vec<Last>>,
    ids: Vec<u64>,
    undated: u64,
    rows: u64,
}

/// Runs the trial over the whole file.
pub(super) fn run(
    source: &dyn Source,
    charset: &Charset,
    dialect: &Dialect,
    layout: &Layout,
    today: NaiveDate,
    trial: &Trial<'_>,
) -> Result<Findings, ReadError> {
    let empty = Outcome {
        chains: vec![Chain::default(); trial.balances.len()],
        unlike: vec![false; trial.plans.len()],
        gaps: vec![0; trial.plans.len()],
        ..Outcome::default()
    };
    let mut run = Run {
        trial,
        findings: Findings {
            outcomes: vec![empty; trial.plans.len()],
            unique: trial.id.is_some(),
            ..Findings::default()
        },
        last: vec![vec![Last::default(); trial.balances.len()]; trial.plans.len()],
        ids: Vec::new(),
        undated: 0,
        rows: 0,
    };
    let mut records = Records::open(source, charset, dialect)?;
    while let Some(record) = records.next_record()? {
        if record.line <= layout.before {
            continue;
        }
        if column::dated(&record, layout, today) {
            if !summary::dated(&record) {
                run.row(&record);
            }
        } else if !summary::undated(&record)
            && trial
                .plans
                .first()
                .is_some_and(|plan| matches!(plan.read(&record), Ok(Some(_))))
        {
            run.undated += 1;
        }
    }
    run.ids.sort_unstable();
    run.findings.unique &= !run.ids.windows(2).any(|pair| pair.first() == pair.last());
    Ok(run.findings)
}

impl Run<'_> {
    fn row(&mut self, record: &Record) {
        self.rows += 1;
        self.findings.undated += std::mem::take(&mut self.undated);
        self.id(record);
        let amounts: Vec<_> = self
            .trial
            .plans
            .iter()
            .map(|plan| plan.read(record))
            .collect();
        if let (Some(Ok(Some(_))), Some(status)) = (amounts.first(), self.trial.status) {
            self.findings.void += u64::from(sign::void(record.cell(status)));
        }
        let inward = if self.rows <= WORD_ROWS_MAX {
            sign::told(record, self.trial.texts)
        } else {
            None
        };
        let balances: Vec<Option<i128>> = self
            .trial
            .balances
            .iter()
            .map(|cell| balance(record, *cell))
            .collect();
        let values: Vec<Option<Decimal>> = amounts
            .iter()
            .map(|amount| amount.as_ref().ok().copied().flatten())
            .collect();
        for (index, outcome) in self.findings.outcomes.iter_mut().enumerate() {
            let value = values.get(index).copied().flatten();
            outcome.errors += u64::from(amounts.get(index).is_some_and(Result::is_err));
            for (unlike, other) in outcome.unlike.iter_mut().zip(&values) {
                *unlike |= value.map(size) != other.map(size);
            }
            let missing = amounts
                .get(index)
                .is_some_and(|amount| matches!(amount, Ok(None)));
            for (gap, other) in outcome.gaps.iter_mut().zip(&values) {
                *gap += u64::from(missing && other.is_some_and(|other| other.digits != 0));
            }
            let Some(last) = self.last.get_mut(index) else {
                continue;
            };
            let amount = value.and_then(|value| value.at_scale(SCALE));
            if let Some(value) = value {
                outcome.filled += 1;
                outcome.positive += u64::from(value.digits > 0);
                outcome.negative += u64::from(value.digits < 0);
                if let Some(inward) = inward.filter(|_| value.digits != 0) {
                    let agrees = inward == (value.digits > 0);
                    outcome.agree += u64::from(agrees);
                    outcome.disagree += u64::from(!agrees);
                }
            }
            for ((chain, last), balance) in outcome.chains.iter_mut().zip(last).zip(&balances) {
                step(chain, last, *balance, amount);
            }
        }
    }

    fn id(&mut self, record: &Record) {
        let Some(column) = self.trial.id.filter(|_| self.findings.unique) else {
            return;
        };
        let cell = record.cell(column);
        self.findings.unique &= !cell.is_empty();
        // FNV-1a, 64 bits: a collision only costs the ids of one file.
        let hash = cell.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.ids.push(hash);
    }
}

/// Equal sizes are equal at one scale.
fn size(value: Decimal) -> Option<i128> {
    value.magnitude().at_scale(SCALE)
}

/// A balance; a debit mark makes it negative.
fn balance(record: &Record, cell: Numeral) -> Option<i128> {
    let figure = figure(record, cell).ok().flatten()?;
    let value = if figure.side == Some(Side::Debit) {
        figure.value.magnitude().negated()
    } else {
        figure.value
    };
    value.at_scale(SCALE)
}

fn step(chain: &mut Chain, last: &mut Last, balance: Option<i128>, amount: Option<i128>) {
    // A row without an amount does not break the chain.
    let (Some(balance), Some(amount)) = (balance, amount) else {
        return;
    };
    if let (Some(before), Some(amount_before)) = (last.balance, last.amount)
        && (amount != 0 || amount_before != 0)
    {
        chain.steps += 1;
        let delta = balance - before;
        chain.rising += u64::from(delta == amount && amount != 0);
        chain.rising_inverted += u64::from(delta == -amount && amount != 0);
        chain.falling += u64::from(-delta == amount_before && amount_before != 0);
        chain.falling_inverted += u64::from(-delta == -amount_before && amount_before != 0);
    }
    *last = Last {
        balance: Some(balance),
        amount: Some(amount),
    };
}
