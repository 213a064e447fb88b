//! Files on their way in.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, upload_statement_request::Part};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, refused, statement, upload_as};

#[tokio::test]
async fn the_same_request_id_is_one_upload_and_with_other_bytes_a_conflict() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    let request_id = Uuid::new_v4();
    let file = statement(&[("2024-01-31", "Coffee", "-3.20")]);
    let first = upload_as(&mut client, request_id, "a.csv", &file)
        .await
        .unwrap();
    let second = upload_as(&mut client, request_id, "a.csv", &file)
        .await
        .unwrap();
    assert_eq!(first, second);
    let other = statement(&[("2024-01-31", "Coffee", "-3.30")]);
    let answer = upload_as(&mut client, request_id, "a.csv", &other).await;
    refused(answer, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let answer = upload_as(&mut client, request_id, "b.csv", &file).await;
    refused(answer, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn two_calls_of_one_request_at_once_store_one_file() {
    let world = World::new().await;
    let user = testing::user();
    let request_id = Uuid::new_v4();
    let file = statement(&[("2024-01-31", "Coffee", "-3.20")]);
    let (mut one, mut two) = (world.client(user), world.client(user));
    let (first, second) = tokio::join!(
        upload_as(&mut one, request_id, "a.csv", &file),
        upload_as(&mut two, request_id, "a.csv", &file),
    );
    assert_eq!(first.unwrap(), second.unwrap());
}

#[tokio::test]
async fn a_message_carries_a_mebibyte_of_a_file_and_no_more() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    for (bytes, fits) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
        let header = proto::UploadHeader {
            request_id: Uuid::new_v4().to_string(),
            file_name: "a.csv".to_owned(),
            size_bytes: bytes,
        };
        let chunk = vec![b'x'; usize::try_from(bytes).unwrap()];
        let parts = [Part::Header(header), Part::Chunk(chunk.into())];
        let parts = parts.map(|part| proto::UploadStatementRequest { part: Some(part) });
        let answer = client.upload_statement(futures::stream::iter(parts)).await;
        if fits {
            assert_eq!(
                answer.unwrap().into_inner().upload.unwrap().size_bytes,
                bytes
            );
        } else {
            refused(answer, Code::InvalidArgument, "INVALID_FIELD");
        }
    }
}

#[tokio::test]
async fn what_is_no_upload_is_refused_by_name() {
    let world = World::new().await;
    let mut client = world.client(testing::user());
    let answer = upload_as(&mut client, Uuid::new_v4(), "a.csv", b"").await;
    refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    let answer = upload_as(&mut client, Uuid::new_v4(), &"x".repeat(256), b"a,b\n").await;
    refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    let nothing = futures::stream::iter(Vec::<proto::UploadStatementRequest>::new());
    refused(
        client.upload_statement(nothing).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
}

#[tokio::test]
async fn an_upload_of_another_size_than_announced_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    for announced in [3, 5, -1] {
        let header = proto::UploadHeader {
            request_id: Uuid::new_v4().to_string(),
            file_name: "cut.csv".to_owned(),
            size_bytes: announced,
        };
        let parts = [
            proto::upload_statement_request::Part::Header(header),
            proto::upload_statement_request::Part::Chunk(bytes::Bytes::from_static(b"a,b\n")),
        ];
        let messages = parts.map(|part| proto::UploadStatementRequest { part: Some(part) });
        let answer = client
            .upload_statement(futures::stream::iter(messages))
            .await;
        refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    }
    let mut transaction = world.as_imports(user).await;
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM imports.upload WHERE state <> 'deleted'")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn an_upload_past_the_limit_is_cut_off_and_leaves_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let header = proto::UploadHeader {
        request_id: Uuid::new_v4().to_string(),
        file_name: "large.csv".to_owned(),
        size_bytes: 0,
    };
    let chunk = bytes::Bytes::from(vec![b'x'; 1024 * 1024]);
    let header = proto::upload_statement_request::Part::Header(header);
    let parts = std::iter::once(header)
        .chain(std::iter::repeat_n(chunk, 300).map(proto::upload_statement_request::Part::Chunk));
    let messages = parts.map(|part| proto::UploadStatementRequest { part: Some(part) });
    let answer = client
        .upload_statement(futures::stream::iter(messages))
        .await;
    refused(answer, Code::ResourceExhausted, "FILE_TOO_LARGE");
    let mut transaction = world.as_imports(user).await;
    let states: Vec<String> = sqlx::query_scalar("SELECT state FROM imports.upload")
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(states, ["deleted"]);
    let duties: i64 = sqlx::query_scalar("SELECT count(*) FROM imports.due")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(duties, 0);
}
