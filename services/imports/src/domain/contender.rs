//! Which columns may hold the amount, told by their names, by how many rows they fill, and by the
//! balance. What their signs mean is decided elsewhere.

use super::bench::Bench;
use super::candidate::{Base, Rank};

impl Bench<'_> {
    /// The base that is meant, or those among which only a person can choose.
    pub(super) fn contenders(&self, evidence: &mut Vec<String>) -> Vec<&Base> {
        let bases: Vec<&Base> = self.bases.iter().filter(|b| self.readable(b)).collect();
        let fullest = bases.iter().map(|base| self.filled(base)).max();
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
        // Rows without an amount here that have money elsewhere: this is not the whole story.
        for base in bases.iter().filter(|base| base.rank != Rank::Foreign) {
            if !known(&contenders, base) && self.gaps(top, base) > 0 {
                contenders.push(base);
            }
        }
        let proven = bases
            .iter()
            .filter(|base| self.proven(base) && !self.proven(top));
        for base in proven {
            if !known(&contenders, base) && self.unlike(top, base) {
                contenders.insert(0, base);
            }
        }
        self.settled(contenders, evidence)
    }

    /// Whether some plan of a base reads nearly all that it fills.
    fn readable(&self, base: &Base) -> bool {
        base.plans.iter().any(|plan| {
            self.outcome(plan)
                .is_some_and(|outcome| outcome.filled > 0 && outcome.errors * 20 <= outcome.filled)
        })
    }

    /// Whether the names speak for a base as much as for the strongest, and its figures differ.
    fn near(&self, top: &Base, base: &Base) -> bool {
        let near = match (top.rank, base.rank) {
            (Rank::Booked, Rank::Booked) => true,
            (Rank::Booked, _) => false,
            (_, Rank::Rest) => false,
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
            contenders.sort_by_key(|base| !self.proven(base));
        }
        contenders
    }

    /// Whether no row has its money in the columns of another base alone. A proof over the rows
    /// that a base reads says nothing of those it does not.
    fn whole(&self, only: &Base, contenders: &[&Base]) -> bool {
        let balances: Vec<usize> = self.balances.iter().map(|cell| cell.column).collect();
        let mut others = contenders
            .iter()
            .filter(|other| !std::ptr::eq(**other, only));
        others.all(|other| {
            let columns = other.plans.first().map(|plan| plan.amount.columns());
            let balance = columns.is_some_and(|c| c.iter().all(|c| balances.contains(c)));
            self.gaps(only, other) == 0 && (balance || self.hollow(only, other) == 0)
        })
    }
}
