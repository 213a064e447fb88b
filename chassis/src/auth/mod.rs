//! Who is calling, and what they may call.
//!
//! [`user`] checks the tokens of people, [`service`] makes and checks the tokens of services,
//! [`edge`] reads from the descriptors which caller a method is open to, and [`layer`] puts the
//! three in front of a server.

mod edge;
mod jwks;
mod layer;
mod service;
mod token;
mod user;

use std::{fmt, future::Future, pin::Pin, task, time::Duration};

use chrono::{DateTime, Utc};
use futures::Stream;
use tonic::{Code, Status};
use uuid::Uuid;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::service::{private_key_der, sign};
pub use self::{
    edge::Edges,
    layer::{Authenticate, AuthenticateLayer},
    service::{ServiceSigner, ServiceVerifier},
    user::{Config, Verifier},
};
use crate::{clock::Clock, fault};

/// The longest token that is looked at, in bytes. Ours have a few hundred; a longer one is refused
/// before any work is spent on it.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// A person, by the `sub` of their tokens. It is on every row that is theirs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserId(Uuid);

impl UserId {
    /// The user with this id.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id itself.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// On whose behalf a request is made, as its token has proved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The user whose data the request may touch.
    pub user_id: UserId,
    /// When the token ends, and with it every stream that was opened by it.
    pub expires_at: DateTime<Utc>,
}

/// Why a token opened nothing. It tells no more than a client needs to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none: sign in.
    #[error("a bearer token is required")]
    Missing,
    /// It is genuine and over: refresh it.
    #[error("the token has expired")]
    Expired,
    /// It is anything else: sign in again.
    #[error("the token is not valid")]
    Invalid,
    /// Whether it is valid cannot be told, since no key could be fetched yet: try again.
    #[error("the keys of tokens are temporarily unavailable, try again")]
    KeysUnavailable,
}

impl Refusal {
    /// The name that programs compare.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Invalid => "TOKEN_INVALID",
            Self::KeysUnavailable => "TOKEN_KEYS_UNAVAILABLE",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Missing => "a bearer token is required",
            Self::Expired => "the token has expired",
            Self::Invalid => "the token is not valid",
            Self::KeysUnavailable => "the keys of tokens are temporarily unavailable, try again",
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Missing | Refusal::Expired | Refusal::Invalid => Code::Unauthenticated,
            Refusal::KeysUnavailable => Code::Unavailable,
        };
        fault::refusal(code, refusal.reason(), refusal.message())
    }
}

/// The caller that [`AuthenticateLayer`] found in the request's token.
///
/// # Errors
/// UNAUTHENTICATED if there is none, which means that the layer is not in front of this server.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Status> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Refusal::Missing.into())
}

/// The stream, ended with UNAUTHENTICATED (`TOKEN_EXPIRED`) when the caller's token ends: a stream
/// that is open must not outlive the right to open it.
pub fn until_expiry<S, T>(
    stream: S,
    caller: &Caller,
    clock: &Clock,
) -> impl Stream<Item = Result<T, Status>> + use<S, T>
where
    S: Stream<Item = Result<T, Status>>,
{
    let left = (caller.expires_at - clock.now())
        .to_std()
        .unwrap_or(Duration::ZERO);
    UntilExpiry {
        stream: Some(Box::pin(stream)),
        expiry: Box::pin(tokio::time::sleep(left)),
    }
}

struct UntilExpiry<S> {
    // `None` once the stream is over; what it holds is let go at that moment.
    stream: Option<Pin<Box<S>>>,
    expiry: Pin<Box<tokio::time::Sleep>>,
}

impl<S, T> Stream for UntilExpiry<S>
where
    S: Stream<Item = Result<T, Status>>,
{
    type Item = Result<T, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return task::Poll::Ready(None);
        };
        if this.expiry.as_mut().poll(context).is_ready() {
            this.stream = None;
            return task::Poll::Ready(Some(Err(Refusal::Expired.into())));
        }
        let item = task::ready!(stream.as_mut().poll_next(context));
        if item.is_none() {
            this.stream = None;
        }
        task::Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests;
