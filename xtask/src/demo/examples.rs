//! The examples: each into an account of its own, and every figure compared with the manifest.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::client::{ASKS, COMMITTED, Client};
use super::manifest::{self, Example, Figures};
use super::{money, undo};

/// Imports every example; returns how many figures differ.
pub(super) async fn import(client: &Client, folder: &Path) -> anyhow::Result<usize> {
    let examples = manifest::read(folder)?;
    println!(
        "importing {} statements through the gateway",
        examples.len()
    );
    println!();
    println!(
        "{:<22} {:<2} {:<10} {:>4} {:>3} {:>12} {:>13} {:>6}  format",
        "statement", "", "state", "rows", "", "sum", "balance", "ms"
    );
    let (mut wrong, mut first) = (0, None);
    for example in &examples {
        let account = client
            .create_account(
                &example.account,
                &example.kind,
                &example.currency,
                Some(&example.opening_balance),
            )
            .await?;
        wrong += one(client, &folder.join(&example.file), example, &account).await?;
        first.get_or_insert((example, account));
    }
    if let Some((example, account)) = first {
        let file = folder.join(&example.file);
        wrong += again(client, &file, example, &account).await?;
        wrong += undo::show(client, &file, example, &account).await?;
    }
    if wrong == 0 {
        println!("every figure is that of examples/manifest.tsv");
    }
    Ok(wrong)
}

async fn one(
    client: &Client,
    file: &Path,
    example: &Example,
    account: &str,
) -> anyhow::Result<usize> {
    let started = Instant::now();
    let answer = client.import(file, account).await?;
    let elapsed = started.elapsed().as_millis();
    if answer.code != COMMITTED {
        let how = if answer.code == ASKS {
            "asks"
        } else {
            "failed"
        };
        println!(
            "{:<22} {:<2} {how}: {}",
            example.file,
            example.country,
            answer.reason()
        );
        return Ok(1);
    }
    let found = figures(client, account).await?;
    println!(
        "{:<22} {:<2} {:<10} {:>4} {:>3} {:>12} {:>13} {elapsed:>6}  {}",
        example.file,
        example.country,
        state(&answer.json),
        found.rows,
        example.currency,
        money::show(found.sum, &example.currency),
        money::show(found.closing_balance, &example.currency),
        example.format,
    );
    let mut differences = compare(example, &found);
    differences.extend(compare_import(example, &answer.json)?);
    for difference in &differences {
        println!("  WRONG {difference}");
    }
    Ok(differences.len())
}

/// The figures of an account as its transactions have them.
pub(super) async fn figures(client: &Client, account: &str) -> anyhow::Result<Figures> {
    let transactions = client.transactions(account).await?;
    let mut rows = Vec::new();
    for transaction in &transactions {
        let day = transaction["bookedOn"]
            .as_str()
            .context("a transaction without a day")?;
        rows.push((day.to_owned(), money::minor(&transaction["amount"])?));
    }
    rows.sort();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        bail!("the account has no transactions");
    };
    let balance = client.account(account).await?;
    Ok(Figures {
        rows: i64::try_from(rows.len())?,
        sum: rows.iter().map(|(_, amount)| amount).sum(),
        closing_balance: money::minor(&balance["balance"])?,
        first: first.clone(),
        last: last.clone(),
    })
}

/// What differs from the manifest.
fn compare(example: &Example, found: &Figures) -> Vec<String> {
    let expected = &example.figures;
    let show = |minor: i64| money::show(minor, &example.currency);
    let booking = |(day, minor): &(String, i64)| format!("{day} {}", show(*minor));
    [
        ("rows", expected.rows.to_string(), found.rows.to_string()),
        ("sum", show(expected.sum), show(found.sum)),
        (
            "balance",
            show(expected.closing_balance),
            show(found.closing_balance),
        ),
        (
            "first booking",
            booking(&expected.first),
            booking(&found.first),
        ),
        (
            "last booking",
            booking(&expected.last),
            booking(&found.last),
        ),
    ]
    .into_iter()
    .filter(|(_, expected, found)| expected != found)
    .map(|(what, expected, found)| format!("{what}: {found}, expected {expected}"))
    .collect()
}

/// What the import itself says must agree as well.
fn compare_import(example: &Example, import: &Value) -> anyhow::Result<Vec<String>> {
    let expected = &example.figures;
    let figures = [
        (
            "rows of the import",
            expected.rows,
            money::integer(&import["counts"]["rowCount"])?,
        ),
        (
            "rows included",
            expected.rows,
            money::integer(&import["counts"]["includedCount"])?,
        ),
        (
            "sum included",
            expected.sum,
            money::minor(&import["includedAmount"])?,
        ),
        (
            "balance after",
            expected.closing_balance,
            money::minor(&import["balanceAfter"])?,
        ),
    ];
    Ok(figures
        .into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(what, expected, found)| format!("{what}: {found}, expected {expected}"))
        .collect())
}

/// The first file once more: it must add nothing.
async fn again(
    client: &Client,
    file: &Path,
    example: &Example,
    account: &str,
) -> anyhow::Result<usize> {
    let answer = client.import(file, account).await?;
    let new = money::integer(&answer.json["counts"]["newCount"])?;
    let duplicates = money::integer(&answer.json["counts"]["duplicateCount"])?;
    let found = figures(client, account).await?;
    println!();
    println!(
        "{} once more: {}, {new} new, {duplicates} already there, still {} rows",
        example.file,
        state(&answer.json),
        found.rows
    );
    let unchanged = answer.code == COMMITTED && new == 0 && found == example.figures;
    if !unchanged {
        println!(
            "  WRONG it changed the account, or was not read: {}",
            answer.reason()
        );
    }
    Ok(usize::from(!unchanged))
}

/// `IMPORT_STATE_COMMITTED` as `committed`.
pub(super) fn state(import: &Value) -> String {
    let state = import["state"].as_str().unwrap_or("unknown");
    state.trim_start_matches("IMPORT_STATE_").to_lowercase()
}
