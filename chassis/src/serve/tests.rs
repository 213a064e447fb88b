use std::{convert::Infallible, net::SocketAddr, time::Duration};

use futures::{Stream, StreamExt, future::BoxFuture};
use http::uri::PathAndQuery;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::task::JoinHandle;
use tonic::{
    Code, Request, Response, Status, body::Body, metadata::MetadataValue, server::Grpc,
    transport::Channel,
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::{
    auth::{self, Edges, ServiceSigner, ServiceVerifier, UserId, Verifier},
    fault::{self, Fault, Kind},
    fixture::{self, SERVICE},
    telemetry,
    testing::{self, Keys, eventually, get},
};

const SOON: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("secret detail")]
struct Broken;

impl Fault for Broken {
    fn kind(&self) -> Kind {
        Kind::Internal
    }

    fn reason(&self) -> &'static str {
        "BROKEN"
    }
}

/// Answers what it is told to do. A `String` is a message of prost's own.
async fn say(request: Request<String>) -> Result<Response<String>, Status> {
    match request.get_ref().as_str() {
        "who" => Ok(Response::new(auth::caller(&request)?.user_id.to_string())),
        "slow" => std::future::pending().await,
        "fail" => Err(fault::status(Broken)),
        text => Ok(Response::new(text.to_owned())),
    }
}

type Ticks = std::pin::Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

async fn watch(_: Request<String>) -> Result<Response<Ticks>, Status> {
    let first = futures::stream::iter([Ok("tick".to_owned())]);
    Ok(Response::new(Box::pin(
        first.chain(futures::stream::pending()),
    )))
}

fn echo(request: http::Request<axum::body::Body>) -> BoxFuture<'static, http::Response<Body>> {
    let request = request.map(Body::new);
    let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
    Box::pin(async move {
        match request.uri().path().ends_with("WatchTicks") {
            true => grpc.server_streaming(service_fn(watch), request).await,
            false => grpc.unary(service_fn(say), request).await,
        }
    })
}

/// A running server with everything that a service has.
struct Running {
    channel: Channel,
    address: SocketAddr,
    users: Keys,
    signer: ServiceSigner,
    database: Part,
    shutdown: Shutdown,
    server: JoinHandle<anyhow::Result<()>>,
}

async fn start(grace: Duration) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (users, service) = (Keys::generate(), Keys::generate());
    std::fs::create_dir(path("public")).unwrap();
    std::fs::write(path("public/sync.pem"), &service.public_pem).unwrap();
    std::fs::write(path("sync.pem"), &service.private_pem).unwrap();
    std::fs::write(path("user.pub.pem"), &users.public_pem).unwrap();
    let config = auth::Config {
        issuer: testing::ISSUER.to_owned(),
        audience: testing::AUDIENCE.to_owned(),
        public_key: Some(path("user.pub.pem")),
        jwks_url: None,
    };
    let authenticate = AuthenticateLayer::new(
        Edges::of(fixture::descriptors(), Some("djinn.test.v1.Echo")).unwrap(),
        Verifier::load(&config).await.unwrap(),
        Some(ServiceVerifier::load("echo", &path("public")).unwrap()),
        testing::clock(),
    );
    let routes = axum::Router::new().fallback_service(service_fn(|request| async {
        Ok::<_, Infallible>(echo(request).await)
    }));
    let readiness = Readiness::new();
    let database = readiness.part("database");
    let shutdown = Shutdown::manual(grace);
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server {
        listener,
        routes: routes.into(),
        authenticate,
        readiness,
        service_names: &[SERVICE],
        descriptors: fixture::descriptors(),
    };
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    Running {
        channel: endpoint.connect_lazy(),
        address,
        signer: ServiceSigner::load("sync", &path("sync.pem")).unwrap(),
        users,
        database,
        server: tokio::spawn(server.run(shutdown.clone())),
        shutdown,
    }
}

impl Running {
    fn token(&self, user: UserId) -> String {
        self.users.sign(&testing::claims(user, &json!({})))
    }

    fn request(&self, token: Option<&str>, text: &str) -> Request<String> {
        let mut request = Request::new(text.to_owned());
        if let Some(token) = token {
            let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        request
    }

    async fn call(&self, method: &str, request: Request<String>) -> Result<String, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path: PathAndQuery = format!("/{SERVICE}/{method}").parse().unwrap();
        let codec = ProstCodec::<String, String>::default();
        let response = client.unary(request, path, codec).await?;
        assert!(response.metadata().contains_key("x-request-id"));
        Ok(response.into_inner())
    }

    async fn watch(&self) -> tonic::Streaming<String> {
        let request = self.request(Some(&self.token(testing::user())), "");
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path: PathAndQuery = format!("/{SERVICE}/WatchTicks").parse().unwrap();
        let codec = ProstCodec::<String, String>::default();
        client
            .server_streaming(request, path, codec)
            .await
            .unwrap()
            .into_inner()
    }

    async fn health(&self, service: &str) -> Result<i32, Status> {
        let mut client = HealthClient::new(self.channel.clone());
        let service = service.to_owned();
        let answer = client.check(HealthCheckRequest { service }).await?;
        Ok(answer.into_inner().status)
    }
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

#[tokio::test]
async fn each_method_asks_for_its_own_kind_of_token() {
    let server = start(SOON).await;
    let user = testing::user();
    let person = server.token(user);
    let service = server.signer.token("echo", user, testing::clock().now());
    let expired = json!({"exp": testing::clock().now().timestamp() - 1});
    let expired = server.users.sign(&testing::claims(user, &expired));
    let who = user.to_string();
    let missing = Err((Code::Unauthenticated, "TOKEN_MISSING"));
    let invalid = Err((Code::Unauthenticated, "TOKEN_INVALID"));
    let unknown = Err((Code::Unimplemented, ""));
    for (method, token, expected) in [
        ("Say", Some(&person), Ok(&who)),
        ("Say", None, missing),
        ("Say", Some(&service), invalid),
        (
            "Say",
            Some(&expired),
            Err((Code::Unauthenticated, "TOKEN_EXPIRED")),
        ),
        ("Relay", Some(&service), Ok(&who)),
        ("Relay", Some(&person), invalid),
        ("Relay", None, missing),
        ("Forgotten", Some(&person), unknown),
        ("Forgotten", Some(&service), unknown),
        ("Nonsense", Some(&person), unknown),
    ] {
        let request = server.request(token.map(String::as_str), "who");
        let answer = server.call(method, request).await;
        let answer = answer
            .as_ref()
            .map_err(|status| (status.code(), reason(status)));
        let expected = expected.map_err(|(code, reason)| (code, reason.to_owned()));
        assert_eq!(answer, expected, "{method}");
    }
}

#[tokio::test]
async fn tokens_are_read_from_one_header_of_the_right_scheme() {
    let server = start(SOON).await;
    let token = server.token(testing::user());
    for (name, values, accepted) in [
        ("any case", vec![format!("bearer {token}")], true),
        ("basic", vec![format!("Basic {token}")], false),
        ("bare", vec![token.clone()], false),
        (
            "two",
            vec![format!("Bearer {token}"), format!("Bearer {token}")],
            false,
        ),
        ("empty", vec!["Bearer ".to_owned()], false),
    ] {
        let mut request = server.request(None, "hello");
        for value in values {
            request
                .metadata_mut()
                .append("authorization", value.parse().unwrap());
        }
        let answer = server.call("Say", request).await;
        assert_eq!(answer.is_ok(), accepted, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_callers_deadline_ends_its_call() {
    let server = start(SOON).await;
    let token = server.token(testing::user());
    let mut request = server.request(Some(&token), "slow");
    request
        .metadata_mut()
        .insert("grpc-timeout", "50m".parse().unwrap());
    // Not tonic's channel, which would end the call itself, with CANCELLED.
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Body>();
    let origin = format!("http://{}", server.address).parse().unwrap();
    let mut client = tonic::client::Grpc::with_origin(client, origin);
    let path: PathAndQuery = format!("/{SERVICE}/Say").parse().unwrap();
    let codec = ProstCodec::<String, String>::default();
    let status = client.unary(request, path, codec).await.unwrap_err();
    assert_eq!(
        (status.code(), &*reason(&status)),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
}

#[tokio::test(start_paused = true)]
async fn a_unary_call_has_a_deadline_and_a_stream_has_none() {
    let methods = Methods::of(fixture::descriptors()).unwrap();
    let never = service_fn(|_: http::Request<Body>| {
        std::future::pending::<Result<http::Response<Body>, Infallible>>()
    });
    let mut service = DeadlineLayer::new(methods).layer(never);
    for (method, timeout, expected) in [
        ("Say", None, Some(DEADLINE_DEFAULT)),
        ("Say", Some("99999999H"), Some(DEADLINE_MAX)),
        ("Say", Some("3S"), Some(Duration::from_secs(3))),
        ("Say", Some("soon"), Some(DEADLINE_DEFAULT)),
        ("WatchTicks", None, None),
        ("WatchTicks", Some("3S"), Some(Duration::from_secs(3))),
    ] {
        let mut request = http::Request::post(format!("/{SERVICE}/{method}"));
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let start = tokio::time::Instant::now();
        let call = service.call(request.body(Body::empty()).unwrap());
        let day = Duration::from_secs(24 * 3600);
        let ended = tokio::time::timeout(day, call).await;
        let waited = ended.is_ok().then(|| start.elapsed());
        assert_eq!(waited, expected, "{method} {timeout:?}");
        if let Ok(Ok(response)) = ended {
            assert_eq!(status_of(response.headers()), Some(Code::DeadlineExceeded));
        }
    }
}

#[tokio::test]
async fn an_internal_error_tells_its_reason_and_nothing_else() {
    let server = start(SOON).await;
    let request = server.request(Some(&server.token(testing::user())), "fail");
    let status = server.call("Say", request).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "internal error");
    assert_eq!(reason(&status), "BROKEN");
    assert!(!format!("{status:?}").contains("secret"));
}

#[tokio::test]
async fn health_follows_readiness_and_needs_no_token() {
    let server = start(SOON).await;
    let (serving, not) = (
        ServingStatus::Serving as i32,
        ServingStatus::NotServing as i32,
    );
    let expect = async |expected: i32| {
        eventually("health", SOON, async || {
            let whole = server.health("").await.ok()?;
            let service = server.health(SERVICE).await.ok()?;
            ((whole, service) == (expected, expected)).then_some(())
        })
        .await;
    };
    expect(not).await;
    server.database.set(true);
    expect(serving).await;
    server.database.set(false);
    expect(not).await;
    let unknown = server
        .health("djinn.other.v1.OtherService")
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_names_the_services_and_keeps_their_options() {
    let server = start(SOON).await;
    let ask = async |question: MessageRequest| {
        let mut client = ServerReflectionClient::new(server.channel.clone());
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(question),
        };
        let requests = futures::stream::iter([request]);
        let mut answers = client
            .server_reflection_info(requests)
            .await
            .unwrap()
            .into_inner();
        answers
            .message()
            .await
            .unwrap()
            .unwrap()
            .message_response
            .unwrap()
    };
    let MessageResponse::ListServicesResponse(list) =
        ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("another answer");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(
        names.contains(&SERVICE) && names.contains(&"grpc.health.v1.Health"),
        "{names:?}"
    );
    assert!(!names.contains(&"djinn.test.v1.OtherService"), "{names:?}");

    let symbol = MessageRequest::FileContainingSymbol(SERVICE.to_owned());
    let MessageResponse::FileDescriptorResponse(file) = ask(symbol).await else {
        panic!("another answer");
    };
    assert!(!file.file_descriptor_proto.is_empty());
}

#[tokio::test]
async fn older_tools_find_the_services_too() {
    use tonic_reflection::pb::v1alpha::{self, server_reflection_request::MessageRequest};
    let server = start(SOON).await;
    let channel = server.channel.clone();
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = futures::stream::iter([request]);
    let answers = client.server_reflection_info(requests).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    assert!(format!("{answer:?}").contains(SERVICE), "{answer:?}");
}

#[tokio::test]
async fn a_shutdown_ends_endless_streams_and_lets_calls_finish() {
    let server = start(SOON).await;
    let mut ticks = server.watch().await;
    assert_eq!(ticks.message().await.unwrap().unwrap(), "tick");
    server.shutdown.begin();
    let status = ticks.message().await.unwrap_err();
    assert_eq!(
        (status.code(), &*reason(&status)),
        (Code::Unavailable, "SERVER_STOPPING")
    );
    let ended = tokio::time::timeout(SOON, server.server).await;
    ended.expect("nothing holds it up").unwrap().unwrap();
    assert!(
        tokio::net::TcpStream::connect(server.address)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_outlives_the_grace_period_is_cut_off() {
    let server = start(Duration::from_millis(200)).await;
    let request = server.request(Some(&server.token(testing::user())), "slow");
    let call = server.call("Say", request);
    let stop = async {
        // The call is under way once another on the same connection has been answered.
        server.health("").await.unwrap();
        server.shutdown.begin();
    };
    let (answer, ()) = tokio::join!(call, stop);
    assert!(answer.is_err());
    tokio::time::timeout(SOON, server.server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_admin_port_says_what_is_missing_and_counts_calls() {
    let config = telemetry::Config {
        filter: "info".to_owned(),
        format: telemetry::Format::Text,
        otlp_endpoint: None,
        trace_ratio: 1.0,
    };
    let _telemetry = telemetry::init("test", &config).unwrap();
    let server = start(SOON).await;
    let request = server.request(Some(&server.token(testing::user())), "hello");
    server.call("Say", request).await.unwrap();

    let readiness = Readiness::new();
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (database, worker) = (readiness.part("database"), readiness.part("worker"));
    let shutdown = Shutdown::manual(SOON);
    let running = tokio::spawn(admin(listener, readiness, shutdown.clone()));
    assert_eq!(get(address, "/livez").await.unwrap().0, 200);
    worker.set(true);
    assert_eq!(
        get(address, "/readyz").await.unwrap(),
        (503, "database\n".to_owned())
    );
    database.set(true);
    assert_eq!(get(address, "/readyz").await.unwrap().0, 200);
    assert_eq!(get(address, "/nothing").await.unwrap().0, 404);
    let counted = format!(r#"grpc_server_handled_total{{method="{SERVICE}/Say",code="OK"}}"#);
    eventually("the counter", SOON, async || {
        let (_, text) = get(address, "/metrics").await?;
        text.contains(&counted).then_some(())
    })
    .await;
    let (_, text) = get(address, "/metrics").await.unwrap();
    assert!(
        text.contains("grpc_server_handling_seconds_bucket"),
        "{text}"
    );

    shutdown.begin();
    running.await.unwrap().unwrap();
    let taken = bind(server.address).await.unwrap_err();
    assert!(format!("{taken:#}").contains(&server.address.to_string()));
}
