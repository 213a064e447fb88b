//! How an upload in chunks ends: whole, as another file, or given up.

use djinn_chassis::{auth::UserId, testing};
use tonic::Code;

use super::{
    CHUNK, announce, begin, begin_as, chunk_of, content, header, pieces, progress, put, send,
    sha256,
};
use crate::world::{PATIENCE, World, refused};

/// What is left of a user's uploads: their states, chunks and duties.
async fn left(world: &World, user: UserId) -> (Vec<String>, i64, i64) {
    let mut transaction = world.as_imports(user).await;
    let states = sqlx::query_scalar("SELECT state FROM imports.upload ORDER BY upload_id")
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    let chunks = sqlx::query_scalar("SELECT count(*) FROM imports.upload_chunk")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let duties = sqlx::query_scalar("SELECT count(*) FROM imports.due WHERE user_id = $1")
        .bind(user.uuid())
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    (states, chunks, duties)
}

#[tokio::test]
async fn two_last_chunks_at_once_both_succeed_and_make_one_file() {
    let world = World::new().await;
    let user = testing::user();
    let (mut one, mut two) = (world.client(user), world.client(user));
    let file = content(2 * CHUNK);
    for equal in [false, true] {
        let upload_id = begin(&mut one, &file).await;
        let (first, second) = if equal {
            put(&mut one, &upload_id, 0, chunk_of(&file, 0))
                .await
                .unwrap();
            (1, 1)
        } else {
            (0, 1)
        };
        let (left, right) = tokio::join!(
            put(&mut one, &upload_id, first, chunk_of(&file, first)),
            put(&mut two, &upload_id, second, chunk_of(&file, second)),
        );
        let answers = [left.unwrap(), right.unwrap()];
        let whole = progress(&mut one, &upload_id).await.unwrap();
        assert!(answers.contains(&whole), "{answers:?}");
        assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
    }
    let (states, _, duties) = left(&world, user).await;
    assert_eq!((states, duties), (vec!["stored".to_owned(); 2], 0));
}

#[tokio::test]
async fn chunks_that_make_another_file_than_announced_are_refused_and_deleted() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let mut asked = announce(&file);
    asked.sha256 = sha256(b"the statement of another month");
    let announced = asked.sha256.clone();
    let upload_id = begin_as(&mut client, asked).await.unwrap().upload_id;
    put(&mut client, &upload_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    let status = put(&mut client, &upload_id, 1, chunk_of(&file, 1))
        .await
        .unwrap_err();
    for hash in [announced, sha256(&file)] {
        assert!(status.message().contains(&hash), "{status:?}");
    }
    refused(
        Err::<(), _>(status),
        Code::FailedPrecondition,
        "FILE_MISMATCH",
    );
    assert_eq!(left(&world, user).await, (vec!["deleted".to_owned()], 0, 0));
    let again = put(&mut client, &upload_id, 1, chunk_of(&file, 1)).await;
    refused(again, Code::FailedPrecondition, "UPLOAD_GONE");
    // Without a hash of the whole, those of the chunks are what counts.
    let mut asked = announce(&file);
    asked.sha256.clear();
    let upload_id = begin_as(&mut client, asked).await.unwrap().upload_id;
    for number in [0, 1] {
        let chunk = chunk_of(&file, number);
        put(&mut client, &upload_id, number, chunk).await.unwrap();
    }
    let whole = progress(&mut client, &upload_id).await.unwrap();
    assert_eq!(whole.upload.unwrap().sha256, sha256(&file));
}

#[tokio::test]
async fn what_is_never_finished_is_swept_and_says_so() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(CHUNK + 5);
    let (upload_id, bare) = (
        begin(&mut client, &file).await,
        begin(&mut client, &file).await,
    );
    put(&mut client, &upload_id, 0, chunk_of(&file, 0))
        .await
        .unwrap();
    world.hurry_duties(user).await;
    let swept = async || {
        let left = left(&world, user).await;
        (left == (vec!["deleted".to_owned(); 2], 0, 0)).then_some(())
    };
    testing::eventually("the sweep", PATIENCE, swept).await;
    for upload_id in [upload_id, bare] {
        for number in [0, 1] {
            let answer = put(&mut client, &upload_id, number, chunk_of(&file, number)).await;
            refused(answer, Code::FailedPrecondition, "UPLOAD_GONE");
        }
        let answer = progress(&mut client, &upload_id).await;
        refused(answer, Code::FailedPrecondition, "UPLOAD_GONE");
    }
}

#[tokio::test]
async fn a_new_chunk_gives_an_upload_more_time_and_one_that_is_there_does_not() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = content(2 * CHUNK + 5);
    let upload_id = begin(&mut client, &file).await;
    let moved = async || {
        let mut transaction = world.as_imports(user).await;
        let hour = "UPDATE imports.due SET due_at = due_at - interval '1 hour'";
        sqlx::query(hour).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    moved().await;
    let before = progress(&mut client, &upload_id).await.unwrap();
    let after = put(&mut client, &upload_id, 0, chunk_of(&file, 0)).await;
    let after = after.unwrap();
    let hours = |progress: &djinn_proto::imports::v1::UploadProgress| {
        progress.expire_time.as_ref().unwrap().seconds / 60
    };
    assert!(hours(&after) >= hours(&before) + 59);
    moved().await;
    let before = progress(&mut client, &upload_id).await.unwrap();
    let equal = header(&upload_id, 0, chunk_of(&file, 0));
    let again = send(&mut client, equal, pieces(chunk_of(&file, 0))).await;
    assert_eq!(again.unwrap(), before);
}
