//! Pages: how many, and where to go on.
//!
//! A page token is opaque to clients. It says behind which key to go on and for which filters it
//! was made: with other filters it would skip rows without a word, so it is refused.

use sha2::{Digest, Sha256};

/// Items on a page when the caller does not say.
pub const SIZE_DEFAULT: i32 = 100;
/// Items on a page at most.
pub const SIZE_MAX: i32 = 1_000;

/// A page token that was not made for this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken;

/// How many items a page holds.
///
/// # Errors
/// For a negative size.
pub fn size(asked: i32) -> Result<i64, BadToken> {
    match asked {
        0 => Ok(i64::from(SIZE_DEFAULT)),
        1.. => Ok(i64::from(asked.min(SIZE_MAX))),
        _ => Err(BadToken),
    }
}

/// The token of the page behind `key`, for these filters.
#[must_use]
pub fn token(key: &str, filters: &str) -> String {
    format!("{}.{key}", mark(filters))
}

/// The key a token goes on behind; `None` for the first page.
///
/// # Errors
/// For a token of another list, of other filters, or of nobody.
pub fn key<'a>(token: &'a str, filters: &str) -> Result<Option<&'a str>, BadToken> {
    if token.is_empty() {
        return Ok(None);
    }
    match token.split_once('.') {
        Some((found, key)) if found == mark(filters) => Ok(Some(key)),
        _ => Err(BadToken),
    }
}

fn mark(filters: &str) -> String {
    hex::encode(Sha256::digest(filters).get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_only_the_list_it_was_made_for() {
        let made = token("42", "a|b");
        assert_eq!(key(&made, "a|b"), Ok(Some("42")));
        assert_eq!(key("", "a|b"), Ok(None));
        for (token, filters) in [(made.as_str(), "a|c"), ("42", "a|b"), (".42", "a|b")] {
            assert_eq!(key(token, filters), Err(BadToken), "{token} {filters}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_limit() {
        assert_eq!(size(0), Ok(100));
        assert_eq!(size(1), Ok(1));
        assert_eq!(size(5_000), Ok(1_000));
        assert_eq!(size(-1), Err(BadToken));
    }
}
