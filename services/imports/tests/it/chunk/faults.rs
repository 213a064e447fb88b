//! Killed between any two steps of a chunk: what was stored stays, and the same chunks again make
//! the file whole.

use bytes::Bytes;
use djinn_chassis::testing::{self, Proxy};
use futures::{StreamExt, stream};
use tokio::sync::oneshot;
use tonic::Code;

use super::{CHUNK, begin, chunk_of, content, header, progress, put, send, sha256};
use crate::world::{World, refused};

/// Where the process dies, and what has arrived by then.
async fn survives(failpoint: &str, received: &[i32]) {
    let mut world = World::new().await;
    let user = testing::user();
    world.kill().await;
    world.start(&[("FAILPOINTS", failpoint)]).await;
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let upload_id = begin(&mut client, &file).await;
    for number in [1, 0] {
        // One of these answers is lost with the process, and then there is nobody to ask.
        drop(put(&mut client, &upload_id, number, chunk_of(&file, number)).await);
    }
    world.died().await;
    world.start(&[]).await;
    let mut client = world.client(user);
    let found = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!(found.received_chunks, received);
    // What a chunk holds was fixed before the store was told of it.
    let other = put(&mut client, &upload_id, 1, b"other").await;
    refused(other, Code::AlreadyExists, "CHUNK_CONFLICT");
    for number in [1, 0] {
        let chunk = chunk_of(&file, number);
        put(&mut client, &upload_id, number, chunk).await.unwrap();
    }
    let whole = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
    let mut transaction = world.as_imports(user).await;
    let duties: i64 = sqlx::query_scalar("SELECT count(*) FROM imports.due")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(duties, 0);
}

#[tokio::test]
async fn killed_between_the_claim_of_a_chunk_and_its_storing() {
    survives("chunk_after_claim=return", &[]).await;
}

#[tokio::test]
async fn killed_between_the_storing_of_a_chunk_and_its_note() {
    survives("chunk_after_put=return", &[]).await;
}

#[tokio::test]
async fn killed_when_the_last_chunk_is_noted() {
    survives("chunk_after_note=1*off->return", &[0, 1]).await;
}

#[tokio::test]
async fn killed_between_the_object_and_its_file() {
    survives("upload_after_complete=return", &[0, 1]).await;
}

#[tokio::test]
async fn killed_between_the_file_and_its_answer() {
    survives("upload_after_finish=return", &[0, 1]).await;
}

/// The store is away when a chunk comes, and again when all chunks are there: nothing that has
/// arrived is lost, and the same chunk again goes on.
#[tokio::test]
async fn an_object_store_that_is_away_loses_no_chunk() {
    let store = testing::stack().s3_endpoint.clone();
    let store = Proxy::to(store.trim_start_matches("http://").to_owned()).await;
    let endpoint = format!("http://{}", store.address());
    let mut world = World::with(&[("DJINN_S3_ENDPOINT", &endpoint)]).await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let upload_id = begin(&mut client, &file).await;
    let last = chunk_of(&file, 1);
    put(&mut client, &upload_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    store.cut();
    let away = put(&mut client, &upload_id, 1, last).await;
    refused(away, Code::Unavailable, "OBJECT_STORE_UNAVAILABLE");
    let found = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!(found.received_chunks, [0]);
    store.heal();
    world.kill().await;
    world
        .start(&[("FAILPOINTS", "chunk_after_note=return")])
        .await;
    drop(put(&mut world.client(user), &upload_id, 1, last).await);
    world.died().await;
    world.start(&[]).await;
    let mut client = world.client(user);
    store.cut();
    let away = put(&mut client, &upload_id, 1, last).await;
    refused(away, Code::Unavailable, "OBJECT_STORE_UNAVAILABLE");
    let found = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!((found.received_chunks, found.upload), (vec![0, 1], None));
    store.heal();
    let whole = put(&mut client, &upload_id, 1, last).await.unwrap();
    assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
}

/// The store dies while a chunk is on its way through: the client hears of it though it has not
/// sent all, nothing of the chunk counts, and another content may still come under its number.
#[tokio::test]
async fn an_object_store_that_dies_within_a_chunk_keeps_nothing_of_it() {
    let store = testing::stack().s3_endpoint.clone();
    let store = Proxy::to(store.trim_start_matches("http://").to_owned()).await;
    let endpoint = format!("http://{}", store.address());
    let world = World::with(&[("DJINN_S3_ENDPOINT", &endpoint)]).await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK);
    let upload_id = begin(&mut client, &file).await;
    let other = vec![7; CHUNK];
    let pieces: Vec<Bytes> = other
        .chunks(512 * 1024)
        .map(Bytes::copy_from_slice)
        .collect();
    let (held, is_held) = oneshot::channel();
    let most = pieces.len() - 1;
    // Polled past what the windows take: the store has bytes of it.
    let begun = stream::iter(pieces.into_iter().take(most));
    let pause = stream::once(async move {
        held.send(()).ok();
        futures::future::pending::<Bytes>().await
    });
    let announced = header(&upload_id, 0, &other);
    let mut sender = world.client(user);
    let sending = send(&mut sender, announced, begun.chain(pause));
    let (answer, ()) = tokio::join!(sending, async {
        is_held.await.unwrap();
        store.cut();
    });
    refused(answer, Code::Unavailable, "OBJECT_STORE_UNAVAILABLE");
    store.heal();
    let found = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!(found.received_chunks, [0; 0]);
    let whole = put(&mut client, &upload_id, 0, &file).await.unwrap();
    assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
}
