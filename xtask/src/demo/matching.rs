//! A statement that tells of what was entered by hand: one booking is known by amount and payee and
//! linked, one is merely alike and decided by a person.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::client::{Answer, COMMITTED, Client};
use super::examples::state;
use super::money;

const FILE: &str = "de-mai.csv";

/// Entered on the day of the repair, three days before the bank books it, with a note.
const REPAIR: [&str; 5] = ["2026-05-15", "-240.00", "meisterbetrieb weiß", "", NOTE];
const NOTE: &str = "boiler, two years of warranty";
/// Entered under a name that the statement does not know.
const LUNCH: [&str; 5] = ["2026-05-23", "-38.60", "", "Lunch with Jo", ""];

/// Rows of the file; those that are added; their sum; the balance behind both entries and the file,
/// from 1,000.00.
const ROWS: i64 = 5;
const ADDED: i64 = 3;
const SUM: i64 = 180_698;
const BALANCE: i64 = 252_838;

/// Shows it; returns how many figures differ.
pub(super) async fn show(client: &Client, folder: &Path) -> anyhow::Result<usize> {
    let account = client
        .create_account("Household", "checking", "EUR", Some("1000.00"))
        .await?;
    let repair = enter(client, &account, REPAIR).await?;
    let lunch = enter(client, &account, LUNCH).await?;
    println!();
    println!("entered by hand: {} and {}", line(&repair), line(&lunch));
    let file = folder.join(FILE);
    let arguments = ["import".as_ref(), file.as_os_str(), "--account".as_ref()];
    let seen = client
        .call(&[arguments.as_slice(), &[account.as_ref()]].concat())
        .await?;
    let id = text(&seen.json["importId"]);
    let rows = rows(client, &id).await?;
    println!("{FILE} in review:");
    for row in &rows {
        println!("  {:<9} {}", verdict(row), line(row));
        println!("            {}", text(&row["resembles"]["message"]));
    }
    let like = |name: &str, theirs: &Value| {
        let row = rows.iter().find(|row| verdict(row) == name);
        row.filter(|row| row["resembles"]["transactionId"] == theirs["transactionId"])
    };
    let (Some(_), Some(suspected)) = (like("linked", &repair), like("suspected", &lunch)) else {
        println!("  WRONG the entries are not found in the file");
        return Ok(1);
    };
    let number = text(&suspected["rowNumber"]);
    println!("  $ djinn imports decide {id} --link {number}");
    let decide = ["imports", "decide", &id, "--link", &number].map(AsRef::as_ref);
    client
        .call(&decide)
        .await?
        .expect_success("djinn imports decide")?;
    let confirm = ["imports", "confirm", &id].map(AsRef::as_ref);
    let done = client.call(&confirm).await?;
    let mut wrong = compare(client, &account, &done, &repair).await?;

    let again = client.import(&file, &account).await?;
    let duplicates = money::integer(&again.json["counts"]["duplicateCount"])?;
    println!(
        "{FILE} once more: {}, {duplicates} already there",
        state(&again.json)
    );
    if duplicates != ROWS {
        println!("  WRONG expected {ROWS} already there");
        wrong += 1;
    }
    Ok(wrong)
}

async fn enter(client: &Client, account: &str, entry: [&str; 5]) -> anyhow::Result<Value> {
    let [date, amount, counterparty, description, note] = entry;
    let arguments = [
        "transactions".to_owned(),
        "add".to_owned(),
        format!("--account={account}"),
        format!("--date={date}"),
        format!("--amount={amount}"),
        format!("--counterparty={counterparty}"),
        format!("--description={description}"),
        format!("--note={note}"),
    ];
    let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    client
        .call(&arguments)
        .await?
        .expect_success("djinn transactions add")
}

async fn rows(client: &Client, import_id: &str) -> anyhow::Result<Vec<Value>> {
    let verdicts = "--verdict=linked,suspected";
    let arguments = ["imports", "rows", import_id, verdicts].map(AsRef::as_ref);
    let list = client
        .call(&arguments)
        .await?
        .expect_success("djinn imports rows")?;
    list["rows"].as_array().cloned().context("no rows")
}

/// What the commit came to: figures of the import, the balance, and the entry it was linked with.
async fn compare(
    client: &Client,
    account: &str,
    done: &Answer,
    repair: &Value,
) -> anyhow::Result<usize> {
    if done.code != COMMITTED {
        println!("  WRONG it was not committed: {}", done.reason());
        return Ok(1);
    }
    let counts = &done.json["counts"];
    let (added, linked) = (
        money::integer(&counts["includedCount"])?,
        money::integer(&counts["linkedCount"])?,
    );
    let sum = money::minor(&done.json["includedAmount"])?;
    let balance = money::minor(&client.account(account).await?["balance"])?;
    let transactions = client.transactions(account).await?;
    let filled = transactions
        .iter()
        .find(|it| it["transactionId"] == repair["transactionId"])
        .context("the entry is gone")?;
    println!(
        "{}: {added} added, {linked} linked, balance {} EUR; the entry says now: {}; note: {}",
        state(&done.json),
        money::show(balance, "EUR"),
        text(&filled["description"]),
        text(&filled["note"]),
    );
    let found = (added, linked, sum, balance, text(&filled["note"]));
    if found == (ADDED, ROWS - ADDED, SUM, BALANCE, NOTE.to_owned())
        && text(&filled["description"]) == "EINZELUEBERWEISUNG Rechnung 2026-0533"
    {
        return Ok(0);
    }
    println!(
        "  WRONG expected {ADDED} added with a sum of {} EUR, balance {} EUR",
        money::show(SUM, "EUR"),
        money::show(BALANCE, "EUR"),
    );
    Ok(1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `ROW_VERDICT_LINKED` as `linked`.
fn verdict(row: &Value) -> String {
    let name = text(&row["verdict"]);
    name.trim_start_matches("ROW_VERDICT_").to_lowercase()
}

/// A row or a transaction in one line.
fn line(booking: &Value) -> String {
    let name = [&booking["counterparty"], &booking["description"]];
    let name = name
        .iter()
        .find_map(|it| it.as_str().filter(|it| !it.is_empty()));
    let amount = money::minor(&booking["amount"]).unwrap_or_default();
    format!(
        "{} {} EUR {}",
        text(&booking["bookedOn"]),
        money::show(amount, "EUR"),
        name.unwrap_or_default()
    )
}
