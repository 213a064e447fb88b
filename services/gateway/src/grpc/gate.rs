//! Who may pass: users with a token that this gateway has checked. The services check it again.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use tokio::time::Instant;
use tonic::Status;

use djinn_chassis::{
    auth::{Caller, Refusal, UserId, Verifier},
    clock::Clock,
};

use super::{
    status,
    tally::{Place, Tally},
};
use crate::{domain::limits, error::Error};

/// Checks tokens and counts the calls of each user.
#[derive(Clone)]
pub(crate) struct Gate {
    verifier: Verifier,
    clock: Clock,
    calls: Tally,
}

impl Gate {
    pub(crate) fn new(verifier: Verifier, clock: Clock) -> Self {
        let calls = Tally::new(limits::USER_CALLS_MAX);
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
        self.bearer(value).await
    }

    /// The caller by one value such as `Bearer abc`, wherever it came from.
    pub(crate) async fn bearer(&self, value: &HeaderValue) -> Result<Caller, Status> {
        let token = value
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or(Refusal::Invalid)?;
        Ok(self.verifier.verify(token, self.clock.now()).await?)
    }

    /// Takes one of the places of a user, or refuses.
    pub(crate) fn place(&self, user: UserId) -> Result<Place, Status> {
        let place = self.calls.take(user);
        place.ok_or_else(|| status(Error::TooManyCalls))
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
