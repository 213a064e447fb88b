//! The contract, the examples and the clients once more below `target/clients`, at the same places
//! relative to each other: packages are installed and code is generated there, never between
//! sources.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::workspace::Workspace;

/// What is copied.
const FOLDERS: [&str; 3] = ["proto", "examples", "tests/clients"];

/// What a developer's own try leaves between sources.
const NOT_COPIED: [&str; 4] = ["node_modules", "dist", "gen", "__pycache__"];

/// What is kept from run to run: it is dear, and has a mark that says what it was made from.
const KEPT: &str = "node_modules";

/// The copy.
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Makes the copy what the sources are now.
    pub(super) fn lay(workspace: &Workspace) -> anyhow::Result<Self> {
        let root = workspace.target.join("clients");
        for folder in FOLDERS {
            let (from, to) = (workspace.root.join(folder), root.join(folder));
            copy(&from, &to).with_context(|| format!("cannot copy {folder}"))?;
        }
        Ok(Self { root })
    }

    /// A file or folder of the copy, by its path in the repository.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// An empty folder for generated code.
    pub(super) fn generated(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.root.join("gen").join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if NOT_COPIED.iter().any(|it| name == *it) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
        names.insert(name);
    }
    remove_others(to, &names)
}

/// Removes what has gone from the sources, and what an earlier run built.
fn remove_others(folder: &Path, names: &BTreeSet<OsString>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == KEPT || names.contains(&name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_its_source_and_keeps_what_was_installed() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for path in [
            "from/src",
            "from/node_modules",
            "to/node_modules",
            "to/dist",
        ] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        fs::write(from.join("src/a.ts"), "a").unwrap();
        fs::write(from.join("node_modules/mine"), "a developer's").unwrap();
        fs::write(to.join("node_modules/ours"), "installed").unwrap();
        fs::write(to.join("dist/old.js"), "built").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("src/a.ts")).unwrap(), "a");
        assert!(to.join("node_modules/ours").is_file());
        assert!(!to.join("node_modules/mine").exists());
        assert!(!to.join("dist").exists());
        fs::remove_file(from.join("src/a.ts")).unwrap();
        copy(&from, &to).unwrap();
        assert!(!to.join("src/a.ts").exists());
    }
}
