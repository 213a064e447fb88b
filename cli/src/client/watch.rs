//! Following an import through broken connections.

use std::time::Duration;

use djinn_proto::imports::v1::{Import, WatchImportResponse};
use tokio::time::Instant;
use tonic::Streaming;

use super::Client;
use crate::error::Error;

/// Waits before opening the stream again; after the last one the watch gives up. In all half a
/// minute: a gateway that is upgraded is back by then.
const BACKOFF: [Duration; 8] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(6),
    Duration::from_secs(8),
    Duration::from_secs(8),
];

/// A stream that lived this long shows that the server is well: the count of tries starts again.
/// Proxies and connection ages end long streams regularly.
const HEALTHY: Duration = Duration::from_secs(10);

/// The states of an import, one after the other.
pub(crate) struct Watch<'a> {
    client: &'a Client,
    import_id: String,
    stream: Option<Streaming<WatchImportResponse>>,
    opened_at: Instant,
    breaks: usize,
    last: Option<Import>,
}

impl Client {
    /// Follows an import.
    pub(crate) fn watch(&self, import_id: &str) -> Watch<'_> {
        Watch {
            client: self,
            import_id: import_id.to_owned(),
            stream: None,
            opened_at: Instant::now(),
            breaks: 0,
            last: None,
        }
    }
}

impl Watch<'_> {
    /// The next state that differs from the one before; the present state comes first. A stream
    /// that breaks or ends early is opened again.
    pub(crate) async fn next(&mut self) -> Result<Import, Error> {
        loop {
            match self.message().await {
                Ok(Some(import)) if self.last.as_ref() == Some(&import) => {}
                Ok(Some(import)) => {
                    self.breaks = 0;
                    self.last = Some(import.clone());
                    return Ok(import);
                }
                Ok(None) => self.pause(Error::Incomplete("WatchImport")).await?,
                Err(error) if error.transient() => self.pause(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn message(&mut self) -> Result<Option<Import>, Error> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.opened_at = Instant::now();
                let stream = self.client.open_watch(&self.import_id).await?;
                self.stream.insert(stream)
            }
        };
        match stream.message().await {
            Ok(Some(response)) => response
                .import
                .map(Some)
                .ok_or(Error::Incomplete("WatchImport")),
            Ok(None) => Ok(None),
            Err(status) => Err(self.client.error(status)),
        }
    }

    /// Waits before the next try, or gives up with what broke the stream.
    async fn pause(&mut self, error: Error) -> Result<(), Error> {
        self.stream = None;
        if self.opened_at.elapsed() >= HEALTHY {
            self.breaks = 0;
        }
        let Some(wait) = BACKOFF.get(self.breaks) else {
            return Err(error);
        };
        self.breaks += 1;
        tokio::time::sleep(*wait).await;
        Ok(())
    }
}
