//! Tries every possible meaning of the amount columns against all rows in one pass: does it parse,
//! which signs come out, do they agree with the words of the rows, and does a running balance
//! follow from them. A balance that follows is the strongest proof there is.

use chrono::NaiveDate;
use djinn_ledger::money::Decimal;

use super::amount::{Numeral, Plan, figure};
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
    /// Steps from or to a balance of nothing: any two columns of which one repeats the other step
    /// so, and where nobody calls one of them a balance it is no proof.
    empty: u64,
    /// Rows that repeat the balance, and it again as their amount.
    pub(super) restated: u64,
    /// The balance of the first row, and whether the second row followed from it.
    first: Option<i128>,
    first_followed: bool,
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
    /// Whether it follows in every single row.
    pub(super) fn exact(&self, direction: Option<bool>) -> bool {
        self.steps > 1 && self.followed(direction) == self.steps
    }

    /// Whether it follows in every single row, in whatever order and with whatever sign.
    pub(super) fn never_broken(&self) -> bool {
        let counts = [
            self.rising,
            self.rising_inverted,
            self.falling,
            self.falling_inverted,
        ];
        counts.contains(&self.steps)
    }

    /// In how many rows it follows.
    pub(super) fn followed(&self, direction: Option<bool>) -> u64 {
        match direction {
            Some(true) => self.rising,
            Some(false) => self.falling,
            None => self.rising.max(self.falling),
        }
    }

    /// Whether the first row is a heading that states the opening balance as its amount and the
    /// closing one as its balance: nothing follows from it, and all amounts together give it.
    pub(super) fn headed_by_totals(&self, total: i128) -> bool {
        self.steps > 1 && !self.first_followed && self.first == Some(total)
    }

    /// `direction` is how the dates run through the file, which tells a balance after the row from
    /// one before it.
    pub(super) fn proof(&self, direction: Option<bool>, named: bool) -> Proof {
        if !named && self.steps == self.empty {
            return Proof::Silent;
        }
        // A balance before each row steps as one behind it does in a file turned upside down; only
        // the dates tell them apart, and every step has to agree.
        let before = match direction {
            Some(true) => (self.falling_inverted, self.rising),
            Some(false) => (self.rising_inverted, self.falling),
            None => (0, 0),
        };
        // Equal amounts one behind the other step as both.
        if !named && before.0 > 0 && before.0 == self.steps && before.1 * 4 <= before.0 {
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

/// The row before.
#[derive(Clone, Copy, Default)]
struct Last {
    balance: Option<i128>,
    /// The amount of the row with that balance.
    own: i128,
    /// The amounts of later rows, which have none: many banks state one balance a day.
    since: i128,
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

struct Run<'a> {
    trial: &'a Trial<'a>,
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
            if !summary::dated(&record) {
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
        let amounts: Vec<_> = self
            .trial
            .plans
            .iter()
            .map(|plan| plan.read(record))
            .collect();
        if let (Some(Ok(Some(_))), Some(status)) = (amounts.first(), self.trial.status) {
            let state = record.cell(status);
            let (unsettled, void) = (sign::unsettled(state), sign::void(state));
            self.findings.void += u64::from(unsettled);
            self.findings.pending += u64::from(unsettled && !void);
        }
        let told = self.told(record);
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
        if let Some(cell) = self.trial.fee {
            let fee = figure(record, cell).ok().flatten();
            let amount = values.first().copied().flatten();
            self.fees.observe(amount, fee.map(|fee| fee.value), SCALE);
        }
        for (index, outcome) in self.findings.outcomes.iter_mut().enumerate() {
            let value = values.get(index).copied().flatten();
            outcome.errors += u64::from(amounts.get(index).is_some_and(Result::is_err));
            for (unlike, other) in outcome.unlike.iter_mut().zip(&values) {
                *unlike |= value.map(size) != other.map(size);
            }
            let missing = amounts
                .get(index)
                .is_some_and(|amount| matches!(amount, Ok(None)));
            if value.is_some_and(|value| value.digits == 0) {
                for (count, other) in outcome.hollow.iter_mut().zip(&values) {
                    *count += u64::from(other.is_some_and(|other| other.digits != 0));
                }
            }
            let (Some(last), Some(open)) = (self.last.get_mut(index), self.open.get_mut(index))
            else {
                continue;
            };
            if missing {
                open.add(&values);
            }
            let amount = value.and_then(|value| value.at_scale(SCALE));
            outcome.total += amount.unwrap_or(0);
            if let Some(value) = value {
                outcome.count(value, told);
            }
            let mut followed = false;
            for ((chain, last), balance) in outcome.chains.iter_mut().zip(last).zip(&balances) {
                followed |= step(chain, last, *balance, amount);
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

/// Goes on by one row; whether its balance follows from the one before under the plan's signs.
fn step(chain: &mut Chain, last: &mut Last, balance: Option<i128>, amount: Option<i128>) -> bool {
    let mut followed = false;
    // A row without an amount does not break the chain.
    let Some(amount) = amount else { return false };
    let Some(balance) = balance else {
        last.since += amount;
        return false;
    };
    // Rows without a balance have moved it, or are pending and have not.
    let (up, down) = (last.since + amount, last.own + last.since);
    if let Some(before) = last.balance
        && (amount != 0 || last.own != 0 || last.since != 0)
    {
        let delta = balance - before;
        let rises =
            |sign: i128| delta == sign * up && up != 0 || delta == sign * amount && amount != 0;
        let falls = |sign: i128| {
            -delta == sign * down && down != 0 || -delta == sign * last.own && last.own != 0
        };
        let (rising, rising_inverted) = (rises(1), rises(-1));
        let (falling, falling_inverted) = (falls(1), falls(-1));
        if chain.steps == 0 {
            chain.first_followed = rising || rising_inverted || falling || falling_inverted;
        }
        followed = rising || falling;
        chain.steps += 1;
        chain.empty += u64::from(before == 0 || balance == 0);
        chain.rising += u64::from(rising);
        chain.rising_inverted += u64::from(rising_inverted);
        chain.falling += u64::from(falling);
        chain.falling_inverted += u64::from(falling_inverted);
        let repeats = |amount: i128, balance: i128| amount != 0 && amount.abs() == balance.abs();
        chain.restated +=
            u64::from(delta == 0 && (repeats(amount, balance) || repeats(last.own, before)));
    }
    if last.balance.is_none() && last.since == 0 {
        chain.first = Some(balance);
    }
    *last = Last {
        balance: Some(balance),
        own: amount,
        since: 0,
    };
    followed
}
