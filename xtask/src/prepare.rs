//! `cargo xtask prepare`: renews `.sqlx`.
//!
//! sqlx's macros, when they see a database, write what they learn about each statement into a
//! folder. So: a database with every migration, one `cargo check` in which the crates that hold
//! statements look changed, and what that wrote takes the place of what `.sqlx` held.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::stack::{self, Parts, Profile, Stack, postgres};
use crate::workspace::Workspace;
use crate::{command, lint};

/// What marks a source file with a statement that is checked at build time.
const MACROS: [&str; 5] = [
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_file!(",
    "query_file_as!(",
];

/// How to prepare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Check libraries and programs only, not tests and examples; keeps all old entries.
    #[arg(long)]
    lib: bool,
}

/// Renews `.sqlx`.
pub(crate) async fn run(workspace: &Workspace, arguments: Arguments) -> anyhow::Result<()> {
    stack::with(workspace, Profile::Test, Parts::Postgres, async |stack| {
        workspace.build_migrate().await?;
        let installation = postgres::Installation::find_or_install().await?;
        postgres::recreate(stack, &installation, postgres::PREPARE_DATABASE).await?;
        let outcome = prepare(stack, &arguments).await;
        let drop = format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            postgres::PREPARE_DATABASE
        );
        postgres::sql(stack, &installation, "postgres", &drop).await?;
        Ok((outcome?, false))
    })
    .await
}

async fn prepare(stack: &Stack<'_>, arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = stack.workspace;
    let sources = sources(workspace)?;
    if sources.is_empty() {
        println!("no source holds a checked statement");
        return Ok(());
    }
    let fresh = stack.folder.join("sqlx");
    fs::remove_dir_all(&fresh).ok();
    fs::create_dir_all(&fresh).context("cannot make a folder for SQL metadata")?;
    sources.iter().try_for_each(|file| touch(file))?;
    let mut cargo = workspace.cargo();
    // Of everything: some packages alone have other features, and half of the dependencies would
    // be checked again.
    cargo
        .args(["check", "--workspace"])
        .args(workspace.features());
    if !arguments.lib {
        cargo.arg("--all-targets");
    }
    cargo
        .env(
            "DATABASE_URL",
            postgres::url(stack, postgres::PREPARE_DATABASE),
        )
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &fresh);
    let status = command::status(&mut cargo).await?;
    let complete = status.success() && !arguments.lib;
    take(&fresh, &workspace.root.join(".sqlx"), complete)?;
    if !status.success() {
        bail!("cargo check failed: what it learnt before was added to .sqlx, nothing was removed");
    }
    Ok(())
}

/// The sources that hold checked statements.
fn sources(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let packages = workspace.packages.iter();
    for package in packages.filter(|package| package.name != "xtask") {
        for file in lint::rust_files(package.folder())? {
            let text = fs::read_to_string(&file)?;
            if MACROS.iter().any(|name| text.contains(name)) {
                found.push(file);
            }
        }
    }
    Ok(found)
}

/// The macros run only when their crate is compiled, so it must look changed to cargo.
fn touch(file: &Path) -> anyhow::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time of a file, not of the domain"
    )]
    let now = SystemTime::now();
    let file = File::options().append(true).open(file)?;
    file.set_modified(now).context("cannot touch a source file")
}

/// Copies entries that are new or differ; removes those that no statement has any more.
fn take(fresh: &Path, kept: &Path, complete: bool) -> anyhow::Result<()> {
    fs::create_dir_all(kept).context("cannot make .sqlx")?;
    let (new, old) = (entries(fresh)?, entries(kept)?);
    let mut renewed = 0;
    for (name, text) in &new {
        if old.get(name) != Some(text) {
            fs::write(kept.join(name), text).context("cannot write into .sqlx")?;
            renewed += 1;
        }
    }
    let mut removed = 0;
    for name in old
        .keys()
        .filter(|name| complete && !new.contains_key(*name))
    {
        fs::remove_file(kept.join(name)).context("cannot remove from .sqlx")?;
        removed += 1;
    }
    println!(
        ".sqlx: {} statements, {renewed} renewed, {removed} removed",
        new.len()
    );
    Ok(())
}

fn entries(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(folder).context("cannot list SQL metadata")? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("query-") {
            entries.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_renewed_and_stale_ones_removed_only_after_a_complete_run() {
        let folder = tempfile::tempdir().unwrap();
        let (fresh, kept) = (folder.path().join("fresh"), folder.path().join("kept"));
        fs::create_dir_all(&fresh).unwrap();
        fs::create_dir_all(&kept).unwrap();
        fs::write(fresh.join("query-a.json"), "new").unwrap();
        fs::write(kept.join("query-a.json"), "old").unwrap();
        fs::write(kept.join("query-b.json"), "stale").unwrap();
        take(&fresh, &kept, false).unwrap();
        assert_eq!(entries(&kept).unwrap().len(), 2);
        take(&fresh, &kept, true).unwrap();
        assert_eq!(entries(&kept).unwrap()["query-a.json"], "new");
        assert_eq!(entries(&kept).unwrap().len(), 1);
    }
}
