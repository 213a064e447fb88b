//! Logs, metrics and traces: one line per event on standard error, numbers that `/metrics` shows,
//! and both these numbers and spans for a collector where there is one.
//!
//! * [`follow`], [`pass_on`]: the trace of a request, from and into the headers of calls.
//! * `query`: the database's statements as spans.
//! * `figures`: the numbers of `/metrics` for a collector.

use std::{sync::OnceLock, time::Duration};

use anyhow::{Context, bail};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::layers::FanoutBuilder;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};
use url::Url;

mod figures;
mod query;
mod traces;

use figures::Figures;
use traces::Traces;
pub use traces::{follow, pass_on, temporal_plugin};

/// Upper bounds of the duration histograms in seconds: from a look-up in memory to the longest wait
/// that a unary call is given.
const BUCKETS_SECONDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The same for work: from an empty activity to an import that waits a week for a person.
const BUCKETS_WORK_SECONDS: [f64; 8] = [0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, 604_800.0];

/// What takes as long as work does.
const WORK: [&str; 3] = [
    "temporal_workflow_endtoend_latency_seconds",
    "temporal_activity_execution_latency_seconds",
    "temporal_activity_succeed_endtoend_latency_seconds",
];

/// How long a collector may take for a call.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Whose spans and figures these are, within a service.
const SCOPE: &str = "djinn";

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// What is logged and how.
#[derive(clap::Args, Clone, Debug)]
// Every section is called Config; clap wants the groups of one command apart.
#[group(id = "telemetry")]
pub struct Config {
    /// Which events are logged, in the syntax of tracing's `EnvFilter`, as
    /// `info,djinn_imports=debug`.
    #[arg(
        id = "log_filter",
        long = "log",
        env = "DJINN_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub filter: String,
    /// How an event is written.
    #[arg(
        id = "log_format",
        long = "log-format",
        env = "DJINN_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "json"
    )]
    pub format: Format,
    /// The collector that traces and metrics are sent to, by OTLP over gRPC, as
    /// `http://127.0.0.1:4317`. Without one, no traces are gathered.
    #[arg(
        id = "otlp_endpoint",
        long = "otlp-endpoint",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL"
    )]
    pub otlp_endpoint: Option<Url>,
    /// Which part of all traces is kept, from 0 to 1.
    #[arg(
        id = "trace_ratio",
        long = "trace-ratio",
        env = "OTEL_TRACES_SAMPLER_ARG",
        value_name = "RATIO",
        default_value = "1",
        value_parser = ratio
    )]
    pub trace_ratio: f64,
}

/// A part of a whole: what is no number lies nowhere between the two.
fn ratio(text: &str) -> Result<f64, &'static str> {
    const WRONG: &str = "expected a number from 0 to 1";
    let ratio = text.parse().map_err(|_| WRONG)?;
    (0.0..=1.0).contains(&ratio).then_some(ratio).ok_or(WRONG)
}

/// How an event is written.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One JSON object per line, for machines.
    Json,
    /// For people at a terminal.
    Text,
}

/// Keeps telemetry on; dropped at the end of `main`, after the last event.
#[derive(Debug)]
#[must_use = "telemetry lasts as long as this value"]
pub struct Telemetry {
    service: &'static str,
    /// Flushed when they are dropped.
    _traces: Option<Traces>,
    _figures: Option<Figures>,
}

/// Starts logging and counting for the whole process.
///
/// A second call in one process, as in tests, changes nothing.
///
/// # Errors
/// When the filter does not parse or another metrics recorder is installed.
pub fn init(service: &'static str, config: &Config) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(&config.filter)
        .with_context(|| format!("DJINN_LOG is not a log filter: {:?}", config.filter))?;
    if METRICS.get().is_some() {
        return Ok(Telemetry {
            service,
            _traces: None,
            _figures: None,
        });
    }
    let endpoint = config.otlp_endpoint.as_ref();
    let traces = endpoint.map(|endpoint| Traces::start(service, endpoint, config.trace_ratio));
    let traces = traces.transpose()?;

    // Boxed, because the two formats have two types.
    let events = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let events = match config.format {
        Format::Json => events.json().flatten_event(true).boxed(),
        Format::Text => events.boxed(),
    };
    // An error means that a subscriber is there already: a test's, which stays.
    let installed = tracing_subscriber::registry()
        .with(events.with_filter(filter))
        .with(traces.as_ref().map(Traces::layer))
        .try_init()
        .is_ok();
    if installed && config.format == Format::Json {
        log_panics();
    }

    let figures = endpoint.map(|endpoint| Figures::start(service, endpoint));
    let figures = figures.transpose()?;
    count(figures.as_ref())?;
    tracing::info!(service, "starting");
    Ok(Telemetry {
        service,
        _traces: traces,
        _figures: figures,
    })
}

/// Counts for `/metrics`, and for a collector where there is one.
fn count(figures: Option<&Figures>) -> anyhow::Result<()> {
    let mut builder = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS)?;
    for name in WORK {
        let whole = Matcher::Full(name.to_owned());
        builder = builder.set_buckets_for_metric(whole, buckets(name))?;
    }
    let shown = builder.build_recorder();
    let handle = shown.handle();
    let installed = match figures {
        None => metrics::set_global_recorder(shown).is_ok(),
        Some(figures) => {
            let both = FanoutBuilder::default()
                .add_recorder(shown)
                .add_recorder(figures.recorder())
                .build();
            metrics::set_global_recorder(both).is_ok()
        }
    };
    if !installed {
        bail!("another metrics recorder is installed");
    }
    // Lost only by a race of two first calls, of which one has failed above.
    drop(METRICS.set(handle));
    Ok(())
}

/// The upper bounds of a histogram's buckets, in seconds.
fn buckets(name: &str) -> &'static [f64] {
    if WORK.contains(&name) {
        &BUCKETS_WORK_SECONDS
    } else {
        &BUCKETS_SECONDS
    }
}

/// Who a collector is told that spans and figures come from.
fn resource(service: &'static str) -> Resource {
    Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The metrics as Prometheus text; empty before [`init`].
#[must_use]
pub fn metrics() -> String {
    METRICS
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Folds what histograms have gathered into their buckets. Without it their memory grows between
/// two readings of `/metrics`, for ever where nobody reads them.
pub(crate) fn upkeep() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}

/// A panic is logged by its place alone: its message may quote the data it tripped over, as the
/// text of a statement that was sliced inside a character.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic
            .location()
            .map_or(("unknown", 0), |place| (place.file(), place.line()));
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(panic.file = file, panic.line = line, thread, "panic");
    }));
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        tracing::info!(service = self.service, "stopped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_between_nothing_and_all() {
        for (text, kept) in [
            ("0", true),
            ("0.25", true),
            ("1", true),
            ("1.1", false),
            ("-0.1", false),
            ("NaN", false),
            ("inf", false),
            ("all", false),
            ("", false),
        ] {
            assert_eq!(ratio(text).is_ok(), kept, "{text}");
        }
    }

    #[test]
    fn a_second_start_is_harmless_and_a_bad_filter_is_named() {
        let config = Config {
            filter: "info".to_owned(),
            format: Format::Text,
            otlp_endpoint: None,
            trace_ratio: 1.0,
        };
        let _first = init("test", &config).unwrap();
        let _second = init("test", &config).unwrap();
        metrics::counter!("telemetry_test_total").increment(3);
        assert!(metrics().contains("telemetry_test_total 3"));

        let bad = Config {
            filter: "djinn=nonsense".to_owned(),
            ..config
        };
        let error = init("test", &bad).unwrap_err().to_string();
        assert!(error.contains("DJINN_LOG"), "{error}");
    }
}
