//! The scene of a fault: a file with true twins and bad rows, and a second user with accounts of
//! the same names and rows of the same text, whom nothing of it may touch.

use djinn_chassis::{
    auth::UserId,
    postgres::{Options, Postgres, UserTransaction},
    testing,
};
use fastrand::Rng;
use uuid::Uuid;

use super::RECOVERY;
use crate::{
    by_hand::Entry,
    history::history_at,
    invariant,
    world::{Client, World, begin},
};

/// Rows that are in the file twice, and are two transactions.
const TWINS: usize = 50;
/// Rows that cannot be read.
const BAD_ROWS: usize = 20;

/// A user, an account, a file, and somebody else.
pub(super) struct Scene {
    pub(super) user: UserId,
    pub(super) account_id: Uuid,
    pub(super) file: Vec<u8>,
    good_rows: i64,
    sum_minor: i64,
    bystander: UserId,
    untouched: Untouched,
}

/// Everything a user has who imports nothing: amounts, the version of the counter, and how many
/// uploads, imports, staged rows, audits and duties.
type Untouched = (Vec<i64>, i64, i64);

/// Where an import stands and what it has done, in one snapshot.
type Standing = (String, i64, i64, i64, i64);

const STANDING: &str = "
SELECT i.status,
       (SELECT count(*) FROM ledger.transaction t WHERE t.import_id = i.import_id),
       (SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM ledger.transaction t
        WHERE t.import_id = i.import_id),
       coalesce((SELECT p.row_count FROM imports.progress p
        WHERE p.import_id = i.import_id AND p.generation = i.generation), 0),
       (SELECT count(*) FROM imports.staged s
        WHERE s.import_id = i.import_id AND s.generation = i.generation)
       + (SELECT count(*) FROM imports.rejected_row r
          WHERE r.import_id = i.import_id AND r.generation = i.generation)
FROM imports.import i WHERE i.import_id = $1";

const TWICE: &str = "
SELECT (SELECT count(*) FROM (
            SELECT FROM ledger.transaction
            GROUP BY account_id, fingerprint, occurrence HAVING count(*) > 1
        ) twice),
       (SELECT count(*) FROM (
            SELECT FROM ledger.transaction WHERE import_id = $1
            GROUP BY account_id, fingerprint HAVING count(*) = 2
        ) twins),
       (SELECT count(*) FROM imports.rejected_row WHERE import_id = $1)";

const UNTOUCHED: &str = "
SELECT (SELECT array_agg(amount_minor ORDER BY transaction_id) FROM ledger.transaction),
       (SELECT version FROM ledger.counter),
       (SELECT count(*) FROM imports.upload) + (SELECT count(*) FROM imports.import)
       + (SELECT count(*) FROM imports.staged) + (SELECT count(*) FROM imports.audit)";

impl Scene {
    /// A file of about this many rows, in an order that the seed decides.
    pub(super) async fn set(world: &World, rows: usize, seed: u64) -> Self {
        let (user, bystander) = (testing::user(), testing::user());
        let account_id = world.account(user, "EUR").await;
        let theirs = world.account(bystander, "EUR").await;
        // The same day, text and amount as the first two rows of the file.
        for row in 0..2 {
            let text = text(row);
            let entry = Entry {
                booked_on: &day(row),
                amount_minor: minor(row),
                description: &text,
                ..Entry::default()
            };
            world.enter(bystander, theirs, entry).await;
        }
        let untouched = untouched(world, bystander).await;
        let (file, sum_minor) = file(rows, seed);
        Self {
            user,
            account_id,
            file,
            good_rows: i64::try_from(rows - BAD_ROWS).unwrap(),
            sum_minor,
            bystander,
            untouched,
        }
    }

    pub(super) fn client(&self, world: &World) -> Client {
        world.client(self.user)
    }

    /// Uploads the file and begins to import it.
    pub(super) async fn begin(&self, world: &World) -> String {
        begin(&mut self.client(world), &self.file, self.account_id).await
    }

    /// Looks at the import again and again until it is committed: whatever its status says is true
    /// at that moment. Gives the statuses that were seen, in their order. While there is no
    /// database there is nothing to see.
    pub(super) async fn watch(&self, world: &World, import_id: &str) -> Vec<String> {
        let id = Uuid::parse_str(import_id).unwrap();
        let options = Options {
            url: world.database.url("djinn_imports").into(),
            connections_max: 1,
        };
        let postgres = Postgres::connect(&options).await.unwrap();
        let mut seen = Vec::<String>::new();
        testing::eventually("a commit", RECOVERY, async || {
            let mut transaction = postgres.user(self.user).await.ok()?;
            let standing = standing(&mut transaction, id).await?;
            self.is_true(&standing);
            let (status, ..) = standing;
            if seen.last() != Some(&status) {
                seen.push(status.clone());
            }
            (status == "committed").then_some(())
        })
        .await;
        seen
    }

    fn is_true(&self, standing: &Standing) {
        let (status, rows, minor, progress, staged) = standing;
        let expected = match status.as_str() {
            "committed" => (self.good_rows, self.sum_minor),
            _ => (0, 0),
        };
        assert_eq!((*rows, *minor), expected, "a lie: {standing:?}");
        assert_eq!(progress, staged, "a chunk in part: {standing:?}");
    }

    /// Every rule, after the import has been committed, and once its workflow knows it.
    pub(super) async fn holds(&self, world: &World, temporal: &str, import_id: &str) {
        self.has_ended(temporal, import_id).await;
        let id = Uuid::parse_str(import_id).unwrap();
        let mut transaction = world.as_imports(self.user).await;
        let standing = standing(&mut transaction, id).await.unwrap();
        assert_eq!(standing.0, "committed");
        self.is_true(&standing);
        let (twice, twins, rejected): (i64, i64, i64) = sqlx::query_as(TWICE)
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!((twice, rejected), (0, i64::try_from(BAD_ROWS).unwrap()));
        assert_eq!(twins, i64::try_from(TWINS).unwrap(), "twins");
        let ledger = world.ledger(self.user, self.account_id).await;
        assert_eq!(i64::try_from(ledger.len()).unwrap(), self.good_rows);
        assert_eq!(ledger.iter().sum::<i64>(), self.sum_minor);
        for user in [self.user, self.bystander] {
            let violations = invariant::violations(world, user).await;
            assert!(violations.is_empty(), "{violations:#?}");
        }
        assert_eq!(untouched(world, self.bystander).await, self.untouched);
    }

    /// Waits for the workflow's end, which is to be a good one.
    async fn has_ended(&self, temporal: &str, import_id: &str) {
        testing::eventually("the workflow's end", RECOVERY, async || {
            let events = history_at(temporal, import_id).await;
            let last = events.last()?.clone();
            let ended = last.contains("WorkflowExecution") && !last.contains("Update");
            assert!(
                !ended || last.contains("WorkflowExecutionCompleted"),
                "{last}"
            );
            ended.then_some(())
        })
        .await;
    }
}

async fn standing(transaction: &mut UserTransaction, import_id: Uuid) -> Option<Standing> {
    let query = sqlx::query_as(STANDING).bind(import_id);
    query.fetch_optional(&mut **transaction).await.ok()?
}

async fn untouched(world: &World, user: UserId) -> Untouched {
    let mut transaction = world.as_imports(user).await;
    sqlx::query_as(UNTOUCHED)
        .fetch_one(&mut *transaction)
        .await
        .unwrap()
}

/// A statement of this many rows, and the sum in cents of those that can be read.
fn file(rows: usize, seed: u64) -> (Vec<u8>, i64) {
    let singles = rows - TWINS - BAD_ROWS;
    let mut order: Vec<usize> = (0..singles).chain(0..TWINS).collect();
    let mut rng = Rng::with_seed(seed);
    // The first rows stay in front: a file that begins with rubbish is another case.
    rng.shuffle(&mut order[2..]);
    let sum = order.iter().map(|row| minor(*row)).sum();
    let mut lines: Vec<String> = order.iter().map(|row| line(*row)).collect();
    for bad in 0..BAD_ROWS {
        let spoilt = match bad % 2 {
            0 => format!("2024-02-31,No such day {bad},-1.00\n"),
            _ => format!("2024-01-15,Too much {bad},99999999999999999999.00\n"),
        };
        lines.insert(rng.usize(2..lines.len()), spoilt);
    }
    lines.insert(0, "Date,Description,Amount\n".to_owned());
    (lines.concat().into_bytes(), sum)
}

fn line(row: usize) -> String {
    let minor = minor(row);
    let (sign, cents) = (if minor < 0 { "-" } else { "" }, minor.abs());
    let (day, text) = (day(row), text(row));
    format!("{day},{text},{sign}{}.{:02}\n", cents / 100, cents % 100)
}

fn day(row: usize) -> String {
    format!("2024-01-{:02}", row % 28 + 1)
}

fn text(row: usize) -> String {
    format!("Shop {row}")
}

/// Out of every three one comes in.
fn minor(row: usize) -> i64 {
    let cents = i64::try_from((row + 1) * 100 + row % 100).unwrap();
    if row.is_multiple_of(3) { cents } else { -cents }
}
