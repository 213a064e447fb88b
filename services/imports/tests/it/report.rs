//! The report of rows that could not be read.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    answer::Asked,
    world::{Client, World, ambiguous, begin, reach, refused, statement},
};

/// The report, with the number of its parts.
async fn report(client: &mut Client, import_id: &str) -> Result<(String, usize), Status> {
    let request = proto::DownloadErrorReportRequest {
        import_id: import_id.to_owned(),
    };
    let mut parts = client.download_error_report(request).await?.into_inner();
    let (mut bytes, mut count) = (Vec::new(), 0);
    while let Some(part) = parts.message().await? {
        assert!(part.chunk.len() < 128 * 1024, "{}", part.chunk.len());
        bytes.extend(part.chunk);
        count += 1;
    }
    Ok((String::from_utf8(bytes).unwrap(), count))
}

#[tokio::test]
async fn the_report_has_each_bad_row_and_no_formula() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let mut file = statement(&[]);
    for day in 1..=28 {
        file.extend(format!("2024-01-{day:02},Shop {day},-{day}.00\n").bytes());
    }
    file.extend(b"2024-01-29,=cmd(),12.3x\n2024-01-30,\"a,b\",-\n");
    let import_id = begin(&mut client, &file, account_id).await;
    reach(&mut client, &import_id, ImportState::Review).await;
    let (text, parts) = report(&mut client, &import_id).await.unwrap();
    assert_eq!(parts, 1);
    let mut lines = text.split("\r\n");
    assert_eq!(lines.next(), Some("\u{feff}line,reason,message,original"));
    let first = lines.next().unwrap();
    assert!(first.starts_with("30,"), "{first}");
    assert!(first.ends_with(",\"2024-01-29,=cmd(),12.3x\""), "{first}");
    let second = lines.next().unwrap();
    let original = ",\"2024-01-30,\"\"a,b\"\",-\"";
    assert!(
        second.starts_with("31,") && second.ends_with(original),
        "{second}"
    );
    assert_eq!(lines.collect::<Vec<_>>(), [""]);
}

#[tokio::test]
async fn a_long_report_comes_in_parts() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let mut file = statement(&[]);
    for row in 0..30_000 {
        let day = row % 28 + 1;
        let line = if row % 40 == 7 {
            format!("2024-01-{day:02},Row {row},1.2.3x\n")
        } else {
            format!("2024-01-{day:02},Row {row},-{}.00\n", row + 1)
        };
        file.extend(line.bytes());
    }
    let import_id = begin(&mut client, &file, account_id).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let invalid = review.counts.unwrap().invalid_count;
    assert_eq!(invalid, 750);
    let (text, parts) = report(&mut client, &import_id).await.unwrap();
    assert!(parts > 1, "{parts}");
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(rows.len(), 750);
    for (index, row) in rows.iter().enumerate() {
        let line = format!("{},", index * 40 + 7 + 2);
        assert!(row.starts_with(&line), "{row}");
    }
}

#[tokio::test]
async fn there_is_no_report_of_what_is_not_read_or_not_ones_own() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let early = report(&mut asked.client, &asked.import.import_id).await;
    refused(early, Code::FailedPrecondition, "WRONG_STATE");
    let mut thief = world.client(testing::user());
    for id in [asked.import.import_id.clone(), Uuid::new_v4().to_string()] {
        refused(report(&mut thief, &id).await, Code::NotFound, "NOT_FOUND");
    }
    let wrong = report(&mut thief, "x").await;
    refused(wrong, Code::InvalidArgument, "INVALID_FIELD");
}
