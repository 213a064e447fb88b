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
use crate::{
    domain::{Class, limits},
    error::Error,
    limit::{Limiter, Standing, Visit},
};

/// Checks tokens, and counts the calls of each user: those under way and those of late.
#[derive(Clone)]
pub(crate) struct Gate {
    verifier: Verifier,
    clock: Clock,
    calls: Tally,
    limiter: Limiter,
}

impl Gate {
    pub(crate) fn new(verifier: Verifier, clock: Clock, limiter: Limiter) -> Self {
        let calls = Tally::new(limits::USER_CALLS_MAX);
        Self {
            verifier,
            clock,
            calls,
            limiter,
        }
    }

    /// The caller by the bearer token of the header `authorization`.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<Caller, Status> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let found = match (values.next(), values.next()) {
            (Some(value), None) => self.verified(value).await,
            (None, _) => Err(Refusal::Missing),
            // The edge and the service might read different ones.
            (Some(_), Some(_)) => Err(Refusal::Invalid),
        };
        found.map_err(|refusal| self.turned_away(refusal, visit))
    }

    /// The caller by one value such as `Bearer abc`, wherever it came from.
    pub(crate) async fn bearer(
        &self,
        value: &HeaderValue,
        visit: &Visit,
    ) -> Result<Caller, Status> {
        let found = self.verified(value).await;
        found.map_err(|refusal| self.turned_away(refusal, visit))
    }

    async fn verified(&self, value: &HeaderValue) -> Result<Caller, Refusal> {
        let token = value.to_str().ok().and_then(bearer);
        let token = token.ok_or(Refusal::Invalid)?;
        self.verifier.verify(token, self.clock.now()).await
    }

    /// What somebody without a good token is told: why, or that they come too often.
    fn turned_away(&self, refusal: Refusal, visit: &Visit) -> Status {
        if refusal == Refusal::KeysUnavailable {
            return refusal.into();
        }
        let standing = self.limiter.stranger(visit.origin());
        noted(standing, visit)
            .err()
            .unwrap_or_else(|| refusal.into())
    }

    /// Counts calls of a user against a limit, or refuses. Streams count once, when they begin.
    pub(crate) async fn admit(
        &self,
        visit: &Visit,
        user: UserId,
        class: Class,
        units: u32,
    ) -> Result<(), Status> {
        noted(self.limiter.take(user, class, units).await, visit)
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

/// Notes how somebody stands, for the headers of their answer, and refuses what is too much.
fn noted(standing: Standing, visit: &Visit) -> Result<(), Status> {
    visit.note(standing);
    match standing.refusal() {
        None => Ok(()),
        Some(error) => {
            if let Error::RateLimited { class, .. } = &error {
                let labels = [("class", class.name())];
                metrics::counter!("rate_limit_refused_total", &labels).increment(1);
            }
            Err(status(error))
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
