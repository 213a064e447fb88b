//! An upload of which every chunk has arrived becomes a file. Every step may be the last before a
//! crash: each call that finds all chunks there goes on from where the one before it ended.

use djinn_chassis::{auth::UserId, objects};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncReadExt, time::timeout};
use uuid::Uuid;

use super::{
    Steps,
    chunk::{Progress, find},
};
use crate::{
    Error,
    domain::chunk::FINISH_TIME_MAX,
    store::{
        chunk::{self, Chunked, Stage},
        due::{self, Duty},
        upload,
    },
};

const BLOCK_BYTES: usize = 64 * 1024;

/// What an object turned out to hold.
struct Content {
    size_bytes: i64,
    sha256: [u8; 32],
}

impl Steps {
    /// How far the upload has come; if every chunk is there, after it has been made a file.
    pub(super) async fn settle(&self, user: UserId, upload_id: Uuid) -> Result<Progress, Error> {
        let found = self.progress(user, upload_id).await?;
        let there = i32::try_from(found.received.len()).unwrap_or(i32::MAX);
        if found.upload.is_some() || there < found.chunk_count {
            return Ok(found);
        }
        let steps = self.clone();
        // Not dropped with the call: whoever loses the connection now has sent all there is, and a
        // store that is interrupted while it puts parts together may lose them.
        let assembling = tokio::spawn(async move {
            let assembled = async {
                let _place = steps.places.finish().await?;
                steps.assemble(user, upload_id).await
            };
            let assembled = timeout(FINISH_TIME_MAX, assembled).await;
            assembled.unwrap_or(Err(Error::FinishSlow))
        });
        assembling
            .await
            .map_err(|error| Error::Task(error.into()))??;
        self.progress(user, upload_id).await
    }

    async fn assemble(&self, user: UserId, upload_id: Uuid) -> Result<(), Error> {
        let Some(upload) = self.complete(user, upload_id).await? else {
            return Ok(());
        };
        fail::fail_point!("upload_after_complete", |_| Err(Error::killed()));
        let content = match self.read_through(&upload.object_key).await {
            Ok(content) => content,
            // Found to be another file, by another call, and deleted; or else it is lost.
            Err(Error::Objects(objects::Error::NotFound { .. })) => {
                self.progress(user, upload_id).await?;
                return Err(Error::PartsLost { upload_id });
            }
            Err(error) => return Err(error),
        };
        let announced = upload.sha256.as_deref();
        if content.size_bytes != upload.cut.size_bytes
            || announced.is_some_and(|announced| announced != content.sha256)
        {
            self.give_up(user, &upload).await?;
            return Err(mismatch(&upload, &content));
        }
        let now = self.clock.now();
        let mut transaction = self.store.user(user).await?;
        let (size, hash) = (content.size_bytes, &content.sha256);
        if upload::finish(&mut transaction, upload_id, size, hash, now).await? {
            due::clear(&mut transaction, Duty::AbortUpload, upload_id).await?;
            transaction.commit().await?;
        }
        fail::fail_point!("upload_after_finish", |_| Err(Error::killed()));
        Ok(())
    }

    /// Makes an object of the parts, one call at a time; `None` if the upload is a file already.
    async fn complete(&self, user: UserId, upload_id: Uuid) -> Result<Option<Chunked>, Error> {
        let mut transaction = self.store.user(user).await?;
        chunk::lock(&mut transaction, upload_id).await?;
        let upload = find(&mut transaction, upload_id).await?;
        if upload.stage == Stage::Whole {
            return Ok(None);
        }
        let parts = chunk::parts(&mut transaction, upload_id).await?;
        let key = &upload.object_key;
        let Some(multipart_id) = &upload.multipart_id else {
            return Err(Error::PartsLost { upload_id });
        };
        match self.objects.complete(key, multipart_id, parts).await {
            Ok(()) => Ok(Some(upload)),
            Err(objects::Error::NotFound { .. }) => {
                // An earlier try went through, or its parts are lost.
                let made = self.objects.exists(key).await?;
                made.then_some(Some(upload))
                    .ok_or(Error::PartsLost { upload_id })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read_through(&self, key: &str) -> Result<Content, Error> {
        let mut file = self.objects.open(key).await?;
        let (mut hash, mut size_bytes) = (Sha256::new(), 0_i64);
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let length = file.read(&mut block).await.map_err(Error::Read)?;
            if length == 0 {
                break;
            }
            hash.update(block.get(..length).unwrap_or_default());
            size_bytes += i64::try_from(length).map_err(|error| Error::Task(error.into()))?;
        }
        Ok(Content {
            size_bytes,
            sha256: hash.finalize().into(),
        })
    }

    /// Takes away a file that is not the one that was announced.
    async fn give_up(&self, user: UserId, upload: &Chunked) -> Result<(), Error> {
        let upload_id = upload.upload_id;
        let mut transaction = self.store.user(user).await?;
        chunk::lock(&mut transaction, upload_id).await?;
        if find(&mut transaction, upload_id).await?.stage == Stage::Whole {
            return Ok(());
        }
        self.objects.delete(&upload.object_key).await?;
        chunk::forget(&mut transaction, upload_id).await?;
        upload::mark_deleted(&mut transaction, upload_id).await?;
        due::clear(&mut transaction, Duty::AbortUpload, upload_id).await?;
        Ok(transaction.commit().await?)
    }
}

fn mismatch(upload: &Chunked, content: &Content) -> Error {
    let announced = upload.sha256.as_deref().map(hex::encode);
    Error::FileMismatch {
        announced: format!(
            "{} bytes, SHA-256 {}",
            upload.cut.size_bytes,
            announced.as_deref().unwrap_or("not told")
        ),
        found: format!(
            "{} bytes, SHA-256 {}",
            content.size_bytes,
            hex::encode(content.sha256)
        ),
    }
}
