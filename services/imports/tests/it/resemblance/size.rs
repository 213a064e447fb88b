//! As many rows as a large file has, all alike.

use djinn_chassis::testing;

use super::{commit, counted, review};
use crate::world::World;

/// Rows on each side.
const COUNT: usize = 25_000;

/// Were rows compared with each other, these would take six hundred million comparisons.
#[tokio::test]
async fn equal_amounts_by_the_thousand_on_either_side_take_seconds() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let change = djinn_ledger::Change::begin(&djinn_chassis::clock::Clock::system());
    let mut transaction = world.as_sync(user).await;
    sqlx::query(
        "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, booked_on, \
         amount_minor, currency_code, description, counterparty, source, change_id, created_at) \
         SELECT $1, gen_random_uuid(), $2, date '2024-01-01' + n % 366, -250, 'EUR', '', \
         'Kiosk ' || n % 5000, 'user', $3, now() FROM generate_series(1, $4) AS n",
    )
    .bind(user.uuid())
    .bind(account_id)
    .bind(change.id())
    .bind(i32::try_from(COUNT).unwrap())
    .execute(&mut *transaction)
    .await
    .unwrap();
    change.commit(transaction, &[account_id]).await.unwrap();
    let mut file = String::from("Date,Description,Amount\n");
    let first = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    for row in 0..COUNT {
        let day = first + chrono::Days::new(u64::try_from(row % 366).unwrap());
        file.push_str(&format!("{day},Kiosk {},-2.50\n", row % 7_000));
    }
    let began = std::time::Instant::now();
    let seen = review(&mut client, file.as_bytes(), account_id).await;
    println!(
        "{COUNT} against {COUNT}: {:?} from upload to review",
        began.elapsed()
    );
    let counts = seen.counts.unwrap();
    assert_eq!(counts.row_count, i64::try_from(COUNT).unwrap());
    // There are as many on either side on nearly every day, and more payees than the ledger has.
    assert!(counts.linked_count > 0, "{}", counted(&seen));
    assert!(counts.suspected_count > 0, "{}", counted(&seen));
    let began = std::time::Instant::now();
    commit(&mut client, &seen).await;
    println!("{} to commit", counted(&seen));
    println!("{:?} from confirmation to ledger", began.elapsed());
    // As many claims as rows, of which the database has no statistics yet.
    let began = std::time::Instant::now();
    let again = review(&mut client, file.as_bytes(), account_id).await;
    println!("{:?} from upload to review once more", began.elapsed());
    assert_eq!(again.counts.unwrap().duplicate_count, counts.row_count);
}
