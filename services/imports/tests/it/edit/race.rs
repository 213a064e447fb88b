//! Edits against a confirmation: one comes first, and what is committed is what was shown then.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use tonic::Code;

use super::{THREE, change, commit, included, repaired, review};
use crate::world::{PATIENCE, World, confirm, get, reason, refused, statement};

#[tokio::test]
async fn an_edit_after_the_commit_is_refused_with_the_reason() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let done = commit(&mut client, &seen).await;
    for import in [&seen, &done] {
        let late = change(&mut client, import, &[repaired(2, "2024-02-09", -7)]).await;
        refused(late, Code::FailedPrecondition, "WRONG_STATE");
    }
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -90_050, -320]
    );
}

#[tokio::test]
async fn of_an_edit_and_a_confirmation_at_once_neither_is_lost_unseen() {
    let world = World::new().await;
    let user = testing::user();
    for _ in 0..8 {
        let account_id = world.account(user, "EUR").await;
        let (mut one, mut two) = (world.client(user), world.client(user));
        let seen = review(&mut one, &statement(THREE), account_id).await;
        let edits = [repaired(2, "2024-02-09", -7)];
        let (confirmed, edited) =
            tokio::join!(confirm(&mut one, &seen), change(&mut two, &seen, &edits));
        let end = testing::eventually("an end of the race", PATIENCE, async || {
            let now = get(&mut one, &seen.import_id).await;
            let failed = now.job.as_ref().is_some_and(|job| job.failure.is_some());
            let ended = match (&confirmed, now.state()) {
                (_, ImportState::Committed) => true,
                (Ok(_), ImportState::Review) => failed,
                (Err(_), ImportState::Review) => true,
                _ => false,
            };
            ended.then_some(now)
        })
        .await;
        let ledger = world.ledger(user, account_id).await;
        match end.state() {
            // The edit came too late, and was told so.
            ImportState::Committed => {
                assert!(edited.is_err(), "{edited:?}");
                assert_eq!(ledger, [250_000, -90_050, -320]);
            }
            // The confirmation was of what is no longer so.
            _ => {
                let edited = edited.expect("somebody has won");
                assert_eq!((included(&end), ledger.len()), (included(&edited), 0));
                if let Err(status) = &confirmed {
                    assert_eq!(reason(status), "ETAG_MISMATCH", "{status:?}");
                }
            }
        }
    }
}

/// Two people, or two devices: the second has to look again.
#[tokio::test]
async fn of_two_edits_at_once_one_is_a_conflict() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let (mut one, mut two) = (world.client(user), world.client(user));
    let mut seen = review(&mut one, &statement(THREE), account_id).await;
    for round in 1..=5 {
        let (first, second) = (
            [repaired(1, "2024-02-08", round)],
            [repaired(2, "2024-02-09", round)],
        );
        let (first, second) = tokio::join!(
            change(&mut one, &seen, &first),
            change(&mut two, &seen, &second)
        );
        let lost = match (first, second) {
            (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
            other => panic!("one of them and not {other:?}"),
        };
        // Two that lock each other out are told apart by the database, and one may come again.
        let codes = [Code::Aborted, Code::Unavailable];
        assert!(codes.contains(&lost.code()), "{lost:?}");
        seen = get(&mut one, &seen.import_id).await;
    }
}
