//! Where the balance of a file does not follow, in words.

use djinn_proto::imports::v1::{BalanceGap, ImportWarning, UnreadRow};

use super::date;
use crate::domain::gap::{Edge, Gap, Gaps, Unread};

pub(in crate::grpc) fn gaps(gaps: &Gaps) -> Vec<BalanceGap> {
    gaps.first.iter().map(show).collect()
}

pub(in crate::grpc) fn gap_count(gaps: &Gaps) -> i64 {
    i64::try_from(gaps.count).unwrap_or(i64::MAX)
}

/// What is to be said before a confirmation.
pub(super) fn warning(gaps: &Gaps) -> Option<ImportWarning> {
    let places = match gaps.count {
        0 => return None,
        1 => "in one place".to_owned(),
        count => format!("in {count} places"),
    };
    Some(ImportWarning {
        reason: "BALANCE_GAPS".to_owned(),
        message: format!(
            "the balance of this file does not follow {places}: rows may be missing there"
        ),
    })
}

fn show(gap: &Gap) -> BalanceGap {
    BalanceGap {
        row_above: i64::from(gap.above.row_number),
        row_below: i64::from(gap.below.row_number),
        line_above: line(gap.above.line),
        line_below: line(gap.below.line),
        booked_above: booked(gap.above),
        booked_below: booked(gap.below),
        expected: gap.expected.clone(),
        found: gap.found.clone(),
        difference: gap.difference.clone(),
        unread: gap.unread.iter().map(unread).collect(),
        unread_count: i64::try_from(gap.unread_count).unwrap_or(i64::MAX),
    }
}

fn unread(row: &Unread) -> UnreadRow {
    UnreadRow {
        row_number: i64::from(row.row_number),
        line: line(row.line),
        reason: row.reason.clone(),
    }
}

fn booked(edge: Edge) -> String {
    date(edge.booked_on)
}

fn line(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}
