//! Postgres dies around the ledger's commit, or has no connection left. On a server of the test's
//! own: the stack's is everybody's.

use std::time::{Duration, Instant};

use djinn_chassis::testing::{self, PostgresServer, Proxy};
use djinn_proto::imports::v1::ImportState;
use sqlx::{Connection, PgConnection};
use tonic::Code;

use super::{finish, insist, scene::Scene};
use crate::{
    history::history_at,
    world::{Client, PATIENCE, World, confirm, reach, reason},
};

/// Enough for the service, the test and the superuser.
const CONNECTIONS_MAX: u16 = 30;
/// More than one chunk.
const ROWS: usize = 12_000;
/// Where the service rests for a moment, in which the test finds it there and freezes it.
const BEFORE_COMMIT: &str = "commit_before_commit";
const AFTER_COMMIT: &str = "commit_after_commit";
const REST: Duration = Duration::from_secs(3);
/// How long a transaction rests before it is taken to stand at the failpoint, in SQL.
const AT_REST: &str = "300 ms";
/// What `chassis::postgres` waits for a connection, and what a busy machine adds.
const REFUSED_WITHIN: Duration = Duration::from_secs(3 + 3);

/// The service on a Postgres of its own, with a proxy between them.
struct Mesh {
    server: PostgresServer,
    line: Proxy,
    world: World,
    scene: Scene,
    client: Client,
}

impl Mesh {
    /// With a rest at this failpoint, if at any.
    async fn with(failpoint: Option<&str>, connections_max: u16) -> Self {
        let failpoints = failpoint.map(|place| testing::pause_at(place, Some(1), REST));
        let server = PostgresServer::start(connections_max).await;
        let line = Proxy::to(server.address()).await;
        let database = server.database();
        let url = database.url("djinn_imports");
        let url = url.replace(&server.address(), &line.address().to_string());
        let environment = [("DJINN_IMPORTS_DATABASE_URL", &*url)];
        let mut world = World::stopped(&environment, None).await;
        world.database = database;
        let failpoints = failpoints.unwrap_or_default();
        world.start(&[("FAILPOINTS", &failpoints)]).await;
        let scene = Scene::set(&world, ROWS, 0).await;
        let client = scene.client(&world);
        Self {
            server,
            line,
            world,
            scene,
            client,
        }
    }

    /// Confirms the import and freezes the service where it stands at the failpoint.
    async fn freeze_in_commit(&mut self, import_id: &str, question: &str) {
        let review = reach(&mut self.client, import_id, ImportState::Review).await;
        confirm(&mut self.client, &review).await.unwrap();
        let mut superuser = self.server.superuser().await;
        testing::eventually("the process at its failpoint", PATIENCE, async || {
            is_true(&mut superuser, question).await.then_some(())
        })
        .await;
        self.world.process().freeze();
        assert!(is_true(&mut superuser, question).await, "frozen too late");
    }

    async fn restart(&mut self) {
        self.server.crash().await;
        self.server.start_again().await;
    }

    /// From the restart to the end, without a hand.
    async fn recovers(self, import_id: &str) {
        let began = Instant::now();
        let mut client = self.client;
        let committed = reach(&mut client, import_id, ImportState::Committed);
        let (seen, _) = tokio::join!(self.scene.watch(&self.world, import_id), committed);
        let temporal = &testing::stack().temporal_address;
        self.scene.holds(&self.world, temporal, import_id).await;
        println!(
            "recovered within {:.1?}: {}",
            began.elapsed(),
            seen.join(" ")
        );
        let events = history_at(temporal, import_id).await;
        let failed = |event: &&String| event.contains("TaskFailed");
        assert_eq!(events.iter().find(failed), None);
    }
}

async fn is_true(superuser: &mut PgConnection, question: &str) -> bool {
    let question = sqlx::AssertSqlSafe(question.to_owned());
    let answer = sqlx::query_scalar::<_, bool>(question).fetch_one(superuser);
    answer.await.unwrap()
}

/// Something is written, nothing is committed, and the service says nothing more.
fn rests_before_commit() -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'djinn-imports' \
         AND backend_xid IS NOT NULL AND state = 'idle in transaction' \
         AND state_change < now() - interval '{AT_REST}')"
    )
}

const IS_COMMITTED: &str = "SELECT EXISTS (SELECT FROM imports.import WHERE status = 'committed')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_dies_before_the_ledger_is_committed() {
    let mut mesh = Mesh::with(Some(BEFORE_COMMIT), CONNECTIONS_MAX).await;
    let import_id = mesh.scene.begin(&mesh.world).await;
    mesh.freeze_in_commit(&import_id, &rests_before_commit())
        .await;
    mesh.restart().await;
    let mut superuser = mesh.server.superuser().await;
    assert!(
        !is_true(&mut superuser, IS_COMMITTED).await,
        "in or out, whole"
    );
    mesh.world.process().thaw();
    mesh.recovers(&import_id).await;
}

/// The commit arrives, and Postgres dies before its answer does: whether it was written is unknown
/// to who asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_dies_between_the_commit_and_its_answer() {
    let mut mesh = Mesh::with(Some(BEFORE_COMMIT), CONNECTIONS_MAX).await;
    let import_id = mesh.scene.begin(&mesh.world).await;
    mesh.freeze_in_commit(&import_id, &rests_before_commit())
        .await;
    mesh.line.mute_after(b"COMMIT");
    mesh.world.process().thaw();
    let mut superuser = mesh.server.superuser().await;
    testing::eventually("a commit that nobody hears of", PATIENCE, async || {
        is_true(&mut superuser, IS_COMMITTED).await.then_some(())
    })
    .await;
    let log = mesh.world.process().log();
    assert!(!log.contains("import committed"), "heard of: {log}");
    mesh.server.crash().await;
    mesh.line.cut();
    mesh.server.start_again().await;
    mesh.line.heal();
    mesh.recovers(&import_id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_dies_after_the_ledger_is_committed() {
    let mut mesh = Mesh::with(Some(AFTER_COMMIT), CONNECTIONS_MAX).await;
    let import_id = mesh.scene.begin(&mesh.world).await;
    mesh.freeze_in_commit(&import_id, IS_COMMITTED).await;
    mesh.restart().await;
    let mut superuser = mesh.server.superuser().await;
    assert!(
        is_true(&mut superuser, IS_COMMITTED).await,
        "written is written"
    );
    mesh.world.process().thaw();
    mesh.recovers(&import_id).await;
}

/// Opens idle connections until the server has none left, and ends those of the service, which is
/// to find none either.
async fn take_every_connection(mesh: &Mesh) -> Vec<PgConnection> {
    let url = mesh.world.database.url("djinn_sync");
    let mut superuser = mesh.server.superuser().await;
    let mut taken = Vec::new();
    testing::eventually("no connection left", PATIENCE, async || {
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE usename = 'djinn_imports'",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
        while let Ok(connection) = PgConnection::connect(&url).await {
            taken.push(connection);
        }
        // All but this one: a backend that has no name yet, or none any more, holds a place too,
        // and leaves it to the service.
        let all = "SELECT count(*) + 1 = current_setting('max_connections')::integer \
                       - current_setting('superuser_reserved_connections')::integer \
                   FROM pg_stat_activity WHERE usename = 'djinn_sync'";
        is_true(&mut superuser, all).await.then_some(())
    })
    .await;
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_connection_left_calls_are_refused_in_time_and_work_waits() {
    let mut mesh = Mesh::with(None, CONNECTIONS_MAX / 2).await;
    let shown = mesh.scene.begin(&mesh.world).await;
    let review = reach(&mut mesh.client, &shown, ImportState::Review).await;
    // A step that is under way, and needs a connection when its scan is over.
    let other = Scene::set(&mesh.world, 500, 1).await;
    let mut others = other.client(&mesh.world);
    mesh.world.scanner.freeze();
    let scanned = other.begin(&mesh.world).await;
    reach(&mut others, &scanned, ImportState::Scanning).await;

    let taken = take_every_connection(&mesh).await;
    let began = Instant::now();
    let status = confirm(&mut mesh.client, &review).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "DATABASE_UNAVAILABLE"),
        "{status:?}"
    );
    assert!(began.elapsed() < REFUSED_WITHIN, "{:?}", began.elapsed());
    println!(
        "{} taken, refused within {:.1?}",
        taken.len(),
        began.elapsed()
    );
    let before = database_failures(&mut mesh.world);
    mesh.world.scanner.heal();
    testing::eventually("a step without a connection", PATIENCE, async || {
        (database_failures(&mut mesh.world) > before).then_some(())
    })
    .await;
    for connection in taken {
        connection.close().await.unwrap();
    }
    insist(&mut mesh.client, &review).await;
    finish(&mut others, &scanned).await;
    let temporal = &testing::stack().temporal_address;
    other.holds(&mesh.world, temporal, &scanned).await;
    mesh.recovers(&shown).await;
}

fn database_failures(world: &mut World) -> usize {
    let log = world.process().log();
    log.matches("DATABASE_UNAVAILABLE").count()
}
