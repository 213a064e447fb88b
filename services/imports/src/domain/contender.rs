//! Which columns may hold the amount, told by their names, by how many rows they fill, and by the
//! balance. What their signs mean is decided elsewhere.

use super::amount::Plan;
use super::bench::{Bench, Words};
use super::candidate::{Base, Rank};
use super::header::{self, NumberKind};

/// So many rows whose words agree tell an amount from a balance.
const WORDS_MIN: u64 = 3;

/// A balance tells which column is the amount from so many steps on, where it has figures in rows
/// that have no amount.
const STEPS_MIN: u64 = 3;

/// So many cells that are no numbers are slips in a column that is headed as money.
const ODD_ROWS_MAX: u64 = 3;

impl Bench<'_> {
    /// The base that is meant, or those among which only a person can choose.
    pub(super) fn contenders(&self, evidence: &mut Vec<String>) -> Vec<&Base> {
        let bases: Vec<&Base> = self.bases.iter().filter(|b| self.readable(b)).collect();
        let fullest = bases
            .iter()
            .filter(|base| base.rank != Rank::Bare)
            .map(|base| self.filled(base))
            .max();
        let full = |base: &Base| self.filled(base) * 10 >= fullest.unwrap_or(0) * 8;
        let strongest = bases.iter().find(|b| b.rank < Rank::Foreign && full(b));
        let Some(top) = strongest.or_else(|| bases.first()).copied() else {
            return Vec::new();
        };
        let mut contenders = vec![top];
        let known = |contenders: &[&Base], base: &Base| {
            contenders.iter().any(|known| std::ptr::eq(*known, base))
        };
        for base in &bases {
            if self.near(top, base) && full(base) && !known(&contenders, base) {
                contenders.push(base);
            }
        }
        let whole = |base: &Base| !matches!(base.rank, Rank::Foreign | Rank::Bare);
        // Rows without an amount here that have money elsewhere: this is not the whole story.
        for base in bases.iter().filter(|base| whole(base)) {
            if !known(&contenders, base) && self.gaps(top, base) > 0 {
                contenders.push(base);
            }
        }
        // A column of nothing but zeros, or one side of a pair whose other side has another name,
        // is not the whole story either.
        let zeros = self.moves(top) == 0;
        for base in bases.iter().filter(|base| whole(base)) {
            let hollow = self.lone(top) && self.hollow(top, base) > 0;
            if !known(&contenders, base) && (hollow || (zeros && self.moves(base) > 0)) {
                contenders.push(base);
            }
        }
        // Figures of one sign may be balances, where whole numbers beside them may be amounts.
        if top.rank == Rank::Unknown && self.one_sided(top) {
            let uneven = |base: &Base| base.rank == Rank::Bare && self.uneven(base);
            contenders.extend(bases.iter().filter(|base| uneven(base)));
        }
        let proven = bases
            .iter()
            .filter(|base| self.proven(base) && !self.proven(top))
            .filter(|base| base.rank != Rank::Bare || self.proven_throughout(base));
        for base in proven {
            if !known(&contenders, base) && self.unlike(top, base) {
                contenders.insert(0, base);
            }
        }
        self.settled(contenders, evidence)
    }

    /// Whether the amounts of a base all have one sign.
    fn one_sided(&self, base: &Base) -> bool {
        let sides = self
            .first(base)
            .map(|found| (found.positive, found.negative));
        sides.is_some_and(|(positive, negative)| positive == 0 || negative == 0)
    }

    /// Whether the whole numbers of a base have more or fewer digits, as those of ids have not.
    fn uneven(&self, base: &Base) -> bool {
        let columns = base.plans.first().map(|plan| plan.amount.columns());
        let column = columns.and_then(|columns| columns.first().copied());
        let digits = column.and_then(|column| self.survey.facts(column).numbers.digits);
        digits.is_some_and(|(fewest, most)| fewest != most)
    }

    /// Whether a balance follows from a base in every row, one way or the other.
    fn proven_throughout(&self, base: &Base) -> bool {
        base.plans.iter().any(|plan| {
            let chain = self.proof(plan).1.and_then(|cell| self.chain(plan, cell));
            chain.is_some_and(|chain| chain.steps >= STEPS_MIN && chain.never_broken())
        })
    }

    /// Rows in which a base has money.
    fn moves(&self, base: &Base) -> u64 {
        self.first(base)
            .map_or(0, |outcome| outcome.positive + outcome.negative)
    }

    /// Whether a base is one column that is headed as one side.
    fn lone(&self, base: &Base) -> bool {
        let columns = base.plans.first().map(|plan| plan.amount.columns());
        let name = |column: &usize| self.names.get(*column).map_or("", String::as_str);
        let side = |column: &usize| {
            matches!(
                header::number(name(column)),
                NumberKind::Debit | NumberKind::Credit
            )
        };
        columns.is_some_and(|columns| columns.len() == 1 && columns.iter().all(side))
    }

    /// Whether some plan of a base reads nearly all that it fills. What is headed as money is so
    /// with a few odd cells as well, which are errors of their rows.
    fn readable(&self, base: &Base) -> bool {
        let money = |column: &usize| {
            let name = self.names.get(*column).map_or("", String::as_str);
            header::money(header::number(name))
        };
        base.plans.iter().any(|plan| {
            let headed = plan.amount.columns().iter().all(money);
            self.outcome(plan).is_some_and(|outcome| {
                let odd = outcome.errors <= ODD_ROWS_MAX && outcome.errors * 2 <= outcome.filled;
                outcome.filled > 0 && (outcome.errors * 20 <= outcome.filled || (headed && odd))
            })
        })
    }

    /// Whether the names speak for a base as much as for the strongest, and its figures differ.
    fn near(&self, top: &Base, base: &Base) -> bool {
        let near = match (top.rank, base.rank) {
            (Rank::Booked, Rank::Booked) => true,
            (Rank::Booked, _) => false,
            (_, Rank::Rest | Rank::Bare) => false,
            (_, Rank::Foreign) => self.filled(base) > self.filled(top),
            (Rank::Pair, Rank::Unknown) => false,
            (_, Rank::Booked | Rank::Pair | Rank::Amount | Rank::Gross | Rank::Unknown) => true,
        };
        near && self.unlike(top, base)
    }

    /// Keeps the one that fees or the balance prove, if they prove one.
    fn settled<'b>(
        &'b self,
        mut contenders: Vec<&'b Base>,
        evidence: &mut Vec<String>,
    ) -> Vec<&'b Base> {
        if let [left, right] = contenders[..] {
            let mut nets = [(left, right), (right, left)].into_iter();
            if let Some((net, _)) = nets.find(|(net, gross)| self.net_of(net, gross)) {
                evidence.push("The net amount is what the fee leaves of the gross one.".to_owned());
                return vec![net];
            }
        }
        if contenders.len() > 1 {
            let proven = contenders.iter().filter(|base| self.proven(base)).copied();
            if let [only] = proven.collect::<Vec<_>>()[..]
                && only.rank != Rank::Foreign
                && self.whole(only, &contenders)
            {
                evidence.push("The running balance tells which column is the amount.".to_owned());
                return vec![only];
            }
            if let Some(only) = self.charged(&contenders) {
                evidence.push("The running balance tells which column is the amount.".to_owned());
                return vec![only];
            }
            if let Some(only) = self.spoken(&contenders) {
                evidence.push("The words of the rows agree with the signs.".to_owned());
                return vec![only];
            }
            contenders.sort_by_key(|base| !self.proven(base));
        }
        contenders
    }

    /// The one of which the balance follows in every row once the fees are taken off.
    fn charged<'b>(&self, contenders: &[&'b Base]) -> Option<&'b Base> {
        let fee = Some(self.fee?);
        let follows = |base: &&&Base| {
            base.plans.iter().any(|plan| {
                let amount = plan.amount.clone();
                let plan = Plan { amount, fee };
                self.exact(&plan) && self.followed(&plan) >= STEPS_MIN
            })
        };
        let mut proven = contenders.iter().filter(follows);
        let (only, None) = (proven.next()?, proven.next()) else {
            return None;
        };
        Some(*only)
    }

    /// Of single columns without names, the one whose two signs the words of the rows confirm: a
    /// balance beside it has one sign.
    fn spoken<'b>(&self, contenders: &[&'b Base]) -> Option<&'b Base> {
        if contenders.iter().any(|base| base.rank != Rank::Unknown) {
            return None;
        }
        let mixed = |base: &&&Base| {
            self.first(base)
                .is_some_and(|found| found.positive > 0 && found.negative > 0)
        };
        let mut signed = contenders.iter().filter(mixed);
        let (only, None) = (signed.next()?, signed.next()) else {
            return None;
        };
        let (plan, outcome) = (only.plans.first()?, self.first(only)?);
        let agree = self.words(plan) == Words::Agree && outcome.agree >= WORDS_MIN;
        agree.then_some(*only)
    }

    /// Whether the proof of a base rests on enough rows, and no base but its balance has money
    /// where it has none.
    fn proves_all(&self, only: &Base, balance: &Base) -> bool {
        let steps = only.plans.iter().map(|plan| self.steps(plan)).max();
        let mut others = self
            .bases
            .iter()
            .filter(|other| !std::ptr::eq(*other, only) && !std::ptr::eq(*other, balance));
        steps.is_some_and(|steps| steps >= STEPS_MIN)
            && others.all(|other| self.gaps(only, other) == 0)
    }

    /// Whether no row has its money in the columns of another base alone. A proof over the rows
    /// that a base reads says nothing of those it does not.
    fn whole(&self, only: &Base, contenders: &[&Base]) -> bool {
        let mut others = contenders
            .iter()
            .filter(|other| !std::ptr::eq(**other, only));
        others.all(|other| {
            let columns = other.plans.first().map(|plan| plan.amount.columns());
            let all = |fits: &dyn Fn(&usize) -> bool| {
                columns
                    .as_ref()
                    .is_some_and(|columns| columns.iter().all(fits))
            };
            // The balance that proves has figures in rows without an amount as well.
            let proof = only.plans.iter().find_map(|plan| self.proof(plan).1);
            let balance = all(&|column| proof.is_some_and(|cell| cell.column == *column));
            (balance && self.proves_all(only, other))
                || (self.gaps(only, other) == 0 && (balance || self.hollow(only, other) == 0))
        })
    }
}
