//! Templates: what was answered about statements of one format.

use djinn_proto::imports::v1::Template;

use super::{table::Table, text};

/// The templates.
pub(crate) fn list(templates: &[Template]) -> String {
    if templates.is_empty() {
        return "no templates; a committed import whose questions you answered leaves one"
            .to_owned();
    }
    let mut table = Table::new(["TEMPLATE", "NAME", "ACCOUNT", "ANSWERS", "CHANGED"]);
    for template in templates {
        table.row([
            &template.template_id,
            &template.name,
            &template.account_id,
            &answers(template, ", "),
            &text::moment(template.update_time),
        ]);
    }
    table.text()
}

/// A template with all that is known of it.
pub(crate) fn show(template: &Template) -> String {
    let columns = match template.columns.as_slice() {
        [] => "none: the statements have no header".to_owned(),
        columns => columns.join(" | "),
    };
    [
        format!("Template  {}", template.template_id),
        format!("Name      {}", template.name),
        format!("Account   {}", template.account_id),
        format!("Columns   {columns}"),
        format!("Answers   {}", answers(template, "  ")),
        format!("Changed   {}", text::moment(template.update_time)),
    ]
    .map(|line| text::clean(&line))
    .join("\n")
}

fn answers(template: &Template, between: &str) -> String {
    let mut answers: Vec<String> = template
        .answers
        .iter()
        .map(|(key, choice)| format!("{key}={choice}"))
        .collect();
    answers.sort();
    answers.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_shows_columns_and_answers() {
        let template = Template {
            template_id: "t".to_owned(),
            account_id: "a".to_owned(),
            name: "Giro\u{1b}".to_owned(),
            columns: vec!["Datum".to_owned(), "Betrag".to_owned()],
            answers: [("rows", "keep"), ("date", "0:dmy")]
                .map(|(key, choice)| (key.to_owned(), choice.to_owned()))
                .into(),
            ..Template::default()
        };
        assert_eq!(
            show(&template),
            "Template  t\nName      Giro\u{fffd}\nAccount   a\nColumns   Datum | Betrag\n\
             Answers   date=0:dmy  rows=keep\nChanged   "
        );
        assert!(list(&[template]).contains("date=0:dmy, rows=keep"));
    }
}
