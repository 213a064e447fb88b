//! How a file reads: columns, formats, evidence, first rows, and what it leaves open.

use djinn_proto::imports::v1::{PreviewReading, PreviewRow, Question, QuestionChoice, Reading};

use super::{gap, table::Table, text};

/// A whole preview.
pub(crate) fn preview(reading: &PreviewReading, rows: &[PreviewRow]) -> String {
    let mut parts = Vec::new();
    if let Some(reading) = &reading.reading {
        parts.push(self::reading(reading));
    }
    let (bad, good): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.problem.is_some());
    if !good.is_empty() {
        parts.push(self::rows(&good));
    }
    if !bad.is_empty() {
        parts.push(problems(&bad));
    }
    parts.extend(gap::gaps(&reading.balance_gaps, reading.balance_gap_count));
    if !reading.questions.is_empty() {
        parts.push(questions(&reading.questions));
    }
    parts.join("\n\n")
}

/// What the file is taken for, and why.
pub(crate) fn reading(reading: &Reading) -> String {
    let delimiter = match &*reading.delimiter {
        "\t" => "tab",
        delimiter => delimiter,
    };
    let header = match reading.header_line {
        0 => "no header".to_owned(),
        line => format!("header in line {line}"),
    };
    let currency = match &*reading.currency_code {
        "" => "no currency in the file",
        code => code,
    };
    let mut out = text::clean(&format!(
        "Read as {}, delimiter {delimiter}, {header}, {currency}",
        reading.encoding
    ));
    let mut table = Table::new(["COLUMN", "NAME", "MEANING", "FORMAT"]).right(0);
    for column in &reading.columns {
        table.row([
            &column.position.to_string(),
            &column.name,
            &column.role,
            &column.format,
        ]);
    }
    out.push('\n');
    out.push_str(&table.text());
    for evidence in &reading.evidence {
        out.push_str("\n  - ");
        out.push_str(&text::clean(evidence));
    }
    out
}

/// What only the owner of the file knows.
pub(crate) fn questions(questions: &[Question]) -> String {
    let mut lines = vec!["Questions, the likeliest answer first:".to_owned()];
    for question in questions {
        lines.push(format!(
            "  {} ({})",
            text::clean(&question.prompt),
            text::clean(&question.key)
        ));
        for choice in &question.choices {
            lines.push(format!(
                "    --answer {}={}  {}",
                text::clean(&question.key),
                text::clean(&choice.value),
                text::clean(&choice.label)
            ));
            for sample in &choice.samples {
                lines.push(format!("        {}", text::clean(sample)));
            }
        }
    }
    lines.join("\n")
}

/// The choices of a question as items of a menu, each with its rows below it while the terminal has
/// lines enough: a menu that scrolls out of sight cannot be drawn again.
pub(crate) fn items(question: &Question, lines: usize, columns: usize) -> Vec<String> {
    let width = columns.saturating_sub(3).max(20);
    let cut = |text: String| text::clean(&text).chars().take(width).collect::<String>();
    let height = |choice: &QuestionChoice| 1 + choice.samples.len();
    let fits = question.choices.iter().map(height).sum::<usize>() + 2 < lines;
    let item = |choice: &QuestionChoice| {
        let mut text = cut(choice.label.clone());
        for sample in choice.samples.iter().filter(|_| fits) {
            text.push('\n');
            text.push_str(&cut(format!("      {sample}")));
        }
        text
    };
    question.choices.iter().map(item).collect()
}

fn rows(rows: &[&PreviewRow]) -> String {
    let mut table = Table::new([
        "LINE",
        "BOOKED",
        "AMOUNT",
        "CURRENCY",
        "COUNTERPARTY",
        "DESCRIPTION",
    ])
    .right(0)
    .right(2);
    for row in rows {
        table.row([
            &row.line.to_string(),
            &row.booked_on,
            &row.amount,
            &row.currency_code,
            &row.counterparty,
            &row.description,
        ]);
    }
    table.text()
}

fn problems(rows: &[&PreviewRow]) -> String {
    let mut table = Table::new(["LINE", "REASON", "PROBLEM", "ORIGINAL"]).right(0);
    for row in rows {
        let problem = row.problem.clone().unwrap_or_default();
        table.row([
            &row.line.to_string(),
            &problem.reason,
            &problem.message,
            &problem.original,
        ]);
    }
    format!("Rows that cannot be read:\n{}", table.text())
}

#[cfg(test)]
mod tests {
    use djinn_proto::imports::v1::ReadingColumn;

    use super::*;

    #[test]
    fn a_reading_names_its_columns_and_its_evidence() {
        let shown = reading(&Reading {
            encoding: "windows-1252".to_owned(),
            delimiter: ";".to_owned(),
            header_line: 3,
            columns: vec![ReadingColumn {
                position: 2,
                name: "Betrag".to_owned(),
                role: "amount".to_owned(),
                format: "1.234,56".to_owned(),
            }],
            currency_code: String::new(),
            evidence: vec!["the balance runs along".to_owned()],
        });
        let first = "Read as windows-1252, delimiter ;, header in line 3, no currency in the file";
        assert!(shown.starts_with(first), "{shown}");
        assert!(
            shown.contains("│      2 ┆ Betrag ┆ amount  ┆ 1.234,56 │"),
            "{shown}"
        );
        assert!(shown.ends_with("\n  - the balance runs along"), "{shown}");
    }

    #[test]
    fn a_menu_has_rows_while_they_fit_the_terminal() {
        let choice = |label: &str| QuestionChoice {
            label: label.to_owned(),
            samples: vec![
                "2 January 2025  -3.20 EUR  Coffee\nshop".to_owned(),
                "b".to_owned(),
            ],
            ..QuestionChoice::default()
        };
        let question = Question {
            choices: vec![choice("the day"), choice("the month")],
            ..Question::default()
        };
        for (lines, columns, expected) in [
            (
                24,
                80,
                "the day\n      2 January 2025  -3.20 EUR  Coffee shop\n      b",
            ),
            (24, 30, "the day\n      2 January 2025  -3.20\n      b"),
            (8, 80, "the day"),
        ] {
            let items = items(&question, lines, columns);
            assert_eq!((items.len(), items[0].as_str()), (2, expected), "{lines}");
        }
    }

    #[test]
    fn a_question_shows_how_to_answer_it() {
        let shown = questions(&[Question {
            key: "date_order".to_owned(),
            prompt: "Which comes first?".to_owned(),
            choices: vec![QuestionChoice {
                value: "day_first".to_owned(),
                label: "the day".to_owned(),
                samples: vec!["2 January 2025".to_owned()],
            }],
        }]);
        assert_eq!(
            shown,
            "Questions, the likeliest answer first:\n  Which comes first? (date_order)\n    \
             --answer date_order=day_first  the day\n        2 January 2025"
        );
    }
}
