//! Traces: what a request caused, in every service and workflow it went through, under the one id
//! that its client chose or the gateway gave it. They leave by OTLP where an operator has set an
//! endpoint; without one nothing is gathered.
//!
//! A span bears names, ids, codes and counts. It must not bear what a statement says: no payee, no
//! amount, no number of an account.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use temporalio_sdk::opentelemetry::WorkflowIdGenerator;
use temporalio_sdk::{SimplePlugin, opentelemetry::OpenTelemetryPlugin};
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};
use url::Url;

use super::{SCOPE, SEND_TIMEOUT, query::QuerySpans, resource};

/// Spans that wait to be sent; what comes when it is full is dropped, and the SDK says so.
const SPANS_WAITING_MAX: usize = 2_048;

/// Spans in one call.
const SPANS_SENT_MAX: usize = 512;

/// The longest that a span waits for others.
const SEND_INTERVAL: Duration = Duration::from_secs(2);

/// How long the last spans may take at the end of the process.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether traces are gathered in this process.
static GATHERED: AtomicBool = AtomicBool::new(false);

/// Gathers and sends; flushed when it is dropped.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Prepares to send to the collector at `endpoint`; the first spans connect. `ratio` of all
    /// traces are kept, the same ones in every service.
    pub(super) fn start(service: &'static str, endpoint: &Url, ratio: f64) -> anyhow::Result<Self> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .with_timeout(SEND_TIMEOUT)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is no collector's address")?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(SPANS_WAITING_MAX)
            .with_max_export_batch_size(SPANS_SENT_MAX)
            .with_scheduled_delay(SEND_INTERVAL)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            // By the id alone: a client may name a trace, and not have all of its traces kept.
            .with_sampler(Sampler::TraceIdRatioBased(ratio))
            // A workflow that is replayed has the ids it had.
            .with_id_generator(WorkflowIdGenerator::default())
            .with_resource(resource(service))
            .build();
        opentelemetry::global::set_tracer_provider(provider.clone());
        GATHERED.store(true, Ordering::Relaxed);
        Ok(Self(provider))
    }

    /// Makes spans of ours and of the statements that the database ran for us.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.tracer(SCOPE);
        let ours = Targets::new().with_target("djinn", Level::INFO);
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_filter(ours);
        spans.and_then(QuerySpans::new(tracer).with_filter(super::query::filter()))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_TIMEOUT) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Lets the calls that a client makes at Temporal, and the workflows and activities that come of
/// them, be part of the trace they were made in. Nothing where no traces are gathered.
#[must_use]
pub fn temporal_plugin() -> Option<SimplePlugin> {
    let plugin = OpenTelemetryPlugin::builder()
        // Without baggage, which would carry whatever a client likes.
        .propagator(TraceContextPropagator::new())
        .build();
    GATHERED.load(Ordering::Relaxed).then_some(plugin)
}

/// Makes a span part of the trace that a caller's headers name. The headers of a caller who names
/// none, or nonsense, begin a trace of their own.
pub fn follow(span: &Span, headers: &HeaderMap) {
    let caller =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Read(headers));
    if caller.span().span_context().is_valid() {
        // Fails only where no traces are gathered.
        drop(span.set_parent(caller));
    }
}

/// Names the trace of a span in the headers of a call that it causes. What the headers say stays
/// where no traces are gathered, so that the next service may still follow the client.
pub fn pass_on(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    if context.span().span_context().is_valid() {
        TraceContextPropagator::new().inject_context(&context, &mut Written(headers));
    }
}

struct Read<'a>(&'a HeaderMap);

impl Extractor for Read<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Written<'a>(&'a mut HeaderMap);

impl Injector for Written<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}
