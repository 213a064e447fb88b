//! The public port: accepts connections, speaks HTTP/1.1 and HTTP/2 on them, and lets none of them
//! cost more than it should.

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http_body::Frame;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, interval, sleep},
};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use djinn_chassis::shutdown::Shutdown;

use crate::{domain::limits, grpc::Shed, limit::Peer};

/// What answers: all doors, and in front of them what refuses calls for which there is no place.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shed: Shed,
    pub(crate) router: Router,
}

impl App {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        match self.shed.refusal(&request) {
            Some(refusal) => Ok(refusal),
            None => self.router.oneshot(request.map(Body::new)).await,
        }
    }
}

/// Serves until the shutdown: then no new connections are taken, those there are finish what they
/// have, and when the grace period is over the rest is dropped. `tracker` counts what is waited
/// for; connections that have become WebSockets are counted by those who serve them.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    tracker: TaskTracker,
    shutdown: Shutdown,
) {
    let builder = Arc::new(builder());
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = shutdown.requested() => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (builder, app) = (Arc::clone(&builder), app.clone());
                let shutdown = shutdown.clone();
                tracker.spawn(async move {
                    connection(stream, Peer(peer.ip()), &builder, app, &shutdown).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tracker.close();
    // Each connection ends itself when the grace period is over.
    tracker.wait().await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_TIMEOUT)
        .max_buf_size(limits::HEADER_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::CONNECTION_STREAMS_MAX)
        .max_header_list_size(limits::HEADER_BYTES_MAX)
        .max_pending_accept_reset_streams(limits::PENDING_RESETS_MAX)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .keep_alive_interval(limits::PING_INTERVAL)
        .keep_alive_timeout(limits::PING_TIMEOUT);
    builder
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    builder: &Builder<TokioExecutor>,
    app: App,
    shutdown: &Shutdown,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    let pulse = Arc::new(Pulse::new());
    let beats = Arc::clone(&pulse);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (app, beat) = (app.clone(), Beat::new(&beats));
        async move {
            let response = app.answer(request).await?;
            Ok::<_, Infallible>(response.map(|inner| Watched { inner, beat }))
        }
    });
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let mut look = interval(limits::CONNECTION_LOOK);
    let mut leave = pin!(async {
        tokio::select! {
            () = shutdown.requested() => {}
            () = sleep(limits::CONNECTION_AGE_MAX) => {}
        }
    });
    let mut leaving = false;
    loop {
        tokio::select! {
            result = served.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = &mut leave, if !leaving => {
                leaving = true;
                served.as_mut().graceful_shutdown();
            }
            _ = look.tick() => {
                if let Some(reason) = pulse.dead(Instant::now()) {
                    tracing::debug!(reason, "connection closed");
                    return;
                }
            }
            () = shutdown.overdue() => return,
        }
    }
}

/// What goes on on one connection.
struct Pulse {
    ids: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// When the connection was made or the last request ended.
    quiet_since: Instant,
    /// How long it may be quiet now.
    quiet_max: Duration,
    /// Requests under way; for each, since when its client has not taken what was offered.
    requests: HashMap<u64, Option<Instant>>,
}

impl Pulse {
    fn new() -> Self {
        let state = State {
            quiet_since: Instant::now(),
            quiet_max: limits::HEADER_TIMEOUT,
            requests: HashMap::new(),
        };
        Self {
            ids: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why this connection should be closed, if it should.
    fn dead(&self, now: Instant) -> Option<&'static str> {
        let state = self.state();
        if state.requests.is_empty() {
            let quiet = now.saturating_duration_since(state.quiet_since);
            return (quiet > state.quiet_max).then_some("no request");
        }
        let stalled = state.requests.values().flatten().min()?;
        let stalled = now.saturating_duration_since(*stalled);
        (stalled > limits::CONNECTION_STALL).then_some("answer not taken")
    }
}

/// One request on its connection, from its header to the last byte of its answer.
struct Beat {
    pulse: Arc<Pulse>,
    id: u64,
}

impl Beat {
    fn new(pulse: &Arc<Pulse>) -> Self {
        let id = pulse.ids.fetch_add(1, Ordering::Relaxed);
        pulse.state().requests.insert(id, None);
        Self {
            pulse: Arc::clone(pulse),
            id,
        }
    }

    fn offered(&self, at: Option<Instant>) {
        self.pulse.state().requests.insert(self.id, at);
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        let mut state = self.pulse.state();
        state.requests.remove(&self.id);
        state.quiet_since = Instant::now();
        state.quiet_max = limits::CONNECTION_IDLE;
    }
}

/// The body of an answer, which notes when it was last asked for more. hyper asks only when the
/// client has taken what there was.
struct Watched {
    inner: Body,
    beat: Beat,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        let at = polled.is_ready().then(Instant::now);
        this.beat.offered(at);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_connection_dies_and_sooner_before_its_first_request() {
        let pulse = Arc::new(Pulse::new());
        let made = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(pulse.dead(made + limits::HEADER_TIMEOUT), None);
        assert!(pulse.dead(made + limits::HEADER_TIMEOUT + second).is_some());
        let beat = Beat::new(&pulse);
        assert_eq!(pulse.dead(made + limits::CONNECTION_IDLE * 2), None);
        drop(beat);
        assert_eq!(pulse.dead(made + limits::CONNECTION_IDLE), None);
        assert!(
            pulse
                .dead(made + limits::CONNECTION_IDLE + second)
                .is_some()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_loses_its_connection() {
        let pulse = Arc::new(Pulse::new());
        let (_waiting, stalled) = (Beat::new(&pulse), Beat::new(&pulse));
        let offered = Instant::now();
        stalled.offered(Some(offered));
        let late = offered + limits::CONNECTION_STALL + Duration::from_secs(1);
        assert_eq!(pulse.dead(offered + limits::CONNECTION_STALL), None);
        assert!(pulse.dead(late).is_some());
        // It asked for more, so it is the service that is slow.
        stalled.offered(None);
        assert_eq!(pulse.dead(late), None);
    }
}
