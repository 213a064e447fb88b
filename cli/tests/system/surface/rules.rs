//! What no rule can know: each line is a decision about a method, with its reason.

/// Methods whose empty request is a right one: it lists everything, in pages.
pub(crate) const EMPTY_IS_RIGHT: &[&str] = &[
    "ListAccounts",
    "ListImports",
    "ListTransactions",
    "ListTemplates",
];

/// Filters by what another service owns: an id of nobody's, or of another's, finds nothing.
pub(crate) const FILTERS: &[(&str, &str)] = &[("ListTransactions", "import_id")];
