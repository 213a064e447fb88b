//! What happened to a transaction, also to one that is gone.

use djinn_ledger::edit::history::{self, Actor, Entry, History, Kind, Page};

use super::*;
use crate::fixture::run;

const MANY: usize = 1_000_000;

impl Shelf {
    async fn page(&self, page: &Page) -> Option<History> {
        let mut transaction = self.begin().await;
        let listed = history::list(&mut transaction, self.id, page).await;
        listed.unwrap()
    }

    async fn history(&self) -> Vec<Entry> {
        let page = Page {
            after: None,
            entries_max: MANY,
            bytes_max: MANY,
        };
        let history = self.page(&page).await.unwrap();
        assert_eq!(history.next, None);
        history.entries
    }
}

/// An entry in short.
fn told(entry: &Entry) -> String {
    let fields = entry.fields.iter().map(|change| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (old, new) = (text(&change.old_value), text(&change.new_value));
        format!(" {}:{old}>{new}", change.field)
    });
    let by = match entry.actor {
        Actor::Import => "import",
        Actor::Writer(writer) => writer.as_str(),
    };
    let what = format!("{:?}", entry.kind).to_lowercase();
    format!("{what} by {by}{}", fields.collect::<String>())
}

#[tokio::test]
async fn a_history_tells_everything_newest_first() {
    let shelf = shelf().await;
    let made = shelf.read().await;
    let created = |entries: &[Entry]| entries.last().unwrap().clone();
    let bare = shelf.history().await;
    assert_eq!(bare.len(), 1);
    assert_eq!(told(&bare[0]), "created by import");
    assert_eq!(bare[0].at, made.created_at);

    shelf.edit(&author(Writer::Rule), &note("rule")).await;
    let edit = Edit {
        amount_minor: Some(5),
        ..note("mine")
    };
    shelf.edit(&Author::user(), &edit).await;
    shelf.unlock(&[Field::Note, Field::Amount]).await;
    let found = shelf.history().await;
    assert_eq!(
        found.iter().map(told).collect::<Vec<_>>(),
        [
            "unlocked by user amount:> note:>",
            "edited by user amount:-12.30>0.05 note:rule>mine",
            "edited by rule note:>rule",
            "created by import",
        ]
    );
    assert_eq!(found[2].reference.as_deref(), Some("Rule 1"));
    assert!(found.is_sorted_by(|one, next| one.version > next.version));
    assert_eq!(created(&found), bare[0]);

    shelf.delete().await;
    let gone = shelf.history().await;
    assert_eq!(gone[1..], found[..], "a deletion adds to the history");
    let first = told(&gone[0]);
    let expected = format!(
        "deleted by user account_id:{}> amount:0.05> booked_on:2026-01-31> create_time:{}> \
         description:REWE> note:mine> source:import>",
        shelf.account,
        made.created_at
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
    );
    assert_eq!(first, expected);
}

#[tokio::test]
async fn how_it_came_is_known_before_and_after_a_deletion() {
    let mut shelf = shelf().await;
    let import = shelf.fixture.clock.id();
    for (source, import_id, by) in [
        ("import", Some(import), "created by import"),
        ("user", None, "created by user"),
        ("bank", None, "created by provider"),
    ] {
        let id = shelf
            .fixture
            .book_amount(shelf.user, shelf.account, 1)
            .await;
        let mut superuser = shelf.fixture.superuser().await;
        sqlx::query(
            "UPDATE ledger.transaction SET source = $2, import_id = $3 WHERE transaction_id = $1",
        )
        .bind(id)
        .bind(source)
        .bind(import_id)
        .execute(&mut superuser)
        .await
        .unwrap();
        shelf.id = id;
        let before = shelf.history().await;
        assert_eq!(told(&before[0]), by);
        let reference = import_id.map(|id| id.to_string());
        assert_eq!(before[0].reference, reference);
        shelf.delete().await;
        let after = shelf.history().await;
        assert_eq!(after.len(), 2);
        assert_eq!(after[1], before[0]);
    }
}

/// An undone import tells no more than its tombstone.
#[tokio::test]
async fn a_reverted_one_tells_that_it_was() {
    let shelf = shelf().await;
    shelf.edit(&author(Writer::Rule), &note("rule")).await;
    let mut transaction = shelf.fixture.imports.user(shelf.user).await.unwrap();
    let change = Change::begin(&shelf.fixture.clock);
    let (user, id, account) = (shelf.user, shelf.id, shelf.account);
    for sql in [
        format!("DELETE FROM ledger.transaction WHERE transaction_id = '{id}'"),
        format!(
            "INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, cause, \
             change_id, created_at) VALUES ('{user}', 'transaction', '{id}', '{account}', \
             'revert', '{}', now())",
            change.id()
        ),
    ] {
        assert_eq!(run(&mut transaction, sql).await.unwrap(), 1);
    }
    change.commit(transaction, &[account]).await.unwrap();
    let found: Vec<_> = shelf.history().await.iter().map(told).collect();
    assert_eq!(found, ["reverted by user", "edited by rule note:>rule"]);
    let mut own = shelf.begin().await;
    assert!(edit::was_removed(&mut own, id).await.unwrap());
    assert!(edit::open(&mut own, id).await.unwrap().is_none());
}

#[tokio::test]
async fn pages_walk_a_history_once() {
    let shelf = shelf().await;
    for round in 0..7 {
        let edit = Edit {
            amount_minor: Some(round),
            ..note(&round.to_string())
        };
        shelf.edit(&Author::user(), &edit).await;
    }
    shelf.delete().await;
    let expected = shelf.history().await;
    assert_eq!(expected.len(), 9);
    assert_eq!(expected[0].kind, Kind::Deleted);
    for (entries_max, bytes_max) in [
        (1, MANY),
        (2, MANY),
        (8, MANY),
        (9, MANY),
        (10, MANY),
        (MANY, 0),
        (MANY, 20),
    ] {
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let page = Page {
                after,
                entries_max,
                bytes_max,
            };
            let history = shelf.page(&page).await.unwrap();
            assert!(!history.entries.is_empty() && history.entries.len() <= entries_max);
            walked.extend(history.entries);
            after = history.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(walked, expected, "{entries_max} {bytes_max}");
    }
}

#[tokio::test]
async fn what_never_was_has_no_history() {
    let shelf = shelf().await;
    let page = Page {
        after: None,
        entries_max: MANY,
        bytes_max: MANY,
    };
    let mut transaction = shelf.begin().await;
    for unknown in [Uuid::nil(), shelf.account] {
        let listed = history::list(&mut transaction, unknown, &page).await;
        assert_eq!(listed.unwrap(), None);
        assert!(!edit::was_removed(&mut transaction, unknown).await.unwrap());
    }
}
