//! Arrows between crates, and versions that must agree.

use std::path::Path;

use super::Scene;
use super::tree::{Finding, Tree};
use crate::workspace::Package;

/// What each of our crates may depend on among our own. A crate that is missing here is a finding:
/// a new crate takes its place in this table first. What only tests need may come from the chassis
/// as well.
const OURS: [(&str, &[&str]); 12] = [
    ("djinn-proto", &[]),
    ("djinn-temporal", &[]),
    ("djinn-chassis", &[]),
    ("djinn-ledger", &["djinn-chassis"]),
    ("djinn-migrate", &["djinn-chassis"]),
    ("djinn-imports", SERVICE),
    ("djinn-enrichment", SERVICE),
    ("djinn-sync", SERVICE),
    ("djinn-export", SERVICE),
    ("djinn-gateway", &["djinn-proto", "djinn-chassis"]),
    ("djinn-cli", &["djinn-proto"]),
    ("djinn-probe", &[]),
];

const SERVICE: &[&str] = &[
    "djinn-proto",
    "djinn-temporal",
    "djinn-ledger",
    "djinn-chassis",
];

/// Crates of others that some of ours must not use, by the beginning of their names.
const FORBIDDEN: [(&str, &[&str]); 2] = [
    ("djinn-gateway", &["sqlx", "temporalio", "aws-", "s3s"]),
    ("djinn-cli", &["sqlx", "temporalio", "aws-", "s3s"]),
];

/// All that a workflow's crate may use: nothing in there can do IO.
const OF_WORKFLOWS: [&str; 5] = [
    "temporalio-workflow",
    "temporalio-common-wasm",
    "temporalio-macros",
    "temporalio-protos",
    "serde",
];

/// Dependencies against the arrows.
pub(super) fn arrows(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in scene
        .packages
        .iter()
        .filter(|package| package.name != "xtask")
    {
        let mut finding = |dependency: &str, what: String| {
            findings.push(manifest(&scene.tree, package, dependency, what));
        };
        let Some((_, allowed)) = OURS.iter().find(|(name, _)| *name == package.name) else {
            finding(
                "name",
                format!("{} has no place in xtask/src/lint/crates.rs", package.name),
            );
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let in_tests = dependency.kind.as_deref() == Some("dev");
            let own_or_testing = name == package.name || (in_tests && name == "djinn-chassis");
            if name.starts_with("djinn-") && !allowed.contains(&name) && !own_or_testing {
                finding(name, format!("{} may not depend on {name}", package.name));
            }
            if in_tests {
                continue;
            }
            let forbidden = FORBIDDEN.iter().find(|(of, _)| *of == package.name);
            if forbidden.is_some_and(|(_, names)| names.iter().any(|it| name.starts_with(it))) {
                finding(name, format!("{} may not use {name}", package.name));
            }
            if package.name == "djinn-temporal" && !OF_WORKFLOWS.contains(&name) {
                finding(
                    name,
                    format!("workflows may not use {name}: it could do IO"),
                );
            }
        }
    }
    findings
}

/// A workspace cannot rename an inherited dependency, so `temporal` writes a version of its own.
pub(super) fn versions(scene: &Scene) -> Vec<Finding> {
    let requirement = |of: &str, name: &str| {
        let package = scene.packages.iter().find(|package| package.name == of)?;
        let dependency = package.dependencies.iter().find(|it| it.name == name)?;
        Some((package, dependency.req.clone()))
    };
    let ours = requirement("djinn-temporal", "temporalio-common-wasm");
    let theirs = requirement("djinn-chassis", "temporalio-common");
    match (ours, theirs) {
        (Some((package, ours)), Some((_, theirs))) if ours != theirs => {
            let what = format!("temporalio-common-wasm is {ours}, temporalio-common is {theirs}");
            vec![manifest(
                &scene.tree,
                package,
                "temporalio-common-wasm",
                what,
            )]
        }
        _ => Vec::new(),
    }
}

/// A finding at the line of a manifest that names the dependency.
fn manifest(tree: &Tree, package: &Package, dependency: &str, what: String) -> Finding {
    let path = package
        .manifest_path
        .strip_prefix(&tree.root)
        .unwrap_or(&package.manifest_path);
    let line = tree
        .files
        .iter()
        .find(|file| file.path == Path::new(path))
        .and_then(|file| file.lines().find(|(_, line)| line.contains(dependency)))
        .map_or(1, |(number, _)| number);
    Finding {
        path: path.to_owned(),
        line,
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn dependencies_against_the_arrows() {
        assert_eq!(
            found(arrows, "crates"),
            [
                "services/sync/Cargo.toml:6: djinn-sync may not depend on djinn-imports",
                "services/gateway/Cargo.toml:1: djinn-gateway may not use sqlx",
                "temporal/Cargo.toml:1: workflows may not use tokio: it could do IO",
                "planner/Cargo.toml:1: djinn-planner has no place in xtask/src/lint/crates.rs",
            ]
        );
    }

    #[test]
    fn versions_that_differ() {
        assert_eq!(
            found(versions, "versions"),
            ["temporal/Cargo.toml:1: temporalio-common-wasm is ^1.1.0, \
                 temporalio-common is ^1.1.1"]
        );
    }
}
