//! The command-line client, driven as a script would drive it: `djinn --json ..`.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::command::{self, Output};
use crate::stack::Stack;

/// Exit codes of `djinn import` that tell how the import ended.
pub(crate) const COMMITTED: i32 = 0;
pub(crate) const ASKS: i32 = 3;
pub(crate) const REFUSED: i32 = 4;

/// A signed-in user.
pub(crate) struct Client {
    program: std::path::PathBuf,
    environment: Vec<(String, String)>,
    verbose: bool,
}

/// What a call came to.
pub(crate) struct Answer {
    pub(crate) code: i32,
    /// The JSON it printed; null if it printed none.
    pub(crate) json: Value,
    /// Why it failed, for people.
    pub(crate) message: String,
}

impl Client {
    /// A new user with a development token, so that a second run sees nothing of the first.
    pub(crate) async fn sign_in(
        stack: &Stack<'_>,
        url: String,
        verbose: bool,
    ) -> anyhow::Result<Self> {
        let mut environment = stack.client_environment();
        environment.push(("DJINN_URL".to_owned(), url));
        let program = stack.workspace.binary("djinn");
        let mut client = Self {
            program,
            environment,
            verbose,
        };
        let answer = client
            .call(&["token".as_ref()])
            .await?
            .expect_success("djinn token")?;
        let token = answer["token"]
            .as_str()
            .context("`djinn token` printed no token")?;
        client
            .environment
            .push(("DJINN_TOKEN".to_owned(), token.to_owned()));
        println!();
        println!("a new user: {}", answer["user_id"].as_str().unwrap_or("?"));
        Ok(client)
    }

    /// The user's token.
    pub(crate) fn token(&self) -> Option<String> {
        let mut variables = self.environment.iter();
        let (_, token) = variables.find(|(name, _)| name == "DJINN_TOKEN")?;
        Some(token.clone())
    }

    /// Opens an account and returns its id.
    pub(crate) async fn create_account(
        &self,
        name: &str,
        kind: &str,
        currency: &str,
        opening_balance: Option<&str>,
    ) -> anyhow::Result<String> {
        let kind = kind.replace('_', "-");
        let mut arguments = vec!["account", "create", "--name", name, "--currency", currency];
        arguments.extend(["--kind", &kind]);
        let opening = opening_balance.map(|amount| format!("--opening-balance={amount}"));
        arguments.extend(opening.as_deref());
        let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        let account = self
            .call(&arguments)
            .await?
            .expect_success("djinn account create")?;
        let id = account["accountId"]
            .as_str()
            .context("an account without an id")?;
        Ok(id.to_owned())
    }

    /// Opens an account whose number is noted and returns its id.
    pub(super) async fn open_numbered(
        &self,
        name: &str,
        kind: &str,
        currency: &str,
        number: &str,
    ) -> anyhow::Result<String> {
        let mut arguments = vec!["account", "create", "--name", name, "--currency", currency];
        arguments.extend(["--kind", kind, "--number", number]);
        let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        let account = self
            .call(&arguments)
            .await?
            .expect_success("djinn account create")?;
        let id = account["accountId"]
            .as_str()
            .context("an account without an id")?;
        Ok(id.to_owned())
    }

    /// Imports a statement and confirms its review.
    pub(crate) async fn import(&self, file: &Path, account_id: &str) -> anyhow::Result<Answer> {
        let (import, account, yes) = ("import".as_ref(), "--account".as_ref(), "--yes".as_ref());
        self.call(&[import, file.as_os_str(), account, account_id.as_ref(), yes])
            .await
    }

    /// Undoes an import.
    pub(crate) async fn revert(&self, import_id: &str) -> anyhow::Result<Answer> {
        let arguments = ["imports", "revert", import_id, "--yes"].map(AsRef::as_ref);
        self.call(&arguments).await
    }

    /// How a statement reads.
    pub(crate) async fn preview(&self, file: &Path) -> anyhow::Result<Answer> {
        self.call(&["preview".as_ref(), file.as_os_str()]).await
    }

    /// All transactions of an account, newest first.
    pub(crate) async fn transactions(&self, account_id: &str) -> anyhow::Result<Vec<Value>> {
        let arguments = ["transactions", "list", "--account", account_id].map(AsRef::as_ref);
        let list = self
            .call(&arguments)
            .await?
            .expect_success("djinn transactions list")?;
        Ok(list["transactions"].as_array().cloned().unwrap_or_default())
    }

    /// An account as the list shows it.
    pub(crate) async fn account(&self, account_id: &str) -> anyhow::Result<Value> {
        let arguments = ["account", "list"].map(AsRef::as_ref);
        let list = self
            .call(&arguments)
            .await?
            .expect_success("djinn account list")?;
        let accounts = list["accounts"].as_array().cloned().unwrap_or_default();
        let mut accounts = accounts.into_iter();
        accounts
            .find(|account| account["accountId"] == account_id)
            .with_context(|| format!("account {account_id} is not in the list"))
    }

    /// Any call of the client.
    pub(crate) async fn call(&self, arguments: &[&std::ffi::OsStr]) -> anyhow::Result<Answer> {
        let mut djinn = Command::new(&self.program);
        djinn.arg("--json").args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DJINN_") {
                djinn.env_remove(&name);
            }
        }
        djinn.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.verbose {
            println!("  $ {}", command::display(&djinn));
        }
        Ok(Answer::of(&command::output(&mut djinn).await?))
    }
}

impl Answer {
    fn of(output: &Output) -> Self {
        let json = serde_json::from_str(&output.stdout).unwrap_or_default();
        let last = output
            .stderr
            .trim_end()
            .lines()
            .next_back()
            .unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_default();
        let message = error["error"]["message"]
            .as_str()
            .unwrap_or(last)
            .to_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            json,
            message,
        }
    }

    /// The JSON of a call that must not fail.
    pub(crate) fn expect_success(self, what: &str) -> anyhow::Result<Value> {
        if self.code != 0 {
            bail!(
                "`{what}` failed with exit code {}: {}",
                self.code,
                self.message
            );
        }
        Ok(self.json)
    }

    /// Why an import did not commit, in one line.
    pub(crate) fn reason(&self) -> String {
        let questions = self.json["questions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if !questions.is_empty() {
            return questions
                .iter()
                .map(question)
                .collect::<Vec<_>>()
                .join("; ");
        }
        let failure = &self.json["job"]["failure"];
        let text = |field: &str| failure[field].as_str().unwrap_or_default().to_owned();
        match (text("reason"), text("message")) {
            (reason, _) if reason.is_empty() => self.message.clone(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

/// A question with its choices.
fn question(question: &Value) -> String {
    let choices = question["choices"].as_array().cloned().unwrap_or_default();
    let values: Vec<&str> = choices
        .iter()
        .filter_map(|choice| choice["value"].as_str())
        .collect();
    let key = question["key"].as_str().unwrap_or("?");
    format!("{key}: {}", values.join(" or "))
}
