//! Edited rows against the ledger: what they are found to be in the same call, and what the same
//! file finds later.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{ImportRowChange, RowAction, RowVerdict};

use super::{
    BROKEN, THREE, change, commit, euros, included, many_with_a_bad_row, repaired, reset, review,
    row, rows, text, verdicts,
};
use crate::{
    by_hand::Entry,
    world::{World, confirm, import, statement},
};

#[tokio::test]
async fn the_same_file_again_knows_an_edited_row_and_adds_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let edit = ImportRowChange {
        description: text("Rent and heating"),
        ..repaired(2, "2024-03-20", 95_000)
    };
    let edited = change(&mut client, &seen, &[edit]).await.unwrap();
    commit(&mut client, &edited).await;
    let again = import(&mut client, &statement(THREE), account_id).await;
    assert_eq!(
        (again.counts.unwrap().duplicate_count, included(&again)),
        (3, (0, 0))
    );
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -320, 95_000]
    );
}

/// With ids of the bank, and an edit that turns the sign around: the id still is the same row's.
#[tokio::test]
async fn the_same_file_again_knows_an_edited_row_by_its_id() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = b"Date,Description,Amount,Transaction ID\n2024-01-31,Salary,2500.00,A-1\n\
                 2024-02-01,Rent,-900.50,A-2\n2024-02-13,Coffee,-3.20,A-3\n";
    let seen = review(&mut client, file, account_id).await;
    assert_eq!(rows(&mut client, &seen).await[1].external_id, "A-2");
    let changes = [
        repaired(2, "2024-02-01", 95_000),
        repaired(3, "2024-02-13", -400),
    ];
    let edited = change(&mut client, &seen, &changes).await.unwrap();
    commit(&mut client, &edited).await;
    let again = review(&mut client, file, account_id).await;
    assert_eq!(
        verdicts(&mut client, &again).await,
        [RowVerdict::Duplicate; 3]
    );
    assert_eq!(again.warnings, []);
    // A row that is edited is still the one it was, by its id.
    let edit = repaired(1, "2024-02-01", -7);
    let edited = change(&mut client, &again, &[edit]).await.unwrap();
    assert_eq!(
        verdicts(&mut client, &edited).await,
        [RowVerdict::Duplicate; 3]
    );
}

/// What a row has claimed by the bank's id no other row claims by its content: not when the file is
/// matched, and not when a person repairs a row.
#[tokio::test]
async fn what_an_id_has_claimed_no_content_claims() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let first = b"Date,Description,Amount,Transaction ID\n2024-01-31,Salary,2500.00,A-1\n\
                  2024-02-01,Rent,-900.50,A-2\n";
    import(&mut client, first, account_id).await;
    // No id proves itself, so ids do not tell rows apart; A-2 has another amount now.
    let file = b"Date,Description,Amount,Transaction ID\n2024-02-01,Rent,-950.00,A-2\n\
                 2024-02-01,Rent,-900.50,A-9\n2024-03-01,Salary,2600.00,A-10\n\
                 soon,Rent,-900.50,A-11\n";
    let seen = review(&mut client, file, account_id).await;
    let expected = [RowVerdict::Changed, RowVerdict::New, RowVerdict::New];
    assert_eq!(verdicts(&mut client, &seen).await[..3], expected);
    let edit = ImportRowChange {
        description: text("Rent"),
        ..repaired(4, "2024-02-01", -90_050)
    };
    let edited = change(&mut client, &seen, &[edit]).await.unwrap();
    let found = verdicts(&mut client, &edited).await;
    assert_eq!((&found[..3], found[3]), (&expected[..], RowVerdict::New));
}

#[tokio::test]
async fn a_repaired_row_is_known_by_what_the_person_said() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    for again in [false, true] {
        let seen = review(&mut client, &many_with_a_bad_row(), account_id).await;
        assert_eq!(seen.counts.unwrap().invalid_count, 1);
        let fixed = change(&mut client, &seen, &[repaired(31, "2024-02-01", -90_050)]).await;
        let fixed = fixed.unwrap();
        let shown = rows(&mut client, &fixed).await[30].clone();
        let expected = match again {
            true => RowVerdict::Duplicate,
            false => RowVerdict::New,
        };
        assert_eq!((shown.verdict(), shown.included), (expected, !again));
        commit(&mut client, &fixed).await;
        assert_eq!(world.ledger(user, account_id).await.len(), 31);
    }
}

/// A repaired row may be the second of two that are equal: it must get in, and beside the first.
#[tokio::test]
async fn a_repaired_row_may_equal_another_row_of_the_file() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let mut file = many_with_a_bad_row();
    file.extend_from_slice(b"2024-02-01,Rent,-900.50\n");
    let seen = review(&mut client, &file, account_id).await;
    let edit = ImportRowChange {
        description: text("Rent"),
        ..repaired(31, "2024-02-01", -90_050)
    };
    let fixed = change(&mut client, &seen, std::slice::from_ref(&edit))
        .await
        .unwrap();
    assert_eq!(included(&fixed).0, 32);
    commit(&mut client, &fixed).await;
    let again = review(&mut client, &file, account_id).await;
    assert_eq!(again.counts.unwrap().duplicate_count, 31);
    let fixed = change(&mut client, &again, &[edit]).await.unwrap();
    assert_eq!(
        (fixed.counts.unwrap().duplicate_count, included(&fixed).0),
        (32, 0)
    );
}

#[tokio::test]
async fn an_edit_that_makes_a_row_resemble_the_ledger_is_seen_in_the_same_call() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let entry = |booked_on, amount_minor| Entry {
        booked_on,
        amount_minor,
        counterparty: "Bakery",
        ..Entry::default()
    };
    // Beyond the days that the file tells of.
    let far = world
        .enter(user, account_id, entry("2024-06-10", -777))
        .await;
    let near = world
        .enter(user, account_id, entry("2024-02-10", -320))
        .await;
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let shown = rows(&mut client, &seen).await;
    assert_eq!(shown[2].verdict(), RowVerdict::Suspected);
    assert_eq!(shown[2].transaction_id, near.to_string());
    let linked = ImportRowChange {
        action: RowAction::Link.into(),
        ..row(3)
    };
    let linked = change(&mut client, &seen, &[linked]).await.unwrap();
    assert_eq!(linked.counts.unwrap().linked_count, 1);
    let edit = ImportRowChange {
        counterparty: text("BAKERY"),
        ..repaired(3, "2024-06-12", -777)
    };
    let moved = change(&mut client, &linked, &[edit]).await.unwrap();
    let shown = rows(&mut client, &moved).await;
    assert_eq!(
        (shown[2].verdict(), shown[2].action()),
        (RowVerdict::Linked, RowAction::Link)
    );
    assert_eq!(shown[2].transaction_id, far.to_string());
    // What it resembled before is free, for another row too.
    let edit = repaired(2, "2024-02-09", -320);
    let taken = change(&mut client, &moved, &[edit]).await.unwrap();
    let shown = rows(&mut client, &taken).await;
    assert_eq!(shown[1].verdict(), RowVerdict::Suspected);
    assert_eq!(shown[1].transaction_id, near.to_string());
    let back = reset(2, &["amount", "booked_on"]);
    let back = change(&mut client, &taken, &[back]).await.unwrap();
    let found = verdicts(&mut client, &back).await;
    assert_eq!(
        found,
        [RowVerdict::New, RowVerdict::New, RowVerdict::Linked]
    );
}

/// An edited row may be what an earlier file has told of on a day that this file does not cover.
#[tokio::test]
async fn an_edit_towards_another_files_row_is_suspected() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let earlier = statement(&[
        ("2023-11-05", "Gym", "-40.00"),
        ("2023-11-20", "Gas", "-55.00"),
    ]);
    import(&mut client, &earlier, account_id).await;
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let edit = ImportRowChange {
        description: text("Gym"),
        ..repaired(2, "2023-11-05", -4_000)
    };
    let edited = change(&mut client, &seen, &[edit]).await.unwrap();
    let found = verdicts(&mut client, &edited).await;
    assert_eq!(
        found,
        [RowVerdict::New, RowVerdict::Suspected, RowVerdict::New]
    );
    assert_eq!(edited.counts.unwrap().suspected_count, 1);
}

/// What a person has put right may be what is entered by hand meanwhile: the commit sees it.
#[tokio::test]
async fn an_account_that_moves_under_an_edited_row_sends_it_back_to_review() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(BROKEN), account_id).await;
    let bad = verdicts(&mut client, &seen).await;
    let Some(at) = bad.iter().position(|it| *it == RowVerdict::Invalid) else {
        panic!("one row cannot be read: {bad:?}");
    };
    let fixed = repaired(i64::try_from(at).unwrap() + 1, "2024-02-01", -90_050);
    let fixed = change(&mut client, &seen, &[fixed]).await.unwrap();
    let entry = Entry {
        booked_on: "2024-02-02",
        amount_minor: -90_050,
        counterparty: "Landlord",
        ..Entry::default()
    };
    world.enter(user, account_id, entry).await;
    confirm(&mut client, &fixed).await.unwrap();
    let back = testing::eventually(
        "the review with a reason",
        crate::world::PATIENCE,
        async || {
            let import = crate::world::get(&mut client, &fixed.import_id).await;
            let failure = import.job.as_ref()?.failure.clone()?;
            (failure.reason == "ACCOUNT_CHANGED").then_some(import)
        },
    )
    .await;
    assert_eq!(back.counts.unwrap().suspected_count, 1);
    assert_eq!(rows(&mut client, &back).await[at].amount, euros(-90_050));
}
