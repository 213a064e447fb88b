//! What an undoing means to the matching of other files: before it, behind it and at the same time.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;

use super::{FOUR, FOUR_MINOR, undo, undone, verdicts};
use crate::{
    review::set,
    world::{Client, PATIENCE, World, begin, confirm, get, import, reach, revert, statement},
};

/// Takes the row of this number of a file in again although it was deleted by hand.
async fn force_back(
    client: &mut Client,
    account_id: uuid::Uuid,
    row_number: i64,
) -> djinn_proto::imports::v1::Import {
    let import_id = begin(client, &statement(FOUR), account_id).await;
    let seen = reach(client, &import_id, ImportState::Review).await;
    assert_eq!(verdicts(&seen).2, 1, "{seen:?}");
    let edited = set(client, &seen, &[(row_number, true)]).await.unwrap();
    confirm(client, &edited).await.unwrap();
    reach(client, &import_id, ImportState::Committed).await
}

#[tokio::test]
async fn what_was_deleted_by_hand_since_stays_deleted() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let done = import(&mut client, &statement(FOUR), account_id).await;
    world.delete_by_hand(user, account_id, -90_050).await;
    assert_eq!(undo(&mut client, &done.import_id).await.1, (3, 0));
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (3, 0, 1));
    assert_eq!(world.ledger(user, account_id).await, [250_000, -320, -320]);
}

#[tokio::test]
async fn a_row_that_an_undone_import_had_brought_back_is_deleted_by_hand_again() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &statement(FOUR), account_id).await;
    world.delete_by_hand(user, account_id, -90_050).await;
    let back = force_back(&mut client, account_id, 2).await;
    assert_eq!(world.ledger(user, account_id).await, FOUR_MINOR);
    assert_eq!(
        world.tombstones(user).await,
        [("user".to_owned(), true, true)]
    );
    // While it is back, the file holds nothing new and nothing deleted.
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (0, 4, 0));

    assert_eq!(undo(&mut client, &back.import_id).await.1, (1, 0));
    assert_eq!(world.rows_without_a_version(user).await, 0);
    let tombstones = world.tombstones(user).await;
    assert_eq!(
        tombstones,
        [
            ("revert".to_owned(), false, false),
            ("user".to_owned(), true, false)
        ]
    );
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (0, 3, 1));
    // And so it can be brought back once more.
    force_back(&mut client, account_id, 2).await;
    assert_eq!(world.ledger(user, account_id).await, FOUR_MINOR);
}

#[tokio::test]
async fn deleted_brought_back_and_deleted_again_is_deleted_once() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let first = import(&mut client, &statement(FOUR), account_id).await;
    // One of two equal rows, so that a tombstone too many would claim the other.
    world.delete_by_hand(user, account_id, -320).await;
    let back = force_back(&mut client, account_id, 3).await;
    assert_eq!(world.ledger(user, account_id).await, FOUR_MINOR);
    assert_eq!(
        world.tombstones(user).await,
        [("user".to_owned(), true, true)]
    );
    world.delete_by_hand(user, account_id, -320).await;
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (0, 3, 1));
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -90_050, -320]
    );
    // Nothing of the import that brought it back is left to remove.
    assert_eq!(undo(&mut client, &back.import_id).await.1, (0, 0));
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (0, 3, 1));
    assert_eq!(undo(&mut client, &first.import_id).await.1, (3, 0));
    let again = import(&mut client, &statement(FOUR), account_id).await;
    assert_eq!(verdicts(&again), (3, 0, 1));
    // A duplicate and a deleted row wanted all the same: each gets a number of its own.
    let import_id = begin(&mut client, &statement(FOUR), account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    assert_eq!(verdicts(&seen), (0, 3, 1));
    let edited = set(&mut client, &seen, &[(3, true), (4, true)])
        .await
        .unwrap();
    confirm(&mut client, &edited).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [250_000, -90_050, -320, -320, -320]);
}

#[tokio::test]
async fn a_review_that_waits_notices_that_its_duplicates_are_gone() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let first = import(&mut client, &statement(FOUR), account_id).await;
    let second = begin(&mut client, &statement(FOUR), account_id).await;
    let seen = reach(&mut client, &second, ImportState::Review).await;
    assert_eq!(verdicts(&seen), (0, 4, 0));
    undo(&mut client, &first.import_id).await;
    confirm(&mut client, &seen).await.unwrap();
    let back = handed_back(&mut client, &second).await.unwrap();
    assert_eq!(verdicts(&back), (4, 0, 0));
    assert_eq!(world.ledger(user, account_id).await, [0_i64; 0]);
    confirm(&mut client, &back).await.unwrap();
    reach(&mut client, &second, ImportState::Committed).await;
    assert_eq!(world.ledger(user, account_id).await, FOUR_MINOR);
}

/// The review that a commit was handed back to, or nothing if it was committed.
async fn handed_back(
    client: &mut Client,
    import_id: &str,
) -> Option<djinn_proto::imports::v1::Import> {
    testing::eventually("the end of the commit", PATIENCE, async || {
        let import = get(client, import_id).await;
        let failure = import.job.as_ref().and_then(|job| job.failure.clone());
        match (import.state(), failure) {
            (ImportState::Committed, _) => Some(None),
            (ImportState::Review, Some(failure)) => {
                assert_eq!(failure.reason, "ACCOUNT_CHANGED");
                Some(Some(import))
            }
            _ => None,
        }
    })
    .await
}

/// Whichever comes first, what the second one does is right for what the first one left.
#[tokio::test]
async fn undone_while_another_import_of_the_account_is_committed() {
    let world = World::new().await;
    let user = testing::user();
    let coffee = ("2024-02-13", "Coffee", "-3.20");
    let later = statement(&[coffee, ("2024-02-20", "Tea", "-1.00")]);
    for round in 0..6 {
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        let first = import(&mut client, &statement(&[FOUR[0], coffee]), account_id).await;
        let second = begin(&mut client, &later, account_id).await;
        let seen = reach(&mut client, &second, ImportState::Review).await;
        assert_eq!(verdicts(&seen), (1, 1, 0));
        let mut other = world.client(user);
        let (confirmed, reverting) = if round % 2 == 0 {
            tokio::join!(
                confirm(&mut client, &seen),
                revert(&mut other, &first.import_id)
            )
        } else {
            let (reverting, confirmed) = tokio::join!(
                revert(&mut other, &first.import_id),
                confirm(&mut client, &seen)
            );
            (confirmed, reverting)
        };
        confirmed.unwrap();
        reverting.unwrap();
        assert_eq!(undone(&mut client, &first.import_id).await.1, (2, 0));
        // Committed first, the coffee was a duplicate of one that is gone now.
        let mut expected = vec![-100];
        if let Some(back) = handed_back(&mut client, &second).await {
            assert_eq!(verdicts(&back), (2, 0, 0));
            confirm(&mut client, &back).await.unwrap();
            reach(&mut client, &second, ImportState::Committed).await;
            expected.insert(0, -320);
        }
        assert_eq!(world.ledger(user, account_id).await, expected);
        let again = import(&mut client, &later, account_id).await;
        let missing = i64::try_from(2 - expected.len()).unwrap();
        assert_eq!(verdicts(&again), (missing, 2 - missing, 0));
        assert_eq!(world.ledger(user, account_id).await, [-320, -100]);
    }
}
