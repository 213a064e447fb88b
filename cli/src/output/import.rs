//! Imports, their rows, and the review before a commit.

use djinn_proto::{
    common::v1::Money,
    imports::v1::{
        Import, ImportCounts, ImportRow, ImportWarning, RowAction, RowProblem, RowResemblance,
        RowVerdict,
    },
};

use super::{
    gap,
    ledger::{currency, decimal},
    statement,
    table::Table,
    text,
};
use crate::amount;

/// The imports.
pub(crate) fn list(imports: &[Import]) -> String {
    if imports.is_empty() {
        return "no imports; `djinn import FILE --account NAME` begins one".to_owned();
    }
    let mut table = Table::new(["IMPORT", "FILE", "STATE", "ROWS", "INCLUDED", "CREATED"])
        .right(3)
        .right(4);
    for import in imports {
        let number = |of: fn(&ImportCounts) -> i64| {
            import
                .counts
                .as_ref()
                .map(of)
                .map(|n| n.to_string())
                .unwrap_or_default()
        };
        table.row([
            &import.import_id,
            file_name(import),
            &text::state(import.state()),
            &number(|counts| counts.row_count),
            &number(|counts| counts.included_count),
            &text::moment(import.job.as_ref().and_then(|job| job.create_time)),
        ]);
    }
    table.text()
}

/// An import with all that is known of it.
pub(crate) fn show(import: &Import) -> String {
    let mut lines = vec![
        format!("Import   {}", import.import_id),
        format!("File     {}", file_name(import)),
        format!("Account  {}", import.account_id),
        format!("State    {}", text::state(import.state())),
    ];
    if let Some(failure) = import.job.as_ref().and_then(|job| job.failure.as_ref()) {
        lines.push(format!("Reason   {}: {}", failure.reason, failure.message));
    }
    if let Some(reversal) = &import.reversal {
        lines.push(format!(
            "Undone   {} removed, {} kept",
            text::count(reversal.removed_count, "transaction"),
            reversal.kept_count
        ));
    }
    if import.expire_time.is_some() {
        lines.push(format!("Expires  {}", text::moment(import.expire_time)));
    }
    if !import.etag.is_empty() {
        lines.push(format!("Etag     {}", import.etag));
    }
    lines.extend(answers(import).map(|answers| format!("Answers  {answers}")));
    lines.extend(mapping(import).map(|said| format!("Mapping  {said}")));
    let mut out: Vec<String> = vec![
        lines
            .iter()
            .map(|l| text::clean(l))
            .collect::<Vec<_>>()
            .join("\n"),
    ];
    out.extend(import.reading.as_ref().map(statement::reading));
    if !import.questions.is_empty() {
        out.push(statement::questions(&import.questions));
    }
    out.extend(import.counts.as_ref().map(counts));
    out.extend(balances(import));
    out.extend(warnings(import));
    out.extend(gap::gaps(&import.balance_gaps, import.balance_gap_count));
    out.extend(accounts(import));
    out.join("\n\n")
}

/// The rows.
pub(crate) fn rows(rows: &[ImportRow]) -> String {
    if rows.is_empty() {
        return "no rows".to_owned();
    }
    let mut table = Table::new([
        "ROW",
        "LINE",
        "VERDICT",
        "IN",
        "BOOKED",
        "AMOUNT",
        "CURRENCY",
        "COUNTERPARTY",
        "DESCRIPTION",
    ])
    .right(0)
    .right(1)
    .right(5);
    for row in rows {
        let problem = problem(row).map(|problem| &*problem.message);
        table.row([
            &row.row_number.to_string(),
            &row.line.to_string(),
            &verdict(row),
            included(row),
            &row.booked_on,
            &decimal(row.amount.as_ref()),
            currency(row.amount.as_ref()),
            &row.counterparty,
            problem.unwrap_or(&row.description),
        ]);
    }
    table.text()
}

/// What a commit would do: rows by verdict, sum, balances, the first rows, and those to look at.
pub(crate) fn review(import: &Import, first: &[ImportRow], doubtful: &[ImportRow]) -> String {
    let mut parts = vec![format!("Review of {}", text::clean(file_name(import)))];
    parts.extend(answers(import).map(|answers| text::clean(&format!("Read with {answers}"))));
    parts.extend(mapping(import).map(|said| text::clean(&format!("Read under {said}"))));
    parts.extend(import.counts.as_ref().map(counts));
    parts.extend(balances(import));
    parts.extend(warnings(import));
    parts.extend(gap::gaps(&import.balance_gaps, import.balance_gap_count));
    parts.extend(accounts(import));
    if !first.is_empty() {
        parts.push(format!("First rows:\n{}", rows(first)));
    }
    if !doubtful.is_empty() {
        parts.push(format!("Rows to look at:\n{}", self::doubtful(doubtful)));
    }
    parts.join("\n\n")
}

/// What a commit has done.
pub(crate) fn committed(import: &Import) -> String {
    let included = import
        .counts
        .as_ref()
        .map_or(0, |counts| counts.included_count);
    let mut line = format!(
        "Committed {} from {}",
        text::count(included, "transaction"),
        text::clean(file_name(import))
    );
    let linked = import.counts.as_ref().map_or(0, |it| it.linked_count);
    if linked > 0 {
        line.push_str(&format!(" and linked {linked} entered by hand"));
    }
    if import.accounts.len() > 1 {
        line.push_str(&format!(" into {} accounts", import.accounts.len()));
    } else if let Some(balance) = &import.balance_after {
        line.push_str(&format!(
            "; the balance is {}",
            amount::with_currency(balance)
        ));
    }
    line.push_str(&format!(" (import {})", import.import_id));
    line
}

/// What undoing it has done.
pub(crate) fn reverted(import: &Import) -> String {
    let reversal = import.reversal.unwrap_or_default();
    let mut text = format!(
        "Undone {}: removed {} (import {})",
        text::clean(file_name(import)),
        text::count(reversal.removed_count, "transaction"),
        import.import_id
    );
    if reversal.kept_count > 0 {
        text.push_str(&format!(
            "\nKept {} edited by hand since; `djinn transactions list --import {}` lists them",
            text::count(reversal.kept_count, "transaction"),
            import.import_id
        ));
    }
    text
}

fn doubtful(rows: &[ImportRow]) -> String {
    let headers = ["ROW", "LINE", "VERDICT", "IN", "REASON", "WHY"];
    let mut table = Table::new(headers).right(0).right(1);
    for row in rows {
        let (reason, message) = match (problem(row), &row.resembles) {
            (Some(problem), _) => (&*problem.reason, problem.message.clone()),
            (None, Some(stored)) => (&*stored.reason, resembling(row, stored)),
            (None, None) => ("", "the transaction it resembled is gone".to_owned()),
        };
        table.row([
            &row.row_number.to_string(),
            &row.line.to_string(),
            &verdict(row),
            included(row),
            reason,
            &message,
        ]);
    }
    table.text()
}

/// Why a row cannot be read; of a repaired one that is past.
fn problem(row: &ImportRow) -> Option<&RowProblem> {
    let invalid = row.verdict() == RowVerdict::Invalid;
    row.problem.as_ref().filter(|_| invalid)
}

/// What matching says of a row, with a mark if a person has edited it.
fn verdict(row: &ImportRow) -> String {
    let mark = if row.edited_fields.is_empty() {
        ""
    } else {
        " *"
    };
    format!("{}{mark}", text::verdict(row.verdict()))
}

/// What becomes of a row, in a word.
fn included(row: &ImportRow) -> &'static str {
    match (row.action(), row.included) {
        (RowAction::Link, _) => "link",
        (_, true) => "yes",
        (_, false) => "no",
    }
}

/// A row, what it resembles, and why.
fn resembling(row: &ImportRow, stored: &RowResemblance) -> String {
    let line = |booked_on: &str, amount: Option<&Money>, counterparty: &str, text: &str| {
        let name = if counterparty.is_empty() {
            text
        } else {
            counterparty
        };
        format!("{booked_on} {} {name}", decimal(amount))
    };
    let ours = line(
        &row.booked_on,
        row.amount.as_ref(),
        &row.counterparty,
        &row.description,
    );
    let theirs = line(
        &stored.booked_on,
        stored.amount.as_ref(),
        &stored.counterparty,
        &stored.description,
    );
    format!("{ours} | ledger: {theirs} | {}", stored.message)
}

fn counts(counts: &ImportCounts) -> String {
    let mut table = Table::new(["VERDICT", "ROWS"]).right(1);
    for (verdict, count) in [
        ("new", counts.new_count),
        ("duplicate", counts.duplicate_count),
        ("deleted before", counts.deleted_before_count),
        ("changed", counts.changed_count),
        ("suspected", counts.suspected_count),
        ("invalid", counts.invalid_count),
        ("all", counts.row_count),
        ("added by the commit", counts.included_count),
        ("linked by the commit", counts.linked_count),
        ("edited here", counts.edited_count),
    ] {
        table.row([verdict, &count.to_string()]);
    }
    table.text()
}

fn balances(import: &Import) -> Option<String> {
    let mut table = Table::new(["", "AMOUNT", "CURRENCY"]).right(1);
    let lines = [
        ("sum of the included rows", &import.included_amount),
        ("balance before", &import.balance_before),
        ("balance after", &import.balance_after),
    ];
    for (label, money) in lines {
        let Some(money) = money else { continue };
        table.row([label, &amount::decimal(money), &money.currency_code]);
    }
    lines
        .iter()
        .any(|(_, money)| money.is_some())
        .then(|| table.text())
}

/// What one should know before confirming.
fn warnings(import: &Import) -> Option<String> {
    let line = |warning: &ImportWarning| text::clean(&format!("Warning: {}", warning.message));
    let lines: Vec<String> = import.warnings.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What a person said of the file, in the words of the command line.
fn mapping(import: &Import) -> Option<String> {
    let mapping = import.mapping.as_ref()?;
    let mut words = Vec::new();
    for (name, value) in [
        ("encoding", &mapping.encoding),
        ("delimiter", &mapping.delimiter),
    ] {
        if !value.is_empty() {
            words.push(format!("{name} {value}"));
        }
    }
    if mapping.header_line > 0 {
        words.push(format!("header line {}", mapping.header_line));
    }
    words.extend(mapping.columns.iter().map(|column| {
        let format = match &*column.format {
            "" => String::new(),
            format => format!(":{format}"),
        };
        format!("{}={}{format}", column.position, column.role)
    }));
    Some(words.join(" "))
}

/// What it does to each account, where there are several.
fn accounts(import: &Import) -> Option<String> {
    let mut table = Table::new([
        "ACCOUNT",
        "NUMBER",
        "IN THE FILE",
        "ROWS",
        "NEW",
        "INCLUDED",
        "AMOUNT",
        "BEFORE",
        "AFTER",
        "CURRENCY",
    ])
    .right(3)
    .right(4)
    .right(5)
    .right(6)
    .right(7)
    .right(8);
    for account in &import.accounts {
        table.row([
            &account.account_id,
            &account.number,
            &account.names.join(" "),
            &account.row_count.to_string(),
            &account.new_count.to_string(),
            &account.included_count.to_string(),
            &decimal(account.included_amount.as_ref()),
            &decimal(account.balance_before.as_ref()),
            &decimal(account.balance_after.as_ref()),
            currency(account.included_amount.as_ref()),
        ]);
    }
    (import.accounts.len() > 1).then(|| format!("Accounts:\n{}", table.text()))
}

/// The answers that it was read with, and whose they are: a template must not go unnoticed.
fn answers(import: &Import) -> Option<String> {
    let mut answers: Vec<String> = import
        .answers
        .iter()
        .map(|(key, choice)| format!("{key}={choice}"))
        .collect();
    answers.sort();
    let from = match &*import.template_id {
        "" => String::new(),
        template_id => format!(" from template {template_id}"),
    };
    (!answers.is_empty()).then(|| format!("{}{from}", answers.join(" ")))
}

fn file_name(import: &Import) -> &str {
    import
        .upload
        .as_ref()
        .map_or("", |upload| &upload.file_name)
}

#[cfg(test)]
mod tests {
    use djinn_proto::{common::v1::Money, imports::v1::ImportAccount};

    use super::*;

    #[test]
    fn a_review_says_with_which_answers_the_file_was_read() {
        let import = |template_id: &str, pairs: &[(&str, &str)]| Import {
            template_id: template_id.to_owned(),
            answers: pairs
                .iter()
                .map(|(key, choice)| ((*key).to_owned(), (*choice).to_owned()))
                .collect(),
            ..Import::default()
        };
        for (import, expected) in [
            (import("", &[]), "Review of "),
            (
                import("", &[("rows", "keep"), ("date", "0:dmy")]),
                "Review of \n\nRead with date=0:dmy rows=keep",
            ),
            (
                import("t1", &[("date", "0:dmy")]),
                "Review of \n\nRead with date=0:dmy from template t1",
            ),
        ] {
            assert_eq!(review(&import, &[], &[]), expected);
        }
    }

    #[test]
    fn a_review_shows_the_mapping_and_what_to_know() {
        use djinn_proto::imports::v1::{MappedColumn, Mapping};
        let column = |position, role: &str, format: &str| MappedColumn {
            position,
            role: role.to_owned(),
            format: format.to_owned(),
        };
        let import = Import {
            mapping: Some(Mapping {
                delimiter: "|".to_owned(),
                header_line: 3,
                columns: vec![column(3, "amount", "1.234,56"), column(4, "ignored", "")],
                ..Mapping::default()
            }),
            warnings: vec![ImportWarning {
                reason: "ROWS_LEFT_OUT".to_owned(),
                message: "2 of 9 rows are left out".to_owned(),
            }],
            ..Import::default()
        };
        assert_eq!(
            review(&import, &[], &[]),
            "Review of \n\nRead under delimiter | header line 3 3=amount:1.234,56 4=ignored\n\n\
             Warning: 2 of 9 rows are left out"
        );
    }

    #[test]
    fn a_review_of_several_accounts_shows_what_each_gets() {
        let euros = |minor_units| {
            Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units,
            })
        };
        let account = |account_id: &str, number: &str, names: &[&str]| ImportAccount {
            account_id: account_id.to_owned(),
            number: number.to_owned(),
            row_count: 3,
            new_count: 2,
            included_count: 2,
            included_amount: euros(-150),
            balance_before: euros(1_000),
            balance_after: euros(850),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let import = Import {
            accounts: vec![
                account("a1", "DE1234", &["DE1234"]),
                account("a2", "", &["CASH"]),
            ],
            ..Import::default()
        };
        let shown = review(&import, &[], &[]);
        let line = shown.lines().find(|line| line.contains("a1")).unwrap();
        let cells: Vec<&str> = line.split(['│', '┆']).map(str::trim).collect();
        let expected = [
            "a1", "DE1234", "DE1234", "3", "2", "2", "-1.50", "10.00", "8.50", "EUR",
        ];
        assert_eq!(cells.get(1..11), Some(&expected[..]), "{shown}");
        let one = Import {
            accounts: vec![account("a1", "DE1234", &["DE1234"])],
            ..Import::default()
        };
        assert_eq!(review(&one, &[], &[]), "Review of ");
    }
}
