//! What was entered by hand in one of several accounts is linked there, and only there.

use djinn_proto::imports::v1::{ImportState, RowAction, RowVerdict};

use super::{GIRO, SAVINGS, Saver, of_two, rows, shares};
use crate::{
    by_hand::Entry,
    world::{World, begin, confirm, reach, revert},
};

#[tokio::test]
async fn a_row_is_linked_in_the_account_it_goes_into() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let interest = Entry {
        booked_on: "2024-01-12",
        amount_minor: 125,
        counterparty: "",
        description: "interest",
        note: "by hand",
    };
    // In the one account as the file has it in the other: alike, and of no concern to it.
    let elsewhere = world.enter(saver.user, saver.giro, interest).await;
    let here = world.enter(saver.user, saver.savings, interest).await;

    let import_id = begin(&mut saver.client, &of_two(GIRO, SAVINGS), saver.giro).await;
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    let savings = saver.savings.to_string();
    let row = rows(&mut saver.client, &import_id, &savings)
        .await
        .remove(0);
    assert_eq!(
        (row.verdict(), row.action(), &*row.transaction_id),
        (RowVerdict::Linked, RowAction::Link, &*here.to_string())
    );
    // A link adds nothing to the balance.
    assert_eq!(
        shares(&review),
        [
            (
                saver.giro.to_string(),
                [2, 2, 2],
                [159_950, 10_125, 170_075]
            ),
            (savings, [2, 1, 1], [10_000, 10_125, 20_125]),
        ]
    );
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    let both = (vec![125, -90_050, 250_000], vec![125, 10_000]);
    assert_eq!(saver.ledgers(&world).await, both);
    assert_eq!(
        linked_by(&world, &saver, here).await,
        Some(import_id.clone())
    );
    assert_eq!(linked_by(&world, &saver, elsewhere).await, None);

    revert(&mut saver.client, &import_id).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Reverted).await;
    assert_eq!(saver.ledgers(&world).await, (vec![125], vec![125]));
    assert_eq!(linked_by(&world, &saver, here).await, None);
    assert_eq!(
        crate::invariant::violations(&world, saver.user).await,
        Vec::<String>::new()
    );
}

async fn linked_by(world: &World, saver: &Saver, transaction_id: uuid::Uuid) -> Option<String> {
    let mut transaction = world.as_sync(saver.user).await;
    sqlx::query_scalar(
        "SELECT linked_import_id::text FROM ledger.transaction WHERE transaction_id = $1",
    )
    .bind(transaction_id)
    .fetch_one(&mut *transaction)
    .await
    .unwrap()
}
