use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

/// An issuer whose answer can be changed, and who counts the questions.
struct Issuer {
    url: String,
    answer: Arc<Mutex<(http::StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new((http::StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        let routes = axum::Router::new().fallback(move || {
            count.fetch_add(1, Ordering::SeqCst);
            std::future::ready(answers.lock().unwrap().clone())
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, answer, asked }
    }

    fn publish(&self, keys: &[Value]) {
        let set = json!({"keys": keys}).to_string();
        *self.answer.lock().unwrap() = (http::StatusCode::OK, set);
    }

    fn answer(&self, status: http::StatusCode, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A key pair as a JSON Web Key with this id.
fn jwk(kid: &str, keys: &Keys) -> Value {
    let body: String = keys
        .public_pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let x = URL_SAFE_NO_PAD.encode(&der[12..]);
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "alg": "EdDSA", "x": x})
}

/// A token that names its key.
fn named(kid: &str, keys: &Keys) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    let key = EncodingKey::from_ed_pem(keys.private_pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, &claims(testing::user(), &json!({})), &key).unwrap()
}

async fn accepted(verifier: &Verifier, token: &str) -> Result<(), Refusal> {
    verifier
        .verify(token, testing::clock().now())
        .await
        .map(drop)
}

#[tokio::test]
async fn an_unknown_key_costs_at_most_one_fetch_a_minute() {
    let (old, new) = (Keys::generate(), Keys::generate());
    let issuer = Issuer::start().await;
    // A key of a kind that is not ours does not spoil the set.
    let other = json!({"kty": "XYZ", "alg": "ES9000", "kid": "x"});
    issuer.publish(&[jwk("old", &old), other]);
    let verifier = Verifier::load(&config(None, Some(&issuer.url)))
        .await
        .unwrap();
    assert_eq!(issuer.asked(), 1);
    assert_eq!(accepted(&verifier, &named("old", &old)).await, Ok(()));

    issuer.publish(&[jwk("old", &old), jwk("new", &new)]);
    for _ in 0..5 {
        let refused = accepted(&verifier, &named("new", &new)).await;
        assert_eq!(refused, Err(Refusal::Invalid), "asked a moment ago");
    }
    assert_eq!(issuer.asked(), 1);

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(accepted(&verifier, &named("new", &new)).await, Ok(()));
    assert_eq!(accepted(&verifier, &named("old", &old)).await, Ok(()));
    assert_eq!(
        accepted(&verifier, &named("old", &new)).await,
        Err(Refusal::Invalid)
    );
    assert_eq!(
        accepted(&verifier, &named("../../etc", &new)).await,
        Err(Refusal::Invalid)
    );
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_stops_within_the_hour_unless_the_issuer_is_away() {
    let (old, new) = (Keys::generate(), Keys::generate());
    let issuer = Issuer::start().await;
    issuer.publish(&[jwk("old", &old)]);
    let verifier = Verifier::load(&config(None, Some(&issuer.url)))
        .await
        .unwrap();

    issuer.answer(http::StatusCode::INTERNAL_SERVER_ERROR, "");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_601)).await;
    tokio::time::resume();
    assert_eq!(accepted(&verifier, &named("old", &old)).await, Ok(()));
    assert_eq!(issuer.asked(), 2);

    issuer.publish(&[jwk("new", &new)]);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(
        accepted(&verifier, &named("old", &old)).await,
        Err(Refusal::Invalid)
    );
    assert_eq!(accepted(&verifier, &named("new", &new)).await, Ok(()));
}

#[tokio::test]
async fn without_any_key_a_token_cannot_be_judged() {
    let keys = Keys::generate();
    let issuer = Issuer::start().await;
    let oversize = json!({"keys": [jwk("a", &keys)], "pad": "x".repeat(70_000)}).to_string();
    for (name, status, body) in [
        ("an error", http::StatusCode::NOT_FOUND, "{\"keys\": []}"),
        ("no JSON", http::StatusCode::OK, "<html>"),
        ("no keys", http::StatusCode::OK, "{\"keys\": []}"),
        ("too large", http::StatusCode::OK, &oversize),
    ] {
        issuer.answer(status, body);
        let verifier = Verifier::load(&config(None, Some(&issuer.url)))
            .await
            .unwrap();
        let refused = accepted(&verifier, &named("a", &keys)).await;
        assert_eq!(refused, Err(Refusal::KeysUnavailable), "{name}");
    }
    assert_eq!(
        Status::from(Refusal::KeysUnavailable).code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_token_that_names_no_key_is_for_a_set_of_one() {
    let (first, second) = (Keys::generate(), Keys::generate());
    let issuer = Issuer::start().await;
    let token = first.sign(&claims(testing::user(), &json!({})));
    issuer.publish(&[jwk("a", &first)]);
    let verifier = Verifier::load(&config(None, Some(&issuer.url)))
        .await
        .unwrap();
    assert_eq!(accepted(&verifier, &token).await, Ok(()));
    issuer.publish(&[jwk("a", &first), jwk("b", &second)]);
    let verifier = Verifier::load(&config(None, Some(&issuer.url)))
        .await
        .unwrap();
    assert_eq!(accepted(&verifier, &token).await, Err(Refusal::Invalid));
}
