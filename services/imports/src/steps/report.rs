//! The report of rows that could not be read: page by page out of the database, so that memory does
//! not grow with what is wrong with a file.

use tokio::sync::mpsc;

use super::{Key, Steps, find};
use crate::{
    Error,
    domain::report,
    store::{
        self,
        import::Import,
        review::{Content, ReviewRow, RowFilter},
        staging::Target,
    },
};

/// Rows that are read at once.
const ROWS_READ: i64 = 500;
/// Bytes that are sent at once, a little more with the last row.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that wait to be sent.
const CHUNKS_AHEAD: usize = 2;

impl Steps {
    /// Sends the rows of an import that could not be read, in the order of the file. When the file
    /// is read otherwise meanwhile, the report ends with [`Error::EtagMismatch`] and is not whole.
    pub(crate) fn report(
        &self,
        key: Key,
        import: &Import,
    ) -> mpsc::Receiver<Result<Vec<u8>, Error>> {
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let (steps, target) = (self.clone(), import.target());
        tokio::spawn(async move {
            if let Err(error) = steps.send_report(key, target, &sender).await {
                // Nobody to tell when the client has gone.
                drop(sender.send(Err(error)).await);
            }
        });
        receiver
    }

    async fn send_report(
        &self,
        key: Key,
        target: Target,
        sender: &mpsc::Sender<Result<Vec<u8>, Error>>,
    ) -> Result<(), Error> {
        let mut text = report::HEADER.to_owned();
        let mut after = 0;
        loop {
            let page = self.rejected(key, target, after).await?;
            let more = i64::try_from(page.len()).is_ok_and(|count| count == ROWS_READ);
            for row in page {
                after = row.row_number;
                if let Content::Rejected {
                    reason,
                    message,
                    original,
                } = row.content
                {
                    report::append(&mut text, row.line, &reason, &message, &original);
                }
                if text.len() >= CHUNK_BYTES {
                    let chunk = std::mem::take(&mut text).into_bytes();
                    if sender.send(Ok(chunk)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            if !more {
                break;
            }
        }
        if !text.is_empty() {
            drop(sender.send(Ok(text.into_bytes())).await);
        }
        Ok(())
    }

    async fn rejected(
        &self,
        key: Key,
        target: Target,
        after: i32,
    ) -> Result<Vec<ReviewRow>, Error> {
        let filter = RowFilter {
            invalid: true,
            after,
            ..RowFilter::default()
        };
        let mut transaction = self.store.user(key.user).await?;
        let rows = store::review::list(&mut transaction, target, &filter, ROWS_READ).await?;
        // Looked at behind the rows: those of another generation may be half gone.
        let import = find(&mut transaction, key.import_id).await?;
        if import.etag.generation != target.generation {
            return Err(Error::EtagMismatch);
        }
        Ok(rows)
    }
}
