//! Parts whose bytes leave while they come.

use std::{path::Path, pin::pin};

use futures::future::{Either, select};

use super::*;

const LONG: Duration = Duration::from_secs(60);

async fn begun(objects: &Objects) -> String {
    let parts = objects.begin("u/x").await.unwrap();
    parts.multipart_id().to_owned()
}

/// How many files a store keeps, visible or not.
fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| match entry.unwrap().path() {
            path if path.is_dir() => files(&path),
            _ => 1,
        })
        .sum()
}

#[tokio::test]
async fn a_part_is_stored_when_its_last_byte_has_come() {
    let (objects, folder) = store().await;
    let id = begun(&objects).await;
    let before = files(folder.path());
    let content: Vec<u8> = (0..=250).cycle().take(PART_BYTES + 7).collect();
    let content = Bytes::from(content);
    let (sink, flow) = flow(content.len().try_into().unwrap());
    let put = objects.put_flow("u/x", &id, 1, flow, LONG);
    let mut put = pin!(put);
    let (most, last) = (content.slice(..PART_BYTES), content.slice(PART_BYTES..));
    let Either::Left((sent, _)) = select(pin!(sink.send(most)), put.as_mut()).await else {
        panic!("answered before the part was whole");
    };
    sent.unwrap();
    assert!(
        objects.complete("u/x", &id, []).await.is_err(),
        "there is a part"
    );
    sink.send(last).await.unwrap();
    let part = put.await.unwrap();
    assert_eq!(part.number, 1);
    assert!(files(folder.path()) > before);
    objects.complete("u/x", &id, [part]).await.unwrap();
    assert!(read(&objects, "u/x").await == content);
}

#[tokio::test]
async fn of_a_part_that_is_given_up_nothing_is_kept() {
    let (objects, folder) = store().await;
    let id = begun(&objects).await;
    let before = files(folder.path());
    for sent_bytes in [0, 1, PART_BYTES] {
        let (sink, flow) = flow((PART_BYTES + 1).try_into().unwrap());
        let send = async move { sink.send(Bytes::from(vec![1; sent_bytes])).await };
        let put = objects.put_flow("u/x", &id, 1, flow, LONG);
        let (sent, stored) = tokio::join!(send, put);
        sent.unwrap();
        assert_eq!(stored.unwrap_err().kind(), Kind::Unavailable);
        // The store hears of it later than we do.
        testing::eventually("no file of it", LONG, async || {
            (files(folder.path()) == before).then_some(())
        })
        .await;
    }
    // The number is free, for another content even.
    let whole = Bytes::from_static(b"whole");
    let part = objects.put_part("u/x", &id, 1, whole).await.unwrap();
    objects.complete("u/x", &id, [part]).await.unwrap();
    assert_eq!(read(&objects, "u/x").await, b"whole");
}

#[tokio::test]
async fn more_than_was_said_is_no_part() {
    let (objects, _folder) = store().await;
    let id = begun(&objects).await;
    let (sink, flow) = flow(3);
    let send = async move { sink.send(Bytes::from_static(b"four")).await };
    let put = objects.put_flow("u/x", &id, 1, flow, LONG);
    let (sent, stored) = tokio::join!(send, put);
    sent.unwrap();
    assert_eq!(stored.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_store_that_refuses_says_so_before_all_has_come() {
    let (objects, _folder) = store().await;
    let id = begun(&objects).await;
    objects.abort("u/x", &id).await.unwrap();
    for (objects, reason) in [
        (objects, "OBJECT_NOT_FOUND"),
        (
            stubborn(StatusCode::SERVICE_UNAVAILABLE, "SlowDown").await,
            "OBJECT_STORE_UNAVAILABLE",
        ),
    ] {
        let (sink, flow) = flow(1 << 40);
        let put = objects.put_flow("u/x", &id, 1, flow, LONG);
        let send = async {
            while sink.send(Bytes::from(vec![1; 1 << 20])).await.is_ok() {}
            std::future::pending::<()>().await;
        };
        let Either::Right((stored, _)) = select(pin!(send), pin!(put)).await else {
            panic!("it is for ever");
        };
        assert_eq!(stored.unwrap_err().reason(), reason);
    }
}
