//! Readiness: a process is ready when each of its named parts is.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// The named parts of a process and whether each is ready; cheap to clone.
///
/// Ready as a whole means ready in every part; a part counts from the moment it is named, as not
/// ready.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: watch::Sender<BTreeMap<String, bool>>,
}

/// One part of a process, held by whoever knows whether it is ready; cheap to clone.
#[derive(Clone, Debug)]
pub struct Part {
    name: String,
    parts: watch::Sender<BTreeMap<String, bool>>,
}

impl Readiness {
    /// A process without parts, which is ready.
    #[must_use]
    pub fn new() -> Self {
        Self {
            parts: watch::Sender::new(BTreeMap::new()),
        }
    }

    /// Names a part, as `worker` or `database`. It is not ready until it says so.
    #[must_use]
    pub fn part(&self, name: impl Into<String>) -> Part {
        let part = Part {
            name: name.into(),
            parts: self.parts.clone(),
        };
        part.set(false);
        part
    }

    /// The names of the parts that are not ready; empty when all are.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let parts = self.parts.borrow();
        let missing = parts.iter().filter(|(_, ready)| !**ready);
        missing.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn subscribe(&self) -> Changes {
        Changes(self.parts.subscribe())
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Part {
    /// Says whether this part is ready. A change is logged.
    pub fn set(&self, ready: bool) {
        let changed = self
            .parts
            .send_if_modified(|parts| parts.insert(self.name.clone(), ready) != Some(ready));
        if changed {
            tracing::info!(part = self.name, ready, "readiness");
        }
    }
}

/// Notice of changes.
pub(super) struct Changes(watch::Receiver<BTreeMap<String, bool>>);

impl Changes {
    /// Waits for a change since the last call.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could change anything.
            std::future::pending::<()>().await;
        }
    }
}
