//! The bench on which the plans are judged: what trial, balance and words say of each.

use super::amount::{Numeral, Plan};
use super::candidate::Base;
use super::column::Survey;
use super::trial::{Findings, Outcome, Proof};

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
}

/// Which way words point.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        let other = right
            .plans
            .first()
            .and_then(|p| self.plans.iter().position(|o| o == p));
        let gaps = self.first(left).map(|outcome| &outcome.gaps);
        other
            .zip(gaps)
            .and_then(|(other, gaps)| gaps.get(other).copied())
            .unwrap_or(0)
    }
}
