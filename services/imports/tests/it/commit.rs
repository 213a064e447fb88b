//! From upload to ledger: rows once, sums right, the same file again adds nothing.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;

use crate::world::{World, begin, import, many, reach, statement, sum_of_many};

#[tokio::test]
async fn a_statement_travels_from_upload_to_ledger() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = statement(&[
        ("2024-01-31", "Salary", "2500.00"),
        ("2024-02-01", "Rent", "-900.50"),
        ("2024-02-13", "Coffee", "-3.20"),
    ]);
    let done = import(&mut client, &file, account_id).await;
    let counts = done.counts.unwrap();
    assert_eq!(
        (counts.row_count, counts.new_count, counts.included_count),
        (3, 3, 3)
    );
    assert_eq!(done.included_amount.unwrap().minor_units, 159_630);
    assert_eq!(done.balance_before.unwrap().minor_units, 10_000);
    assert_eq!(done.balance_after.unwrap().minor_units, 169_630);
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -90_050, -320]
    );
}

#[tokio::test]
async fn identical_rows_of_one_file_are_kept_and_the_same_file_adds_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let coffee = ("2024-01-31", "Coffee", "-3.20");
    let salary = ("2024-01-15", "Salary", "100.00");
    import(
        &mut client,
        &statement(&[salary, coffee, coffee]),
        account_id,
    )
    .await;
    let again = import(
        &mut client,
        &statement(&[salary, coffee, coffee]),
        account_id,
    )
    .await;
    let counts = again.counts.unwrap();
    assert_eq!(
        (
            counts.new_count,
            counts.duplicate_count,
            counts.included_count
        ),
        (0, 3, 0)
    );
    let third = statement(&[salary, coffee, coffee, coffee]);
    let counts = import(&mut client, &third, account_id)
        .await
        .counts
        .unwrap();
    assert_eq!((counts.new_count, counts.duplicate_count), (1, 3));
    assert_eq!(
        world.ledger(user, account_id).await,
        [10_000, -320, -320, -320]
    );
}

#[tokio::test]
async fn more_rows_than_a_chunk_arrive_once_and_add_up() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let count = 25_000;
    let done = import(&mut client, &many(count), account_id).await;
    assert_eq!(done.counts.unwrap().included_count, 25_000);
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(
        (ledger.len(), ledger.iter().sum::<i64>()),
        (count, sum_of_many(count))
    );
}

#[tokio::test]
async fn nothing_in_doubt_commits_by_itself_when_asked_to() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = statement(&[
        ("2024-01-31", "Salary", "10.00"),
        ("2024-02-13", "Tea", "-1.00"),
    ]);
    let upload_id = crate::world::upload(&mut client, &file).await.unwrap();
    let request = djinn_proto::imports::v1::CreateImportRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        upload_id,
        account_id: account_id.to_string(),
        auto_confirm: true,
        mapping: None,
    };
    let import = client
        .create_import(request)
        .await
        .unwrap()
        .into_inner()
        .import
        .unwrap();
    reach(&mut client, &import.import_id, ImportState::Committed).await;
    assert_eq!(world.ledger(user, account_id).await, [1_000, -100]);
}

#[tokio::test]
async fn a_file_that_is_no_statement_is_refused_with_a_reason() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(
        &mut client,
        b"<html><body>Sign in</body></html>\n",
        account_id,
    )
    .await;
    let refused = reach(&mut client, &import_id, ImportState::Refused).await;
    let failure = refused.job.unwrap().failure.unwrap();
    assert!(
        !failure.reason.is_empty() && !failure.message.is_empty(),
        "{failure:?}"
    );
    assert_eq!(world.ledger(user, account_id).await, [0_i64; 0]);
}

#[tokio::test]
async fn every_row_and_tombstone_has_a_change_with_a_version() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &many(40), account_id).await;
    let mut transaction = world.as_sync(user).await;
    let orphans: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM ledger.transaction t LEFT JOIN ledger.change c \
         USING (user_id, change_id) WHERE c.version IS NULL",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(orphans, 0);
}
