//! What a person says of a file at the command line: its columns and how its text is written.

use djinn_proto::imports::v1::{MappedColumn, Mapping};

/// What the file does not say, or says wrongly.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Said {
    /// What a column means, as in 3=amount or "1=booked_on:day, month, year"; may be given several
    /// times. The words are those of the preview's columns, and `ignored`.
    #[arg(long = "column", value_name = "POSITION=ROLE[:FORMAT]", value_parser = column)]
    columns: Vec<MappedColumn>,
    /// The encoding of the text, as windows-1252.
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The delimiter between columns; \t is a tab.
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// The line of the header, counted from 1.
    #[arg(long, value_name = "LINE", value_parser = clap::value_parser!(i64).range(1..))]
    header_line: Option<i64>,
}

impl Said {
    /// As the server takes it; none when nothing is said.
    pub(crate) fn mapping(self) -> Option<Mapping> {
        let mapping = Mapping {
            encoding: self.encoding.unwrap_or_default(),
            delimiter: self.delimiter.unwrap_or_default(),
            header_line: self.header_line.unwrap_or_default(),
            columns: self.columns,
        };
        (mapping != Mapping::default()).then_some(mapping)
    }
}

fn column(text: &str) -> Result<MappedColumn, String> {
    let wrong = || format!("{text:?} is no column; write it as 3=amount");
    let (position, meaning) = text.split_once('=').ok_or_else(wrong)?;
    let (role, format) = meaning.split_once(':').unwrap_or((meaning, ""));
    let position = position
        .trim()
        .parse()
        .ok()
        .filter(|position| *position > 0);
    Ok(MappedColumn {
        position: position.ok_or_else(wrong)?,
        role: role.trim().to_owned(),
        format: format.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_position_a_role_and_perhaps_a_format() {
        for (text, expected) in [
            ("3=amount", Some((3, "amount", ""))),
            (
                " 1 = booked_on : day, month, year",
                Some((1, "booked_on", "day, month, year")),
            ),
            ("0=amount", None),
            ("x=amount", None),
            ("3", None),
        ] {
            let found = column(text).ok();
            let found = found.as_ref().map(|c| (c.position, &*c.role, &*c.format));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn without_a_word_there_is_no_mapping() {
        assert_eq!(Said::default().mapping(), None);
        let said = Said {
            delimiter: Some("|".to_owned()),
            ..Said::default()
        };
        assert_eq!(said.mapping().unwrap().delimiter, "|");
    }
}
