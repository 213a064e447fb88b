//! The object store is away, answers with errors, or is slow.

use std::time::{Duration, Instant};

use djinn_chassis::testing::{self, Proxy};
use djinn_proto::imports::v1::ImportState;
use tonic::Code;

use super::{finish, scene::Scene};
use crate::world::{Client, PATIENCE, World, create, get, refused, upload};

/// What a store says that has a problem of its own.
const ERROR_500: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\
                           content-length: 0\r\n\r\n";
/// Three chunks, so that one is staged when the line is cut, and the rest takes its time.
const ROWS: usize = 25_000;
/// The whole file takes some seconds, each time it is read.
const BYTES_PER_SECOND: u64 = 500_000;
/// Failures of a step that are waited for, and the least time between the first and the last of
/// them: its tries are 1 s and 2 s apart at least.
const FAILURES: usize = 3;
const PAUSES_MIN: Duration = Duration::from_millis(2_500);

/// The service with a proxy before its store.
async fn world() -> (World, Proxy) {
    let endpoint = testing::stack().s3_endpoint.trim_start_matches("http://");
    let store = Proxy::to(endpoint).await;
    let address = format!("http://{}", store.address());
    let mut world = World::stopped(&[("DJINN_S3_ENDPOINT", &address)], None).await;
    world.start(&[]).await;
    (world, store)
}

/// Waits until a step has failed for want of the store a few times, with growing pauses: an import
/// waits, and does not spin.
async fn fails_and_waits(world: &mut World, failures: usize) {
    let before = failed(world);
    let at = async |world: &mut World, count: usize| {
        testing::eventually("a failed step", PATIENCE, async || {
            (failed(world) >= before + count).then(Instant::now)
        })
        .await
    };
    let first = at(world, 1).await;
    let last = at(world, failures).await;
    assert!(last - first >= PAUSES_MIN, "{:?}", last - first);
}

fn failed(world: &mut World) -> usize {
    let log = world.process().log();
    log.matches("OBJECT_STORE_UNAVAILABLE").count() + log.matches("FILE_UNREADABLE").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_or_failing_it_refuses_uploads_and_an_import_waits_for_it() {
    let (mut world, store) = world().await;
    let scene = Scene::set(&world, 500, 0).await;
    let mut client = scene.client(&world);

    // Before the upload.
    store.cut();
    let answer = upload(&mut client, &scene.file).await;
    refused(answer, Code::Unavailable, "OBJECT_STORE_UNAVAILABLE");
    store.answer(ERROR_500);
    let answer = upload(&mut client, &scene.file).await;
    refused(answer, Code::Unavailable, "OBJECT_STORE_UNAVAILABLE");
    store.heal();
    let upload_id = upload(&mut client, &scene.file).await.unwrap();

    // After the upload: away first, then failing.
    store.cut();
    let import = create(&mut client, &upload_id, scene.account_id).await;
    let import_id = import.unwrap().import_id;
    fails_and_waits(&mut world, FAILURES).await;
    store.answer(ERROR_500);
    let before = failed(&mut world);
    testing::eventually("a step that meets the error", PATIENCE, async || {
        (failed(&mut world) > before).then_some(())
    })
    .await;
    let waits = get(&mut client, &import_id).await;
    assert_eq!(waits.state(), ImportState::Scanning, "{waits:?}");
    store.heal();
    ends(&world, &scene, &mut client, &import_id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_the_way_and_cut_while_rows_are_staged() {
    let (mut world, store) = world().await;
    let scene = Scene::set(&world, ROWS, 1).await;
    let mut client = scene.client(&world);
    store.slow(BYTES_PER_SECOND);
    let began = Instant::now();
    let import_id = scene.begin(&world).await;
    testing::eventually("a chunk", PATIENCE, async || {
        let import = get(&mut client, &import_id).await;
        (import.job?.progress?.done_count > 0 && import.state == ImportState::Staging as i32)
            .then_some(())
    })
    .await;
    store.cut();
    println!("cut after {:.1?}", began.elapsed());
    testing::eventually("a step that fails", PATIENCE, async || {
        (failed(&mut world) > 0).then_some(())
    })
    .await;
    let waits = get(&mut client, &import_id).await;
    assert_eq!(waits.state(), ImportState::Staging, "{waits:?}");
    store.slow(BYTES_PER_SECOND);
    ends(&world, &scene, &mut client, &import_id).await;
}

async fn ends(world: &World, scene: &Scene, client: &mut Client, import_id: &str) {
    let (seen, ()) = tokio::join!(scene.watch(world, import_id), finish(client, import_id));
    let temporal = &testing::stack().temporal_address;
    scene.holds(world, temporal, import_id).await;
    println!("{}", seen.join(" "));
}
