//! One client: its command line, how long it may take, what it counted.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::Command;

use super::{Client, tools::Tools, tree::Tree};
use crate::demo::manifest::Example;
use crate::services::Services;
use crate::stack::Stack;
use crate::{command, install};

/// How long a client may take. They take seconds; what hangs is to be told, not waited for.
const LIMIT: Duration = Duration::from_secs(120);

/// The documents whose snippets are run.
const DOCUMENTS: [&str; 3] = ["README.md", "docs/api.md", "docs/operations.md"];

/// What clients meet.
pub(super) struct Scene<'a> {
    pub(super) stack: &'a Stack<'a>,
    pub(super) services: &'a Services,
    pub(super) tools: &'a Tools,
    pub(super) tree: &'a Tree,
}

/// Runs a client; the two words behind the `ok` of its last line.
pub(super) async fn run(
    scene: &Scene<'_>,
    client: Client,
    example: &Example,
) -> anyhow::Result<(String, String)> {
    let mut program = scene.program(client)?;
    if client != Client::Docs {
        program.arg(scene.tree.path(&format!("examples/{}", example.file)));
    }
    if !matches!(client, Client::Curl | Client::Docs) {
        program.arg(&example.currency);
    }
    if matches!(client, Client::ConnectGrpc | Client::Grpcio) {
        program.arg("--revert");
    }
    program
        .env("DJINN_URL", scene.services.gateway_url())
        .env("DJINN_TOKEN", scene.token().await?);
    let output = tokio::time::timeout(LIMIT, command::output(&mut program))
        .await
        .with_context(|| format!("it took longer than {} s", LIMIT.as_secs()))??;
    if !output.status.success() {
        bail!(
            "{}\n{}\n{}",
            output.status,
            command::tail(&output.stdout),
            output.tail()
        );
    }
    let last = output.stdout.trim_end().lines().next_back().unwrap_or("");
    let words: Vec<&str> = last.split(' ').collect();
    match words.as_slice() {
        ["ok", first, second] => Ok(((*first).to_owned(), (*second).to_owned())),
        _ => bail!(
            "its last line is not `ok COUNT SUM`:\n{}",
            command::tail(&output.stdout)
        ),
    }
}

impl Scene<'_> {
    fn program(&self, client: Client) -> anyhow::Result<Command> {
        let (tools, tree) = (self.tools, self.tree);
        let script = |program: &Path, path: &str| {
            let mut command = Command::new(program);
            command.arg(tree.path(path));
            command
        };
        Ok(match client {
            Client::Grpcurl => {
                let mut program = script(tools.python(), "tests/clients/grpcurl/job.py");
                let urls = ["imports", "sync"]
                    .map(|service| format!("{service}=http://{}", self.services.address(service)));
                program
                    .env("DJINN_GRPCURL", tools.grpcurl()?)
                    .env("DJINN_SERVICE_URLS", urls.join(" "))
                    .env("DJINN_PROTO", tree.path("proto"));
                program
            }
            Client::Curl => script(tools.python(), "tests/clients/curl/job.py"),
            Client::Grpcio => {
                let grpcio = tools.grpcio()?;
                let mut program = script(&grpcio.python, "tests/clients/grpcio/job.py");
                program.env("PYTHONPATH", &grpcio.generated);
                program
            }
            Client::ConnectGrpc | Client::ConnectWeb => {
                let mut program = script(tools.node()?, "examples/clients/typescript/dist/node.js");
                let grpc = client == Client::ConnectGrpc;
                program.arg(if grpc { "grpc" } else { "web" });
                program
            }
            Client::Browser => {
                let mut program = script(tools.node()?, "tests/clients/browser/drive.js");
                program
                    .env("DJINN_CHROMIUM", tools.chromium()?)
                    .env("DJINN_PAGE_PORT", self.services.page_port().to_string());
                program
            }
            Client::Graphql => script(tools.node()?, "tests/clients/graphql/job.js"),
            Client::Docs => {
                let mut program = script(tools.python(), "tests/clients/docs/run.py");
                program
                    .arg(&self.stack.workspace.root)
                    .arg(tree.generated("docs")?)
                    .args(DOCUMENTS)
                    .envs(self.stack.operator_environment())
                    .env("DJINN_PROGRAMS", self.named_programs()?)
                    .env("DJINN_PORTS", self.services.ports_of_defaults());
                program
            }
        })
    }

    /// The programs that documents call, by their names there.
    fn named_programs(&self) -> anyhow::Result<String> {
        let programs = [
            ("djinn", self.stack.workspace.binary("djinn")),
            ("grpcurl", self.tools.grpcurl()?.clone()),
            ("temporal", install::TEMPORAL.place(self.stack.workspace)),
        ];
        let programs = programs.map(|(name, path)| format!("{name}={}", path.display()));
        Ok(programs.join(" "))
    }

    /// A token of a user nobody has seen before.
    async fn token(&self) -> anyhow::Result<String> {
        let mut djinn = Command::new(self.stack.workspace.binary("djinn"));
        djinn
            .args(["--json", "token"])
            .envs(self.stack.client_environment());
        let printed = command::capture(&mut djinn).await?;
        let printed: Value = serde_json::from_str(&printed).context("`djinn token`")?;
        let token = printed["token"]
            .as_str()
            .context("`djinn token` printed no token")?;
        Ok(token.to_owned())
    }
}
