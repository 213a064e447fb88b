//! A file into the object store: hashed and counted as it flows, cut off where it passes the limit,
//! never whole in memory.

use std::time::Duration;

use bytes::Bytes;
use djinn_chassis::{auth::UserId, objects::Parts};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Steps;
use crate::{
    Error,
    domain::encoding::FILE_BYTES_MAX,
    store::{
        self,
        due::Duty,
        request::Request,
        upload::{self, Upload},
    },
};

/// How long an upload may pause.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// An upload that is not whole after this long never will be: the sweep aborts it.
pub(super) const ABANDONED_AFTER: chrono::Duration = chrono::Duration::hours(24);
/// The method, for requests that are repeated.
const RPC: &str = "UploadStatement";

/// What the first message says.
#[derive(Clone, Debug)]
pub struct Header {
    /// The client's id of the upload.
    pub request_id: Uuid,
    /// The name of the file.
    pub file_name: String,
    /// How many bytes the client means to send, if it knows.
    pub size_bytes: Option<u64>,
}

impl Steps {
    /// Stores a file, or finds that it is stored already.
    ///
    /// # Errors
    /// [`Error::FileTooLarge`], [`Error::UploadIdle`], [`Error::RequestIdReused`], and whatever the
    /// stream of chunks fails with; nothing of the file is left then.
    pub async fn receive(
        &self,
        user: UserId,
        header: Header,
        mut chunks: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    ) -> Result<Upload, Error> {
        let mut transaction = self.store.user(user).await?;
        let earlier = store::request::find(&mut transaction, RPC, header.request_id).await?;
        drop(transaction);
        if let Some((hash, upload_id)) = earlier {
            let received = drain(&header, &mut chunks).await?;
            if hash != received.body_hash {
                return Err(Error::RequestIdReused {
                    request_id: header.request_id,
                });
            }
            return self.stored(user, upload_id).await;
        }
        let (upload_id, key, parts) = self.begin_upload(user, &header).await?;
        match fill(&header, parts, &mut chunks).await {
            Ok((received, parts)) => {
                parts.finish().await?;
                self.finish_upload(user, &header, upload_id, &key, received)
                    .await
            }
            Err((error, parts)) => {
                self.abandon(user, upload_id, &key, Some(parts)).await;
                Err(error)
            }
        }
    }

    async fn begin_upload(
        &self,
        user: UserId,
        header: &Header,
    ) -> Result<(Uuid, String, Parts), Error> {
        let upload_id = self.clock.id();
        let key = format!("statements/{user}/{upload_id}");
        let now = self.clock.now();
        let mut transaction = self.store.user(user).await?;
        upload::begin(&mut transaction, upload_id, &header.file_name, &key, now).await?;
        let abort_at = now + ABANDONED_AFTER;
        store::due::set(&mut transaction, Duty::AbortUpload, upload_id, abort_at).await?;
        transaction.commit().await?;
        let parts = self.objects.begin(&key).await?;
        let mut transaction = self.store.user(user).await?;
        upload::note_parts(&mut transaction, upload_id, parts.multipart_id()).await?;
        transaction.commit().await?;
        Ok((upload_id, key, parts))
    }

    async fn finish_upload(
        &self,
        user: UserId,
        header: &Header,
        upload_id: Uuid,
        key: &str,
        received: Received,
    ) -> Result<Upload, Error> {
        let now = self.clock.now();
        let mut transaction = self.store.user(user).await?;
        let request = Request {
            rpc: RPC,
            request_id: header.request_id,
            body_hash: &received.body_hash,
        };
        let earlier = store::request::claim(&mut transaction, request, upload_id, now).await;
        match earlier {
            Ok(None) => {}
            // Another call with the same request id was faster: its file stays, this one goes.
            Ok(Some(first)) => {
                drop(transaction);
                self.abandon(user, upload_id, key, None).await;
                return self.stored(user, first).await;
            }
            Err(error) => {
                drop(transaction);
                self.abandon(user, upload_id, key, None).await;
                return Err(error);
            }
        }
        let size = received.size_bytes;
        if !upload::finish(&mut transaction, upload_id, size, &received.sha256, now).await? {
            // The sweep gave it up in this very moment, maybe before the parts became an object.
            drop(transaction);
            self.abandon(user, upload_id, key, None).await;
            return Err(Error::UploadIdle {
                idle_s: IDLE_MAX.as_secs(),
            });
        }
        store::due::clear(&mut transaction, Duty::AbortUpload, upload_id).await?;
        let stored = super::scan::file_of(&mut transaction, upload_id).await?;
        transaction.commit().await?;
        Ok(stored)
    }

    async fn stored(&self, user: UserId, upload_id: Uuid) -> Result<Upload, Error> {
        let mut transaction = self.store.user(user).await?;
        super::scan::file_of(&mut transaction, upload_id).await
    }

    /// Takes away what was stored so far. What fails here is left to the sweep, which finds the
    /// duty.
    async fn abandon(&self, user: UserId, upload_id: Uuid, key: &str, parts: Option<Parts>) {
        let cleared = async {
            match parts {
                Some(parts) => parts.abort().await?,
                None => self.objects.delete(key).await?,
            }
            let mut transaction = self.store.user(user).await?;
            upload::mark_deleted(&mut transaction, upload_id).await?;
            store::due::clear(&mut transaction, Duty::AbortUpload, upload_id).await?;
            Ok::<_, Error>(transaction.commit().await?)
        };
        if let Err(error) = cleared.await {
            tracing::warn!(upload.id = %upload_id, %error, "upload left to the sweep");
        }
    }
}

struct Received {
    size_bytes: i64,
    sha256: [u8; 32],
    /// Over the first message and the file.
    body_hash: [u8; 32],
}

struct Meter {
    size_bytes: u64,
    announced_bytes: Option<u64>,
    file: Sha256,
    body: Sha256,
}

impl Meter {
    fn new(header: &Header) -> Self {
        let mut body = Sha256::new();
        // The length keeps a name and the file behind it apart.
        let name = header.file_name.as_bytes();
        body.update(u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
        body.update(name);
        Self {
            size_bytes: 0,
            announced_bytes: header.size_bytes,
            file: Sha256::new(),
            body,
        }
    }

    fn pass(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.size_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if self.size_bytes > FILE_BYTES_MAX {
            return Err(Error::FileTooLarge {
                limit_bytes: FILE_BYTES_MAX,
            });
        }
        self.file.update(chunk);
        self.body.update(chunk);
        Ok(())
    }

    fn finish(self) -> Result<Received, Error> {
        if self.size_bytes == 0 {
            return Err(Error::invalid(
                "chunk",
                "the file is empty; choose another file",
            ));
        }
        // A client stream that is reset looks like one that has ended.
        if let Some(announced) = self.announced_bytes
            && announced != self.size_bytes
        {
            let came = self.size_bytes;
            let problem = format!("{announced} were announced and {came} came; send it again");
            return Err(Error::invalid("header.size_bytes", problem));
        }
        Ok(Received {
            size_bytes: i64::try_from(self.size_bytes)
                .map_err(|error| Error::Task(error.into()))?,
            sha256: self.file.finalize().into(),
            body_hash: self.body.finalize().into(),
        })
    }
}

pub(super) async fn next(
    chunks: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
) -> Result<Option<Bytes>, Error> {
    match tokio::time::timeout(IDLE_MAX, chunks.next()).await {
        Ok(chunk) => chunk.transpose(),
        Err(_) => Err(Error::UploadIdle {
            idle_s: IDLE_MAX.as_secs(),
        }),
    }
}

/// Reads a repeated upload to its end, only to know whether it is the same.
async fn drain(
    header: &Header,
    chunks: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
) -> Result<Received, Error> {
    let mut meter = Meter::new(header);
    while let Some(chunk) = next(chunks).await? {
        meter.pass(&chunk)?;
    }
    meter.finish()
}

async fn fill(
    header: &Header,
    mut parts: Parts,
    chunks: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
) -> Result<(Received, Parts), (Error, Parts)> {
    let mut meter = Meter::new(header);
    loop {
        let chunk = match next(chunks).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => return Err((error, parts)),
        };
        if let Err(error) = meter.pass(&chunk) {
            return Err((error, parts));
        }
        if let Err(error) = parts.write(chunk).await {
            return Err((error.into(), parts));
        }
    }
    match meter.finish() {
        Ok(received) => Ok((received, parts)),
        Err(error) => Err((error, parts)),
    }
}
