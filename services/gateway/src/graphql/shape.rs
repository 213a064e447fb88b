//! How large a document is, found before anything else looks at it.
//!
//! Fragments are counted as often as they are used, without being walked as often: each is measured
//! once. A document of a few lines can otherwise stand for more fields than there is time to count,
//! and the library's own checks walk them all.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};

use crate::{
    domain::{Class, Measure, limits},
    error::Error,
};

/// What a document asks for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Kind {
    #[default]
    Query,
    Mutation,
    Subscription,
}

impl Kind {
    /// As metrics name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// What a document asks for, and of how much.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Demand {
    pub(super) kind: Kind,
    /// Fields at the root.
    pub(super) roots: usize,
}

impl Demand {
    /// What it counts as against its user's limits: a mutation as what it does, one by one, and
    /// anything else as so many reads as its cost is worth.
    pub(super) fn counts_as(self, cost: usize) -> (Class, u32) {
        let (class, units) = match self.kind {
            Kind::Mutation => (Class::Write, self.roots),
            Kind::Query | Kind::Subscription => (Class::Read, cost.div_ceil(limits::COST_READ)),
        };
        (class, u32::try_from(units).unwrap_or(u32::MAX))
    }
}

/// Refuses a document that is too much of anything. The kind is that of the operation with the
/// name, or of the only one; which one is meant when that is not clear is the library's to refuse.
pub(super) fn check(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    introspection: bool,
) -> Result<Demand, Error> {
    let mut surveyor = Surveyor {
        fragments: &document.fragments,
        measured: HashMap::new(),
    };
    let (mut whole, mut kind) = (Size::default(), Kind::Query);
    for (name, operation) in document.operations.iter() {
        let operation = &operation.node;
        let size = surveyor.operation(operation)?;
        let only = matches!(document.operations, DocumentOperations::Single(_));
        if only || operation_name.is_none() || name.map(Name::as_str) == operation_name {
            kind = match operation.ty {
                OperationType::Query => Kind::Query,
                OperationType::Mutation => Kind::Mutation,
                OperationType::Subscription => Kind::Subscription,
            };
        }
        if operation.ty == OperationType::Subscription && !one_field(&operation.selection_set) {
            return Err(Error::Subscription);
        }
        whole.add(size);
    }
    whole.check()?;
    if whole.introspects && !introspection {
        return Err(Error::IntrospectionOff);
    }
    let roots = whole.roots;
    Ok(Demand { kind, roots })
}

/// Fragments at the root of a subscription are legal, and ignored by the library.
fn one_field(selection_set: &Positioned<SelectionSet>) -> bool {
    let items = &selection_set.node.items;
    matches!(items.as_slice(), [one] if matches!(one.node, Selection::Field(_)))
}

/// The size of a selection.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Size {
    fields: usize,
    depth: usize,
    levels: usize,
    /// Fields that stand where the selection stands.
    roots: usize,
    aliases: usize,
    directives: usize,
    introspects: bool,
}

impl Size {
    /// Takes in what stands beside it.
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
        self.roots = self.roots.saturating_add(other.roots);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.introspects |= other.introspects;
    }

    fn check(&self) -> Result<(), Error> {
        let measures = [
            (Measure::Depth, self.depth),
            (Measure::Levels, self.levels),
            (Measure::Fields, self.fields),
            (Measure::Roots, self.roots),
            (Measure::Aliases, self.aliases),
            (Measure::Directives, self.directives),
        ];
        let over = measures
            .into_iter()
            .find(|(measure, found)| *found > measure.limit().1);
        over.map_or(Ok(()), |(measure, found)| {
            Err(Error::TooMuch { measure, found })
        })
    }
}

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Measures selections. `level` is how deep the walk itself has come.
struct Surveyor<'a> {
    fragments: &'a Fragments,
    /// `None` while a fragment is being measured: whoever meets it then is inside it.
    measured: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Surveyor<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Size, Error> {
        let mut size = self.selection(&operation.selection_set.node, 1)?;
        let variables = operation.variable_definitions.iter();
        let of_variables: usize = variables.map(|it| it.node.directives.len()).sum();
        size.directives = size
            .directives
            .saturating_add(operation.directives.len())
            .saturating_add(of_variables);
        Ok(size)
    }

    fn selection(&mut self, selection: &'a SelectionSet, level: usize) -> Result<Size, Error> {
        if level > limits::QUERY_LEVELS_MAX {
            let measure = Measure::Levels;
            return Err(Error::TooMuch {
                measure,
                found: level,
            });
        }
        let mut size = Size::default();
        for item in &selection.items {
            size.add(self.item(&item.node, level)?);
        }
        size.levels += 1;
        Ok(size)
    }

    fn item(&mut self, item: &'a Selection, level: usize) -> Result<Size, Error> {
        let mut size = match item {
            Selection::Field(field) => {
                let field = &field.node;
                let inside = &field.selection_set.node;
                let mut size = match inside.items.as_slice() {
                    [] => Size::default(),
                    _ => self.selection(inside, level + 1)?,
                };
                let name = field.name.node.as_str();
                size.fields = size.fields.saturating_add(1);
                size.depth += 1;
                size.roots = 1;
                size.aliases += usize::from(field.alias.is_some());
                size.introspects |= name.starts_with("__") && name != "__typename";
                size
            }
            Selection::InlineFragment(fragment) => {
                self.selection(&fragment.node.selection_set.node, level + 1)?
            }
            Selection::FragmentSpread(spread) => {
                self.fragment(&spread.node.fragment_name.node, level)?
            }
        };
        size.directives = size.directives.saturating_add(item.directives().len());
        Ok(size)
    }

    fn fragment(&mut self, name: &Name, level: usize) -> Result<Size, Error> {
        // That there is no such fragment is the library's to refuse.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(Size::default());
        };
        match self.measured.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let name = name.to_string();
                return Err(Error::FragmentCycle { name });
            }
            None => {}
        }
        self.measured.insert(name, None);
        let fragment = &fragment.node;
        let mut size = self.selection(&fragment.selection_set.node, level + 1)?;
        size.directives = size.directives.saturating_add(fragment.directives.len());
        self.measured.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn checked(query: &str) -> Result<Kind, &'static str> {
        let document = parse_query(query).expect("a document");
        let demand = check(&document, None, false);
        let kind = demand.map(|demand| demand.kind);
        kind.map_err(|error| djinn_chassis::fault::Fault::reason(&error))
    }

    fn size(query: &str) -> Size {
        let document = parse_query(query).expect("a document");
        let mut surveyor = Surveyor {
            fragments: &document.fragments,
            measured: HashMap::new(),
        };
        let (_, operation) = document.operations.iter().next().expect("one");
        surveyor.operation(&operation.node).expect("a size")
    }

    #[test]
    fn a_mutation_counts_as_its_fields_and_a_query_as_what_it_costs() {
        let demand = |query| check(&parse_query(query).expect("a document"), None, false);
        let two = demand("mutation { a b { c d e } }").expect("two");
        assert_eq!(two.counts_as(9_000), (Class::Write, 2));
        for query in ["{ a b }", "subscription { a }"] {
            let read = demand(query).expect("one");
            let counts = [1, 500, 501, 25_000].map(|cost| read.counts_as(cost));
            assert_eq!(counts, [1, 1, 2, 50].map(|units| (Class::Read, units)));
        }
    }

    #[test]
    fn fragments_count_where_they_are_used() {
        let query = "query($a: Int @x) @y { one: a { ...F ...F @skip(if: true) } b }
                     fragment F on T @z { c { two: d } ... on T { e } }";
        let expected = Size {
            fields: 8,
            depth: 3,
            levels: 4,
            roots: 2,
            aliases: 3,
            directives: 5,
            introspects: false,
        };
        assert_eq!(size(query), expected);
    }

    #[test]
    fn fragments_of_fragments_are_counted_and_not_walked() {
        // Twenty times twice itself: a million fields in a thousand bytes.
        let mut bomb = "query { ...F0 }".to_owned();
        for at in 0..20 {
            bomb += &format!(" fragment F{at} on Query {{ ...F{0} ...F{0} }}", at + 1);
        }
        bomb += " fragment F20 on Query { account(id: 1) { id } }";
        assert_eq!(size(&bomb).fields, 1 << 21);
        assert_eq!(checked(&bomb), Err("QUERY_TOO_MANY_FIELDS"));

        // Nobody can count these.
        let mut bomb = "query { ...F0 }".to_owned();
        for at in 0..25 {
            let spreads = format!(" ...F{}", at + 1).repeat(50);
            bomb += &format!(" fragment F{at} on Query {{ {spreads} }}");
        }
        bomb += " fragment F25 on Query { a }";
        assert_eq!(size(&bomb).fields, usize::MAX);
        assert_eq!(checked(&bomb), Err("QUERY_TOO_MANY_FIELDS"));
    }

    #[test]
    fn circles_and_chains_end() {
        let circle = "{ ...A } fragment A on Q { a { ...B } } fragment B on Q { b { ...A } }";
        assert_eq!(checked(circle), Err("QUERY_INVALID"));
        let mut chain = "{ ...F0 }".to_owned();
        for at in 0..500 {
            chain += &format!(" fragment F{at} on Q {{ ...F{} }}", at + 1);
        }
        assert_eq!(checked(&chain), Err("QUERY_TOO_DEEP"));
        // Measured short first, and used deep down afterwards.
        let (open, close) = ("{ a ".repeat(14), " }".repeat(14));
        let twice =
            format!("{{ ...F x {open} {{ ...F }} {close} }} fragment F on Q {{ a {{ b }} }}");
        assert_eq!(checked(&twice), Err("QUERY_TOO_DEEP"));
    }

    #[test]
    fn each_limit_is_exact() {
        let times = |text: &str, count| text.repeat(count);
        let alias = |count| {
            (0..count)
                .map(|at| format!("n{at}: b "))
                .collect::<String>()
        };
        for (max, query, reason) in [
            (
                limits::QUERY_DEPTH_MAX,
                &(|n| format!("{{ {} a {}", times("a { ", n - 1), times("} ", n)))
                    as &dyn Fn(_) -> _,
                "QUERY_TOO_DEEP",
            ),
            (
                limits::QUERY_FIELDS_MAX,
                &|n| format!("{{ a {{ {} }} }}", times("b ", n - 1)),
                "QUERY_TOO_MANY_FIELDS",
            ),
            (
                limits::QUERY_ROOTS_MAX,
                &|n| format!("{{ {} }}", times("b ", n)),
                "QUERY_TOO_MANY_ROOTS",
            ),
            (
                limits::QUERY_ALIASES_MAX,
                &|n| format!("{{ a {{ {} }} }}", alias(n)),
                "QUERY_TOO_MANY_ALIASES",
            ),
            (
                limits::QUERY_DIRECTIVES_MAX,
                &|n| format!("{{ a {{ {} }} }}", times("b @skip(if: true) ", n)),
                "QUERY_TOO_MANY_DIRECTIVES",
            ),
        ] {
            assert_eq!(checked(&query(max)), Ok(Kind::Query), "{reason}");
            assert_eq!(checked(&query(max + 1)), Err(reason));
        }
    }

    #[test]
    fn introspection_is_found_wherever_it_hides() {
        for query in [
            "{ __schema { types { name } } }",
            "{ ...F } fragment F on Query { ... on Query { x: __type(name: \"A\") { name } } }",
        ] {
            assert_eq!(checked(query), Err("INTROSPECTION_OFF"), "{query}");
        }
        assert_eq!(checked("{ __typename }"), Ok(Kind::Query));
    }

    #[test]
    fn a_subscription_has_one_plain_field() {
        assert_eq!(
            checked("subscription { a { b c } }"),
            Ok(Kind::Subscription)
        );
        for query in [
            "subscription { a b }",
            "subscription { ...F } fragment F on Subscription { a }",
        ] {
            assert_eq!(checked(query), Err("SUBSCRIPTION_REFUSED"), "{query}");
        }
    }
}
