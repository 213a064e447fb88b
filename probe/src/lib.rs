//! Whether a server is ready, asked as a container's health check asks: once, with a time limit.
//!
//! Two ways, because there are two kinds of answers: `http://HOST:PORT/PATH` wants the status 200,
//! as `/readyz` on the admin ports gives it, and `grpc://HOST:PORT[/SERVICE]` wants SERVING of
//! `grpc.health.v1`, as Temporal gives it.
//!
//! It must not try again or wait: whoever runs it does.

use std::time::Duration;

use anyhow::{Context, bail};
use http::Uri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// Time for everything: less than the 5 s that the containers' health checks are given, so that the
/// reason is told before they are killed.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(4);

/// Bytes of an answer that are read: its status, and the names of the parts that are not ready.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Asks the server at this URL.
///
/// # Errors
/// When it does not say within [`PROBE_TIMEOUT`] that it is ready, or the URL is of another kind.
pub async fn probe(url: &str) -> anyhow::Result<()> {
    let url: Uri = url.parse().context("this is not a URL")?;
    let authority = url.authority().context("the URL names no host")?.as_str();
    let asked = async {
        match url.scheme_str() {
            Some("http") => http(authority, url.path()).await,
            Some("grpc") => grpc(authority, url.path().trim_start_matches('/')).await,
            _ => bail!("the URL begins with neither http:// nor grpc://"),
        }
    };
    let answered = timeout(PROBE_TIMEOUT, asked).await;
    answered.with_context(|| format!("no answer within {} s", PROBE_TIMEOUT.as_secs()))?
}

async fn http(authority: &str, path: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(authority)
        .await
        .context("cannot connect")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut answer)
        .await
        .context("the answer breaks off")?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        // The body names what is missing, a line each.
        bail!("{status}: {}", body.trim().replace('\n', ", "));
    }
    Ok(())
}

async fn grpc(authority: &str, service: &str) -> anyhow::Result<()> {
    let channel = Endpoint::try_from(format!("http://{authority}"))?
        .connect()
        .await
        .context("cannot connect")?;
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await?;
    let status = answer.into_inner().status();
    if status != ServingStatus::Serving {
        bail!("{}", status.as_str_name());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;
    use tonic::{server::NamedService, transport::server::TcpIncoming};

    use super::*;

    /// A server that reads a request and gives this answer to everybody.
    async fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let count = stream.read(&mut request).await.unwrap();
                assert!(request[..count].starts_with(b"GET /readyz HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn http_wants_200_and_tells_what_is_missing() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n", None),
            (
                "HTTP/1.1 503 Service Unavailable\r\n\r\npostgres\nworker\n",
                Some("HTTP/1.1 503 Service Unavailable: postgres, worker"),
            ),
            (
                "HTTP/1.1 404 Not Found\r\n\r\n200",
                Some("HTTP/1.1 404 Not Found: 200"),
            ),
            ("", Some(": ")),
        ] {
            let address = answering(answer).await;
            let probed = probe(&format!("http://{address}/readyz")).await;
            let said = probed.err().map(|error| error.to_string());
            assert_eq!(said.as_deref(), expected, "{answer:?}");
        }
    }

    struct Ours;

    impl NamedService for Ours {
        const NAME: &'static str = "test.v1.OurService";
    }

    #[tokio::test]
    async fn grpc_wants_serving() {
        let (reporter, health) = tonic_health::server::health_reporter();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let server = tonic::transport::Server::builder().add_service(health);
        tokio::spawn(server.serve_with_incoming(incoming));
        probe(&format!("grpc://{address}")).await.unwrap();
        let ours = format!("grpc://{address}/{}", Ours::NAME);
        let unknown = probe(&ours).await.unwrap_err();
        assert!(
            unknown.to_string().contains("service not registered"),
            "{unknown:#}"
        );
        reporter.set_not_serving::<Ours>().await;
        assert_eq!(probe(&ours).await.unwrap_err().to_string(), "NOT_SERVING");
        reporter.set_serving::<Ours>().await;
        probe(&ours).await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_said() {
        for (url, expected) in [
            (
                "127.0.0.1:9101",
                "the URL begins with neither http:// nor grpc://",
            ),
            ("/readyz", "the URL names no host"),
            (
                "ftp://127.0.0.1/",
                "the URL begins with neither http:// nor grpc://",
            ),
            ("", "this is not a URL"),
        ] {
            assert_eq!(
                probe(url).await.unwrap_err().to_string(),
                expected,
                "{url:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silent = probe(&format!("http://{address}/readyz")).await;
        assert_eq!(silent.unwrap_err().to_string(), "no answer within 4 s");
    }
}
