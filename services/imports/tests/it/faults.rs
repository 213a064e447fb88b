//! Killed at the worst moments: every row once, the sum right to the cent, no person needed.
//!
//! The failpoints lie where a crash hurts most. Each test first sees the process die there, so that
//! a failpoint that never fired is a failure and not a success.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;

use crate::world::{World, begin, confirm, many, reach, sum_of_many};

/// More than two chunks, so that something is behind and something before the kill.
const ROWS: usize = 25_000;

async fn survives(failpoint: &str) {
    let mut world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    world.kill().await;
    world.start(&[("FAILPOINTS", failpoint)]).await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &many(ROWS), account_id).await;
    if failpoint.starts_with("commit") {
        let review = reach(&mut client, &import_id, ImportState::Review).await;
        // The answer may be lost with the process; the confirmation is not.
        drop(confirm(&mut client, &review).await);
    }
    world.died().await;
    world.start(&[]).await;
    let mut client = world.client(user);
    if !failpoint.starts_with("commit") {
        let review = reach(&mut client, &import_id, ImportState::Review).await;
        assert_eq!(review.counts.as_ref().unwrap().new_count, 25_000);
        confirm(&mut client, &review).await.unwrap();
    }
    reach(&mut client, &import_id, ImportState::Committed).await;
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(
        (ledger.len(), ledger.iter().sum::<i64>()),
        (ROWS, sum_of_many(ROWS))
    );
}

#[tokio::test]
async fn killed_before_the_rows_of_the_second_chunk_are_copied() {
    survives("before_copy=1*off->return").await;
}

#[tokio::test]
async fn killed_before_the_second_chunk_is_committed() {
    survives("staging_before_commit=1*off->return").await;
}

#[tokio::test]
async fn killed_after_the_second_chunk_is_committed() {
    survives("staging_after_commit=1*off->return").await;
}

#[tokio::test]
async fn killed_before_the_ledger_is_committed() {
    survives("commit_before_commit=return").await;
}

#[tokio::test]
async fn killed_between_the_commit_and_its_report() {
    survives("commit_after_commit=return").await;
}

#[tokio::test]
async fn stopped_gently_in_the_middle_it_hands_back_what_it_cannot_finish() {
    let mut world = World::with(&[("DJINN_SHUTDOWN_GRACE", "4s")]).await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    world.scanner.freeze();
    let import_id = begin(&mut client, &many(100), account_id).await;
    reach(&mut client, &import_id, ImportState::Scanning).await;
    let status = world.stop().await;
    assert!(status.success(), "{status}");
    world.scanner.heal();
    world.start(&[]).await;
    let mut client = world.client(user);
    reach(&mut client, &import_id, ImportState::Review).await;
}

#[tokio::test]
async fn an_import_accepted_while_temporal_is_away_is_started_by_the_sweep() {
    let mut world = World::with_temporal_behind_a_proxy().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let upload_id = crate::world::upload(&mut client, &many(5)).await.unwrap();
    world.temporal.as_ref().unwrap().cut();
    let import = crate::world::create(&mut client, &upload_id, account_id)
        .await
        .unwrap();
    assert_eq!(import.state(), ImportState::Created);
    world.temporal.as_ref().unwrap().heal();
    world.hurry_duties(user).await;
    reach(&mut client, &import.import_id, ImportState::Review).await;
    world.process();
}
