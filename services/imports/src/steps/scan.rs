//! The malware scanner. A file is never parsed before the scanner has said, in its exact words,
//! that it is clean; a scanner that is away, slow or unclear means that the file waits.
//!
//! ClamAV's INSTREAM is spoken here and not through the crate for it, because that one sets no
//! limit to the reply and none to the time: <https://docs.clamav.net/manual/Usage/Scanning.html>.

use std::{io, time::Duration};

use djinn_chassis::auth::UserId;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Key, Steps};
use crate::{
    Error,
    domain::status::Status,
    store::{
        self,
        import::Failure,
        upload::{self, Upload},
    },
};

/// How long the scanner may take to accept a connection, or a block of the file.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How long it may take over the whole file once it has it: a quarter of a gigabyte, unpacked.
const REPLY_MAX: Duration = Duration::from_secs(300);
/// A reply is a name and a word. More than this is something else than clamd.
const REPLY_BYTES_MAX: usize = 1_024;
const BLOCK_BYTES: usize = 64 * 1_024;
/// The only reply that means clean, with the terminator of the `z` form.
const CLEAN: &[u8] = b"stream: OK\0";

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing.
    Clean,
    /// The file is refused and gone.
    Refused,
}

enum Reply {
    Clean,
    Found(String),
}

/// A clamd somewhere.
#[derive(Clone, Debug)]
pub struct Scanner {
    address: String,
}

impl Scanner {
    /// The one at this host and port; it is looked for when it is needed.
    #[must_use]
    pub fn new(address: String) -> Self {
        Self { address }
    }

    async fn scan(&self, file: impl AsyncRead + Unpin) -> Result<Reply, Error> {
        let reply = self.exchange(file).await?;
        if reply == CLEAN {
            return Ok(Reply::Clean);
        }
        let text = String::from_utf8_lossy(&reply);
        let text = text.trim_end_matches('\0');
        match text
            .strip_prefix("stream: ")
            .and_then(|rest| rest.strip_suffix(" FOUND"))
        {
            Some(name) => Ok(Reply::Found(name.to_owned())),
            None => Err(unclear(format!("it answered {text:?}"))),
        }
    }

    async fn exchange(&self, mut file: impl AsyncRead + Unpin) -> Result<Vec<u8>, Error> {
        let connect = TcpStream::connect(&self.address);
        let mut stream = in_time(IDLE_MAX, "connecting", connect).await?;
        in_time(IDLE_MAX, "greeting", stream.write_all(b"zINSTREAM\0")).await?;
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let length = file.read(&mut block).await.map_err(Error::Read)?;
            let size = u32::try_from(length).map_err(|error| Error::Task(error.into()))?;
            // A block of length zero ends the stream.
            let sent = async {
                stream.write_all(&size.to_be_bytes()).await?;
                stream
                    .write_all(block.get(..length).unwrap_or_default())
                    .await
            };
            in_time(IDLE_MAX, "sending", sent).await?;
            if length == 0 {
                break;
            }
        }
        let mut reply = Vec::new();
        let limit = u64::try_from(REPLY_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bounded = stream.take(limit);
        in_time(REPLY_MAX, "answering", bounded.read_to_end(&mut reply)).await?;
        Ok(reply)
    }
}

async fn in_time<T>(
    limit: Duration,
    doing: &str,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Error> {
    match timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(Error::Scanner {
            detail: doing.to_owned(),
            source: Some(source),
        }),
        Err(_) => Err(unclear(format!(
            "{doing} took more than {} s",
            limit.as_secs()
        ))),
    }
}

fn unclear(detail: String) -> Error {
    Error::Scanner {
        detail,
        source: None,
    }
}

impl Steps {
    /// The activity: `created` or `scanning` on to `recognising`, or to `refused`.
    ///
    /// # Errors
    /// [`Error::Scanner`] while it cannot be used: the import waits in `scanning`.
    pub async fn scan(&self, key: Key) -> Result<Finding, Error> {
        let (mut transaction, mut import) = self.find(key).await?;
        match import.status {
            Status::Created => {
                let step = import.step(Status::Scanning);
                store::import::move_on(&mut transaction, step, self.clock.now()).await?;
                let duty = store::due::Duty::StartImport;
                store::due::clear(&mut transaction, duty, key.import_id).await?;
                import.status = Status::Scanning;
            }
            Status::Scanning => {}
            Status::Refused => return Ok(Finding::Refused),
            Status::Cancelled | Status::Expired | Status::Failed => {
                return Err(import.wrong_status());
            }
            _ => return Ok(Finding::Clean),
        }
        let file = file_of(&mut transaction, import.upload_id).await?;
        transaction.commit().await?;
        let finding = self.scan_file(key.user, &file).await?;
        let mut transaction = self.store.user(key.user).await?;
        match finding {
            Finding::Clean => {
                let step = import.step(Status::Recognising);
                store::import::move_on(&mut transaction, step, self.clock.now()).await?;
            }
            Finding::Refused => {
                self.end(&mut transaction, &import, Status::Refused, Some(infected()))
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(finding)
    }

    /// Scans a file that has not been scanned. What is found is noted before the object goes, so
    /// that a crash in between leaves a file that is refused, never one that is forgotten.
    pub(crate) async fn scan_file(&self, user: UserId, file: &Upload) -> Result<Finding, Error> {
        let name = match file.scan.as_str() {
            "clean" => return Ok(Finding::Clean),
            "infected" => None,
            _ => {
                let reply = self
                    .scanner
                    .scan(self.objects.open(&file.object_key).await?)
                    .await?;
                let (word, name) = match reply {
                    Reply::Clean => ("clean", None),
                    Reply::Found(name) => ("infected", Some(name)),
                };
                let mut transaction = self.store.user(user).await?;
                upload::note_scan(&mut transaction, file.upload_id, word).await?;
                if let Some(name) = &name {
                    let (id, now) = (self.clock.id(), self.clock.now());
                    let event = "infected";
                    upload::audit(&mut transaction, id, file.upload_id, event, name, now).await?;
                }
                transaction.commit().await?;
                if name.is_none() {
                    return Ok(Finding::Clean);
                }
                name
            }
        };
        self.objects.delete(&file.object_key).await?;
        let mut transaction = self.store.user(user).await?;
        upload::mark_deleted(&mut transaction, file.upload_id).await?;
        transaction.commit().await?;
        if let Some(name) = name {
            tracing::warn!(upload.id = %file.upload_id, signature = name, "infected file deleted");
        }
        Ok(Finding::Refused)
    }
}

pub(crate) fn infected() -> Failure {
    Failure {
        reason: "INFECTED".to_owned(),
        message: "the malware scanner found something in the file; it was deleted. Download the \
                  statement again from the bank itself"
            .to_owned(),
    }
}

pub(crate) async fn file_of(
    transaction: &mut djinn_chassis::postgres::UserTransaction,
    upload_id: uuid::Uuid,
) -> Result<Upload, Error> {
    upload::get(transaction, upload_id)
        .await?
        .ok_or_else(|| Error::NotFound {
            what: "upload",
            id: upload_id.to_string(),
        })
}
