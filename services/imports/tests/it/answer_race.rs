//! Answers against the clock, against a cancellation, and against a power cut.

use std::time::Duration;

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use tokio::time::Instant;
use tonic::Code;
use uuid::Uuid;

use crate::{
    answer::Asked,
    world::{PATIENCE, World, ambiguous, answer, answer_as, begin, cancel, confirm, get, reach},
};

/// Waits for a moment, not for a condition: these tests are about moments.
async fn moment(at: Instant) {
    tokio::time::timeout_at(at, std::future::pending::<()>())
        .await
        .unwrap_err();
}

#[tokio::test]
async fn answer_cancel_and_expiry_at_once_end_in_one_of_them() {
    let world = World::with(&[("DJINN_IMPORTS_REVIEW_TTL", "2s")]).await;
    for round in 0..6_u64 {
        let mut asked = Asked::about(&world, &ambiguous()).await;
        let import = asked.import.clone();
        // Rounds move both calls closer to the moment of expiry, and past it.
        let at = Instant::now() + Duration::from_millis(1_700 + round * 60);
        let (mut one, mut two) = (world.client(asked.user), world.client(asked.user));
        let (answered, cancelled) = tokio::join!(
            async {
                moment(at).await;
                answer(&mut one, &import, &[("date", "0:dmy")]).await
            },
            async {
                moment(at).await;
                cancel(&mut two, &import.import_id).await
            },
        );
        // An answer opens a review that expires by itself when nobody confirms it.
        let end = testing::eventually("an end", PATIENCE, async || {
            let import = get(&mut asked.client, &import.import_id).await;
            import.job.as_ref()?.end_time.as_ref()?;
            Some(import)
        })
        .await;
        let taken = end.generation == 2;
        let seen = format!("{end:?} {answered:?} {cancelled:?}");
        match end.state() {
            ImportState::Cancelled => assert!(cancelled.is_ok(), "{seen}"),
            ImportState::Expired => assert!(cancelled.is_err(), "{seen}"),
            _ => panic!("{seen}"),
        }
        assert!(answered.is_ok() || !taken, "{seen}");
        assert!(
            answered.is_err() || taken || cancelled.is_ok(),
            "an answer was accepted and lost: {seen}"
        );
        assert!(world.ledger(asked.user, asked.account_id).await.is_empty());
        // Nothing was committed, so nothing is kept.
        let request = djinn_proto::imports::v1::ListTemplatesRequest::default();
        let kept = world.templates(asked.user).list_templates(request).await;
        assert_eq!(kept.unwrap().into_inner().templates, []);
    }
}

/// Postgres shows the questions a moment before the workflow has heard of them.
#[tokio::test]
async fn whoever_answers_at_once_is_not_too_early() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    for _ in 0..8 {
        let account_id = world.account(user, "EUR").await;
        let import_id = begin(&mut client, &ambiguous(), account_id).await;
        let import = reach(&mut client, &import_id, ImportState::Asking).await;
        answer(&mut client, &import, &[("date", "0:dmy")])
            .await
            .unwrap();
        reach(&mut client, &import_id, ImportState::Review).await;
    }
}

async fn survives(failpoint: &str) {
    let mut world = World::new().await;
    world.kill().await;
    world.start(&[("FAILPOINTS", failpoint)]).await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    // The answer to the answer may be lost with the process; what it said is not.
    drop(asked.answer(&[("date", "0:mdy")]).await);
    world.died().await;
    world.start(&[]).await;
    asked.client = world.client(asked.user);
    let review = asked.reach(ImportState::Review).await;
    assert_eq!(review.generation, 2);
    assert_eq!(review.answers["date"], "0:mdy");
    confirm(&mut asked.client, &review).await.unwrap();
    asked.reach(ImportState::Committed).await;
    assert_eq!(world.ledger(asked.user, asked.account_id).await.len(), 4);
}

#[tokio::test]
async fn killed_before_the_answer_is_in_postgres() {
    survives("answer_before_commit=return").await;
}

#[tokio::test]
async fn killed_after_the_answer_is_in_postgres() {
    survives("answer_after_commit=return").await;
}

#[tokio::test]
async fn an_import_that_asks_outlives_a_restart() {
    let mut world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    world.stop().await;
    world.start(&[]).await;
    asked.client = world.client(asked.user);
    // Temporal may wait for the worker that is gone for longer than a call does: then the same
    // request again is the same answer.
    let request_id = Uuid::new_v4();
    testing::eventually("an answer", PATIENCE, async || {
        let dmy = [("date", "0:dmy")];
        match answer_as(&mut asked.client, request_id, &asked.import, &dmy).await {
            Ok(import) => Some(import),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                None
            }
        }
    })
    .await;
    assert_eq!(asked.reach(ImportState::Review).await.generation, 2);
}
