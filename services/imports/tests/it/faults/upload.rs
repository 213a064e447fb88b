//! An upload whose store or whose service goes away in its middle: sent again under the same id it
//! is one upload, and what was left behind is swept.

use bytes::Bytes;
use djinn_chassis::testing::{self, Proxy};
use djinn_proto::imports::v1::{
    self as proto, ImportState, UploadStatementRequest, upload_statement_request::Part,
};
use futures::{SinkExt, channel::mpsc};
use tonic::Status;
use uuid::Uuid;

use super::{finish, scene::Scene, sweep};
use crate::world::{PATIENCE, World, create, get, upload_as};

/// What is sent before the fault: more than a part of the store (8 MiB), so that one is there.
const SENT_BYTES: usize = 9 * 1024 * 1024;
const CHUNK_BYTES: usize = 256 * 1024;
const FILE_NAME: &str = "statement.csv";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    StoreAway,
    Killed,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_goes_away_in_the_middle_of_an_upload() {
    survives(Fault::StoreAway).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_is_killed_in_the_middle_of_an_upload() {
    survives(Fault::Killed).await;
}

async fn survives(fault: Fault) {
    let endpoint = testing::stack().s3_endpoint.trim_start_matches("http://");
    let store = Proxy::to(endpoint).await;
    let address = format!("http://{}", store.address());
    let mut world = World::stopped(&[("DJINN_S3_ENDPOINT", &address)], None).await;
    world.start(&[]).await;
    let mut scene = Scene::set(&world, 500, 0).await;
    // Blank lines behind the table are no rows, and make the file as long as it has to be.
    scene.file.resize(2 * SENT_BYTES, b'\n');
    let request_id = Uuid::new_v4();

    let (sender, receiver) = mpsc::channel(1);
    let mut client = scene.client(&world);
    let (answer, ()) = tokio::join!(client.upload_statement(receiver), async {
        let mut sender = send_half(sender, request_id, &scene.file).await;
        match fault {
            Fault::StoreAway => store.cut(),
            Fault::Killed => world.kill().await,
        }
        // Whether the rest still finds somebody does not matter.
        for chunk in scene.file[SENT_BYTES..].chunks(CHUNK_BYTES) {
            drop(sender.send(message(chunk)).await);
        }
    });
    let status: Status = answer.unwrap_err();
    println!("{fault:?}: {:?} {}", status.code(), status.message());
    store.heal();
    if fault == Fault::Killed {
        world.start(&[]).await;
    }

    let mut client = scene.client(&world);
    let first = upload_as(&mut client, request_id, FILE_NAME, &scene.file).await;
    let second = upload_as(&mut client, request_id, FILE_NAME, &scene.file).await;
    assert_eq!(first.as_ref().unwrap(), second.as_ref().unwrap());
    assert_eq!(states(&world, &scene).await, ["receiving", "stored"]);
    let import = create(&mut client, &first.unwrap(), scene.account_id).await;
    let import_id = import.unwrap().import_id;
    finish(&mut client, &import_id).await;
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;

    // A day later.
    world.hurry_duties(scene.user).await;
    sweep(&world, temporal).await;
    testing::eventually("the sweep", PATIENCE, async || {
        (states(&world, &scene).await == ["deleted", "stored"]).then_some(())
    })
    .await;
    let kept = get(&mut client, &import_id).await;
    assert_eq!(kept.state(), ImportState::Committed);
}

fn message(chunk: &[u8]) -> UploadStatementRequest {
    UploadStatementRequest {
        part: Some(Part::Chunk(Bytes::copy_from_slice(chunk))),
    }
}

/// The channel holds a message or two, so what has been sent has been taken.
async fn send_half(
    mut sender: mpsc::Sender<UploadStatementRequest>,
    request_id: Uuid,
    file: &[u8],
) -> mpsc::Sender<UploadStatementRequest> {
    let header = proto::UploadHeader {
        request_id: request_id.to_string(),
        file_name: FILE_NAME.to_owned(),
        size_bytes: i64::try_from(file.len()).unwrap(),
    };
    let header = UploadStatementRequest {
        part: Some(Part::Header(header)),
    };
    sender.send(header).await.unwrap();
    for chunk in file[..SENT_BYTES].chunks(CHUNK_BYTES) {
        sender.send(message(chunk)).await.unwrap();
    }
    sender
}

/// The states of the user's uploads, in order of the alphabet.
async fn states(world: &World, scene: &Scene) -> Vec<String> {
    let mut transaction = world.as_imports(scene.user).await;
    sqlx::query_scalar("SELECT state FROM imports.upload ORDER BY state")
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
}
