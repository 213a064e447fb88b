//! Accounts that no column names as such: balances that run on each for itself, and tables one
//! behind the other.

use djinn_chassis::testing;
use djinn_proto::{
    common::v1::Money,
    imports::v1::{self as proto, ImportState},
};
use tonic::Code;

use super::{GIRO, SAVINGS, Saver, file, shares};
use crate::world::{World, answer, begin, confirm, reach, refused};

/// Two products of one customer, each with a balance of its own.
const POCKETS: &[u8] = b"Type,Product,Date,Description,Amount,Currency,Balance\n\
    Card,Current,2024-01-13,Shop,-10.00,EUR,90.00\n\
    Interest,Pocket,2024-01-14,Interest,1.50,EUR,501.50\n\
    Card,Current,2024-01-15,Baker,-5.00,EUR,85.00\n\
    Transfer,Pocket,2024-01-16,Saved,50.00,EUR,551.50\n\
    Transfer,Current,2024-01-16,Saved,-50.00,EUR,35.00\n";

#[tokio::test]
async fn products_with_balances_of_their_own_are_asked_about() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let import_id = begin(&mut saver.client, POCKETS, saver.giro).await;
    let asked = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let keys: Vec<_> = asked.questions.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["account:CURRENT", "account:POCKET"]);
    let (giro, savings) = (saver.giro.to_string(), saver.savings.to_string());
    for question in &asked.questions {
        let choices: Vec<_> = question.choices.iter().map(|it| &*it.value).collect();
        assert_eq!(choices, [&*giro, &*savings, "skip"]);
    }
    let answers = [("account:CURRENT", &*giro), ("account:POCKET", &*savings)];
    answer(&mut saver.client, &asked, &answers).await.unwrap();
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    assert_eq!(
        shares(&review),
        [
            (giro, [3, 3, 3], [-6_500, 10_000, 3_500]),
            (savings, [2, 2, 2], [5_150, 10_000, 15_150]),
        ]
    );
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    assert_eq!(
        saver.ledgers(&world).await,
        (vec![-1_000, -500, -5_000], vec![150, 5_000])
    );
}

/// Also of a user who has one account alone: all of it may be his, and nobody but he knows.
#[tokio::test]
async fn products_are_asked_about_where_there_is_one_account() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let import_id = begin(&mut client, POCKETS, account_id).await;
    let asked = reach(&mut client, &import_id, ImportState::Asking).await;
    let account = account_id.to_string();
    let answers = [("account:CURRENT", &*account), ("account:POCKET", "skip")];
    answer(&mut client, &asked, &answers).await.unwrap();
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    confirm(&mut client, &review).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    assert_eq!(world.ledger(user, account_id).await, [-1_000, -500, -5_000]);
}

#[tokio::test]
async fn tables_of_several_accounts_are_refused_with_the_line() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let block = |account: &str, day: u8| {
        format!(
            "Konto;{account}\nDatum;Text;Betrag\n{day}.03.2024;Kauf;-20,00\n\
                 {}.03.2024;Lohn;1000,00\n\n",
            day + 1
        )
    };
    let file = format!("{}{}", block("DE111", 13), block("DE222", 16));
    let import_id = begin(&mut saver.client, file.as_bytes(), saver.giro).await;
    let refused = reach(&mut saver.client, &import_id, ImportState::Refused).await;
    let failure = refused.job.unwrap().failure.unwrap();
    assert_eq!(failure.reason, "SEVERAL_TABLES");
    assert!(failure.message.contains("line 6"), "{}", failure.message);
    assert_eq!(saver.ledgers(&world).await, (vec![], vec![]));
}

/// A row that cannot be read names no account, and an amount in euros is none in yen.
#[tokio::test]
async fn edits_do_not_guess_an_account_or_a_currency() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let giro = world.open(user, "Giro", GIRO, "EUR").await;
    world.open(user, "Tokyo", SAVINGS, "JPY").await;
    let rows = file(&[
        (GIRO, "2024-01-13", "Rent", "-900"),
        (SAVINGS, "2024-01-14", "Interest", "125"),
        (GIRO, "2024-01-15", "Salary", "as agreed"),
    ]);
    let import_id = begin(&mut client, &rows, giro).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let euros = |row_number, booked_on: Option<&str>| proto::UpdateImportRowsRequest {
        import_id: import_id.clone(),
        etag: review.etag.clone(),
        changes: vec![proto::ImportRowChange {
            row_number,
            booked_on: booked_on.map(str::to_owned),
            amount: Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units: 250_000,
            }),
            ..Default::default()
        }],
    };
    let repaired = client
        .update_import_rows(euros(3, Some("2024-01-15")))
        .await;
    assert!(
        repaired
            .as_ref()
            .unwrap_err()
            .message()
            .contains("of several accounts")
    );
    refused(repaired, Code::InvalidArgument, "INVALID_FIELD");
    let foreign = client.update_import_rows(euros(2, None)).await;
    assert!(
        foreign
            .as_ref()
            .unwrap_err()
            .message()
            .contains("an account in JPY")
    );
    refused(foreign, Code::InvalidArgument, "INVALID_FIELD");
    let own = client.update_import_rows(euros(1, None)).await;
    assert_eq!(
        own.unwrap()
            .into_inner()
            .import
            .unwrap()
            .counts
            .unwrap()
            .edited_count,
        1
    );
}

/// A sum that no account can hold ends the import, of the chosen account and of another one alike.
#[tokio::test]
async fn a_sum_beyond_64_bits_ends_the_import_in_any_account() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let most = "92233720368547758.07";
    for heavy in [GIRO, SAVINGS] {
        let rows = file(&[
            (GIRO, "2024-01-13", "Rent", "-900.50"),
            (SAVINGS, "2024-01-14", "Interest", "1.25"),
            (heavy, "2024-01-15", "Luck", most),
            (heavy, "2024-01-16", "Luck again", most),
        ]);
        let import_id = begin(&mut saver.client, &rows, saver.giro).await;
        let failed = reach(&mut saver.client, &import_id, ImportState::Failed).await;
        let failure = failed.job.unwrap().failure.unwrap();
        assert_eq!(failure.reason, "SUM_TOO_LARGE", "{heavy}");
    }
    assert_eq!(saver.ledgers(&world).await, (vec![], vec![]));
}
