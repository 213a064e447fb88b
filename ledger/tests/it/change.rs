//! Versions: without gaps, in the order of commits, and on everything that was written.

use djinn_chassis::{fault::Fault, testing};
use djinn_ledger::{Change, Error, account};
use uuid::Uuid;

use crate::fixture::{Fixture, booking, count, insert, run};

#[tokio::test]
async fn a_users_versions_count_from_one() {
    let fixture = Fixture::new().await;
    let (ann, bob) = (testing::user(), testing::user());
    for (user, expected) in [(ann, 1), (ann, 2), (bob, 1), (ann, 3), (bob, 2)] {
        let transaction = fixture.sync.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        assert_eq!(change.commit(transaction, &[]).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_change_that_was_not_committed_leaves_no_gap() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    for expected in [1, 2] {
        let mut lost = fixture.sync.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        assert_eq!(change.seal(&mut lost, &[]).await.unwrap(), expected);
        drop(lost);
        let kept = fixture.sync.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        assert_eq!(change.commit(kept, &[]).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_change_is_sealed_once() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture.sync.user(testing::user()).await.unwrap();
    let change = Change::begin(&fixture.clock);
    change.seal(&mut transaction, &[]).await.unwrap();
    let error = change.seal(&mut transaction, &[]).await.unwrap_err();
    assert_eq!(error.reason(), "CONSTRAINT_VIOLATED");
}

#[tokio::test]
async fn only_the_accounts_touched_get_the_version() {
    let fixture = Fixture::new().await;
    let (ann, bob) = (testing::user(), testing::user());
    let touched = fixture.account(ann, 0).await;
    let other = fixture.account(ann, 0).await;
    let foreign = fixture.account(bob, 0).await;
    let transaction = fixture.imports.user(ann).await.unwrap();
    let change = Change::begin(&fixture.clock);
    let accounts = [touched, foreign, touched, Uuid::nil()];
    assert_eq!(change.commit(transaction, &accounts).await.unwrap(), 3);

    let mut own = fixture.sync.user(ann).await.unwrap();
    assert_eq!(account::version(&mut own, touched).await.unwrap(), Some(3));
    assert_eq!(account::version(&mut own, other).await.unwrap(), Some(0));
    let mut theirs = fixture.sync.user(bob).await.unwrap();
    assert_eq!(
        account::version(&mut theirs, foreign).await.unwrap(),
        Some(0)
    );
}

/// Eight writers, some of which give up; a reader who looks in between never sees a version whose
/// predecessor is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_leave_no_gap_and_commit_in_order() {
    const WRITERS: i64 = 8;
    const ROUNDS: i64 = 25;
    let fixture = Fixture::new().await;
    let user = testing::user();
    let accounts = [
        fixture.account(user, 0).await,
        fixture.account(user, 0).await,
    ];
    let writers = (0..WRITERS).map(|writer| {
        let (sync, imports) = (fixture.sync.clone(), fixture.imports.clone());
        let clock = fixture.clock.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let pool = if writer % 2 == 0 { &sync } else { &imports };
                let mut transaction = pool.user(user).await.unwrap();
                let change = Change::begin(&clock);
                if writer % 2 == 1 {
                    let booking = booking(accounts[0], round);
                    let id = clock.id();
                    insert(&mut transaction, user, id, &booking, change.id())
                        .await
                        .unwrap();
                }
                if round % 5 == 4 {
                    change.seal(&mut transaction, &accounts).await.unwrap();
                    drop(transaction);
                } else {
                    change.commit(transaction, &accounts).await.unwrap();
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let gap = "SELECT max(version) - count(*) FROM ledger.change";
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let mut reader = fixture.sync.user(user).await.unwrap();
        assert_eq!(count(&mut reader, gap).await.unwrap(), 0);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let mut reader = fixture.sync.user(user).await.unwrap();
    let written = 2 + WRITERS * ROUNDS * 4 / 5;
    for sql in [
        "SELECT count(*) FROM ledger.change",
        "SELECT max(version) FROM ledger.change",
        "SELECT version FROM ledger.counter",
        "SELECT min(version) FROM ledger.account",
    ] {
        assert_eq!(count(&mut reader, sql).await.unwrap(), written, "{sql}");
    }
    assert_eq!(fixture.rows_without_a_change(user).await, [].into());
}

/// An edit holds its account's row when it draws the version; a commit draws it and then writes the
/// account. In the wrong order the two would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_and_commits_do_not_deadlock() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let accounts = [
        fixture.account(user, 0).await,
        fixture.account(user, 0).await,
    ];
    let edits = async {
        for round in 0..60 {
            let mut transaction = fixture.sync.user(user).await?;
            let change = Change::begin(&fixture.clock);
            let account = accounts[round % 2];
            account::get_for_update(&mut transaction, account).await?;
            let edit = account::Edit {
                opening_minor: Some(1),
                ..account::Edit::default()
            };
            let now = fixture.clock.now();
            account::update(&mut transaction, &change, account, &edit, now).await?;
            change.commit(transaction, &[]).await?;
        }
        Ok::<_, Error>(())
    };
    let commits = |accounts: [Uuid; 2]| {
        let fixture = &fixture;
        async move {
            for _ in 0..60 {
                let mut transaction = fixture.imports.user(user).await?;
                account::lock(&mut transaction, &accounts).await?;
                let change = Change::begin(&fixture.clock);
                change.commit(transaction, &accounts).await?;
            }
            Ok::<_, Error>(())
        }
    };
    let [first, second] = accounts;
    tokio::try_join!(edits, commits([first, second]), commits([second, first])).unwrap();
}

#[tokio::test]
async fn a_row_without_a_change_is_found() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    fixture.book_amount(user, account, 1).await;
    assert_eq!(fixture.rows_without_a_change(user).await, [].into());

    let mut transaction = fixture.imports.user(user).await.unwrap();
    let unsealed = Change::begin(&fixture.clock);
    let id = fixture.clock.id();
    let booking = booking(account, 1);
    insert(&mut transaction, user, id, &booking, unsealed.id())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let found = fixture.rows_without_a_change(user).await;
    assert_eq!(found, [("transaction".to_owned(), 1)].into());

    // Whatever an edit writes beside the row is found as well.
    let mut transaction = fixture.sync.user(user).await.unwrap();
    for table in ["field_lock", "provenance", "edit", "tombstone"] {
        let (columns, values) = match table {
            "field_lock" => ("field, locked_at", "'note', now()"),
            "provenance" => ("field, source, written_at", "'note', 'user', now()"),
            "edit" => (
                "edit_id, kind, field, source, written_at",
                "gen_random_uuid(), 'edited', 'note', 'user', now()",
            ),
            _ => ("kind, cause, created_at", "'transaction', 'user', now()"),
        };
        let subject = match table {
            "tombstone" => "subject_id",
            _ => "transaction_id",
        };
        let sql = format!(
            "INSERT INTO ledger.{table} (user_id, {subject}, change_id, {columns}) \
             VALUES ('{user}', '{id}', '{}', {values})",
            unsealed.id()
        );
        assert_eq!(run(&mut transaction, sql).await.unwrap(), 1);
    }
    transaction.commit().await.unwrap();
    let found = fixture.rows_without_a_change(user).await;
    let expected = [
        "edit",
        "field_lock",
        "provenance",
        "tombstone",
        "transaction",
    ];
    assert_eq!(found, expected.map(|table| (table.to_owned(), 1)).into());
}
