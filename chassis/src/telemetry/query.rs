//! The statements that the database ran, as spans of who asked for them. sqlx tells of each
//! statement when it has ended; the span is made then, with the time it began.
//!
//! It bears the beginning of the statement, which is text of ours: values are bound and never part
//! of it.

use std::time::{Duration, SystemTime};

use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, filter::Targets, layer};

/// Where sqlx tells of statements.
const TARGET: &str = "sqlx::query";

/// What is listened to.
pub(super) fn filter() -> Targets {
    Targets::new().with_target(TARGET, Level::DEBUG)
}

/// Makes a span of each statement that ran in a trace.
pub(super) struct QuerySpans {
    tracer: SdkTracer,
}

impl QuerySpans {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer }
    }
}

impl<S: Subscriber> Layer<S> for QuerySpans {
    #[expect(
        clippy::disallowed_methods,
        reason = "a span's time is the machine's, as that of those around it"
    )]
    fn on_event(&self, event: &Event<'_>, _context: layer::Context<'_, S>) {
        let parent = Context::current();
        if !parent.span().span_context().is_valid() {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let ended = SystemTime::now();
        let began = ended.checked_sub(statement.elapsed).unwrap_or(ended);
        let mut span = self
            .tracer
            .span_builder(statement.name())
            .with_kind(SpanKind::Client)
            .with_start_time(began)
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.query.summary", statement.summary),
                KeyValue::new("db.response.returned_rows", statement.rows_returned),
                KeyValue::new("djinn.affected_rows", statement.rows_affected),
            ])
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(ended);
    }
}

/// What sqlx tells.
#[derive(Default)]
struct Statement {
    summary: String,
    elapsed: Duration,
    rows_returned: i64,
    rows_affected: i64,
}

impl Statement {
    /// The statement's verb, of which there are few.
    fn name(&self) -> String {
        let verb = self.summary.split_whitespace().next();
        verb.unwrap_or("statement").to_uppercase()
    }
}

impl Visit for Statement {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        match field.name() {
            "rows_returned" => self.rows_returned = value,
            "rows_affected" => self.rows_affected = value,
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.summary);
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}
