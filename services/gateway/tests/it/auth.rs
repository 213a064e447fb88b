//! Who passes the edge.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tonic::{Code, Request};

use djinn_proto::imports::v1::{GetImportRequest, import_service_client::ImportServiceClient};

use crate::{
    backend::Backend,
    edge::{Gateway, request},
    grpc::reason,
    keys::{Keys, claims, now},
};

fn get() -> GetImportRequest {
    GetImportRequest {
        import_id: "one".to_owned(),
    }
}

#[tokio::test]
async fn only_a_good_token_passes() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let keys = &gateway.keys;
    let with = |edits: Value| keys.token_with(edits);
    let cases = [
        ("good", keys.token(), None),
        ("of another key", Keys::new().token(), Some("TOKEN_INVALID")),
        (
            "expired",
            with(json!({ "exp": now() - 1 })),
            Some("TOKEN_EXPIRED"),
        ),
        (
            "not yet",
            with(json!({ "nbf": now() + 60 })),
            Some("TOKEN_INVALID"),
        ),
        (
            "without nbf",
            with(json!({ "nbf": null })),
            Some("TOKEN_INVALID"),
        ),
        (
            "without exp",
            with(json!({ "exp": null })),
            Some("TOKEN_INVALID"),
        ),
        (
            "wrong audience",
            with(json!({ "aud": "else" })),
            Some("TOKEN_INVALID"),
        ),
        (
            "wrong issuer",
            with(json!({ "iss": "else" })),
            Some("TOKEN_INVALID"),
        ),
        (
            "sub is no UUID",
            with(json!({ "sub": "root" })),
            Some("TOKEN_INVALID"),
        ),
        ("alg none", unsigned("none"), Some("TOKEN_INVALID")),
        ("alg None", unsigned("None"), Some("TOKEN_INVALID")),
        ("alg HS256", unsigned("HS256"), Some("TOKEN_INVALID")),
        ("nonsense", "nonsense".to_owned(), Some("TOKEN_INVALID")),
    ];
    let mut client = ImportServiceClient::new(gateway.channel());
    for (what, token, refused) in cases {
        let answer = client.get_import(request(&token, get())).await;
        match (answer, refused) {
            (Ok(_), None) => {}
            (Err(status), Some(expected)) => {
                assert_eq!(status.code(), Code::Unauthenticated, "{what}");
                assert_eq!(reason(&status), expected, "{what}");
            }
            (answer, _) => panic!("{what}: {answer:?}"),
        }
    }
    // Nothing but the good one has reached the service.
    assert_eq!(backend.calls().len(), 1);
}

/// A token without a signature.
fn unsigned(algorithm: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": algorithm, "typ": "JWT" }));
    format!("{header}.{}.", part(claims(json!({}))))
}

#[tokio::test]
async fn a_token_is_needed_and_only_one() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let refused = client
        .get_import(Request::new(get()))
        .await
        .expect_err("no token");
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::Unauthenticated, "TOKEN_MISSING")
    );

    let mut twice = gateway.request(get());
    let second = format!("Bearer {}", gateway.keys.token())
        .parse()
        .expect("a value");
    twice.metadata_mut().append("authorization", second);
    let refused = client.get_import(twice).await.expect_err("two tokens");
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::Unauthenticated, "TOKEN_INVALID")
    );
    assert!(backend.calls().is_empty());
}

#[tokio::test]
async fn what_is_not_public_does_not_exist() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for path in [
        "/djinn.imports.v1.PortabilityService/PurgeUser",
        "/djinn.imports.v1.ImportService/Nothing",
        "/djinn.imports.v1.ImportService/GetImport/",
        "/djinn.imports.v1.ImportService/getimport",
        "/djinn.nothing.v1.NothingService/Get",
        "/grpc.health.v1.Health/Check",
        "/",
    ] {
        let mut client = tonic::client::Grpc::new(gateway.channel());
        client.ready().await.expect("a connection");
        let codec = tonic_prost::ProstCodec::<GetImportRequest, GetImportRequest>::default();
        let path_and_query = path.parse().expect("a path");
        let asked = gateway.request(get());
        let refused = client
            .unary(asked, path_and_query, codec)
            .await
            .expect_err(path);
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
        assert_eq!(reason(&refused), "UNKNOWN_METHOD", "{path}");
    }
    assert!(backend.calls().is_empty());
}
