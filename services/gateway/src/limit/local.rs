//! Buckets in this process's own memory, of which there are never more than so many.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use crate::domain::{Quota, Taken};

/// How often a table that is full is searched for what can be forgotten, in microseconds: each call
/// that finds it full would otherwise walk all of it.
const SWEEP_PAUSE_US: u64 = 1_000_000;

/// Buckets by their owner.
pub(super) struct Local<K> {
    table: Mutex<Table<K>>,
    buckets_max: usize,
}

struct Table<K> {
    /// When each bucket is full again, in microseconds.
    full_at: HashMap<K, u64>,
    swept_us: Option<u64>,
}

impl<K: Eq + Hash> Local<K> {
    pub(super) fn new(buckets_max: usize) -> Self {
        let (full_at, swept_us) = (HashMap::new(), None);
        Self {
            table: Mutex::new(Table { full_at, swept_us }),
            buckets_max,
        }
    }

    /// Takes calls out of a bucket; `None` if it is new and there is no place for it.
    pub(super) fn take(&self, key: K, quota: Quota, now_us: u64, units: u32) -> Option<Taken> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.full_at.get(&key).copied();
        if known.is_none() && !table.has_place(self.buckets_max, now_us) {
            return None;
        }
        let (taken, full_at) = quota.take(known, now_us, units);
        table.full_at.insert(key, full_at);
        Some(taken)
    }
}

impl<K: Eq + Hash> Table<K> {
    fn has_place(&mut self, buckets_max: usize, now_us: u64) -> bool {
        let due = self.swept_us.is_none_or(|at| now_us >= at + SWEEP_PAUSE_US);
        if self.full_at.len() >= buckets_max && due {
            // A full bucket is as good as none.
            self.full_at.retain(|_, full_at| *full_at > now_us);
            self.swept_us = Some(now_us);
        }
        self.full_at.len() < buckets_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        burst: 2,
        per_minute: 60,
    };

    #[test]
    fn each_owner_has_a_bucket() {
        let local = Local::new(10);
        let take = |key| local.take(key, QUOTA, 0, 1).map(|taken| taken.allowed);
        assert_eq!(
            [take('a'), take('a'), take('a')],
            [Some(true), Some(true), Some(false)]
        );
        assert_eq!(take('b'), Some(true));
    }

    #[test]
    fn a_table_never_grows_beyond_its_places_and_forgets_what_is_full_again() {
        let local = Local::new(3);
        for key in 0..3 {
            assert!(local.take(key, QUOTA, 0, 2).is_some());
        }
        assert_eq!(local.take(3, QUOTA, 500_000, 1), None);
        // Those that have a place keep it.
        assert_eq!(
            local.take(0, QUOTA, 500_000, 1).map(|taken| taken.allowed),
            Some(false)
        );
        // All of them are full by now, but a full table is searched only so often.
        assert_eq!(local.take(3, QUOTA, 1_000_000, 1), None);
        assert!(local.take(3, QUOTA, 2_600_000, 1).is_some());
        assert_eq!(local.table.lock().unwrap().full_at.len(), 1);
    }
}
