//! An answer that is being waited for, and what happens to its request when nobody waits any more.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{runtime::Handle, time::timeout};

use super::{call::Link, lane::Places};

/// How long a request that was given up may take to be reset, or, if it had been sent whole by
/// then, to be answered: as long as a call may take by default.
const LET_GO: Duration = crate::domain::limits::DEADLINE_DEFAULT;

/// The answer to a request with a stream.
///
/// hyper resets the request of a dropped answer with CANCEL, which tonic takes for the end of the
/// stream (see `RequestBody`). So a dropped one is not dropped: its body is told to fail, and the
/// answer is kept until that has been sent.
pub(super) struct Pending<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    waiting: Option<(Pin<Box<F>>, Places)>,
    link: Arc<Link>,
}

impl<F> Pending<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// `link` is that of the request's body; `places` are held as long as the call lasts.
    pub(super) fn new(answer: F, link: Arc<Link>, places: Places) -> Self {
        let waiting = Some((Box::pin(answer), places));
        Self { waiting, link }
    }
}

impl<F> Future for Pending<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = (F::Output, Places);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((answer, _)) = &mut self.waiting else {
            // Polled after its end, which no caller does.
            return Poll::Pending;
        };
        let answer = std::task::ready!(answer.as_mut().poll(cx));
        match self.waiting.take() {
            Some((_, places)) => Poll::Ready((answer, places)),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Pending<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn drop(&mut self) {
        let Some((answer, places)) = self.waiting.take() else {
            return;
        };
        self.link.abort();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let ended = timeout(LET_GO, answer).await.is_ok();
                drop(places);
                tracing::debug!(ended, "request given up");
            });
        }
    }
}
