//! A statement of several accounts: rows go where their numbers say, and an account that nobody has
//! noted is asked about.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::client::{ASKS, COMMITTED, Client};
use super::money;

/// The statement.
const FILE: &str = "de-zwei-konten.csv";
/// The accounts whose numbers are noted, each with what its rows come to: how many, and their sum.
const KNOWN: [(&str, &str, &str, i64, i64); 2] = [
    ("Giro", "checking", "DE71500105170012345678", 5, 126_468),
    ("Tagesgeld", "savings", "DE96500105170087654321", 2, 15_487),
];
/// Somebody else's account in the same file, which the answer leaves out.
const UNKNOWN: &str = "account:DE02300209000106531065=skip";

/// Shows it; returns how many figures differ.
pub(super) async fn show(client: &Client, folder: &Path) -> anyhow::Result<usize> {
    let mut accounts = Vec::new();
    for (name, kind, number, ..) in KNOWN {
        accounts.push(client.open_numbered(name, kind, "EUR", number).await?);
    }
    let first = accounts.first().context("an account")?;
    println!();
    let asks = client.import(&folder.join(FILE), first).await?;
    if asks.code != ASKS {
        println!("  WRONG {FILE} asks nothing: {}", asks.reason());
        return Ok(1);
    }
    super::questions::print_questions(FILE, &asks.json);
    let id = asks.json["importId"]
        .as_str()
        .context("an import without an id")?;
    println!("  $ djinn imports answer {id} --answer {UNKNOWN} --yes");
    let arguments = ["imports", "answer", id, "--answer", UNKNOWN, "--yes"];
    let answered = client.call(&arguments.map(AsRef::as_ref)).await?;
    if answered.code != COMMITTED {
        println!("  WRONG {FILE} was not committed: {}", answered.reason());
        return Ok(1);
    }
    let mut wrong = 0;
    for ((name, _, _, rows, sum), account_id) in KNOWN.into_iter().zip(&accounts) {
        wrong += compare(&answered.json, name, account_id, (rows, sum))?;
    }
    Ok(wrong)
}

fn compare(
    import: &Value,
    name: &str,
    account_id: &str,
    expected: (i64, i64),
) -> anyhow::Result<usize> {
    let mut accounts = import["accounts"].as_array().into_iter().flatten();
    let account = accounts
        .find(|account| account["accountId"] == account_id)
        .with_context(|| format!("nothing went into {name}"))?;
    let rows = account["includedCount"].as_str().unwrap_or("0").parse()?;
    let found = (rows, money::minor(&account["includedAmount"])?);
    println!("  {name:<12} {} rows, {} cents", found.0, found.1);
    if found != expected {
        println!("  WRONG the file has {expected:?} for {name}");
        return Ok(1);
    }
    Ok(0)
}
