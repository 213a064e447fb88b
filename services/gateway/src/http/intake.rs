//! The body of an upload as it comes in, on a leash.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::{runtime::Handle, time::timeout};

use crate::{domain::limits, error::Error};

/// Pieces of a request body.
///
/// For forms it hands out one piece at a time and pauses in between, because the form reader takes
/// whatever there is before it looks at any of it; and it counts what went in and did not come out
/// as the file, because that is what the reader holds in memory.
pub(super) struct Intake {
    body: Option<BodyDataStream>,
    form: Option<Form>,
    started: bool,
    /// Whether the client would be reset if it were still sending when the connection closes.
    linger: bool,
}

struct Form {
    given: u64,
    taken: Taken,
    paused: bool,
}

/// The bytes of the file that came out of a form.
#[derive(Clone, Default, Debug)]
pub(super) struct Taken(Arc<AtomicU64>);

impl Taken {
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Intake {
    /// `expects` tells that the client waits for a go-ahead before it sends, and `http1` that it
    /// would be reset.
    pub(super) fn new(body: Body, http1: bool, expects: bool) -> Self {
        // Reading after a refusal would give the go-ahead.
        let (started, linger) = (!expects, http1);
        Self {
            body: Some(body.into_data_stream()),
            form: None,
            started,
            linger,
        }
    }

    /// The same for a form.
    pub(super) fn for_form(mut self, taken: Taken) -> Self {
        self.form = Some(Form {
            given: 0,
            taken,
            paused: false,
        });
        self
    }
}

impl Stream for Intake {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        if let Some(form) = &mut this.form
            && std::mem::take(&mut form.paused)
        {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.started = true;
        let piece = std::task::ready!(body.poll_next_unpin(cx));
        let Some(Ok(piece)) = piece else {
            // Nothing more will come, so there is nothing to linger for.
            this.body = None;
            return Poll::Ready(piece.map(|_| Err(Error::UploadBroken)));
        };
        if let Some(form) = &mut this.form {
            form.paused = true;
            form.given += piece.len() as u64;
            let held = form
                .given
                .saturating_sub(form.taken.0.load(Ordering::Relaxed));
            if held > limits::FORM_OVERHEAD_BYTES_MAX {
                return Poll::Ready(Some(Err(Error::Form {
                    field: "",
                    problem: "the form holds too much besides the file",
                })));
            }
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else {
            return;
        };
        if !self.linger || !self.started {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            // What still comes is thrown away; one task a connection at most, and soon over.
            runtime.spawn(async move {
                let rest = async { while let Some(Ok(_)) = body.next().await {} };
                timeout(limits::LINGER, rest).await.is_ok()
            });
        }
    }
}
