//! The bench on which the plans are judged: what trial, balance and words say of each.

use djinn_ledger::account::Kind;

use super::amount::{Numeral, Plan};
use super::candidate::Base;
use super::chain::{Chain, Proof};
use super::column::Survey;
use super::mapping::Mapping;
use super::nature::Nature;
use super::trial::{Findings, Outcome};

/// Words must speak for one side this many times as often as for the other.
const WORDS_FACTOR: u64 = 4;

/// Words in fewer than one row of so many contradict nothing.
const WORDS_SHARE: u64 = 4;

/// What the trial is judged by.
pub(super) struct Bench<'a> {
    pub(super) bases: &'a [Base],
    /// All plans that were tried.
    pub(super) plans: &'a [Plan],
    pub(super) findings: &'a Findings,
    pub(super) balances: &'a [Numeral],
    /// Whether a header names the balance.
    pub(super) balance_named: bool,
    /// How the dates run through the file.
    pub(super) direction: Option<bool>,
    pub(super) survey: &'a Survey,
    pub(super) fee: Option<Numeral>,
    /// Whether a header calls it a fee.
    pub(super) fee_named: bool,
    /// What a positive balance would mean.
    pub(super) holder: Holder,
    /// The names of the columns.
    pub(super) names: &'a [String],
    /// What kind of account the words around the rows tell of.
    pub(super) nature: Nature,
    /// What a person says the columns are.
    pub(super) mapping: &'a Mapping,
}

/// What a positive balance of the account means, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A fortune.
    Asset,
    /// A fortune or, on many statements of cards and loans, a debt.
    Debt,
    /// Either: nobody says what kind of account it is.
    Unknown,
}

impl Holder {
    /// What is known: the kind of the account, or that the file names an IBAN of its own.
    pub(super) fn new(kind: Option<Kind>, iban: bool) -> Self {
        match kind {
            Some(Kind::Checking | Kind::Savings | Kind::Cash | Kind::Investment) => Self::Asset,
            Some(Kind::CreditCard | Kind::Loan) => Self::Debt,
            None if iban => Self::Asset,
            Some(Kind::Other) | None => Self::Unknown,
        }
    }
}

/// Which way words point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Agree,
    Disagree,
    Silent,
}

impl Bench<'_> {
    pub(super) fn outcome(&self, plan: &Plan) -> Option<&Outcome> {
        let index = self.plans.iter().position(|other| other == plan)?;
        self.findings.outcomes.get(index)
    }

    pub(super) fn filled(&self, base: &Base) -> u64 {
        self.first(base).map_or(0, |outcome| outcome.filled)
    }

    pub(super) fn first(&self, base: &Base) -> Option<&Outcome> {
        base.plans.first().and_then(|plan| self.outcome(plan))
    }

    /// What the balances say of a plan, and which of them.
    pub(super) fn proof(&self, plan: &Plan) -> (Proof, Option<Numeral>) {
        let Some(outcome) = self.outcome(plan) else {
            return (Proof::Silent, None);
        };
        let used = plan.amount.columns();
        for (balance, chain) in self.balances.iter().zip(&outcome.chains) {
            if used.contains(&balance.column) {
                continue;
            }
            // Without a name it may be a balance before the row: only the dates tell.
            if !self.balance_named && self.direction.is_none() {
                continue;
            }
            let proof = chain.proof(self.direction, self.balance_named);
            if proof != Proof::Silent {
                return (proof, Some(*balance));
            }
        }
        (Proof::Silent, None)
    }

    /// Whether a balance follows in every single row.
    pub(super) fn exact(&self, plan: &Plan) -> bool {
        let (Proof::Follows, Some(balance)) = self.proof(plan) else {
            return false;
        };
        self.chain(plan, balance)
            .is_some_and(|chain| chain.exact(self.direction))
    }

    /// In how many steps a balance follows that proves a plan.
    pub(super) fn followed(&self, plan: &Plan) -> u64 {
        let (Proof::Follows, Some(balance)) = self.proof(plan) else {
            return 0;
        };
        let chain = self.chain(plan, balance);
        chain.map_or(0, |chain| chain.followed(self.direction))
    }

    /// How a balance followed under a plan.
    pub(super) fn chain(&self, plan: &Plan, balance: Numeral) -> Option<&Chain> {
        let index = self.balances.iter().position(|other| *other == balance)?;
        self.outcome(plan)?.chains.get(index)
    }

    /// How many steps a proof of a plan rests on.
    pub(super) fn steps(&self, plan: &Plan) -> u64 {
        let chain = self.proof(plan).1.and_then(|cell| self.chain(plan, cell));
        chain.map_or(0, |chain| chain.steps)
    }

    pub(super) fn proven(&self, base: &Base) -> bool {
        base.plans
            .iter()
            .any(|plan| self.proof(plan).0 != Proof::Silent)
    }

    pub(super) fn words(&self, plan: &Plan) -> Words {
        let Some(outcome) = self.outcome(plan) else {
            return Words::Silent;
        };
        let (agree, disagree) = (outcome.agree, outcome.disagree);
        if agree > 0 && agree >= disagree * WORDS_FACTOR {
            Words::Agree
        } else if disagree > 0
            && disagree >= agree * WORDS_FACTOR
            && disagree * WORDS_SHARE >= outcome.positive + outcome.negative
        {
            Words::Disagree
        } else {
            Words::Silent
        }
    }

    /// Whether two bases give different sizes in some row.
    pub(super) fn unlike(&self, left: &Base, right: &Base) -> bool {
        let other = right
            .plans
            .first()
            .and_then(|p| self.plans.iter().position(|o| o == p));
        let unlike = self.first(left).map(|outcome| &outcome.unlike);
        other
            .zip(unlike)
            .is_none_or(|(other, unlike)| unlike.get(other).copied().unwrap_or(true))
    }

    /// Rows that have money in the second base and none in the first.
    pub(super) fn gaps(&self, left: &Base, right: &Base) -> u64 {
        self.count(left, right, |outcome| &outcome.gaps)
    }

    /// Rows that have money in the second base and zero in the first.
    pub(super) fn hollow(&self, left: &Base, right: &Base) -> u64 {
        self.count(left, right, |outcome| &outcome.hollow)
    }

    fn count(&self, left: &Base, right: &Base, of: impl Fn(&Outcome) -> &Vec<u64>) -> u64 {
        let other = right
            .plans
            .first()
            .and_then(|p| self.plans.iter().position(|o| o == p));
        let counts = self.first(left).map(of);
        other
            .zip(counts)
            .and_then(|(other, counts)| counts.get(other).copied())
            .unwrap_or(0)
    }

    /// Whether the second base, its fee taken off, gives the first in every row.
    pub(super) fn net_of(&self, net: &Base, gross: &Base) -> bool {
        let (Some(fee), Some(plan), Some(outcome)) =
            (self.fee, gross.plans.first(), self.first(net))
        else {
            return false;
        };
        let less = Plan {
            amount: plan.amount.clone(),
            fee: Some(fee),
        };
        let index = self.plans.iter().position(|other| *other == less);
        index.is_some_and(|index| outcome.unlike.get(index) == Some(&false))
    }
}
