//! Imports of several accounts that meet: with what happens to one of their accounts meanwhile, and
//! with each other.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState};
use uuid::Uuid;

use super::{GIRO, SAVINGS, STRANGE, Saver, close, file, of_two, rows, shares};
use crate::world::{Client, World, begin, confirm, get, import, reach, revert, upload};

#[tokio::test]
async fn an_account_that_closes_meanwhile_stops_the_commit() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, SAVINGS), saver.giro).await;
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    close(&world, saver.user, saver.savings).await;
    confirm(&mut saver.client, &review).await.unwrap();
    let back = handed_back(&mut saver.client, &import_id).await;
    assert_eq!(back, "ACCOUNT_CLOSED");
    assert_eq!(saver.ledgers(&world).await, (vec![], vec![]));
}

/// The reason for which an import went back to its review.
async fn handed_back(client: &mut Client, import_id: &str) -> String {
    testing::eventually("back to review", crate::world::PATIENCE, async || {
        let import = get(&mut client.clone(), import_id).await;
        let failure = import.job.clone()?.failure?;
        (import.state() == ImportState::Review).then_some(failure.reason)
    })
    .await
}

#[tokio::test]
async fn what_came_into_the_second_account_meanwhile_is_seen() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, SAVINGS), saver.giro).await;
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    // The rows of the savings account by a statement of that account alone.
    let alone = file(&[
        (SAVINGS, "2024-01-14", "Interest", "1.25"),
        (SAVINGS, "2024-01-16", "Transfer", "100.00"),
        (SAVINGS, "2024-01-17", "Fee", "-1.00"),
    ]);
    import(&mut saver.client, &alone, saver.savings).await;
    confirm(&mut saver.client, &review).await.unwrap();
    assert_eq!(
        handed_back(&mut saver.client, &import_id).await,
        "ACCOUNT_CHANGED"
    );
    let review = get(&mut saver.client, &import_id).await;
    assert_eq!(review.counts.as_ref().unwrap().duplicate_count, 2);
    assert_eq!(shares(&review)[1].1, [2, 0, 0]);
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    let both = (vec![-90_050, 250_000], vec![125, 10_000, -100]);
    assert_eq!(saver.ledgers(&world).await, both);
}

/// Imports that meet in the same two accounts from either side take their locks in one order: none
/// waits for ever, and each row is written once.
#[tokio::test]
async fn imports_that_cross_do_not_lock_each_other_out() {
    let world = World::new().await;
    for _ in 0..3 {
        let mut saver = Saver::of(&world).await;
        let statement = of_two(GIRO, SAVINGS);
        let mut reviews = Vec::new();
        for chosen in [saver.giro, saver.savings, saver.giro, saver.savings] {
            let import_id = begin(&mut saver.client, &statement, chosen).await;
            reviews.push(reach(&mut saver.client, &import_id, ImportState::Review).await);
        }
        let confirmed = reviews.iter().map(|review| {
            let mut client = saver.client.clone();
            async move { confirm(&mut client, review).await }
        });
        for answer in futures::future::join_all(confirmed).await {
            answer.unwrap();
        }
        for review in &reviews {
            let what = "an end of the commit";
            testing::eventually(what, crate::world::PATIENCE, async || {
                let import = get(&mut saver.client.clone(), &review.import_id).await;
                let back = import.state() == ImportState::Review && import.etag != review.etag;
                (back || import.state() == ImportState::Committed).then_some(())
            })
            .await;
        }
        let both = (vec![-90_050, 250_000], vec![125, 10_000]);
        assert_eq!(saver.ledgers(&world).await, both);
        assert_eq!(
            crate::invariant::violations(&world, saver.user).await,
            Vec::<String>::new()
        );
    }
}

/// Imports that have one of their two accounts in common: what the one writes there is none of the
/// other's rows, so that both go in, and both go out again.
#[tokio::test]
async fn imports_that_share_an_account_both_go_in_and_out() {
    let world = World::new().await;
    for _ in 0..3 {
        let mut saver = Saver::of(&world).await;
        let third = world.open(saver.user, "Third", STRANGE, "EUR").await;
        let other = file(&[
            (STRANGE, "2024-02-13", "Books", "-12.00"),
            (SAVINGS, "2024-02-14", "Interest", "2.50"),
        ]);
        let mut imports = Vec::new();
        for (file, chosen) in [(of_two(GIRO, SAVINGS), saver.giro), (other, third)] {
            let import_id = begin(&mut saver.client, &file, chosen).await;
            imports.push(reach(&mut saver.client, &import_id, ImportState::Review).await);
        }
        let confirmed = imports.iter().map(|review| {
            let mut client = saver.client.clone();
            async move { confirm(&mut client, review).await }
        });
        for answer in futures::future::join_all(confirmed).await {
            answer.unwrap();
        }
        for import in &imports {
            reach(&mut saver.client, &import.import_id, ImportState::Committed).await;
        }
        let both = (vec![-90_050, 250_000], vec![125, 10_000, 250]);
        assert_eq!(saver.ledgers(&world).await, both);
        assert_eq!(world.ledger(saver.user, third).await, [-1_200]);
        let undone = imports.iter().map(|import| {
            let mut client = saver.client.clone();
            async move { revert(&mut client, &import.import_id).await }
        });
        for answer in futures::future::join_all(undone).await {
            answer.unwrap();
        }
        for import in &imports {
            reach(&mut saver.client, &import.import_id, ImportState::Reverted).await;
        }
        assert_eq!(saver.ledgers(&world).await, (vec![], vec![]));
        assert_eq!(
            crate::invariant::violations(&world, saver.user).await,
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn several_accounts_confirm_themselves_where_nothing_is_in_doubt() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let upload_id = upload(&mut saver.client, &of_two(GIRO, SAVINGS))
        .await
        .unwrap();
    let request = proto::CreateImportRequest {
        request_id: Uuid::new_v4().to_string(),
        upload_id,
        account_id: saver.giro.to_string(),
        auto_confirm: true,
        mapping: None,
    };
    let created = saver
        .client
        .create_import(request)
        .await
        .unwrap()
        .into_inner();
    let import_id = created.import.unwrap().import_id;
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    let both = (vec![-90_050, 250_000], vec![125, 10_000]);
    assert_eq!(saver.ledgers(&world).await, both);
}

#[tokio::test]
async fn each_account_has_its_own_currency() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let yen = world.open(saver.user, "Yen", "0087654322", "JPY").await;
    // The file names no currency: a row has that of its account.
    let statement = file(&[
        (GIRO, "2024-01-13", "Rent", "-900"),
        ("0087654322", "2024-01-14", "Shinkansen", "-14000"),
        (GIRO, "2024-01-15", "Salary", "2500"),
        ("0087654322", "2024-01-16", "Pay", "300000"),
    ]);
    let done = import(&mut saver.client, &statement, saver.giro).await;
    assert_eq!(
        world.ledger(saver.user, saver.giro).await,
        [-90_000, 250_000]
    );
    assert_eq!(world.ledger(saver.user, yen).await, [-14_000, 300_000]);
    let of_yen = done
        .accounts
        .iter()
        .find(|it| it.account_id == yen.to_string());
    let amount = of_yen.unwrap().included_amount.clone().unwrap();
    assert_eq!(
        (&*amount.currency_code, amount.minor_units),
        ("JPY", 286_000)
    );

    // A file that names one: a row in another currency than its account's is shown.
    let mut named = String::from("Own account,Date,Description,Amount,Currency\n");
    for (account, day, text, amount, code) in [
        (GIRO, 13, "Lunch", "-9.50", "EUR"),
        ("0087654322", 14, "Tea", "-4.50", "EUR"),
        (GIRO, 15, "Lunch", "-8.50", "EUR"),
        ("0087654322", 16, "Ramen", "-900", "JPY"),
    ] {
        named += &format!("{account},2024-02-{day},{text},{amount},{code}\n");
    }
    let import_id = begin(&mut saver.client, named.as_bytes(), saver.giro).await;
    reach(&mut saver.client, &import_id, ImportState::Review).await;
    let all = rows(&mut saver.client, &import_id, "").await;
    let reasons: Vec<_> = all
        .iter()
        .filter_map(|row| row.problem.as_ref().map(|it| (row.row_number, &*it.reason)))
        .collect();
    assert_eq!(reasons, [(2, "OTHER_CURRENCY")]);
}
