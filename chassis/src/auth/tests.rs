mod published;
mod service;

use std::path::Path;

use base64::engine::{Engine, general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use futures::StreamExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tonic_types::StatusExt;

use super::*;
use crate::{
    contract::Edge,
    fixture,
    testing::{self, AUDIENCE, ISSUER, Keys, claims},
};

const RSA_PRIVATE: &str = include_str!("testdata/rsa.pem");
const RSA_PUBLIC: &str = include_str!("testdata/rsa.pub.pem");

fn config(public_key: Option<&Path>, jwks_url: Option<&str>) -> Config {
    Config {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        public_key: public_key.map(Path::to_owned),
        jwks_url: jwks_url.map(|url| url.parse().unwrap()),
    }
}

async fn verifier(public_pem: &str) -> Verifier {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public_pem).unwrap();
    Verifier::load(&config(Some(file.path()), None))
        .await
        .unwrap()
}

fn seconds(offset: i64) -> i64 {
    (testing::clock().now() + TimeDelta::seconds(offset)).timestamp()
}

fn encode(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

/// A token with any header, signed by whatever is given.
fn forged(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[tokio::test]
async fn a_good_token_names_its_user_and_its_end() {
    let keys = Keys::generate();
    let user = testing::user();
    let token = keys.sign(&claims(user, &json!({"exp": seconds(60)})));
    let verifier = verifier(&keys.public_pem).await;
    let caller = verifier
        .verify(&token, testing::clock().now())
        .await
        .unwrap();
    assert_eq!(caller.user_id, user);
    assert_eq!(caller.expires_at.timestamp(), seconds(60));
}

/// Checks what becomes of tokens whose claims differ from good ones by these edits.
async fn check(table: impl IntoIterator<Item = (&str, Value)>, expected: Option<Refusal>) {
    let keys = Keys::generate();
    let verifier = verifier(&keys.public_pem).await;
    for (name, edits) in table {
        let token = keys.sign(&claims(testing::user(), &edits));
        let verified = verifier.verify(&token, testing::clock().now()).await;
        assert_eq!(verified.err(), expected, "{name}");
    }
}

#[tokio::test]
async fn good_claims() {
    let table = [
        ("as it should be", json!({})),
        ("one audience of two", json!({"aud": ["other", AUDIENCE]})),
        ("nbf within the leeway", json!({"nbf": seconds(4)})),
        ("more claims", json!({"email": "a@example.org", "act": 1})),
    ];
    check(table, None).await;
}

#[tokio::test]
async fn claims_of_the_past() {
    let table = [
        ("expired", json!({"exp": seconds(-1)})),
        ("expired this second", json!({"exp": seconds(0)})),
    ];
    check(table, Some(Refusal::Expired)).await;
}

#[tokio::test]
async fn claims_are_required_and_compared() {
    let table = [
        ("future nbf", json!({"nbf": seconds(60)})),
        ("wrong iss", json!({"iss": "https://evil.test"})),
        ("missing iss", json!({"iss": null})),
        ("wrong aud", json!({"aud": "other"})),
        ("no aud of several", json!({"aud": []})),
        ("missing aud", json!({"aud": null})),
        ("missing sub", json!({"sub": null})),
        ("sub not a UUID", json!({"sub": "alice"})),
        ("missing exp", json!({"exp": null})),
        ("missing nbf", json!({"nbf": null})),
        ("exp as text", json!({"exp": "4102444800"})),
        ("exp beyond time", json!({"exp": i64::MAX})),
        ("exp below time", json!({"exp": i64::MIN})),
        ("expired, of another", json!({"exp": 1, "iss": "x"})),
    ];
    check(table, Some(Refusal::Invalid)).await;
}

#[tokio::test]
async fn what_the_key_has_not_signed_is_invalid() {
    let keys = Keys::generate();
    let good = claims(testing::user(), &json!({}));
    let token = keys.sign(&good);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let hmac = EncodingKey::from_secret(keys.public_pem.as_bytes());
    let rsa = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();
    let other = claims(testing::user(), &json!({}));
    let other = URL_SAFE_NO_PAD.encode(other.to_string());
    let crit = json!({"alg": "EdDSA", "crit": ["exp"]});
    let table = [
        ("alg none", forged(&json!({"alg": "none"}), &good, "")),
        (
            "alg none, signed",
            forged(&json!({"alg": "none"}), &good, signature),
        ),
        (
            "HS256 by the public key",
            encode(Algorithm::HS256, &hmac, &good),
        ),
        (
            "RS256 for an Ed25519 key",
            encode(Algorithm::RS256, &rsa, &good),
        ),
        ("another key", Keys::generate().sign(&good)),
        ("another payload", format!("{header}.{other}.{signature}")),
        ("another header", forged(&crit, &good, signature)),
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{token}.{payload}")),
        ("padding", format!("{token}==")),
        ("a space", format!(" {token}")),
        ("garbage", "not a token".to_owned()),
        ("dots", "..".to_owned()),
        ("nothing", String::new()),
        ("not ASCII", "é.é.é".to_owned()),
        ("oversize", "a".repeat(1_000_000)),
        ("oversize and signed", {
            let long = claims(
                testing::user(),
                &json!({"pad": "x".repeat(TOKEN_BYTES_MAX)}),
            );
            keys.sign(&long)
        }),
    ];
    let verifier = verifier(&keys.public_pem).await;
    for (name, token) in table {
        let verified = verifier.verify(&token, testing::clock().now()).await;
        assert_eq!(verified, Err(Refusal::Invalid), "{name}");
    }
}

#[tokio::test]
async fn an_rsa_key_takes_rs256_and_nothing_else() {
    let verifier = verifier(RSA_PUBLIC).await;
    let good = claims(testing::user(), &json!({}));
    let rsa = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();
    let hmac = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    for (name, token, accepted) in [
        ("RS256", encode(Algorithm::RS256, &rsa, &good), true),
        ("RS512", encode(Algorithm::RS512, &rsa, &good), false),
        ("PS256", encode(Algorithm::PS256, &rsa, &good), false),
        (
            "HS256 by the public key",
            encode(Algorithm::HS256, &hmac, &good),
            false,
        ),
        ("EdDSA", Keys::generate().sign(&good), false),
    ] {
        let verified = verifier.verify(&token, testing::clock().now()).await;
        assert_eq!(verified.is_ok(), accepted, "{name}");
    }
}

#[tokio::test]
async fn exactly_one_source_of_keys() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Keys::generate().private_pem).unwrap();
    let path = Some(file.path());
    for (name, config, words) in [
        (
            "none",
            config(None, None),
            vec!["DJINN_AUTH_PUBLIC_KEY", "DJINN_AUTH_JWKS_URL"],
        ),
        (
            "both",
            config(path, Some("http://127.0.0.1:1/")),
            vec!["DJINN_AUTH_PUBLIC_KEY", "DJINN_AUTH_JWKS_URL"],
        ),
        (
            "a private key",
            config(path, None),
            vec!["DJINN_AUTH_PUBLIC_KEY", "public key"],
        ),
        (
            "no file",
            config(Some(Path::new("/nowhere.pem")), None),
            vec!["DJINN_AUTH_PUBLIC_KEY", "/nowhere.pem"],
        ),
        (
            "ftp",
            config(None, Some("ftp://127.0.0.1/")),
            vec!["DJINN_AUTH_JWKS_URL", "http"],
        ),
    ] {
        let error = format!("{:#}", Verifier::load(&config).await.err().unwrap());
        for word in words {
            assert!(error.contains(word), "{name}: {error}");
        }
        assert!(!error.contains("PRIVATE KEY"), "{name}: {error}");
    }
}

#[test]
fn edges_come_from_the_descriptors_and_forgetting_one_closes_the_method() {
    let edges = Edges::of(fixture::descriptors(), Some("djinn.test.v1.Echo")).unwrap();
    let table: Vec<_> = edges.iter().collect();
    assert_eq!(
        table,
        [
            ("/djinn.test.v1.EchoService/Forgotten", Edge::Internal),
            ("/djinn.test.v1.EchoService/Relay", Edge::Service),
            ("/djinn.test.v1.EchoService/Say", Edge::Public),
            ("/djinn.test.v1.EchoService/WatchTicks", Edge::Public),
        ]
    );
    assert_eq!(edges.get("/djinn.test.v1.OtherService/Say"), None);
    assert_eq!(edges.get("/djinn.test.v1.EchoService/say"), None);
    let all = Edges::of(fixture::descriptors(), None).unwrap();
    assert_eq!(
        all.get("/djinn.test.v1.OtherService/Say"),
        Some(Edge::Public)
    );
    assert!(Edges::of(b"nonsense", None).is_err());
    let health = tonic_health::pb::FILE_DESCRIPTOR_SET;
    assert!(
        Edges::of(health, None).is_err(),
        "descriptors without the option"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_token_that_opened_it() {
    let clock = Clock::fixed(testing::clock().now());
    let caller = Caller {
        user_id: testing::user(),
        expires_at: clock.now() + TimeDelta::seconds(3),
    };
    let second = Duration::from_secs(1);
    let seconds = tokio::time::interval_at(tokio::time::Instant::now() + second, second);
    let ticks = futures::stream::unfold((1, seconds), |(tick, mut seconds)| async move {
        seconds.tick().await;
        Some((Ok::<_, Status>(tick), (tick + 1, seconds)))
    });
    let ticks: Vec<_> = until_expiry(ticks, &caller, &clock).collect().await;
    let (last, before) = ticks.split_last().unwrap();
    assert_eq!(before.len(), 2);
    let status = last.as_ref().unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "TOKEN_EXPIRED");

    let three = futures::stream::iter([1, 2, 3].map(Ok::<_, Status>));
    let three: Vec<_> = until_expiry(three, &caller, &clock).collect().await;
    assert!(
        three.iter().all(Result::is_ok),
        "a stream that ends before its token"
    );
}
