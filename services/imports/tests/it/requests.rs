//! Requests: repeated, malformed, unsigned.

use djinn_chassis::testing;
use djinn_proto::imports::v1 as proto;
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, many, reason, refused, upload};

fn create_request(upload_id: &str, account_id: Uuid) -> proto::CreateImportRequest {
    proto::CreateImportRequest {
        request_id: Uuid::new_v4().to_string(),
        upload_id: upload_id.to_owned(),
        account_id: account_id.to_string(),
        auto_confirm: false,
        mapping: None,
    }
}

#[tokio::test]
async fn the_same_request_id_twice_is_one_import_and_with_another_body_a_conflict() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let upload_id = upload(&mut client, &many(3)).await.unwrap();
    let mut request = create_request(&upload_id, account_id);
    let mut other = world.client(user);
    let (one, two) = tokio::join!(
        client.create_import(request.clone()),
        other.create_import(request.clone()),
    );
    let id = |answer: tonic::Response<proto::CreateImportResponse>| {
        answer.into_inner().import.unwrap().import_id
    };
    assert_eq!(id(one.unwrap()), id(two.unwrap()));
    request.auto_confirm = true;
    refused(
        client.create_import(request).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
}

#[tokio::test]
async fn more_than_twenty_open_imports_are_refused() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let upload_id = upload(&mut client, &many(3)).await.unwrap();
    for _ in 0..20 {
        client
            .create_import(create_request(&upload_id, account_id))
            .await
            .unwrap();
    }
    let answer = client
        .create_import(create_request(&upload_id, account_id))
        .await;
    refused(answer, Code::ResourceExhausted, "OPEN_IMPORTS");
}

#[tokio::test]
async fn bad_fields_are_named() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    let mut request = create_request(&Uuid::new_v4().to_string(), Uuid::new_v4());
    request.request_id = "soon".to_owned();
    let status = client.create_import(request).await.unwrap_err();
    let details = tonic_types::StatusExt::get_error_details(&status);
    let violation = &details.bad_request().unwrap().field_violations[0];
    assert_eq!(
        (status.code(), violation.field.as_str()),
        (Code::InvalidArgument, "request_id")
    );
    let request = proto::GetImportRequest {
        import_id: "x".repeat(100_000),
    };
    refused(
        client.get_import(request).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let request = proto::ListImportsRequest {
        page_size: -1,
        ..Default::default()
    };
    refused(
        client.list_imports(request).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let request = proto::ListImportsRequest {
        states: vec![99],
        ..Default::default()
    };
    refused(
        client.list_imports(request).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let request = proto::ListImportsRequest {
        page_token: "?".to_owned(),
        ..Default::default()
    };
    refused(
        client.list_imports(request).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
}

#[tokio::test]
async fn a_filter_names_each_kind_once_at_most() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    for (count, fits) in [(15, true), (16, false)] {
        let request = proto::ListImportsRequest {
            states: vec![1; count],
            ..Default::default()
        };
        let answer = client.list_imports(request).await;
        if fits {
            answer.unwrap();
        } else {
            refused(answer, Code::InvalidArgument, "INVALID_FIELD");
        }
    }
    let request = proto::ListImportRowsRequest {
        import_id: Uuid::new_v4().to_string(),
        verdicts: vec![1; 8],
        ..Default::default()
    };
    let answer = client.list_import_rows(request).await;
    refused(answer, Code::InvalidArgument, "INVALID_FIELD");
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let world = World::new().await;
    let user = testing::user();
    let other_keys = testing::Keys::generate();
    let now = testing::clock().now().timestamp();
    let claims = json!({
        "iss": testing::ISSUER, "aud": testing::AUDIENCE, "sub": user.to_string(),
        "nbf": now, "exp": now + 600,
    });
    // Header {"alg":"none"} and the claims, without a signature.
    let unsigned = |text: &str| base64_url(text.as_bytes());
    let none = format!(
        "{}.{}.",
        unsigned(r#"{"alg":"none"}"#),
        unsigned(&claims.to_string())
    );
    for (token, why) in [
        (
            testing::token_with(user, &json!({"exp": now - 1})),
            "TOKEN_EXPIRED",
        ),
        (
            testing::token_with(user, &json!({"aud": "somebody else"})),
            "TOKEN_INVALID",
        ),
        (
            testing::token_with(user, &json!({"iss": "somebody else"})),
            "TOKEN_INVALID",
        ),
        (
            testing::token_with(user, &json!({"nbf": now + 600})),
            "TOKEN_INVALID",
        ),
        (
            testing::token_with(user, &json!({"sub": "me"})),
            "TOKEN_INVALID",
        ),
        (
            testing::token_with(user, &json!({"sub": null})),
            "TOKEN_INVALID",
        ),
        (other_keys.sign(&claims), "TOKEN_INVALID"),
        (none, "TOKEN_INVALID"),
        ("rubbish".to_owned(), "TOKEN_INVALID"),
    ] {
        let mut client = world.client_with(token);
        let answer = client
            .list_imports(proto::ListImportsRequest::default())
            .await;
        refused(answer, Code::Unauthenticated, why);
    }
    let mut bare = proto::import_service_client::ImportServiceClient::new(world.channel());
    let status = bare
        .list_imports(proto::ListImportsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unauthenticated, "TOKEN_MISSING")
    );
}

fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            let position = usize::try_from(word >> (18 - 6 * index) & 63).unwrap();
            out.push(char::from(ALPHABET[position]));
        }
    }
    out
}
