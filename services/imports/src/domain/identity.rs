//! Whether a column of ids names every row once, without holding the ids: a million of them would
//! be most of what the service may hold.
//!
//! Banks number their bookings, so ids mostly rise or fall through the file, and then each differs
//! from all before it. Where they do not, a second pass remembers a hash of each.

use std::cmp::Ordering;

/// What has been seen of the ids so far.
pub(super) struct Ids {
    way: Way,
    last: String,
    missing: bool,
    repeated: bool,
}

enum Way {
    /// Each is compared with the one before; the direction once there is one.
    InOrder(Option<Ordering>),
    /// They neither rise nor fall: only hashes tell.
    Unordered,
    /// Hashes of all of them.
    Hashed(Vec<u64>),
}

impl Ids {
    /// Looks at their order.
    pub(super) fn in_order() -> Self {
        Self::on(Way::InOrder(None))
    }

    /// Remembers a hash of each.
    pub(super) fn hashed() -> Self {
        Self::on(Way::Hashed(Vec::new()))
    }

    fn on(way: Way) -> Self {
        Self {
            way,
            last: String::new(),
            missing: false,
            repeated: false,
        }
    }

    /// Whether this way tells nothing, and hashes must.
    pub(super) fn unordered(&self) -> bool {
        matches!(self.way, Way::Unordered) && !self.settled()
    }

    /// Whether nothing that follows can change the answer.
    fn settled(&self) -> bool {
        self.missing || self.repeated
    }

    pub(super) fn observe(&mut self, cell: &str) {
        self.missing |= cell.is_empty();
        if self.settled() {
            return;
        }
        // Digits of different length are numbers in order; any total order serves.
        let order = self.last.len().cmp(&cell.len());
        let order = order.then_with(|| self.last.as_str().cmp(cell));
        let first = self.last.is_empty();
        self.repeated |= !first && order == Ordering::Equal;
        if self.repeated {
            self.way = Way::Unordered;
            return;
        }
        match &mut self.way {
            Way::InOrder(direction) => {
                if !first && *direction.get_or_insert(order) != order {
                    self.way = Way::Unordered;
                }
            }
            Way::Unordered => {}
            Way::Hashed(hashes) => hashes.push(hash(cell)),
        }
        self.last.clear();
        self.last.push_str(cell);
    }

    /// Whether all are there and differ.
    pub(super) fn distinct(self) -> bool {
        if self.settled() {
            return false;
        }
        match self.way {
            Way::InOrder(_) => true,
            Way::Unordered => false,
            Way::Hashed(mut hashes) => {
                hashes.sort_unstable();
                !hashes.windows(2).any(|pair| pair.first() == pair.last())
            }
        }
    }
}

/// FNV-1a, 64 bits: a collision only costs the ids of one file.
fn hash(cell: &str) -> u64 {
    cell.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_or_not_whichever_way_is_taken() {
        for (ids, unordered, distinct) in [
            (&["1", "2", "10"][..], false, true),
            (&["10", "9", "8"], false, true),
            (&["a", "b", "c", "ab"], false, true),
            (&["7"], false, true),
            (&["1", "2", "2"], false, false),
            (&["1", "", "2"], false, false),
            (&["1", "3", "2"], true, true),
            (&["1", "3", "2", "1"], true, false),
            (&["2", "1", "2"], true, false),
            (&["2", "1", "3", "3"], false, false),
        ] {
            let through = |mut found: Ids| {
                ids.iter().for_each(|id| found.observe(id));
                found
            };
            assert_eq!(through(Ids::in_order()).unordered(), unordered, "{ids:?}");
            assert_eq!(through(Ids::hashed()).distinct(), distinct, "{ids:?}");
            if !unordered {
                assert_eq!(through(Ids::in_order()).distinct(), distinct, "{ids:?}");
            }
        }
    }
}
