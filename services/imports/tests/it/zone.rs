//! Time stamps become days in the time zone of their account's holder, and a row is known again by
//! what the file writes, whatever the zone is by then.

use djinn_chassis::{auth::UserId, testing};
use djinn_proto::imports::v1::{self as proto, ImportState, preview_statement_response::Part};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, begin, confirm, import, reach, refused, upload};

/// Two purchases in the evening and one at noon, in UTC.
const STAMPED: &[u8] = b"Date,Description,Amount\n\
    2024-01-31T22:30:00Z,Cinema,-12.00\n\
    2024-01-31T23:30:00Z,Taxi,-18.50\n\
    2024-02-01T11:00:00Z,Lunch,-9.90\n";

/// The days of an account's bookings, in their order.
async fn days(world: &World, user: UserId, account_id: Uuid) -> Vec<String> {
    let mut transaction = world.as_sync(user).await;
    sqlx::query_scalar(
        "SELECT booked_on::text FROM ledger.transaction WHERE account_id = $1 \
         ORDER BY booked_on, transaction_id",
    )
    .bind(account_id)
    .fetch_all(&mut *transaction)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_purchase_late_at_night_is_booked_on_the_day_it_was_there() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    world.set_time_zone(user, account_id, "Europe/Berlin").await;
    let mut client = world.client(user);
    let done = import(&mut client, STAMPED, account_id).await;
    let evidence = &done.reading.unwrap().evidence;
    assert!(
        evidence
            .iter()
            .any(|it| it.contains("time zone Europe/Berlin")),
        "{evidence:?}"
    );
    assert_eq!(
        days(&world, user, account_id).await,
        ["2024-01-31", "2024-02-01", "2024-02-01"]
    );
}

/// Whoever tells the zone after the first import, or moves, imports nothing twice.
#[tokio::test]
async fn the_same_file_adds_nothing_under_another_time_zone() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, STAMPED, account_id).await;
    let written = ["2024-01-31", "2024-01-31", "2024-02-01"];
    assert_eq!(days(&world, user, account_id).await, written);
    for zone in ["Europe/Berlin", "Pacific/Kiritimati", ""] {
        world.set_time_zone(user, account_id, zone).await;
        let import_id = begin(&mut client, STAMPED, account_id).await;
        let seen = reach(&mut client, &import_id, ImportState::Review).await;
        let counts = seen.counts.unwrap();
        assert_eq!((counts.new_count, counts.duplicate_count), (0, 3), "{zone}");
        confirm(&mut client, &seen).await.unwrap();
        reach(&mut client, &import_id, ImportState::Committed).await;
        assert_eq!(days(&world, user, account_id).await, written, "{zone}");
    }
}

#[tokio::test]
async fn a_preview_takes_the_time_zone_that_it_is_told() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let upload_id = upload(&mut client, STAMPED).await.unwrap();
    let request = |time_zone: &str| proto::PreviewStatementRequest {
        upload_id: upload_id.clone(),
        time_zone: time_zone.to_owned(),
        ..Default::default()
    };
    for (zone, expected) in [
        ("", ["2024-01-31", "2024-01-31", "2024-02-01"]),
        ("Asia/Tokyo", ["2024-02-01", "2024-02-01", "2024-02-01"]),
    ] {
        let mut parts = client
            .preview_statement(request(zone))
            .await
            .unwrap()
            .into_inner();
        let mut found = Vec::new();
        while let Some(message) = parts.message().await.unwrap() {
            if let Some(Part::Row(row)) = message.part {
                found.push(row.booked_on);
            }
        }
        assert_eq!(found, expected, "{zone}");
    }
    refused(
        client.preview_statement(request("CET+1")).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
}
