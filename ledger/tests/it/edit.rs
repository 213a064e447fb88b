//! Transactions edited, unlocked and deleted: what is written, by whom, and in which order.

mod history;
mod removal;

use std::time::Duration;

use chrono::NaiveDate;
use djinn_chassis::{
    auth::UserId,
    clock::Clock,
    postgres::{Postgres, UserTransaction},
    testing,
};
use djinn_ledger::{
    Change,
    account::{self, Account},
    edit::{self, Author, Edit, Outcome, Writer},
    transaction::{self, Field, Transaction},
};
use uuid::Uuid;

use crate::fixture::{Fixture, count};

/// A user with an account and one imported transaction in it.
struct Shelf {
    fixture: Fixture,
    user: UserId,
    account: Uuid,
    id: Uuid,
}

async fn shelf() -> Shelf {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    let id = fixture.book_amount(user, account, -1_230).await;
    Shelf {
        fixture,
        user,
        account,
        id,
    }
}

impl Shelf {
    async fn begin(&self) -> UserTransaction {
        self.fixture.sync.user(self.user).await.unwrap()
    }

    async fn read(&self) -> Transaction {
        let found = transaction::get(&mut self.begin().await, self.id).await;
        found.unwrap().unwrap()
    }

    async fn account(&self) -> Account {
        let found = account::get(&mut self.begin().await, self.account).await;
        found.unwrap().unwrap()
    }

    /// Edits as this author and commits what was written.
    async fn edit(&self, author: &Author, edit: &Edit) -> Vec<(Field, Outcome)> {
        let (pool, clock) = (&self.fixture.sync, &self.fixture.clock);
        write(pool, clock, self.user, self.id, author, edit).await
    }

    async fn unlock(&self, fields: &[Field]) -> bool {
        let mut transaction = self.begin().await;
        let opened = edit::open(&mut transaction, self.id)
            .await
            .unwrap()
            .unwrap();
        let clock = &self.fixture.clock;
        let (change, seen) = (Change::begin(clock), opened.transaction);
        let now = clock.now();
        let unlocked = edit::unlock(&mut transaction, &change, &seen, fields, now)
            .await
            .unwrap();
        if unlocked {
            change.commit(transaction, &[self.account]).await.unwrap();
        }
        unlocked
    }

    async fn delete(&self) {
        let mut transaction = self.begin().await;
        let opened = edit::open(&mut transaction, self.id)
            .await
            .unwrap()
            .unwrap();
        let clock = &self.fixture.clock;
        let (change, seen) = (Change::begin(clock), opened.transaction);
        edit::delete(&mut transaction, &change, &seen, clock.now())
            .await
            .unwrap();
        change.commit(transaction, &[self.account]).await.unwrap();
    }

    /// What a query over the user's own rows gives, as text, one row a line.
    async fn rows(&self, sql: &'static str) -> Vec<String> {
        let mut transaction = self.begin().await;
        let rows = sqlx::query_scalar::<_, String>(sql).fetch_all(&mut *transaction);
        rows.await.unwrap()
    }
}

async fn write(
    pool: &Postgres,
    clock: &Clock,
    user: UserId,
    id: Uuid,
    author: &Author,
    edit: &Edit,
) -> Vec<(Field, Outcome)> {
    let mut transaction = pool.user(user).await.unwrap();
    let opened = edit::open(&mut transaction, id).await.unwrap().unwrap();
    let (change, seen) = (Change::begin(clock), opened.transaction);
    let written = edit::write(&mut transaction, &change, &seen, author, edit, clock.now())
        .await
        .unwrap();
    if !written.fields().is_empty() {
        change
            .commit(transaction, &[seen.account_id])
            .await
            .unwrap();
    }
    written.outcomes().to_vec()
}

fn author(writer: Writer) -> Author {
    Author {
        writer,
        reference: Some(format!("{writer:?} 1")),
        confidence: Some(9_000),
    }
}

fn note(text: &str) -> Edit {
    Edit {
        note: Some(text.to_owned()),
        ..Edit::default()
    }
}

const LOCKS: &str = "SELECT field FROM ledger.field_lock ORDER BY field";
const PROVENANCE: &str = "SELECT concat_ws(' ', field, source, reference, confidence) \
     FROM ledger.provenance ORDER BY field";
const EDITS: &str = "SELECT concat_ws(' ', kind, field, coalesce(old_value, '-'), \
     coalesce(new_value, '-'), source) FROM ledger.edit ORDER BY edit_id";

#[tokio::test]
async fn a_persons_edit_is_written_locked_and_told() {
    let shelf = shelf().await;
    let before = (shelf.read().await, shelf.account().await);
    let day = NaiveDate::from_ymd_opt(2026, 2, 1);
    let edit = Edit {
        amount_minor: Some(-1_231),
        booked_on: day,
        counterparty: Some("Käse & Co".to_owned()),
        description: Some(String::new()),
        note: Some("two\nlines".to_owned()),
        reconciled: Some(true),
        value_on: Some(day),
    };
    let outcomes = shelf.edit(&Author::user(), &edit).await;
    let expected = Field::ALL.map(|field| (field, Outcome::Written));
    assert_eq!(outcomes, expected);

    let found = shelf.read().await;
    let expected = Transaction {
        booked_on: day.unwrap(),
        value_on: day,
        description: String::new(),
        counterparty: "Käse & Co".to_owned(),
        note: "two\nlines".to_owned(),
        reconciled_at: found.updated_at,
        locked: Field::ALL.into_iter().filter(|f| f.lockable()).collect(),
        amount: found.amount,
        change_id: found.change_id,
        updated_at: found.updated_at,
        ..before.0.clone()
    };
    assert_eq!(found, expected);
    assert_eq!(found.amount.minor_units, -1_231);
    assert!(found.updated_at.is_some());
    assert_ne!(found.change_id, before.0.change_id);
    // A review that waits notices by the account's version; the account itself was not edited.
    let account = shelf.account().await;
    assert!(account.version > before.1.version);
    assert_eq!(account.change_id, before.1.change_id);

    let names = [
        "amount",
        "booked_on",
        "counterparty",
        "description",
        "note",
        "value_on",
    ];
    assert_eq!(shelf.rows(LOCKS).await, names);
    let users = names.map(|name| format!("{name} user"));
    assert_eq!(shelf.rows(PROVENANCE).await, users);
    assert_eq!(
        shelf.rows(EDITS).await,
        [
            "edited amount -12.30 -12.31 user",
            "edited booked_on 2026-01-31 2026-02-01 user",
            "edited counterparty - Käse & Co user",
            "edited description REWE - user",
            "edited note - two\nlines user",
            "edited reconciled false true user",
            "edited value_on - 2026-02-01 user",
        ]
    );
    let without = shelf.fixture.rows_without_a_change(shelf.user).await;
    assert_eq!(without, [].into());
}

#[tokio::test]
async fn an_equal_value_is_locked_and_told_once() {
    let shelf = shelf().await;
    let same = Edit {
        description: Some("REWE".to_owned()),
        counterparty: Some(String::new()),
        reconciled: Some(false),
        ..Edit::default()
    };
    let outcomes = shelf.edit(&Author::user(), &same).await;
    let expected = [
        (Field::Counterparty, Outcome::Written),
        (Field::Description, Outcome::Written),
        (Field::Reconciled, Outcome::Unchanged),
    ];
    assert_eq!(outcomes, expected);
    let locked = shelf.read().await;
    assert_eq!(locked.locked, [Field::Counterparty, Field::Description]);
    let told = [
        "edited counterparty - - user",
        "edited description REWE REWE user",
    ];
    assert_eq!(shelf.rows(EDITS).await, told);

    let outcomes = shelf.edit(&Author::user(), &same).await;
    assert!(
        outcomes
            .iter()
            .all(|(_, found)| *found == Outcome::Unchanged)
    );
    assert_eq!(shelf.read().await, locked);
    assert_eq!(shelf.rows(EDITS).await, told);
}

#[tokio::test]
async fn only_named_fields_are_touched() {
    let shelf = shelf().await;
    let before = shelf.read().await;
    shelf.edit(&Author::user(), &note("mine")).await;
    let found = shelf.read().await;
    let expected = Transaction {
        note: "mine".to_owned(),
        locked: vec![Field::Note],
        change_id: found.change_id,
        updated_at: found.updated_at,
        ..before
    };
    assert_eq!(found, expected);
    let cleared = Edit {
        value_on: Some(None),
        ..Edit::default()
    };
    shelf.edit(&Author::user(), &cleared).await;
    assert_eq!(shelf.read().await.locked, [Field::Note, Field::ValueOn]);
}

#[tokio::test]
async fn ranks_hold_and_a_lock_stops_everybody_else() {
    let shelf = shelf().await;
    use Outcome as O;
    for (author, text, expected, stands) in [
        (author(Writer::Model), "model", O::Written, "model"),
        (author(Writer::Provider), "bank", O::Outranked, "model"),
        (author(Writer::Model), "newer", O::Written, "newer"),
        (author(Writer::Rule), "rule", O::Written, "rule"),
        (author(Writer::Rule), "rule", O::Unchanged, "rule"),
        (author(Writer::Model), "rule", O::Outranked, "rule"),
        (Author::user(), "", O::Written, ""),
        (author(Writer::Rule), "rule", O::Locked, ""),
        (author(Writer::Provider), "", O::Locked, ""),
        (Author::user(), "", O::Unchanged, ""),
    ] {
        let outcomes = shelf.edit(&author, &note(text)).await;
        assert_eq!(outcomes, [(Field::Note, expected)], "{author:?} {text:?}");
        assert_eq!(shelf.read().await.note, stands);
    }
    assert_eq!(shelf.rows(PROVENANCE).await, ["note user"]);
    assert_eq!(
        shelf.rows(EDITS).await,
        [
            "edited note - model model",
            "edited note model newer model",
            "edited note newer rule rule",
            "edited note rule - user",
        ]
    );
    assert!(shelf.unlock(&[Field::Note, Field::Amount]).await);
    assert!(!shelf.unlock(&[Field::Note, Field::Amount]).await);
    let outcomes = shelf.edit(&author(Writer::Rule), &note("again")).await;
    assert_eq!(outcomes, [(Field::Note, O::Written)]);
    let provenance = shelf.rows(PROVENANCE).await;
    assert_eq!(provenance, ["note rule Rule 1 9000"]);
    assert_eq!(shelf.read().await.locked, []);
}

#[tokio::test]
async fn what_one_may_write_is_written_and_the_rest_stays() {
    let shelf = shelf().await;
    shelf.edit(&Author::user(), &note("mine")).await;
    let edit = Edit {
        description: Some("ACME".to_owned()),
        reconciled: Some(true),
        ..note("rule")
    };
    let outcomes = shelf.edit(&author(Writer::Rule), &edit).await;
    let expected = [
        (Field::Description, Outcome::Written),
        (Field::Note, Outcome::Locked),
        (Field::Reconciled, Outcome::Locked),
    ];
    assert_eq!(outcomes, expected);
    let found = shelf.read().await;
    assert_eq!((&*found.description, &*found.note), ("ACME", "mine"));
    assert_eq!(
        (found.reconciled_at, &*found.locked),
        (None, &[Field::Note][..])
    );
}

#[tokio::test]
async fn an_unlock_keeps_value_and_provenance_and_makes_a_new_change() {
    let shelf = shelf().await;
    shelf.edit(&Author::user(), &note("mine")).await;
    let before = shelf.read().await;
    assert!(!shelf.unlock(&[Field::Amount, Field::Reconciled]).await);
    assert_eq!(shelf.read().await, before);
    assert!(shelf.unlock(&[Field::Note]).await);
    let found = shelf.read().await;
    assert_eq!((&*found.note, &*found.locked), ("mine", &[][..]));
    assert_ne!(found.change_id, before.change_id);
    assert!(found.updated_at > before.updated_at);
    assert_eq!(shelf.rows(PROVENANCE).await, ["note user"]);
    let told = ["edited note - mine user", "unlocked note - - user"];
    assert_eq!(shelf.rows(EDITS).await, told);
    let without = shelf.fixture.rows_without_a_change(shelf.user).await;
    assert_eq!(without, [].into());
}

/// Waits until somebody in this database waits for a row that another holds.
async fn somebody_waits(fixture: &Fixture) {
    let mut superuser = fixture.superuser().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    testing::eventually("a waiter", Duration::from_secs(20), async || {
        let found = count(&mut superuser, waiting).await.unwrap();
        (found > 0).then_some(())
    })
    .await;
}

/// The one who comes second has read nothing before the first has committed.
#[tokio::test]
async fn of_a_person_and_a_rule_at_once_the_person_wins_in_either_order() {
    for (first, second) in [
        (Author::user(), author(Writer::Rule)),
        (author(Writer::Rule), Author::user()),
    ] {
        let shelf = shelf().await;
        let (fixture, user, id) = (&shelf.fixture, shelf.user, shelf.id);
        let mut transaction = shelf.begin().await;
        let opened = edit::open(&mut transaction, id).await.unwrap().unwrap();
        let change = Change::begin(&fixture.clock);
        let (seen, now) = (opened.transaction, fixture.clock.now());
        let text = |author: &Author| note(author.writer.as_str());
        edit::write(&mut transaction, &change, &seen, &first, &text(&first), now)
            .await
            .unwrap();
        let waiting = {
            let (pool, clock) = (fixture.sync.clone(), fixture.clock.clone());
            let (edit, second) = (text(&second), second.clone());
            tokio::spawn(async move { write(&pool, &clock, user, id, &second, &edit).await })
        };
        somebody_waits(fixture).await;
        assert!(!waiting.is_finished());
        change.commit(transaction, &[shelf.account]).await.unwrap();
        let outcome = match second.writer {
            Writer::User => Outcome::Written,
            _ => Outcome::Locked,
        };
        assert_eq!(waiting.await.unwrap(), [(Field::Note, outcome)]);
        let found = shelf.read().await;
        assert_eq!((&*found.note, &*found.locked), ("user", &[Field::Note][..]));
    }
}

/// An edit holds the account's row and then its transaction's; a commit adds rows that refer to the
/// account and then takes its row; a close takes the account's lock first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_commits_and_closes_do_not_deadlock() {
    let shelf = shelf().await;
    let (fixture, user) = (&shelf.fixture, shelf.user);
    let other = fixture.account(user, 0).await;
    let edits = |writer| {
        let shelf = &shelf;
        async move {
            for round in 0..40 {
                shelf.edit(&author(writer), &note(&round.to_string())).await;
            }
        }
    };
    let commits = async {
        for round in 0..40 {
            let mut transaction = fixture.imports.user(user).await.unwrap();
            let accounts = [shelf.account, other];
            account::lock(&mut transaction, &accounts).await.unwrap();
            let change = Change::begin(&fixture.clock);
            let booking = crate::fixture::booking(accounts[round % 2], 1);
            let id = fixture.clock.id();
            crate::fixture::insert(&mut transaction, user, id, &booking, change.id())
                .await
                .unwrap();
            change.commit(transaction, &accounts).await.unwrap();
        }
    };
    let closes = async {
        for _ in 0..40 {
            let mut transaction = fixture.sync.user(user).await.unwrap();
            account::lock(&mut transaction, &[other]).await.unwrap();
            account::get_for_update(&mut transaction, other)
                .await
                .unwrap();
            let change = Change::begin(&fixture.clock);
            change.commit(transaction, &[]).await.unwrap();
        }
    };
    tokio::join!(edits(Writer::User), edits(Writer::User), commits, closes);
    assert_eq!(fixture.rows_without_a_change(user).await, [].into());
}
