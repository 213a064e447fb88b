//! A network that can be broken: a TCP proxy inside the test.

#![expect(
    clippy::expect_used,
    reason = "a test without a free port can only stop"
)]

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Bytes that are passed on at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// Chunks per second on a slow line, so that it crawls rather than stutters.
const SLOW_CHUNKS_PER_SECOND: u64 = 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Open,
    Cut,
    Frozen,
    Slow { bytes_per_second: u64 },
    MutedAfter { word: &'static [u8] },
    Answering { with: &'static [u8] },
}

/// A TCP proxy on a free port. Ends with its connections when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy to this address, as `127.0.0.1:5432`; it lets everything through.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn to(target: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (mode, modes) = watch::channel(Mode::Open);
        let accepting = tokio::spawn(accept(listener, target.into(), modes));
        Self {
            address,
            mode,
            accepting,
        }
    }

    /// Where to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection, and each new one as soon as it is made.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Lets everything through again. Connections that were cut stay cut.
    pub fn heal(&self) {
        self.mode.send_replace(Mode::Open);
    }

    /// Keeps connections open and passes nothing on: the peer that has died without a word.
    pub fn freeze(&self) {
        self.mode.send_replace(Mode::Frozen);
    }

    /// Passes on what clients say and, once a client has said this word in one breath, nothing of
    /// what it is answered: the work is done and nobody hears of it.
    pub fn mute_after(&self, word: &'static [u8]) {
        self.mode.send_replace(Mode::MutedAfter { word });
    }

    /// Breaks every connection, and answers each new one with these bytes whatever it asks.
    pub fn answer(&self, with: &'static [u8]) {
        self.mode.send_replace(Mode::Answering { with });
    }

    /// Passes on no more than this in each direction of each connection.
    pub fn slow(&self, bytes_per_second: u64) {
        self.mode.send_replace(Mode::Slow { bytes_per_second });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, target: String, modes: watch::Receiver<Mode>) {
    while let Ok((client, _)) = listener.accept().await {
        // Answers with a reset instead of a polite end, as a network does that is gone.
        drop(client.set_zero_linger());
        tokio::spawn(serve(client, target.clone(), modes.clone()));
    }
}

async fn serve(client: TcpStream, target: String, modes: watch::Receiver<Mode>) -> io::Result<()> {
    let mode = *modes.borrow();
    match mode {
        Mode::Cut => return Ok(()),
        Mode::Answering { with } => return answer(client, with).await,
        _ => {}
    }
    let server = TcpStream::connect(target).await?;
    server.set_zero_linger()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let said = AtomicBool::new(false);
    let (asking, answering) = (Side::Asking(&said), Side::Answering(&said));
    tokio::try_join!(
        pump(asking, client_read, server_write, modes.clone()),
        pump(answering, server_read, client_write, modes),
    )?;
    Ok(())
}

/// Reads the beginning of what is asked, so that the answer does not come before it, and the rest
/// only to drop it.
async fn answer(mut client: TcpStream, with: &[u8]) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    if client.read(&mut buffer).await? == 0 {
        return Ok(());
    }
    client.write_all(with).await?;
    client.shutdown().await?;
    while client.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Which way a pump goes, and whether the word was said after which nothing is answered.
#[derive(Clone, Copy)]
enum Side<'a> {
    Asking(&'a AtomicBool),
    Answering(&'a AtomicBool),
}

impl Side<'_> {
    fn hear(self, mode: Mode, chunk: &[u8]) {
        if let (Self::Asking(said), Mode::MutedAfter { word }) = (self, mode)
            && chunk.windows(word.len()).any(|window| window == word)
        {
            said.store(true, Ordering::Release);
        }
    }

    fn is_muted(self, mode: Mode) -> bool {
        match (self, mode) {
            (Self::Answering(said), Mode::MutedAfter { .. }) => said.load(Ordering::Acquire),
            _ => false,
        }
    }
}

/// Passes bytes on in one direction, until its end (which is passed on too) or the cut.
async fn pump(
    side: Side<'_>,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let mode = passing(side, &mut modes).await?;
        let room = match mode {
            Mode::Slow { bytes_per_second } => bytes_per_second / SLOW_CHUNKS_PER_SECOND,
            _ => u64::MAX,
        };
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let read = tokio::select! {
            read = from.read(&mut buffer[..room.clamp(1, CHUNK_BYTES)]) => read?,
            _ = modes.changed() => continue,
        };
        if read == 0 {
            return to.shutdown().await;
        }
        // A line that was frozen or cut while we read holds back or loses what was read.
        side.hear(mode, &buffer[..read]);
        passing(side, &mut modes).await?;
        tokio::select! {
            written = to.write_all(&buffer[..read]) => written?,
            error = cut(modes.clone()) => return Err(error),
        }
        if let Mode::Slow { bytes_per_second } = mode {
            let micros = read as u64 * 1_000_000 / bytes_per_second.max(1);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_micros(micros)) => {}
                _ = modes.changed() => {}
            }
        }
    }
}

/// Waits until the line passes bytes on; an error once it is cut.
async fn passing(side: Side<'_>, modes: &mut watch::Receiver<Mode>) -> io::Result<Mode> {
    loop {
        match *modes.borrow_and_update() {
            Mode::Cut | Mode::Answering { .. } => {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Mode::Frozen => {}
            mode if side.is_muted(mode) => {}
            mode => return Ok(mode),
        }
        if modes.changed().await.is_err() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
}

async fn cut(mut modes: watch::Receiver<Mode>) -> io::Error {
    // An error means that the proxy is gone, which cuts as well.
    let cuts = |mode: &Mode| matches!(mode, Mode::Cut | Mode::Answering { .. });
    drop(modes.wait_for(cuts).await);
    io::ErrorKind::ConnectionReset.into()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A server that says everything back.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address.to_string()
    }

    async fn ask(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_cut_breaks_connections_and_healing_lets_new_ones_through() {
        let proxy = Proxy::to(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"hello").await.unwrap(), b"hello");

        proxy.cut();
        ask(&mut stream, b"hello").await.unwrap_err();
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut refused, b"hello").await.unwrap_err();

        proxy.heal();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"again").await.unwrap(), b"again");
    }

    #[tokio::test]
    async fn a_frozen_line_says_nothing_and_loses_nothing() {
        let proxy = Proxy::to(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut stream, b"hello").await.unwrap();
        proxy.freeze();
        let mut asked = Box::pin(ask(&mut stream, b"held"));
        assert!(asked.as_mut().now_or_never().is_none());
        proxy.heal();
        assert_eq!(asked.await.unwrap(), b"held");
    }

    #[tokio::test]
    async fn a_slow_line_takes_its_time() {
        let proxy = Proxy::to(echo().await).await;
        proxy.slow(10_000);
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let start = std::time::Instant::now();
        ask(&mut stream, &[7; 2_000]).await.unwrap();
        assert!(
            start.elapsed() >= Duration::from_millis(150),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test]
    async fn after_its_word_a_client_is_heard_and_not_answered() {
        let proxy = Proxy::to(echo().await).await;
        proxy.mute_after(b"COMMIT");
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"hello").await.unwrap(), b"hello");
        let mut asked = Box::pin(ask(&mut stream, b"COMMIT"));
        assert!(asked.as_mut().now_or_never().is_none());
        let mut other = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut other, b"hello").await.unwrap(), b"hello");
        assert!(asked.as_mut().now_or_never().is_none());
        proxy.heal();
        assert_eq!(asked.await.unwrap(), b"COMMIT");
    }

    #[tokio::test]
    async fn it_answers_in_the_servers_place() {
        let proxy = Proxy::to(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut stream, b"hello").await.unwrap();
        proxy.answer(b"no");
        ask(&mut stream, b"hello").await.unwrap_err();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"no");
    }
}
