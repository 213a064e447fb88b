//! What a person does to transactions by hand, written as the sync service's role writes it, and
//! what nobody ought to do.

use djinn_chassis::{auth::UserId, clock::Clock, postgres::UserTransaction};
use djinn_ledger::{
    Change, account,
    edit::{self, Author, Edit, Opened},
    money::{Currency, Money},
    transaction::{self, NewTransaction},
};
use uuid::Uuid;

use crate::world::World;

/// A sign on a transaction that somebody or something was at it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// A field is locked.
    Locked,
    /// A field's value is the user's.
    OfTheUser,
    /// A field's value is a rule's.
    OfARule,
    /// It was checked against a statement.
    Reconciled,
}

/// What a person enters by hand.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entry<'a> {
    pub(crate) booked_on: &'a str,
    pub(crate) amount_minor: i64,
    pub(crate) counterparty: &'a str,
    pub(crate) description: &'a str,
    pub(crate) note: &'a str,
}

impl World {
    /// Deletes the transaction of this amount; of equal ones the first.
    pub(crate) async fn delete_by_hand(&self, user: UserId, account_id: Uuid, amount_minor: i64) {
        let (mut transaction, change) = self.by_hand(user, account_id).await;
        let deleted = sqlx::query(
            "WITH gone AS (DELETE FROM ledger.transaction WHERE transaction_id = $1 RETURNING *) \
             INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, fingerprint, \
             occurrence, cause, change_id, created_at) \
             SELECT user_id, 'transaction', transaction_id, account_id, fingerprint, occurrence, \
             'user', $2, now() FROM gone",
        )
        .bind(find(&mut transaction, account_id, amount_minor).await)
        .bind(change.id())
        .execute(&mut *transaction)
        .await
        .unwrap();
        assert_eq!(deleted.rows_affected(), 1);
        change.commit(transaction, &[account_id]).await.unwrap();
    }

    /// Enters a transaction, in euros.
    pub(crate) async fn enter(&self, user: UserId, account_id: Uuid, entry: Entry<'_>) -> Uuid {
        let clock = Clock::system();
        let (mut transaction, change) = self.by_hand(user, account_id).await;
        let new = NewTransaction {
            transaction_id: clock.id(),
            account_id,
            booked_on: entry.booked_on.parse().unwrap(),
            value_on: None,
            amount: Money {
                currency: Currency::parse("EUR").unwrap(),
                minor_units: entry.amount_minor,
            },
            description: entry.description.to_owned(),
            counterparty: entry.counterparty.to_owned(),
            note: entry.note.to_owned(),
            created_at: clock.now(),
        };
        transaction::create(&mut transaction, &change, &new)
            .await
            .unwrap();
        change.commit(transaction, &[account_id]).await.unwrap();
        new.transaction_id
    }

    /// Edits one transaction as a person does.
    pub(crate) async fn edit(&self, user: UserId, transaction_id: Uuid, edit: Edit) {
        let clock = Clock::system();
        let mut transaction = self.as_sync(user).await;
        let opened = edit::open(&mut transaction, transaction_id).await.unwrap();
        let seen = opened.unwrap().transaction;
        let change = Change::begin(&clock);
        let author = Author::user();
        edit::write(
            &mut transaction,
            &change,
            &seen,
            &author,
            &edit,
            clock.now(),
        )
        .await
        .unwrap();
        let accounts = [seen.account_id];
        change.commit(transaction, &accounts).await.unwrap();
    }

    /// Marks the transaction of this amount; of equal ones the first.
    pub(crate) async fn mark(&self, user: UserId, account_id: Uuid, amount_minor: i64, mark: Mark) {
        let (mut transaction, change) = self.by_hand(user, account_id).await;
        set_mark(&mut transaction, &change, account_id, amount_minor, mark).await;
        change.commit(transaction, &[account_id]).await.unwrap();
    }

    /// Adds a row that claims to be of the import, as a defect would.
    pub(crate) async fn add_stray(&self, user: UserId, import_id: &str) {
        let sql = "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, \
                   booked_on, amount_minor, currency_code, description, counterparty, source, \
                   import_id, change_id, created_at) SELECT user_id, $2, account_id, booked_on, \
                   1, currency_code, 'stray', '', source, import_id, $2, now() \
                   FROM ledger.transaction WHERE import_id = $1 LIMIT 1";
        self.tamper(user, import_id, sql).await;
    }

    /// Takes it away again.
    pub(crate) async fn remove_strays(&self, user: UserId, import_id: &str) {
        let sql = "DELETE FROM ledger.transaction \
                   WHERE import_id = $1 AND description = 'stray' AND change_id <> $2";
        self.tamper(user, import_id, sql).await;
    }

    async fn tamper(&self, user: UserId, import_id: &str, sql: &'static str) {
        let change = Change::begin(&Clock::system());
        let mut transaction = self.as_imports(user).await;
        let done = sqlx::query(sql)
            .bind(Uuid::try_parse(import_id).unwrap())
            .bind(change.id())
            .execute(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
        change.commit(transaction, &[]).await.unwrap();
    }

    /// A transaction that edits by hand: it has the account's row first.
    pub(crate) async fn by_hand(
        &self,
        user: UserId,
        account_id: Uuid,
    ) -> (UserTransaction, Change) {
        let mut transaction = self.as_sync(user).await;
        account::get_for_update(&mut transaction, account_id)
            .await
            .unwrap()
            .unwrap();
        (transaction, Change::begin(&Clock::system()))
    }
}

pub(crate) async fn set_mark(
    transaction: &mut UserTransaction,
    change: &Change,
    account_id: Uuid,
    amount_minor: i64,
    mark: Mark,
) {
    let sql = match mark {
        Mark::Locked => {
            "INSERT INTO ledger.field_lock (user_id, transaction_id, field, change_id, locked_at) \
             SELECT user_id, transaction_id, 'description', $2, now() \
             FROM ledger.transaction WHERE transaction_id = $1"
        }
        Mark::OfTheUser => {
            "INSERT INTO ledger.provenance \
             (user_id, transaction_id, field, source, change_id, written_at) \
             SELECT user_id, transaction_id, 'description', 'user', $2, now() \
             FROM ledger.transaction WHERE transaction_id = $1"
        }
        Mark::OfARule => {
            "INSERT INTO ledger.provenance \
             (user_id, transaction_id, field, source, change_id, written_at) \
             SELECT user_id, transaction_id, 'description', 'rule', $2, now() \
             FROM ledger.transaction WHERE transaction_id = $1"
        }
        Mark::Reconciled => {
            "UPDATE ledger.transaction SET reconciled_at = now(), change_id = $2 \
             WHERE transaction_id = $1"
        }
    };
    let marked = sqlx::query(sql)
        .bind(find(transaction, account_id, amount_minor).await)
        .bind(change.id())
        .execute(&mut **transaction)
        .await
        .unwrap();
    assert_eq!(marked.rows_affected(), 1);
}

async fn find(transaction: &mut UserTransaction, account_id: Uuid, amount_minor: i64) -> Uuid {
    sqlx::query_scalar(
        "SELECT transaction_id FROM ledger.transaction \
         WHERE account_id = $1 AND amount_minor = $2 ORDER BY occurrence LIMIT 1",
    )
    .bind(account_id)
    .bind(amount_minor)
    .fetch_one(&mut **transaction)
    .await
    .unwrap()
}

/// Describes one of the account's transactions anew, which locks the field.
pub(crate) async fn edit_nth(world: &World, user: UserId, account_id: Uuid, nth: usize) {
    let edit = Edit {
        description: Some("by hand".to_owned()),
        ..Edit::default()
    };
    write_nth(world, user, account_id, nth, &edit).await;
}

async fn write_nth(world: &World, user: UserId, account_id: Uuid, nth: usize, edit: &Edit) {
    let Some((mut transaction, opened)) = open(world, user, account_id, nth).await else {
        return;
    };
    let clock = Clock::system();
    let change = Change::begin(&clock);
    let seen = &opened.transaction;
    let author = Author::user();
    let written = edit::write(&mut transaction, &change, seen, &author, edit, clock.now())
        .await
        .unwrap();
    // What was reconciled before is not reconciled again, and a change of nothing is none.
    if !written.fields().is_empty() {
        change.commit(transaction, &[account_id]).await.unwrap();
    }
}

/// Says of one of the account's transactions that it is as a statement says.
pub(crate) async fn reconcile_nth(world: &World, user: UserId, account_id: Uuid, nth: usize) {
    let edit = Edit {
        reconciled: Some(true),
        ..Edit::default()
    };
    write_nth(world, user, account_id, nth, &edit).await;
}

/// Deletes one of the account's transactions.
pub(crate) async fn delete_nth(world: &World, user: UserId, account_id: Uuid, nth: usize) {
    let Some((mut transaction, opened)) = open(world, user, account_id, nth).await else {
        return;
    };
    let clock = Clock::system();
    let change = Change::begin(&clock);
    edit::delete(&mut transaction, &change, &opened.transaction, clock.now())
        .await
        .unwrap();
    change.commit(transaction, &[account_id]).await.unwrap();
}

/// One of the account's transactions, if there is such a one and it is still there when it is its
/// turn.
async fn open(
    world: &World,
    user: UserId,
    account_id: Uuid,
    nth: usize,
) -> Option<(UserTransaction, Opened)> {
    let mut transaction = world.as_sync(user).await;
    let found: Option<Uuid> = sqlx::query_scalar(
        "SELECT transaction_id FROM ledger.transaction WHERE account_id = $1 \
         ORDER BY transaction_id OFFSET $2 LIMIT 1",
    )
    .bind(account_id)
    .bind(i64::try_from(nth).unwrap())
    .fetch_optional(&mut *transaction)
    .await
    .unwrap();
    let opened = edit::open(&mut transaction, found?).await.unwrap()?;
    Some((transaction, opened))
}
