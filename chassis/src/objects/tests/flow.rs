//! Parts whose bytes leave while they come.

use std::{
    path::Path,
    pin::pin,
    sync::{Arc, Mutex},
};

use futures::future::{Either, select};
use ring::digest::{SHA256, digest};

use super::*;

const LONG: Duration = Duration::from_secs(60);

async fn begun(objects: &Objects) -> String {
    objects.begin_flows("u/x").await.unwrap()
}

/// The hash of what is sent matters to the store, and the embedded one looks at none.
const ANY: [u8; 32] = [0; 32];

fn hash(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
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
    let (sink, flow) = flow(content.len().try_into().unwrap(), hash(&content));
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
        let (sink, flow) = flow((PART_BYTES + 1).try_into().unwrap(), ANY);
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
    let (sink, flow) = flow(5, hash(&whole));
    let put = objects.put_flow("u/x", &id, 1, flow, LONG);
    let (sent, stored) = tokio::join!(sink.send(whole), put);
    sent.unwrap();
    let part = stored.unwrap();
    objects.complete("u/x", &id, [part]).await.unwrap();
    assert_eq!(read(&objects, "u/x").await, b"whole");
}

#[tokio::test]
async fn more_than_was_said_is_no_part() {
    let (objects, _folder) = store().await;
    let id = begun(&objects).await;
    let (sink, flow) = flow(3, ANY);
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
        let (sink, flow) = flow(1 << 40, ANY);
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

/// A proxy in front of a store may say yes to anything.
#[tokio::test]
async fn a_store_that_answers_too_early_has_stored_nothing() {
    let routes = axum::Router::new().fallback(async || [("etag", "\"e\"")]);
    let objects = answering(routes).await;
    let (sink, flow) = flow(1 << 40, ANY);
    let put = objects.put_flow("u/x", "u1", 1, flow, LONG);
    let send = async { while sink.send(Bytes::from(vec![1; 1 << 20])).await.is_ok() {} };
    let (stored, ()) = tokio::join!(put, send);
    assert_eq!(stored.unwrap_err().reason(), "OBJECT_STORE_REFUSED");
}

#[tokio::test]
async fn bytes_that_suffered_on_their_way_may_be_sent_again() {
    for code in DAMAGED {
        let objects = stubborn(StatusCode::BAD_REQUEST, code).await;
        let (sink, flow) = flow(5, ANY);
        let put = objects.put_flow("u/x", "u1", 1, flow, LONG);
        let (sent, stored) = tokio::join!(sink.send(Bytes::from_static(b"whole")), put);
        sent.unwrap();
        assert_eq!(stored.unwrap_err().kind(), Kind::Unavailable, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_is_not_waited_for() {
    let (sink, _flow) = flow(1 << 40, ANY);
    let began = tokio::time::Instant::now();
    let sent = sink.send(Bytes::from(vec![1; 1 << 20])).await;
    assert_eq!((sent, began.elapsed()), (Err(SinkClosed), ATTEMPT_TIMEOUT));
}

/// What a store is told of a part in front of its bytes, and of all parts at the end. The embedded
/// one takes anything; Garage takes no checksum behind the bytes, and S3 and Garage want to be told
/// when the upload begins which checksums there will be.
#[tokio::test]
async fn the_hash_of_a_part_goes_in_front_of_it() {
    let whole = Bytes::from_static(b"whole");
    let expected = part::base64(&hash(&whole));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let answer = async move |request: axum::extract::Request| {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let names = [
            "x-amz-checksum-algorithm",
            "x-amz-checksum-sha256",
            "x-amz-content-sha256",
            "x-amz-trailer",
            "content-encoding",
            "transfer-encoding",
            "content-length",
        ];
        let told = names.into_iter().filter_map(|name| {
            let value = head.headers.get(name)?;
            Some(format!("{name}: {}", value.to_str().unwrap()))
        });
        let told: Vec<String> = told.collect();
        let answer = match (head.method, head.uri.query()) {
            (http::Method::PUT, _) => "",
            (_, Some(query)) if query.starts_with("uploads") => {
                "<InitiateMultipartUploadResult><UploadId>u1</UploadId>\
                 </InitiateMultipartUploadResult>"
            }
            _ => "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
        };
        noted.lock().unwrap().push((told, body));
        ([("etag", "\"e\"")], answer)
    };
    let objects = answering(axum::Router::new().fallback(answer)).await;
    let id = objects.begin_flows("u/x").await.unwrap();
    let (sink, flow) = flow(5, hash(&whole));
    let put = objects.put_flow("u/x", &id, 1, flow, LONG);
    let (sent, stored) = tokio::join!(sink.send(whole.clone()), put);
    sent.unwrap();
    objects
        .complete("u/x", &id, [stored.unwrap()])
        .await
        .unwrap();
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    let [(begin, _), (part, bytes), (_, end)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(
        begin.contains(&"x-amz-checksum-algorithm: SHA256".to_owned()),
        "{begin:?}"
    );
    let expected_part = [
        format!("x-amz-checksum-sha256: {expected}"),
        "x-amz-content-sha256: UNSIGNED-PAYLOAD".to_owned(),
        "content-length: 5".to_owned(),
    ];
    assert_eq!(part[..], expected_part);
    assert_eq!(bytes, &whole);
    let end = String::from_utf8_lossy(end);
    assert!(
        end.contains(&format!("<ChecksumSHA256>{expected}<")),
        "{end}"
    );
}
