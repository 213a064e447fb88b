//! The keys that an issuer publishes: fetched, cached, and asked for again only so often.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde::Deserialize;
use tokio::{
    sync::{Mutex, RwLock},
    time::Instant,
};
use url::Url;

use super::{Refusal, token::Key};

/// At most one fetch in this time, whatever tokens ask for: unknown keys are free to invent.
const FETCH_INTERVAL: Duration = Duration::from_secs(60);

/// After this the keys are fetched again, so that one that was withdrawn stops opening doors.
const KEYS_AGE_MAX: Duration = Duration::from_secs(3600);

/// How long a fetch may take; requests with an unknown key wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest key set that is read. A key has less than a kilobyte.
const FETCH_BYTES_MAX: usize = 64 * 1024;

/// A published set of keys.
pub(super) struct Jwks {
    url: hyper::Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    keys: RwLock<Cached>,
    // Held during a fetch: one at a time, and the time of the last attempt.
    attempted: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Cached {
    keys: Arc<HashMap<String, Key>>,
    fetched: Option<Instant>,
}

/// The key to check a token with, and whether the token named it: one that names no known key is
/// checked against another, so that it costs the same.
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) known: bool,
}

impl Jwks {
    /// Prepares to fetch and tries once.
    pub(super) async fn load(url: &Url) -> anyhow::Result<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            bail!("{url} is neither http nor https");
        }
        let tls = HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("the system's root certificates cannot be read")?
            .https_or_http()
            .enable_http1()
            .build();
        let jwks = Self {
            url: url.as_str().parse()?,
            client: Client::builder(TokioExecutor::new()).build(tls),
            keys: RwLock::default(),
            attempted: Mutex::default(),
        };
        jwks.refresh().await;
        Ok(jwks)
    }

    /// The key with this id; without an id the only key there is.
    ///
    /// # Errors
    /// [`Refusal::KeysUnavailable`] as long as no fetch has succeeded.
    pub(super) async fn find(&self, kid: Option<&str>) -> Result<Found, Refusal> {
        let mut keys = self.keys().await;
        if choose(&keys, kid).is_none() {
            self.refresh().await;
            keys = Arc::clone(&self.keys.read().await.keys);
        }
        let chosen = choose(&keys, kid);
        let known = chosen.is_some();
        let key = chosen.or_else(|| keys.values().next());
        let key = key.ok_or(Refusal::KeysUnavailable)?.clone();
        Ok(Found { key, known })
    }

    /// The cached keys; renewed first if they are old and nobody else is at it.
    async fn keys(&self) -> Arc<HashMap<String, Key>> {
        let fetched = self.keys.read().await.fetched;
        let stale = fetched.is_some_and(|at| at.elapsed() >= KEYS_AGE_MAX);
        if stale && self.attempted.try_lock().is_ok() {
            self.refresh().await;
        }
        Arc::clone(&self.keys.read().await.keys)
    }

    /// Fetches unless that was tried within the interval, perhaps by the request before this one.
    async fn refresh(&self) {
        let mut attempted = self.attempted.lock().await;
        if attempted.is_some_and(|at| at.elapsed() < FETCH_INTERVAL) {
            return;
        }
        *attempted = Some(Instant::now());
        match self.fetch().await {
            Ok(keys) => {
                let mut cached = self.keys.write().await;
                cached.keys = Arc::new(keys);
                cached.fetched = Some(Instant::now());
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the keys of tokens cannot be fetched, old ones stay");
            }
        }
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, Key>> {
        let exchange = async {
            let response = self.client.get(self.url.clone()).await?;
            if !response.status().is_success() {
                bail!("the issuer answered {}", response.status());
            }
            let body = Limited::new(response.into_body(), FETCH_BYTES_MAX).collect();
            let body = body.await.map_err(|error| anyhow::anyhow!(error))?;
            Ok(body.to_bytes())
        };
        let bytes = tokio::time::timeout(FETCH_TIMEOUT, exchange)
            .await
            .context("no answer within 5 s")??;
        let keys = parse(&bytes)?;
        if keys.is_empty() {
            bail!("no Ed25519 or RS256 key with an id in the set");
        }
        Ok(keys)
    }
}

fn choose<'a>(keys: &'a HashMap<String, Key>, kid: Option<&str>) -> Option<&'a Key> {
    match kid {
        Some(kid) => keys.get(kid),
        None if keys.len() == 1 => keys.values().next(),
        None => None,
    }
}

#[derive(Deserialize)]
struct Set {
    // One by one, so that a key of a kind that we do not know spoils only itself.
    keys: Vec<serde_json::Value>,
}

fn parse(bytes: &[u8]) -> anyhow::Result<HashMap<String, Key>> {
    let set: Set = serde_json::from_slice(bytes).context("not a JSON Web Key Set")?;
    let keys = set.keys.into_iter().filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        usable(&jwk)
    });
    Ok(keys.collect())
}

/// The key under its id, if it is one for signatures of the two kinds that are believed. One
/// without an id gets the empty one, which serves a set of one.
fn usable(jwk: &Jwk) -> Option<(String, Key)> {
    if !matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    ) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return None,
    };
    let declared = jwk
        .common
        .key_algorithm
        .map(|declared| declared.to_string());
    let expected = match algorithm {
        Algorithm::EdDSA => "EdDSA",
        _ => "RS256",
    };
    if declared.is_some_and(|declared| declared != expected) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let kid = jwk.common.key_id.clone().unwrap_or_default();
    Some((kid, Key { algorithm, key }))
}
