//! Gaps of a running balance: found over the whole file, counted once whatever happens, and told of
//! the file alone.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{
    self as proto, BalanceGap, ImportState, preview_statement_response::Part,
};
use uuid::Uuid;

use crate::{
    review::set,
    world::{World, begin, reach, upload},
};

/// Rows of a statement with a running balance, newest last. Behind each row of `missing` one row is
/// left out, of 30.00 out; each of `broken` has an amount that cannot be read.
fn balanced(count: usize, missing: &[usize], broken: &[usize]) -> Vec<u8> {
    let mut file = String::from("Date,Description,Amount,Balance\n");
    let mut balance = 1_000_000_000_i64;
    for row in 1..=count {
        let cents = if row % 3 == 0 {
            1_250
        } else {
            -925 - i64::try_from(row % 50).unwrap()
        };
        balance += cents;
        let sign = if cents < 0 { "-" } else { "" };
        let (whole, part) = (cents.abs() / 100, cents.abs() % 100);
        let part = match broken.contains(&row) {
            true => format!("{part:02}x"),
            false => format!("{part:02}"),
        };
        let day = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()
            + chrono::Days::new(u64::try_from(row / 40).unwrap());
        let (of, rest) = (balance / 100, balance % 100);
        file.push_str(&format!(
            "{day},Shop {row},{sign}{whole}.{part},{of}.{rest:02}\n"
        ));
        if missing.contains(&row) {
            balance -= 3_000;
        }
    }
    file.into_bytes()
}

fn lines(gap: &BalanceGap) -> (i64, i64, &str) {
    (gap.line_above, gap.line_below, &gap.difference)
}

fn warned(import: &proto::Import) -> bool {
    import.warnings.iter().any(|it| it.reason == "BALANCE_GAPS")
}

#[tokio::test]
async fn a_missing_row_is_pointed_at_and_what_is_left_out_is_none() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = balanced(60, &[20], &[40]);
    let import_id = begin(&mut client, &file, account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    let found: Vec<_> = seen.balance_gaps.iter().map(lines).collect();
    assert_eq!(found, [(21, 22, "-30.00"), (40, 42, "-9.65")]);
    assert_eq!((seen.balance_gap_count, warned(&seen)), (2, true));
    let gap = &seen.balance_gaps[0];
    assert_eq!(
        (gap.row_above, gap.row_below, gap.unread_count),
        (20, 21, 0)
    );
    assert_eq!(
        (&*gap.booked_above, &*gap.booked_below),
        ("2024-01-01", "2024-01-01")
    );
    let unread = &seen.balance_gaps[1].unread;
    assert_eq!(
        (unread.len(), unread[0].row_number, unread[0].line),
        (1, 40, 41)
    );
    assert_eq!(unread[0].reason, "BAD_AMOUNT");
    let edited = set(&mut client, &seen, &[(10, false)]).await.unwrap();
    assert_eq!(edited.balance_gaps, seen.balance_gaps);
    assert_eq!(edited.balance_gap_count, 2);
    let listed = client
        .list_imports(proto::ListImportsRequest::default())
        .await;
    let listed = listed.unwrap().into_inner().imports;
    assert_eq!(
        (listed[0].balance_gap_count, listed[0].balance_gaps.len()),
        (2, 0)
    );
}

#[tokio::test]
async fn a_balance_that_follows_has_no_gap_and_says_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, &balanced(60, &[], &[]), account_id).await;
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    assert_eq!((seen.balance_gap_count, warned(&seen)), (0, false));
}

#[tokio::test]
async fn a_preview_points_at_rows_it_does_not_show() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let upload_id = upload(&mut client, &balanced(500, &[400], &[]))
        .await
        .unwrap();
    let request = proto::PreviewStatementRequest {
        upload_id,
        rows_max: 3,
        ..proto::PreviewStatementRequest::default()
    };
    let mut parts = client
        .preview_statement(request)
        .await
        .unwrap()
        .into_inner();
    let Some(Part::Reading(reading)) = parts.message().await.unwrap().unwrap().part else {
        panic!("the reading comes first");
    };
    let found: Vec<_> = reading.balance_gaps.iter().map(lines).collect();
    assert_eq!(
        (found, reading.balance_gap_count),
        (vec![(401, 402, "-30.00")], 1)
    );
}

/// A gap at the border of two chunks, with a kill behind the first of them: the next try reads all
/// and counts each once.
#[tokio::test]
async fn killed_between_two_chunks_the_gaps_are_counted_once() {
    let mut world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    world.kill().await;
    let failpoint = ("FAILPOINTS", "staging_after_commit=1*off->return");
    world.start(&[failpoint]).await;
    let mut client = world.client(user);
    let missing: Vec<usize> = [3_000, 10_000, 20_000]
        .into_iter()
        .chain(20_100..20_130)
        .collect();
    let file = balanced(24_000, &missing, &[]);
    let import_id = begin(&mut client, &file, account_id).await;
    world.died().await;
    world.start(&[]).await;
    let mut client = world.client(user);
    let seen = reach(&mut client, &import_id, ImportState::Review).await;
    assert_eq!(seen.counts.unwrap().row_count, 24_000);
    assert_eq!((seen.balance_gap_count, seen.balance_gaps.len()), (33, 20));
    let above: Vec<i64> = seen.balance_gaps.iter().map(|gap| gap.row_above).collect();
    assert_eq!(above[..4], [3_000, 10_000, 20_000, 20_100]);
}

/// A statement that nobody looks at must not be committed over a hole in it.
#[tokio::test]
async fn an_import_with_gaps_does_not_confirm_itself() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let mut ends = Vec::new();
    for file in [balanced(30, &[7], &[]), balanced(30, &[], &[])] {
        let upload_id = upload(&mut client, &file).await.unwrap();
        let request = proto::CreateImportRequest {
            request_id: Uuid::new_v4().to_string(),
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
        ends.push(import.import_id);
    }
    reach(&mut client, &ends[1], ImportState::Committed).await;
    let seen = reach(&mut client, &ends[0], ImportState::Review).await;
    assert_eq!(seen.balance_gap_count, 1);
}
