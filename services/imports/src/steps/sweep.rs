//! What a crash left behind: imports that never began, or never began to be undone, uploads that
//! nobody finished, rows that nobody needs any more. In bounded batches; what is left over is due
//! again in a minute.

use super::{Key, Steps};
use crate::{
    Error,
    domain::status::Status,
    store::{
        self,
        due::{Due, Duty},
        upload,
    },
};

/// Duties of a kind in one run.
const DUTIES_MAX: i64 = 100;
/// Staged rows deleted in one transaction.
const ROWS_PURGED_MAX: i64 = 50_000;
/// When a workflow that was started is looked at again, should the import still stand where it did.
const RETRY_AFTER: chrono::Duration = chrono::Duration::minutes(1);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Imports started.
    pub started: i64,
    /// Workflows started that undo an import.
    pub reverts: i64,
    /// Uploads aborted.
    pub aborted: i64,
    /// Imports whose rows were deleted.
    pub purged: i64,
}

impl Steps {
    /// Does what is due. One duty that fails is logged and stays due; the others go on.
    ///
    /// # Errors
    /// When what is due cannot be read.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        for due in self.due(Duty::StartImport).await? {
            swept.started += count(due, self.start_left_behind(due).await);
        }
        for due in self.due(Duty::StartRevert).await? {
            swept.reverts += count(due, self.start_revert_left_behind(due).await);
        }
        for due in self.due(Duty::AbortUpload).await? {
            swept.aborted += count(due, self.abort_left_behind(due).await);
        }
        for due in self.due(Duty::PurgeRows).await? {
            swept.purged += count(due, self.purge(due).await);
        }
        Ok(swept)
    }

    async fn due(&self, duty: Duty) -> Result<Vec<Due>, Error> {
        let mut transaction = self.store.unscoped().await?;
        let due = store::due::list(&mut transaction, duty, self.clock.now(), DUTIES_MAX).await?;
        transaction.commit().await?;
        Ok(due)
    }

    async fn start_left_behind(&self, due: Due) -> Result<bool, Error> {
        let key = Key {
            user: due.user,
            import_id: due.subject_id,
        };
        let (mut transaction, import) = self.find(key).await?;
        if import.status != Status::Created {
            store::due::clear(&mut transaction, Duty::StartImport, due.subject_id).await?;
            transaction.commit().await?;
            return Ok(false);
        }
        let again = self.clock.now() + RETRY_AFTER;
        store::due::set(&mut transaction, Duty::StartImport, due.subject_id, again).await?;
        let owned = store::import::own(&mut transaction, due.subject_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            self.workflows.start(due.user, &owned).await?;
        }
        Ok(true)
    }

    /// The duty stays for as long as the import is being undone: a run that an operator ended is
    /// started again, and one that is there is joined.
    async fn start_revert_left_behind(&self, due: Due) -> Result<bool, Error> {
        let key = Key {
            user: due.user,
            import_id: due.subject_id,
        };
        let (mut transaction, import) = self.find(key).await?;
        if import.status != Status::Reverting {
            store::due::clear(&mut transaction, Duty::StartRevert, due.subject_id).await?;
            transaction.commit().await?;
            return Ok(false);
        }
        let again = self.clock.now() + RETRY_AFTER;
        store::due::set(&mut transaction, Duty::StartRevert, due.subject_id, again).await?;
        let owned = store::import::own(&mut transaction, due.subject_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            self.workflows.start_revert(due.user, &owned).await?;
        }
        Ok(true)
    }

    async fn abort_left_behind(&self, due: Due) -> Result<bool, Error> {
        let mut transaction = self.store.user(due.user).await?;
        let unfinished = upload::unfinished(&mut transaction, due.subject_id).await?;
        if let Some((object_key, multipart_id)) = &unfinished {
            if let Some(multipart_id) = multipart_id {
                self.objects.abort(object_key, multipart_id).await?;
            }
            // The parts may have become an object just before the crash.
            self.objects.delete(object_key).await?;
            store::chunk::forget(&mut transaction, due.subject_id).await?;
            upload::mark_deleted(&mut transaction, due.subject_id).await?;
        }
        store::due::clear(&mut transaction, Duty::AbortUpload, due.subject_id).await?;
        transaction.commit().await?;
        Ok(unfinished.is_some())
    }

    async fn purge(&self, due: Due) -> Result<bool, Error> {
        let mut transaction = self.store.user(due.user).await?;
        let done = store::staging::purge(&mut transaction, due.subject_id, ROWS_PURGED_MAX).await?;
        if done {
            store::due::clear(&mut transaction, Duty::PurgeRows, due.subject_id).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

fn count(due: Due, done: Result<bool, Error>) -> i64 {
    match done {
        Ok(done) => i64::from(done),
        Err(error) => {
            tracing::warn!(subject.id = %due.subject_id, %error, "a duty of the sweep failed");
            0
        }
    }
}
