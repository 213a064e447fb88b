//! What no rule can know: each line is a decision about a method, with its reason.

/// Methods that answer UNIMPLEMENTED in this build. They are called like all others and must answer
/// just that: a line whose method has come is a failure, and so is one that is missing.
///
/// DELETE a line when its method is there; delete the list when it is empty.
pub(crate) const UNIMPLEMENTED: &[&str] = &[
    "AnswerImport",
    "RevertImport",
    "ListTemplates",
    "GetTemplate",
    "DeleteTemplate",
    "ExportTemplate",
    "ImportTemplate",
    "CreateTransaction",
    "UpdateTransaction",
    "DeleteTransaction",
    "UnlockTransactionFields",
    "ListTransactionChanges",
];

/// Methods whose empty request is a right one: it lists everything, in pages.
pub(crate) const EMPTY_IS_RIGHT: &[&str] = &[
    "ListAccounts",
    "ListImports",
    "ListTransactions",
    "ListTemplates",
];

/// Filters by what another service owns: an id of nobody's, or of another's, finds nothing.
pub(crate) const FILTERS: &[(&str, &str)] = &[("ListTransactions", "import_id")];

/// Places whose size nothing limits yet. What is in here must be accepted, so that a line goes when
/// its limit has come.
///
/// DELETE the line when PreviewStatement reads its answers as AnswerImport does.
pub(crate) const UNLIMITED: &[(&str, &str)] = &[("PreviewStatement", "answers")];
