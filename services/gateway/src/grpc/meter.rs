//! Counts calls, under the same names as the services do.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use super::code_name;

/// A call under way; counted when dropped, by when its code is known, or its client gave it up.
pub(super) struct Meter {
    method: String,
    began: Instant,
    pub(super) code: Code,
    span: tracing::Span,
}

impl Meter {
    /// `method` is the path of a public method: anything else would let clients make metrics.
    pub(super) fn new(method: &str) -> Self {
        Self {
            method: name(method),
            began: Instant::now(),
            code: Code::Cancelled,
            span: tracing::Span::current(),
        }
    }

    /// The span of the request, for what is logged while its answer is on its way.
    pub(super) fn span(&self) -> tracing::Span {
        self.span.clone()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let elapsed = self.began.elapsed();
        let (method, code) = (std::mem::take(&mut self.method), code_name(self.code));
        self.span.in_scope(|| {
            let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(method, code, duration_ms, "call ended");
        });
        Handled::named(method, code).note(elapsed);
    }
}

/// The calls of a method that ended with a code.
pub(super) struct Handled {
    count: metrics::Counter,
    time: metrics::Histogram,
}

impl Handled {
    /// `path` is that of a public method.
    pub(super) fn of(path: &str, code: Code) -> Self {
        Self::named(name(path), code_name(code))
    }

    fn named(method: String, code: String) -> Self {
        let labels = [("method", method), ("code", code)];
        Self {
            count: metrics::counter!("grpc_server_handled_total", &labels),
            time: metrics::histogram!("grpc_server_handling_seconds", &labels),
        }
    }

    /// Counts one more.
    pub(super) fn note(&self, elapsed: Duration) {
        self.count.increment(1);
        self.time.record(elapsed);
    }
}

fn name(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}
