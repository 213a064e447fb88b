//! gRPC-Web, and reflection.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, header::CONTENT_TYPE};
use prost::Message;
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use djinn_proto::imports::v1::GetImportResponse;

use crate::{
    backend::{Backend, MISSING},
    edge::Gateway,
    grpc::get,
    wire::{self, GET_IMPORT},
};

#[tokio::test]
async fn grpc_web_speaks_http1_and_http2_in_binary_and_text() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    for text in [false, true] {
        for version in [1, 2] {
            let (mut kind, mut body) = ("application/grpc-web+proto", wire::frame(&get("one")));
            if text {
                (kind, body) = ("application/grpc-web-text", STANDARD.encode(body).into());
            }
            let asked = Request::post(gateway.uri(GET_IMPORT))
                .header("authorization", format!("Bearer {}", gateway.keys.token()))
                .header(CONTENT_TYPE, kind)
                .header("accept", kind)
                .body(Body::from(body))
                .expect("a request");
            let mut answer = match version {
                1 => wire::http1(asked).await,
                _ => wire::http2(asked).await,
            };
            if text {
                // Each frame is encoded for itself, so padding may stand in the middle.
                let encoded = String::from_utf8_lossy(answer.body()).into_owned();
                let decoded = encoded.split_inclusive('=').filter(|part| *part != "=");
                let decoded = decoded.flat_map(decode_padded).collect::<Vec<u8>>();
                *answer.body_mut() = decoded.into();
            }
            let (messages, trailers) = wire::web(&answer);
            assert_eq!(trailers["grpc-status"], "0", "HTTP/{version} text {text}");
            let import = GetImportResponse::decode(&*messages[0])
                .expect("a message")
                .import;
            assert_eq!(import.expect("an import").import_id, "one");
        }
    }
}

fn decode_padded(part: &str) -> Vec<u8> {
    let part = part.trim_end_matches('=');
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(part)
        .expect("base64")
}

#[tokio::test]
async fn a_call_through_grpc_web_is_refused_in_its_own_language() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let web = async |path: &str, token: bool| {
        let mut asked = Request::post(gateway.uri(path));
        if token {
            asked = asked.header("authorization", format!("Bearer {}", gateway.keys.token()));
        }
        let asked = asked
            .header(CONTENT_TYPE, "application/grpc-web+proto")
            .body(Body::from(wire::frame(&get(MISSING))))
            .expect("a request");
        wire::web(&wire::http1(asked).await).1
    };
    let refused = web(GET_IMPORT, false).await;
    assert_eq!(refused["grpc-status"], "16");
    assert!(refused.contains_key("grpc-status-details-bin"));
    let refused = web(GET_IMPORT, true).await;
    assert_eq!(
        (&*refused["grpc-status"], &*refused["grpc-message"]),
        ("5", "no%20such%20import")
    );
    assert_eq!(
        web("/djinn.imports.v1.ImportService/Nothing", true).await["grpc-status"],
        "12"
    );
}

#[tokio::test]
async fn reflection_is_off_unless_switched_on_and_shows_public_methods_only() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let refused = services(&gateway).await.expect_err("off");
    assert_eq!(refused.code(), Code::Unimplemented);

    let both = [backend.address, backend.address];
    let gateway = Gateway::with(&both, |config| config.reflection = true).await;
    let mut names = services(&gateway).await.expect("on");
    names.retain(|name| !name.starts_with("grpc.reflection."));
    assert_eq!(
        names,
        [
            "djinn.imports.v1.ImportService",
            "djinn.imports.v1.TemplateService",
            "djinn.sync.v1.LedgerService"
        ]
    );
}

async fn services(gateway: &Gateway) -> Result<Vec<String>, tonic::Status> {
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(gateway.channel());
    let asked = futures::stream::iter([asked]);
    let mut answers = client.server_reflection_info(asked).await?.into_inner();
    let answer = answers
        .message()
        .await?
        .and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("no list: {answer:?}");
    };
    Ok(list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect())
}
