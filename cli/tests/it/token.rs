//! `djinn token`.

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{command, file, outcome};

/// A key as `cargo xtask` makes it: the file, and the public half.
fn key() -> (TempDir, String, Vec<u8>) {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(pkcs8.as_ref())
    );
    let (folder, path) = file("user.pem", pem.as_bytes());
    (folder, path, pair.public_key().as_ref().to_vec())
}

fn token(deployment: Option<&str>, key: &str, flags: &[&str]) -> Command {
    let mut command = command("http://127.0.0.1:1", &[&["token"], flags].concat());
    command
        .env_remove("DJINN_TOKEN")
        .env("DJINN_TOKEN_KEY", key);
    if let Some(deployment) = deployment {
        command.env("DJINN_ENV", deployment);
    }
    command
}

fn claims(token: &str, public: &[u8], issuer: &str, audience: &str) -> Value {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_ed_der(public);
    jsonwebtoken::decode::<Value>(token, &key, &validation)
        .unwrap()
        .claims
}

#[tokio::test]
async fn a_token_is_signed_for_the_user_and_its_time() {
    let (_folder, path, public) = key();
    let user = "0190a0a0-0000-7000-8000-000000000001";
    let args = ["--user", user, "--ttl", "30m"];
    let alone = outcome(token(Some("development"), &path, &args))
        .await
        .ended(0);
    let claims_alone = claims(alone.stdout.trim(), &public, "djinn-development", "djinn");
    assert_eq!(claims_alone["sub"], user);
    let seconds = |name: &str| claims_alone[name].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 1_800);
    assert_eq!(seconds("nbf"), seconds("iat"));

    let mut other = token(Some("development"), &path, &["--json"]);
    other
        .env("DJINN_AUTH_ISSUER", "me")
        .env("DJINN_AUTH_AUDIENCE", "you");
    let document = outcome(other).await.ended(0).document();
    let claims = claims(document["token"].as_str().unwrap(), &public, "me", "you");
    assert_eq!(claims["sub"], document["user_id"]);
    assert_ne!(document["user_id"], user);
    let expires_at = document["expires_at"].as_str().unwrap();
    let expires_at = chrono::DateTime::parse_from_rfc3339(expires_at).unwrap();
    assert_eq!(claims["exp"].as_i64(), Some(expires_at.timestamp()));
}

#[tokio::test]
async fn tokens_are_refused_outside_development() {
    let (_folder, path, _public) = key();
    for deployment in [None, Some("production"), Some("")] {
        let refused = outcome(token(deployment, &path, &["--json"]))
            .await
            .ended(4);
        assert_eq!(refused.stdout, "");
        assert_eq!(refused.failure()["reason"], "NOT_DEVELOPMENT");
        assert!(
            refused.stderr.contains("DJINN_ENV=development"),
            "{}",
            refused.stderr
        );
    }
}

#[tokio::test]
async fn a_key_of_another_kind_is_told() {
    let (_folder, path) = file("user.pem", b"no key");
    let failed = outcome(token(Some("development"), &path, &["--json"]))
        .await
        .ended(2);
    assert_eq!(failed.failure()["reason"], "BAD_KEY");
    let failed = outcome(token(Some("development"), "/nowhere.pem", &["--json"]))
        .await
        .ended(2);
    assert_eq!(failed.failure()["reason"], "UNREADABLE_FILE");
}
