//! An import undone and made once more: account and ledger are those before it, then those of the
//! manifest again.

use std::path::Path;

use anyhow::Context as _;

use super::client::{COMMITTED, Client};
use super::examples::{figures, state};
use super::manifest::Example;
use super::money;

/// Undoes the import of this example and imports the file again; returns how many figures differ.
pub(super) async fn show(
    client: &Client,
    file: &Path,
    example: &Example,
    account: &str,
) -> anyhow::Result<usize> {
    let import_id = import_of(client, account).await?;
    let import = client
        .revert(&import_id)
        .await?
        .expect_success("djinn imports revert")?;
    let removed = money::integer(&import["reversal"]["removedCount"])?;
    let left = client.transactions(account).await?.len();
    let balance = money::minor(&client.account(account).await?["balance"])?;
    println!(
        "{} undone: {}, {removed} rows removed, {left} left, the balance is {} {} as before it",
        example.file,
        state(&import),
        money::show(balance, &example.currency),
        example.currency
    );
    let before = money::parse(&example.opening_balance, &example.currency)?;
    let mut wrong = 0;
    if removed != example.figures.rows || left != 0 || balance != before {
        println!("  WRONG the account is not as it was before the import");
        wrong += 1;
    }

    let answer = client.import(file, account).await?;
    let new = money::integer(&answer.json["counts"]["newCount"])?;
    println!(
        "{} imported again: {}, {new} new",
        example.file,
        state(&answer.json)
    );
    let right = answer.code == COMMITTED
        && new == example.figures.rows
        && figures(client, account).await? == example.figures;
    if !right {
        println!("  WRONG it is not all there again: {}", answer.reason());
        wrong += 1;
    }
    Ok(wrong)
}

/// The import that brought the rows of the account.
async fn import_of(client: &Client, account: &str) -> anyhow::Result<String> {
    let transactions = client.transactions(account).await?;
    let first = transactions
        .first()
        .context("the account has no transactions")?;
    let import_id = first["importId"]
        .as_str()
        .context("a transaction without an import")?;
    Ok(import_id.to_owned())
}
