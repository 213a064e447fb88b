//! How much of something each user has, with one limit for all of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use djinn_chassis::auth::UserId;

/// Counts by user. Clones count together.
#[derive(Clone)]
pub(crate) struct Tally {
    counts: Arc<Mutex<HashMap<UserId, usize>>>,
    max: usize,
}

/// One of a user's places, given back on drop.
pub(crate) struct Place {
    tally: Tally,
    user: UserId,
}

impl Tally {
    /// Every user has `max` places.
    pub(crate) fn new(max: usize) -> Self {
        let counts = Arc::default();
        Self { counts, max }
    }

    /// Takes one of the places of a user, if one is free.
    pub(crate) fn take(&self, user: UserId) -> Option<Place> {
        let mut counts = self.counts();
        let count = counts.entry(user).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        let tally = self.clone();
        Some(Place { tally, user })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.tally.counts();
        if let Entry::Occupied(mut count) = counts.entry(self.user) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_user_and_come_back() {
        let tally = Tally::new(2);
        let users = [1, 2].map(|id| UserId::new(uuid::Uuid::from_u128(id)));
        let first = [tally.take(users[0]), tally.take(users[0])];
        assert!(first.iter().all(Option::is_some));
        assert!(tally.take(users[0]).is_none());
        assert!(tally.take(users[1]).is_some());
        drop(first);
        assert!(tally.take(users[0]).is_some());
        assert!(tally.counts().is_empty(), "nobody is remembered");
    }
}
