//! Columns whose words tell the side of unsigned amounts to a person and to nobody else: `Sale`
//! beside `Payment` on a card's statement, or `Lastschrift`, which is money out of an account and
//! money onto a card.

use super::amount::{Amount, Numeral, Plan, Signs, Unknown};
use super::bench::{Bench, Holder};
use super::candidate::Base;
use super::column;
use super::header::{self, NumberKind, TextKind};
use super::sign;
use super::table::Table;

impl Table<'_> {
    /// The meanings of unsigned amounts beside a column of types in which some values are those of
    /// purchases and others those of payments. None of them is believed, all are offered.
    pub(super) fn offered(&self, cell: Numeral) -> Vec<Amount> {
        let columns = self.survey.columns.iter().enumerate();
        let typed = columns.filter(|(index, facts)| {
            let name = column::name(self.layout, *index);
            facts.filled == self.survey.rows
                && !self.numeric(*index)
                && !self.layout.date_columns.contains(index)
                && matches!(header::text(name), TextKind::Type | TextKind::Indicator)
        });
        let mut found = Vec::new();
        for (indicator, facts) in typed {
            let values = facts.values.as_deref().unwrap_or_default();
            let side = |inward: bool| -> Vec<String> {
                let fits = |value: &&(String, u64)| sign::leaning(&value.0) == Some(inward);
                let fitting = values.iter().filter(fits);
                fitting.map(|(value, _)| value.clone()).collect()
            };
            let (out, into) = (side(false), side(true));
            if out.is_empty() || into.is_empty() {
                continue;
            }
            let all = out.len() + into.len() == values.len();
            found.push(Amount::Indicated {
                cell,
                indicator,
                out,
                into,
                unknown: if all { Unknown::Rejected } else { Unknown::Out },
                signs: Signs::Ignored,
            });
        }
        found
    }
}

impl Bench<'_> {
    /// Puts what a column of types tells in front of meanings that remain open.
    pub(super) fn with_offers(base: &Base, open: Vec<Plan>) -> Vec<Plan> {
        if open.len() < 2 {
            return open;
        }
        let told = |plan: &&Plan| matches!(plan.amount, Amount::Indicated { .. });
        let mut all: Vec<Plan> = base.plans.iter().filter(told).cloned().collect();
        all.extend(open);
        all
    }

    /// Whether a column tells of money out by nothing but words of collection, where the statement
    /// may be that of a card: such a payment leaves an account and pays a card.
    pub(super) fn collects(&self, told: &[Plan]) -> bool {
        let Some(Amount::Indicated { indicator, out, .. }) = told.first().map(|p| &p.amount) else {
            return false;
        };
        // What is headed as the side means the side.
        let name = self.names.get(*indicator).map_or("", String::as_str);
        let headed =
            header::text(name) == TextKind::Indicator || header::number(name) == NumberKind::Either;
        let account = self.nature.account() || self.holder == Holder::Asset;
        !headed && !account && !out.is_empty() && out.iter().all(|value| sign::collected(value))
    }
}
