//! Where things are, as cargo sees them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use tokio::process::Command;

use crate::command;

/// Features of every build of the whole workspace: demo, tests and lint share them, so that
/// nothing compiles twice. Failpoints are inert until a test arms them.
const FEATURES: &[(&str, &str)] = &[("djinn-imports", "failpoints")];

/// Variables that cargo sets for a program it runs. Passed on to another cargo they make build
/// scripts that look at them run again, and half the workspace with them.
const OF_CARGO: &[&str] = &[
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
];

/// This checkout.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder: `target`, or wherever CARGO_TARGET_DIR points.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
    build: Build,
}

/// How programs are built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Build {
    /// For the demo and the tests.
    Everyday,
    /// As on a server, for measurements.
    Release,
}

/// A member of the workspace, as `cargo metadata` tells it.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: serde_json::Map<String, serde_json::Value>,
}

/// What a member depends on.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for an ordinary dependency, else "dev" or "build".
    pub(crate) kind: Option<String>,
    /// The version requirement.
    pub(crate) req: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) async fn load() -> anyhow::Result<Self> {
        let mut cargo = cargo();
        cargo.args(["metadata", "--format-version=1", "--no-deps"]);
        if let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR") {
            cargo.current_dir(folder);
        }
        let output = command::capture(&mut cargo).await?;
        let metadata: Metadata =
            serde_json::from_str(&output).context("cannot read the answer of `cargo metadata`")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            packages: metadata.packages,
            build: Build::Everyday,
        })
    }

    /// The same checkout with programs as they run on a server: optimised, without failpoints.
    pub(crate) fn optimised(self) -> Self {
        Self {
            build: Build::Release,
            ..self
        }
    }

    /// Where `cargo build` puts binaries.
    pub(crate) fn bin_dir(&self) -> PathBuf {
        self.target.join(match self.build {
            Build::Everyday => "debug",
            Build::Release => "release",
        })
    }

    /// A binary that has been built.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.bin_dir().join(name)
    }

    /// An example that has been built.
    pub(crate) fn example(&self, name: &str) -> PathBuf {
        self.bin_dir().join("examples").join(name)
    }

    /// Cargo, to be run in this workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root);
        cargo
    }

    /// `--features ..` for a command over the whole workspace; features that do not exist yet are
    /// left out.
    pub(crate) fn features(&self) -> Vec<OsString> {
        let known: Vec<String> = FEATURES
            .iter()
            .filter(|(package, feature)| self.has_feature(package, feature))
            .map(|(package, feature)| format!("{package}/{feature}"))
            .collect();
        if known.is_empty() {
            return Vec::new();
        }
        vec!["--features".into(), known.join(",").into()]
    }

    fn has_feature(&self, package: &str, feature: &str) -> bool {
        self.packages
            .iter()
            .any(|it| it.name == package && it.features.contains_key(feature))
    }

    /// Builds every program, and of the examples the one that a stack needs. An example brings in
    /// the development dependencies: so the features of all crates are the same here as under
    /// `cargo test`, and none compiles twice.
    pub(crate) async fn build(&self) -> anyhow::Result<()> {
        let mut cargo = self.cargo();
        cargo.args([
            "build",
            "--workspace",
            "--bins",
            "--example",
            "object_store",
        ]);
        match self.build {
            Build::Everyday => cargo.args(self.features()),
            Build::Release => cargo.arg("--release"),
        };
        command::run(&mut cargo).await
    }

    /// Builds the program that records histories, with the features of [`Self::build`].
    pub(crate) async fn build_record(&self) -> anyhow::Result<()> {
        let mut cargo = self.cargo();
        cargo
            .args(["build", "--workspace", "--example", "record"])
            .args(self.features());
        command::run(&mut cargo).await
    }

    /// Builds the program that makes load, as [`Self::build`] builds the others.
    pub(crate) async fn build_load(&self) -> anyhow::Result<()> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--workspace", "--bins", "--example", "load"]);
        match self.build {
            Build::Everyday => cargo.args(self.features()),
            Build::Release => cargo.arg("--release"),
        };
        command::run(&mut cargo).await
    }

    /// Builds the program that makes databases. It holds no checked statement itself, so it builds
    /// without `.sqlx`; with an example, so that the features are those of [`Self::build`].
    pub(crate) async fn build_migrate(&self) -> anyhow::Result<()> {
        let mut cargo = self.cargo();
        cargo
            .args(["build", "--workspace", "--bin", "djinn-migrate"])
            .args(["--example", "object_store"])
            .args(self.features());
        command::run(&mut cargo).await
    }
}

impl Package {
    /// The folder of this member.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_CARGO.contains(&text.as_ref()) || text.starts_with("CARGO_PKG_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}
