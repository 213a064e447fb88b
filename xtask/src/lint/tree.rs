//! The files of the repository, as rules see them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders that hold what we did not write, or what is wrong on purpose.
const SKIPPED: [&str; 4] = ["target", ".git", ".sqlx", "xtask/fixtures"];

/// A folder that is skipped wherever it is.
const INSTALLED: &str = "node_modules";

/// Something that a rule found.
pub(super) struct Finding {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) what: String,
}

/// The text files below a folder, in order.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    pub(super) files: Vec<SourceFile>,
}

/// A text file; its path counts from the root of the tree.
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Tree {
    /// Reads every file that is UTF-8.
    pub(super) fn load(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in walk(root, &|path| {
            let relative = path.strip_prefix(root).unwrap_or(path);
            let named = SKIPPED.iter().any(|skipped| relative == Path::new(skipped));
            named || relative.ends_with(INSTALLED)
        })? {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            files.push(SourceFile {
                path: path.strip_prefix(root)?.to_owned(),
                text,
            });
        }
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    /// The files with this ending.
    pub(super) fn with_ending(&self, ending: &str) -> impl Iterator<Item = &SourceFile> {
        self.files
            .iter()
            .filter(move |it| it.path.extension().is_some_and(|found| found == ending))
    }

    /// The file at this path.
    pub(super) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == Path::new(path))
    }
}

impl SourceFile {
    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            what: what.into(),
        }
    }

    /// Its lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Whether one of the folders above it has this name.
    pub(super) fn below(&self, folder: &str) -> bool {
        self.path
            .parent()
            .is_some_and(|path| path.iter().any(|part| part == folder))
    }

    /// Where a service's migrations, or the ledger's, lie.
    pub(super) fn migration(&self) -> bool {
        self.below("migrations") && self.path.extension().is_some_and(|ending| ending == "sql")
    }
}

/// The Rust files below a folder, in order.
pub(crate) fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = walk(folder, &|_| false)?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    Ok(files)
}

fn walk(root: &Path, skip: &dyn Fn(&Path) -> bool) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if skip(&path) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
