//! Places for hashing: as many passwords are hashed at the same time as there are places, in the memory of the place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::facts::Secret;
use crate::identity::password::{self, Memory};

/// The places.
pub(super) struct Hashing {
    free: Arc<Semaphore>,
    memories: Memories,
}

/// Those of the free places that somebody has had; no more are ever made than there are places.
#[derive(Clone, Default)]
struct Memories(Arc<Mutex<Vec<Memory>>>);

/// A place, which is free again when this is dropped.
pub(super) struct Place {
    memory: Memory,
    memories: Memories,
    /// INVARIANT: given back after the memory, or whoever comes next would make another one.
    _permit: OwnedSemaphorePermit,
}

impl Hashing {
    pub(super) fn new(at_once: u16) -> Self {
        Self {
            free: Arc::new(Semaphore::new(usize::from(at_once))),
            memories: Memories::default(),
        }
    }

    /// Waits for a place; none once there are none any more.
    pub(super) async fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let memories = self.memories.clone();
        let memory = memories.lock().pop().unwrap_or_default();
        Some(Place {
            memory,
            memories,
            _permit: permit,
        })
    }
}

impl Place {
    /// Whether `password` is the one that `hash` was made from; an error says that nobody knows. It takes its time.
    pub(super) fn verify(&mut self, password: &Secret, hash: &str) -> Result<bool, String> {
        password::verify(password, hash, &mut self.memory)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.memories.lock().push(std::mem::take(&mut self.memory));
    }
}

impl Memories {
    fn lock(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn however_many_passwords_are_hashed_there_are_no_more_memories_than_places() {
        let hashing = Hashing::new(2);
        let hash = password::hash(&Secret::new("of ada")).unwrap();
        for round in 0..3 {
            let mut taken = [hashing.place().await.unwrap(), hashing.place().await.unwrap()];
            assert!(hashing.place().now_or_never().is_none(), "no third one");
            assert!(hashing.memories.lock().is_empty(), "both are in use: {round}");
            for place in &mut taken {
                assert_eq!(place.verify(&Secret::new("of bob"), &hash), Ok(false));
            }
            drop(taken);
            assert_eq!(hashing.memories.lock().len(), 2);
        }
        let place = hashing.place().await.unwrap();
        assert_eq!(hashing.memories.lock().len(), 1, "whoever comes next has one of them");
        assert!(place.memory.is_there());
    }
}
