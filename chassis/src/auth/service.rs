//! The tokens of services, for calls that no user's token covers, as a step on day 7 of a workflow.
//!
//! A service signs with a key of its own; who is called knows the public halves. The token names
//! the user the call is for, and lives for a minute at most.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, anyhow, bail};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::Ed25519KeyPair;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Caller, Refusal, UserId,
    token::{Audience, Key, NOT_BEFORE_LEEWAY, Parts, Span},
};

/// How long a service token lives: one call, with the slack of two clocks.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// Makes the tokens of one service; cheap to clone.
#[derive(Clone)]
pub struct ServiceSigner {
    name: Arc<str>,
    key: Arc<Ed25519KeyPair>,
}

impl ServiceSigner {
    /// Reads the service's private key: Ed25519, PKCS #8 in PEM, as `openssl genpkey` writes it.
    ///
    /// # Errors
    /// When the file cannot be read or is no such key; the message names the file, never its
    /// content.
    pub fn load(name: &str, private_key_pem: &Path) -> anyhow::Result<Self> {
        let named = || format!("private key {}", private_key_pem.display());
        let pem = std::fs::read_to_string(private_key_pem).with_context(named)?;
        let der = private_key_der(&pem)
            .context("not a PEM file with a PRIVATE KEY")
            .with_context(named)?;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map_err(|_| anyhow!("not an Ed25519 key in PKCS #8"))
            .with_context(named)?;
        Ok(Self {
            name: name.into(),
            key: Arc::new(key),
        })
    }

    /// A token for one call to `callee` on behalf of `user`, good for 60 s.
    #[must_use]
    pub fn token(&self, callee: &str, user: UserId, now: DateTime<Utc>) -> String {
        let claims = json!({
            "iss": &*self.name,
            "aud": callee,
            "act": user.to_string(),
            "iat": now.timestamp(),
            "nbf": now.timestamp(),
            "exp": (now + LIFETIME).timestamp(),
        });
        sign(&self.key, &claims)
    }
}

/// A token over these claims, signed by Ed25519.
pub(crate) fn sign(key: &Ed25519KeyPair, claims: &serde_json::Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "typ": "JWT" }).to_string());
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The bytes inside a PEM file of one private key.
pub(crate) fn private_key_der(pem: &str) -> Option<Vec<u8>> {
    let body = pem
        .split_once("-----BEGIN PRIVATE KEY-----")?
        .1
        .split_once("-----END PRIVATE KEY-----")?
        .0;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// Believes the tokens of the services whose public keys it was given; cheap to clone.
#[derive(Clone)]
pub struct ServiceVerifier {
    name: Arc<str>,
    callers: Arc<BTreeMap<String, Key>>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    act: String,
    nbf: i64,
    exp: i64,
}

impl ServiceVerifier {
    /// Reads the public key of each caller from the folder: the file `sync.pem` is the key of the
    /// service `sync`. `name` is this service's own, which tokens must be addressed to.
    ///
    /// # Errors
    /// When the folder holds no key, or a `.pem` file in it is no Ed25519 public key.
    pub fn load(name: &str, folder: &Path) -> anyhow::Result<Self> {
        let named = || format!("public keys in {}", folder.display());
        let mut callers = BTreeMap::new();
        for entry in std::fs::read_dir(folder).with_context(named)? {
            let path = entry.with_context(named)?.path();
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            let named = || format!("public key {}", path.display());
            let pem = std::fs::read(&path).with_context(named)?;
            let key = Key::from_pem(&pem).filter(|key| key.algorithm == ED25519);
            let key = key
                .context("not an Ed25519 public key")
                .with_context(named)?;
            let caller = path.file_stem().unwrap_or_default().to_string_lossy();
            callers.insert(caller.into_owned(), key);
        }
        if callers.is_empty() {
            bail!("no public key of a service in {}", folder.display());
        }
        Ok(Self {
            name: name.into(),
            callers: Arc::new(callers),
        })
    }

    /// The user this token acts for at this time.
    ///
    /// # Errors
    /// [`Refusal::Expired`] for a token that is genuine and over, else [`Refusal::Invalid`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Refusal> {
        let parts = Parts::of(token);
        let claims: Option<Claims> = parts.claims();
        let issuer = claims.as_ref().map(|claims| claims.iss.as_str());
        let named = issuer.and_then(|issuer| self.callers.get(issuer));
        // One that names no caller we know is checked all the same, so that it costs the same.
        let key = named.or_else(|| self.callers.values().next());
        let genuine = key.is_some_and(|key| parts.signed_by(key)) & named.is_some();
        let caller = self.caller(claims, now);
        if genuine {
            caller
        } else {
            Err(Refusal::Invalid)
        }
    }

    fn caller(&self, claims: Option<Claims>, now: DateTime<Utc>) -> Result<Caller, Refusal> {
        let claims = claims.ok_or(Refusal::Invalid)?;
        let user_id = Uuid::try_parse(&claims.act).map_err(|_| Refusal::Invalid)?;
        if !claims.aud.contains(&self.name) {
            return Err(Refusal::Invalid);
        }
        let span = Span {
            not_before: claims.nbf,
            expires: claims.exp,
        };
        let expires_at = span.check(now)?;
        // A caller that signs for longer would be a caller whose leaked token lasts longer.
        if expires_at > now + LIFETIME + NOT_BEFORE_LEEWAY {
            return Err(Refusal::Invalid);
        }
        Ok(Caller {
            user_id: UserId::new(user_id),
            expires_at,
        })
    }
}

const ED25519: jsonwebtoken::Algorithm = jsonwebtoken::Algorithm::EdDSA;
