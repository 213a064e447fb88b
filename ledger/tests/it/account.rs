//! Accounts: their fields, their lists, their balances and their locks.

use std::time::Duration;

use djinn_chassis::{fault::Fault, postgres::UserTransaction, testing};
use djinn_ledger::{
    Change, Error,
    account::{self, Account, Edit, Kind, Query},
    zone::Zone,
};
use uuid::Uuid;

use crate::fixture::{Fixture, count};

async fn get(transaction: &mut UserTransaction, id: Uuid) -> Account {
    account::get(transaction, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_account_reads_as_it_was_written() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    for kind in [
        Kind::Checking,
        Kind::Savings,
        Kind::CreditCard,
        Kind::Cash,
        Kind::Loan,
        Kind::Investment,
        Kind::Other,
    ] {
        let mut transaction = fixture.sync.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        let mut new = fixture.new_account("Käse 🧀", i64::MIN);
        new.kind = kind;
        new.time_zone = Zone::parse("Asia/Kolkata").unwrap();
        account::create(&mut transaction, &change, &new)
            .await
            .unwrap();
        let account = get(&mut transaction, new.account_id).await;
        let expected = Account {
            account_id: new.account_id,
            name: new.name,
            kind,
            number: new.number,
            time_zone: new.time_zone,
            opening: new.opening,
            closed_at: None,
            version: 0,
            change_id: change.id(),
            created_at: new.created_at,
            updated_at: new.created_at,
        };
        assert_eq!(account, expected);
        change.commit(transaction, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let id = fixture.account(user, 100).await;
    let edits = [
        (Edit::default(), ("Giro", Kind::Checking, 100)),
        (
            Edit {
                name: Some("Main".to_owned()),
                ..Edit::default()
            },
            ("Main", Kind::Checking, 100),
        ),
        (
            Edit {
                kind: Some(Kind::Loan),
                opening_minor: Some(0),
                ..Edit::default()
            },
            ("Main", Kind::Loan, 0),
        ),
        (
            Edit {
                time_zone: Zone::parse("Asia/Kolkata").ok(),
                ..Edit::default()
            },
            ("Main", Kind::Loan, 0),
        ),
    ];
    for (edit, (name, kind, opening)) in edits {
        let mut transaction = fixture.sync.user(user).await.unwrap();
        let change = Change::begin(&fixture.clock);
        let now = fixture.clock.now();
        account::update(&mut transaction, &change, id, &edit, now)
            .await
            .unwrap();
        let account = get(&mut transaction, id).await;
        assert_eq!((&*account.name, account.kind), (name, kind));
        assert_eq!(account.opening.minor_units, opening);
        assert_eq!(account.time_zone, edit.time_zone.unwrap_or_default());
        assert_eq!((account.change_id, account.updated_at), (change.id(), now));
        change.commit(transaction, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn closing_twice_keeps_the_first_time() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let id = fixture.account(user, 0).await;
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let first = Change::begin(&fixture.clock);
    let at = fixture.clock.now();
    account::close(&mut transaction, &first, id, at)
        .await
        .unwrap();
    let again = Change::begin(&fixture.clock);
    account::close(&mut transaction, &again, id, at + Duration::from_secs(1))
        .await
        .unwrap();
    let account = get(&mut transaction, id).await;
    assert_eq!(
        (account.closed_at, account.change_id),
        (Some(at), first.id())
    );
}

#[tokio::test]
async fn pages_walk_every_account_once_in_order() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(fixture.account(user, 0).await);
    }
    fixture.account(testing::user(), 0).await;
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let change = Change::begin(&fixture.clock);
    let now = fixture.clock.now();
    account::close(&mut transaction, &change, expected[2], now)
        .await
        .unwrap();
    let open = expected
        .iter()
        .copied()
        .filter(|id| *id != expected[2])
        .collect();
    for (closed, expected) in [
        (None, expected.clone()),
        (Some(true), vec![expected[2]]),
        (Some(false), open),
    ] {
        let mut walked: Vec<Uuid> = Vec::new();
        loop {
            let after = walked.last().copied();
            let query = Query {
                closed,
                after,
                limit: 3,
            };
            let page = account::list(&mut transaction, &query).await.unwrap();
            if page.is_empty() {
                break;
            }
            walked.extend(page.iter().map(|account| account.account_id));
        }
        assert_eq!(walked, expected);
    }
}

#[tokio::test]
async fn a_balance_is_the_opening_plus_all_transactions() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let (id, empty) = (
        fixture.account(user, 1_000).await,
        fixture.account(user, -7).await,
    );
    for minor in [-250, 40, -1] {
        fixture.book_amount(user, id, minor).await;
    }
    let mut transaction = fixture.sync.user(user).await.unwrap();
    assert_eq!(
        account::balance(&mut transaction, id).await.unwrap(),
        Some(789)
    );
    let balances = account::balances(&mut transaction, &[empty, id, Uuid::nil()]).await;
    assert_eq!(balances.unwrap(), [(id, 789), (empty, -7)].into());
}

#[tokio::test]
async fn a_balance_out_of_range_is_an_error_and_not_another_number() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    for (opening, amounts, expected) in [
        (i64::MAX, &[1][..], None),
        (i64::MIN, &[-1], None),
        (0, &[i64::MAX, 1], None),
        // Only the sum must fit, not what stands in between.
        (i64::MAX, &[i64::MAX, i64::MIN + 1], Some(i64::MAX)),
        (i64::MAX, &[i64::MIN], Some(-1)),
        (i64::MIN, &[], Some(i64::MIN)),
    ] {
        let id = fixture.account(user, opening).await;
        for minor in amounts {
            fixture.book_amount(user, id, *minor).await;
        }
        let mut transaction = fixture.sync.user(user).await.unwrap();
        match (account::balance(&mut transaction, id).await, expected) {
            (Ok(found), Some(_)) => assert_eq!(found, expected),
            (Err(error), None) => {
                assert!(
                    matches!(error, Error::BalanceOutOfRange { account_id } if account_id == id)
                );
                assert_eq!(error.reason(), "BALANCE_OUT_OF_RANGE");
            }
            (found, _) => panic!("{opening} {amounts:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_balance_may_not_leave_its_range_but_may_come_back() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    // What the account's bookings come to, what was just added, and whether that may be.
    for (opening, amounts, delta, allowed) in [
        (i64::MAX, &[][..], i128::from(i64::MAX), true),
        (i64::MAX, &[1], 1, false),
        (i64::MIN, &[-1], -1, false),
        (i64::MAX, &[i64::MAX, -1], i128::from(i64::MAX), false),
        // Out of range before by what a file brought.
        (i64::MAX, &[5], -1, true),
        (i64::MAX, &[5], 0, true),
        (i64::MAX, &[5], 1, false),
        (i64::MIN, &[-5], 1, true),
        (i64::MIN, &[-5], -1, false),
    ] {
        let id = fixture.account(user, opening).await;
        for minor in amounts {
            fixture.book_amount(user, id, *minor).await;
        }
        let mut transaction = fixture.sync.user(user).await.unwrap();
        let found = account::check_balance(&mut transaction, id, delta).await;
        match found {
            Ok(()) => assert!(allowed, "{opening} {amounts:?} {delta}"),
            Err(Error::BalanceOutOfRange { account_id }) => {
                assert_eq!(account_id, id);
                assert!(!allowed, "{opening} {amounts:?} {delta}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Whether somebody in this database waits for an advisory lock.
async fn wait_for_a_waiter(fixture: &Fixture) {
    let mut superuser = fixture.superuser().await;
    let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database \
         WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted";
    testing::eventually("a waiter", Duration::from_secs(20), async || {
        let found = count(&mut superuser, waiting).await.unwrap();
        (found > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lock_keeps_out_others_until_the_transaction_ends() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let (one, two) = (fixture.clock.id(), fixture.clock.id());
    let mut first = fixture.imports.user(user).await.unwrap();
    account::lock(&mut first, &[two, one, two]).await.unwrap();

    // Neither another account nor another user is kept out.
    let mut other = fixture.sync.user(user).await.unwrap();
    account::lock(&mut other, &[fixture.clock.id()])
        .await
        .unwrap();
    let mut foreign = fixture.sync.user(testing::user()).await.unwrap();
    account::lock(&mut foreign, &[one, two]).await.unwrap();

    let second = {
        let sync = fixture.sync.clone();
        tokio::spawn(async move {
            let mut second = sync.user(user).await.unwrap();
            account::lock(&mut second, &[two]).await.unwrap();
        })
    };
    wait_for_a_waiter(&fixture).await;
    assert!(!second.is_finished());
    first.commit().await.unwrap();
    second.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_in_any_order_do_not_deadlock() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let ids: Vec<Uuid> = (0..4).map(|_| fixture.clock.id()).collect();
    let turns = ids.iter().enumerate().map(|(turn, _)| {
        let mut order = ids.clone();
        order.rotate_left(turn);
        let imports = fixture.imports.clone();
        tokio::spawn(async move {
            for _ in 0..30 {
                let mut transaction = imports.user(user).await.unwrap();
                account::lock(&mut transaction, &order).await.unwrap();
                transaction.commit().await.unwrap();
            }
        })
    });
    for turn in turns.collect::<Vec<_>>() {
        turn.await.unwrap();
    }
}
