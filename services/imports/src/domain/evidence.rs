//! Why a file is read as it is, in words, for whoever reviews it.

use super::column::Survey;
use super::decision::Decision;
use super::encoding::{Charset, Level};
use super::layout::Layout;
use super::trial::Findings;
use super::when::When;

/// What everything else rests on: encoding, dates, amounts, and what lies around the table.
pub(super) fn gather(
    charset: &Charset,
    otherwise: Option<&Otherwise>,
    layout: &Layout,
    survey: &Survey,
    when: &When,
    decision: &Decision,
    findings: &Findings,
) -> Vec<String> {
    let name = &charset.name;
    let mut evidence = vec![match charset.level {
        Level::Certain => format!("The encoding is {name}."),
        Level::Likely => format!("The encoding is probably {name}."),
        Level::Guess => format!("The encoding is a guess: {name}."),
    }];
    if let Some(Otherwise {
        encoding,
        here,
        there,
    }) = otherwise
    {
        evidence.push(format!(
            "What reads {here:?} would be {there:?} in {encoding}."
        ));
    }
    evidence.extend(when.evidence.iter().chain(&decision.evidence).cloned());
    if layout.preamble > 0 {
        let count = layout.preamble;
        evidence.push(format!("{count} records stand in front of the table."));
    }
    if survey.summaries > 0 {
        let count = survey.summaries;
        evidence.push(format!("{count} rows state balances or totals."));
    }
    if findings.pending > 0 && decision.balance.is_none() {
        let count = findings.pending;
        evidence.push(format!(
            "{count} rows are pending and count: no balance speaks against them."
        ));
    }
    evidence
}

/// How a text of the file would read in another encoding that is as plausible.
pub(super) struct Otherwise {
    /// The other encoding's name.
    pub(super) encoding: String,
    /// As it reads.
    pub(super) here: String,
    /// As it would read.
    pub(super) there: String,
}
