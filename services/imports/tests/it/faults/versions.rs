//! Two releases of the service at once, of which the newer one has a changed workflow
//! (`examples/next_release.rs`): on one task queue, with imports begun on each.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;

use super::{RECOVERY, finish, insist, scene::Scene, worker::beside};
use crate::{
    history::history_at,
    world::{World, confirm, reach},
};

const NEXT_RELEASE: &str = "examples/next_release";
const ROWS: usize = 500;

async fn has(import_id: &str, words: &[&str]) -> bool {
    let events = history_at(&testing::stack().temporal_address, import_id).await;
    let says = |event: &String| words.iter().all(|word| event.contains(word));
    events.iter().any(says)
}

/// The marker of the change is in the history of who began on the next release; today's sets none.
async fn is_of_the_next_release(import_id: &str) -> bool {
    has(import_id, &["MarkerRecorded"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_begun_on_each_of_two_releases_end_committed_once() {
    let mut today = World::new().await;
    let temporal = &testing::stack().temporal_address;

    // Begun on today's release, which dies before the confirmation.
    let old = Scene::set(&today, ROWS, 0).await;
    let old_id = old.begin(&today).await;
    let old_review = reach(&mut old.client(&today), &old_id, ImportState::Review).await;
    let moved = Scene::set(&today, ROWS, 1).await;
    let moved_id = moved.begin(&today).await;
    let moved_review = reach(&mut moved.client(&today), &moved_id, ImportState::Review).await;
    today.kill().await;

    // Begun on the next one, which takes over one of the others too, and then dies.
    let mut next = beside(&today).await;
    next.binary = NEXT_RELEASE;
    next.start(&[]).await;
    insist(&mut moved.client(&next), &moved_review).await;
    let new = Scene::set(&today, ROWS, 2).await;
    let new_id = new.begin(&next).await;
    let new_review = reach(&mut new.client(&next), &new_id, ImportState::Review).await;
    let moved_end = reach(&mut moved.client(&next), &moved_id, ImportState::Committed).await;
    drop(moved_end);
    assert!(is_of_the_next_release(&new_id).await);
    assert!(!is_of_the_next_release(&moved_id).await);
    next.kill().await;

    // Today's release cannot replay what the next one began: its task fails and is tried again.
    today.start(&[]).await;
    let refused = confirm(&mut new.client(&today), &new_review).await;
    assert!(refused.is_err(), "{refused:?}");
    testing::eventually("a task that cannot be replayed", RECOVERY, async || {
        let why = ["WorkflowTaskFailed", "Nondeterminism", "scan-twice"];
        has(&new_id, &why).await.then_some(())
    })
    .await;
    let state = reach(&mut new.client(&today), &new_id, ImportState::Review).await;
    assert_eq!(state.etag, new_review.etag, "nothing has happened to it");

    // Side by side: each import ends, wherever its tasks go.
    next.start(&[]).await;
    let both = Scene::set(&today, ROWS, 3).await;
    let both_id = both.begin(&today).await;
    let mut clients = [old.client(&today), new.client(&today), both.client(&today)];
    let [one, two, three] = &mut clients;
    tokio::join!(
        insist(one, &old_review),
        insist(two, &new_review),
        finish(three, &both_id),
    );
    for (scene, import_id) in [
        (&old, &old_id),
        (&moved, &moved_id),
        (&new, &new_id),
        (&both, &both_id),
    ] {
        reach(&mut scene.client(&today), import_id, ImportState::Committed).await;
        scene.holds(&today, temporal, import_id).await;
    }
}
