//! The Temporal SDK's own figures among ours: polls, slots, latencies and failures of workers. They
//! stand beside the service's in `/metrics`, as `temporal_*`, with times in seconds.
//!
//! It passes figures on and counts nothing itself. Names and labels are the SDK's, and
//! `docs/metrics.md` lists them.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use metrics::{Key, Label, Level, Metadata};
use temporalio_common::telemetry::metrics::{
    CoreMeter, Counter, CounterBase, Gauge, GaugeBase, GaugeF64, GaugeF64Base, Histogram,
    HistogramBase, HistogramDuration, HistogramDurationBase, HistogramF64, HistogramF64Base,
    MetricAttributable, MetricAttributes, MetricParameters, NewAttributes, UpDownCounter,
    UpDownCounterBase,
};

/// What the SDK is given to count with.
#[derive(Debug)]
pub(super) struct Meter;

impl CoreMeter for Meter {
    fn new_attributes(&self, attributes: NewAttributes) -> MetricAttributes {
        // The kind is named after what the SDK does with it; it holds any labels.
        MetricAttributes::NoOp(Arc::new(attributes.into()))
    }

    fn extend_attributes(
        &self,
        existing: MetricAttributes,
        attributes: NewAttributes,
    ) -> MetricAttributes {
        let mut labels = labels_of(&existing);
        labels.extend(HashMap::from(attributes));
        MetricAttributes::NoOp(Arc::new(labels))
    }

    fn counter(&self, parameters: MetricParameters) -> Counter {
        let instrument = Instrument::new(&parameters, "_total");
        metrics::describe_counter!(instrument.name.clone(), instrument.description.clone());
        Counter::new(Arc::new(instrument))
    }

    fn histogram(&self, parameters: MetricParameters) -> Histogram {
        Histogram::new(Arc::new(Instrument::histogram(&parameters, "")))
    }

    fn histogram_f64(&self, parameters: MetricParameters) -> HistogramF64 {
        HistogramF64::new(Arc::new(Instrument::histogram(&parameters, "")))
    }

    fn histogram_duration(&self, parameters: MetricParameters) -> HistogramDuration {
        HistogramDuration::new(Arc::new(Instrument::histogram(&parameters, "_seconds")))
    }

    fn gauge(&self, parameters: MetricParameters) -> Gauge {
        Gauge::new(Arc::new(Instrument::gauge(&parameters)))
    }

    fn gauge_f64(&self, parameters: MetricParameters) -> GaugeF64 {
        GaugeF64::new(Arc::new(Instrument::gauge(&parameters)))
    }

    fn up_down_counter(&self, parameters: MetricParameters) -> UpDownCounter {
        UpDownCounter::new(Arc::new(Instrument::gauge(&parameters)))
    }
}

/// A name to count under, before its labels are known.
struct Instrument {
    name: String,
    description: String,
}

impl Instrument {
    fn new(parameters: &MetricParameters, suffix: &str) -> Self {
        Self {
            name: format!("{}{suffix}", parameters.name),
            description: parameters.description.to_string(),
        }
    }

    fn histogram(parameters: &MetricParameters, suffix: &str) -> Self {
        let instrument = Self::new(parameters, suffix);
        metrics::describe_histogram!(instrument.name.clone(), instrument.description.clone());
        instrument
    }

    fn gauge(parameters: &MetricParameters) -> Self {
        let instrument = Self::new(parameters, "");
        metrics::describe_gauge!(instrument.name.clone(), instrument.description.clone());
        instrument
    }

    fn key(&self, attributes: &MetricAttributes) -> Key {
        let labels = labels_of(attributes);
        let labels = labels
            .into_iter()
            .map(|(key, value)| Label::new(key, value));
        Key::from_parts(self.name.clone(), labels.collect::<Vec<_>>())
    }
}

fn labels_of(attributes: &MetricAttributes) -> HashMap<String, String> {
    match attributes {
        MetricAttributes::NoOp(labels) => HashMap::clone(labels),
        // No others are made here.
        _ => HashMap::new(),
    }
}

/// Whose figures these are, for recorders that ask.
const METADATA: Metadata<'static> = Metadata::new("temporalio_sdk", Level::INFO, None);

/// An instrument with its labels.
struct Bound<Handle>(Handle);

impl MetricAttributable<Box<dyn CounterBase>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn CounterBase>, Box<dyn Error>> {
        let key = self.key(attributes);
        let handle = metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA));
        Ok(Box::new(Bound(handle)))
    }
}

impl CounterBase for Bound<metrics::Counter> {
    fn adds(&self, value: u64) {
        self.0.increment(value);
    }
}

impl Instrument {
    fn bound_histogram(&self, attributes: &MetricAttributes) -> Bound<metrics::Histogram> {
        let key = self.key(attributes);
        Bound(metrics::with_recorder(|recorder| {
            recorder.register_histogram(&key, &METADATA)
        }))
    }

    fn bound_gauge(&self, attributes: &MetricAttributes) -> Bound<metrics::Gauge> {
        let key = self.key(attributes);
        Bound(metrics::with_recorder(|recorder| {
            recorder.register_gauge(&key, &METADATA)
        }))
    }
}

impl MetricAttributable<Box<dyn HistogramBase>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn HistogramBase>, Box<dyn Error>> {
        Ok(Box::new(self.bound_histogram(attributes)))
    }
}

impl HistogramBase for Bound<metrics::Histogram> {
    fn records(&self, value: u64) {
        self.0.record(float(value));
    }
}

impl MetricAttributable<Box<dyn HistogramF64Base>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn HistogramF64Base>, Box<dyn Error>> {
        Ok(Box::new(self.bound_histogram(attributes)))
    }
}

impl HistogramF64Base for Bound<metrics::Histogram> {
    fn records(&self, value: f64) {
        self.0.record(value);
    }
}

impl MetricAttributable<Box<dyn HistogramDurationBase>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn HistogramDurationBase>, Box<dyn Error>> {
        Ok(Box::new(self.bound_histogram(attributes)))
    }
}

impl HistogramDurationBase for Bound<metrics::Histogram> {
    fn records(&self, value: Duration) {
        self.0.record(value);
    }
}

impl MetricAttributable<Box<dyn GaugeBase>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn GaugeBase>, Box<dyn Error>> {
        Ok(Box::new(self.bound_gauge(attributes)))
    }
}

impl GaugeBase for Bound<metrics::Gauge> {
    fn records(&self, value: u64) {
        self.0.set(float(value));
    }
}

impl MetricAttributable<Box<dyn GaugeF64Base>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn GaugeF64Base>, Box<dyn Error>> {
        Ok(Box::new(self.bound_gauge(attributes)))
    }
}

impl GaugeF64Base for Bound<metrics::Gauge> {
    fn records(&self, value: f64) {
        self.0.set(value);
    }
}

impl MetricAttributable<Box<dyn UpDownCounterBase>> for Instrument {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn UpDownCounterBase>, Box<dyn Error>> {
        Ok(Box::new(self.bound_gauge(attributes)))
    }
}

impl UpDownCounterBase for Bound<metrics::Gauge> {
    fn adds(&self, value: i64) {
        let step = float(value.unsigned_abs());
        if value < 0 {
            self.0.decrement(step);
        } else {
            self.0.increment(step);
        }
    }
}

/// Exact up to 2^53, which no count of polls or slots reaches.
fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use temporalio_common::telemetry::metrics::MetricKeyValue;

    use super::*;

    fn named(name: &'static str) -> MetricParameters {
        MetricParameters::builder().name(name).build()
    }

    #[test]
    fn what_the_sdk_counts_stands_in_our_text() {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[1.0, 10.0])
            .unwrap()
            .build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let queue = Meter.new_attributes([MetricKeyValue::new("task_queue", "imports")].into());
            let kind = [MetricKeyValue::new("workflow_type", "ImportStatement")].into();
            let both = Meter.extend_attributes(queue.clone(), kind);
            Meter.counter(named("temporal_done")).add(3, &both);
            Meter.gauge(named("temporal_slots")).record(4, &queue);
            let steps = Meter.up_down_counter(named("temporal_running"));
            steps.add(2, &queue);
            steps.add(-1, &queue);
            let latency = Meter.histogram_duration(named("temporal_latency"));
            latency.record(Duration::from_millis(1_500), &queue);
        });
        let text = handle.render();
        for line in [
            r#"temporal_slots{task_queue="imports"} 4"#,
            r#"temporal_running{task_queue="imports"} 1"#,
            r#"temporal_latency_seconds_bucket{task_queue="imports",le="1"} 0"#,
            r#"temporal_latency_seconds_bucket{task_queue="imports",le="10"} 1"#,
            r#"temporal_latency_seconds_sum{task_queue="imports"} 1.5"#,
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let done = text
            .lines()
            .find(|line| line.starts_with("temporal_done_total{"));
        let done = done.unwrap();
        assert!(done.contains(r#"task_queue="imports""#), "{done}");
        assert!(
            done.contains(r#"workflow_type="ImportStatement""#),
            "{done}"
        );
        assert!(done.ends_with(" 3"), "{done}");
    }
}
