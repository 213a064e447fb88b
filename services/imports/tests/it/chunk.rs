//! Files that come in chunks: whole, broken off and gone on with, repeated, wrong.

mod end;
mod faults;
mod limits;
mod tenancy;

use bytes::Bytes;
use djinn_chassis::testing;
use djinn_proto::imports::v1::{
    self as proto, ImportState, UploadChunkHeader, UploadProgress, upload_chunk_request::Part,
};
use futures::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{Client, World, confirm, create, reach, refused};

const CHUNK: usize = 8 * 1024 * 1024;

/// Bytes that differ from chunk to chunk.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|at| u8::try_from((at / 251 + at) % 256).unwrap())
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn chunk_of(file: &[u8], number: usize) -> &[u8] {
    file.chunks(CHUNK).nth(number).unwrap()
}

fn announce(file: &[u8]) -> proto::BeginUploadRequest {
    proto::BeginUploadRequest {
        request_id: Uuid::new_v4().to_string(),
        file_name: "statement.csv".to_owned(),
        size_bytes: i64::try_from(file.len()).unwrap(),
        sha256: sha256(file),
    }
}

async fn begin_as(
    client: &mut Client,
    asked: proto::BeginUploadRequest,
) -> Result<UploadProgress, Status> {
    let answer = client.begin_upload(asked).await?;
    Ok(answer.into_inner().progress.unwrap())
}

async fn begin(client: &mut Client, file: &[u8]) -> String {
    begin_as(client, announce(file)).await.unwrap().upload_id
}

fn header(upload_id: &str, number: usize, bytes: &[u8]) -> UploadChunkHeader {
    UploadChunkHeader {
        upload_id: upload_id.to_owned(),
        chunk_number: i32::try_from(number).unwrap(),
        sha256: sha256(bytes),
        size_bytes: 0,
    }
}

fn pieces(bytes: &[u8]) -> impl Stream<Item = Bytes> + use<> {
    let pieces: Vec<_> = bytes
        .chunks(256 * 1024)
        .map(Bytes::copy_from_slice)
        .collect();
    stream::iter(pieces)
}

/// Sends a header and then whatever the stream gives.
async fn send(
    client: &mut Client,
    header: UploadChunkHeader,
    bytes: impl Stream<Item = Bytes> + Send + 'static,
) -> Result<UploadProgress, Status> {
    let parts = stream::iter([Part::Header(header)]).chain(bytes.map(Part::Chunk));
    let messages = parts.map(|part| proto::UploadChunkRequest { part: Some(part) });
    let answer = client.upload_chunk(messages).await?;
    Ok(answer.into_inner().progress.unwrap())
}

async fn put(
    client: &mut Client,
    upload_id: &str,
    number: usize,
    bytes: &[u8],
) -> Result<UploadProgress, Status> {
    send(client, header(upload_id, number, bytes), pieces(bytes)).await
}

async fn progress(client: &mut Client, upload_id: &str) -> Result<UploadProgress, Status> {
    let asked = proto::GetUploadProgressRequest {
        upload_id: upload_id.to_owned(),
    };
    let answer = client.get_upload_progress(asked).await?;
    Ok(answer.into_inner().progress.unwrap())
}

/// A statement of more than two chunks, in few rows: each has a description as long as may be.
fn wide(rows: usize) -> (Vec<u8>, i64) {
    let mut file = String::from("Date,Description,Amount\n");
    let filler = "x".repeat(900);
    for row in 0..rows {
        let (day, cents) = (row % 28 + 1, row % 100);
        file.push_str(&format!(
            "2024-01-{day:02},Shop {row} {filler},-{}.{cents:02}\n",
            row + 1
        ));
    }
    let sum = (0..rows).map(|row| -i64::try_from((row + 1) * 100 + row % 100).unwrap());
    (file.into_bytes(), sum.sum())
}

#[tokio::test]
async fn chunks_in_any_order_become_a_file_that_is_imported() {
    const ROWS: usize = 19_000;
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let (file, sum) = wide(ROWS);
    let begun = begin_as(&mut client, announce(&file)).await.unwrap();
    assert_eq!((begun.chunk_count, begun.chunk_size_bytes), (3, 8 << 20));
    assert_eq!((begun.received_chunks, &begun.upload), (vec![], &None));
    assert!(begun.expire_time.is_some());
    let upload_id = begun.upload_id;
    let mut seen = Vec::new();
    for number in [2, 0] {
        seen.push(i32::try_from(number).unwrap());
        seen.sort_unstable();
        let found = put(&mut client, &upload_id, number, chunk_of(&file, number)).await;
        let found = found.unwrap();
        assert_eq!((&found.received_chunks, found.upload), (&seen, None));
        // What is not whole is no file.
        let early = create(&mut client, &upload_id, account_id).await;
        refused(early, Code::NotFound, "NOT_FOUND");
    }
    let whole = put(&mut client, &upload_id, 1, chunk_of(&file, 1)).await;
    let whole = whole.unwrap();
    assert_eq!(whole.received_chunks, [0, 1, 2]);
    assert_eq!(whole.expire_time, None);
    let stored = whole.upload.as_ref().unwrap();
    assert_eq!(stored.upload_id, upload_id);
    assert_eq!(stored.file_name, "statement.csv");
    assert_eq!(stored.sha256, sha256(&file));
    assert_eq!(stored.size_bytes, i64::try_from(file.len()).unwrap());
    assert_eq!(progress(&mut client, &upload_id).await.unwrap(), whole);

    let import = create(&mut client, &upload_id, account_id).await.unwrap();
    let review = reach(&mut client, &import.import_id, ImportState::Review).await;
    confirm(&mut client, &review).await.unwrap();
    reach(&mut client, &import.import_id, ImportState::Committed).await;
    let ledger = world.ledger(user, account_id).await;
    assert_eq!((ledger.len(), ledger.iter().sum::<i64>()), (ROWS, sum));
}

#[tokio::test]
async fn the_same_beginning_again_is_the_same_upload_and_another_one_a_conflict() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    let file = content(CHUNK + 5);
    let asked = announce(&file);
    let first = begin_as(&mut client, asked.clone()).await.unwrap();
    assert_eq!(begin_as(&mut client, asked.clone()).await.unwrap(), first);
    let later = put(&mut client, &first.upload_id, 1, chunk_of(&file, 1)).await;
    let later = later.unwrap();
    assert_eq!(begin_as(&mut client, asked.clone()).await.unwrap(), later);
    let (mut name, mut size, mut hash) = (asked.clone(), asked.clone(), asked);
    name.file_name.push('x');
    size.size_bytes += 1;
    hash.sha256.clear();
    for other in [name, size, hash] {
        let answer = begin_as(&mut client, other).await;
        refused(answer, Code::AlreadyExists, "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_a_chunk_leaves_what_was_whole_and_is_gone_on_from() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(2 * CHUNK + 7);
    let upload_id = begin(&mut client, &file).await;
    put(&mut client, &upload_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    // Half of a chunk goes out, and then nothing, until the call is dropped.
    let half = chunk_of(&file, 1)[..CHUNK / 2].to_vec();
    let (sent, all_sent) = oneshot::channel();
    let then = stream::once(async move {
        sent.send(()).ok();
        futures::future::pending::<Bytes>().await
    });
    let mut phone = world.client(user);
    tokio::select! {
        answer = send(
            &mut phone,
            header(&upload_id, 1, chunk_of(&file, 1)),
            pieces(&half).chain(then),
        ) => unreachable!("{answer:?}"),
        told = all_sent => told.unwrap(),
    }
    drop(phone);
    // Ended in the middle, as a broken connection looks to a server.
    let cut = send(
        &mut client,
        header(&upload_id, 1, chunk_of(&file, 1)),
        pieces(&half),
    );
    refused(cut.await, Code::InvalidArgument, "INVALID_FIELD");
    let mut phone = world.client(user);
    let found = progress(&mut phone, &upload_id).await.unwrap();
    assert_eq!(found.received_chunks, [0]);
    for number in [1, 2] {
        let chunk = chunk_of(&file, number);
        put(&mut phone, &upload_id, number, chunk).await.unwrap();
    }
    let whole = progress(&mut phone, &upload_id).await.unwrap();
    assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
}

/// The version of a chunk's row, and what the store said of it.
async fn version(world: &World, user: djinn_chassis::auth::UserId) -> (String, Option<String>) {
    let mut transaction = world.as_imports(user).await;
    sqlx::query_as("SELECT xmin::text, etag FROM imports.upload_chunk WHERE number = 0")
        .fetch_one(&mut *transaction)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_equal_chunk_again_is_answered_by_its_header_and_another_one_is_a_conflict() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let upload_id = begin(&mut client, &file).await;
    let first = put(&mut client, &upload_id, 0, chunk_of(&file, 0)).await;
    let first = first.unwrap();
    let stored = version(&world, user).await;
    assert!(stored.1.is_some());
    // Not a byte of it is ever sent, so nothing can be stored.
    let silent = || stream::pending::<Bytes>();
    let equal = header(&upload_id, 0, chunk_of(&file, 0));
    let again = send(&mut client, equal.clone(), silent()).await.unwrap();
    assert_eq!(again, first);
    let other = header(&upload_id, 0, b"other bytes");
    let answer = send(&mut client, other.clone(), silent()).await;
    let status = answer.unwrap_err();
    assert!(status.message().contains(&equal.sha256), "{status:?}");
    assert!(status.message().contains(&other.sha256), "{status:?}");
    refused(Err::<(), _>(status), Code::AlreadyExists, "CHUNK_CONFLICT");
    assert_eq!(version(&world, user).await, stored);

    let whole = put(&mut client, &upload_id, 1, chunk_of(&file, 1)).await;
    let whole = whole.unwrap();
    assert!(whole.upload.is_some());
    // The same when the file is whole: the answer to the last chunk may have been lost.
    let again = send(&mut client, equal, silent()).await.unwrap();
    assert_eq!(again, whole);
    let answer = send(&mut client, other, silent()).await;
    refused(answer, Code::AlreadyExists, "CHUNK_CONFLICT");
}

#[tokio::test]
async fn what_is_not_the_chunk_that_was_announced_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let upload_id = begin(&mut client, &file).await;
    let right = header(&upload_id, 1, chunk_of(&file, 1));
    let number = |chunk_number| UploadChunkHeader {
        chunk_number,
        ..right.clone()
    };
    let hash = |sha256: &str| UploadChunkHeader {
        sha256: sha256.to_owned(),
        ..right.clone()
    };
    let size = |size_bytes| UploadChunkHeader {
        size_bytes,
        ..right.clone()
    };
    let foreign = sha256(b"other");
    for (header, bytes, field, says) in [
        (right.clone(), &b""[..], "chunk", "fewer"),
        (right.clone(), &file[CHUNK..CHUNK + 4], "chunk", "fewer"),
        (right.clone(), &file[CHUNK - 1..], "chunk", "more"),
        (right.clone(), &file[..5], "header.sha256", &right.sha256),
        (hash(&foreign), &file[CHUNK..], "header.sha256", &foreign),
        (hash("ff"), &file[CHUNK..], "header.sha256", "64"),
        (hash(&"g".repeat(64)), &file[CHUNK..], "header.sha256", "64"),
        (number(-1), &file[CHUNK..], "header.chunk_number", "0 to 1"),
        (number(2), &file[CHUNK..], "header.chunk_number", "0 to 1"),
        (size(6), &file[CHUNK..], "header.size_bytes", "5 bytes"),
        (size(-1), &file[CHUNK..], "header.size_bytes", "negative"),
    ] {
        let status = send(&mut client, header, pieces(bytes)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let message = status.message();
        assert!(message.starts_with(field), "{field}: {status:?}");
        assert!(message.contains(says), "{says}: {status:?}");
    }
    let nothing = stream::iter(Vec::<proto::UploadChunkRequest>::new());
    refused(
        client.upload_chunk(nothing).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let mut transaction = world.as_imports(user).await;
    let chunks: i64 = sqlx::query_scalar("SELECT count(*) FROM imports.upload_chunk")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(chunks, 0);
    let sized = size(5);
    let found = send(&mut client, sized, pieces(&file[CHUNK..])).await;
    assert_eq!(found.unwrap().received_chunks, [1]);
}

#[tokio::test]
async fn what_cannot_be_a_file_is_refused_by_name() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    let right = announce(&content(5));
    let mut wrong = vec![right.clone(); 6];
    wrong[0].request_id.clear();
    wrong[1].size_bytes = 0;
    wrong[2].size_bytes = -1;
    wrong[3].sha256.pop();
    wrong[4].file_name = "x".repeat(256);
    wrong[5].file_name = "a\nb".to_owned();
    for asked in wrong {
        let answer = begin_as(&mut client, asked).await;
        refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    }
    let limit = 256 * 1024 * 1024;
    for (size_bytes, count) in [(limit, Some(32)), (limit + 1, None), (i64::MAX, None)] {
        let request_id = Uuid::new_v4().to_string();
        let asked = proto::BeginUploadRequest {
            request_id,
            size_bytes,
            ..right.clone()
        };
        let answer = begin_as(&mut client, asked).await;
        match count {
            Some(count) => assert_eq!(answer.unwrap().chunk_count, count),
            None => refused(answer, Code::ResourceExhausted, "FILE_TOO_LARGE"),
        }
    }
}
