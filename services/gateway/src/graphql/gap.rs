//! Where the running balance of a file does not follow.

use async_graphql::SimpleObject;

use djinn_proto::imports::v1 as pb;

use super::{
    error::{Refused, Result},
    scalar::{Date, count},
};
use crate::domain::Owner;

/// A place where the running balance of a file does not follow from row to row: one is missing
/// there, in the file or among those that can be read. It speaks of the file: what is left out or
/// edited in review makes no gap and closes none.
#[derive(SimpleObject)]
pub(super) struct BalanceGap {
    /// Number of the row above it in the file.
    row_above: i32,
    /// Number of the row below it.
    row_below: i32,
    /// Line of the row above, counted from 1.
    line_above: i32,
    /// Line of the row below.
    line_below: i32,
    /// Date of booking of the row above.
    booked_above: Option<Date>,
    /// Date of booking of the row below.
    booked_below: Option<Date>,
    /// The balance that the later of the two rows ought to state, as a decimal number with the sign
    /// of the file's column.
    expected: String,
    /// The balance that it states.
    found: String,
    /// Found less expected: what the missing rows come to.
    difference: String,
    /// The first five rows between the two that cannot be read: one of them may explain it.
    unread: Vec<UnreadRow>,
    /// How many of those there are.
    unread_count: i32,
}

/// A row that cannot be read, by its place.
#[derive(SimpleObject)]
pub(super) struct UnreadRow {
    /// Its number.
    row_number: i32,
    /// Its line, counted from 1.
    line: i32,
    /// The reason of its problem.
    reason: String,
}

impl BalanceGap {
    pub(super) fn all(gaps: Vec<pb::BalanceGap>) -> Result<Vec<Self>> {
        gaps.into_iter().map(TryInto::try_into).collect()
    }
}

impl TryFrom<pb::BalanceGap> for BalanceGap {
    type Error = Refused;

    fn try_from(gap: pb::BalanceGap) -> Result<Self> {
        let owner = Owner::Imports;
        let unread = gap.unread.into_iter().map(TryInto::try_into);
        Ok(Self {
            row_above: count(gap.row_above, owner)?,
            row_below: count(gap.row_below, owner)?,
            line_above: count(gap.line_above, owner)?,
            line_below: count(gap.line_below, owner)?,
            booked_above: Date::read(gap.booked_above),
            booked_below: Date::read(gap.booked_below),
            expected: gap.expected,
            found: gap.found,
            difference: gap.difference,
            unread: unread.collect::<Result<_>>()?,
            unread_count: count(gap.unread_count, owner)?,
        })
    }
}

impl TryFrom<pb::UnreadRow> for UnreadRow {
    type Error = Refused;

    fn try_from(row: pb::UnreadRow) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            row_number: count(row.row_number, owner)?,
            line: count(row.line, owner)?,
            reason: row.reason,
        })
    }
}
