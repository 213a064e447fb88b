//! The scanner says no, or says nothing: no file is parsed unscanned.

mod packed;

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState};
use tonic::Code;

use crate::world::{PATIENCE, World, begin, confirm, get, many, reach, refused, statement, upload};

/// The harmless file every scanner knows, in two halves so that this source is not one.
fn eicar() -> String {
    [
        "X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
        "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
}

async fn is_refused_and_gone(world: &World, file: &[u8]) {
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, file, account_id).await;
    let import = reach(&mut client, &import_id, ImportState::Refused).await;
    assert_eq!(import.job.unwrap().failure.unwrap().reason, "INFECTED");
    let mut transaction = world.as_imports(user).await;
    let (key, state, scan): (String, String, String) =
        sqlx::query_as("SELECT object_key, state, scan FROM imports.upload")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    assert_eq!((state.as_str(), scan.as_str()), ("deleted", "infected"));
    let events: Vec<String> = sqlx::query_scalar("SELECT event FROM imports.audit")
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(events, ["infected"]);
    let found = objects().open(&key).await.map(|_| ());
    assert!(
        matches!(found, Err(djinn_chassis::objects::Error::NotFound { .. })),
        "{found:?}"
    );
}

fn objects() -> djinn_chassis::objects::Objects {
    let stack = testing::stack();
    djinn_chassis::objects::Objects::connect(&djinn_chassis::objects::Config {
        endpoint: stack.s3_endpoint.parse().unwrap(),
        region: "garage".to_owned(),
        bucket: stack.s3_bucket.clone(),
        access_key_id: stack.s3_access_key_id.clone(),
        secret_access_key: stack.s3_secret_access_key.clone().into(),
    })
}

#[tokio::test]
async fn an_infected_row_is_refused_and_its_object_gone() {
    let world = World::new().await;
    is_refused_and_gone(&world, &statement(&[("2024-01-31", &eicar(), "-3.20")])).await;
}

#[tokio::test]
async fn a_finding_in_the_last_bytes_of_the_largest_file_is_found() {
    let world = World::new().await;
    let eicar = eicar();
    let mut file = Vec::with_capacity(256 * 1024 * 1024);
    file.extend_from_slice(b"Date,Description,Amount\n");
    let row = b"2024-01-31,An ordinary shop in an ordinary street of an ordinary town,-3.20\n";
    while file.len() + row.len() + eicar.len() <= 256 * 1024 * 1024 {
        file.extend_from_slice(row);
    }
    file.resize(256 * 1024 * 1024 - eicar.len(), b' ');
    file.extend_from_slice(eicar.as_bytes());
    is_refused_and_gone(&world, &file).await;
}

#[tokio::test]
async fn a_preview_of_an_infected_file_is_refused_too() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let file = statement(&[("2024-01-31", &eicar(), "-3.20")]);
    let upload_id = upload(&mut client, &file).await.unwrap();
    let request = proto::PreviewStatementRequest {
        upload_id,
        ..Default::default()
    };
    refused(
        client.preview_statement(request).await,
        Code::FailedPrecondition,
        "INFECTED",
    );
}

#[tokio::test]
async fn a_preview_shows_the_reading_and_the_rows_without_an_import() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let upload_id = upload(&mut client, &many(30)).await.unwrap();
    let request = proto::PreviewStatementRequest {
        upload_id,
        rows_max: 10,
        mapping: None,
        ..Default::default()
    };
    let mut stream = client
        .preview_statement(request)
        .await
        .unwrap()
        .into_inner();
    let (mut readings, mut rows) = (0, Vec::new());
    while let Some(message) = stream.message().await.unwrap() {
        match message.part.unwrap() {
            proto::preview_statement_response::Part::Reading(found) => {
                let roles: Vec<_> = found
                    .reading
                    .unwrap()
                    .columns
                    .into_iter()
                    .map(|it| it.role)
                    .collect();
                assert_eq!(roles, ["booked_on", "description", "amount"]);
                readings += 1;
            }
            proto::preview_statement_response::Part::Row(row) => rows.push(row),
        }
    }
    assert_eq!(
        (readings, rows.len(), rows[0].amount.as_str()),
        (1, 10, "1.00")
    );
}

#[tokio::test]
async fn without_a_scanner_the_import_waits_and_then_goes_on() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    world.scanner.cut();
    let import_id = begin(&mut client, &many(12), account_id).await;
    reach(&mut client, &import_id, ImportState::Scanning).await;
    // The scan has been tried, and failed, more than once: it did not merely not begin yet.
    let mut world = world;
    testing::eventually("two failed scans", PATIENCE, async || {
        let log = world.process().log();
        (log.matches("SCANNER_UNAVAILABLE").count() >= 2).then_some(())
    })
    .await;
    assert_eq!(
        get(&mut client, &import_id).await.state(),
        ImportState::Scanning
    );
    world.scanner.heal();
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    confirm(&mut client, &review).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
}
