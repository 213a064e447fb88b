//! Keys and tokens of tests.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its keys can only stop"
)]

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{clock, stack};
use crate::auth::{self, UserId};

/// The `iss` of tests' tokens.
pub const ISSUER: &str = "https://issuer.djinn.test";

/// The `aud` of tests' tokens.
pub const AUDIENCE: &str = "djinn-test";

/// How long a test's token is good: longer than any test.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

/// What an Ed25519 public key is wrapped in (RFC 8410): its length and its kind.
const PUBLIC_KEY_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A new Ed25519 key pair in PEM, in the form that `openssl` writes.
#[derive(Clone, Debug)]
pub struct Keys {
    /// PKCS #8, for who signs.
    pub private_pem: String,
    /// `SubjectPublicKeyInfo`, for who checks.
    pub public_pem: String,
}

impl Keys {
    /// Makes a pair.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn generate() -> Self {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).expect("the key that was just made");
        let public = [&PUBLIC_KEY_PREFIX, pair.public_key().as_ref()].concat();
        Self {
            private_pem: pem("PRIVATE KEY", der.as_ref()),
            public_pem: pem("PUBLIC KEY", &public),
        }
    }

    /// A token over these claims, signed by this pair.
    ///
    /// # Panics
    /// When the private key was replaced by something else.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let der = auth::private_key_der(&self.private_pem).expect("a private key in PEM");
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("an Ed25519 key");
        auth::sign(&pair, claims)
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// The configuration under which the stack's tokens are believed.
#[must_use]
pub fn auth() -> auth::Config {
    auth::Config {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        public_key: Some(stack().keys_dir.join("user.pub.pem")),
        jwks_url: None,
    }
}

/// A token of this user, good for an hour.
///
/// # Panics
/// When the stack has no `user.pem`.
#[must_use]
pub fn token(user: UserId) -> String {
    token_with(user, &json!({}))
}

/// A token of this user with some claims replaced by those given; `null` removes one.
///
/// # Panics
/// When the stack has no `user.pem`, or the edits are no object.
#[must_use]
pub fn token_with(user: UserId, edits: &Value) -> String {
    let path = stack().keys_dir.join("user.pem");
    let private_pem = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let keys = Keys {
        private_pem,
        public_pem: String::new(),
    };
    keys.sign(&claims(user, edits))
}

/// A user's claims with some replaced.
pub(crate) fn claims(user: UserId, edits: &Value) -> Value {
    let now = clock().now();
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user.to_string(),
        "nbf": now.timestamp(),
        "exp": (now + LIFETIME).timestamp(),
    });
    let object = claims.as_object_mut().expect("an object was just written");
    for (name, value) in edits.as_object().expect("edits of claims are an object") {
        match value {
            Value::Null => object.remove(name),
            value => object.insert(name.clone(), value.clone()),
        };
    }
    claims
}
