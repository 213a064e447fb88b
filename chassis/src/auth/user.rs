//! The tokens of people, against a key in a file or the keys that their issuer publishes.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    Caller, Refusal, UserId,
    jwks::Jwks,
    token::{Audience, Key, Parts, Span},
};

/// Whose tokens are believed. Exactly one of the two sources of keys is given.
#[derive(clap::Args, Clone, Debug)]
// Every section is called Config; clap wants the groups of one command apart.
#[group(id = "auth")]
pub struct Config {
    /// The `iss` that a token must carry.
    #[arg(
        id = "auth_issuer",
        long = "auth-issuer",
        env = "DJINN_AUTH_ISSUER",
        value_name = "TEXT"
    )]
    pub issuer: String,
    /// The `aud` that a token must carry.
    #[arg(
        id = "auth_audience",
        long = "auth-audience",
        env = "DJINN_AUTH_AUDIENCE",
        value_name = "TEXT"
    )]
    pub audience: String,
    /// A PEM file with the Ed25519 or RSA public key that tokens are signed for.
    #[arg(
        id = "auth_public_key",
        long = "auth-public-key",
        env = "DJINN_AUTH_PUBLIC_KEY",
        value_name = "FILE"
    )]
    pub public_key: Option<PathBuf>,
    /// Where the issuer publishes its keys (a JSON Web Key Set), by http or https.
    #[arg(
        id = "auth_jwks_url",
        long = "auth-jwks-url",
        env = "DJINN_AUTH_JWKS_URL",
        value_name = "URL"
    )]
    pub jwks_url: Option<Url>,
}

/// Believes a token or not; cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    rules: Arc<Rules>,
}

struct Rules {
    issuer: String,
    audience: String,
    keys: Keys,
}

enum Keys {
    File(Key),
    Published(Box<Jwks>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: i64,
    nbf: i64,
}

impl Verifier {
    /// Reads the key file, or fetches the published keys. That the issuer is away now does not keep
    /// a service from starting: it is logged, and the first token asks again.
    ///
    /// # Errors
    /// When not exactly one source is given, the file is no public key, or the URL cannot be used.
    pub async fn load(config: &Config) -> anyhow::Result<Self> {
        let keys = match (&config.public_key, &config.jwks_url) {
            (Some(path), None) => {
                let named = || format!("DJINN_AUTH_PUBLIC_KEY: {}", path.display());
                let pem = tokio::fs::read(path).await.with_context(named)?;
                let key = Key::from_pem(&pem).context("not an Ed25519 or RSA public key in PEM");
                Keys::File(key.with_context(named)?)
            }
            (None, Some(url)) => {
                let keys = Jwks::load(url).await.context("DJINN_AUTH_JWKS_URL")?;
                Keys::Published(Box::new(keys))
            }
            (None, None) => bail!("set DJINN_AUTH_PUBLIC_KEY or DJINN_AUTH_JWKS_URL"),
            (Some(_), Some(_)) => {
                bail!("DJINN_AUTH_PUBLIC_KEY and DJINN_AUTH_JWKS_URL are both set: choose one")
            }
        };
        let rules = Arc::new(Rules {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            keys,
        });
        Ok(Self { rules })
    }

    /// Who this token speaks for at this time.
    ///
    /// # Errors
    /// [`Refusal::Expired`] for a token that is genuine and over, [`Refusal::KeysUnavailable`]
    /// while no key could be fetched, else [`Refusal::Invalid`].
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Refusal> {
        let parts = Parts::of(token);
        let genuine = match &self.rules.keys {
            Keys::File(key) => parts.signed_by(key),
            Keys::Published(keys) => {
                let kid = parts
                    .header
                    .as_ref()
                    .and_then(|header| header.kid.as_deref());
                let key = keys.find(kid).await?;
                parts.signed_by(&key.key) & key.known
            }
        };
        let caller = self.caller(parts.claims(), now);
        if genuine {
            caller
        } else {
            Err(Refusal::Invalid)
        }
    }

    fn caller(&self, claims: Option<Claims>, now: DateTime<Utc>) -> Result<Caller, Refusal> {
        let claims = claims.ok_or(Refusal::Invalid)?;
        let user_id = Uuid::try_parse(&claims.sub).map_err(|_| Refusal::Invalid)?;
        if claims.iss != self.rules.issuer || !claims.aud.contains(&self.rules.audience) {
            return Err(Refusal::Invalid);
        }
        let span = Span {
            not_before: claims.nbf,
            expires: claims.exp,
        };
        Ok(Caller {
            user_id: UserId::new(user_id),
            expires_at: span.check(now)?,
        })
    }
}
