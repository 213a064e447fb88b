//! The cases of the matching's specification that are not tested elsewhere.

use djinn_chassis::testing;
use djinn_proto::imports::v1::RowVerdict;

use super::{counted, review, rows};
use crate::world::{World, import, statement};

#[tokio::test]
async fn a_late_posting_inside_an_overlap_gets_in() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let rent = ("2024-03-01", "Rent", "-900.50");
    let coffee = ("2024-03-20", "Coffee", "-3.20");
    import(&mut client, &statement(&[rent, coffee]), account_id).await;
    // As large as the coffee, and inside of what the first file covers.
    let late = ("2024-03-18", "Parking", "-3.20");
    let file = statement(&[rent, late, coffee, ("2024-03-25", "Tea", "-2.80")]);
    let done = import(&mut client, &file, account_id).await;
    assert_eq!(counted(&done), "2/2/0/0 +2 =0");
    assert_eq!(
        world.ledger(user, account_id).await,
        [-90_050, -320, -320, -280]
    );
}

#[tokio::test]
async fn thirty_equal_rows_of_thirty_days_are_all_kept() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let days: Vec<String> = (1..=30).map(|day| format!("2024-04-{day:02}")).collect();
    let all: Vec<_> = days
        .iter()
        .map(|day| (&**day, "Interest", "0.01"))
        .collect();
    // Without an outflow nobody knows the signs.
    let all = [&[("2024-04-01", "Fee", "-2.00")], &*all].concat();
    let first = import(&mut client, &statement(&all[..21]), account_id).await;
    assert_eq!(counted(&first), "21/0/0/0 +21 =0");
    let whole = import(&mut client, &statement(&all), account_id).await;
    assert_eq!(counted(&whole), "10/21/0/0 +10 =0");
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [&[-200][..], &[1; 30]].concat());
}

/// What was deleted by hand is no candidate for anything: not its tombstone, not for its amount.
#[tokio::test]
async fn what_was_deleted_is_not_resembled() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let first = ("2024-03-01", "Rent", "-900.50");
    import(&mut client, &statement(&[first]), account_id).await;
    world.delete_by_hand(user, account_id, -90_050).await;
    let file = statement(&[first, ("2024-03-02", "Rent again", "-900.50")]);
    let seen = review(&mut client, &file, account_id).await;
    let found = rows(&mut client, &seen).await;
    let found: Vec<_> = found.iter().map(|row| row.verdict()).collect();
    assert_eq!(found, [RowVerdict::DeletedBefore, RowVerdict::New]);
    assert_eq!(counted(&seen), "1/0/1/0 +1 =0");
}

/// Two rows of one bank with ids of their own are two bookings, however alike they are.
#[tokio::test]
async fn ids_that_stay_tell_rows_apart() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = |rows: &[(&str, &str, &str, &str)]| {
        let mut file = "Date,Description,Amount,Transaction ID\n".to_owned();
        for (date, text, amount, id) in rows {
            file.push_str(&format!("{date},{text},{amount},{id}\n"));
        }
        file.into_bytes()
    };
    let rent = ("2024-03-01", "Rent", "-900.50", "TX-2024-0001");
    let toll = ("2024-03-10", "Toll", "-7.50", "TX-2024-0002");
    import(&mut client, &file(&[rent, toll]), account_id).await;
    let other = ("2024-03-11", "Toll", "-7.50", "TX-2024-0003");
    let end = ("2024-03-12", "Tea", "-2.80", "TX-2024-0004");
    let done = import(&mut client, &file(&[rent, other, end]), account_id).await;
    assert_eq!(counted(&done), "2/1/0/0 +2 =0");
}
