//! Figures that leave by OTLP, for operators who have a collector: the same that `/metrics` shows,
//! under the same names and with the same labels, counted a second time beside it.
//!
//! Nothing is counted here that `/metrics` does not have, and nothing of this runs without a
//! collector.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use metrics_util::registry::{Registry, Storage};
use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use url::Url;

use super::{SCOPE, SEND_TIMEOUT, buckets, resource};

/// How often figures are sent: as often as a Prometheus asks by default.
const SEND_INTERVAL: Duration = Duration::from_secs(15);

/// Sends until it is dropped, and once more then.
#[derive(Debug)]
pub(super) struct Figures(SdkMeterProvider);

impl Figures {
    /// Prepares to send to the collector at `endpoint`, which is connected to when there is
    /// something to send.
    pub(super) fn start(service: &'static str, endpoint: &Url) -> anyhow::Result<Self> {
        let exporter = opentelemetry_otlp::MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .with_timeout(SEND_TIMEOUT)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is no collector's address")?;
        let reader = PeriodicReader::builder(exporter)
            .with_interval(SEND_INTERVAL)
            .build();
        let provider = SdkMeterProvider::builder()
            .with_reader(reader)
            .with_resource(resource(service))
            .build();
        Ok(Self(provider))
    }

    /// What counts for it.
    pub(super) fn recorder(&self) -> impl Recorder + Send + Sync + 'static {
        Bridge {
            known: Registry::new(Instruments(self.0.meter(SCOPE))),
        }
    }
}

impl Drop for Figures {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last figures were not sent");
        }
    }
}

/// Keeps an instrument for each name and set of labels: making one takes locks and memory.
struct Bridge {
    known: Registry<Key, Instruments>,
}

impl Recorder for Bridge {
    // Descriptions are in docs/metrics.md, for both ways.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.known
            .get_or_create_counter(key, |found| Counter::from_arc(Arc::clone(found)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.known
            .get_or_create_gauge(key, |found| Gauge::from_arc(Arc::clone(found)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.known
            .get_or_create_histogram(key, |found| Histogram::from_arc(Arc::clone(found)))
    }
}

struct Instruments(Meter);

impl Storage<Key> for Instruments {
    type Counter = Arc<Count>;
    type Gauge = Arc<Level>;
    type Histogram = Arc<Spread>;

    fn counter(&self, key: &Key) -> Arc<Count> {
        Arc::new(Count {
            instrument: self.0.u64_counter(key.name().to_owned()).build(),
            labels: labels(key),
            last: AtomicU64::new(0),
        })
    }

    fn gauge(&self, key: &Key) -> Arc<Level> {
        Arc::new(Level {
            instrument: self.0.f64_gauge(key.name().to_owned()).build(),
            labels: labels(key),
            level: AtomicU64::new(0_f64.to_bits()),
        })
    }

    fn histogram(&self, key: &Key) -> Arc<Spread> {
        let name = key.name().to_owned();
        let bounds = buckets(&name).to_vec();
        let instrument = self.0.f64_histogram(name).with_boundaries(bounds);
        Arc::new(Spread {
            instrument: instrument.build(),
            labels: labels(key),
        })
    }
}

fn labels(key: &Key) -> Vec<KeyValue> {
    key.labels()
        .map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()))
        .collect()
}

struct Count {
    instrument: opentelemetry::metrics::Counter<u64>,
    labels: Vec<KeyValue>,
    /// The highest that it was ever set to.
    last: AtomicU64,
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.instrument.add(value, &self.labels);
    }

    fn absolute(&self, value: u64) {
        let last = self.last.fetch_max(value, Ordering::Relaxed);
        self.increment(value.saturating_sub(last));
    }
}

struct Level {
    instrument: opentelemetry::metrics::Gauge<f64>,
    labels: Vec<KeyValue>,
    /// The bits of what it shows: OpenTelemetry's can be set, and not be raised.
    level: AtomicU64,
}

impl Level {
    fn show(&self) {
        let level = f64::from_bits(self.level.load(Ordering::Acquire));
        self.instrument.record(level, &self.labels);
    }
}

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        GaugeFn::increment(&self.level, value);
        self.show();
    }

    fn decrement(&self, value: f64) {
        GaugeFn::decrement(&self.level, value);
        self.show();
    }

    fn set(&self, value: f64) {
        GaugeFn::set(&self.level, value);
        self.show();
    }
}

struct Spread {
    instrument: opentelemetry::metrics::Histogram<f64>,
    labels: Vec<KeyValue>,
}

impl HistogramFn for Spread {
    fn record(&self, value: f64) {
        self.instrument.record(value, &self.labels);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Collector, Figure};

    /// Threads of its own for the collector: whoever sends the last figures waits for it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_last_figures_are_sent_at_the_end() {
        let collector = Collector::start().await;
        let endpoint = collector.url().parse().unwrap();
        let figures = Figures::start("test", &endpoint).unwrap();
        metrics::with_local_recorder(&figures.recorder(), || {
            let calls = metrics::counter!("calls_total", "method" => "List", "code" => "OK");
            calls.increment(2);
            metrics::counter!("calls_total", "code" => "OK", "method" => "List").increment(1);
            metrics::counter!("calls_total", "code" => "ABORTED", "method" => "List").increment(1);
            for seen in [5, 7, 6] {
                metrics::counter!("bytes_total").absolute(seen);
            }
            let open = metrics::gauge!("open");
            open.increment(5.0);
            open.decrement(2.0);
            metrics::gauge!("away").set(1.0);
            metrics::gauge!("away").set(0.0);
            for seconds in [0.0005, 0.003, 0.003, 60.0] {
                metrics::histogram!("call_seconds").record(seconds);
            }
            metrics::histogram!("temporal_workflow_endtoend_latency_seconds").record(3_000.0);
        });
        tokio::task::spawn_blocking(|| drop(figures)).await.unwrap();
        let mut calls = vec![0; 13];
        (calls[0], calls[1], calls[12]) = (1, 2, 1);
        let mut lives = vec![0; 9];
        lives[5] = 1;
        let expected = [
            (
                "calls_total{code=\"OK\",method=\"List\"}",
                Figure::Count(3.0),
            ),
            (
                "calls_total{code=\"ABORTED\",method=\"List\"}",
                Figure::Count(1.0),
            ),
            ("bytes_total", Figure::Count(7.0)),
            ("open", Figure::Level(3.0)),
            ("away", Figure::Level(0.0)),
            ("call_seconds", Figure::Spread(4, 60.0065, calls)),
            (
                "temporal_workflow_endtoend_latency_seconds",
                Figure::Spread(1, 3_000.0, lives),
            ),
        ];
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .map(|(key, figure)| (("test".to_owned(), key.to_owned()), figure))
            .collect();
        assert_eq!(collector.figures(), expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_is_away_delays_the_end_by_little() {
        let endpoint = format!("http://127.0.0.1:{}", crate::testing::free_port());
        let figures = Figures::start("test", &endpoint.parse().unwrap()).unwrap();
        metrics::with_local_recorder(&figures.recorder(), || {
            metrics::counter!("calls_total").increment(1);
        });
        let ended = tokio::task::spawn_blocking(|| drop(figures));
        let ended = tokio::time::timeout(2 * SEND_TIMEOUT, ended).await;
        ended.expect("it waits for ever").unwrap();
    }
}
