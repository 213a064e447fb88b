//! Decides which of the possible meanings of the amount columns is the right one, or which remain,
//! once it is known which columns they may be (`contender`). What nothing proves stays open: a
//! wrong guess is the one thing a person would not see.

use super::amount::{Amount, Numeral, Plan, Signs, Unknown};
use super::bench::{Bench, Holder, Words};
use super::candidate::{Base, Rank, format_rank};
use super::chain::Proof;
use super::header;
use super::trial::Outcome;

/// On an account of debts, fewer negative amounts than this may as well be payments.
const DEBT_ROWS_MIN: u64 = 3;

/// So many rows whose words agree tell which of two columns is money out.
const WORDS_MIN: u64 = 3;

/// A balance that contradicts plain names of columns has to do so in so many steps.
const STEPS_MIN: u64 = 3;

/// More choices than this are no question.
pub(super) const CHOICES_MAX: usize = 6;

/// The plans that remain, likeliest first; one when it is decided.
#[derive(Default)]
pub(super) struct Decision {
    pub(super) choices: Vec<Plan>,
    pub(super) balance: Option<Numeral>,
    /// Whether it follows in every single row, so that all are of one account.
    pub(super) unbroken: bool,
    pub(super) evidence: Vec<String>,
    /// Whether rows only repeat the balance, and then whether the rows are in order of time.
    pub(super) restated: Option<bool>,
    /// The line of a first row that is a heading, told by the balance.
    pub(super) before: Option<u64>,
    /// Whether the last row may be the total of all others: its amount is their sum.
    pub(super) summed: bool,
    /// Rows without a date that have an amount under the first choice.
    pub(super) undated: u64,
}

/// What signs mean that no balance proves.
enum Unproven {
    /// As written or turned (true), with the reason.
    As(bool, &'static str),
    /// It takes a person; turned (true) is likelier or not.
    Open(bool),
}

impl Bench<'_> {
    /// Decides.
    pub(super) fn decide(&self) -> Decision {
        let mut decision = Decision::default();
        let bases = self.contenders(&mut decision.evidence);
        for base in &bases {
            let plans = self.signs(base, bases.len() > 1, &mut decision.evidence);
            let formats = self.formats(&plans);
            decision.choices.extend(formats);
        }
        if let [base] = bases.as_slice() {
            decision.choices = self.fees(base, decision.choices, &mut decision.evidence);
        }
        self.mapping.settle(&mut decision.choices, self.plans);
        decision.choices.truncate(CHOICES_MAX);
        let first = decision.choices.first();
        let proven = first.and_then(|plan| self.proof(plan).1);
        decision.balance = proven.or_else(|| {
            let used = first.map(|plan| plan.amount.columns()).unwrap_or_default();
            let free = |balance: &&Numeral| !used.contains(&balance.column);
            self.balances
                .iter()
                .find(free)
                .filter(|_| self.balance_named)
                .copied()
        });
        if let (Some(plan), Some(balance)) = (decision.choices.first().cloned(), proven) {
            let chain = self.chain(&plan, balance);
            decision.unbroken = chain.is_some_and(|chain| chain.exact(self.direction));
            self.oddities(&plan, balance, &mut decision);
        }
        let outcome = decision.choices.first().and_then(|plan| self.outcome(plan));
        decision.undated = outcome.map_or(0, |outcome| outcome.undated);
        // Where a balance follows from it, it is a booking all the same.
        decision.summed = proven.is_none() && outcome.is_some_and(|outcome| outcome.summed);
        if proven.is_some() {
            decision
                .evidence
                .push("The running balance follows from the amounts.".to_owned());
        } else if decision.balance.is_some() {
            let text = "The balance column does not follow from row to row and proves nothing.";
            decision.evidence.push(text.to_owned());
        }
        decision
    }

    /// Rows that a proven balance shows to be no transactions.
    fn oddities(&self, plan: &Plan, balance: Numeral, decision: &mut Decision) {
        let (Some(chain), Some(outcome)) = (self.chain(plan, balance), self.outcome(plan)) else {
            return;
        };
        if chain.restated > 0 {
            decision.restated = Some(self.direction.unwrap_or(chain.rising >= chain.falling));
            let text = "Rows that repeat the balance as their amount are left out.";
            decision.evidence.push(text.to_owned());
        }
        if chain.headed_by_totals(outcome.total) {
            decision.before = Some(self.findings.first_line);
            let text = "The first row states the opening and the closing balance.";
            decision.evidence.push(text.to_owned());
        }
    }

    /// The plans of a base whose signs remain possible, likeliest first.
    fn signs(&self, base: &Base, brief: bool, evidence: &mut Vec<String>) -> Vec<Plan> {
        let Some(first) = base.plans.first() else {
            return Vec::new();
        };
        let open = match &first.amount {
            Amount::Signed { .. } => Self::with_offers(base, self.signed(base, evidence)),
            Amount::Marked { cell, bare, .. } if *bare != Unknown::Rejected => {
                self.bare(base, first, cell.column, evidence)
            }
            Amount::Marked { .. } => self.marked(base),
            Amount::Pair { .. } => self.paired(base, evidence),
            Amount::Indicated { .. } => self.indicated(base, evidence),
        };
        let keep = if brief { 2 } else { CHOICES_MAX };
        open.into_iter().take(keep).collect()
    }

    fn with<'b>(base: &'b Base, fits: impl Fn(&Amount) -> bool + 'b) -> Vec<Plan> {
        base.plans
            .iter()
            .filter(|plan| fits(&plan.amount))
            .cloned()
            .collect()
    }

    /// One column of which one side has marks. A letter is one beyond doubt; a plus may just be a
    /// way of writing, unless the balance agrees.
    fn bare(
        &self,
        base: &Base,
        first: &Plan,
        column: usize,
        evidence: &mut Vec<String>,
    ) -> Vec<Plan> {
        let marked = Self::with(base, |amount| matches!(amount, Amount::Marked { .. }));
        let lettered = self.survey.facts(column).numbers.sided > 0;
        let paid = self.outcome(first).is_some_and(|outcome| {
            outcome.repaid_positive > 0 && outcome.repaid_negative + outcome.disagree == 0
        });
        if lettered || paid || self.proof(first).0 == Proof::Follows {
            evidence.push("Marks on some of the amounts tell which side they are on.".to_owned());
            marked
        } else {
            base.plans.clone()
        }
    }

    fn marked(&self, base: &Base) -> Vec<Plan> {
        let plans = |turned: bool| {
            Self::with(base, move |amount| match amount {
                Amount::Marked { inverted, .. } => *inverted == turned,
                _ => false,
            })
        };
        let normal = plans(false);
        let proof = normal
            .first()
            .map_or(Proof::Silent, |plan| self.proof(plan).0);
        match proof {
            Proof::Inverted => [plans(true), normal].concat(),
            _ => normal,
        }
    }

    /// One column with signs.
    fn signed(&self, base: &Base, evidence: &mut Vec<String>) -> Vec<Plan> {
        let plans = |turned: bool| {
            Self::with(base, move |amount| match amount {
                Amount::Signed { inverted, .. } => *inverted == turned,
                _ => false,
            })
        };
        let (normal, inverted) = (plans(false), plans(true));
        let Some(plan) = normal.first() else {
            return Vec::new();
        };
        let Some(outcome) = self.outcome(plan) else {
            return Vec::new();
        };
        let (positive, negative) = (outcome.positive, outcome.negative);
        let column = plan.amount.columns().first().copied().unwrap_or_default();
        let words = self.words(plan);
        let asset = self.holder == Holder::Asset;
        let open = |first: &[Plan], second: &[Plan]| [first, second].concat();
        let mut because = |text: &str| evidence.push(text.to_owned());
        match (self.proof(plan).0, words) {
            (Proof::Follows, _) if asset => normal,
            (Proof::Inverted, _) if asset && self.steps(plan) > 1 => {
                because("The balance of this kind of account is a fortune: positive means out.");
                inverted
            }
            (Proof::Follows, Words::Disagree) => open(&normal, &inverted),
            (Proof::Follows, words) => {
                // A debt grows with each purchase as a fortune does with each wage.
                let mixed = negative * 10 >= (positive + negative) * 4;
                let account = self.nature.account() && self.holder != Holder::Debt;
                if mixed || words == Words::Agree || account {
                    normal
                } else {
                    open(&normal, &inverted)
                }
            }
            (Proof::Inverted, Words::Disagree) if positive > negative => {
                because("Balance and words tell that positive means money out.");
                inverted
            }
            (Proof::Inverted, _) => open(&inverted, &normal),
            (Proof::Silent, _) => match self.unproven(outcome, column, words) {
                Unproven::As(turned, text) => {
                    because(text);
                    if turned { inverted } else { normal }
                }
                Unproven::Open(true) => open(&inverted, &normal),
                Unproven::Open(false) => open(&normal, &inverted),
            },
        }
    }

    /// What signs mean that no balance proves.
    fn unproven(&self, outcome: &Outcome, column: usize, words: Words) -> Unproven {
        let (positive, negative) = (outcome.positive, outcome.negative);
        if positive + negative == 0 {
            return Unproven::As(false, "No row moves money.");
        }
        if let Some((turned, text)) = self.habit(outcome, column, words) {
            return Unproven::As(turned, text);
        }
        // One refund that is called so tells nothing of a card's many purchases.
        let told = outcome.agree > 2 || negative * 2 >= positive;
        let (thanked, repaid) = (outcome.thanked_negative > 0, outcome.repaid_negative);
        let plus = self.survey.facts(column).numbers.plus > 0;
        match words {
            Words::Agree if negative > 0 && positive > 0 && told && !thanked => {
                Unproven::As(false, "The words of the rows agree with the signs.")
            }
            Words::Agree if outcome.agree == positive + negative => {
                Unproven::As(false, "The words of every row agree with the signs.")
            }
            Words::Disagree => Unproven::Open(true),
            _ if negative == 0 => Unproven::Open(false),
            _ if self.holder == Holder::Asset && positive > 0 => {
                let text = "Both signs occur: on this kind of account they are as written.";
                Unproven::As(false, text)
            }
            _ if self.holder == Holder::Debt && negative < DEBT_ROWS_MIN => Unproven::Open(false),
            // What pays a card is no money out, whatever its sign.
            _ if plus || (negative - repaid) * 10 >= (positive + negative) * 6 => {
                Unproven::As(false, "Most amounts are negative, as money out is.")
            }
            _ => Unproven::Open(repaid > 0 && self.nature.card()),
        }
    }

    /// A column out and a column in.
    fn paired(&self, base: &Base, evidence: &mut Vec<String>) -> Vec<Plan> {
        let Some(first) = base.plans.first() else {
            return Vec::new();
        };
        let Amount::Pair {
            out: left,
            into: right,
            ..
        } = first.amount
        else {
            return Vec::new();
        };
        let turned = |amount: &Amount| match amount {
            Amount::Pair { out, .. } => out.column == right.column,
            _ => false,
        };
        let plain = base.plans.iter().all(|plan| {
            matches!(
                plan.amount,
                Amount::Pair {
                    signs: Signs::Ignored,
                    ..
                }
            )
        });
        let normal = Self::with(base, |amount| !turned(amount));
        let swapped = Self::with(base, turned);
        let named = !matches!(self.kind_of(base), Rank::Unknown);
        let proof = match self.proof(first).0 {
            Proof::Inverted if self.plainly_named(first, left.column, right.column) => {
                Proof::Silent
            }
            proof => proof,
        };
        if !plain {
            return self.paired_with_signs(base, normal, swapped);
        }
        let numbers = |cell: Numeral| self.survey.facts(cell.column).numbers;
        let (out, into) = (numbers(left), numbers(right));
        match proof {
            Proof::Follows => normal,
            _ if out.positive == 0 && out.negative > 0 && into.negative == 0 => {
                evidence.push("The signs agree with the columns.".to_owned());
                normal
            }
            _ if !named && into.positive == 0 && into.negative > 0 && out.negative == 0 => swapped,
            Proof::Inverted if named && self.steps(first) < STEPS_MIN => [normal, swapped].concat(),
            Proof::Inverted if named && self.holder != Holder::Asset => [swapped, normal].concat(),
            Proof::Inverted => swapped,
            Proof::Silent if !named => match self.outcome(first) {
                Some(outcome) => match outcome.leans(WORDS_MIN) {
                    Some(agrees) => {
                        evidence.push("The words of the rows tell out from in.".to_owned());
                        if agrees { normal } else { swapped }
                    }
                    None => [normal, swapped].concat(),
                },
                None => [normal, swapped].concat(),
            },
            Proof::Silent => match (self.words(first), self.outcome(first)) {
                (Words::Disagree, Some(outcome)) if outcome.disagree > 4 => {
                    [normal, swapped].concat()
                }
                _ => normal,
            },
        }
    }

    /// Whether the names leave no doubt of the sides, as debit and credit do, and a balance that
    /// contradicts them does so in too few rows to be believed.
    fn plainly_named(&self, plan: &Plan, out: usize, into: usize) -> bool {
        let names = self.names;
        let name = |column: usize| names.get(column).map_or("", String::as_str);
        self.steps(plan) < STEPS_MIN
            && self.words(plan) != Words::Disagree
            && header::withdrawal(name(out))
            && header::deposit(name(into))
    }

    /// A pair counts as unnamed when no header tells its sides.
    fn kind_of(&self, base: &Base) -> Rank {
        let named = self.bases.iter().all(|other| other.rank != Rank::Unknown);
        if named { base.rank } else { Rank::Unknown }
    }

    fn paired_with_signs(&self, base: &Base, normal: Vec<Plan>, swapped: Vec<Plan>) -> Vec<Plan> {
        let follows = |plan: &&Plan| self.proof(plan).0 == Proof::Follows;
        let proven: Vec<Plan> = base.plans.iter().filter(follows).cloned().collect();
        match proven.as_slice() {
            [only] if normal.contains(only) => proven,
            _ => {
                let mut open = proven;
                for plan in normal.into_iter().chain(swapped) {
                    if !open.contains(&plan) {
                        open.push(plan);
                    }
                }
                open
            }
        }
    }

    /// One column, and another that tells the direction.
    fn indicated(&self, base: &Base, evidence: &mut Vec<String>) -> Vec<Plan> {
        let under = |wanted: Signs| {
            Self::with(
                base,
                move |amount| matches!(amount, Amount::Indicated { signs, .. } if *signs == wanted),
            )
        };
        let (ignored, reversal) = (under(Signs::Ignored), under(Signs::Reversal));
        let written = under(Signs::Direction);
        let outcome = |plans: &[Plan]| {
            plans
                .first()
                .and_then(|plan| self.outcome(plan))
                .cloned()
                .unwrap_or_default()
        };
        let (told, turned, signed) = (outcome(&ignored), outcome(&reversal), outcome(&written));
        let mut told_plans = ignored.clone();
        if told.errors == 0 {
            // No row has another value: what that would mean is no question.
            told_plans.truncate(self.distinct_formats(&told_plans));
        }
        let both = told.positive > 0 && told.negative > 0;
        let consistent =
            signed.negative == 0 || turned.negative == 0 || (turned.positive == 0 && both);
        let proof = ignored
            .first()
            .map_or(Proof::Silent, |plan| self.proof(plan).0);
        let words = ignored
            .first()
            .map_or(Words::Silent, |plan| self.words(plan));
        let doubt = proof == Proof::Inverted
            || (proof == Proof::Silent && words == Words::Disagree && told.disagree > 4);
        if consistent && !doubt && self.collects(&told_plans) {
            let signs = Self::with(base, |amount| matches!(amount, Amount::Signed { .. }));
            return [told_plans, signs].concat();
        }
        if consistent && !doubt {
            evidence.push("A column tells which way the money went.".to_owned());
            return told_plans;
        }
        let first = |plans: &[Plan]| plans.first().cloned();
        let flipped = Self::with(base, |amount| matches!(amount, Amount::Signed { .. }));
        let open = [
            first(&written),
            first(&reversal),
            first(&ignored),
            flipped.last().cloned(),
        ];
        open.into_iter().flatten().collect()
    }

    fn distinct_formats(&self, plans: &[Plan]) -> usize {
        let first = plans.first().map(format_rank);
        let same = plans
            .iter()
            .filter(|plan| Some(format_rank(plan)) == first)
            .count();
        if same == plans.len() { 1 } else { plans.len() }
    }

    /// Of plans that differ only in the decimal mark, those that remain.
    fn formats(&self, plans: &[Plan]) -> Vec<Plan> {
        let follows = |plan: &&Plan| self.proof(plan).0 == Proof::Follows;
        let proven: Vec<Plan> = plans.iter().filter(follows).cloned().collect();
        let formats = |plans: &[Plan]| {
            let mut ranks: Vec<usize> = plans.iter().map(format_rank).collect();
            ranks.sort_unstable();
            ranks.dedup();
            ranks.len()
        };
        if formats(plans) > 1 && formats(&proven) == 1 {
            proven
        } else {
            plans.to_vec()
        }
    }
}
