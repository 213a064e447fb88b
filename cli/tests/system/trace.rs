//! What can be seen of the mesh from outside: one trace for all that a command caused, and figures
//! that are written down, by either way. That none of it tells what a statement says is in
//! `privacy`.

use std::{collections::BTreeSet, time::Duration};

use djinn_chassis::testing::{self, Collected, Collector};

use crate::mesh::Mesh;

/// A statement of ours in a German bank's format.
const STATEMENT: &[u8] = include_bytes!("../../../examples/de-giro.csv");

/// The trace that the command is told it belongs to.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// How long spans may take to the collector; they wait for each other for two seconds, and figures
/// for fifteen.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_command_is_one_trace_through_all_services() {
    let collector = Collector::start().await;
    let mesh = Mesh::traced(&collector).await;
    let user = testing::user();
    let open = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    mesh.json(user, &open).await;
    let file = mesh.file("statement.csv", STATEMENT);
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let import = ["import", &file, "--account", "Giro", "--yes"];
    let traced = [&import[..], &["--trace-parent", &parent]].concat();
    let first = mesh.json(user, &traced).await;
    assert_eq!(first["state"], "IMPORT_STATE_COMMITTED");

    let parts = [
        ("djinn-gateway", "request"),
        (
            "djinn-imports",
            "djinn.imports.v1.ImportService/CreateImport",
        ),
        ("djinn-imports", "StartWorkflow:ImportStatement"),
        ("djinn-imports", "RunWorkflow:ImportStatement"),
        ("djinn-imports", "RunActivity:ImportActivities::stage"),
        ("djinn-imports", "RunActivity:ImportActivities::commit"),
        ("djinn-imports", "INSERT"),
        ("djinn-sync", "djinn.sync.v1.LedgerService/ListAccounts"),
        ("djinn-sync", "SELECT"),
    ];
    let missing = |spans: &BTreeSet<Collected>| {
        let ours = spans.iter().filter(|span| span.trace == TRACE);
        let seen: BTreeSet<_> = ours
            .map(|it| (it.service.clone(), it.name.clone()))
            .collect();
        let unseen = parts
            .iter()
            .filter(|(service, name)| !seen.contains(&((*service).to_owned(), (*name).to_owned())));
        (unseen.copied().collect::<Vec<_>>(), seen)
    };
    let whole = testing::eventually("every part of the trace", DEADLINE, async || {
        missing(&collector.spans()).0.is_empty().then_some(())
    });
    let whole = tokio::time::timeout(DEADLINE / 2, whole).await;
    whole.unwrap_or_else(|_| {
        let (unseen, seen) = missing(&collector.spans());
        panic!("not part of the trace: {unseen:?}; those are: {seen:#?}")
    });
}

/// Each family of figures, with its labels, is in the document, and a collector is sent the same.
#[tokio::test]
async fn every_figure_is_written_down_and_sent() {
    let document = include_str!("../../../docs/metrics.md");
    let collector = Collector::start().await;
    let mesh = Mesh::traced(&collector).await;
    let user = testing::user();
    let open = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    mesh.json(user, &open).await;
    let file = mesh.file("statement.csv", STATEMENT);
    let import = ["import", &file, "--account", "Giro", "--yes"];
    mesh.json(user, &import).await;
    let mut unknown = BTreeSet::new();
    for (service, text) in mesh.metrics().await {
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let families: Vec<_> = families.filter_map(|line| line.split(' ').next()).collect();
        assert!(!families.is_empty(), "{service} counts nothing");
        let unsent = |sent: &BTreeSet<String>| {
            let unsent = families.iter().filter(|family| !sent.contains(**family));
            unsent.copied().collect::<Vec<_>>()
        };
        testing::eventually("every family at the collector", DEADLINE, async || {
            unsent(&families_of(&collector, service))
                .is_empty()
                .then_some(())
        })
        .await;
        let unwritten = families
            .into_iter()
            .filter(|family| !document.contains(&format!("`{family}`")));
        unknown.extend(unwritten.map(str::to_owned));
        for label in labels(&text) {
            if !document.contains(&format!("`{label}`")) {
                unknown.insert(format!("the label {label}"));
            }
        }
    }
    assert!(unknown.is_empty(), "not in docs/metrics.md: {unknown:#?}");
}

/// The names of the figures that a service has sent.
fn families_of(collector: &Collector, service: &str) -> BTreeSet<String> {
    let service = format!("djinn-{service}");
    let figures = collector.figures().into_keys();
    let own = figures.filter(|(sender, _)| *sender == service);
    let names = own.map(|(_, figure)| figure.split('{').next().unwrap().to_owned());
    names.collect()
}

/// What dashboards and alerts ask for is there.
#[test]
fn what_an_operator_looks_at_is_counted() {
    let document = include_str!("../../../docs/metrics.md");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
    let read = |path: &str| std::fs::read_to_string(format!("{folder}/{path}")).unwrap();
    for path in [
        "dashboards/calls.json",
        "dashboards/work.json",
        "prometheus/alerts.yml",
    ] {
        let text = read(path);
        let words = text.split(|found: char| !found.is_ascii_alphanumeric() && found != '_');
        let ours = [
            "grpc_",
            "graphql_",
            "rate_",
            "cache_",
            "overloaded_",
            "temporal_",
        ];
        let asked: BTreeSet<_> = words
            .filter(|word| ours.iter().any(|start| word.starts_with(start)))
            // A namespace of Temporal's server, whose own metrics have other beginnings.
            .filter(|word| *word != "temporal_system")
            .collect();
        assert!(!asked.is_empty(), "{path} asks for nothing");
        let parts = ["_bucket", "_count", "_sum"];
        let unknown: Vec<_> = asked
            .into_iter()
            .filter(|name| {
                let family = parts.iter().find_map(|part| name.strip_suffix(part));
                !document.contains(&format!("`{}`", family.unwrap_or(name)))
            })
            .collect();
        assert!(unknown.is_empty(), "{path} asks for {unknown:?}");
    }
}

/// The names of all labels in a text of figures.
fn labels(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let braced = lines.filter_map(|line| line.split_once('{')?.1.split_once('}'));
    let pairs = braced.flat_map(|(inner, _)| inner.split("\","));
    pairs
        .filter_map(|pair| Some(pair.split_once('=')?.0))
        .collect()
}
