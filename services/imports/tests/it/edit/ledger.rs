//! What the ledger keeps of an edit in review: whose the fields are, and what undoing takes away.

use djinn_chassis::{auth::UserId, testing};
use djinn_ledger::{account, edit::Edit};
use djinn_proto::imports::v1::{Import, ImportRowChange, ImportState};
use uuid::Uuid;

use super::{THREE, balances, change, commit, many_with_a_bad_row, repaired, review, row, text};
use crate::world::{Client, World, import, reach, revert, statement};

/// A field of a transaction, whether it is locked, whose it is, and its history: old and new value.
type Field = (String, bool, String, Option<String>, Option<String>, String);

impl World {
    /// The ids of an account's transactions of this amount.
    async fn of_amount(&self, user: UserId, account_id: Uuid, amount_minor: i64) -> Vec<Uuid> {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_scalar(
            "SELECT transaction_id FROM ledger.transaction \
             WHERE account_id = $1 AND amount_minor = $2",
        )
        .bind(account_id)
        .bind(amount_minor)
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
    }

    async fn fields(&self, user: UserId) -> Vec<Field> {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_as(
            "SELECT p.field, l.field IS NOT NULL, p.source, e.old_value, e.new_value, \
             p.reference FROM ledger.provenance p \
             LEFT JOIN ledger.field_lock l USING (user_id, transaction_id, field, change_id) \
             LEFT JOIN ledger.edit e USING (user_id, transaction_id, field, change_id) \
             ORDER BY p.transaction_id, p.field",
        )
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
    }

    async fn balance_of(&self, user: UserId, account_id: Uuid) -> i64 {
        let mut transaction = self.as_sync(user).await;
        let balance = account::balance(&mut transaction, account_id)
            .await
            .unwrap();
        balance.unwrap()
    }
}

async fn undone(client: &mut Client, import: &Import) -> (i64, i64) {
    revert(client, &import.import_id).await.unwrap();
    let import = reach(client, &import.import_id, ImportState::Reverted).await;
    let reversal = import.reversal.unwrap();
    (reversal.removed_count, reversal.kept_count)
}

#[tokio::test]
async fn a_committed_edit_is_the_persons_with_its_history() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &many_with_a_bad_row(), account_id).await;
    let edit = ImportRowChange {
        description: text("Shop Zero"),
        value_on: text("2024-01-02"),
        ..row(1)
    };
    let changes = [edit, repaired(31, "2024-02-01", -90_050)];
    let edited = change(&mut client, &seen, &changes).await.unwrap();
    let done = commit(&mut client, &edited).await;
    let some = |text: &str| Some(text.to_owned());
    let told = |field: &str, old: Option<String>, new: Option<String>| {
        let user = "user".to_owned();
        (
            field.to_owned(),
            true,
            user,
            old,
            new,
            done.import_id.clone(),
        )
    };
    let mut found = world.fields(user).await;
    found.sort();
    assert_eq!(
        found,
        [
            told("amount", None, some("-900.50")),
            told("booked_on", None, some("2024-02-01")),
            told("description", some("Shop 0"), some("Shop Zero")),
            told("value_on", None, some("2024-01-02")),
        ]
    );
}

#[tokio::test]
async fn an_edit_in_review_goes_with_its_import_and_the_balance_is_as_before() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let edited = change(&mut client, &seen, &[repaired(2, "2024-02-09", -7)])
        .await
        .unwrap();
    let done = commit(&mut client, &edited).await;
    assert_eq!(balances(&done), balances(&edited));
    assert_eq!(
        world.balance_of(user, account_id).await,
        balances(&edited).1
    );
    assert_eq!(undone(&mut client, &done).await, (3, 0));
    assert_eq!(world.balance_of(user, account_id).await, 10_000);
    let again = import(&mut client, &statement(THREE), account_id).await;
    assert_eq!(again.counts.unwrap().new_count, 3);
}

#[tokio::test]
async fn what_was_edited_once_more_in_the_ledger_stays() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let changes = [repaired(1, "2024-02-08", 6), repaired(2, "2024-02-09", -7)];
    let edited = change(&mut client, &seen, &changes).await.unwrap();
    let done = commit(&mut client, &edited).await;
    let ids = world.of_amount(user, account_id, -7).await;
    let edit = Edit {
        amount_minor: Some(-8),
        ..Edit::default()
    };
    world.edit(user, ids[0], edit).await;
    assert_eq!(undone(&mut client, &done).await, (2, 1));
    assert_eq!(world.ledger(user, account_id).await, [-8]);
    // It is the row it was: the same file knows it.
    let again = review(&mut client, &statement(THREE), account_id).await;
    let counts = again.counts.unwrap();
    assert_eq!((counts.new_count, counts.duplicate_count), (2, 1));
}

/// A field that nobody edited in review is the person's as soon as they edit it.
#[tokio::test]
async fn another_field_that_is_edited_later_keeps_the_row() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let edited = change(&mut client, &seen, &[repaired(2, "2024-02-09", -7)])
        .await
        .unwrap();
    let done = commit(&mut client, &edited).await;
    let ids = world.of_amount(user, account_id, -7).await;
    let edit = Edit {
        note: text("mine"),
        ..Edit::default()
    };
    world.edit(user, ids[0], edit).await;
    assert_eq!(undone(&mut client, &done).await, (2, 1));
    assert_eq!(world.ledger(user, account_id).await, [-7]);
}
