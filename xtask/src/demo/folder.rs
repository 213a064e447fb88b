//! `--from FOLDER`: whatever a person has lying around, each file into an account of its own.
//! Questions and refusals are outcomes here, not failures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::client::{ASKS, Answer, COMMITTED, Client, REFUSED};
use super::{examples, money};

/// Taken when the file does not tell its currency.
const CURRENCY: &str = "EUR";

/// An account's name may have this many characters.
const NAME_MAX: usize = 100;

/// Imports every *.csv of a folder.
pub(super) async fn import(client: &Client, folder: &Path) -> anyhow::Result<()> {
    let files = files(folder)?;
    println!(
        "importing {} statements from {}",
        files.len(),
        folder.display()
    );
    println!();
    let (mut committed, mut asked, mut refused, mut failed) = (0, 0, 0, 0);
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (answer, currency) = one(client, file, &name).await?;
        match answer.code {
            COMMITTED => committed += 1,
            ASKS => asked += 1,
            REFUSED => refused += 1,
            _ => failed += 1,
        }
        println!("{name:<52.52} {}", outcome(&answer, &currency)?);
    }
    println!();
    println!("{committed} committed, {asked} ask, {refused} refused, {failed} failed otherwise");
    Ok(())
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("there is no *.csv in {}", folder.display());
    }
    Ok(files)
}

/// Imports a file into a new account in the currency that the file tells.
async fn one(client: &Client, file: &Path, name: &str) -> anyhow::Result<(Answer, String)> {
    let currency = currency(&client.preview(file).await?.json);
    let account: String = name.chars().take(NAME_MAX).collect();
    let account = client
        .create_account(&account, "checking", &currency, None)
        .await?;
    Ok((client.import(file, &account).await?, currency))
}

/// The currency that the file as a whole tells, or its first row that tells one.
fn currency(preview: &Value) -> String {
    let rows = preview["rows"].as_array().into_iter().flatten();
    std::iter::once(&preview["reading"])
        .chain(rows)
        .filter_map(|part| part["currencyCode"].as_str())
        .find(|code| !code.is_empty())
        .unwrap_or(CURRENCY)
        .to_owned()
}

fn outcome(answer: &Answer, currency: &str) -> anyhow::Result<String> {
    let import = &answer.json;
    if answer.code != COMMITTED {
        let how = match answer.code {
            ASKS => "asks",
            REFUSED => "refused",
            _ => "failed",
        };
        return Ok(format!("{how:<10} {}", answer.reason()));
    }
    let invalid = money::integer(&import["counts"]["invalidCount"])?;
    let unread = if invalid > 0 {
        format!(", {invalid} rows unread")
    } else {
        String::new()
    };
    Ok(format!(
        "{:<10} {:>5} rows {:>16} {currency}{unread}",
        examples::state(import),
        money::integer(&import["counts"]["includedCount"])?,
        money::show(money::minor(&import["includedAmount"])?, currency),
    ))
}
