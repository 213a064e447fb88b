//! A statement that leaves open what only its owner knows: asked once, answered, and read without
//! a question the season after.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::client::{ASKS, Answer, COMMITTED, Client};
use super::examples::state;
use super::money;

/// The answer of somebody who knows that their bank writes the day first.
const ANSWER: &str = "date=1:dmy";

/// Rows of three months by their kind, none behind the twelfth, which read as well with the month
/// in front; the sum and the earliest day that must come out.
const WINTER: (&str, i64, &str) = ("uk-winter.csv", -89_006, "2025-12-06");
const SPRING: (&str, i64, &str) = ("uk-spring.csv", -85_334, "2026-03-02");

/// Shows it; returns how many figures differ.
pub(super) async fn show(client: &Client, folder: &Path) -> anyhow::Result<usize> {
    let account = client
        .create_account("Card account", "checking", "GBP", Some("1000.00"))
        .await?;
    println!();
    let asks = client.import(&folder.join(WINTER.0), &account).await?;
    if asks.code != ASKS {
        println!("  WRONG {} asks nothing: {}", WINTER.0, asks.reason());
        return Ok(1);
    }
    print_questions(WINTER.0, &asks.json);
    let id = asks.json["importId"]
        .as_str()
        .context("an import without an id")?;
    println!("  $ djinn imports answer {id} --answer {ANSWER} --yes");
    let arguments = ["imports", "answer", id, "--answer", ANSWER, "--yes"];
    let answered = client.call(&arguments.map(AsRef::as_ref)).await?;
    let mut wrong = compare(client, WINTER, &answered).await?;

    let next = client.import(&folder.join(SPRING.0), &account).await?;
    wrong += compare(client, SPRING, &next).await?;
    if next.json["templateId"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        println!("  WRONG it was not read with the template");
        wrong += 1;
    }
    Ok(wrong)
}

/// What a statement asks, with the rows under each choice.
pub(super) fn print_questions(file: &str, import: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for question in list(&import["questions"]) {
        println!("{file} asks: {}", text(&question["prompt"]));
        for choice in list(&question["choices"]) {
            println!("  {:<8} {}", text(&choice["value"]), text(&choice["label"]));
            for sample in list(&choice["samples"]) {
                println!("             {}", text(&sample));
            }
        }
    }
}

/// What came of an import, compared with what the file says.
async fn compare(
    client: &Client,
    (file, sum, first_day): (&str, i64, &str),
    answer: &Answer,
) -> anyhow::Result<usize> {
    let import = &answer.json;
    if answer.code != COMMITTED {
        println!("  WRONG {file} was not committed: {}", answer.reason());
        return Ok(1);
    }
    let id = import["importId"]
        .as_str()
        .context("an import without an id")?;
    let arguments = ["transactions", "list", "--import", id].map(AsRef::as_ref);
    let list = client
        .call(&arguments)
        .await?
        .expect_success("djinn transactions list")?;
    let days = list["transactions"].as_array().into_iter().flatten();
    let first = days.filter_map(|row| row["bookedOn"].as_str()).min();
    let found = money::minor(&import["includedAmount"])?;
    println!(
        "{file}: {}, {} GBP from {}; {}",
        state(import),
        money::show(found, "GBP"),
        first.unwrap_or("never"),
        said(import),
    );
    if found == sum && first == Some(first_day) {
        return Ok(0);
    }
    println!(
        "  WRONG expected {} GBP from {first_day}",
        money::show(sum, "GBP")
    );
    Ok(1)
}

/// The evidence that rests on an answer.
fn said(import: &Value) -> String {
    let evidence = import["reading"]["evidence"]
        .as_array()
        .into_iter()
        .flatten();
    let mut lines = evidence.filter_map(Value::as_str);
    let found = lines.find(|line| line.contains("answer"));
    found.unwrap_or("nothing was answered").to_owned()
}
