//! Rows that are merely like something in the ledger.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState, RowAction, RowVerdict};
use uuid::Uuid;

use super::{BAKER, commit, counted, decide, may, named, review, rows};
use crate::{
    by_hand::Entry,
    world::{World, import, reach, upload},
};

/// The baker without a name that the statement has.
const LUNCH: Entry<'static> = Entry {
    counterparty: "lunch",
    ..BAKER
};

#[tokio::test]
async fn what_is_suspected_is_added_unless_a_person_links_it() {
    let world = World::new().await;
    let user = testing::user();
    for (action, expected, ledger) in [
        (
            None,
            "2/0/0/1 +3 =0",
            &[-90_050, 250_000, -1_230, -1_230][..],
        ),
        (
            Some(RowAction::Link),
            "2/0/0/1 +2 =1",
            &[-90_050, 250_000, -1_230],
        ),
        (
            Some(RowAction::Skip),
            "2/0/0/1 +2 =0",
            &[-90_050, 250_000, -1_230],
        ),
    ] {
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        let lunch = world.enter(user, account_id, LUNCH).await;
        let mut seen = review(&mut client, &may(), account_id).await;
        let row = rows(&mut client, &seen).await.remove(2);
        let like = row.resembles.clone().unwrap();
        assert_eq!(
            (row.verdict(), row.action(), &*like.reason),
            (RowVerdict::Suspected, RowAction::Add, "SAME_AMOUNT")
        );
        assert_eq!((row.included, like.days_apart), (true, 3));
        if let Some(action) = action {
            seen = decide(&mut client, &seen, 3, action).await.unwrap();
        }
        assert_eq!(counted(&seen), expected);
        commit(&mut client, &seen).await;
        assert_eq!(world.ledger(user, account_id).await, ledger, "{action:?}");
        let linked = world.seen(user, lunch).await;
        assert_eq!(linked.linked, action == Some(RowAction::Link));
        if linked.linked {
            let again = import(&mut client, &may(), account_id).await;
            assert_eq!(counted(&again), "0/3/0/0 +0 =0");
        }
    }
}

#[tokio::test]
async fn a_review_with_suspicions_waits_for_a_person_and_one_with_links_does_not() {
    let world = World::new().await;
    let user = testing::user();
    for (entry, state, ledger) in [
        (LUNCH, ImportState::Review, 1),
        (BAKER, ImportState::Committed, 3),
    ] {
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        world.enter(user, account_id, entry).await;
        let upload_id = upload(&mut client, &may()).await.unwrap();
        let request = proto::CreateImportRequest {
            request_id: Uuid::new_v4().to_string(),
            upload_id,
            account_id: account_id.to_string(),
            auto_confirm: true,
            mapping: None,
        };
        let answer = client.create_import(request).await.unwrap().into_inner();
        reach(&mut client, &answer.import.unwrap().import_id, state).await;
        assert_eq!(world.ledger(user, account_id).await.len(), ledger);
    }
}

/// A bank that words its rows anew: where the file covers the day, the row that it ought to have is
/// shown beside the one that it has.
#[tokio::test]
async fn a_row_that_a_later_file_tells_otherwise_is_suspected() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &may(), account_id).await;
    let later = named(&[
        ("2024-05-15", "", "Employer", "Salary", "2500.00"),
        (
            "2024-05-30",
            "",
            "Bäcker Müller",
            "Purchase with card 4711",
            "-12.30",
        ),
        ("2024-06-02", "", "Landlord", "Rent June", "-900.50"),
    ]);
    let seen = review(&mut client, &later, account_id).await;
    assert_eq!(counted(&seen), "1/1/0/1 +2 =0");
    let row = rows(&mut client, &seen).await.remove(1);
    let like = row.resembles.unwrap();
    assert_eq!((&*like.reason, like.days_apart), ("SAME_PAYEE", -1));
    assert!(like.message.contains("came from a statement"), "{like:?}");
}

/// The rows of the days before the file begins are missing in it because it begins there.
#[tokio::test]
async fn what_comes_each_day_is_not_suspected_for_the_day_before() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    // Each with a fee of its own, because without an outflow nobody knows the signs.
    let file = |days: std::ops::RangeInclusive<u32>| {
        let fee = format!("-{}.00", days.start());
        let first = format!("2024-04-{:02}", days.start());
        let rows: Vec<String> = days.map(|day| format!("2024-04-{day:02}")).collect();
        let rows = rows
            .iter()
            .map(|day| (&**day, "", "Bank", "Interest", "0.01"));
        let fee = (&*first, "", "Bank", "Fee", &*fee);
        named(&std::iter::once(fee).chain(rows).collect::<Vec<_>>())
    };
    let first = import(&mut client, &file(1..=15), account_id).await;
    assert_eq!(counted(&first), "16/0/0/0 +16 =0");
    // Begins behind the first, then overlaps both.
    let second = import(&mut client, &file(16..=25), account_id).await;
    assert_eq!(counted(&second), "11/0/0/0 +11 =0");
    let third = import(&mut client, &file(10..=30), account_id).await;
    assert_eq!(counted(&third), "6/16/0/0 +6 =0");
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger.iter().filter(|minor| **minor == 1).count(), 30);
}
