//! JSON Web Tokens: taking one apart, and judging it. The algorithm is the key's, never the
//! token's.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::{Refusal, TOKEN_BYTES_MAX};

/// How far ahead of ours an issuer's clock may be. `exp` has no such leeway.
pub(super) const NOT_BEFORE_LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// A public key with the one algorithm it is used with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl Key {
    /// Reads a PEM file's bytes: an Ed25519 or an RSA public key.
    pub(super) fn from_pem(pem: &[u8]) -> Option<Self> {
        let ed = DecodingKey::from_ed_pem(pem).map(|key| Self {
            algorithm: Algorithm::EdDSA,
            key,
        });
        let rsa = || {
            DecodingKey::from_rsa_pem(pem).map(|key| Self {
                algorithm: Algorithm::RS256,
                key,
            })
        };
        ed.or_else(|_| rsa()).ok()
    }

    fn name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::EdDSA => "EdDSA",
            _ => "RS256",
        }
    }
}

/// The header's members that matter.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    pub(super) kid: Option<String>,
    /// Extensions that must be understood. None is.
    crit: Option<serde_json::Value>,
}

/// A token that has been taken apart and not been believed yet.
pub(super) struct Parts<'a> {
    pub(super) header: Option<Header>,
    payload: &'a str,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a token apart. What is no token gives parts that no key verifies.
    pub(super) fn of(token: &'a str) -> Self {
        let whole = if token.len() <= TOKEN_BYTES_MAX {
            token
        } else {
            ""
        };
        let (message, signature) = whole.rsplit_once('.').unwrap_or_default();
        let (header, payload) = message.split_once('.').unwrap_or_default();
        Self {
            header: json(header),
            payload,
            message,
            signature,
        }
    }

    /// The claims, not yet believed.
    pub(super) fn claims<C: for<'de> Deserialize<'de>>(&self) -> Option<C> {
        json(self.payload)
    }

    /// Whether this key has signed exactly this. The signature is always worked out, so that every
    /// bad token costs the same and tells nothing by its time.
    pub(super) fn signed_by(&self, key: &Key) -> bool {
        let message = self.message.as_bytes();
        let genuine =
            jsonwebtoken::crypto::verify(self.signature, message, &key.key, key.algorithm)
                .unwrap_or(false);
        let header = self.header.as_ref();
        let expected =
            header.is_some_and(|header| header.alg == key.name() && header.crit.is_none());
        genuine & expected
    }
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    pub(super) fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

/// The span in which a token is good, in whole seconds since 1970.
pub(super) struct Span {
    pub(super) not_before: i64,
    pub(super) expires: i64,
}

impl Span {
    /// When the token ends, if it is good now.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Refusal::Invalid);
        let (not_before, expires) = (at(self.not_before)?, at(self.expires)?);
        if not_before > now + NOT_BEFORE_LEEWAY {
            return Err(Refusal::Invalid);
        }
        if expires <= now {
            return Err(Refusal::Expired);
        }
        Ok(expires)
    }
}
