//! Fees that leave the account beside the amount: which column may hold them, and whether they are
//! taken off. What nobody calls a fee is one only where the balance says so.

use super::amount::{Numeral, Plan};
use super::bench::Bench;
use super::candidate::{Base, Rank};
use super::chain::Proof;
use super::header::{self, NumberKind};
use super::table::Table;

impl Table<'_> {
    /// A column of sums beside the amounts, zero in most rows, of which the balance may say that it
    /// leaves the account too. Nobody calls it a fee, in a language that is known.
    pub(super) fn surcharge(&self, bases: &[Base]) -> Option<Numeral> {
        self.rare_surcharge(bases)
            .or_else(|| self.unnamed_surcharge())
    }

    fn rare_surcharge(&self, bases: &[Base]) -> Option<Numeral> {
        let used: Vec<usize> = bases
            .iter()
            .filter(|base| base.rank != Rank::Rest)
            .flat_map(|base| &base.plans)
            .flat_map(|plan| plan.amount.columns())
            .chain(self.columns(|kind| kind == NumberKind::Balance))
            .collect();
        let columns = self.columns(|kind| matches!(kind, NumberKind::Unnamed | NumberKind::Other));
        let column = columns.into_iter().find(|index| {
            self.facts(*index).is_some_and(|facts| {
                let numbers = &facts.numbers;
                let charged = numbers.positive + numbers.negative;
                let rare = charged > 0 && numbers.zero * 2 >= self.survey.rows;
                rare && self.monetary(*index) && !used.contains(index)
            })
        })?;
        let format = *self.formats(column).first()?;
        Some(Numeral { column, format })
    }

    /// A column of sums that are zero in some rows and negative in none, without a known name or of
    /// taxes. It may as well be an amount.
    fn unnamed_surcharge(&self) -> Option<Numeral> {
        let columns = self.columns(|kind| {
            matches!(
                kind,
                NumberKind::Unnamed | NumberKind::Other | NumberKind::Tax
            )
        });
        let column = columns.into_iter().find(|index| {
            self.facts(*index).is_some_and(|facts| {
                let numbers = &facts.numbers;
                let some = numbers.zero > 0 && numbers.positive > 0 && numbers.negative == 0;
                some && numbers.sided == 0 && self.monetary(*index)
            })
        })?;
        let format = *self.formats(column).first()?;
        Some(Numeral { column, format })
    }
}

impl Bench<'_> {
    /// Whether a column is one of those that may hold the amount.
    fn in_use(&self, cell: Numeral) -> bool {
        let bases = self.bases.iter().filter(|base| base.rank != Rank::Rest);
        let mut plans = bases.flat_map(|base| &base.plans);
        plans.any(|plan| plan.amount.columns().contains(&cell.column))
    }

    /// Whether a fee leaves the account beside the amount.
    pub(super) fn fees(
        &self,
        base: &Base,
        plans: Vec<Plan>,
        evidence: &mut Vec<String>,
    ) -> Vec<Plan> {
        let Some(fee) = self.fee else { return plans };
        let [plan] = plans.as_slice() else {
            return plans;
        };
        let charged = Plan {
            amount: plan.amount.clone(),
            fee: Some(fee),
        };
        let off = self.exact(&charged) && !self.exact(plan);
        let name = |column: &usize| self.names.get(*column).map_or("", String::as_str);
        let net = |column: &usize| header::number(name(column)) == NumberKind::Net;
        if !off && plan.amount.columns().iter().any(net) {
            // What is headed as net has its fees taken off.
            return plans;
        }
        let tax = header::number(name(&fee.column)) == NumberKind::Tax;
        if !off && !self.fee_named && (tax || self.in_use(fee)) {
            // What may be an amount or be told apart is a fee only where the balance proves it.
            return plans;
        }
        if !self.fee_named && !off {
            // Of a column that nobody calls a fee only the balance can say that it is one.
            let without = self.exact(plan);
            return if without {
                plans
            } else {
                vec![plan.clone(), charged]
            };
        }
        if self.findings.fees_are_rows {
            evidence.push("The fees stand as rows of their own.".to_owned());
            return plans;
        }
        if off {
            evidence.push("The balance follows only when the fees are taken off.".to_owned());
            return vec![charged];
        }
        // A row of nothing but a fee is one all the same.
        let filled = |plan: &Plan| self.outcome(plan).map_or(0, |outcome| outcome.filled);
        if filled(&charged) > filled(plan) {
            return vec![charged, plan.clone()];
        }
        // A fee in a row that no balance reaches may be taken off or not.
        let (with, without) = (self.followed(&charged), self.followed(plan));
        if with > 0 && with >= without {
            return vec![charged, plan.clone()];
        }
        if base.plans.is_empty() || self.proof(plan).0 == Proof::Follows {
            evidence.push("The balance follows without the fees.".to_owned());
            return plans;
        }
        if self.proof(&charged).0 == Proof::Follows {
            vec![charged, plan.clone()]
        } else {
            vec![plan.clone(), charged]
        }
    }
}
