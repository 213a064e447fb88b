//! Words and lines for people.

use djinn_proto::{
    imports::v1::{ImportState, RowVerdict},
    sync::v1::{
        AccountKind, AccountState, TransactionChangeActor, TransactionChangeKind, TransactionSource,
    },
};
use pbjson_types::Timestamp;

/// The text on one line and without what a terminal would obey: statements come from strangers.
/// Besides control characters these are the marks that turn the direction of writing around.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The state in words.
pub(crate) fn state(state: ImportState) -> String {
    words(state.as_str_name(), "IMPORT_STATE_")
}

/// The verdict in words.
pub(crate) fn verdict(verdict: RowVerdict) -> String {
    words(verdict.as_str_name(), "ROW_VERDICT_")
}

/// The kind in words.
pub(crate) fn account_kind(kind: AccountKind) -> String {
    words(kind.as_str_name(), "ACCOUNT_KIND_")
}

/// The state in words.
pub(crate) fn account_state(state: AccountState) -> String {
    words(state.as_str_name(), "ACCOUNT_STATE_")
}

/// The source in words.
pub(crate) fn source(source: TransactionSource) -> String {
    words(source.as_str_name(), "TRANSACTION_SOURCE_")
}

/// What happened, in words.
pub(crate) fn change_kind(kind: TransactionChangeKind) -> String {
    words(kind.as_str_name(), "TRANSACTION_CHANGE_KIND_")
}

/// Who did it, in words.
pub(crate) fn change_actor(actor: TransactionChangeActor) -> String {
    words(actor.as_str_name(), "TRANSACTION_CHANGE_ACTOR_")
}

fn words(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix)
        .replace('_', " ")
        .to_ascii_lowercase()
}

/// A moment to the minute, in UTC.
pub(crate) fn moment(timestamp: Option<Timestamp>) -> String {
    timestamp
        .and_then(|timestamp| chrono::DateTime::try_from(timestamp).ok())
        .map(|moment| moment.format("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// "1 row", "2 rows".
pub(crate) fn count(count: i64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_obeyed() {
        for (text, expected) in [
            ("café – €5", "café – €5"),
            ("two\r\nlines\tand", "two  lines and"),
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"),
            ("a\u{202e}b\u{0}\u{9b}c", "a\u{fffd}b\u{fffd}\u{fffd}c"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn names_become_words() {
        assert_eq!(state(ImportState::Committing), "committing");
        assert_eq!(verdict(RowVerdict::DeletedBefore), "deleted before");
        assert_eq!(account_kind(AccountKind::CreditCard), "credit card");
        assert_eq!(account_state(AccountState::Open), "open");
    }

    #[test]
    fn nouns_agree_with_their_count() {
        assert_eq!(count(0, "row"), "0 rows");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(-2, "row"), "-2 rows");
    }
}
