//! Killed between any two steps of a chunk: what was stored stays, and the same chunks again make
//! the file whole.

use djinn_chassis::testing;
use tonic::Code;

use super::{CHUNK, begin, chunk_of, content, progress, put, sha256};
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
