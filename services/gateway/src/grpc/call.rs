//! What can end a call before its service does: its deadline, its token, silence, a stop.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use djinn_chassis::auth::Refusal;

use super::status;
use crate::{domain::limits, error::Error};

/// Why the gateway ends a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    /// The time is over.
    Deadline,
    /// The token has expired.
    TokenExpired,
    /// Nothing was sent for too long.
    Idle,
    /// The gateway stops.
    Stopping,
    /// The client sent a message beyond the limit.
    MessageTooLarge,
}

impl From<Cut> for Status {
    fn from(cut: Cut) -> Self {
        status(match cut {
            Cut::TokenExpired => return Refusal::Expired.into(),
            Cut::Deadline => Error::Deadline,
            Cut::Idle => Error::StreamIdle,
            Cut::Stopping => Error::Stopping,
            Cut::MessageTooLarge => Error::MessageTooLarge {
                bytes_max: limits::MESSAGE_BYTES_MAX,
            },
        })
    }
}

/// What the two directions of one call tell each other.
#[derive(Debug)]
pub(super) struct Link {
    /// Set when the call is over for either side: the request must not look finished to the service
    /// when its client or the gateway gave it up.
    over: CancellationToken,
    cut: OnceLock<Cut>,
    began: Instant,
    touched_ms: AtomicU64,
}

impl Link {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            over: CancellationToken::new(),
            cut: OnceLock::new(),
            began: Instant::now(),
            touched_ms: AtomicU64::new(0),
        })
    }

    /// Ends the request towards the service, as a reset and never as a clean end.
    pub(super) fn abort(&self) {
        self.over.cancel();
    }

    /// Ends the call for a reason that its client is told.
    pub(super) fn cut(&self, cut: Cut) {
        // The first reason is the one that counts.
        self.cut.get_or_init(|| cut);
        self.over.cancel();
    }

    pub(super) fn aborted(&self) -> bool {
        self.over.is_cancelled()
    }

    pub(super) fn over(&self) -> Pin<Box<WaitForCancellationFutureOwned>> {
        Box::pin(self.over.clone().cancelled_owned())
    }

    /// Notes that something was sent, in either direction.
    pub(super) fn touch(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.touched_ms.store(millis, Ordering::Relaxed);
    }

    fn touched(&self) -> Instant {
        self.began + Duration::from_millis(self.touched_ms.load(Ordering::Relaxed))
    }
}

/// What ends one call; decided when it begins.
#[derive(Default, Debug)]
pub(super) struct Terms {
    /// The end of the time the client allowed, or of the default for unary calls.
    pub(super) deadline: Option<Instant>,
    /// When the token expires; for streams.
    pub(super) expiry: Option<Instant>,
    /// The longest silence; for streams.
    pub(super) idle: Option<Duration>,
    /// The gateway's stop; for streams from the service, whose watchers can call again.
    pub(super) stop: Option<CancellationToken>,
}

/// Waits for what ends a call. Dropping it aborts the request: nobody waits for the answer then.
pub(super) struct Watch {
    link: Arc<Link>,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    fuse: Option<(Pin<Box<Sleep>>, Cut)>,
    idle: Option<(Pin<Box<Sleep>>, Duration)>,
    stop: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Watch {
    pub(super) fn new(link: Arc<Link>, terms: Terms) -> Self {
        let ends = [
            terms.deadline.map(|at| (at, Cut::Deadline)),
            terms.expiry.map(|at| (at, Cut::TokenExpired)),
        ];
        let first = ends.into_iter().flatten().min_by_key(|(at, _)| *at);
        Self {
            over: link.over(),
            link,
            fuse: first.map(|(at, cut)| (Box::pin(sleep_until(at)), cut)),
            idle: terms.idle.map(|idle| (Box::pin(sleep(idle)), idle)),
            stop: terms.stop.map(|stop| Box::pin(stop.cancelled_owned())),
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// Waits for the end of the call by anyone but its service.
    pub(super) async fn cut(&mut self) -> Cut {
        std::future::poll_fn(|cx| self.poll_cut(cx)).await
    }

    pub(super) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        if self.over.as_mut().poll(cx).is_ready()
            && let Some(cut) = self.link.cut.get()
        {
            return Poll::Ready(*cut);
        }
        if let Some((sleep, cut)) = &mut self.fuse
            && sleep.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(*cut);
        }
        if let Some(stop) = &mut self.stop
            && stop.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Cut::Stopping);
        }
        if let Some((sleep, idle)) = &mut self.idle {
            while sleep.as_mut().poll(cx).is_ready() {
                let end = self.link.touched() + *idle;
                if end <= Instant::now() {
                    return Poll::Ready(Cut::Idle);
                }
                sleep.as_mut().reset(end);
            }
        }
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.link.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};
    use tokio_util::sync::CancellationToken;

    use super::{Cut, Link, Terms, Watch};

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_deadline_and_token_ends_a_call() {
        let now = Instant::now();
        let (deadline, expiry) = (Some(now + Duration::from_secs(2)), Some(now));
        let terms = Terms {
            deadline,
            expiry,
            ..Terms::default()
        };
        assert_eq!(
            Watch::new(Link::new(), terms).cut().await,
            Cut::TokenExpired
        );
        let terms = Terms {
            deadline,
            ..Terms::default()
        };
        assert_eq!(Watch::new(Link::new(), terms).cut().await, Cut::Deadline);
        assert_eq!(now.elapsed().as_secs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_idle_only_after_silence() {
        let (link, begin) = (Link::new(), Instant::now());
        let idle = Some(Duration::from_secs(60));
        let mut watch = Watch::new(
            link.clone(),
            Terms {
                idle,
                ..Terms::default()
            },
        );
        advance(Duration::from_secs(50)).await;
        link.touch();
        assert_eq!(watch.cut().await, Cut::Idle);
        assert_eq!(begin.elapsed().as_secs(), 110);
    }

    #[tokio::test]
    async fn a_reason_is_told_and_a_drop_aborts() {
        let link = Link::new();
        let stop = CancellationToken::new();
        let terms = Terms {
            stop: Some(stop.clone()),
            ..Terms::default()
        };
        let mut watch = Watch::new(link.clone(), terms);
        stop.cancel();
        assert_eq!(watch.cut().await, Cut::Stopping);
        link.cut(Cut::MessageTooLarge);
        link.cut(Cut::Idle);
        assert_eq!(watch.cut().await, Cut::MessageTooLarge);

        let link = Link::new();
        drop(Watch::new(link.clone(), Terms::default()));
        assert!(link.aborted());
    }
}
