//! Another user's upload answers as one that never was, and its chunks are nobody else's.

use djinn_chassis::testing;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{CHUNK, announce, begin, begin_as, chunk_of, content, progress, put};
use crate::world::{World, upload};

fn shape(status: &Status, id: &str) -> (Code, String, usize) {
    (
        status.code(),
        status.message().replace(id, "ID"),
        status.details().len(),
    )
}

#[tokio::test]
async fn another_users_upload_answers_as_an_unknown_one() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let (mut mine, mut theirs) = (world.client(owner), world.client(thief));
    let file = content(CHUNK + 5);
    let unfinished = begin(&mut mine, &file).await;
    put(&mut mine, &unfinished, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    let whole = begin(&mut mine, &file[..5]).await;
    put(&mut mine, &whole, 0, &file[..5]).await.unwrap();
    // One that did not come in chunks has no chunks, whosever it is.
    let in_one = upload(&mut theirs, b"a,b\n").await.unwrap();
    let unknown = Uuid::new_v4().to_string();
    let mut shapes = Vec::new();
    for id in [&unfinished, &whole, &in_one, &unknown] {
        let chunk = chunk_of(&file, 1);
        let asked = progress(&mut theirs, id).await.unwrap_err();
        let sent = put(&mut theirs, id, 1, chunk).await.unwrap_err();
        shapes.push((shape(&asked, id), shape(&sent, id)));
    }
    assert_eq!(shapes[0].0.0, Code::NotFound);
    assert_eq!(shapes[0].1.0, Code::NotFound);
    assert!(shapes.iter().all(|it| *it == shapes[0]), "{shapes:?}");
    let found = progress(&mut mine, &unfinished).await.unwrap();
    assert_eq!(found.received_chunks, [0]);
}

#[tokio::test]
async fn another_users_request_id_begins_an_upload_of_ones_own() {
    let world = World::new().await;
    let (mut mine, mut theirs) = (world.client(testing::user()), world.client(testing::user()));
    let asked = announce(&content(5));
    let first = begin_as(&mut mine, asked.clone()).await.unwrap();
    let second = begin_as(&mut theirs, asked).await.unwrap();
    assert_ne!(first.upload_id, second.upload_id);
}

/// With the check of the application off: row-level security alone holds.
#[tokio::test]
async fn the_database_shows_and_takes_no_chunk_of_another() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let mut mine = world.client(owner);
    let file = content(CHUNK + 5);
    let upload_id = begin(&mut mine, &file).await;
    put(&mut mine, &upload_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    let upload_id = Uuid::try_parse(&upload_id).unwrap();
    for statement in [
        "SELECT upload_id FROM imports.upload_chunk",
        "UPDATE imports.upload_chunk SET etag = 'x' RETURNING upload_id",
        "DELETE FROM imports.upload_chunk RETURNING upload_id",
    ] {
        let mut transaction = world.as_imports(thief).await;
        let seen: Vec<Uuid> = sqlx::query_scalar(statement)
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(seen, Vec::<Uuid>::new(), "{statement}");
        let mut transaction = world.as_imports(owner).await;
        let own: Vec<Uuid> = sqlx::query_scalar(statement)
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(own, [upload_id], "{statement}");
    }
    let insert = "INSERT INTO imports.upload_chunk (user_id, upload_id, number, sha256) \
                  VALUES ($1, $2, 1, decode(repeat('00', 32), 'hex'))";
    // As the owner, and as oneself into the owner's upload.
    for user in [owner, thief] {
        let mut transaction = world.as_imports(thief).await;
        let written = sqlx::query(insert)
            .bind(user.uuid())
            .bind(upload_id)
            .execute(&mut *transaction)
            .await;
        assert!(written.is_err(), "{written:?}");
    }
    for (statement, user) in [
        ("UPDATE imports.upload_chunk SET sha256 = sha256", owner),
        ("UPDATE imports.upload_chunk SET number = 5", owner),
    ] {
        let mut transaction = world.as_imports(user).await;
        let written = sqlx::query(statement).execute(&mut *transaction).await;
        assert!(written.is_err(), "{statement}: {written:?}");
    }
}
