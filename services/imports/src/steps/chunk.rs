//! A file into the object store chunk by chunk, over any number of connections.
//!
//! A chunk is one part of one multipart upload, and leaves for the store while it comes, all but
//! its last bytes. Those follow when the hash is right and the chunk's row is claimed with it, and
//! before them the store has nothing: whoever stores the chunk again, or late, stores the same
//! bytes. Whatever breaks off, the same chunk again goes on from there.

use std::pin::pin;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use djinn_chassis::{
    auth::UserId,
    objects::{self, Part, PartSink, SinkClosed},
    postgres::UserTransaction,
};
use futures::{
    Stream,
    future::{Either, select},
};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Steps,
    receive::{ABANDONED_AFTER, next},
    scan::file_of,
};
use crate::{
    Error,
    domain::chunk::{ANSWER_TIME_MAX, CHUNK_TIME_MAX, UNFINISHED_MAX},
    store::{
        chunk::{self, Announced, Chunked, Stage},
        due::{self, Duty},
        request::{self, Request},
        upload::Upload,
    },
};

/// The method, for requests that are repeated.
const RPC: &str = "BeginUpload";

/// What the first message of a chunk says.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// The upload.
    pub upload_id: Uuid,
    /// Which of its chunks, from 0.
    pub number: i32,
    /// The hash of the chunk.
    pub sha256: [u8; 32],
    /// How many bytes the client means to send, if it knows.
    pub size_bytes: Option<u64>,
}

/// How far an upload has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The upload.
    pub upload_id: Uuid,
    /// Bytes of every chunk but the last.
    pub chunk_bytes: i32,
    /// How many chunks there are.
    pub chunk_count: i32,
    /// The numbers of those that are stored.
    pub received: Vec<i32>,
    /// When it is given up.
    pub expires_at: Option<DateTime<Utc>>,
    /// The file, once it is whole.
    pub upload: Option<Upload>,
}

impl Steps {
    /// Notes an upload whose chunks may come, or finds it.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`], [`Error::TooManyUnfinished`].
    pub async fn begin_chunked(
        &self,
        user: UserId,
        request: Request<'_>,
        announced: Announced<'_>,
    ) -> Result<Progress, Error> {
        let (upload_id, now) = (self.clock.id(), self.clock.now());
        let mut transaction = self.store.user(user).await?;
        if let Some(first) = request::claim(&mut transaction, request, upload_id, now).await? {
            let known = progress(&mut transaction, first).await?;
            transaction.commit().await?;
            return Ok(known);
        }
        let unfinished = chunk::count_unfinished(&mut transaction).await?;
        if unfinished >= UNFINISHED_MAX {
            return Err(Error::TooManyUnfinished { unfinished });
        }
        let key = format!("statements/{user}/{upload_id}");
        chunk::begin(&mut transaction, upload_id, &key, announced, now).await?;
        postpone(&mut transaction, upload_id, now).await?;
        let begun = progress(&mut transaction, upload_id).await?;
        transaction.commit().await?;
        Ok(begun)
    }

    /// What has arrived.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::UploadGone`].
    pub async fn progress(&self, user: UserId, upload_id: Uuid) -> Result<Progress, Error> {
        let mut transaction = self.store.user(user).await?;
        let found = progress(&mut transaction, upload_id).await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// Stores a chunk, or finds that it is stored already; what makes the file whole also stores
    /// the file.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not the chunk that was announced, [`Error::ChunkConflict`],
    /// [`Error::UploadGone`], [`Error::FileMismatch`], and whatever the stream fails with.
    pub async fn receive_chunk(
        &self,
        user: UserId,
        header: Header,
        mut bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    ) -> Result<Progress, Error> {
        let Some(size) = self.wanted(user, header).await? else {
            return self.settle(user, header.upload_id).await;
        };
        let place = self.places.chunk(user).await?;
        self.put(user, header, size, &mut bytes).await?;
        drop(place);
        fail::fail_point!("chunk_after_note", |_| Err(Error::killed()));
        self.settle(user, header.upload_id).await
    }

    /// The size of a chunk that is to be received; `None` if it is stored already.
    async fn wanted(&self, user: UserId, header: Header) -> Result<Option<u64>, Error> {
        let mut transaction = self.store.user(user).await?;
        let upload = find(&mut transaction, header.upload_id).await?;
        let size = upload.cut.bytes_of(header.number).ok_or_else(|| {
            let last = upload.cut.count() - 1;
            let problem = format!("is {}; the file has chunks 0 to {last}", header.number);
            Error::invalid("header.chunk_number", problem)
        })?;
        if let Some(announced) = header.size_bytes
            && announced != size
        {
            let problem = format!(
                "is {announced}, and chunk {} has {size} bytes; cut the file as the upload tells",
                header.number
            );
            return Err(Error::invalid("header.size_bytes", problem));
        }
        let known = chunk::find(&mut transaction, header.upload_id, header.number).await?;
        transaction.commit().await?;
        match known {
            Some(known) if known.sha256 != header.sha256 => Err(conflict(header, &known.sha256)),
            Some(known) if known.stored => Ok(None),
            _ => Ok(Some(size)),
        }
    }

    /// Fixes what the chunk holds, before the store is told of it. True if another call, with the
    /// same bytes, was faster and has stored it.
    async fn claim(&self, user: UserId, header: Header) -> Result<bool, Error> {
        let Header {
            upload_id, number, ..
        } = header;
        let mut transaction = self.store.user(user).await?;
        chunk::hold(&mut transaction, upload_id).await?;
        find(&mut transaction, upload_id).await?;
        if chunk::claim(&mut transaction, upload_id, number, &header.sha256).await? {
            postpone(&mut transaction, upload_id, self.clock.now()).await?;
            transaction.commit().await?;
            return Ok(false);
        }
        match chunk::find(&mut transaction, upload_id, number).await? {
            Some(known) if known.sha256 == header.sha256 => Ok(known.stored),
            Some(known) => Err(conflict(header, &known.sha256)),
            None => Err(Error::UploadGone { upload_id }),
        }
    }

    /// Passes a chunk on to the store and notes that it is there.
    async fn put(
        &self,
        user: UserId,
        header: Header,
        size: u64,
        bytes: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
    ) -> Result<(), Error> {
        let upload_id = header.upload_id;
        let (key, multipart_id) = self.multipart(user, upload_id).await?;
        let (sink, flow) = objects::flow(size, header.sha256);
        let number = header.number + 1;
        let put = self
            .objects
            .put_flow(&key, &multipart_id, number, flow, CHUNK_TIME_MAX);
        let mut put = pin!(put);
        let pass = pin!(self.pass(user, header, size, bytes, &sink));
        let stored = match select(pass, put.as_mut()).await {
            Either::Left((Ok(Passed::All | Passed::Stopped), _)) => answer(put).await,
            // What the store has of it goes with the call to it.
            Either::Left((Ok(Passed::Needless), _)) => return Ok(()),
            Either::Left((Err(error), _)) => return Err(error),
            Either::Right((stored, _)) => stored,
        };
        let part = match stored {
            Ok(part) => part,
            // Whole or given up in this very moment; or the store has lost it.
            Err(objects::Error::NotFound { .. }) => return self.overtaken(user, header).await,
            Err(error) => return Err(error.into()),
        };
        fail::fail_point!("chunk_after_put", |_| Err(Error::killed()));
        let mut transaction = self.store.user(user).await?;
        if !chunk::note_stored(&mut transaction, upload_id, header.number, &part).await? {
            drop(transaction);
            // The sweep aborted the parts before this one was among them.
            self.objects.abort(&key, &multipart_id).await?;
            return Err(Error::UploadGone { upload_id });
        }
        Ok(transaction.commit().await?)
    }

    /// Passes the bytes of a chunk on, the last of them when they are all there, are what was
    /// announced, and are claimed.
    async fn pass(
        &self,
        user: UserId,
        header: Header,
        size: u64,
        bytes: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
        sink: &PartSink,
    ) -> Result<Passed, Error> {
        let checked = timeout(CHUNK_TIME_MAX, check(header, size, bytes, sink)).await;
        let checked = checked.unwrap_or(Err(Error::ChunkSlow {
            limit_s: CHUNK_TIME_MAX.as_secs(),
        }));
        let Some(last) = checked? else {
            return Ok(Passed::Stopped);
        };
        let stored = self.claim(user, header).await?;
        fail::fail_point!("chunk_after_claim", |_| Err(Error::killed()));
        if stored {
            return Ok(Passed::Needless);
        }
        Ok(match sink.send(last).await {
            Ok(()) => Passed::All,
            Err(SinkClosed) => Passed::Stopped,
        })
    }

    /// The key of the object and the store's id of its parts, which begin with the first chunk.
    async fn multipart(&self, user: UserId, upload_id: Uuid) -> Result<(String, String), Error> {
        let mut transaction = self.store.user(user).await?;
        let upload = find(&mut transaction, upload_id).await?;
        transaction.commit().await?;
        let key = upload.object_key;
        if let Some(known) = upload.multipart_id {
            return Ok((key, known));
        }
        let begun = self.objects.begin_flows(&key).await?;
        let mut transaction = self.store.user(user).await?;
        if chunk::note_multipart(&mut transaction, upload_id, &begun).await? {
            transaction.commit().await?;
            return Ok((key, begun));
        }
        drop(transaction);
        self.objects.abort(&key, &begun).await?;
        // Another chunk was faster, and its parts are everybody's.
        let mut transaction = self.store.user(user).await?;
        let first = find(&mut transaction, upload_id).await?.multipart_id;
        first
            .map(|first| (key, first))
            .ok_or(Error::UploadGone { upload_id })
    }

    /// What became of a chunk whose upload the store does not know.
    async fn overtaken(&self, user: UserId, header: Header) -> Result<(), Error> {
        let mut transaction = self.store.user(user).await?;
        find(&mut transaction, header.upload_id).await?;
        match chunk::find(&mut transaction, header.upload_id, header.number).await? {
            // An equal chunk of another call, which made the file whole.
            Some(known) if known.stored => Ok(()),
            _ => Err(Error::PartsLost {
                upload_id: header.upload_id,
            }),
        }
    }
}

/// Gives an upload time until its next chunk.
async fn postpone(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let abort_at = now + ABANDONED_AFTER;
    due::set(transaction, Duty::AbortUpload, upload_id, abort_at).await
}

/// The claim of a call that begins an upload.
#[must_use]
pub fn request(request_id: Uuid, body_hash: &[u8; 32]) -> Request<'_> {
    Request {
        rpc: RPC,
        request_id,
        body_hash,
    }
}

/// An upload in chunks that is not given up.
pub(super) async fn find(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
) -> Result<Chunked, Error> {
    let upload = chunk::get(transaction, upload_id).await?;
    let upload = upload.ok_or_else(|| Error::NotFound {
        what: "upload",
        id: upload_id.to_string(),
    })?;
    match upload.stage {
        Stage::GivenUp => Err(Error::UploadGone { upload_id }),
        Stage::Receiving | Stage::Whole => Ok(upload),
    }
}

pub(super) async fn progress(
    transaction: &mut UserTransaction,
    upload_id: Uuid,
) -> Result<Progress, Error> {
    let chunked = find(transaction, upload_id).await?;
    let parts = chunk::parts(transaction, upload_id).await?;
    let upload = match chunked.stage {
        Stage::Whole => Some(file_of(transaction, upload_id).await?),
        Stage::Receiving | Stage::GivenUp => None,
    };
    Ok(Progress {
        upload_id,
        chunk_bytes: chunked.cut.chunk_bytes,
        chunk_count: chunked.cut.count(),
        received: parts.iter().map(|part| part.number - 1).collect(),
        expires_at: chunked.expires_at,
        upload,
    })
}

/// How far the bytes of a chunk have come.
enum Passed {
    /// All of them have left.
    All,
    /// The last were kept back: another call, with the same bytes, was faster.
    Needless,
    /// The store has stopped taking them, and says why.
    Stopped,
}

/// Passes on what comes, all but the last message, and checks that it is the chunk that was
/// announced. Returns that last message; `None` if the store has stopped taking.
async fn check(
    header: Header,
    size: u64,
    bytes: &mut (impl Stream<Item = Result<Bytes, Error>> + Unpin),
    sink: &PartSink,
) -> Result<Option<Bytes>, Error> {
    let (mut came, mut hash, mut last) = (0, Sha256::new(), Bytes::new());
    while let Some(message) = next(bytes).await? {
        if message.is_empty() {
            continue;
        }
        came += u64::try_from(message.len()).unwrap_or(u64::MAX);
        if came > size {
            return Err(miscounted(header, size, "more"));
        }
        hash.update(&message);
        if sink.send(std::mem::replace(&mut last, message)).await == Err(SinkClosed) {
            return Ok(None);
        }
    }
    if came < size {
        return Err(miscounted(header, size, "fewer"));
    }
    let found: [u8; 32] = hash.finalize().into();
    if found != header.sha256 {
        let problem = format!(
            "{} was announced for chunk {}, and what came has {}; send it again",
            hex::encode(header.sha256),
            header.number,
            hex::encode(found),
        );
        return Err(Error::invalid("header.sha256", problem));
    }
    Ok(Some(last))
}

fn miscounted(header: Header, size: u64, came: &str) -> Error {
    let number = header.number;
    let problem = format!("chunk {number} has {size} bytes, and {came} came; send it again");
    Error::invalid("chunk", problem)
}

/// What the store says of a part that it has all of.
async fn answer(
    put: impl Future<Output = Result<Part, objects::Error>>,
) -> Result<Part, objects::Error> {
    let answer = timeout(ANSWER_TIME_MAX, put).await;
    answer.unwrap_or_else(|elapsed| Err(objects::Error::Unavailable(elapsed.into())))
}

fn conflict(header: Header, known: &[u8]) -> Error {
    Error::ChunkConflict {
        number: header.number,
        known: hex::encode(known),
        sent: hex::encode(header.sha256),
    }
}
