use http::StatusCode;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, net::TcpListener};

use super::*;
use crate::testing;

mod flow;

const BUCKET: &str = "djinn";

fn config(endpoint: &str) -> Config {
    Config {
        endpoint: endpoint.parse().unwrap(),
        region: "garage".to_owned(),
        bucket: BUCKET.to_owned(),
        access_key_id: "id".to_owned(),
        secret_access_key: "hunter2".to_owned().into(),
    }
}

/// A store in a folder; it lives as long as the folder.
async fn store() -> (Objects, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single("id", "hunter2"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let connection = Builder::new(TokioExecutor::new());
                let served = connection.serve_connection(TokioIo::new(socket), service);
                served.await.is_ok()
            });
        }
    });
    (Objects::connect(&config(&endpoint)), folder)
}

/// A store that has one answer for everything.
async fn stubborn(status: StatusCode, code: &str) -> Objects {
    let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
    let routes = axum::Router::new().fallback(move || std::future::ready((status, body.clone())));
    answering(routes).await
}

/// A store played by these routes.
async fn answering(routes: axum::Router) -> Objects {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Objects::connect(&config(&endpoint))
}

async fn read(objects: &Objects, key: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = objects.open(key).await.unwrap();
    reader.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn an_object_is_written_in_parts_and_read_whole() {
    let (objects, _folder) = store().await;
    objects.ping().await.unwrap();
    for (name, chunks) in [
        ("empty", vec![]),
        ("small", vec![5]),
        ("a part and one byte", vec![PART_BYTES, 1]),
        ("chunks across parts", vec![3_000_000; 6]),
        ("one chunk of two parts", vec![2 * PART_BYTES]),
    ] {
        let key = format!("u/{name}");
        let mut parts = objects.begin(&key).await.unwrap();
        assert!(!parts.multipart_id().is_empty());
        let mut written = Vec::new();
        for (index, length) in chunks.into_iter().enumerate() {
            let chunk = Bytes::from(vec![b'a' + index as u8; length]);
            written.extend_from_slice(&chunk);
            parts.write(chunk).await.unwrap();
            assert!(parts.buffer.len() < PART_BYTES, "{name}");
        }
        parts.finish().await.unwrap();
        assert!(read(&objects, &key).await == written, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_seen_before_the_end_and_giving_up_twice_is_fine() {
    let (objects, _folder) = store().await;
    let mut parts = objects.begin("u/x").await.unwrap();
    parts.write(Bytes::from(vec![1; PART_BYTES])).await.unwrap();
    let error = objects.open("u/x").await.err().unwrap();
    assert!(
        matches!(&error, Error::NotFound { key } if key == "u/x"),
        "{error:?}"
    );
    assert_eq!(error.kind(), Kind::NotFound);
    let id = parts.multipart_id().to_owned();
    parts.abort().await.unwrap();
    objects.abort("u/x", &id).await.unwrap();
    objects
        .abort("u/x", "6f0c8a0e-0000-4000-8000-000000000000")
        .await
        .unwrap();
}

#[tokio::test]
async fn parts_come_one_by_one_in_any_order_and_again() {
    let (objects, _folder) = store().await;
    let id = objects
        .begin("u/x")
        .await
        .unwrap()
        .multipart_id()
        .to_owned();
    let first = Bytes::from(vec![b'a'; PART_BYTES]);
    let last = Bytes::from_static(b"the end");
    let end = objects.put_part("u/x", &id, 2, last.clone()).await.unwrap();
    let begin = objects
        .put_part("u/x", &id, 1, first.clone())
        .await
        .unwrap();
    let again = objects
        .put_part("u/x", &id, 1, first.clone())
        .await
        .unwrap();
    assert_eq!(begin, again);
    assert!(!objects.exists("u/x").await.unwrap());
    // Another client, as after a crash: all it needs is what was noted.
    let other = objects.clone();
    other.complete("u/x", &id, [begin, end]).await.unwrap();
    assert!(objects.exists("u/x").await.unwrap());
    assert!(read(&objects, "u/x").await == [&first[..], &last[..]].concat());
}

/// The embedded store is less strict: Garage refuses to be reminded of a checksum that it was not
/// told to keep when the upload began.
#[tokio::test]
async fn a_store_is_told_which_checksums_parts_will_have() {
    let begun = "<InitiateMultipartUploadResult><UploadId>u1</UploadId>\
                 </InitiateMultipartUploadResult>";
    let routes = axum::Router::new().fallback(move |headers: http::HeaderMap| {
        let told = headers.get("x-amz-checksum-algorithm");
        let status = match told {
            Some(told) if told == "CRC32" => StatusCode::OK,
            _ => StatusCode::BAD_REQUEST,
        };
        std::future::ready((status, begun))
    });
    let parts = answering(routes).await.begin("u/x").await.unwrap();
    assert_eq!(parts.multipart_id(), "u1");
}

#[tokio::test]
async fn an_upload_that_is_complete_or_given_up_is_not_found() {
    let (objects, _folder) = store().await;
    let part = |id: String| {
        let objects = objects.clone();
        async move {
            objects
                .put_part("u/x", &id, 1, Bytes::from_static(b"x"))
                .await
        }
    };
    let id = objects
        .begin("u/x")
        .await
        .unwrap()
        .multipart_id()
        .to_owned();
    let stored = part(id.clone()).await.unwrap();
    objects
        .complete("u/x", &id, [stored.clone()])
        .await
        .unwrap();
    let given_up = objects
        .begin("u/y")
        .await
        .unwrap()
        .multipart_id()
        .to_owned();
    objects.abort("u/y", &given_up).await.unwrap();
    for id in [id, given_up] {
        for answer in [
            part(id.clone()).await.map(drop),
            objects.complete("u/x", &id, [stored.clone()]).await,
        ] {
            assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
        }
    }
    // What was complete stays as it is.
    assert_eq!(read(&objects, "u/x").await, b"x");
    for number in [0, PARTS_MAX + 1] {
        let answer = objects.put_part("u/x", "id", number, Bytes::new()).await;
        assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_deleting_it_again_is_fine() {
    let (objects, _folder) = store().await;
    let mut parts = objects.begin("u/x").await.unwrap();
    parts.write(Bytes::from_static(b"text")).await.unwrap();
    parts.finish().await.unwrap();
    objects.delete("u/x").await.unwrap();
    assert!(matches!(
        objects.open("u/x").await,
        Err(Error::NotFound { .. })
    ));
    objects.delete("u/x").await.unwrap();
}

#[tokio::test]
async fn answers_are_sorted_by_what_to_do() {
    for (status, code, expected) in [
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "SlowDown",
            "OBJECT_STORE_UNAVAILABLE",
        ),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "OBJECT_STORE_UNAVAILABLE",
        ),
        (
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "OBJECT_STORE_REFUSED",
        ),
        (
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "OBJECT_STORE_REFUSED",
        ),
        (
            StatusCode::NOT_FOUND,
            "NoSuchBucket",
            "OBJECT_STORE_REFUSED",
        ),
        (StatusCode::NOT_FOUND, "NoSuchKey", "OBJECT_NOT_FOUND"),
    ] {
        let objects = stubborn(status, code).await;
        let error = objects.open("u/x").await.err().unwrap();
        assert_eq!(error.reason(), expected, "{code}");
        let begun = objects.begin("u/x").await.err().unwrap();
        assert!(
            !matches!(begun, Error::NotFound { .. }),
            "{code}: {begun:?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_and_its_secret_is_not_shown() {
    let endpoint = format!("http://127.0.0.1:{}", testing::free_port());
    let config = config(&endpoint);
    let objects = Objects::connect(&config);
    let error = objects.ping().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(!format!("{config:?} {objects:?} {error:?}").contains("hunter2"));
}
