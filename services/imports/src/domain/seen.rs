//! The first look at a file, before anything is decided of it: which text, which table, and what
//! its columns hold. It judges nothing but whether there is a table of rows with dates.

use chrono::NaiveDate;

use super::column::{self, Survey};
use super::dialect;
use super::encoding::{self, Charset, Detected};
use super::layout::Layout;
use super::mapping::{self, Mapping};
use super::reading::{ReadError, Refusal, Source};
use super::record::{self, Dialect};
use super::year;

/// What is known of the file when its rows have been surveyed.
pub(super) struct Seen {
    pub(super) charset: Charset,
    pub(super) dialect: Dialect,
    pub(super) layout: Layout,
    pub(super) survey: Survey,
}

/// Looks at bytes, text and table, and surveys the rows.
pub(super) fn see(
    source: &dyn Source,
    today: NaiveDate,
    mapping: &Mapping,
) -> Result<Result<Seen, Refusal>, ReadError> {
    let detected = match &mapping.encoding {
        Some(name) => mapping::stated(source, name)?,
        None => encoding::detect(source)?,
    };
    let charset = match detected {
        Detected::Text(charset) => charset,
        Detected::Refused(refusal) => return Ok(Err(refusal)),
    };
    let found = dialect::detect(source, &charset, today, mapping.delimiter)?;
    if found.records.is_empty() {
        let detail = "The text has no columns. Download the statement as CSV.";
        return Ok(Err(Refusal::new("NO_TABLE", detail)));
    }
    let (dialect, layout) = match year::lay_out(found, today, mapping) {
        Ok(found) => found,
        Err(unfit) => return Ok(Err(unfit.into())),
    };
    if layout.date_columns.is_empty() {
        // A line over the limit may hide all that follows: then that is what is wrong.
        record::check(source, &charset, &dialect)?;
        let detail = "No column holds dates. Is this a statement of transactions?";
        return Ok(Err(Refusal::new("NO_DATE_COLUMN", detail)));
    }
    let survey = column::survey(source, &charset, &dialect, &layout, today)?;
    if survey.rows == 0 {
        let detail = "The statement has no rows. Choose a longer period.";
        return Ok(Err(Refusal::new("NO_ROWS", detail)));
    }
    if let Some(line) = survey.other_table {
        let detail = format!("Another table begins on line {line}. Import the tables one by one.");
        return Ok(Err(Refusal::new("SEVERAL_TABLES", detail)));
    }
    Ok(Ok(Seen {
        charset,
        dialect,
        layout,
        survey,
    }))
}
