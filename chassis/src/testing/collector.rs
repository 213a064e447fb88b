//! A collector of spans and figures that stands in for a real one: it takes what comes by OTLP and
//! shows it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::{NumberDataPoint, metric::Data, number_data_point},
    resource::v1::Resource,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// A span that came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collected {
    /// Whose it is: `service.name`.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The trace, in hexadecimal digits.
    pub trace: String,
    /// All that it says of itself, names and values.
    pub text: String,
}

/// What a figure is of: the service, and the name with its labels as Prometheus writes them, those
/// in the order of their names.
pub type FigureKey = (String, String);

/// Takes spans and figures as long as it lives.
#[derive(Clone, Debug)]
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<BTreeSet<Collected>>>,
    figures: Arc<Mutex<BTreeMap<FigureKey, Figure>>>,
}

/// A figure as it came last.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Counted up since the process began.
    Count(f64),
    /// As it is now.
    Level(f64),
    /// How often, how much in all, and how often within each bound and beyond the last.
    Spread(u64, f64, Vec<u64>),
}

impl Collector {
    /// Listens on a port of its own.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let collector = Self {
            address: listener.local_addr().expect("an address"),
            spans: Arc::default(),
            figures: Arc::default(),
        };
        let serving = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        collector
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that came so far.
    #[must_use]
    pub fn spans(&self) -> BTreeSet<Collected> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.clone()
    }

    /// The figures that came so far.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<FigureKey, Figure> {
        let figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.clone()
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in request.into_inner().resource_spans {
            let service = service_of(resource.resource);
            for span in resource.scope_spans.into_iter().flat_map(|it| it.spans) {
                spans.insert(Collected {
                    service: service.clone(),
                    name: span.name.clone(),
                    trace: hex(&span.trace_id),
                    text: format!("{span:?}"),
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in request.into_inner().resource_metrics {
            let service = service_of(resource.resource);
            let scopes = resource.scope_metrics.into_iter();
            for metric in scopes.flat_map(|scope| scope.metrics) {
                let points = points(metric.data);
                figures.extend(points.into_iter().map(|(labels, figure)| {
                    let key = format!("{}{}", metric.name, written(labels));
                    ((service.clone(), key), figure)
                }));
            }
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn points(data: Option<Data>) -> Vec<(Vec<KeyValue>, Figure)> {
    match data {
        Some(Data::Sum(sum)) => numbers(sum.data_points, Figure::Count),
        Some(Data::Gauge(gauge)) => numbers(gauge.data_points, Figure::Level),
        Some(Data::Histogram(histogram)) => {
            let points = histogram.data_points.into_iter();
            points
                .map(|it| {
                    let sum = it.sum.unwrap_or(f64::NAN);
                    let spread = Figure::Spread(it.count, sum, it.bucket_counts);
                    (it.attributes, spread)
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn numbers(
    points: Vec<NumberDataPoint>,
    figure: fn(f64) -> Figure,
) -> Vec<(Vec<KeyValue>, Figure)> {
    let number = |value| match value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        // Small enough in a test to be exact.
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => f64::NAN,
    };
    let points = points.into_iter();
    points
        .map(|it| (it.attributes, figure(number(it.value))))
        .collect()
}

/// Labels as Prometheus writes them.
fn written(labels: Vec<KeyValue>) -> String {
    let mut labels: Vec<String> = labels
        .into_iter()
        .map(|label| {
            format!(
                "{}=\"{}\"",
                label.key,
                text(label.value).unwrap_or_default()
            )
        })
        .collect();
    labels.sort();
    match labels.as_slice() {
        [] => String::new(),
        labels => format!("{{{}}}", labels.join(",")),
    }
}

fn service_of(resource: Option<Resource>) -> String {
    let attributes = resource.map(|it| it.attributes).unwrap_or_default();
    let named = attributes.into_iter().find(|it| it.key == "service.name");
    named.and_then(|it| text(it.value)).unwrap_or_default()
}

fn text(value: Option<AnyValue>) -> Option<String> {
    match value?.value? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
