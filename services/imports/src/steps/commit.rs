//! The included rows into the ledger: one transaction with the status, or nothing.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::{Change, account, intake};

use super::{Key, ROWS_KEPT, Steps, find, route};
use crate::{
    Error,
    domain::{review::Etag, status::Status},
    store::{
        self,
        due::Duty,
        import::{Failure, Import},
    },
};

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Every included row is in the ledger: this many.
    Rows(i64),
    /// The review no longer is what was confirmed.
    BackToReview,
}

impl Steps {
    /// The activity: `review` through `committing` on to `committed`, or back to `review`.
    ///
    /// # Errors
    /// [`Error::CountMismatch`] rolls everything back.
    pub async fn commit(&self, key: Key, etag: &str) -> Result<Committed, Error> {
        let mut transaction = self.store.user(key.user).await?;
        store::import::lock(&mut transaction, key.import_id).await?;
        let import = find(&mut transaction, key.import_id).await?;
        match import.status {
            // An earlier try went through, and with its report lost a person may even have undone
            // the import since.
            Status::Committed | Status::Reverting | Status::Reverted => {
                return Ok(Committed::Rows(import.totals.counts.included));
            }
            Status::Committing => {}
            Status::Review if Etag::parse(etag) == Some(import.etag) => {
                let step = import.step(Status::Committing);
                store::import::move_on(&mut transaction, step, self.clock.now()).await?;
            }
            Status::Review => {
                self.hand_back(&mut transaction, &import, edited()).await?;
                transaction.commit().await?;
                return Ok(Committed::BackToReview);
            }
            _ => return Err(import.wrong_status()),
        }
        transaction.commit().await?;
        self.write(key).await
    }

    async fn write(&self, key: Key) -> Result<Committed, Error> {
        let (mut transaction, import) = self.find(key).await?;
        let generation = import.etag.generation;
        // Whoever writes fingerprints takes these locks first; the import's row comes second.
        let accounts = route::ids(&mut transaction, &import).await?;
        account::lock(&mut transaction, &accounts).await?;
        // A person may be editing what is to be linked: wholly before this, or wholly after. Else
        // nobody has to wait for the rows of a whole statement.
        if import.totals.counts.linked > 0 {
            for account_id in &accounts {
                account::get_for_update(&mut transaction, *account_id).await?;
            }
        }
        store::import::lock(&mut transaction, key.import_id).await?;
        let import = find(&mut transaction, key.import_id).await?;
        // Another recognition may have other accounts than those that are locked.
        if import.status != Status::Committing || import.etag.generation != generation {
            return Err(Error::Overtaken {
                import_id: key.import_id,
            });
        }
        if let Some(failure) = self.doubt(&mut transaction, &import).await? {
            let step = import.step(Status::Review);
            store::import::move_on(&mut transaction, step, self.clock.now()).await?;
            self.hand_back(&mut transaction, &import, failure).await?;
            transaction.commit().await?;
            return Ok(Committed::BackToReview);
        }
        let count = self.insert(&mut transaction, &import).await?;
        fail::fail_point!("commit_before_commit", |_| Err(Error::killed()));
        transaction.commit().await?;
        fail::fail_point!("commit_after_commit", |_| Err(Error::killed()));
        tracing::info!(import.id = %key.import_id, rows = count, "import committed");
        Ok(Committed::Rows(count))
    }

    /// Why the confirmed review does not hold any more, if so. Verdicts are computed again when an
    /// account has changed since.
    async fn doubt(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<Option<Failure>, Error> {
        for account_id in route::ids(transaction, import).await? {
            let found = account::get(transaction, account_id).await?;
            if found.is_none_or(|account| account.closed_at.is_some()) {
                return Ok(Some(closed()));
            }
        }
        if !route::moved(transaction, import).await? {
            return Ok(None);
        }
        let before = intake::digest(transaction, import.batch()).await?;
        self.publish_findings(transaction, import).await?;
        let after = intake::digest(transaction, import.batch()).await?;
        Ok((before != after).then(changed))
    }

    async fn insert(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<i64, Error> {
        let now = self.clock.now();
        let change = Change::begin(&self.clock);
        let expected = import.totals.counts.included;
        // A file that came before walks all its rows for nothing else.
        let inserted = match expected {
            0 => 0,
            _ => intake::commit_batch(transaction, import.batch(), &change, now).await?,
        };
        if i64::try_from(inserted) != Ok(expected) {
            let import_id = import.import_id;
            return Err(Error::CountMismatch {
                import_id,
                expected,
                inserted,
            });
        }
        link(transaction, import, &change, now).await?;
        let step = import.step(Status::Committed);
        store::import::move_on(transaction, step, now).await?;
        store::import::note_change(transaction, import.import_id, change.id()).await?;
        self.keep_template(transaction, import).await?;
        let purge_at = now + ROWS_KEPT;
        store::due::set(transaction, Duty::PurgeRows, import.import_id, purge_at).await?;
        let accounts = route::ids(transaction, import).await?;
        // Last: from here to the commit the user's counter is locked.
        change.seal(transaction, &accounts).await?;
        Ok(expected)
    }

    pub(super) async fn hand_back(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
        failure: Failure,
    ) -> Result<(), Error> {
        store::import::note_failure(transaction, import.import_id, &failure).await?;
        store::import::set_deadline(transaction, import.import_id, self.deadline()).await
    }
}

/// The rows whose transaction was entered by hand: each of them has it still, or the commit is
/// void.
async fn link(
    transaction: &mut UserTransaction,
    import: &Import,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let expected = import.totals.counts.linked;
    if expected == 0 {
        return Ok(());
    }
    let linked = intake::link_batch(transaction, import.batch(), change, now).await?;
    if linked.count() != expected {
        return Err(Error::LinkMismatch {
            import_id: import.import_id,
            expected,
            linked: linked.count(),
        });
    }
    Ok(())
}

fn edited() -> Failure {
    Failure {
        reason: "REVIEW_EDITED".to_owned(),
        message: "the review was edited after it was confirmed; look at it again and confirm"
            .to_owned(),
    }
}

fn changed() -> Failure {
    Failure {
        reason: "ACCOUNT_CHANGED".to_owned(),
        message: "an account changed while the review waited, and with it what is new; look at \
                  it again and confirm"
            .to_owned(),
    }
}

fn closed() -> Failure {
    Failure {
        reason: "ACCOUNT_CLOSED".to_owned(),
        message: "an account was closed meanwhile; cancel this import".to_owned(),
    }
}
