//! How much may come at one time.

use bytes::Bytes;
use djinn_chassis::testing;
use djinn_imports::domain::chunk::{CHUNKS_MAX, USER_CHUNKS_MAX};
use futures::{StreamExt, stream};
use tokio::sync::oneshot;
use tonic::{Code, Status};

use super::{
    CHUNK, UploadProgress, announce, begin, begin_as, chunk_of, content, header, put, send,
};
use crate::world::{Client, World, refused};

#[tokio::test]
async fn more_than_twenty_unfinished_uploads_are_refused_also_at_one_time() {
    let world = World::new().await;
    let user = testing::user();
    let file = content(5);
    let begins = (0..30).map(|_| {
        let (mut client, asked) = (world.client(user), announce(&file));
        async move { (begin_as(&mut client, asked.clone()).await, asked) }
    });
    let answers = futures::future::join_all(begins).await;
    let (begun, refusals): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(answer, _)| answer.is_ok());
    assert_eq!((begun.len(), refusals.len()), (20, 10));
    for (answer, _) in refusals {
        refused(answer, Code::ResourceExhausted, "UNFINISHED_UPLOADS");
    }
    let mut client = world.client(user);
    // One that is known is answered all the same, and one that is whole makes room.
    let (known, asked) = begun.into_iter().next().unwrap();
    let known = known.unwrap();
    assert_eq!(begin_as(&mut client, asked).await.unwrap(), known);
    let whole = put(&mut client, &known.upload_id, 0, &file).await.unwrap();
    assert!(whole.upload.is_some());
    begin(&mut client, &file).await;
    // Others have their own.
    begin(&mut world.client(testing::user()), &file).await;
}

/// A chunk that holds its place until `release` is dropped.
async fn hold(
    mut client: Client,
    upload_id: String,
    file: Vec<u8>,
    number: usize,
    held: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
) -> Result<UploadProgress, Status> {
    let chunk = Bytes::copy_from_slice(chunk_of(&file, number));
    let head = header(&upload_id, number, &chunk);
    let pieces: Vec<Bytes> = chunk
        .chunks(512 * 1024)
        .map(Bytes::copy_from_slice)
        .collect();
    // Polled past what the window takes: the service reads, so the place is taken.
    let most = pieces.len() - 1;
    let last = pieces[most].clone();
    let begin = stream::iter(pieces.into_iter().take(most));
    let end = stream::once(async move {
        held.send(()).ok();
        release.await.ok();
        last
    });
    send(&mut client, head, begin.chain(end)).await
}

#[tokio::test]
async fn chunks_beyond_their_places_wait_and_are_sent_away() {
    let world = World::new().await;
    let (greedy, late) = (testing::user(), testing::user());
    let file = content(3 * CHUNK);
    let mut holding = Vec::new();
    let mut releases = Vec::new();
    let greedy_id = begin(&mut world.client(greedy), &file).await;
    let mut held = vec![
        (greedy, greedy_id.clone(), 0),
        (greedy, greedy_id.clone(), 1),
    ];
    assert_eq!(held.len(), USER_CHUNKS_MAX);
    while held.len() < CHUNKS_MAX {
        let other = testing::user();
        held.push((other, begin(&mut world.client(other), &file).await, 0));
    }
    for (user, upload_id, number) in held {
        let (held, is_held) = oneshot::channel();
        let (release, released) = oneshot::channel::<()>();
        let chunk = hold(
            world.client(user),
            upload_id,
            file.clone(),
            number,
            held,
            released,
        );
        holding.push(tokio::spawn(chunk));
        is_held.await.unwrap();
        releases.push(release);
    }
    let late_id = begin(&mut world.client(late), &file).await;
    let (mut one, mut two) = (world.client(greedy), world.client(late));
    let (third, first) = tokio::join!(
        put(&mut one, &greedy_id, 2, chunk_of(&file, 2)),
        put(&mut two, &late_id, 0, chunk_of(&file, 0)),
    );
    refused(third, Code::Unavailable, "CHUNKS_BUSY");
    refused(first, Code::Unavailable, "CHUNKS_BUSY");
    drop(releases);
    for chunk in holding {
        chunk.await.unwrap().unwrap();
    }
    put(&mut two, &late_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    let whole = put(&mut one, &greedy_id, 2, chunk_of(&file, 2)).await;
    assert!(whole.unwrap().upload.is_some());
}

#[tokio::test]
async fn memory_stays_small_while_chunks_come_from_many() {
    let mut world = World::new().await;
    let file = content(CHUNK);
    let mut warm = world.client(testing::user());
    let upload_id = begin(&mut warm, &file).await;
    put(&mut warm, &upload_id, 0, &file).await.unwrap();
    let before = world.process().memory_peak_kib();
    for _ in 0..3 {
        let chunks = (0..6).map(|_| {
            let (mut client, file) = (world.client(testing::user()), &file);
            async move {
                let upload_id = begin(&mut client, file).await;
                put(&mut client, &upload_id, 0, file).await
            }
        });
        for answer in futures::future::join_all(chunks).await {
            assert!(answer.unwrap().upload.is_some());
        }
    }
    let grown = world.process().memory_peak_kib().saturating_sub(before);
    println!("{before} KiB with one chunk, {grown} KiB more with many");
    assert!(grown < 56 * 1024, "{grown} KiB more");
}
