//! A mapping and a file: what it says comes first, and where the file has nothing of the kind it is
//! refused by name.

use super::{Mapped, Mapping, Role, Unfit, Written, place, unfit};
use crate::domain::{
    amount::{Amount, Numeral, Plan},
    candidate::{Base, format_rank},
    column::Survey,
    date::Order,
    description::amounts,
    layout::{self, Layout},
    number::Format,
    part::{self, Parts},
    reading::{Hints, Refusal},
    record::Record,
    table::Table,
    when::{Day, When},
};

/// What the evidence says of a reading under a mapping.
const EVIDENCE: &str = "Your mapping says what the columns mean.";

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self {
            reason: "MAPPING_UNFIT",
            detail: unfit.problem,
            field: Some(unfit.field),
        }
    }
}

impl Hints {
    /// What a person says; nothing without a mapping.
    pub(in crate::domain) fn mapping(&self) -> Mapping {
        self.mapping.clone().unwrap_or_default()
    }

    /// The columns with the currency of a plan's amounts.
    pub(in crate::domain) fn currency_columns(
        &self,
        survey: &Survey,
        layout: &Layout,
        plan: &Plan,
    ) -> Vec<usize> {
        let mut found = part::currency_columns(survey, layout, plan);
        if let Some(mapping) = &self.mapping {
            let said = mapping.all(Role::Currency);
            if said.is_empty() {
                found.retain(|column| mapping.allows(*column, Role::Currency));
            } else {
                found = said;
            }
        }
        found
    }
}

impl Mapping {
    /// What it adds to the evidence.
    pub(in crate::domain) fn evidence(&self) -> Option<String> {
        (*self != Self::default()).then(|| EVIDENCE.to_owned())
    }

    /// Whether a column is said to be this.
    pub(in crate::domain) fn says(&self, role: Role) -> bool {
        self.of(role).is_some()
    }

    fn all(&self, role: Role) -> Vec<usize> {
        let columns = self.columns.iter().filter(|mapped| mapped.role == role);
        columns.map(|mapped| mapped.column).collect()
    }

    /// Where the table is, with the names by which its columns are understood.
    pub(in crate::domain) fn layout(
        &self,
        records: &[Record],
        today: chrono::NaiveDate,
    ) -> Result<Layout, Unfit> {
        let mut layout = match self.header_line {
            None => layout::find(records, today),
            Some(line) => match layout::under(records, line, today) {
                Some(layout) => layout,
                None => {
                    let problem =
                        "no row of names begins on this line; send the line of the header";
                    return unfit("mapping.header_line", problem);
                }
            },
        };
        let dated = |role: Role| role.is_date();
        layout
            .date_columns
            .retain(|column| self.find(*column).is_none_or(|mapped| dated(mapped.role)));
        for mapped in self.columns.iter().filter(|mapped| dated(mapped.role)) {
            if !layout.date_columns.contains(&mapped.column) {
                layout.date_columns.push(mapped.column);
            }
        }
        layout.date_columns.sort_unstable();
        self.speak(&mut layout);
        Ok(layout)
    }

    fn speak(&self, layout: &mut Layout) {
        let last = self.columns.iter().map(|mapped| mapped.column).max();
        let dates = layout.date_columns.iter().copied().max();
        let width = last.max(dates).map_or(0, |column| column + 1);
        let mut meanings = vec![None; width];
        if self.of(Role::BookedOn).is_some() {
            // No other day of booking, but a day of value may stand beside it.
            for column in &layout.date_columns {
                if !layout::names_value_day(layout, *column)
                    && let Some(meaning) = meanings.get_mut(*column)
                {
                    *meaning = Some("");
                }
            }
        }
        for mapped in &self.columns {
            if let Some(meaning) = meanings.get_mut(mapped.column) {
                *meaning = Some(mapped.role.spoken());
            }
        }
        layout.meanings = meanings;
    }

    /// Whether the columns hold what they are said to hold.
    pub(in crate::domain) fn fits(&self, table: &Table<'_>) -> Result<(), Unfit> {
        let survey = table.survey;
        for (index, mapped) in self.columns.iter().enumerate() {
            let width = survey.columns.len();
            if mapped.column >= width {
                let problem = format!("the rows have {width} columns; send one of those");
                return unfit(place(index, "position"), problem);
            }
            let facts = survey.facts(mapped.column);
            let none = |what: &str| {
                let position = mapped.column + 1;
                let problem = format!("column {position} holds no {what}; choose another one");
                unfit(place(index, "role"), problem)
            };
            let filled = facts.filled > 0;
            match mapped.role {
                Role::BookedOn | Role::ValueOn
                    if facts.dates.fitting().is_empty() || facts.filled * 2 < survey.rows =>
                {
                    return none("dates");
                }
                Role::AmountOut | Role::AmountIn if filled && !table.numeric(mapped.column) => {
                    return none("amounts");
                }
                Role::Amount | Role::AmountInverted | Role::Fee | Role::Balance
                    if !table.numeric(mapped.column) =>
                {
                    return none("amounts");
                }
                Role::Currency if !facts.currency() => return none("currencies"),
                Role::ExternalId if facts.filled < survey.rows => return none("id in some rows"),
                Role::Direction => {
                    let found = table.indicators();
                    if found.iter().all(|found| found.column != mapped.column) {
                        return none("words that tell money in from money out");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the ids of a column that is said to hold them tell the rows apart.
    pub(in crate::domain) fn distinct(&self, unique: bool) -> Result<(), Unfit> {
        match self.of(Role::ExternalId) {
            Some((index, _)) if !unique => {
                let problem = "some ids stand in several rows; they are no ids of transactions";
                unfit(place(index, "role"), problem)
            }
            _ => Ok(()),
        }
    }

    /// The columns beside date and amount.
    pub(in crate::domain) fn parts(&self, parts: &mut Parts) {
        let Parts {
            descriptions,
            counterparties,
            ..
        } = &mut *parts;
        for (columns, role) in [
            (descriptions, Role::Description),
            (counterparties, Role::Counterparty),
        ] {
            columns.retain(|column| self.allows(*column, role));
            for column in self.all(role) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            columns.sort_unstable();
        }
        parts.spare.retain(|column| self.find(*column).is_none());
        for (column, role) in [
            (&mut parts.id, Role::ExternalId),
            (&mut parts.status, Role::Status),
        ] {
            let said = self.of(role).map(|(_, mapped)| mapped.column);
            *column = said.or(column.filter(|column| self.allows(*column, role)));
        }
    }

    /// The columns that may be a balance, or a fee: the one that is said to be, else those of which
    /// nothing else is said.
    pub(in crate::domain) fn numerals(
        &self,
        role: Role,
        found: impl IntoIterator<Item = Numeral>,
        table: &Table<'_>,
    ) -> Vec<Numeral> {
        let Some((_, mapped)) = self.of(role) else {
            let found = found.into_iter();
            return found
                .filter(|cell| self.allows(cell.column, role))
                .collect();
        };
        let column = mapped.column;
        let written = mapped.number();
        let format = written.or_else(|| table.formats(column).first().copied());
        let numeral = format.map(|format| Numeral { column, format });
        numeral.into_iter().collect()
    }

    /// Leaves the columns that may be the amount by what is said.
    pub(in crate::domain) fn bases(&self, bases: &mut Vec<Base>) -> Result<(), Unfit> {
        bases.retain(|base| base.plans.iter().any(|plan| self.agrees(plan)));
        let said = self.columns.iter().position(|mapped| mapped.decides());
        match said {
            Some(index) if bases.is_empty() => {
                let field = match self.columns.get(index).and_then(|mapped| mapped.format) {
                    Some(_) => "format",
                    None => "role",
                };
                let problem = "no amounts can be read so; choose another column or format";
                unfit(place(index, field), problem)
            }
            _ => Ok(()),
        }
    }

    /// Keeps the plans that agree with what is said. Where the rows speak for others alone, the
    /// word of the person counts more.
    pub(in crate::domain) fn settle(&self, choices: &mut Vec<Plan>, plans: &[Plan]) {
        if !self.columns.iter().any(Mapped::decides) {
            return;
        }
        choices.retain(|plan| self.agrees(plan));
        if !choices.is_empty() {
            return;
        }
        let charged = self.of(Role::Fee).is_some();
        let open = plans
            .iter()
            .filter(|plan| self.agrees(plan) && plan.fee.is_some() == charged);
        let open: Vec<Plan> = open.cloned().collect();
        let format = open.first().map(format_rank);
        *choices = open;
        choices.retain(|plan| Some(format_rank(plan)) == format);
    }

    /// Whether a plan takes the columns for what they are said to be.
    fn agrees(&self, plan: &Plan) -> bool {
        let mut taken: Vec<(usize, &str, Option<Format>)> = amounts(&plan.amount)
            .into_iter()
            .map(|(cell, word)| (cell.column, word, Some(cell.format)))
            .collect();
        if let Amount::Indicated { indicator, .. } = &plan.amount {
            taken.push((*indicator, Role::Direction.as_str(), None));
        }
        if let Some(fee) = plan.fee {
            taken.push((fee.column, Role::Fee.as_str(), None));
        }
        let fits = |(column, word, format): &(usize, &str, Option<Format>)| {
            self.find(*column).is_none_or(|mapped| {
                let same = mapped.number().is_none_or(|said| Some(said) == *format);
                mapped.role.as_str() == *word && (same || format.is_none())
            })
        };
        let said = |mapped: &&Mapped| mapped.decides();
        let mut said = self.columns.iter().filter(said);
        taken.iter().all(fits)
            && said.all(|mapped| taken.iter().any(|(column, ..)| *column == mapped.column))
    }

    /// The day of the row, and the day of value.
    pub(in crate::domain) fn when(&self, when: &mut When, survey: &Survey) -> Result<(), Unfit> {
        match self.of(Role::BookedOn) {
            None => {
                when.choices.retain(|day| self.find(day.column).is_none());
                if when.choices.is_empty() {
                    let problem = "leave no column for the day of booking; send one as booked_on";
                    return unfit("mapping.columns", problem);
                }
            }
            Some((index, mapped)) => {
                let column = mapped.column;
                when.choices.retain(|day| day.column == column);
                if when.choices.is_empty() {
                    let orders = survey.facts(column).dates.fitting();
                    let days = orders.into_iter().map(|order| Day { column, order });
                    when.choices.extend(days);
                }
                self.ordered(index, mapped, &mut when.choices, survey)?;
            }
        }
        let first = when.choices.first().map(|day| day.order);
        when.value = match self.of(Role::ValueOn) {
            None => when
                .value
                .filter(|day| self.allows(day.column, Role::ValueOn)),
            Some((index, mapped)) => {
                let column = mapped.column;
                let orders = survey.facts(column).dates.fitting();
                let mut days: Vec<Day> = orders
                    .into_iter()
                    .map(|order| Day { column, order })
                    .collect();
                self.ordered(index, mapped, &mut days, survey)?;
                days.sort_by_key(|day| Some(day.order) != first);
                days.first().copied()
            }
        };
        Ok(())
    }

    /// Keeps the order in which the dates are said to be written.
    fn ordered(
        &self,
        index: usize,
        mapped: Mapped,
        days: &mut Vec<Day>,
        survey: &Survey,
    ) -> Result<(), Unfit> {
        let Some(said) = mapped.order() else {
            return Ok(());
        };
        if !survey.facts(mapped.column).dates.fitting().contains(&said) {
            let problem = format!("some dates do not read as {}; choose another", said.label());
            return unfit(place(index, "format"), problem);
        }
        days.clear();
        days.push(Day {
            column: mapped.column,
            order: said,
        });
        Ok(())
    }
}

impl Mapped {
    /// Whether it decides what the amount is.
    fn decides(&self) -> bool {
        self.role.is_amount() || self.role == Role::Direction
    }

    fn number(&self) -> Option<Format> {
        match self.format {
            Some(Written::Number(format)) => Some(format),
            _ => None,
        }
    }

    fn order(&self) -> Option<Order> {
        match self.format {
            Some(Written::Date(order)) => Some(order),
            _ => None,
        }
    }
}
