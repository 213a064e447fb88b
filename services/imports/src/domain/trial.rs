//! Tries every possible meaning of the amount columns against all rows in one pass: does it parse,
//! which signs come out, do they agree with the words of the rows, and does a running balance
//! follow from them. A balance that follows is the strongest proof there is.

use chrono::NaiveDate;
use djinn_ledger::money::Decimal;

use super::amount::{Numeral, Plan, Unreadable, figure};
use super::chain::{Chain, Last};
use super::column;
use super::encoding::Charset;
use super::fee::Fees;
use super::identity::Ids;
use super::layout::Layout;
use super::reading::{ReadError, Source};
use super::record::{Dialect, Record, Records};
use super::sign::Told;
use super::{date, sign, summary};

/// Words are looked for in so many rows: after that they tell nothing new.
const WORD_ROWS_MAX: u64 = 5_000;

/// From so many rows on, a last amount that is the sum of all others is hardly one of them.
const SUMMED_ROWS_MIN: u64 = 4;

/// Balances are compared in units of ten to the minus this.
const SCALE: u8 = 8;

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
    /// Those of the latter whose words tell of money out.
    pub(super) outward_positive: u64,
    /// Rows by which a card was paid for, by their sign, and those of the latter in words that only
    /// the card's bank says.
    pub(super) repaid_positive: u64,
    pub(super) repaid_negative: u64,
    pub(super) thanked_negative: u64,
    /// The sum of the amounts, in units of the scale.
    pub(super) total: i128,
    /// Whether the last amount is the sum of all others.
    pub(super) summed: bool,
    /// Rows without a date that have an amount.
    pub(super) undated: u64,
    /// One chain per balance column that was tried.
    pub(super) chains: Vec<Chain>,
    /// For each plan: whether some row has another size there.
    pub(super) unlike: Vec<bool>,
    /// For each plan: rows that have money there and none here, but for those of which the balance
    /// shows that they moved nothing, as the details of a collective booking.
    pub(super) gaps: Vec<u64>,
    /// For each plan: rows that have money there and zero here.
    pub(super) hollow: Vec<u64>,
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
    /// A column of fees.
    pub(super) fee: Option<Numeral>,
    /// Whether rows with a date are summaries somewhere: else none is looked at for it again.
    pub(super) summaries: bool,
}

/// The outcomes, and what else the pass saw.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) outcomes: Vec<Outcome>,
    /// Whether the id column is filled and distinct in every row.
    pub(super) unique: bool,
    /// Rows with an amount under the first plan whose state says that no money moved, or not yet.
    pub(super) void: u64,
    /// Those of them that are pending.
    pub(super) pending: u64,
    /// Rows without a date but with an amount, between rows with a date.
    pub(super) undated: u64,
    /// Rows with an amount and with something like a date that cannot be read.
    pub(super) misdated: u64,
    /// Rows with a date that are no summaries.
    pub(super) rows: u64,
    /// The line of the first of them.
    pub(super) first_line: u64,
    /// Whether the fees stand in rows of their own.
    pub(super) fees_are_rows: bool,
}

/// Rows without an amount under a plan, with what they have under the others.
#[derive(Clone)]
struct Open {
    /// Rows and their sum, per plan.
    others: Vec<(u64, i128)>,
    /// Whether there are any.
    any: bool,
    /// The amount of the last row that has one.
    last: i128,
}

impl Open {
    fn new(plans: usize) -> Self {
        Self {
            others: vec![(0, 0); plans],
            any: false,
            last: 0,
        }
    }

    fn add(&mut self, values: &[Option<Decimal>]) {
        for ((count, sum), value) in self.others.iter_mut().zip(values) {
            if let Some(value) = value.filter(|value| value.digits != 0) {
                *count += 1;
                *sum += value.at_scale(SCALE).unwrap_or(0);
                self.any = true;
            }
        }
    }

    /// Ends the rows: `harmless` tells from their sum whether they moved nothing.
    fn close(&mut self, gaps: &mut [u64], harmless: impl Fn(i128) -> bool) {
        if !std::mem::take(&mut self.any) {
            return;
        }
        for ((count, sum), gap) in self.others.iter_mut().zip(gaps) {
            if !harmless(*sum) {
                *gap += *count;
            }
            (*count, *sum) = (0, 0);
        }
    }
}

/// What the plans and the balances give for one row, in memory that is used again for the next.
#[derive(Default)]
struct Given {
    amounts: Vec<Result<Option<Decimal>, Unreadable>>,
    /// The amounts that there are.
    values: Vec<Option<Decimal>>,
    sizes: Vec<Option<Option<i128>>>,
    balances: Vec<Option<i128>>,
}

impl Given {
    fn read(&mut self, trial: &Trial<'_>, record: &Record) {
        self.amounts.clear();
        let amounts = trial.plans.iter().map(|plan| plan.read(record));
        self.amounts.extend(amounts);
        self.values.clear();
        let values = self.amounts.iter();
        let values = values.map(|amount| amount.as_ref().ok().copied().flatten());
        self.values.extend(values);
        self.sizes.clear();
        let sizes = self.values.iter().map(|value| value.map(size));
        self.sizes.extend(sizes);
        self.balances.clear();
        let balances = trial.balances.iter().map(|cell| balance(record, *cell));
        self.balances.extend(balances);
    }
}

struct Run<'a> {
    trial: &'a Trial<'a>,
    given: Given,
    findings: Findings,
    last: Vec<Vec<Last>>,
    /// Per plan: what became of rows without an amount since the last one with an amount.
    open: Vec<Open>,
    ids: Ids,
    undated: u64,
    fees: Fees,
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
    let pass = |ids| {
        let records = Records::open(source, charset, dialect)?;
        once(records, layout, today, trial, ids)
    };
    match pass(Ids::in_order())? {
        (findings, true) => Ok(findings),
        (_, false) => Ok(pass(Ids::hashed())?.0),
    }
}

/// One pass, and whether it went to the end: it is given up where the order of the ids does not
/// tell whether they differ.
fn once(
    mut records: Records,
    layout: &Layout,
    today: NaiveDate,
    trial: &Trial<'_>,
    ids: Ids,
) -> Result<(Findings, bool), ReadError> {
    let empty = Outcome {
        chains: vec![Chain::default(); trial.balances.len()],
        unlike: vec![false; trial.plans.len()],
        gaps: vec![0; trial.plans.len()],
        hollow: vec![0; trial.plans.len()],
        ..Outcome::default()
    };
    let mut run = Run {
        trial,
        given: Given::default(),
        findings: Findings {
            outcomes: vec![empty; trial.plans.len()],
            ..Findings::default()
        },
        last: vec![vec![Last::default(); trial.balances.len()]; trial.plans.len()],
        open: vec![Open::new(trial.plans.len()); trial.plans.len()],
        ids,
        undated: 0,
        fees: Fees::default(),
    };
    let mut record = Record::default();
    while records.read_into(&mut record)? {
        if record.line <= layout.before {
            continue;
        }
        if column::dated(&record, layout, today) {
            if !(trial.summaries && summary::dated(&record)) {
                run.row(&record);
                if let Some(column) = trial.id {
                    run.ids.observe(record.cell(column));
                }
            }
            if run.ids.unordered() {
                return Ok((run.findings, false));
            }
        } else {
            run.undated(&record, layout, today);
        }
    }
    for (open, outcome) in run.open.iter_mut().zip(&mut run.findings.outcomes) {
        // Behind the last row no balance tells, but details add up to it.
        let whole = open.last;
        outcome.summed =
            whole != 0 && outcome.filled >= SUMMED_ROWS_MIN && outcome.total == 2 * whole;
        open.close(&mut outcome.gaps, |sum| {
            whole != 0 && sum.abs() == whole.abs()
        });
    }
    run.findings.fees_are_rows = run.fees.are_rows();
    run.findings.unique = trial.id.is_some() && run.ids.distinct();
    Ok((run.findings, true))
}

impl Run<'_> {
    /// A record without a date: it may belong to the row above, be pending, or be a total.
    fn undated(&mut self, record: &Record, layout: &Layout, today: NaiveDate) {
        let mut money = false;
        for (plan, outcome) in self.trial.plans.iter().zip(&mut self.findings.outcomes) {
            let filled = matches!(plan.read(record), Ok(Some(_)));
            outcome.undated += u64::from(filled);
            money |= filled;
        }
        if !money || summary::undated(record) {
            return;
        }
        let mut cells = layout.date_columns.iter().map(|c| record.cell(*c));
        if cells.clone().any(|cell| date::shaped(cell, today)) {
            self.findings.misdated += 1;
        } else if self.findings.rows > 0 && cells.all(str::is_empty) {
            self.undated += 1;
        }
    }

    fn row(&mut self, record: &Record) {
        self.findings.rows += 1;
        if self.findings.rows == 1 {
            self.findings.first_line = record.line;
        }
        self.findings.undated += std::mem::take(&mut self.undated);
        self.given.read(self.trial, record);
        let told = self.told(record);
        let Given {
            amounts,
            values,
            sizes,
            balances,
        } = &self.given;
        if let (Some(Ok(Some(_))), Some(status)) = (amounts.first(), self.trial.status) {
            let state = record.cell(status);
            let (unsettled, void) = (sign::unsettled(state), sign::void(state));
            self.findings.void += u64::from(unsettled);
            self.findings.pending += u64::from(unsettled && !void);
        }
        if let Some(cell) = self.trial.fee {
            let fee = figure(record, cell).ok().flatten();
            let amount = values.first().copied().flatten();
            self.fees.observe(amount, fee.map(|fee| fee.value), SCALE);
        }
        for (index, outcome) in self.findings.outcomes.iter_mut().enumerate() {
            let value = values.get(index).copied().flatten();
            outcome.errors += u64::from(amounts.get(index).is_some_and(Result::is_err));
            let size = sizes.get(index);
            for (unlike, other) in outcome.unlike.iter_mut().zip(sizes) {
                *unlike |= size != Some(other);
            }
            let missing = amounts
                .get(index)
                .is_some_and(|amount| matches!(amount, Ok(None)));
            if value.is_some_and(|value| value.digits == 0) {
                for (count, other) in outcome.hollow.iter_mut().zip(values) {
                    *count += u64::from(other.is_some_and(|other| other.digits != 0));
                }
            }
            let (Some(last), Some(open)) = (self.last.get_mut(index), self.open.get_mut(index))
            else {
                continue;
            };
            if missing {
                open.add(values);
            }
            let amount = value.and_then(|value| value.at_scale(SCALE));
            outcome.total += amount.unwrap_or(0);
            if let Some(value) = value {
                outcome.count(value, told);
            }
            let mut followed = false;
            for ((chain, last), balance) in outcome.chains.iter_mut().zip(last).zip(balances) {
                followed |= chain.step(last, *balance, amount);
            }
            if let Some(amount) = amount {
                open.close(&mut outcome.gaps, |_| followed);
                open.last = amount;
            }
        }
    }

    /// What the words of a row tell, in the first rows.
    fn told(&self, record: &Record) -> Told {
        if self.findings.rows > WORD_ROWS_MAX {
            return Told::default();
        }
        sign::told(record, self.trial.texts)
    }
}

/// Equal sizes are equal at one scale.
fn size(value: Decimal) -> Option<i128> {
    value.magnitude().at_scale(SCALE)
}

fn balance(record: &Record, cell: Numeral) -> Option<i128> {
    let figure = figure(record, cell).ok().flatten()?;
    figure.balance().at_scale(SCALE)
}
