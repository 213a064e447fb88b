//! What the columns other than date and amount are: texts, currencies, ids, states.

use djinn_ledger::money::Currency;

use super::amount::Plan;
use super::column::{self, Survey};
use super::header::{self, NumberKind, TextKind};
use super::layout::Layout;
use super::sign;

/// The columns beside date and amount.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// The one currency of the file, if it has one: decides what a decimal mark can be.
    pub(super) currency: Option<Currency>,
    pub(super) descriptions: Vec<usize>,
    pub(super) counterparties: Vec<usize>,
    /// Columns that say something of a row that has neither a description nor another party: its
    /// type first.
    pub(super) spare: Vec<usize>,
    /// All columns of texts, in which words are looked for.
    pub(super) texts: Vec<usize>,
    /// A column headed as the id of the transaction.
    pub(super) id: Option<usize>,
    /// A column of states of which some say that no money moved.
    pub(super) status: Option<usize>,
    /// Whether a column names one and the same IBAN as the file's own account.
    pub(super) iban: bool,
}

/// Finds them.
pub(super) fn find(survey: &Survey, layout: &Layout, hint: Option<Currency>) -> Parts {
    let mut parts = Parts {
        currency: currency(survey, layout).or(hint),
        ..Parts::default()
    };
    let mut types = Vec::new();
    let mut others = Vec::new();
    for (index, facts) in survey.columns.iter().enumerate() {
        let name = column::name(layout, index);
        let kind = header::text(name);
        if facts.filled == 0 || layout.date_columns.contains(&index) {
            continue;
        }
        if kind == TextKind::Id && parts.id.is_none() && facts.filled == survey.rows {
            parts.id = Some(index);
            continue;
        }
        let money = header::money(header::number(name)) && facts.mostly_numeric();
        if facts.numeric() || facts.currency() || money {
            continue;
        }
        parts.texts.push(index);
        if kind == TextKind::Account
            && facts.filled == survey.rows
            && survey.rows > 1
            && let Some([(value, _)]) = facts.values.as_deref()
        {
            parts.iban |= iban(value);
        }
        if kind == TextKind::Status || kind == TextKind::Other {
            let values = facts.values.as_deref().unwrap_or_default();
            if values.iter().any(|(value, _)| sign::unsettled(value)) && kind == TextKind::Status {
                parts.status = Some(index);
            }
        }
        match kind {
            TextKind::Description => parts.descriptions.push(index),
            TextKind::Counterparty => parts.counterparties.push(index),
            TextKind::Type => types.push(index),
            TextKind::Unnamed => others.push((facts.bytes, index)),
            TextKind::Status | TextKind::Other => parts.spare.push(index),
            _ => {}
        }
    }
    parts.spare.splice(0..0, types.iter().copied());
    if parts.descriptions.is_empty() {
        let mut unnamed: Vec<usize> = others.iter().map(|(_, index)| *index).collect();
        if layout.names.is_some() {
            // One unknown name is the description: the column with the most text.
            unnamed = others
                .iter()
                .max()
                .map(|(_, index)| *index)
                .into_iter()
                .collect();
        }
        parts.descriptions = if unnamed.is_empty() { types } else { unnamed };
    }
    if parts.descriptions.is_empty() {
        parts.descriptions = parts.counterparties.clone();
    }
    if parts.descriptions.is_empty() {
        parts.descriptions = parts.spare.first().copied().into_iter().collect();
    }
    // A name that is the same in every row is the owner's, where another one varies.
    let varies = |column: &usize| {
        let facts = survey.columns.get(*column);
        facts.is_some_and(|facts| facts.values.as_ref().is_none_or(|values| values.len() > 1))
    };
    if survey.rows > 1 && parts.counterparties.iter().any(varies) {
        parts.counterparties.retain(varies);
    }
    parts
}

/// Whether a text has the shape of an IBAN, which current accounts have and cards have not.
pub(super) fn iban(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (country, rest) = compact.split_at_checked(2).unwrap_or_default();
    (15..=34).contains(&compact.len())
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && rest.bytes().take(2).all(|byte| byte.is_ascii_digit())
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && rest.bytes().filter(u8::is_ascii_digit).count() >= 8
}

/// Columns of currencies that are not those of another, foreign amount.
fn own(survey: &Survey, layout: &Layout) -> Vec<usize> {
    let fits = |index: &usize| {
        let name = column::name(layout, *index);
        let foreign = header::number(name) == NumberKind::Foreign;
        let named = header::text(name) == TextKind::Currency
            || header::number(name) == NumberKind::Currency;
        // Without a name that says so, codes of another kind may look like currencies.
        let fits =
            |facts: &column::Facts| facts.currency() && (named || facts.currencies == facts.filled);
        survey.columns.get(*index).is_some_and(fits) && !foreign
    };
    let found: Vec<usize> = (0..survey.columns.len()).filter(fits).collect();
    if found.is_empty() {
        // `Divisa` may name a foreign currency, but not where no amount is foreign.
        let codes: Vec<usize> = (0..survey.columns.len())
            .filter(|c| survey.facts(*c).currency())
            .filter(|c| header::text(column::name(layout, *c)) == TextKind::Currency)
            .collect();
        let numbers = (0..survey.columns.len()).map(|c| header::number(column::name(layout, c)));
        let foreign = numbers.filter(|kind| *kind == NumberKind::Foreign).count();
        if codes.len() == 1 && foreign == 1 {
            return codes;
        }
    }
    found
}

/// The currency of the whole file, from a column with one value, a header, or signs of money.
fn currency(survey: &Survey, layout: &Layout) -> Option<Currency> {
    let mut found: Vec<Currency> = Vec::new();
    let columns = own(survey, layout);
    for index in &columns {
        for (value, _) in survey.facts(*index).values.unwrap_or_default() {
            found.extend(column::currency(&value));
        }
    }
    if columns.is_empty() {
        for (index, facts) in survey.columns.iter().enumerate() {
            let numeric = facts.numeric() && facts.numbers.shaped > 0;
            let named = column::named_currency(layout, index).filter(|_| numeric);
            found.extend(named.or(facts.numbers.single_currency()));
        }
    }
    found.sort();
    found.dedup();
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// The columns that hold the currency of a plan's amounts: for each column of amounts the nearest
/// one, on its right before on its left.
pub(super) fn currency_columns(survey: &Survey, layout: &Layout, plan: &Plan) -> Vec<usize> {
    let columns = own(survey, layout);
    let mut found = Vec::new();
    let amounts = plan.amount.columns();
    if amounts
        .iter()
        .any(|c| column::named_currency(layout, *c).is_some())
    {
        // The amount names its currency itself: the codes are those of another amount.
        return found;
    }
    for amount in amounts {
        let near = |column: &&usize| (column.abs_diff(amount), **column < amount);
        if let Some(nearest) = columns.iter().min_by_key(near)
            && !found.contains(nearest)
        {
            found.push(*nearest);
        }
    }
    found
}
