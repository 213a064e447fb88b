//! An import undone: what it added out of the ledger again, in one transaction with the status, or
//! nothing.
//!
//! Locks come in one order, each kind in the order of the accounts' ids: the accounts' advisory
//! locks, because fingerprints are freed; the accounts' rows, because a person who edits a
//! transaction by hand locks that first, so that the edit is either seen whole, and its row kept,
//! or finds the row gone; then the import. Under READ COMMITTED every statement behind them sees
//! what was committed before the locks were had.

use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::{
    Change, account,
    reversal::{self, Removal},
};

use super::{Key, Steps, find, matching::no_account, route};
use crate::{
    Error,
    domain::status::Status,
    store::{
        self,
        due::Duty,
        import::{Failure, Import},
        revert::Reversal,
    },
};

/// When a workflow that did not start at once is started by the sweep.
const START_GRACE: chrono::Duration = chrono::Duration::minutes(1);

impl Steps {
    /// What a person's wish comes to: `committed` on to `reverting`, with the duty to start the
    /// workflow. Nothing when it is on its way or done, and the caller need not start anything:
    /// the first wish has left a duty.
    ///
    /// # Errors
    /// [`Error::WrongStatus`] for an import that has nothing in the ledger.
    pub(crate) async fn begin_revert(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<bool, Error> {
        match import.status {
            Status::Committed => {}
            Status::Reverting | Status::Reverted => return Ok(false),
            status => {
                let needed = "only a committed import can be undone; one that is not can be \
                              cancelled up to its review";
                return Err(Error::WrongStatus { status, needed });
            }
        }
        let now = self.clock.now();
        let step = import.step(Status::Reverting);
        match store::import::move_on(transaction, step, now).await {
            Ok(()) => {}
            // Somebody else wished for the same a moment before.
            Err(Error::Overtaken { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let import_id = import.import_id;
        store::revert::expect(transaction, import_id, import.totals.counts.included).await?;
        let start_at = now + START_GRACE;
        store::due::set(transaction, Duty::StartRevert, import_id, start_at).await?;
        Ok(true)
    }

    /// The activity: `reverting` on to `reverted`.
    ///
    /// # Errors
    /// [`Error::ReversalMismatch`] and [`Error::UnlinkMismatch`] roll everything back.
    pub async fn revert(&self, key: Key) -> Result<Reversal, Error> {
        let (mut transaction, import) = self.find(key).await?;
        let accounts = route::ids(&mut transaction, &import).await?;
        account::lock(&mut transaction, &accounts).await?;
        for account_id in accounts {
            account::get_for_update(&mut transaction, account_id)
                .await?
                .ok_or_else(|| no_account(&import))?;
        }
        store::import::lock(&mut transaction, key.import_id).await?;
        let import = find(&mut transaction, key.import_id).await?;
        match import.status {
            Status::Reverting => {}
            Status::Reverted => return store::revert::get(&mut transaction, key.import_id).await,
            _ => return Err(import.wrong_status()),
        }
        let reversal = self.remove(&mut transaction, &import).await?;
        fail::fail_point!("revert_before_commit", |_| Err(Error::killed()));
        transaction.commit().await?;
        fail::fail_point!("revert_after_commit", |_| Err(Error::killed()));
        tracing::info!(
            import.id = %key.import_id, removed = reversal.removed, kept = reversal.kept,
            "import undone"
        );
        Ok(reversal)
    }

    async fn remove(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<Reversal, Error> {
        let (import_id, now) = (import.import_id, self.clock.now());
        let change = Change::begin(&self.clock);
        let removal = reversal::remove(transaction, import_id, &change, now).await?;
        check(transaction, import, removal).await?;
        let linked = import.totals.counts.linked;
        let freed = reversal::unlink(transaction, import_id, &change, now).await?;
        // Fewer may be: they were reconciled when it was committed, or were deleted since.
        if freed > linked {
            return Err(Error::UnlinkMismatch {
                import_id,
                linked,
                freed,
            });
        }
        let reversal = Reversal {
            removed: removal.removed,
            kept: removal.kept(),
        };
        store::import::move_on(transaction, import.step(Status::Reverted), now).await?;
        store::revert::note(transaction, import_id, reversal).await?;
        store::due::clear(transaction, Duty::StartRevert, import_id).await?;
        let accounts = route::ids(transaction, import).await?;
        // Last: from here to the commit the user's counter is locked.
        change.seal(transaction, &accounts).await?;
        Ok(reversal)
    }

    /// The activity for an undoing that failed for good: back to `committed`, which is what the
    /// ledger says, with the reason. Answers where the import stands then.
    ///
    /// # Errors
    /// [`Error::Overtaken`] if the import moves at this very moment: the next try sees where to.
    pub async fn give_up_revert(&self, key: Key, failure: Failure) -> Result<Status, Error> {
        let (mut transaction, import) = self.find(key).await?;
        if import.status != Status::Reverting {
            return Ok(import.status);
        }
        let step = import.step(Status::Committed);
        store::import::move_on(&mut transaction, step, self.clock.now()).await?;
        let failure = Failure {
            message: format!(
                "the import could not be undone, and nothing was removed: {}",
                failure.message
            ),
            ..failure
        };
        store::import::note_failure(&mut transaction, key.import_id, &failure).await?;
        store::due::clear(&mut transaction, Duty::StartRevert, key.import_id).await?;
        transaction.commit().await?;
        Ok(Status::Committed)
    }
}

/// Every row that the commit added was removed, is kept, or was deleted by hand since. What was
/// deleted is known for as long as the staged rows are there, all of them; without them it is at
/// least no negative number.
async fn check(
    transaction: &mut UserTransaction,
    import: &Import,
    removal: Removal,
) -> Result<(), Error> {
    let included = import.totals.counts.included;
    let missing = included - removal.found;
    let mut agrees = missing >= 0 && removal.buried == removal.removed;
    if agrees && missing > 0 {
        let staged = reversal::staged(transaction, import.batch()).await?;
        agrees = staged.included != included || staged.deleted_by_hand == missing;
    }
    if agrees {
        return Ok(());
    }
    Err(Error::ReversalMismatch {
        import_id: import.import_id,
        included,
        found: removal.found,
        removed: removal.removed,
        buried: removal.buried,
    })
}
