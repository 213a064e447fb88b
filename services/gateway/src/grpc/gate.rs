//! Who may pass: users with a token that this gateway has checked. The services check it again.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, header::AUTHORIZATION};
use tokio::time::Instant;
use tonic::Status;

use djinn_chassis::{
    auth::{Caller, Refusal, UserId, Verifier},
    clock::Clock,
};

use super::status;
use crate::{domain::limits, error::Error};

/// Checks tokens and counts the calls of each user.
#[derive(Clone)]
pub(crate) struct Gate {
    verifier: Verifier,
    clock: Clock,
    calls: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// A place among the calls of one user, given back on drop.
pub(crate) struct Place {
    calls: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Gate {
    pub(crate) fn new(verifier: Verifier, clock: Clock) -> Self {
        let calls = Arc::default();
        Self {
            verifier,
            clock,
            calls,
        }
    }

    /// The caller by the bearer token of the header `authorization`.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or(Refusal::Missing)?;
        // The edge and the service might read different ones.
        if values.next().is_some() {
            return Err(Refusal::Invalid.into());
        }
        let token = value
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or(Refusal::Invalid)?;
        Ok(self.verifier.verify(token, self.clock.now()).await?)
    }

    /// Takes one of the places of a user, or refuses.
    pub(crate) fn place(&self, user: UserId) -> Result<Place, Status> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let count = calls.entry(user).or_default();
        if *count >= limits::USER_CALLS_MAX {
            return Err(status(Error::TooManyCalls));
        }
        *count += 1;
        let calls = Arc::clone(&self.calls);
        Ok(Place { calls, user })
    }

    /// When the caller's token expires, on the runtime's clock; now if that is past.
    pub(crate) fn expiry(&self, caller: &Caller) -> Instant {
        let left = caller.expires_at - self.clock.now();
        let left = left.to_std().unwrap_or_default();
        Instant::now()
            .checked_add(left)
            .unwrap_or_else(Instant::now)
    }

    /// A new id for one request.
    pub(crate) fn request_id(&self) -> uuid::Uuid {
        self.clock.id()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = calls.entry(self.user) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// The token of a value such as `Bearer abc`; the scheme's name has no case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_token_follows_the_word_bearer() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer  a.b.c "), Some("a.b.c"));
        for none in ["", "Bearer", "Bearer ", "Basic a.b.c", "a.b.c"] {
            assert_eq!(bearer(none), None, "{none:?}");
        }
    }
}
