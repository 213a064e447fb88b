//! Migrations that have shipped never change: their hashes are noted in a list.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Scene;
use super::tree::{Finding, Tree};

/// The list: a hash and a path on each line, as `sha256sum` writes them.
const LIST: &str = "xtask/migrations.sha256";

/// Differences between the list and the migrations.
pub(super) fn check(scene: &Scene) -> Vec<Finding> {
    let text = scene.tree.file(LIST).map_or("", |file| file.text.as_str());
    let noted = noted(text);
    let found = hashes(&scene.tree);
    let finding = |path: &str, what: &str| Finding {
        path: PathBuf::from(path),
        line: 1,
        what: what.to_owned(),
    };
    let mut findings = Vec::new();
    for (path, hash) in &found {
        match noted.get(path) {
            Some(noted) if noted == hash => {}
            Some(_) => findings.push(finding(path, "changed after it shipped")),
            None => findings.push(finding(path, "is not noted in the list")),
        }
    }
    for path in noted.keys().filter(|path| !found.contains_key(*path)) {
        findings.push(finding(path, "shipped and is gone"));
    }
    findings
}

/// Adds the migrations that are not yet in the list.
pub(super) fn note(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::load(root)?;
    let mut noted = noted(tree.file(LIST).map_or("", |file| file.text.as_str()));
    for (path, hash) in hashes(&tree) {
        if noted.get(&path).is_some_and(|noted| *noted != hash) {
            bail!("{path} changed after it shipped: undo that and write a new migration");
        }
        if noted.insert(path.clone(), hash).is_none() {
            println!("noted {path}");
        }
    }
    let mut text = String::new();
    for (path, hash) in noted {
        writeln!(text, "{hash}  {path}").context("cannot write to memory")?;
    }
    fs::write(root.join(LIST), text).context("cannot write the list of migrations")
}

fn noted(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once("  "));
    pairs
        .map(|(hash, path)| (path.to_owned(), hash.to_owned()))
        .collect()
}

fn hashes(tree: &Tree) -> BTreeMap<String, String> {
    let migrations = tree.files.iter().filter(|file| file.migration());
    migrations
        .map(|file| {
            let digest = ring::digest::digest(&ring::digest::SHA256, file.text.as_bytes());
            (
                file.path.display().to_string(),
                hex::encode(digest.as_ref()),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn migrations_that_changed_came_or_went() {
        assert_eq!(
            found(check, "append-only"),
            [
                "ledger/migrations/0002_changed.sql:1: changed after it shipped",
                "ledger/migrations/0003_new.sql:1: is not noted in the list",
                "ledger/migrations/0004_gone.sql:1: shipped and is gone",
            ]
        );
    }

    #[test]
    fn new_migrations_are_noted_once_and_then_hold() {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("ledger/migrations");
        fs::create_dir_all(&migrations).unwrap();
        fs::create_dir_all(folder.path().join("xtask")).unwrap();
        fs::write(migrations.join("0001_a.sql"), "SELECT 1;").unwrap();
        note(folder.path()).unwrap();
        note(folder.path()).unwrap();
        fs::write(migrations.join("0001_a.sql"), "SELECT 2;").unwrap();
        note(folder.path()).unwrap_err();
    }
}
