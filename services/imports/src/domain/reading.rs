//! The frozen decision how a file is read, and how it is reached.

use chrono::NaiveDate;
use chrono_tz::Tz;
use djinn_ledger::account::Kind;
use djinn_ledger::money::Currency;
use serde::{Deserialize, Serialize};

use super::amount::{Numeral, Plan};
use super::answer::{self, Answers, Given, Saved};
use super::bench::{Bench, Holder};
use super::candidate::{Base, PLANS_MAX};
use super::column;
use super::decision::Decision;
use super::encoding::{self, Charset};
use super::evidence;
use super::mapping::{Mapping, Role};
use super::nature::Nature;
use super::ownership::{self, Owner};
use super::part::{self, Parts};
use super::question::{QUESTIONS_MAX, Question};
use super::record::Dialect;
use super::row;
use super::seen::{self, Seen};
use super::shape::{self, Shape};
use super::stamp::Stamps;
use super::table::Table;
use super::trial::{self, Findings, Trial};
use super::when::{self, Custom, Day, When};
use super::wording;
use super::year::Years;

pub use super::source::{ReadError, Source};

/// The version of [`Reading`], noted with each. A file reads for ever as it was frozen, so fields
/// are only added, with a default that says what an earlier release did.
pub const VERSION: u16 = 3;

/// What is known before the file is read.
#[derive(Clone, Debug)]
pub struct Hints {
    /// Today: decides two-digit years and how far ahead a date may lie.
    pub today: NaiveDate,
    /// The account's currency.
    pub currency: Option<Currency>,
    /// The account's kind: only cards and loans show a debt as a positive balance.
    pub kind: Option<Kind>,
    /// The time zone of the account's holder.
    pub time_zone: Option<Tz>,
    /// A person's answers to questions; one that is no choice is asked again.
    pub answers: Answers,
    /// What was answered for such a statement before: taken where the person has not answered.
    pub template: Option<Saved>,
    /// What a person says the columns mean.
    pub mapping: Option<Mapping>,
}

/// What becomes of a row that has an amount and no date.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Undated {
    /// It is rejected and shown.
    Rejected,
    /// It has the date of the row above.
    Carried,
}

/// The frozen decision: with it the file reads the same for ever.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Reading {
    /// The version of this structure.
    pub version: u16,
    /// The encoding.
    pub charset: Charset,
    /// How lines become cells.
    pub dialect: Dialect,
    /// The rows begin behind this line.
    pub before: u64,
    /// The names of the columns; empty without a header.
    pub names: Vec<String>,
    /// All columns that hold dates.
    pub date_columns: Vec<usize>,
    /// The column of the day.
    pub day: Day,
    /// The column of the day the money counts.
    pub value_day: Option<Day>,
    /// How time stamps become days; none in readings of earlier releases and where days count as
    /// they are written.
    #[serde(default)]
    pub stamps: Option<Stamps>,
    /// Where the amount stands and what its sign means.
    pub plan: Plan,
    /// The balance behind each row.
    pub balance: Option<Numeral>,
    /// Columns with the currency of the row, the first that is filled counts.
    pub currency_columns: Vec<usize>,
    /// The currency of rows that name none.
    pub currency: Option<Currency>,
    /// Columns that make the description.
    pub descriptions: Vec<usize>,
    /// Columns that name the other party.
    pub counterparties: Vec<usize>,
    /// Columns of which the first that is filled describes a row that has neither.
    #[serde(default)]
    pub spare: Vec<usize>,
    /// A column of unique ids.
    pub external_id: Option<usize>,
    /// A column of states of which some say that no money moved: those rows are left out.
    pub void_status: Option<usize>,
    /// What becomes of rows without a date.
    pub undated: Undated,
    /// Whether rows that only repeat the balance, with it as their amount, are left out, and if so
    /// whether the rows are in order of time.
    pub restated: Option<bool>,
    /// Lines of rows at the edge of the table that are not like the others, as a balance that lacks
    /// all texts, or the sum of all rows: they are left out.
    #[serde(default)]
    pub left_out: Vec<u64>,
    /// How many rows the file has, good and bad; 0 in readings of earlier releases, which did not
    /// count.
    #[serde(default)]
    pub rows: u64,
    /// What the columns hold, to tell rows whose cells have slipped; empty in readings of earlier
    /// releases, which did not look.
    #[serde(default)]
    pub shapes: Vec<Shape>,
    /// Whose rows they are. Earlier releases did not look.
    #[serde(default)]
    pub owner: Owner,
    /// The day on which the decision was made; two-digit years depend on it.
    pub today: NaiveDate,
    /// Why it was decided so, in words.
    pub evidence: Vec<String>,
    /// The answers it rests on. Readings of earlier releases have none.
    #[serde(default)]
    pub answers: Vec<Given>,
}

/// Why a file cannot be read as a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For machines.
    pub reason: &'static str,
    /// For people: what is wrong and the way out.
    pub detail: String,
    /// The part of a mapping that does not fit the file.
    pub field: Option<String>,
}

impl Refusal {
    pub(super) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            field: None,
        }
    }
}

/// What comes of looking at a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognition {
    /// Nothing is left to ask.
    Ready(Reading),
    /// Something is truly ambiguous.
    Asks {
        /// The reading under the first choices.
        reading: Reading,
        /// At most [`QUESTIONS_MAX`].
        questions: Vec<Question>,
    },
    /// It is no statement that can be read.
    Refused(Refusal),
}

impl Recognition {
    /// The reading, frozen or under the first choices.
    #[must_use]
    pub fn reading(&self) -> Option<&Reading> {
        match self {
            Self::Ready(reading) | Self::Asks { reading, .. } => Some(reading),
            Self::Refused(_) => None,
        }
    }

    fn reading_mut(&mut self) -> Option<&mut Reading> {
        match self {
            Self::Ready(reading) | Self::Asks { reading, .. } => Some(reading),
            Self::Refused(_) => None,
        }
    }
}

/// Looks at a file and decides how it is read, over whole columns, in a few streaming passes.
///
/// # Errors
/// When the source fails. A file over a limit is refused.
pub fn recognise(source: &dyn Source, hints: &Hints) -> Result<Recognition, ReadError> {
    match look(source, hints) {
        Ok(recognition) => Ok(recognition),
        Err(ReadError::Limit { what, limit }) => {
            let reason = match what {
                "columns" => "TOO_MANY_COLUMNS",
                "rows" => "TOO_MANY_ROWS",
                "file" => "FILE_TOO_LARGE",
                "cell" => "CELL_TOO_LARGE",
                _ => "LINE_TOO_LONG",
            };
            let detail = format!("The {what} is over the limit of {limit}. Split the file.");
            Ok(Recognition::Refused(Refusal::new(reason, detail)))
        }
        Err(error) => Err(error),
    }
}

fn look(source: &dyn Source, hints: &Hints) -> Result<Recognition, ReadError> {
    let mapping = hints.mapping();
    let seen = match seen::see(source, hints.today, &mapping)? {
        Ok(seen) => seen,
        Err(refusal) => return Ok(Recognition::Refused(refusal)),
    };
    let (charset, dialect) = (&seen.charset, &seen.dialect);
    let (layout, survey) = (&seen.layout, &seen.survey);
    let mut parts = part::find(survey, layout, hints.currency);
    mapping.parts(&mut parts);
    let table = Table::new(survey, layout, parts.currency);
    let bases = match bases(&table, &mapping) {
        Ok(bases) => bases,
        Err(refusal) => return Ok(Recognition::Refused(refusal)),
    };
    let mut plans: Vec<Plan> = bases.iter().flat_map(|base| base.plans.clone()).collect();
    if plans.is_empty() || plans.len() > PLANS_MAX {
        return Ok(no_amount_column());
    }
    let (fee, fee_named) = fee(&table, &bases, &mapping);
    if fee.is_some() {
        plans.extend(plans.clone().into_iter().map(|plan| Plan { fee, ..plan }));
    }
    let balances = mapping.numerals(Role::Balance, table.balances(), &table);
    let trial = Trial {
        plans: &plans,
        balances: &balances,
        texts: &parts.texts,
        id: parts.id,
        status: parts.status,
        fee,
        summaries: survey.summaries > 0,
    };
    let findings = trial::run(source, charset, dialect, layout, hints.today, &trial)?;
    let texts = [parts.descriptions.as_slice(), &parts.counterparties].concat();
    let mut custom = Custom::new(survey, table.mark(), parts.currency, &texts);
    custom.iban = parts.iban || layout.iban;
    let distinct = mapping.distinct(findings.unique).map_err(Refusal::from);
    let days = distinct.and_then(|()| days(&seen, &custom, hints, &mapping));
    let (when, dated) = match days {
        Ok(days) => days,
        Err(refusal) => return Ok(Recognition::Refused(refusal)),
    };
    let names = column::names(layout);
    let bench = Bench {
        holder: Holder::new(hints.kind, custom.iban),
        bases: &bases,
        plans: &plans,
        findings: &findings,
        balances: &balances,
        balance_named: table.balance_named(),
        direction: when.direction(survey),
        survey,
        fee,
        fee_named,
        names: &names,
        nature: Nature::of(survey, layout),
        mapping: &mapping,
    };
    let mut decision = bench.decide();
    let given = dated
        .into_iter()
        .chain(answer::amount(&mut decision, layout, hints));
    let mut recognition = conclude(source, hints, &seen, &parts, &findings, &when, &decision)?;
    if let Some(reading) = recognition.reading_mut() {
        reading.answers.splice(0..0, given);
        reading.evidence.extend(mapping.evidence());
    }
    Ok(recognition)
}

/// Where the amounts may stand.
fn bases(table: &Table<'_>, mapping: &Mapping) -> Result<Vec<Base>, Refusal> {
    if table.torn_apart(table.layout.names.as_ref().map_or(0, Vec::len)) {
        let detail = "Amounts are split at their decimal comma: cells need quotation marks.";
        return Err(Refusal::new("UNQUOTED_DECIMALS", detail));
    }
    let mut bases = table.bases();
    mapping.fits(table)?;
    mapping.bases(&mut bases)?;
    Ok(bases)
}

/// Which column tells the day, as figures, custom, mapping and answers have it.
fn days(
    seen: &Seen,
    custom: &Custom<'_>,
    hints: &Hints,
    mapping: &Mapping,
) -> Result<(When, Option<Given>), Refusal> {
    let mut when = when::decide(&seen.survey, &seen.layout, custom)?;
    mapping.when(&mut when, &seen.survey)?;
    let given = answer::date(&mut when, &seen.layout, hints);
    when.stamp(&seen.survey, &seen.layout, hints.time_zone);
    Ok((when, given))
}

/// The column that may hold fees, and whether its header or a person calls it that.
fn fee(table: &Table<'_>, bases: &[Base], mapping: &Mapping) -> (Option<Numeral>, bool) {
    let named = table.fee();
    let found = named.or_else(|| table.surcharge(bases));
    let fee = mapping.numerals(Role::Fee, found, table).pop();
    (fee, named.is_some() || mapping.says(Role::Fee))
}

/// Makes the reading under the first choices, and the questions for what is open.
fn conclude(
    source: &dyn Source,
    hints: &Hints,
    seen: &Seen,
    parts: &Parts,
    findings: &Findings,
    when: &When,
    decision: &Decision,
) -> Result<Recognition, ReadError> {
    let (Some(day), Some(plan)) = (when.choices.first(), decision.choices.first()) else {
        return Ok(no_amount_column());
    };
    if findings.misdated * 20 > findings.rows {
        let detail = "Too many rows have a date that cannot be read. Write dates as 2024-01-31.";
        return Ok(Recognition::Refused(Refusal::new(
            "UNREADABLE_DATES",
            detail,
        )));
    }
    let otherwise = encoding::otherwise(source, &seen.charset)?;
    let mut reading = assemble(hints, seen, parts, findings, when, decision, *day, plan);
    reading.evidence = evidence::gather(
        &seen.charset,
        otherwise.as_ref(),
        &seen.layout,
        &seen.survey,
        when,
        decision,
        findings,
    );
    let layout = &seen.layout;
    ownership::note(
        source,
        seen,
        hints.currency,
        decision.unbroken,
        &mut reading,
    )?;
    let years = seen.dialect.years.iter();
    reading.evidence.extend(years.map(Years::evidence));
    let edges = &seen.survey.edges;
    let (left_out, doubted) = edges.left_out(&seen.survey, layout, decision.summed);
    reading.left_out = left_out;
    let mut questions = Vec::new();
    if when.choices.len() > 1 {
        let readings = when.choices.iter().map(|day| Reading {
            day: *day,
            ..reading.clone()
        });
        questions.push(wording::date(source, layout, readings.collect())?);
    }
    if decision.choices.len() > 1 {
        let with = |plan: &Plan| Reading {
            plan: plan.clone(),
            currency_columns: hints.currency_columns(&seen.survey, layout, plan),
            ..reading.clone()
        };
        let readings = decision.choices.iter().map(with);
        questions.push(wording::amount(source, layout, readings.collect())?);
    }
    let rows = wording::Rows::open(findings, parts.status, doubted);
    if let Some(rows) = rows {
        let mut values = rows.answers().to_vec();
        match hints.settle(&mut values, wording::ROWS, |(value, _)| (*value).to_owned()) {
            Some(given) => {
                reading = rows.answered(&given.value, &reading);
                let label = rows.label(&given.value);
                reading.evidence.push(hints.credit(given.by, &label));
                reading.answers.push(given);
            }
            // Beyond two questions the first answer holds: the rows are left out and shown.
            None if questions.len() < QUESTIONS_MAX => {
                questions.extend(rows.question(source, &mut reading)?);
            }
            None => reading = rows.first(&reading),
        }
    }
    ended(source, reading, questions)
}

/// A reading under which nothing is open must read something.
fn ended(
    source: &dyn Source,
    reading: Reading,
    questions: Vec<Question>,
) -> Result<Recognition, ReadError> {
    if !questions.is_empty() {
        return Ok(Recognition::Asks { reading, questions });
    }
    if row::any(source, &reading)? {
        return Ok(Recognition::Ready(reading));
    }
    let detail = "No row has both a date and an amount that can be read. Is this a statement of \
                  transactions?";
    let refusal = Refusal::new("NO_READABLE_ROW", detail);
    Ok(Recognition::Refused(refusal))
}

fn no_amount_column() -> Recognition {
    let detail = "No column holds the amounts of the rows. Is this a statement of transactions?";
    Recognition::Refused(Refusal::new("NO_AMOUNT_COLUMN", detail))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one place puts together all that was decided"
)]
fn assemble(
    hints: &Hints,
    seen: &Seen,
    parts: &Parts,
    findings: &Findings,
    when: &When,
    decision: &Decision,
    day: Day,
    plan: &Plan,
) -> Reading {
    let layout = &seen.layout;
    let header = |column: usize| column::named_currency(layout, column);
    let money = |column: usize| seen.survey.facts(column).numbers.single_currency();
    let columns = plan.amount.columns();
    let named = columns.iter().find_map(|column| header(*column));
    let marked = || columns.iter().find_map(|column| money(*column));
    Reading {
        version: VERSION,
        charset: seen.charset.clone(),
        dialect: seen.dialect.clone(),
        before: decision.before.unwrap_or(layout.before),
        names: layout.names.clone().unwrap_or_default(),
        date_columns: layout.date_columns.clone(),
        day,
        value_day: when.value,
        stamps: when.stamps.clone(),
        plan: plan.clone(),
        balance: decision.balance,
        currency_columns: hints.currency_columns(&seen.survey, layout, plan),
        currency: named.or_else(marked),
        descriptions: parts.descriptions.clone(),
        counterparties: parts.counterparties.clone(),
        spare: parts.spare.clone(),
        external_id: parts.id.filter(|_| findings.unique),
        void_status: None,
        undated: Undated::Rejected,
        restated: decision.restated,
        left_out: Vec::new(),
        rows: findings.rows + seen.survey.summaries + decision.undated
            - u64::from(decision.before.is_some()),
        shapes: shape::of(&seen.survey, layout),
        owner: Owner::default(),
        today: hints.today,
        evidence: Vec::new(),
        answers: Vec::new(),
    }
}
