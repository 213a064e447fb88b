//! What an operator's containers keep to: `docker-compose.yml` and the `Dockerfile`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Scene;
use super::tree::{Finding, SourceFile};

const COMPOSE: &str = "docker-compose.yml";
const DOCKERFILE: &str = "Dockerfile";

/// All that is always up, in MiB: what a host of 4 GB has for it.
const MEMORY_MAX_MIB: u64 = 3700;

/// Services that are to come, with the memory that DESIGN section 9 keeps for each in MiB.
const TO_COME: [(&str, u64); 2] = [("enrichment", 64), ("export", 64)];

/// The profile of the object store that is started unless somebody chose another.
const DEFAULT_PROFILE: &str = "garage";

/// The one part that others than this host may reach.
const EDGE: &str = "nginx";

/// The database, and what it must be told lest its log repeats what people have paid.
const DATABASE: &str = "postgres";
const SILENT: [&str; 2] = [
    "-clog_parameter_max_length=0",
    "-clog_error_verbosity=terse",
];

/// How the names of our own images begin.
const OUR_IMAGES: &str = "djinn/";

#[derive(Deserialize)]
struct Compose {
    version: Option<Value>,
    services: BTreeMap<String, Service>,
}

/// What the rules look at; what is absent in the file is empty here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Service {
    image: String,
    mem_limit: String,
    restart: String,
    user: String,
    command: Value,
    read_only: bool,
    privileged: bool,
    network_mode: Option<Value>,
    pid: Option<Value>,
    profiles: Vec<String>,
    cap_drop: Vec<String>,
    security_opt: Vec<String>,
    ports: Vec<Value>,
    logging: Logging,
    healthcheck: Option<Healthcheck>,
    depends_on: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Logging {
    driver: String,
    options: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Healthcheck {
    test: Value,
}

impl Service {
    fn one_shot(&self) -> bool {
        self.restart == "no"
    }

    /// Whether it is up on a host where nobody chose anything.
    fn by_default(&self) -> bool {
        let chosen = |profile: &String| profile == DEFAULT_PROFILE;
        !self.one_shot() && (self.profiles.is_empty() || self.profiles.iter().any(chosen))
    }

    fn memory_mib(&self) -> Option<u64> {
        mebibytes(&defaults(&self.mem_limit))
    }
}

/// Everything that is wrong with the containers.
pub(super) fn check(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    match scene.tree.file(COMPOSE) {
        Some(file) => match serde_saphyr::from_str::<Compose>(&file.text) {
            Ok(compose) => findings.extend(in_compose(file, &compose)),
            Err(error) => findings.push(file.finding(1, format!("cannot be read: {error}"))),
        },
        None => findings.push(missing(COMPOSE)),
    }
    match scene.tree.file(DOCKERFILE) {
        Some(file) => findings.extend(manifests(scene, file)),
        None => findings.push(missing(DOCKERFILE)),
    }
    findings
}

fn missing(path: &str) -> Finding {
    Finding {
        path: path.into(),
        line: 1,
        what: "is missing".to_owned(),
    }
}

fn in_compose(file: &SourceFile, compose: &Compose) -> Vec<Finding> {
    let mut findings = Vec::new();
    if compose.version.is_some() {
        findings.push(file.finding(1, "has a version, of which the plugin warns"));
    }
    let sum_mib = default_sum_mib(&compose.services);
    if sum_mib > MEMORY_MAX_MIB {
        let what = format!("the limits of what is always up are {sum_mib} MiB together");
        findings.push(file.finding(1, what));
    }
    findings.extend(secrets(file));
    for (name, service) in &compose.services {
        let head = format!("  {name}:");
        let line = file.lines().find(|(_, text)| text.trim_end() == head);
        let line = line.map_or(1, |(number, _)| number);
        let mut wrong = limits(service);
        wrong.extend(rights(service));
        wrong.extend(published(name, service));
        wrong.extend(order(name, &compose.services));
        wrong.extend(told(name, service));
        findings.extend(
            wrong
                .into_iter()
                .map(|what| file.finding(line, format!("{name}: {what}"))),
        );
    }
    findings
}

/// In MiB, with what is kept for services to come.
fn default_sum_mib(services: &BTreeMap<String, Service>) -> u64 {
    let there = services.values().filter(|it| it.by_default());
    let there: u64 = there.filter_map(Service::memory_mib).sum();
    let absent = TO_COME
        .iter()
        .filter(|(name, _)| !services.contains_key(*name));
    there + absent.map(|(_, mib)| mib).sum::<u64>()
}

/// Memory, logs, restarts and health.
fn limits(service: &Service) -> Vec<String> {
    let mut wrong = Vec::new();
    if service.memory_mib().is_none() {
        wrong.push("has no mem_limit such as 64m".to_owned());
    }
    let capped = |name| service.logging.options.contains_key(name);
    if service.logging.driver != "json-file" || !capped("max-size") || !capped("max-file") {
        wrong.push("its logs have no limit (json-file, max-size, max-file)".to_owned());
    }
    if !service.one_shot() {
        if service.restart != "unless-stopped" {
            wrong.push("is neither restarted unless-stopped nor a one-shot".to_owned());
        }
        let asked = service
            .healthcheck
            .as_ref()
            .is_some_and(|it| !it.test.is_null());
        if !asked {
            wrong.push("has no healthcheck".to_owned());
        }
    }
    wrong
}

/// What it may do to the host and to itself.
fn rights(service: &Service) -> Vec<String> {
    let mut wrong = Vec::new();
    if !service.cap_drop.iter().any(|it| it == "ALL") {
        wrong.push("keeps capabilities (cap_drop: [ALL])".to_owned());
    }
    if !service
        .security_opt
        .iter()
        .any(|it| it == "no-new-privileges:true")
    {
        wrong.push("may gain privileges (no-new-privileges:true)".to_owned());
    }
    if service.privileged || service.network_mode.is_some() || service.pid.is_some() {
        wrong.push("shares more with the host than it needs".to_owned());
    }
    if service.image.starts_with(OUR_IMAGES) {
        if !service.read_only {
            wrong.push("can write to its own image (read_only: true)".to_owned());
        }
        let user = service.user.split(':').next().unwrap_or_default();
        if user.parse::<u32>().unwrap_or_default() == 0 {
            wrong.push("has no user that is a number above 0".to_owned());
        }
    }
    wrong
}

/// Ports that are open to others than this host.
fn published(name: &str, service: &Service) -> Vec<String> {
    if name == EDGE {
        return Vec::new();
    }
    let open = service.ports.iter().filter(|port| match port {
        Value::String(text) => !defaults(text).starts_with("127.0.0.1:"),
        other => other.get("host_ip").and_then(Value::as_str) != Some("127.0.0.1"),
    });
    open.map(|port| format!("publishes {port} beyond 127.0.0.1"))
        .collect()
}

/// What of a failed or slow statement stands in the database's log.
fn told(name: &str, service: &Service) -> Vec<String> {
    if name != DATABASE {
        return Vec::new();
    }
    let arguments = service.command.as_array();
    let given = |setting: &str| {
        let mut arguments = arguments.into_iter().flatten();
        arguments.any(|argument| argument.as_str() == Some(setting))
    };
    let lacking = SILENT.into_iter().filter(|setting| !given(setting));
    lacking
        .map(|setting| format!("logs what its statements are about (command: [{setting}])"))
        .collect()
}

/// What it waits for, and whether anybody waits for it.
fn order(name: &str, services: &BTreeMap<String, Service>) -> Vec<String> {
    let condition = |of: &Service, on: &str| {
        let condition = of.depends_on.get(on)?.get("condition")?;
        condition.as_str().map(ToOwned::to_owned)
    };
    let Some(service) = services.get(name) else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for on in dependencies(service) {
        let expected = match services.get(&on) {
            Some(it) if it.one_shot() => "service_completed_successfully",
            Some(_) => "service_healthy",
            None => {
                wrong.push(format!("waits for {on}, which is not there"));
                continue;
            }
        };
        if condition(service, &on).as_deref() != Some(expected) {
            wrong.push(format!("does not wait for {on} with {expected}"));
        }
    }
    let waited_for = services
        .values()
        .any(|it| dependencies(it).iter().any(|on| on == name));
    if service.one_shot() && !waited_for {
        wrong.push("is a one-shot that nobody waits for".to_owned());
    }
    wrong
}

fn dependencies(service: &Service) -> Vec<String> {
    match &service.depends_on {
        Value::Object(conditions) => conditions.keys().cloned().collect(),
        Value::Array(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// Passwords and keys that somebody could leave as they are: `${POSTGRES_PASSWORD:-postgres}`.
fn secrets(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        for variable in line.split("${").skip(1) {
            let name = variable
                .split([':', '-', '?', '}'])
                .next()
                .unwrap_or_default();
            let secret = ["PASSWORD", "SECRET", "ACCESS_KEY"]
                .iter()
                .any(|it| name.contains(it));
            let needed = variable
                .strip_prefix(name)
                .is_some_and(|it| it.starts_with(":?"));
            // A folder of secrets is none.
            if secret && !needed && name != "DJINN_SECRETS" {
                findings.push(file.finding(number, format!("{name} may be left out")));
            }
        }
    }
    findings
}

/// Members whose manifest is not in the layer of dependencies: they would not build.
fn manifests(scene: &Scene, file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members(scene) {
        let copied = format!("COPY {member}/Cargo.toml {member}/");
        if !file.lines().any(|(_, line)| line == copied) {
            findings.push(file.finding(1, format!("lacks `{copied}`")));
        }
    }
    findings
}

/// The members of the workspace, as its manifest lists them.
fn members(scene: &Scene) -> Vec<&str> {
    let Some(manifest) = scene.tree.file("Cargo.toml") else {
        return Vec::new();
    };
    let list = manifest.text.split_once("members = [");
    let list = list.and_then(|(_, rest)| rest.split_once(']'));
    let names = list.map_or("", |(list, _)| list).split('"');
    // Every second piece stands between quotes.
    names.skip(1).step_by(2).collect()
}

/// The text with each variable replaced by its default: `${NAME:-default}`.
fn defaults(text: &str) -> String {
    let mut parts = text.split("${");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap_or((part, ""));
        let default = variable.split_once(":-").map_or("", |(_, default)| default);
        plain.push_str(default);
        plain.push_str(rest);
    }
    plain
}

/// A size as compose writes it: `64m` or `1g`.
fn mebibytes(text: &str) -> Option<u64> {
    let (number, factor) = match text.strip_suffix('m') {
        Some(number) => (number, 1),
        None => (text.strip_suffix('g')?, 1024),
    };
    Some(number.parse::<u64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::found;
    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn what_containers_must_not_do() {
        let expected = [
            "docker-compose.yml:1: has a version, of which the plugin warns",
            "docker-compose.yml:1: the limits of what is always up are 3708 MiB together",
            "docker-compose.yml:21: POSTGRES_PASSWORD may be left out",
            "docker-compose.yml:36: DJINN_S3_SECRET_ACCESS_KEY may be left out",
            "docker-compose.yml:24: gateway: can write to its own image (read_only: true)",
            "docker-compose.yml:24: gateway: has no user that is a number above 0",
            "docker-compose.yml:24: gateway: does not wait for postgres with service_healthy",
            "docker-compose.yml:24: gateway: does not wait for migrate with \
             service_completed_successfully",
            "docker-compose.yml:30: greeter: has no mem_limit such as 64m",
            "docker-compose.yml:30: greeter: its logs have no limit \
             (json-file, max-size, max-file)",
            "docker-compose.yml:30: greeter: is neither restarted unless-stopped nor a one-shot",
            "docker-compose.yml:30: greeter: has no healthcheck",
            "docker-compose.yml:30: greeter: keeps capabilities (cap_drop: [ALL])",
            "docker-compose.yml:30: greeter: may gain privileges (no-new-privileges:true)",
            "docker-compose.yml:30: greeter: shares more with the host than it needs",
            "docker-compose.yml:30: greeter: waits for nobody, which is not there",
            "docker-compose.yml:44: orphan: is a one-shot that nobody waits for",
            "docker-compose.yml:14: postgres: publishes \"5432:5432\" beyond 127.0.0.1",
            "docker-compose.yml:14: postgres: publishes {\"published\":5433,\"target\":5432} \
             beyond 127.0.0.1",
            "docker-compose.yml:14: postgres: logs what its statements are about \
             (command: [-clog_error_verbosity=terse])",
            "Dockerfile:1: lacks `COPY ledger/Cargo.toml ledger/`",
        ];
        assert_eq!(found(check, "containers"), expected);
    }

    /// What this checkout's own file gives; the rule itself only knows a limit.
    #[test]
    fn a_host_of_4_gb_bears_what_is_always_up() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = std::fs::read_to_string(root.join(COMPOSE)).unwrap();
        let compose: Compose = serde_saphyr::from_str(&text).unwrap();
        let always: Vec<_> = compose
            .services
            .iter()
            .filter(|(_, it)| it.by_default())
            .collect();
        let names: Vec<&str> = always.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "clamav", "garage", "gateway", "imports", "nginx", "postgres", "redis", "sync",
                "temporal"
            ]
        );
        assert_eq!(default_sum_mib(&compose.services), 3472);
        let ui_mib = compose.services["temporal-ui"].memory_mib().unwrap();
        assert!(
            3472 + ui_mib <= MEMORY_MAX_MIB,
            "the profile ops fits beside it"
        );
    }

    #[test]
    fn defaults_stand_for_variables() {
        assert_eq!(defaults("${A:-80}:8080"), "80:8080");
        assert_eq!(defaults("${A:?say it}/x"), "/x");
        assert_eq!(mebibytes(&defaults("${M:-1536m}")), Some(1536));
        assert_eq!(mebibytes("1g"), Some(1024));
        assert_eq!(mebibytes("lots"), None);
        assert!(Tree::load(Path::new("nowhere")).is_err());
    }
}
