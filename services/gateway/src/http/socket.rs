//! `GET /graphql/ws`: subscriptions, and what else a client likes to send on a WebSocket.
//!
//! One task has the socket and everything on it. Answers are made when the one before has been
//! taken, so a client that does not read stops its own operations, fills nothing, and is dropped
//! after a while. No origin is asked for: who is known is known by a token that a page must have,
//! and never by what a browser adds by itself.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::{
        FromRequestParts, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderValue, header::AUTHORIZATION},
    response::Response,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, interval, sleep_until, timeout},
};
use tokio_stream::StreamMap;
use tokio_util::task::TaskTracker;

use djinn_chassis::{auth::Refusal, shutdown::Shutdown};

use super::{
    Edge, answer,
    graphql::bearer,
    protocol::{Close, NAME, Said, Told},
};
use crate::{
    domain::limits,
    error::Error,
    graphql::{self, Answer},
    grpc::{self, Bearer, Place, Status, Tally},
    limit::Visit,
};

/// The WebSockets of the gateway: how many there are, and that a stop waits for them.
pub(crate) struct Sockets {
    tracker: TaskTracker,
    shutdown: Shutdown,
    places: Arc<Semaphore>,
    users: Tally,
}

impl Sockets {
    /// `tracker` is waited for before the gateway ends; each socket ends by the shutdown.
    pub(crate) fn new(tracker: TaskTracker, shutdown: Shutdown) -> Self {
        Self {
            tracker,
            shutdown,
            places: Arc::new(Semaphore::new(limits::SOCKETS_MAX)),
            users: Tally::new(limits::USER_SOCKETS_MAX),
        }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| grpc::overloaded("graphql"))
    }

    fn seat(&self, bearer: Bearer) -> Result<Known, Status> {
        let seat = self.users.take(bearer.caller.user_id);
        let full = || grpc::status(Error::TooManyOpen { what: "WebSockets" });
        let seat = seat.ok_or_else(full)?;
        Ok(Known {
            bearer,
            _seat: seat,
        })
    }
}

/// Opens a WebSocket. A token in the header is looked at right away; without one it must come with
/// `connection_init`.
pub(super) async fn open(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    match upgrade(&edge, request).await {
        Ok(response) => response,
        Err(status) => answer::refused(&status),
    }
}

async fn upgrade(edge: &Arc<Edge>, request: Request) -> Result<Response, Status> {
    let (mut parts, _) = request.into_parts();
    let visit = Visit::of(&parts.extensions);
    let refused = |_| grpc::status(Error::Subprotocol);
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, edge).await;
    let upgrade = upgrade.map_err(refused)?.protocols([NAME]);
    if upgrade.selected_protocol().is_none() {
        return Err(grpc::status(Error::Subprotocol));
    }
    let offered = match parts.headers.contains_key(AUTHORIZATION) {
        true => Some(bearer(edge, &parts.headers, &visit).await?),
        false => None,
    };
    let (place, edge) = (edge.sockets.place()?, Arc::clone(edge));
    let counted = edge.sockets.tracker.token();
    let upgrade = upgrade
        .read_buffer_size(limits::SOCKET_READ_BYTES)
        .write_buffer_size(0)
        .max_message_size(limits::SOCKET_MESSAGE_BYTES_MAX)
        .max_frame_size(limits::SOCKET_MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(async move |wire| {
        Socket::new(wire, edge, visit, offered).run().await;
        drop((place, counted));
    }))
}

/// Who has the socket.
struct Known {
    bearer: Bearer,
    _seat: Place,
}

/// What an operation has to tell.
enum Event {
    Answer(Box<Answer>),
    End,
}

/// Why a socket ends.
enum End {
    /// It is closed here, and its client told why.
    Close(Close, Cow<'static, str>),
    /// Its client has closed it.
    Left,
    /// Its client is gone, or takes nothing any more.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close, close.reason().into())
    }
}

struct Socket {
    wire: WebSocket,
    edge: Arc<Edge>,
    /// The request that opened it.
    visit: Visit,
    /// Who sent the header, until `connection_init`.
    offered: Option<Bearer>,
    known: Option<Known>,
    opened: Instant,
    /// When the token ends; far away until one is known.
    expiry: Instant,
    /// When the client was last heard of.
    heard: Instant,
    /// When the last operation ended.
    quiet: Instant,
    stopping: bool,
    operations: StreamMap<String, BoxStream<'static, Event>>,
}

impl Socket {
    fn new(wire: WebSocket, edge: Arc<Edge>, visit: Visit, offered: Option<Bearer>) -> Self {
        let now = Instant::now();
        Self {
            wire,
            edge,
            visit,
            offered,
            known: None,
            opened: now,
            expiry: now,
            heard: now,
            quiet: now,
            stopping: false,
            operations: StreamMap::new(),
        }
    }

    async fn run(mut self) {
        metrics::gauge!("graphql_sockets").increment(1);
        let end = self.serve().await;
        // The services hear of it before the client does.
        self.operations.clear();
        let said = match end {
            End::Close(close, reason) => {
                tracing::debug!(?close, %reason, "socket closed");
                let code = close.code();
                let reason = reason.as_ref().into();
                let frame = CloseFrame { code, reason };
                self.send(Message::Close(Some(frame))).await.is_ok()
            }
            End::Left => true,
            End::Gone => false,
        };
        if said {
            // Reading on answers a client that closes; and dropping the connection at once would
            // reset it under one that still sends.
            let rest = async { while let Some(Ok(_)) = self.wire.recv().await {} };
            timeout(limits::LINGER, rest).await.ok();
        }
        metrics::gauge!("graphql_sockets").decrement(1);
    }

    async fn serve(&mut self) -> End {
        let shutdown = self.edge.sockets.shutdown.clone();
        let mut look = interval(limits::PING_INTERVAL);
        loop {
            if let Some(close) = self.over() {
                return close.into();
            }
            let fuse = self.fuse();
            let done = tokio::select! {
                biased;
                () = shutdown.overdue() => return Close::Stopping.into(),
                () = shutdown.requested(), if !self.stopping => {
                    self.stopping = true;
                    Ok(())
                }
                () = sleep_until(fuse) => Ok(()),
                _ = look.tick() => self.look().await,
                message = self.wire.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) | None => return End::Gone,
                },
                Some((id, event)) = self.operations.next(), if !self.operations.is_empty() => {
                    self.tell(&id, event).await
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Why it is time to close, if it is. Operations under way end by themselves, each with its own
    /// reason, and are waited for.
    fn over(&self) -> Option<Close> {
        let now = Instant::now();
        if self.known.is_none() {
            let late = now >= self.opened + limits::SOCKET_INIT_TIMEOUT;
            return match self.stopping {
                true => Some(Close::Stopping),
                false => late.then_some(Close::InitTimeout),
            };
        }
        if !self.operations.is_empty() {
            return None;
        }
        [
            (now >= self.expiry, Close::Unauthorized),
            (self.stopping, Close::Stopping),
            (now >= self.quiet + limits::SOCKET_IDLE, Close::Idle),
        ]
        .into_iter()
        .find_map(|(over, close)| over.then_some(close))
    }

    /// When to look at `over` again, if nothing else happens.
    fn fuse(&self) -> Instant {
        if self.known.is_none() {
            return self.opened + limits::SOCKET_INIT_TIMEOUT;
        }
        let idle = Instant::now().max(self.quiet) + limits::SOCKET_IDLE;
        match self.operations.is_empty() {
            true => self.expiry.min(self.quiet + limits::SOCKET_IDLE),
            // What is under way ends by itself.
            false => idle,
        }
    }

    /// Asks a silent client for a sign of life.
    async fn look(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > limits::PING_INTERVAL + limits::PING_TIMEOUT {
            return Err(End::Gone);
        }
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        let said = match message {
            Message::Text(text) => Said::parse(&text).ok_or(Close::BadMessage)?,
            Message::Binary(_) => return Err(Close::BadMessage.into()),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Left),
        };
        match said {
            Said::Init { authorization } => self.init(authorization).await,
            Said::Ping => self.say(&Told::Pong).await,
            Said::Pong => Ok(()),
            Said::Subscribe { id, request } => self.subscribe(id, *request).await,
            Said::Complete { id } => {
                self.end(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, authorization: Option<String>) -> Result<(), End> {
        if self.known.is_some() {
            return Err(Close::TooManyInits.into());
        }
        let known = match self.identify(authorization).await {
            Ok(bearer) => self.edge.sockets.seat(bearer),
            Err(refusal) => Err(refusal),
        };
        match known {
            Ok(known) => {
                self.expiry = self.edge.gate.expiry(&known.bearer.caller);
                self.known = Some(known);
                self.quiet = Instant::now();
                self.say(&Told::ConnectionAck).await
            }
            Err(refusal) => {
                let reason = grpc::Refusal::from(&refusal).reason;
                Err(End::Close(Close::Forbidden, reason.into()))
            }
        }
    }

    /// By the message, or else by the header.
    async fn identify(&mut self, authorization: Option<String>) -> Result<Bearer, Status> {
        let offered = self.offered.take();
        let Some(authorization) = authorization else {
            return offered.ok_or_else(|| Refusal::Missing.into());
        };
        let value = HeaderValue::try_from(authorization).map_err(|_| Refusal::Invalid)?;
        let caller = self.edge.gate.bearer(&value, &self.visit).await?;
        Ok(Bearer { caller, value })
    }

    async fn subscribe(
        &mut self,
        id: String,
        request: Result<graphql::Request, Error>,
    ) -> Result<(), End> {
        let expired = Instant::now() >= self.expiry;
        let Some(known) = self.known.as_ref().filter(|_| !expired) else {
            return Err(Close::Unauthorized.into());
        };
        if id.is_empty() || id.len() > limits::SOCKET_ID_BYTES_MAX {
            return Err(Close::BadMessage.into());
        }
        if self.operations.contains_key(&id) {
            return Err(Close::DuplicateId.into());
        }
        let request_id = self.edge.gate.request_id().to_string();
        let what = "operations on this WebSocket";
        let begun = match request {
            _ if self.stopping => Err(grpc::status(Error::Stopping)),
            _ if self.operations.len() >= limits::SOCKET_OPERATIONS_MAX => {
                Err(grpc::status(Error::TooManyOpen { what }))
            }
            Ok(request) => {
                let door = &self.edge.graphql;
                let visit = self.visit.again();
                let session = door.session(&known.bearer, request_id.clone(), visit);
                session.map(|session| door.answers(session, request))
            }
            Err(error) => Err(grpc::status(error)),
        };
        let answers = match begun {
            Ok(answers) => answers,
            Err(refusal) => {
                let refused = Answer::refused(&refusal, &request_id);
                stream::iter([refused]).boxed()
            }
        };
        let end = stream::iter([Event::End]);
        let events = answers.map(Box::new).map(Event::Answer).chain(end).boxed();
        self.operations.insert(id, events);
        Ok(())
    }

    async fn tell(&mut self, id: &str, event: Event) -> Result<(), End> {
        match event {
            Event::Answer(answer) if answer.refusal() => {
                self.end(id);
                let payload = serde_json::to_value(answer.errors()).unwrap_or_default();
                self.say(&Told::Error { id, payload }).await
            }
            Event::Answer(answer) => {
                let payload = &*answer;
                self.say(&Told::Next { id, payload }).await
            }
            Event::End => {
                self.end(id);
                self.say(&Told::Complete { id }).await
            }
        }
    }

    fn end(&mut self, id: &str) {
        self.operations.remove(id);
        self.quiet = Instant::now();
    }

    async fn say(&mut self, told: &Told<'_>) -> Result<(), End> {
        let text = serde_json::to_string(told).map_err(|_| End::Gone)?;
        self.send(Message::text(text)).await
    }

    /// Waits until the client has room for the message, but not for ever.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(limits::CONNECTION_STALL, self.wire.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
