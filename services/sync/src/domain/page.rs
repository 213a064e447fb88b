//! Pages: how large, and where the next one begins.
//!
//! A token is opaque to clients: a version, a hash of what is listed, and the position behind which
//! to go on. It holds nothing secret and grants nothing, so it is not signed: whoever makes one up
//! reads their own rows from another place.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{Datelike, NaiveDate};
use djinn_ledger::{Version, transaction::Position};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::field::Fields;

/// What a page holds when its size is not told.
pub(crate) const SIZE_DEFAULT: usize = 100;

/// What a page holds at most. A larger size is taken as this one, since a page may always be
/// shorter than was asked for.
pub(crate) const SIZE_MAX: usize = 1_000;

/// The first byte of a token. Raise it when its meaning changes; old tokens are then refused.
const VERSION: u8 = 1;

/// The part of the hash that is in a token: enough to notice another filter.
const HASH_BYTES: usize = 8;

/// The longest token that is decoded, in characters; ours have 39 at most.
const TOKEN_CHARACTERS_MAX: usize = 64;

/// What a list is of: the method and its filters, in a hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scope([u8; HASH_BYTES]);

impl Scope {
    /// The list that this method gives with these filters, in a fixed order. A filter that is not
    /// set is the empty text.
    pub(crate) fn of(rpc: &str, filters: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(&rpc).chain(filters) {
            // With its length, so that no two lists of parts run together to the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut scope = [0; HASH_BYTES];
        for (to, from) in scope.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(scope)
    }

    fn token(self, position: &[u8]) -> String {
        let bytes = [&[VERSION][..], &self.0, position].concat();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a token of this very list.
    fn position(self, token: &str) -> Option<Vec<u8>> {
        if token.len() > TOKEN_CHARACTERS_MAX {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let position = bytes.strip_prefix(&[VERSION])?.strip_prefix(&self.0)?;
        Some(position.to_vec())
    }
}

/// A place in a list that a token can hold.
pub(crate) trait Place: Sized {
    /// The place in bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// The place, if the bytes are one.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// Behind the row with this id.
impl Place for Uuid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

/// Behind the entry of this version.
impl Place for Version {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// Behind this booking.
impl Place for Position {
    fn to_bytes(&self) -> Vec<u8> {
        let day = self.booked_on.num_days_from_ce().to_be_bytes();
        [&day[..], self.transaction_id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (day, id) = bytes.split_first_chunk::<4>()?;
        Some(Self {
            booked_on: NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*day))
                .filter(|date| (1..=9999).contains(&date.year()))?,
            transaction_id: Uuid::from_slice(id).ok()?,
        })
    }
}

/// The token that goes on behind this place.
pub(crate) fn token<P: Place>(scope: Scope, place: &P) -> String {
    scope.token(&place.to_bytes())
}

impl Fields {
    /// How many rows a page holds.
    pub(crate) fn page_size(&mut self, field: &str, size: i32) -> Option<usize> {
        match usize::try_from(size) {
            Ok(0) => Some(SIZE_DEFAULT),
            Ok(size) => Some(size.min(SIZE_MAX)),
            Err(_) => {
                self.refuse(
                    field,
                    format!("is negative; send 1 to {SIZE_MAX}, or 0 for {SIZE_DEFAULT}"),
                );
                None
            }
        }
    }

    /// Where to go on, unless at the beginning.
    pub(crate) fn page_token<P: Place>(
        &mut self,
        field: &str,
        token: &str,
        scope: Scope,
    ) -> Option<P> {
        if token.is_empty() {
            return None;
        }
        let place = scope
            .position(token)
            .and_then(|bytes| P::from_bytes(&bytes));
        if place.is_none() {
            self.refuse(
                field,
                "is not a token of this list; send next_page_token with the filters of the page \
                 it came with, or nothing to begin again",
            );
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0190_b3f4_0000_7000_8000_0000_0000_0001);

    fn read<P: Place>(token: &str, scope: Scope) -> Result<Option<P>, String> {
        let mut fields = Fields::new();
        let place = fields.page_token("page_token", token, scope);
        let finished = fields.finish(|| Some(place));
        finished.map_err(|invalid| invalid.violations()[0].field.clone())
    }

    #[test]
    fn tokens_come_back() {
        let scope = Scope::of("ListAccounts", &["open"]);
        assert_eq!(read(&token(scope, &ID), scope), Ok(Some(ID)));
        assert_eq!(read::<Uuid>("", scope), Ok(None));
        for version in [0, 1, Version::MAX] {
            assert_eq!(read(&token(scope, &version), scope), Ok(Some(version)));
        }
        for (year, month, day) in [(1, 1, 1), (1969, 12, 31), (2026, 2, 28), (9999, 12, 31)] {
            let position = Position {
                booked_on: NaiveDate::from_ymd_opt(year, month, day).unwrap(),
                transaction_id: ID,
            };
            let token = token(scope, &position);
            assert!(token.len() <= TOKEN_CHARACTERS_MAX);
            assert_eq!(read(&token, scope), Ok(Some(position)));
        }
    }

    #[test]
    fn tokens_of_another_list_and_garbage_are_refused() {
        let scope = Scope::of("ListTransactions", &["a", ""]);
        let good = token(scope, &ID);
        for other in [
            Scope::of("ListTransactions", &["", "a"]),
            Scope::of("ListTransactions", &["a"]),
            Scope::of("ListAccounts", &["a", ""]),
        ] {
            assert_eq!(read::<Uuid>(&good, other), Err("page_token".to_owned()));
        }
        let wrong_day = scope.token(&[&i32::MAX.to_be_bytes()[..], ID.as_bytes()].concat());
        for bad in [
            "x",
            "====",
            "\0",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}AAAA"),
            &format!("{good}="),
            &"A".repeat(100_000),
            &wrong_day,
        ] {
            assert!(read::<Uuid>(bad, scope).is_err(), "{bad:.50}");
            assert!(read::<Position>(bad, scope).is_err(), "{bad:.50}");
            assert!(read::<Version>(bad, scope).is_err(), "{bad:.50}");
        }
        assert!(read::<Version>(&good, scope).is_err());
        assert!(read::<Position>(&good, scope).is_err());
    }

    #[test]
    fn page_sizes() {
        for (size, expected) in [
            (0, Some(100)),
            (1, Some(1)),
            (1_000, Some(1_000)),
            (1_001, Some(1_000)),
            (i32::MAX, Some(1_000)),
            (-1, None),
            (i32::MIN, None),
        ] {
            assert_eq!(Fields::new().page_size("page_size", size), expected);
        }
    }
}
