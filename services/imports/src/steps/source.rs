//! A stored file as the reader wants it: blocking, from the beginning as often as it asks, and
//! never whole in memory.

use std::io::{self, Read};

use djinn_chassis::objects::Objects;
use tokio::runtime::Handle;
use tokio_util::io::SyncIoBridge;

use crate::{Error, domain::reading::Source};

/// A file in the object store. Reads only on a thread that may block.
pub(crate) struct StoredFile {
    objects: Objects,
    key: String,
    runtime: Handle,
}

impl StoredFile {
    /// The object of this key; call it on the runtime.
    pub(crate) fn new(objects: Objects, key: String) -> Self {
        Self {
            objects,
            key,
            runtime: Handle::current(),
        }
    }
}

impl Source for StoredFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let opened = self.runtime.block_on(self.objects.open(&self.key));
        let reader = opened.map_err(io::Error::other)?;
        Ok(Box::new(SyncIoBridge::new_with_handle(
            reader,
            self.runtime.clone(),
        )))
    }
}

/// Runs reading where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Task(error.into()))?
}
