//! Lists of transactions: their order, their filters and their pages.

use chrono::NaiveDate;
use djinn_chassis::{auth::UserId, testing};
use djinn_ledger::{
    Change, account,
    transaction::{self, Filter, NewTransaction, Page, Source, Transaction},
};
use uuid::Uuid;

use crate::fixture::{Booking, Fixture, booking, count};

/// No page of a test is this large.
const MANY: usize = 1_000_000;

async fn all(fixture: &Fixture, user: UserId, filter: &Filter) -> Vec<Transaction> {
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let page = Page {
        after: None,
        rows_max: MANY,
        bytes_max: MANY,
    };
    let listed = transaction::list(&mut transaction, filter, &page)
        .await
        .unwrap();
    assert_eq!(listed.next, None);
    listed.transactions
}

async fn ids(fixture: &Fixture, user: UserId, filter: &Filter) -> Vec<Uuid> {
    let found = all(fixture, user, filter).await;
    found.iter().map(|found| found.transaction_id).collect()
}

fn date(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn a_transaction_reads_as_it_was_written() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account_id = fixture.account(user, 0).await;
    let import_id = Some(fixture.clock.id());
    let booking = Booking {
        account_id,
        booked_on: "2024-02-29",
        amount_minor: -1234,
        description: "Käse 🧀",
        counterparty: "REWE",
        import_id,
    };
    let id = fixture.book(user, &[booking]).await[0];
    let mut transaction = fixture.sync.user(user).await.unwrap();
    let found = transaction::get(&mut transaction, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.account_id, account_id);
    assert_eq!(Some(found.booked_on), date("2024-02-29"));
    assert_eq!(found.amount.to_string(), "-12.34 EUR");
    assert_eq!(
        (&*found.description, &*found.counterparty),
        ("Käse 🧀", "REWE")
    );
    assert_eq!((found.source, found.import_id), (Source::Import, import_id));
    assert_eq!((found.value_on, &found.external_id), (None, &None));
    assert_eq!((&*found.note, &*found.locked), ("", &[][..]));
    assert_eq!((found.reconciled_at, found.updated_at), (None, None));
    assert_eq!(all(&fixture, user, &Filter::default()).await, [found]);
    let unknown = transaction::get(&mut transaction, Uuid::nil()).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn an_entered_transaction_reads_as_it_was_entered() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account_id = fixture.account(user, 5).await;
    let (clock, mut transaction) = (&fixture.clock, fixture.sync.user(user).await.unwrap());
    let account = account::get(&mut transaction, account_id).await;
    let change = Change::begin(clock);
    let new = NewTransaction {
        transaction_id: clock.id(),
        account_id,
        booked_on: NaiveDate::from_ymd_opt(2026, 2, 28).unwrap(),
        value_on: NaiveDate::from_ymd_opt(2026, 3, 1),
        amount: account.unwrap().unwrap().opening,
        description: "Käse 🧀".to_owned(),
        counterparty: "Markt".to_owned(),
        note: "a\nb".to_owned(),
        created_at: clock.now(),
    };
    transaction::create(&mut transaction, &change, &new)
        .await
        .unwrap();
    let id = new.transaction_id;
    let found = transaction::get(&mut transaction, id)
        .await
        .unwrap()
        .unwrap();
    let expected = Transaction {
        transaction_id: id,
        account_id: new.account_id,
        booked_on: new.booked_on,
        value_on: new.value_on,
        amount: new.amount,
        description: new.description,
        counterparty: new.counterparty,
        note: new.note,
        source: Source::User,
        external_id: None,
        import_id: None,
        reconciled_at: None,
        locked: vec![],
        change_id: change.id(),
        created_at: new.created_at,
        updated_at: None,
    };
    assert_eq!(found, expected);
    change.commit(transaction, &[account_id]).await.unwrap();
    let bare = "SELECT count(*) FROM ledger.transaction \
         WHERE source = 'user' AND fingerprint IS NULL AND occurrence IS NULL";
    let mut own = fixture.sync.user(user).await.unwrap();
    assert_eq!(count(&mut own, bare).await.unwrap(), 1);
}

/// A filter with these fields set.
fn filter(set: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    set(&mut filter);
    filter
}

/// Two accounts with four transactions, of which one import added the first and the third.
struct Shelf {
    fixture: Fixture,
    user: UserId,
    giro: Uuid,
    import: Uuid,
    booked: Vec<Uuid>,
}

async fn shelf() -> Shelf {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let giro = fixture.account(user, 0).await;
    let cash = fixture.account(user, 0).await;
    let import = fixture.clock.id();
    let entries = [
        (giro, "2026-01-01", "Rent 100 %", "Landlord", Some(import)),
        (cash, "2026-01-02", "Bread", "ÄCKER & Co", None),
        (giro, "2026-01-02", "snack_bar", "", Some(import)),
        (giro, "2026-01-03", "back\\slash", "Rentokil", None),
    ];
    let bookings = entries.map(
        |(account_id, booked_on, description, counterparty, import_id)| Booking {
            account_id,
            booked_on,
            amount_minor: 1,
            description,
            counterparty,
            import_id,
        },
    );
    let booked = fixture.book(user, &bookings).await;
    Shelf {
        fixture,
        user,
        giro,
        import,
        booked,
    }
}

impl Shelf {
    async fn check(&self, filter: Filter, expected: &[usize]) {
        let expected: Vec<Uuid> = expected.iter().map(|at| self.booked[*at]).collect();
        let found = ids(&self.fixture, self.user, &filter).await;
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn filters_hold_alone_and_together() {
    let shelf = shelf().await;
    let (giro, import) = (Some(shelf.giro), Some(shelf.import));
    // Newest first; of one day the later id.
    shelf.check(Filter::default(), &[3, 2, 1, 0]).await;
    for (filter, expected) in [
        (filter(|f| f.account_id = giro), &[3, 2, 0][..]),
        (filter(|f| f.account_id = Some(Uuid::nil())), &[]),
        (filter(|f| f.import_id = import), &[2, 0]),
        (filter(|f| f.import_id = giro), &[]),
        (filter(|f| f.booked_from = date("2026-01-02")), &[3, 2, 1]),
        (filter(|f| f.booked_to = date("2026-01-02")), &[2, 1, 0]),
    ] {
        shelf.check(filter, expected).await;
    }
    let together = Filter {
        account_id: giro,
        import_id: import,
        booked_from: date("2026-01-01"),
        booked_to: date("2026-01-01"),
        text: Some("LANDLORD".to_owned()),
    };
    shelf.check(together, &[0]).await;
}

#[tokio::test]
async fn a_text_is_found_in_any_case_and_taken_literally() {
    let shelf = shelf().await;
    for (text, expected) in [
        ("rent", &[3, 0][..]),
        ("äcker", &[1]),
        ("%", &[0]),
        ("_", &[2]),
        ("\\", &[3]),
        ("100 %", &[0]),
        ("k_b", &[2]),
        ("a%b", &[]),
        ("' OR true --", &[]),
    ] {
        let filter = filter(|f| f.text = Some(text.to_owned()));
        shelf.check(filter, expected).await;
    }
}

#[tokio::test]
async fn pages_walk_everything_once() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let accounts = [
        fixture.account(user, 0).await,
        fixture.account(user, 0).await,
    ];
    let days = ["2026-01-01", "2026-01-02", "2026-01-03"];
    let bookings: Vec<Booking<'_>> = (0..40)
        .map(|number| Booking {
            booked_on: days[number % days.len()],
            ..booking(accounts[number % 2], 1)
        })
        .collect();
    fixture.book(user, &bookings).await;
    for account_id in [None, Some(accounts[0])] {
        let filter = Filter {
            account_id,
            ..Filter::default()
        };
        let expected = ids(&fixture, user, &filter).await;
        for rows_max in [1, 7, 19, 20, 39, 40, 41] {
            let mut transaction = fixture.sync.user(user).await.unwrap();
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let page = Page {
                    after,
                    rows_max,
                    bytes_max: MANY,
                };
                let listed = transaction::list(&mut transaction, &filter, &page)
                    .await
                    .unwrap();
                assert!(listed.transactions.len() <= rows_max);
                walked.extend(listed.transactions.iter().map(|row| row.transaction_id));
                after = listed.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(walked, expected, "{rows_max}");
        }
    }
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early_and_always_goes_on() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account_id = fixture.account(user, 0).await;
    let long = "x".repeat(10_000);
    let bookings: Vec<Booking<'_>> = (0..5)
        .map(|_| Booking {
            description: &long,
            ..booking(account_id, 1)
        })
        .collect();
    fixture.book(user, &bookings).await;
    let mut transaction = fixture.sync.user(user).await.unwrap();
    for (bytes_max, expected) in [(0, 1), (10_000, 1), (29_999, 2), (30_000, 3), (50_000, 5)] {
        let page = Page {
            after: None,
            rows_max: 100,
            bytes_max,
        };
        let filter = Filter::default();
        let listed = transaction::list(&mut transaction, &filter, &page)
            .await
            .unwrap();
        assert_eq!(listed.transactions.len(), expected, "{bytes_max}");
        let last = listed.transactions.last().map(Transaction::position);
        assert_eq!(listed.next, last.filter(|_| expected < 5));
    }
}
