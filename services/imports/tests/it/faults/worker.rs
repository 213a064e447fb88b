//! The worker dies: killed by SIGKILL at a place that a seed decides, or asked to stop while it has
//! much to do.
//!
//! `DJINN_FAULT_SEED=n` plays that seed alone, `DJINN_FAULT_SEEDS=n` plays more of them. Seed and
//! commit make the same file and the same death.

use std::time::{Duration, Instant};

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use fastrand::Rng;
use futures::{StreamExt, stream};
use tokio::runtime::Handle;

use super::{RECOVERY, finish, insist, scene::Scene};
use crate::{
    history::history_at,
    world::{PATIENCE, World, confirm, get, reach},
};

/// Seeds of one run of the tests: each moment of the import twice.
const SEEDS: u64 = 10;
/// Seeds that are played at once. Each waits most of its time for a heartbeat that does not come.
const TOGETHER: usize = 5;
/// Rows of a chunk (`store::staging::CHUNK_ROWS_MAX`).
const CHUNK_ROWS: usize = 10_000;
/// More than two chunks, so that something is behind and something before a death.
const ROWS_MIN: usize = 21_000;
const ROWS_MAX: usize = 30_000;

/// When a worker dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// At the chunk of the row that stands at so many percent of the file.
    Staging { percent: usize },
    /// While rows are compared with the ledger.
    Matching,
    /// Before the ledger's commit, or between it and its report.
    Commit,
}

const MOMENTS: [Moment; 5] = [
    Moment::Staging { percent: 10 },
    Moment::Staging { percent: 50 },
    Moment::Staging { percent: 90 },
    Moment::Matching,
    Moment::Commit,
];

/// What a seed decides.
struct Plan {
    seed: u64,
    rows: usize,
    moment: Moment,
    /// How often the place is passed alive.
    passes: usize,
    place: &'static str,
}

impl Plan {
    fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let index = seed % u64::try_from(MOMENTS.len()).unwrap();
        let moment = MOMENTS[usize::try_from(index).unwrap()];
        let rows = rng.usize(ROWS_MIN..ROWS_MAX);
        let (passes, places): (_, &[_]) = match moment {
            Moment::Staging { percent } => (
                rows * percent / 100 / CHUNK_ROWS,
                &[
                    "before_copy",
                    "staging_before_commit",
                    "staging_after_commit",
                ],
            ),
            Moment::Matching => (0, &["matching_before_commit", "matching_after_commit"]),
            Moment::Commit => (0, &["commit_after_commit", "commit_before_commit"]),
        };
        // So that the seeds of one run pass every place, at one moment or another.
        let nth = seed / u64::try_from(MOMENTS.len()).unwrap() + index;
        let place = places[usize::try_from(nth).unwrap() % places.len()];
        Self {
            seed,
            rows,
            moment,
            passes,
            place,
        }
    }

    fn failpoints(&self) -> String {
        format!("{}={}*off->return", self.place, self.passes)
    }
}

fn seeds() -> Vec<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect(name))
    };
    match number("DJINN_FAULT_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("DJINN_FAULT_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

// A thread for each seed: a scene that ends waits for its database to go, and that one for the
// sessions of all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_worker_is_killed_every_row_is_committed_once() {
    let died: Vec<u64> = stream::iter(seeds())
        .map(|seed| async move {
            let runtime = Handle::current();
            let play = move || runtime.block_on(survives(Plan::of(seed)));
            let played = tokio::task::spawn_blocking(play);
            played.await.err().map(|_| seed)
        })
        .buffer_unordered(TOGETHER)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    assert!(died.is_empty(), "DJINN_FAULT_SEED is one of {died:?}");
}

async fn survives(plan: Plan) {
    let began = Instant::now();
    let mut world = World::stopped(&[], None).await;
    world.start(&[("FAILPOINTS", &plan.failpoints())]).await;
    let scene = Scene::set(&world, plan.rows, plan.seed).await;
    let import_id = scene.begin(&world).await;
    let mut client = scene.client(&world);
    if plan.moment == Moment::Commit {
        let review = reach(&mut client, &import_id, ImportState::Review).await;
        // The answer may be lost with the process; the confirmation is not.
        drop(confirm(&mut client, &review).await);
    }
    world.died().await;
    let fault = began.elapsed();
    world.start(&[]).await;
    let mut client = scene.client(&world);
    let recovering = async {
        if plan.moment == Moment::Commit {
            reach(&mut client, &import_id, ImportState::Committed).await;
        } else {
            finish(&mut client, &import_id).await;
        }
    };
    let (seen, ()) = tokio::join!(scene.watch(&world, &import_id), recovering);
    let recovered = began.elapsed();
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
    println!(
        "seed {}: {} rows, {:?}, killed at {} after {} passes ({fault:.1?}), then {} \
         ({recovered:.1?}), checked ({:.1?})",
        plan.seed,
        plan.rows,
        plan.moment,
        plan.place,
        plan.passes,
        seen.join(" "),
        began.elapsed()
    );
}

/// How long a worker may take to stop in these tests, and how long it pauses after each chunk: all
/// chunks together take longer.
const GRACE: &str = "4s";
const PAUSE: Duration = Duration::from_secs(1);
const BIG: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_in_the_middle_of_a_big_file_it_hands_the_rest_to_another_worker() {
    let mut world = World::stopped(&[("DJINN_SHUTDOWN_GRACE", GRACE)], None).await;
    let pauses = testing::pause_at("staging_after_commit", None, PAUSE);
    world.start(&[("FAILPOINTS", &pauses)]).await;
    let scene = Scene::set(&world, BIG, 0).await;
    let import_id = scene.begin(&world).await;
    let mut client = scene.client(&world);
    testing::eventually("a chunk", PATIENCE, async || {
        let progress = get(&mut client, &import_id).await.job?.progress?;
        (progress.done_count > 0).then_some(())
    })
    .await;
    let mut other = beside(&world).await;
    other.start(&[]).await;
    let staging = get(&mut client, &import_id).await.state();
    assert_eq!(staging, ImportState::Staging, "it is in the middle");
    let asked = Instant::now();
    let status = world.stop().await;
    assert!(status.success(), "{status}");
    println!("stopped within {:.1?}", asked.elapsed());
    let mut client = other.client(scene.user);
    let (seen, ()) = tokio::join!(
        scene.watch(&world, &import_id),
        finish(&mut client, &import_id)
    );
    assert_eq!(
        seen.first().map(String::as_str),
        Some("staging"),
        "{seen:?}"
    );
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
    nothing_failed(temporal, &import_id).await;
}

/// A workflow task may be late on a busy machine; nothing may fail, and no step be given up.
async fn nothing_failed(temporal: &str, import_id: &str) {
    let events = history_at(temporal, import_id).await;
    let words = ["TaskFailed", "ActivityTaskTimedOut"];
    let failed = |event: &&String| words.iter().any(|word| event.contains(word));
    assert_eq!(events.iter().find(failed), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_makes_room_for_a_new_one_after_each_step_fails_none() {
    let world = World::with(&[("WORKER_ACTIVITIES_MAX", "1")]).await;
    let scene = Scene::set(&world, 500, 0).await;
    let import_id = scene.begin(&world).await;
    finish(&mut scene.client(&world), &import_id).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
    nothing_failed(temporal, &import_id).await;
    // It scans, recognises, stages, matches and commits.
    let started = world.figure("temporal_worker_start_total").await;
    assert!(started > 5.0, "{started} workers started");
}

/// The step of a worker ends while Temporal is away, and with it the worker's share: the next one
/// starts, and the process is the same when Temporal is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_makes_room_for_a_new_one_while_temporal_is_away() {
    let world = World::with_temporal_behind_a_proxy(&[("WORKER_ACTIVITIES_MAX", "1")]).await;
    let line = world.temporal.as_ref().unwrap();
    let scene = Scene::set(&world, 500, 0).await;
    world.scanner.freeze();
    let import_id = scene.begin(&world).await;
    reach(&mut scene.client(&world), &import_id, ImportState::Scanning).await;
    let before = world.figure("temporal_worker_start_total").await;
    line.cut();
    world.scanner.heal();
    testing::eventually("a new worker", RECOVERY, async || {
        let started = world.figure("temporal_worker_start_total").await;
        (started > before).then_some(())
    })
    .await;
    line.heal();
    finish(&mut scene.client(&world), &import_id).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
    assert!(world.lives().await, "no process had to be started again");
}

/// A second process of the service on the first one's database and task queue.
pub(super) async fn beside(world: &World) -> World {
    let database = world.database.url("djinn_imports");
    let environment = [
        ("DJINN_IMPORTS_DATABASE_URL", &*database),
        ("DJINN_IMPORTS_TASK_QUEUE", &*world.queue),
    ];
    World::stopped(&environment, None).await
}

#[tokio::test]
async fn stopped_gently_in_the_middle_it_hands_back_what_it_cannot_finish() {
    let mut world = World::with(&[("DJINN_SHUTDOWN_GRACE", GRACE)]).await;
    let scene = Scene::set(&world, 500, 0).await;
    world.scanner.freeze();
    let import_id = scene.begin(&world).await;
    reach(&mut scene.client(&world), &import_id, ImportState::Scanning).await;
    let status = world.stop().await;
    assert!(status.success(), "{status}");
    world.scanner.heal();
    world.start(&[]).await;
    let mut client = scene.client(&world);
    finish(&mut client, &import_id).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
}

/// A person who is quicker than the workflow: Postgres shows the review that the killed worker has
/// not reported yet.
#[tokio::test]
async fn a_review_that_its_workflow_has_not_heard_of_is_confirmed_later_and_not_refused() {
    let mut world = World::stopped(&[], None).await;
    world
        .start(&[("FAILPOINTS", "matching_after_commit=return")])
        .await;
    let scene = Scene::set(&world, 500, 0).await;
    let import_id = scene.begin(&world).await;
    world.died().await;
    world.start(&[]).await;
    let mut client = scene.client(&world);
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let status = confirm(&mut client, &review).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    insist(&mut client, &review).await;
    reach(&mut client, &import_id, ImportState::Committed).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
}
