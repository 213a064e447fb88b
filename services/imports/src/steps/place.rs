//! Places for chunks, each of which holds memory while it comes: so many for all, so many for one
//! user, and a wait that ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use djinn_chassis::auth::UserId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    Error,
    domain::chunk::{CHUNKS_MAX, FINISHES_MAX, PLACE_WAIT_MAX, USER_CHUNKS_MAX},
};

/// The places of this process; clones share them.
#[derive(Clone)]
pub struct Places {
    chunks: Arc<Semaphore>,
    /// Of those who hold or wait for a place, and of nobody else.
    users: Arc<Mutex<HashMap<UserId, Weak<Semaphore>>>>,
    finishes: Arc<Semaphore>,
}

/// A place, given back when it is dropped.
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// All of them, free.
    #[must_use]
    pub fn new() -> Self {
        Self {
            chunks: Arc::new(Semaphore::new(CHUNKS_MAX)),
            users: Arc::default(),
            finishes: Arc::new(Semaphore::new(FINISHES_MAX)),
        }
    }

    /// A place to receive a chunk in.
    ///
    /// # Errors
    /// [`Error::ChunksBusy`] when none is free in time.
    pub(super) async fn chunk(&self, user: UserId) -> Result<Place, Error> {
        let own = self.of(user);
        let place = async {
            // One's own first: whoever waits for it must not keep a place from the others.
            let own = take(own).await?;
            let all = take(Arc::clone(&self.chunks)).await?;
            Ok(Place {
                _all: all,
                _own: Some(own),
            })
        };
        let place = timeout(PLACE_WAIT_MAX, place).await;
        place.unwrap_or(Err(Error::ChunksBusy))
    }

    /// A place to put a file together in. The wait for it counts as putting together, and ends with
    /// that.
    ///
    /// # Errors
    /// None in practice: the places are never closed.
    pub(super) async fn finish(&self) -> Result<Place, Error> {
        let all = take(Arc::clone(&self.finishes)).await?;
        Ok(Place {
            _all: all,
            _own: None,
        })
    }

    fn of(&self, user: UserId) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, places| places.strong_count() > 0);
        if let Some(places) = users.get(&user).and_then(Weak::upgrade) {
            return places;
        }
        let places = Arc::new(Semaphore::new(USER_CHUNKS_MAX));
        users.insert(user, Arc::downgrade(&places));
        places
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}

async fn take(places: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    let place = places.acquire_owned().await;
    place.map_err(|error| Error::Task(error.into()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user() -> UserId {
        UserId::new(Uuid::new_v4())
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_has_a_share_of_the_places_and_all_have_them_all() {
        let places = Places::new();
        let greedy = user();
        let mut held = Vec::new();
        for _ in 0..USER_CHUNKS_MAX {
            held.push(places.chunk(greedy).await.unwrap());
        }
        assert!(matches!(places.chunk(greedy).await, Err(Error::ChunksBusy)));
        while held.len() < CHUNKS_MAX {
            held.push(places.chunk(user()).await.unwrap());
        }
        let late = user();
        let (waited, ()) = tokio::join!(places.chunk(late), async { drop(held.pop()) });
        drop(waited.unwrap());
        held.push(places.chunk(late).await.unwrap());
        assert!(matches!(places.chunk(user()).await, Err(Error::ChunksBusy)));
        drop(held);
        drop(places.chunk(greedy).await.unwrap());
        let known = places.users.lock().unwrap().len();
        assert_eq!(known, 1, "only those who hold a place are known");
    }
}
