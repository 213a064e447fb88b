//! A template: answers about statements of one format, and the file by which people give it to
//! others. The file says nothing of money, names or accounts, and a file that this release does not
//! understand in every part is refused.

use serde::{Deserialize, Serialize};

use super::answer::{Answers, TEXT_BYTES_MAX};
use super::heading::Heading;
use super::question::KEYS;
use super::record::COLUMNS_MAX;
use super::routing;

/// The version of the file. A reader of this version refuses newer ones.
pub const VERSION: u64 = 1;
/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// The longest name, in characters.
pub const NAME_MAX: usize = 255;
/// What a template is called whose file had no name but numbers.
const NAME_DEFAULT: &str = "statement";

/// Answers for statements with one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Name, for people.
    pub name: String,
    /// The format it is for.
    pub heading: Heading,
    /// The answers.
    pub answers: Answers,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    djinn_template: u64,
    name: String,
    delimiter: char,
    /// One for each column; all of them empty for statements without a header.
    columns: Vec<String>,
    answers: Answers,
}

/// The part that every version has.
#[derive(Deserialize)]
struct Versioned {
    djinn_template: u64,
}

/// A file that is no template, in words with the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFile(String);

fn bad<T>(problem: impl Into<String>) -> Result<T, BadFile> {
    Err(BadFile(problem.into()))
}

impl Template {
    /// The answers that serve others: which accounts rows go into is their owner's alone.
    #[must_use]
    pub fn portable_answers(&self) -> Answers {
        let answers = self.answers.iter();
        let portable = answers.filter(|(key, _)| !key.starts_with(routing::PREFIX));
        portable.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The file: JSON for people to look into.
    ///
    /// # Errors
    /// As the writer answers.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let file = File {
            djinn_template: VERSION,
            name: self.name.clone(),
            delimiter: self.heading.delimiter,
            columns: self.heading.columns.clone(),
            answers: self.portable_answers(),
        };
        let mut text = serde_json::to_vec_pretty(&file)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads what [`Self::write`] wrote, here or elsewhere.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(content: &[u8]) -> Result<Self, BadFile> {
        if content.len() > FILE_BYTES_MAX {
            return bad(format!(
                "is larger than {FILE_BYTES_MAX} bytes; send the file as ExportTemplate gave it"
            ));
        }
        let versioned: Versioned = match serde_json::from_slice(content) {
            Ok(versioned) => versioned,
            Err(error) => {
                let whole = "send the file as ExportTemplate gave it";
                return bad(format!("is no template: {error}; {whole}"));
            }
        };
        match versioned.djinn_template {
            VERSION => {}
            0 => return bad("is of version 0, which never was; this release reads version 1"),
            newer => {
                return bad(format!(
                    "is of version {newer} and this release reads up to {VERSION}; export it again \
                     from this release, or use a newer one"
                ));
            }
        }
        let file: File = match serde_json::from_slice(content) {
            Ok(file) => file,
            Err(error) => return bad(format!("is no template of version {VERSION}: {error}")),
        };
        file.check()?;
        Ok(Self {
            name: file.name.trim().to_owned(),
            heading: Heading {
                delimiter: file.delimiter,
                columns: file.columns,
            },
            answers: file.answers,
        })
    }

    /// Whether it can be given to others as a file and taken back, if it has answers for others.
    #[must_use]
    pub fn is_portable(&self) -> bool {
        self.write()
            .is_ok_and(|file| self.portable_answers().is_empty() || Self::read(&file).is_ok())
    }

    /// A good name for the file.
    #[must_use]
    pub fn file_name(&self) -> String {
        let plain = self.name.to_lowercase();
        let words = plain.split(|c: char| !c.is_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let stem: String = words.join("-").chars().take(60).collect();
        let stem = if stem.is_empty() { NAME_DEFAULT } else { &stem };
        format!("{stem}.djinn-template.json")
    }
}

impl File {
    fn check(&self) -> Result<(), BadFile> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
            return bad(format!("`name` must have 1 to {NAME_MAX} characters"));
        }
        if !self.delimiter.is_ascii() || self.delimiter.is_ascii_alphanumeric() {
            return bad("`delimiter` must be the character between columns, as \";\"");
        }
        if self.columns.is_empty() || self.columns.len() > COLUMNS_MAX {
            return bad(format!("`columns` must have 1 to {COLUMNS_MAX} names"));
        }
        if self.columns.iter().any(|name| name.contains('\0')) || self.delimiter == '\0' {
            return bad("NUL cannot be part of a template");
        }
        if self.answers.is_empty() {
            return bad("`answers` is empty; a template without answers serves nothing");
        }
        for (key, value) in &self.answers {
            if !KEYS.contains(&key.as_str()) {
                let keys = KEYS.join(", ");
                return bad(format!(
                    "`answers` has {key:?}; this release asks for {keys}"
                ));
            }
            if value.is_empty() || value.len() > TEXT_BYTES_MAX || value.contains(char::is_control)
            {
                return bad(format!(
                    "`answers.{key}` must be a choice of 1 to {TEXT_BYTES_MAX} bytes"
                ));
            }
        }
        Ok(())
    }
}

/// What a template is called after a file: its name without the ending and without every word that
/// has a digit. Banks put account numbers there, and templates are given to others.
#[must_use]
pub fn name_of(file_name: &str) -> String {
    let stem = file_name
        .rsplit_once('.')
        .map_or(file_name, |(stem, _)| stem);
    let words = stem.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty() && !word.contains(char::is_numeric))
        .collect();
    let name: String = words.join(" ").chars().take(NAME_MAX).collect();
    match name.trim() {
        "" => NAME_DEFAULT.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn sample() -> Template {
        let columns = ["Date", "Betrag\n(EUR)", ""].map(str::to_owned).to_vec();
        let answers = [("date".to_owned(), "0:dmy".to_owned())];
        Template {
            name: "Umsätze Giro".to_owned(),
            heading: Heading {
                delimiter: '\t',
                columns,
            },
            answers: answers.into_iter().collect(),
        }
    }

    #[test]
    fn a_template_there_and_back() {
        let template = sample();
        let file = template.write().unwrap();
        expect![[r#"
            {
              "djinn_template": 1,
              "name": "Umsätze Giro",
              "delimiter": "\t",
              "columns": [
                "Date",
                "Betrag\n(EUR)",
                ""
              ],
              "answers": {
                "date": "0:dmy"
              }
            }
        "#]]
        .assert_eq(std::str::from_utf8(&file).unwrap());
        assert_eq!(Template::read(&file).unwrap(), template);
        assert!(template.is_portable());
        let mut headerless = template;
        headerless.heading.columns = vec![String::new(); 19];
        let again = Template::read(&headerless.write().unwrap()).unwrap();
        assert_eq!(
            again.heading.fingerprint(),
            headerless.heading.fingerprint()
        );
    }

    fn no_templates() -> Vec<String> {
        let whole = |rest: &str| format!("{{\"djinn_template\":1,\"name\":\"n\",{rest}}}");
        vec![
            "".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            "{\"djinn_template\":\"1\"}".to_owned(),
            "{\"djinn_template\":0}".to_owned(),
            "{\"djinn_template\":2,\"colours\":[]}".to_owned(),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"]"),
            whole("\"delimiter\":\";;\",\"columns\":[\"a\"],\"answers\":{\"date\":\"x\"}"),
            whole("\"delimiter\":\"a\",\"columns\":[\"a\"],\"answers\":{\"date\":\"x\"}"),
            whole("\"delimiter\":\";\",\"columns\":[],\"answers\":{\"date\":\"x\"}"),
            whole("\"delimiter\":\";\",\"columns\":[1],\"answers\":{\"date\":\"x\"}"),
            whole("\"delimiter\":\";\",\"columns\":[\"\\u0000\"],\"answers\":{\"date\":\"x\"}"),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{}"),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{\"sign\":\"x\"}"),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{\"date\":\"\"}"),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{\"date\":1}"),
            whole("\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{\"date\":\"x\"},\"id\":1"),
            whole("\"name\":\"m\",\"delimiter\":\";\",\"columns\":[\"a\"],\"answers\":{}"),
        ]
    }

    #[test]
    fn what_is_no_template_is_refused_in_words() {
        let mut found = String::new();
        for content in no_templates() {
            let problem = Template::read(content.as_bytes()).unwrap_err().to_string();
            found += &problem
                .replace("; ", ";\n  ")
                .replace(": ", ":\n  ")
                .replace(", expected", ",\n  expected")
                .replace(" at line", "\n  at line");
            found.push('\n');
        }
        expect![[r#"
            is no template:
              EOF while parsing a value
              at line 1 column 0;
              send the file as ExportTemplate gave it
            is no template:
              invalid length 0,
              expected struct Versioned with 1 element
              at line 1 column 2;
              send the file as ExportTemplate gave it
            is no template:
              missing field `djinn_template`
              at line 1 column 2;
              send the file as ExportTemplate gave it
            is no template:
              invalid type:
              string "1",
              expected u64
              at line 1 column 21;
              send the file as ExportTemplate gave it
            is of version 0, which never was;
              this release reads version 1
            is of version 2 and this release reads up to 1;
              export it again from this release, or use a newer one
            is no template of version 1:
              missing field `answers`
              at line 1 column 63
            is no template of version 1:
              invalid value:
              string ";;",
              expected a character
              at line 1 column 47
            `delimiter` must be the character between columns, as ";"
            `columns` must have 1 to 512 names
            is no template of version 1:
              invalid type:
              integer `1`,
              expected a string
              at line 1 column 59
            NUL cannot be part of a template
            `answers` is empty;
              a template without answers serves nothing
            `answers` has "sign";
              this release asks for date, amount, rows
            `answers.date` must be a choice of 1 to 256 bytes
            is no template of version 1:
              invalid type:
              integer `1`,
              expected a string
              at line 1 column 82
            is no template of version 1:
              unknown field `id`,
              expected one of `djinn_template`, `name`, `delimiter`, `columns`, `answers`
              at line 1 column 90
            is no template of version 1:
              duplicate field `name`
              at line 1 column 37
        "#]]
        .assert_eq(&found);
    }

    #[test]
    fn limits_have_names() {
        let with = |change: fn(&mut Template)| {
            let mut template = sample();
            change(&mut template);
            Template::read(&template.write().unwrap())
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        let columns = |count: usize| vec!["a".to_owned(); count];
        assert_eq!(with(|t| t.name = "n".repeat(255)), Ok(()));
        assert!(with(|t| t.name = "n".repeat(256)).is_err());
        assert!(with(|t| t.name = "  ".to_owned()).is_err());
        let mut wide = sample();
        wide.heading.columns = columns(512);
        assert!(wide.is_portable());
        wide.heading.columns = columns(513);
        assert!(!wide.is_portable());
        let mut large = sample();
        large.heading.columns = vec!["a".repeat(FILE_BYTES_MAX)];
        let error = Template::read(&large.write().unwrap()).unwrap_err();
        assert!(error.to_string().contains("65536 bytes"), "{error}");
    }

    #[test]
    fn names_come_from_files_and_carry_no_numbers() {
        for (file_name, expected) in [
            ("statement.csv", "statement"),
            ("Umsätze_DE02120300000000202051_2026-01.csv", "Umsätze"),
            ("Kontoauszug Giro (3).CSV", "Kontoauszug Giro"),
            ("2026-01-31.csv", "statement"),
            ("export", "export"),
            (".csv", "statement"),
            ("", "statement"),
        ] {
            assert_eq!(name_of(file_name), expected, "{file_name}");
        }
        assert_eq!(name_of(&"a".repeat(300)).chars().count(), NAME_MAX);
    }

    #[test]
    fn files_are_named_for_every_system() {
        for (name, expected) in [
            ("Umsätze Giro", "umsätze-giro.djinn-template.json"),
            ("../../etc/passwd", "etc-passwd.djinn-template.json"),
            ("***", "statement.djinn-template.json"),
        ] {
            let template = Template {
                name: name.to_owned(),
                ..sample()
            };
            assert_eq!(template.file_name(), expected);
        }
    }
}
