//! A statement that tells of what was entered by hand.

use djinn_chassis::testing;
use djinn_ledger::edit::Edit;
use djinn_proto::imports::v1::{ImportState, RowAction, RowVerdict};
use tonic::Code;

use super::{BAKER, Seen, commit, counted, decide, may, named, review, rows};
use crate::{
    by_hand::Entry,
    revert::faults::outcome,
    world::{PATIENCE, World, get, import, reach, refused, revert},
};

/// The baker as a person has entered it.
fn entered() -> Seen {
    Seen {
        booked_on: "2024-05-28".to_owned(),
        value_on: None,
        counterparty: BAKER.counterparty.to_owned(),
        description: String::new(),
        note: BAKER.note.to_owned(),
        source: "user".to_owned(),
        told: false,
        linked: false,
        provenance: String::new(),
    }
}

/// The same, linked with the statement.
fn told() -> Seen {
    Seen {
        value_on: Some("2024-06-01".to_owned()),
        description: "CARD 4711".to_owned(),
        told: true,
        linked: true,
        provenance: "description provider, value_on provider".to_owned(),
        ..entered()
    }
}

#[tokio::test]
async fn what_was_entered_three_days_earlier_is_linked_and_given_back_by_an_undoing() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;

    let seen = review(&mut client, &may(), account_id).await;
    assert_eq!(counted(&seen), "2/0/0/0 +2 =1");
    assert_eq!(seen.balance_before.as_ref().unwrap().minor_units, 8_770);
    assert_eq!(seen.balance_after.as_ref().unwrap().minor_units, 168_720);
    let row = rows(&mut client, &seen).await.remove(2);
    let like = row.resembles.clone().unwrap();
    assert_eq!(
        (row.verdict(), row.action(), row.included),
        (RowVerdict::Linked, RowAction::Link, false)
    );
    assert_eq!(row.transaction_id, baker.to_string());
    assert_eq!(
        (&*like.transaction_id, &*like.booked_on, &*like.counterparty),
        (&*baker.to_string(), "2024-05-28", BAKER.counterparty)
    );
    assert_eq!((like.days_apart, &*like.reason), (3, "SAME_PAYEE"));
    assert_eq!(like.amount.unwrap().minor_units, -1_230);

    let done = commit(&mut client, &seen).await;
    assert_eq!(world.seen(user, baker).await, told());
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [-90_050, 250_000, -1_230]);

    let again = import(&mut client, &may(), account_id).await;
    assert_eq!(counted(&again), "0/3/0/0 +0 =0");

    revert(&mut client, &done.import_id).await.unwrap();
    let undone = reach(&mut client, &done.import_id, ImportState::Reverted).await;
    assert_eq!(undone.reversal.unwrap().removed_count, 2);
    assert_eq!(world.seen(user, baker).await, entered());
    assert_eq!(world.ledger(user, account_id).await, [-1_230]);

    let once_more = import(&mut client, &may(), account_id).await;
    assert_eq!(counted(&once_more), "2/0/0/0 +2 =1");
    assert_eq!(world.seen(user, baker).await, told());
}

#[tokio::test]
async fn the_history_tells_what_an_import_filled_and_emptied() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let done = import(&mut client, &may(), account_id).await;
    revert(&mut client, &done.import_id).await.unwrap();
    reach(&mut client, &done.import_id, ImportState::Reverted).await;
    let mut transaction = world.as_sync(user).await;
    let lines: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT e.kind || ' by ' || e.source || ' ' || e.reference, e.field, e.old_value, \
         e.new_value FROM ledger.edit e JOIN ledger.change c USING (user_id, change_id) \
         WHERE transaction_id = $1 ORDER BY c.version, e.field",
    )
    .bind(baker)
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    let by = format!("edited by provider {}", done.import_id);
    let text = |value: &str| Some(value.to_owned());
    let line = |field: &str, old, new| (by.clone(), field.to_owned(), old, new);
    assert_eq!(
        lines,
        [
            line("description", None, text("CARD 4711")),
            line("value_on", None, text("2024-06-01")),
            line("description", text("CARD 4711"), None),
            line("value_on", text("2024-06-01"), None),
        ]
    );
}

#[tokio::test]
async fn what_is_not_blank_or_is_locked_is_not_filled() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let entry = Entry {
        description: "cake",
        ..BAKER
    };
    let baker = world.enter(user, account_id, entry).await;
    // Emptied by hand: that is said, not left out.
    let edit = Edit {
        value_on: Some(None),
        ..Edit::default()
    };
    world.edit(user, baker, edit).await;
    import(&mut client, &may(), account_id).await;
    let seen = world.seen(user, baker).await;
    assert_eq!((&*seen.description, seen.value_on), ("cake", None));
    assert!(seen.told && seen.linked);
}

#[tokio::test]
async fn nothing_is_written_to_what_is_reconciled() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let edit = Edit {
        reconciled: Some(true),
        ..Edit::default()
    };
    world.edit(user, baker, edit).await;
    for expected in ["2/0/0/0 +2 =1", "0/2/0/0 +0 =1"] {
        let done = import(&mut client, &may(), account_id).await;
        assert_eq!(counted(&done), expected);
        assert_eq!(world.seen(user, baker).await, entered());
    }
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [-90_050, 250_000, -1_230]);
}

#[tokio::test]
async fn an_undoing_leaves_what_a_person_has_touched_since() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let done = import(&mut client, &may(), account_id).await;
    let edit = Edit {
        description: Some("cake, paid by card".to_owned()),
        ..Edit::default()
    };
    world.edit(user, baker, edit).await;
    revert(&mut client, &done.import_id).await.unwrap();
    reach(&mut client, &done.import_id, ImportState::Reverted).await;
    let expected = Seen {
        description: "cake, paid by card".to_owned(),
        provenance: "description user".to_owned(),
        ..entered()
    };
    assert_eq!(world.seen(user, baker).await, expected);
}

#[tokio::test]
async fn a_row_that_is_another_booking_is_added_beside_the_entry() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let seen = review(&mut client, &may(), account_id).await;
    let decided = decide(&mut client, &seen, 3, RowAction::Add).await.unwrap();
    assert_eq!(counted(&decided), "2/0/0/0 +3 =0");
    commit(&mut client, &decided).await;
    assert_eq!(world.seen(user, baker).await, entered());
    let again = import(&mut client, &may(), account_id).await;
    assert_eq!(counted(&again), "0/3/0/0 +0 =0");
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [-90_050, 250_000, -1_230, -1_230]);
}

#[tokio::test]
async fn of_two_equal_entries_the_nearest_day_wins() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let far = world.enter(user, account_id, BAKER).await;
    let near = Entry {
        booked_on: "2024-06-01",
        ..BAKER
    };
    let near = world.enter(user, account_id, near).await;
    import(&mut client, &may(), account_id).await;
    assert!(world.seen(user, near).await.linked);
    assert_eq!(world.seen(user, far).await, entered());
}

#[tokio::test]
async fn a_linked_entry_that_is_deleted_by_hand_stays_deleted() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    world.enter(user, account_id, BAKER).await;
    let done = import(&mut client, &may(), account_id).await;
    world.delete_by_hand(user, account_id, -1_230).await;
    let again = import(&mut client, &may(), account_id).await;
    assert_eq!(counted(&again), "0/2/1/0 +0 =0");
    revert(&mut client, &done.import_id).await.unwrap();
    reach(&mut client, &done.import_id, ImportState::Reverted).await;
    assert_eq!(world.ledger(user, account_id).await, [0_i64; 0]);
}

/// The id of the bank is taken over too: the same booking in another file is known by it alone.
#[tokio::test]
async fn a_linked_entry_is_known_by_the_banks_id() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let file = |text: &str, amount: &str| {
        format!(
            "Date,Payee,Description,Amount,Transaction ID\n\
             2024-05-15,Employer,Salary,2500.00,TX-2024-0001\n\
             2024-05-31,Bäcker Müller,{text},{amount},TX-2024-0002\n"
        )
        .into_bytes()
    };
    let first = import(&mut client, &file("CARD 4711", "-12.30"), account_id).await;
    assert_eq!(counted(&first), "1/0/0/0 +1 =1");
    let again = import(&mut client, &file("TOLD OTHERWISE", "-12.30"), account_id).await;
    assert_eq!(counted(&again), "0/2/0/0 +0 =0");
    let seen = review(&mut client, &file("CARD 4711", "-13.30"), account_id).await;
    let row = rows(&mut client, &seen).await.remove(1);
    assert_eq!(row.verdict(), RowVerdict::Changed);
    assert_eq!(row.resembles.unwrap().transaction_id, baker.to_string());
}

#[tokio::test]
async fn an_entry_that_goes_or_changes_while_the_review_waits_sends_it_back() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let seen = review(&mut client, &may(), account_id).await;
    let edit = Edit {
        amount_minor: Some(-1_240),
        ..Edit::default()
    };
    world.edit(user, baker, edit).await;
    crate::world::confirm(&mut client, &seen).await.unwrap();
    let back = testing::eventually(
        "the review with a reason",
        crate::world::PATIENCE,
        async || {
            let import = crate::world::get(&mut client, &seen.import_id).await;
            let failure = import.job.as_ref()?.failure.clone()?;
            (failure.reason == "ACCOUNT_CHANGED").then_some(import)
        },
    )
    .await;
    assert_eq!(counted(&back), "3/0/0/0 +3 =0");
    commit(&mut client, &back).await;
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(ledger, [-90_050, 250_000, -1_240, -1_230]);
}

#[tokio::test]
async fn only_what_resembles_an_entry_can_be_linked() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    import(&mut client, &may(), account_id).await;
    let file = named(&[
        ("2024-05-02", "", "Landlord", "Rent May", "-900.50"),
        (
            "2024-05-15",
            "",
            "Employer",
            "Salary told otherwise",
            "2500.00",
        ),
        ("2024-05-31", "", "New", "One", "-1.00"),
    ]);
    let seen = review(&mut client, &file, account_id).await;
    let found: Vec<_> = rows(&mut client, &seen).await;
    let found: Vec<_> = found.iter().map(|row| row.verdict()).collect();
    assert_eq!(
        found,
        [
            RowVerdict::Duplicate,
            RowVerdict::Suspected,
            RowVerdict::New
        ]
    );
    for (row, why) in [
        (1, "no transaction that it could be linked with"),
        (2, "a statement has told of already"),
        (3, "no transaction that it could be linked with"),
    ] {
        let answer = decide(&mut client, &seen, row, RowAction::Link).await;
        let message = answer.as_ref().unwrap_err().message().to_owned();
        assert!(message.contains(why), "{row}: {message}");
        refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    }
    // Nothing of it was kept.
    let unchanged = crate::world::get(&mut client, &seen.import_id).await;
    assert_eq!(unchanged.etag, seen.etag);
}

#[tokio::test]
async fn numbers_that_disagree_free_nothing_and_leave_the_import_committed() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let baker = world.enter(user, account_id, BAKER).await;
    let done = import(&mut client, &may(), account_id).await;
    assert_eq!(counted(&done), "2/0/0/0 +2 =1");
    let claim = async |count: i64| {
        let mut transaction = world.as_imports(user).await;
        sqlx::query("UPDATE imports.import SET linked_count = $1")
            .bind(count)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    };
    claim(0).await;
    revert(&mut client, &done.import_id).await.unwrap();
    let failure = testing::eventually("the import committed again", PATIENCE, async || {
        let import = get(&mut client, &done.import_id).await;
        let failure = import.job.as_ref()?.failure.clone()?;
        (import.state() == ImportState::Committed).then_some(failure)
    })
    .await;
    assert_eq!(failure.reason, "REVERSAL_MISMATCH");
    assert_eq!(world.seen(user, baker).await, told());
    assert_eq!(world.ledger(user, account_id).await.len(), 3);

    // A wish that meets the run that gives up joins it, and waits a minute for the sweep.
    assert_eq!(outcome(&done.import_id).await, None);
    claim(1).await;
    revert(&mut client, &done.import_id).await.unwrap();
    reach(&mut client, &done.import_id, ImportState::Reverted).await;
    assert_eq!(world.seen(user, baker).await, entered());
}
