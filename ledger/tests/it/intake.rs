//! Matching by the bank's ids and by content, over drawn cases: the statements pair rows a million
//! at a time and take short cuts, and what they are meant to do is written here row by row.

use std::collections::{BTreeMap, BTreeSet};

use djinn_chassis::{auth::UserId, testing};
use djinn_ledger::{
    Change,
    intake::{Batch, Linked, commit_batch, link_batch, match_batch},
};
use fastrand::Rng;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fixture::{Fixture, stage};

/// Cases of one run. The number of a case is its seed.
const CASES: u64 = 200;

/// So often Postgres plans a statement anew before it considers one plan for all.
const PLANS_CUSTOM: i64 = 5;

/// Different contents of a case.
const CONTENTS: u8 = 4;

/// What the ledger has of one occurrence of a content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    Live,
    Deleted,
    /// Deleted, and brought back by the row that lives under the same occurrence.
    Restored,
    /// Deleted and brought back by a row that is gone as well.
    RestoredAndGone,
    /// Removed when its import was undone: it may come again.
    Undone,
    Nothing,
}

const HELD: [Held; 8] = [
    Held::Live,
    Held::Live,
    Held::Live,
    Held::Deleted,
    Held::Restored,
    Held::RestoredAndGone,
    Held::Undone,
    Held::Nothing,
];

/// A verdict: what the row is, of which transaction, and its occurrence.
type Verdict = (String, Option<Uuid>, i32);

/// A transaction or a tombstone, as the ledger has it.
struct Subject {
    id: Uuid,
    content: u8,
    occurrence: i32,
    held: Held,
    /// The bank's id of the transaction that lives.
    external_id: Option<Uuid>,
}

/// A row of the file.
#[derive(Debug)]
struct Line {
    content: u8,
    external_id: Option<Uuid>,
}

/// What the ledger has: each content fills its occurrences in order, with gaps.
fn drawn(rng: &mut Rng) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for content in 0..CONTENTS {
        for occurrence in 1..=rng.i32(0..=3) {
            let held = HELD[rng.usize(..HELD.len())];
            let lives = matches!(held, Held::Live | Held::Restored);
            subjects.push(Subject {
                id: Uuid::new_v4(),
                content,
                occurrence,
                held,
                external_id: (lives && rng.bool()).then(Uuid::new_v4),
            });
        }
    }
    subjects
}

/// The rows of a file. With ids, each has one: that of a transaction, or one that nobody knows.
fn file(rng: &mut Rng, has_ids: bool, subjects: &[Subject]) -> Vec<Line> {
    let mut known: Vec<Uuid> = subjects.iter().filter_map(|it| it.external_id).collect();
    let mut lines = Vec::new();
    for _ in 0..rng.usize(0..=8) {
        let repeats = has_ids && rng.bool() && !known.is_empty();
        let external_id = match repeats {
            true => Some(known.swap_remove(rng.usize(..known.len()))),
            false => has_ids.then(Uuid::new_v4),
        };
        lines.push(Line {
            content: rng.u8(..CONTENTS),
            external_id,
        });
    }
    lines
}

/// A row with the id of a transaction is that one, whatever its content; once there is such a row,
/// ids are stable, and a transaction with another one is no row of the file. Of all others the n-th
/// row of a content pairs with the n-th that is live or deleted; what is left over is new and takes
/// the occurrences behind everything that was ever there. Rows that are new and the first of their
/// content have no verdict.
fn expected(subjects: &[Subject], file: &[Line]) -> BTreeMap<i32, Verdict> {
    let mut verdicts = BTreeMap::new();
    for (number, line) in (1..).zip(file) {
        let same = |subject: &&Subject| subject.external_id == line.external_id;
        let claimed = line.external_id.and_then(|_| subjects.iter().find(same));
        if let Some(subject) = claimed {
            let verdict = ("duplicate".to_owned(), Some(subject.id), subject.occurrence);
            verdicts.insert(number, verdict);
        }
    }
    let by_id: BTreeSet<i32> = verdicts.keys().copied().collect();
    let taken = |subject: &Subject| !by_id.is_empty() && subject.external_id.is_some();
    let mut ranks = BTreeMap::new();
    for (number, line) in (1..)
        .zip(file)
        .filter(|(number, _)| !by_id.contains(number))
    {
        let rank: &mut usize = ranks.entry(line.content).or_default();
        let of_content = || {
            subjects
                .iter()
                .filter(|subject| subject.content == line.content)
        };
        let mut free = of_content().filter_map(|subject| match subject.held {
            Held::Live | Held::Restored if taken(subject) => None,
            Held::Live | Held::Restored => Some(("duplicate", subject)),
            Held::Deleted => Some(("deleted_before", subject)),
            Held::RestoredAndGone | Held::Undone | Held::Nothing => None,
        });
        let free_count = free.clone().count();
        match free.nth(*rank) {
            Some((verdict, subject)) => {
                let verdict = (verdict.to_owned(), Some(subject.id), subject.occurrence);
                verdicts.insert(number, verdict);
            }
            None => {
                let there =
                    |subject: &&Subject| !matches!(subject.held, Held::Undone | Held::Nothing);
                let last = of_content()
                    .filter(there)
                    .map(|subject| subject.occurrence)
                    .max();
                let behind = i32::try_from(*rank - free_count + 1).unwrap();
                let occurrence = last.unwrap_or(0) + behind;
                if occurrence > 1 {
                    verdicts.insert(number, ("new".to_owned(), None, occurrence));
                }
            }
        }
        *rank += 1;
    }
    verdicts
}

fn batch(has_ids: bool) -> Batch {
    Batch {
        import_id: Uuid::new_v4(),
        generation: 1,
        has_ids,
    }
}

async fn arrange(owner: &mut PgConnection, user: UserId, account: Uuid, subjects: &[Subject]) {
    for subject in subjects {
        let (lives, buried, cause, restored_by) = match subject.held {
            Held::Live => (Some(subject.id), None, "", None),
            Held::Deleted => (None, Some(subject.id), "user", None),
            Held::Restored => {
                let before = Uuid::new_v4();
                (Some(subject.id), Some(before), "user", Some(subject.id))
            }
            Held::RestoredAndGone => (None, Some(subject.id), "user", Some(Uuid::new_v4())),
            Held::Undone => (None, Some(subject.id), "revert", None),
            Held::Nothing => continue,
        };
        let fingerprint = vec![subject.content; 32];
        if let Some(id) = lives {
            sqlx::query(
                "INSERT INTO ledger.transaction (user_id, transaction_id, account_id, booked_on, \
                     amount_minor, currency_code, description, counterparty, source, fingerprint, \
                     occurrence, change_id, external_id, created_at) \
                 VALUES ($1, $2, $3, '2026-01-31', -1230, 'EUR', 'REWE', '', 'import', $4, $5, $6, \
                     $7, now())",
            )
            .bind(user.uuid())
            .bind(id)
            .bind(account)
            .bind(&fingerprint)
            .bind(subject.occurrence)
            .bind(Uuid::new_v4())
            .bind(subject.external_id.map(|id| id.to_string()))
            .execute(&mut *owner)
            .await
            .unwrap();
        }
        if let Some(id) = buried {
            sqlx::query(
                "INSERT INTO ledger.tombstone (user_id, kind, subject_id, account_id, fingerprint, \
                     occurrence, cause, restored_by, change_id, created_at) \
                 VALUES ($1, 'transaction', $2, $3, $4, $5, $6, $7, $8, now())",
            )
            .bind(user.uuid())
            .bind(id)
            .bind(account)
            .bind(&fingerprint)
            .bind(subject.occurrence)
            .bind(cause)
            .bind(restored_by)
            .bind(Uuid::new_v4())
            .execute(&mut *owner)
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn rows_pair_by_id_and_else_in_order_of_equal_content_whatever_is_there() {
    let fixture = Fixture::new().await;
    let mut owner = fixture.superuser().await;
    let user = testing::user();
    let (mut told, mut by_id) = (BTreeMap::<String, usize>::new(), 0);
    for case in 0..CASES {
        let mut rng = Rng::with_seed(case);
        let account = fixture.account(user, 0).await;
        let subjects = drawn(&mut rng);
        arrange(&mut owner, user, account, &subjects).await;
        let has_ids = rng.bool();
        let file = file(&mut rng, has_ids, &subjects);
        let batch = batch(has_ids);
        let mut transaction = fixture.imports.user(user).await.unwrap();
        let rows: Vec<_> = file
            .iter()
            .map(|line| stage::row(account, line.content).of_bank(line.external_id))
            .collect();
        stage::copy(&mut transaction, batch, &rows).await;
        match_batch(&mut transaction, batch, 0).await.unwrap();
        let found: Vec<(i32, String, Option<Uuid>, i32, bool)> = sqlx::query_as(
            "SELECT row_number, verdict, transaction_id, occurrence, by_id FROM imports.verdict \
             WHERE import_id = $1",
        )
        .bind(batch.import_id)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        by_id += found.iter().filter(|(.., by_id)| *by_id).count();
        let found: BTreeMap<i32, Verdict> = found
            .into_iter()
            .map(|(number, verdict, subject, occurrence, _)| {
                (number, (verdict, subject, occurrence))
            })
            .collect();
        assert_eq!(found, expected(&subjects, &file), "case {case}: {file:?}");
        for (verdict, ..) in found.into_values() {
            *told.entry(verdict).or_default() += 1;
        }
    }
    // The cases are about something.
    assert!(by_id > 50, "{by_id} rows were told by their ids");
    for verdict in ["duplicate", "deleted_before", "new"] {
        assert!(
            told.get(verdict).is_some_and(|count| *count > 50),
            "{told:?}"
        );
    }
}

/// A plan for any file is made for one of a few rows, and a connection would keep to it for those
/// of a million.
#[tokio::test]
async fn each_file_is_matched_by_a_plan_of_its_own() {
    let fixture = Fixture::new().await;
    let user = testing::user();
    let account = fixture.account(user, 0).await;
    let mut transaction = fixture.imports.user(user).await.unwrap();
    let mut last = batch(true);
    for _ in 0..PLANS_CUSTOM * 2 {
        last = batch(true);
        stage::copy(&mut transaction, last, &[stage::row(account, 1)]).await;
        match_batch(&mut transaction, last, 0).await.unwrap();
    }
    let (custom, generic): (i64, i64) = sqlx::query_as(
        "SELECT max(custom_plans), coalesce(sum(generic_plans), 0)::bigint \
         FROM pg_prepared_statements \
         WHERE statement LIKE '%imports.verdict%' AND statement NOT LIKE '%pg_prepared%'",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!((custom, generic), (PLANS_CUSTOM * 2, 0));
    // The foreign keys of what is written are checked by a plan that is made once, whichever of the
    // two a commit begins with: it may have matched again just before.
    assert_eq!(plans(&mut transaction).await, "force_custom_plan");
    let change = Change::begin(&fixture.clock);
    let now = fixture.clock.now();
    let linked = link_batch(&mut transaction, last, &change, now).await;
    assert_eq!(linked.unwrap(), Linked::default());
    assert_eq!(plans(&mut transaction).await, "auto");
    match_batch(&mut transaction, last, 0).await.unwrap();
    let added = commit_batch(&mut transaction, last, &change, now).await;
    assert_eq!(added.unwrap(), 1);
    assert_eq!(plans(&mut transaction).await, "auto");
}

/// How Postgres plans the statements of the transaction from here on.
async fn plans(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("SHOW plan_cache_mode")
        .fetch_one(connection)
        .await
        .unwrap()
}
