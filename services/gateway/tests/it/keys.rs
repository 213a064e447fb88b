//! Tokens signed by a key of this test.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use djinn_chassis::clock::Clock;

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "djinn-test";

/// What precedes the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
];

/// An issuer of tokens.
pub(crate) struct Keys {
    signing: EncodingKey,
    directory: TempDir,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("our own key");
        let spki = [&SPKI_PREFIX[..], pair.public_key().as_ref()].concat();
        let text = STANDARD.encode(spki);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("user.pem"), pem).expect("written");
        let signing = EncodingKey::from_ed_der(document.as_ref());
        Self { signing, directory }
    }

    pub(crate) fn public_path(&self) -> PathBuf {
        Path::join(self.directory.path(), "user.pem")
    }

    /// A good token of a new user.
    pub(crate) fn token(&self) -> String {
        self.token_with(json!({}))
    }

    /// A token whose claims are edited: null removes one.
    pub(crate) fn token_with(&self, edits: Value) -> String {
        encode(
            &Header::new(Algorithm::EdDSA),
            &claims(edits),
            &self.signing,
        )
        .expect("signed")
    }
}

/// Good claims with edits.
pub(crate) fn claims(edits: Value) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": Clock::system().id(),
        "nbf": now - 10,
        "exp": now + 600,
    });
    let (Some(claims), Value::Object(edits)) = (claims.as_object_mut(), edits) else {
        panic!("claims are an object");
    };
    for (name, value) in edits {
        match value {
            Value::Null => claims.remove(&name),
            value => claims.insert(name, value),
        };
    }
    Value::Object(claims.clone())
}

/// Now, in the seconds of tokens.
pub(crate) fn now() -> i64 {
    Clock::system().now().timestamp()
}
