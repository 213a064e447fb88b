//! What a GraphQL document may be and cost. What a field costs is told where the field is.

use super::limits;

/// Something of a request that is counted against a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Measure {
    /// Bytes of the document.
    QueryBytes,
    /// Fields inside fields.
    Depth,
    /// Fields and fragments inside each other.
    Levels,
    /// Fields with all fragments written out.
    Fields,
    /// Fields at the root.
    Roots,
    /// Names given to fields.
    Aliases,
    /// Directives.
    Directives,
    /// The whole cost.
    Cost,
    /// Bytes of the answer.
    AnswerBytes,
}

impl Measure {
    /// What it is called, and how much of it there may be.
    pub(crate) const fn limit(self) -> (&'static str, usize) {
        match self {
            Self::QueryBytes => ("bytes of the document", limits::QUERY_BYTES_MAX),
            Self::Depth => ("fields inside each other", limits::QUERY_DEPTH_MAX),
            Self::Levels => (
                "fields and fragments inside each other",
                limits::QUERY_LEVELS_MAX,
            ),
            Self::Fields => ("fields", limits::QUERY_FIELDS_MAX),
            Self::Roots => ("fields at the root", limits::QUERY_ROOTS_MAX),
            Self::Aliases => ("aliases", limits::QUERY_ALIASES_MAX),
            Self::Directives => ("directives", limits::QUERY_DIRECTIVES_MAX),
            Self::Cost => ("cost", limits::COST_MAX),
            Self::AnswerBytes => ("bytes of the answer", limits::ANSWER_BYTES_MAX),
        }
    }

    /// The word that programs compare.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::QueryBytes => "QUERY_TOO_LARGE",
            Self::Depth | Self::Levels => "QUERY_TOO_DEEP",
            Self::Fields => "QUERY_TOO_MANY_FIELDS",
            Self::Roots => "QUERY_TOO_MANY_ROOTS",
            Self::Aliases => "QUERY_TOO_MANY_ALIASES",
            Self::Directives => "QUERY_TOO_MANY_DIRECTIVES",
            Self::Cost => "QUERY_TOO_COSTLY",
            Self::AnswerBytes => "ANSWER_TOO_LARGE",
        }
    }
}

/// The cost of a page of `first` nodes, of which each costs `node`. It never overflows: far beyond
/// the limit all costs are one.
pub(crate) fn page(first: Option<i32>, node: usize) -> usize {
    let first = match first {
        None | Some(0) => limits::PAGE_DEFAULT,
        // What is negative is refused by the service.
        Some(first) => usize::try_from(first).unwrap_or(1).min(limits::PAGE_MAX),
    };
    call(first.saturating_mul(node))
}

/// The cost of something that needs a call of its own.
pub(crate) fn call(inside: usize) -> usize {
    inside
        .saturating_add(limits::COST_CALL)
        .min(limits::COST_MAX + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_multiply_and_nothing_overflows() {
        for (first, node, cost) in [
            (Some(3), 5, 25),
            (None, 5, 510),
            (Some(0), 5, 510),
            (Some(-1), 5, 15),
            (Some(2_000), 2, 2_010),
            (Some(1_000), 1_000, limits::COST_MAX + 1),
            (Some(i32::MAX), usize::MAX, limits::COST_MAX + 1),
        ] {
            assert_eq!(page(first, node), cost, "{first:?} of {node}");
        }
        assert_eq!(call(usize::MAX), limits::COST_MAX + 1);
    }
}
