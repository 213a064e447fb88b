//! `examples/manifest.tsv`: what each example holds, counted by hand and not by Djinn.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::money;

/// One example and its figures; amounts in minor units.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) file: String,
    pub(crate) country: String,
    pub(crate) format: String,
    pub(crate) account: String,
    pub(crate) kind: String,
    pub(crate) currency: String,
    pub(crate) figures: Figures,
    /// As it is written in the manifest.
    pub(crate) opening_balance: String,
}

/// What must come out.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Figures {
    pub(crate) rows: i64,
    pub(crate) sum: i64,
    pub(crate) closing_balance: i64,
    /// Day and amount of the earliest booking.
    pub(crate) first: (String, i64),
    /// Day and amount of the latest booking.
    pub(crate) last: (String, i64),
}

/// Reads the manifest.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Vec<Example>> {
    let path = folder.join("manifest.tsv");
    let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    text.lines().skip(1).map(example).collect()
}

fn example(line: &str) -> anyhow::Result<Example> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
        file,
        country,
        format,
        account,
        kind,
        currency,
        rows,
        sum,
        opening,
        closing,
        first_day,
        first,
        last_day,
        last,
    ] = cells.as_slice()
    else {
        bail!(
            "a line of the manifest has {} cells instead of 14: {line}",
            cells.len()
        );
    };
    let amount = |text: &str| money::parse(text, currency);
    let figures = Figures {
        rows: rows.parse().context("the number of rows is no number")?,
        sum: amount(sum)?,
        closing_balance: amount(closing)?,
        first: ((*first_day).to_owned(), amount(first)?),
        last: ((*last_day).to_owned(), amount(last)?),
    };
    if amount(opening)? + figures.sum != figures.closing_balance {
        bail!("{file}: opening balance and sum do not make the closing balance");
    }
    let [
        file,
        country,
        format,
        account,
        kind,
        currency,
        opening_balance,
    ] = [file, country, format, account, kind, currency, opening].map(|cell| (*cell).to_owned());
    Ok(Example {
        file,
        country,
        format,
        account,
        kind,
        currency,
        figures,
        opening_balance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_there_and_its_figures_agree() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let examples = read(&folder).unwrap();
        assert!(examples.len() >= 6);
        for example in &examples {
            assert!(
                folder.join(&example.file).is_file(),
                "{} is missing",
                example.file
            );
        }
        let files = fs::read_dir(&folder).unwrap().flatten();
        let files = files.filter(|entry| entry.path().is_file()).count();
        assert_eq!(files, examples.len() + 1, "a file is not in the manifest");
    }
}
