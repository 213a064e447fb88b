//! Counts calls, under the same names as the services do.

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
            method: method.trim_start_matches('/').to_owned(),
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
        let labels = [("method", method), ("code", code)];
        metrics::counter!("grpc_server_handled_total", &labels).increment(1);
        metrics::histogram!("grpc_server_handling_seconds", &labels).record(elapsed);
    }
}
