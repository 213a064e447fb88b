//! Changes and versions: how the offline pull learns what is new.
//!
//! A version is a number per user without gaps whose order is the order of commits. It cannot be
//! drawn when work begins, because a later beginner may commit earlier; so the rows carry a change
//! id, and the version is given to the change by the last statements before the commit. The user's
//! counter is locked from then on, for milliseconds even when a million rows were written.

use djinn_chassis::{clock::Clock, postgres::UserTransaction};
use uuid::Uuid;

use crate::Error;

/// A user's version: 1 for the first change, one more for each that follows.
pub type Version = i64;

/// One writing transaction's change. Every row and tombstone that is written carries its id, and
/// without [`Change::commit`] or [`Change::seal`] nobody would ever pull them.
#[derive(Debug)]
pub struct Change {
    id: Uuid,
    clock: Clock,
}

impl Change {
    /// Draws the id.
    #[must_use]
    pub fn begin(clock: &Clock) -> Self {
        Self {
            id: clock.id(),
            clock: clock.clone(),
        }
    }

    /// The id for the column `change_id` of every row that is written.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The next id of the change's clock, for a row that is written with it.
    pub(crate) fn next_id(&self) -> Uuid {
        self.clock.id()
    }

    /// Gives the change its version and commits. `accounts` are those whose transactions have
    /// changed: whoever computed something from them compares `account.version` before using it.
    ///
    /// # Errors
    /// As [`Change::seal`]; the transaction is rolled back.
    pub async fn commit(
        self,
        mut transaction: UserTransaction,
        accounts: &[Uuid],
    ) -> Result<Version, Error> {
        let version = self.seal(&mut transaction, accounts).await?;
        transaction.commit().await?;
        Ok(version)
    }

    /// Does everything of [`Change::commit`] but the COMMIT, for a caller who moves a status in the
    /// same transaction. It must be the last that is written and the commit must follow at once:
    /// every other writer of this user waits. It may be called once; a second time is refused by
    /// the unique key of `ledger.change`.
    ///
    /// # Errors
    /// [`Error::Database`]; a deadlock with a writer who locks accounts in another order is its
    /// `Conflict`.
    pub async fn seal(
        &self,
        transaction: &mut UserTransaction,
        accounts: &[Uuid],
    ) -> Result<Version, Error> {
        // Accounts before the counter, as in an edit of an account, which holds its row when it
        // comes here: the other way round the two would wait for each other.
        self.lock_rows(transaction, accounts).await?;
        let version = self.draw(transaction).await?;
        let user = transaction.user_id().uuid();
        sqlx::query!(
            "INSERT INTO ledger.change (user_id, version, change_id, committed_at) \
             VALUES ($1, $2, $3, $4)",
            user,
            version,
            self.id,
            self.clock.now(),
        )
        .execute(&mut **transaction)
        .await?;
        self.mark(transaction, accounts, version).await?;
        Ok(version)
    }

    async fn lock_rows(
        &self,
        transaction: &mut UserTransaction,
        accounts: &[Uuid],
    ) -> Result<(), Error> {
        if accounts.is_empty() {
            return Ok(());
        }
        let user = transaction.user_id().uuid();
        sqlx::query!(
            "SELECT account_id FROM ledger.account \
             WHERE user_id = $1 AND account_id = ANY($2) \
             ORDER BY account_id FOR NO KEY UPDATE",
            user,
            accounts,
        )
        .fetch_all(&mut **transaction)
        .await?;
        Ok(())
    }

    /// The user's next version. The first change of a user inserts the counter; of two firsts at
    /// once one waits for the other and then counts on.
    async fn draw(&self, transaction: &mut UserTransaction) -> Result<Version, Error> {
        let user = transaction.user_id().uuid();
        let version = sqlx::query_scalar!(
            "INSERT INTO ledger.counter AS c (user_id, version) VALUES ($1, 1) \
             ON CONFLICT (user_id) DO UPDATE SET version = c.version + 1 \
             RETURNING version",
            user,
        )
        .fetch_one(&mut **transaction)
        .await?;
        Ok(version)
    }

    async fn mark(
        &self,
        transaction: &mut UserTransaction,
        accounts: &[Uuid],
        version: Version,
    ) -> Result<(), Error> {
        if accounts.is_empty() {
            return Ok(());
        }
        let user = transaction.user_id().uuid();
        sqlx::query!(
            "UPDATE ledger.account SET version = $3 \
             WHERE user_id = $1 AND account_id = ANY($2)",
            user,
            accounts,
            version,
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}
