//! Rows that a person sets right in review: what is committed, what is shown, and what the same
//! file is known by afterwards.

mod drawn;
mod ledger;
mod matching;
mod race;

use djinn_proto::{
    common::v1::Money,
    imports::v1::{self as proto, Import, ImportRow, ImportRowChange, ImportState, RowVerdict},
};
use tonic::{Code, Status};
use uuid::Uuid;

use djinn_chassis::testing;

use crate::world::{Client, World, begin, confirm, reach, refused, statement};

const THREE: &[(&str, &str, &str)] = &[
    ("2024-01-31", "Salary", "2500.00"),
    ("2024-02-01", "Rent", "-900.50"),
    ("2024-02-13", "Coffee", "-3.20"),
];

/// Three rows, of which the second lacks its date.
const BROKEN: &[(&str, &str, &str)] = &[
    ("2024-01-31", "Salary", "2500.00"),
    ("31 FebTuary", "Rent", "-900.50"),
    ("2024-02-13", "Coffee", "-3.20"),
];

fn money(currency_code: &str, minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: currency_code.to_owned(),
        minor_units,
    })
}

fn euros(minor_units: i64) -> Option<Money> {
    money("EUR", minor_units)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A change of this row that changes nothing yet.
fn row(row_number: i64) -> ImportRowChange {
    ImportRowChange {
        row_number,
        ..ImportRowChange::default()
    }
}

fn reset(row_number: i64, fields: &[&str]) -> ImportRowChange {
    ImportRowChange {
        reset_fields: fields.iter().map(|it| (*it).to_owned()).collect(),
        ..row(row_number)
    }
}

/// A row with a date and an amount.
fn repaired(row_number: i64, booked_on: &str, minor_units: i64) -> ImportRowChange {
    ImportRowChange {
        booked_on: text(booked_on),
        amount: euros(minor_units),
        ..row(row_number)
    }
}

async fn change(
    client: &mut Client,
    import: &Import,
    changes: &[ImportRowChange],
) -> Result<Import, Status> {
    let request = proto::UpdateImportRowsRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        changes: changes.to_vec(),
    };
    let answer = client.update_import_rows(request).await?;
    Ok(answer.into_inner().import.unwrap())
}

async fn review(client: &mut Client, file: &[u8], account_id: Uuid) -> Import {
    let import_id = begin(client, file, account_id).await;
    reach(client, &import_id, ImportState::Review).await
}

async fn commit(client: &mut Client, seen: &Import) -> Import {
    confirm(client, seen).await.unwrap();
    reach(client, &seen.import_id, ImportState::Committed).await
}

async fn rows(client: &mut Client, import: &Import) -> Vec<ImportRow> {
    let request = proto::ListImportRowsRequest {
        import_id: import.import_id.clone(),
        page_size: 1_000,
        ..proto::ListImportRowsRequest::default()
    };
    let rows = client.list_import_rows(request).await.unwrap();
    rows.into_inner().rows
}

/// Every verdict of the rows, in the order of the file.
async fn verdicts(client: &mut Client, import: &Import) -> Vec<RowVerdict> {
    let rows = rows(client, import).await;
    rows.iter().map(ImportRow::verdict).collect()
}

fn included(import: &Import) -> (i64, i64) {
    let amount = import.included_amount.as_ref().unwrap().minor_units;
    (import.counts.unwrap().included_count, amount)
}

fn balances(import: &Import) -> (i64, i64) {
    let of = |money: &Option<Money>| money.as_ref().unwrap().minor_units;
    (of(&import.balance_before), of(&import.balance_after))
}

#[tokio::test]
async fn an_edit_changes_what_is_committed_and_what_was_seen_is_stale() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    assert_eq!(
        (included(&seen), balances(&seen)),
        ((3, 159_630), (10_000, 169_630))
    );
    let edit = ImportRowChange {
        booked_on: text("2024-02-02"),
        amount: euros(-95_000),
        description: text("Rent and heating"),
        counterparty: text("Landlord"),
        value_on: text("2024-02-03"),
        ..row(2)
    };
    let edited = change(&mut client, &seen, &[edit]).await.unwrap();
    assert_ne!(seen.etag, edited.etag);
    assert_eq!(
        (included(&edited), balances(&edited)),
        ((3, 154_680), (10_000, 164_680))
    );
    assert_eq!(edited.counts.unwrap().edited_count, 1);
    let shown = rows(&mut client, &edited).await;
    let names = [
        "amount",
        "booked_on",
        "counterparty",
        "description",
        "value_on",
    ];
    assert_eq!(shown[1].edited_fields, names);
    assert_eq!(shown[1].amount, euros(-95_000));
    assert_eq!(
        (&*shown[1].booked_on, &*shown[1].value_on),
        ("2024-02-02", "2024-02-03")
    );
    assert_eq!((shown[1].line, shown[1].verdict()), (3, RowVerdict::New));
    assert_eq!((shown[0].edited_fields.len(), shown[1].included), (0, true));
    refused(
        confirm(&mut client, &seen).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let stale = change(&mut client, &seen, &[reset(2, &["amount"])]).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let done = commit(&mut client, &edited).await;
    assert_eq!(done.balance_after, euros(164_680));
    assert_eq!(
        world.ledger(user, account_id).await,
        [250_000, -95_000, -320]
    );
}

#[tokio::test]
async fn an_edit_given_back_leaves_the_row_as_it_was_read() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let before = rows(&mut client, &seen).await;
    let edit = ImportRowChange {
        description: text(""),
        ..repaired(3, "2024-03-01", -400)
    };
    let edited = change(&mut client, &seen, &[edit]).await.unwrap();
    // Edited once more, the file's value is what it was.
    let twice = change(&mut client, &edited, &[repaired(3, "2024-03-02", -500)])
        .await
        .unwrap();
    let half = change(&mut client, &twice, &[reset(3, &["amount", "value_on"])])
        .await
        .unwrap();
    let shown = rows(&mut client, &half).await;
    assert_eq!(shown[2].edited_fields, ["booked_on", "description"]);
    assert_eq!(
        (&shown[2].amount, &*shown[2].booked_on),
        (&euros(-320), "2024-03-02")
    );
    let back = reset(3, &["booked_on", "description"]);
    let back = change(&mut client, &half, &[back]).await.unwrap();
    assert_eq!(rows(&mut client, &back).await, before);
    assert_eq!(back.counts, seen.counts);
    assert_ne!(back.etag, seen.etag);
}

#[tokio::test]
async fn a_row_that_is_left_out_stays_out_when_it_is_edited() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let out = change(&mut client, &seen, &[row(2)]).await.unwrap();
    assert_eq!(included(&out), (2, 249_680));
    let edited = change(&mut client, &out, &[repaired(2, "2024-02-05", -1)])
        .await
        .unwrap();
    assert_eq!(included(&edited), (2, 249_680));
    let added = ImportRowChange {
        included: true,
        amount: euros(-2),
        ..row(2)
    };
    let added = change(&mut client, &edited, &[added]).await.unwrap();
    assert_eq!(included(&added), (3, 249_678));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_repaired_and_can_be_given_up_again() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let file = many_with_a_bad_row();
    let seen = review(&mut client, &file, account_id).await;
    assert_eq!(
        (seen.counts.unwrap().invalid_count, included(&seen).0),
        (1, 30)
    );
    let broken = rows(&mut client, &seen).await[30].clone();
    assert_eq!(broken.verdict(), RowVerdict::Invalid);
    let edit = ImportRowChange {
        description: text("Rent"),
        ..repaired(31, "2024-02-01", -90_050)
    };
    let fixed = change(&mut client, &seen, &[edit]).await.unwrap();
    let counts = fixed.counts.unwrap();
    assert_eq!(
        (counts.invalid_count, counts.new_count, counts.edited_count),
        (0, 31, 1)
    );
    assert_eq!((counts.row_count, included(&fixed).0), (31, 31));
    assert_eq!(included(&fixed).1 - included(&seen).1, -90_050);
    let shown = rows(&mut client, &fixed).await[30].clone();
    assert_eq!(
        (shown.verdict(), shown.included, shown.line),
        (RowVerdict::New, true, 32)
    );
    assert_eq!(shown.edited_fields, ["amount", "booked_on", "description"]);
    // What stands in the file is still told.
    assert_eq!(shown.problem, broken.problem);
    let listed = proto::ListImportRowsRequest {
        import_id: fixed.import_id.clone(),
        verdicts: vec![RowVerdict::Invalid.into()],
        ..proto::ListImportRowsRequest::default()
    };
    let listed = client
        .list_import_rows(listed)
        .await
        .unwrap()
        .into_inner()
        .rows;
    assert_eq!(listed, []);
    let plain = change(&mut client, &fixed, &[reset(31, &["description"])])
        .await
        .unwrap();
    assert_eq!(rows(&mut client, &plain).await[30].description, "");
    let given_up = change(&mut client, &plain, &[reset(31, &["amount"])])
        .await
        .unwrap();
    assert_eq!(rows(&mut client, &given_up).await[30], broken);
    assert_eq!(given_up.counts, seen.counts);
    let again = change(&mut client, &given_up, &[repaired(31, "2024-02-02", -1)])
        .await
        .unwrap();
    commit(&mut client, &again).await;
    let ledger = world.ledger(user, account_id).await;
    assert_eq!((ledger.len(), ledger.contains(&-1)), (31, true));
}

/// Thirty rows that can be read, and one whose date cannot.
fn many_with_a_bad_row() -> Vec<u8> {
    let mut file = crate::world::many(30);
    file.extend_from_slice(b"2024-02-31,Rent,-900.50\n");
    file
}

/// Changes that are refused, with the field that is at fault.
fn bad_changes() -> Vec<(ImportRowChange, &'static str)> {
    vec![
        (
            ImportRowChange {
                amount: money("USD", 1),
                ..row(1)
            },
            "changes.amount.currency_code",
        ),
        (
            ImportRowChange {
                booked_on: text("2024-02-31"),
                ..row(1)
            },
            "changes.booked_on",
        ),
        (
            ImportRowChange {
                booked_on: text("0224-02-01"),
                ..row(1)
            },
            "changes.booked_on",
        ),
        (
            ImportRowChange {
                value_on: text("9024-02-01"),
                ..row(1)
            },
            "changes.value_on",
        ),
        (
            ImportRowChange {
                description: text(&"x".repeat(1_001)),
                ..row(1)
            },
            "changes.description",
        ),
        (
            ImportRowChange {
                counterparty: text("a\nb"),
                ..row(1)
            },
            "changes.counterparty",
        ),
        (reset(1, &["external_id"]), "changes.reset_fields"),
        (
            ImportRowChange {
                booked_on: text("2024-02-01"),
                ..row(31)
            },
            "changes.booked_on",
        ),
        (
            ImportRowChange {
                amount: euros(5),
                ..row(31)
            },
            "changes.booked_on",
        ),
        (repaired(99, "2024-02-01", 5), "changes.row_number"),
        (
            ImportRowChange {
                included: true,
                ..row(31)
            },
            "changes.row_number",
        ),
    ]
}

#[tokio::test]
async fn what_a_row_cannot_have_is_refused_and_nothing_is_changed() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &many_with_a_bad_row(), account_id).await;
    let before = rows(&mut client, &seen).await;
    for (bad, field) in bad_changes() {
        let good = repaired(2, "2024-02-01", 5);
        let status = change(&mut client, &seen, &[good, bad.clone()])
            .await
            .unwrap_err();
        use tonic_types::StatusExt;
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(
            (status.code(), &*violations[0].field),
            (Code::InvalidArgument, field),
            "{bad:?}"
        );
    }
    let now = crate::world::get(&mut client, &seen.import_id).await;
    assert_eq!((now.etag, now.counts), (seen.etag.clone(), seen.counts));
    assert_eq!(rows(&mut client, &seen).await, before);
}

#[tokio::test]
async fn amounts_that_no_sum_can_hold_are_refused_and_say_so() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &statement(THREE), account_id).await;
    let changes = [
        repaired(2, "2024-02-01", i64::MAX),
        repaired(3, "2024-02-01", i64::MAX),
    ];
    let answer = change(&mut client, &seen, &changes).await;
    refused(answer, Code::FailedPrecondition, "SUM_TOO_LARGE");
    let answer = change(&mut client, &seen, &[repaired(2, "2024-02-01", i64::MIN)]).await;
    assert_eq!(included(&answer.unwrap()).1, i64::MIN + 249_680);
}

#[tokio::test]
async fn five_thousand_rows_are_edited_in_one_call() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let seen = review(&mut client, &crate::world::many(30_000), account_id).await;
    let edits: Vec<_> = (1..=5_000)
        .map(|number| ImportRowChange {
            description: text(&format!("Edited {number}")),
            ..repaired(number, "2024-01-20", -number)
        })
        .collect();
    let begun = std::time::Instant::now();
    let edited = change(&mut client, &seen, &edits).await.unwrap();
    // The deadline of a call that sets none.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    assert_eq!(edited.counts.unwrap().edited_count, 5_000);
    let more = [edits, vec![row(5_001)]].concat();
    let answer = change(&mut client, &edited, &more).await;
    refused(answer, Code::InvalidArgument, "INVALID_FIELD");
    let done = commit(&mut client, &edited).await;
    assert_eq!(included(&done), included(&edited));
    let ledger = world.ledger(user, account_id).await;
    assert_eq!(
        (ledger.len(), ledger.iter().sum::<i64>()),
        (30_000, included(&edited).1)
    );
}
