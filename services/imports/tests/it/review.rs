//! The review: etags, decisions, and who wins when several come at once.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState, RowVerdict};
use tonic::Code;

use crate::world::{
    Client, World, begin, cancel, confirm, import, many, reach, refused, statement,
};

const THREE: &[(&str, &str, &str)] = &[
    ("2024-01-31", "Salary", "2500.00"),
    ("2024-02-01", "Rent", "-900.50"),
    ("2024-02-13", "Coffee", "-3.20"),
];

pub(crate) async fn set(
    client: &mut Client,
    import: &proto::Import,
    rows: &[(i64, bool)],
) -> Result<proto::Import, tonic::Status> {
    let changes = rows
        .iter()
        .map(|(row_number, included)| proto::ImportRowChange {
            row_number: *row_number,
            included: *included,
            ..proto::ImportRowChange::default()
        })
        .collect();
    let request = proto::UpdateImportRowsRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        changes,
    };
    Ok(client
        .update_import_rows(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

#[tokio::test]
async fn what_is_excluded_stays_out_and_a_stale_etag_is_a_conflict() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &statement(THREE), account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    let edited = set(&mut client, &seen, &[(2, false)]).await.unwrap();
    assert_ne!(seen.etag, edited.etag);
    assert_eq!(
        edited.included_amount.as_ref().unwrap().minor_units,
        249_680
    );
    refused(
        confirm(&mut client, &seen).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    refused(
        set(&mut client, &seen, &[(1, false)]).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    confirm(&mut client, &edited).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    assert_eq!(world.ledger(user, account_id).await, [250_000, -320]);
}

#[tokio::test]
async fn a_duplicate_goes_in_once_more_when_a_person_says_so() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &statement(THREE), account_id).await;
    let import_id = begin(&mut client, &statement(THREE), account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    let edited = set(&mut client, &seen, &[(3, true)]).await.unwrap();
    confirm(&mut client, &edited).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -90_050, -320, -320]
    );
}

#[tokio::test]
async fn a_row_deleted_by_hand_stays_deleted_until_a_person_wants_it_back() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &statement(THREE), account_id).await;
    world.delete_by_hand(user, account_id, -320).await;
    let import_id = begin(&mut client, &statement(THREE), account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    let counts = seen.counts.unwrap();
    assert_eq!(
        (counts.duplicate_count, counts.deleted_before_count),
        (2, 1)
    );
    let edited = set(&mut client, &seen, &[(3, true)]).await.unwrap();
    confirm(&mut client, &edited).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -90_050, -320]
    );
    let counts = import(&mut client, &statement(THREE), account_id)
        .await
        .counts
        .unwrap();
    assert_eq!((counts.duplicate_count, counts.new_count), (3, 0));
}

#[tokio::test]
async fn an_account_that_changed_meanwhile_sends_the_import_back_to_review() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let first = begin(&mut client, &statement(THREE), account_id).await;
    let second = begin(&mut client, &statement(THREE), account_id).await;
    let first = reach(&mut client, &first, ImportState::Review).await;
    let second = reach(&mut client, &second, ImportState::Review).await;
    assert_eq!(second.counts.as_ref().unwrap().new_count, 3);
    confirm(&mut client, &first).await.unwrap();
    reach(&mut client, &first.import_id, ImportState::Committed).await;
    confirm(&mut client, &second).await.unwrap();
    let back = testing::eventually(
        "the review with a reason",
        crate::world::PATIENCE,
        async || {
            let import = crate::world::get(&mut client, &second.import_id).await;
            let failure = import.job.as_ref()?.failure.clone()?;
            (failure.reason == "ACCOUNT_CHANGED").then_some(import)
        },
    )
    .await;
    assert_eq!(back.state(), ImportState::Review);
    assert_eq!(back.counts.as_ref().unwrap().duplicate_count, 3);
    confirm(&mut client, &back).await.unwrap();
    reach(&mut client, &second.import_id, ImportState::Committed).await;
    assert_eq!(world.ledger(user, account_id).await.len(), 3);
}

#[tokio::test]
async fn rows_come_in_pages_and_each_once() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let mut file = many(250);
    file.extend_from_slice(b"2024-01-09,Broken,twelve\n");
    let import_id = begin(&mut client, &file, account_id).await;
    reach(&mut client, &import_id, ImportState::Review).await;
    let mut request = proto::ListImportRowsRequest {
        import_id,
        page_size: 100,
        ..proto::ListImportRowsRequest::default()
    };
    let mut numbers = Vec::new();
    loop {
        let page = client
            .list_import_rows(request.clone())
            .await
            .unwrap()
            .into_inner();
        numbers.extend(page.rows.iter().map(|row| row.row_number));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(numbers, (1..=251).collect::<Vec<i64>>());
    request.verdicts = vec![RowVerdict::Invalid.into()];
    let other_filters = client.list_import_rows(request.clone()).await;
    refused(other_filters, Code::InvalidArgument, "INVALID_FIELD");
    request.page_token.clear();
    let rows = client
        .list_import_rows(request)
        .await
        .unwrap()
        .into_inner()
        .rows;
    let problem = rows[0].problem.clone().unwrap();
    assert_eq!(
        (rows.len(), rows[0].row_number, rows[0].included),
        (1, 251, false)
    );
    assert!(problem.original.contains("twelve"), "{problem:?}");
}

#[tokio::test]
async fn confirm_cancel_and_expiry_at_once_end_in_one_of_them() {
    let world = World::with(&[("DJINN_IMPORTS_REVIEW_TTL", "2s")]).await;
    let user = testing::user();
    for round in 0..6_u64 {
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        let import_id = begin(&mut client, &statement(THREE), account_id).await;
        let seen = reach(&mut client, &import_id, ImportState::Review).await;
        // Rounds move both calls closer to the moment of expiry, and past it.
        let due = std::time::Duration::from_millis(1_700 + round * 60);
        let at = tokio::time::Instant::now() + due;
        let (mut one, mut two) = (world.client(user), world.client(user));
        let (confirmed, cancelled) = tokio::join!(
            async {
                tokio::time::timeout_at(at, std::future::pending::<()>())
                    .await
                    .unwrap_err();
                confirm(&mut one, &seen).await
            },
            async {
                tokio::time::timeout_at(at, std::future::pending::<()>())
                    .await
                    .unwrap_err();
                cancel(&mut two, &import_id).await
            },
        );
        let end = ended(&mut client, &import_id).await;
        let rows = world.ledger(user, account_id).await.len();
        let expected = if end == ImportState::Committed { 3 } else { 0 };
        assert_eq!(rows, expected, "{end:?} {confirmed:?} {cancelled:?}");
        match end {
            ImportState::Committed => assert!(confirmed.is_ok() && cancelled.is_err()),
            ImportState::Cancelled => assert!(cancelled.is_ok() && confirmed.is_err()),
            ImportState::Expired => assert!(confirmed.is_err() && cancelled.is_err()),
            other => panic!("ended as {other:?}"),
        }
    }
}

async fn ended(client: &mut Client, import_id: &str) -> ImportState {
    testing::eventually("an end", crate::world::PATIENCE, async || {
        let import = crate::world::get(client, import_id).await;
        import.job.as_ref()?.end_time.as_ref()?;
        Some(import.state())
    })
    .await
}

/// Postgres shows a review a moment before the workflow has heard of it.
#[tokio::test]
async fn whoever_confirms_or_cancels_at_once_is_not_too_early() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    for round in 0..12 {
        let import_id = begin(&mut client, &statement(THREE), account_id).await;
        let review = testing::eventually("the review", crate::world::PATIENCE, async || {
            let import = crate::world::get(&mut client, &import_id).await;
            (import.state() == ImportState::Review).then_some(import)
        })
        .await;
        if round % 2 == 0 {
            confirm(&mut client, &review).await.unwrap();
            reach(&mut client, &import_id, ImportState::Committed).await;
        } else {
            cancel(&mut client, &import_id).await.unwrap();
            reach(&mut client, &import_id, ImportState::Cancelled).await;
        }
    }
    assert_eq!(world.ledger(user, account_id).await.len(), 3);
}

#[tokio::test]
async fn watching_shows_the_state_first_and_ends_with_the_import() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &statement(THREE), account_id).await;
    let request = proto::WatchImportRequest {
        import_id: import_id.clone(),
    };
    let mut stream = world
        .client(user)
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    let mut states = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        let import = message.import.unwrap();
        if import.state() == ImportState::Review && states.last() != Some(&ImportState::Review) {
            confirm(&mut client, &import).await.unwrap();
        }
        states.push(import.state());
    }
    assert_eq!(states.last(), Some(&ImportState::Committed));
    assert!(states.len() >= 2, "{states:?}");
}
