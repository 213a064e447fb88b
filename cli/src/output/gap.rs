//! Where the balance of a statement does not follow from row to row.

use djinn_proto::imports::v1::BalanceGap;

use super::text;

/// The gaps, one line each, and how many there are beyond those that are told.
pub(crate) fn gaps(gaps: &[BalanceGap], count: i64) -> Option<String> {
    if count == 0 {
        return None;
    }
    let mut lines = vec!["The balance of the file does not follow:".to_owned()];
    lines.extend(gaps.iter().map(|gap| format!("  - {}", line(gap))));
    let told = i64::try_from(gaps.len()).unwrap_or(i64::MAX);
    if count > told {
        lines.push(format!(
            "  - and {} more",
            text::count(count - told, "place")
        ));
    }
    Some(lines.join("\n"))
}

fn line(gap: &BalanceGap) -> String {
    let lines = match gap.unread_count {
        0 => "a row may be missing".to_owned(),
        _ => explained(gap),
    };
    text::clean(&format!(
        "between line {} ({}) and {} ({}) the balance jumps by {}, to {} instead of {}: {lines}",
        gap.line_above,
        gap.booked_above,
        gap.line_below,
        gap.booked_below,
        gap.difference,
        gap.found,
        gap.expected,
    ))
}

/// The rows between the two that could not be read.
fn explained(gap: &BalanceGap) -> String {
    let rows = gap
        .unread
        .iter()
        .map(|row| format!("{} ({})", row.line, row.reason));
    let rows: Vec<String> = rows.collect();
    let told = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let more = match gap.unread_count - told {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "what could not be read there may explain it, line {}{more}",
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use djinn_proto::imports::v1::UnreadRow;

    use super::*;

    fn gap(unread: Vec<UnreadRow>, unread_count: i64) -> BalanceGap {
        BalanceGap {
            line_above: 12,
            line_below: 14,
            booked_above: "2024-01-16".to_owned(),
            booked_below: "2024-01-19".to_owned(),
            expected: "110.00".to_owned(),
            found: "80.00".to_owned(),
            difference: "-30.00".to_owned(),
            unread,
            unread_count,
            ..BalanceGap::default()
        }
    }

    #[test]
    fn a_gap_says_where_and_by_how_much() {
        let unread = UnreadRow {
            line: 13,
            reason: "NO_DATE".to_owned(),
            ..UnreadRow::default()
        };
        for (gap, end) in [
            (gap(Vec::new(), 0), "a row may be missing"),
            (
                gap(vec![unread], 3),
                "what could not be read there may explain it, line 13 (NO_DATE) and 2 more",
            ),
        ] {
            assert_eq!(
                gaps(&[gap], 2).unwrap(),
                format!(
                    "The balance of the file does not follow:\n  - between line 12 (2024-01-16) \
                     and 14 (2024-01-19) the balance jumps by -30.00, to 80.00 instead of 110.00: \
                     {end}\n  - and 1 place more"
                )
            );
        }
        assert_eq!(gaps(&[], 0), None);
    }
}
