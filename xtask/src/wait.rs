//! Waiting for conditions. Nothing here waits for a time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Between two looks at a condition: short enough not to be felt, long enough not to be a load.
const POLL: Duration = Duration::from_millis(50);

/// A single probe may not hang longer than this.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// Looks again and again until `condition` answers, at most for `limit`; the error of the last
/// look says why it never did. A condition that can no longer come true answers `Ok(Err(..))`.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> anyhow::Result<anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        let error = match condition().await {
            Ok(outcome) => return outcome,
            Err(error) => error,
        };
        if started.elapsed() >= limit {
            return Err(error.context(format!("{what} took longer than {} s", limit.as_secs())));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The loopback address with this port.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Sends bytes to a loopback port and returns what comes back until `enough` or the end.
pub(crate) async fn exchange(
    port: u16,
    request: &[u8],
    enough: impl Fn(&[u8]) -> bool,
) -> anyhow::Result<Vec<u8>> {
    let talk = async {
        let mut stream = TcpStream::connect(loopback(port)).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while !enough(&answer) {
            match stream.read(&mut chunk).await? {
                0 => break,
                count => answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            }
        }
        anyhow::Ok(answer)
    };
    tokio::time::timeout(PROBE_LIMIT, talk)
        .await
        .context("no answer in time")?
        .with_context(|| format!("127.0.0.1:{port} does not answer"))
}

/// The status and body of `GET path`.
pub(crate) async fn http_get(port: u16, path: &str) -> anyhow::Result<(u16, String)> {
    http(port, "GET", path).await
}

/// The same for another method, without a body.
pub(crate) async fn http(port: u16, method: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n");
    let request = format!("{head}Content-Length: 0\r\n\r\n");
    let answer = exchange(port, request.as_bytes(), |_| false).await?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let Some(status) = head.split(' ').nth(1).and_then(|word| word.parse().ok()) else {
        bail!("127.0.0.1:{port} does not speak HTTP");
    };
    Ok((status, body.to_owned()))
}
