//! Temporal is killed, away, and back with what it knew.

use std::time::Duration;

use djinn_chassis::testing::{self, TemporalServer};
use djinn_proto::imports::v1::ImportState;

use super::{finish, insist, scene::Scene};
use crate::world::{PATIENCE, World, confirm, create, get, reach, upload};

/// Some chunks, each of which takes its time: Temporal dies among them.
const ROWS: usize = 40_000;
const PAUSE: Duration = Duration::from_millis(700);

/// Three imports of three users: one in review, one that stages rows, and one that is accepted
/// while Temporal is away. What Temporal knew it knows again; what it never heard of the sweep
/// starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_and_started_again_every_import_ends() {
    let mut server = TemporalServer::start().await;
    let address = format!("http://{}", server.address());
    let mut world = World::stopped(&[("TEMPORAL_ADDRESS", &address)], None).await;
    let pauses = testing::pause_at("staging_after_commit", None, PAUSE);
    world.start(&[("FAILPOINTS", &pauses)]).await;

    let shown = Scene::set(&world, 500, 0).await;
    let shown_id = shown.begin(&world).await;
    let review = reach(&mut shown.client(&world), &shown_id, ImportState::Review).await;

    let late = Scene::set(&world, 500, 1).await;
    let upload_id = upload(&mut late.client(&world), &late.file).await.unwrap();

    let staging = Scene::set(&world, ROWS, 2).await;
    let staging_id = staging.begin(&world).await;
    testing::eventually("a chunk", PATIENCE, async || {
        let import = get(&mut staging.client(&world), &staging_id).await;
        (import.job?.progress?.done_count > 0).then_some(())
    })
    .await;
    server.kill().await;
    let state = get(&mut staging.client(&world), &staging_id).await.state();
    assert_eq!(state, ImportState::Staging, "it was in the middle");

    // While it is away: what is accepted is a row, what needs an answer is told to come again.
    let accepted = create(&mut late.client(&world), &upload_id, late.account_id).await;
    let accepted = accepted.unwrap();
    assert_eq!(accepted.state(), ImportState::Created);
    let status = confirm(&mut shown.client(&world), &review)
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");

    server.start_again().await;
    world.hurry_duties(late.user).await;
    let (mut one, mut two) = (shown.client(&world), staging.client(&world));
    let mut three = late.client(&world);
    let (a, b, c, ..) = tokio::join!(
        shown.watch(&world, &shown_id),
        staging.watch(&world, &staging_id),
        late.watch(&world, &accepted.import_id),
        insist(&mut one, &review),
        finish(&mut two, &staging_id),
        finish(&mut three, &accepted.import_id),
    );
    println!("{a:?} {b:?} {c:?}");
    let address = server.address();
    shown.holds(&world, &address, &shown_id).await;
    staging.holds(&world, &address, &staging_id).await;
    late.holds(&world, &address, &accepted.import_id).await;
    assert!(world.lives().await, "the service outlives Temporal's death");
}

#[tokio::test]
async fn an_import_accepted_while_temporal_is_away_is_started_by_the_sweep() {
    let world = World::with_temporal_behind_a_proxy(&[]).await;
    let line = world.temporal.as_ref().unwrap();
    let scene = Scene::set(&world, 500, 0).await;
    let mut client = scene.client(&world);
    let upload_id = upload(&mut client, &scene.file).await.unwrap();
    line.cut();
    let import = create(&mut client, &upload_id, scene.account_id).await;
    let import = import.unwrap();
    assert_eq!(import.state(), ImportState::Created);
    line.heal();
    world.hurry_duties(scene.user).await;
    finish(&mut client, &import.import_id).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import.import_id).await;
}
