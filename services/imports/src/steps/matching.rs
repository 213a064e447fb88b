//! Rows against the ledger, and the review that follows.

use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::{
    account,
    intake::{
        self, Batch,
        resemblance::{self, Group, Groups, Query},
    },
};

use super::{Key, Steps, find, route};
use crate::{
    Error,
    domain::{
        resemblance::{DAYS_MAX, Found, Pair, Row, Stored, compare, payee},
        review::{Counts, Etag},
        status::Status,
    },
    store::{self, import::Import, review::Findings},
};

/// The review as it begins.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Stands for what it shows.
    pub etag: Etag,
    /// Whether it may commit without a person.
    pub auto_confirm: bool,
}

impl Steps {
    /// The activity: `matching` on to `review`.
    ///
    /// # Errors
    /// [`Error::Overtaken`] if a successor is at work.
    pub async fn match_rows(&self, key: Key) -> Result<Opened, Error> {
        let (mut transaction, import) = self.find(key).await?;
        match import.status {
            Status::Matching => {}
            Status::Review | Status::Committing | Status::Committed => return Ok(opened(&import)),
            _ => return Err(import.wrong_status()),
        }
        let step = import.step(Status::Review);
        store::import::move_on(&mut transaction, step, self.clock.now()).await?;
        self.publish_findings(&mut transaction, &import).await?;
        store::import::set_deadline(&mut transaction, key.import_id, self.deadline()).await?;
        let import = find(&mut transaction, key.import_id).await?;
        fail::fail_point!("matching_before_commit", |_| Err(Error::killed()));
        transaction.commit().await?;
        fail::fail_point!("matching_after_commit", |_| Err(Error::killed()));
        Ok(opened(&import))
    }

    /// Matches the rows as the ledger is now and writes what the review shows.
    pub(super) async fn publish_findings(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<(), Error> {
        // Read before the rows: a change that comes between makes the commit look again.
        let account_version = version(transaction, import).await?;
        let versions = route::versions(transaction, import).await?;
        let batch = import.batch();
        let matched = intake::match_batch(transaction, batch, import.id_conflict_count).await?;
        let (mut counts, mut included_minor) = totals(transaction, import).await?;
        // Of a file that comes again nothing is left that could resemble something.
        if counts.new > 0
            && find_resembling(transaction, batch, matched.ids_are_stable, None).await? > 0
        {
            (counts, included_minor) = totals(transaction, import).await?;
        }
        let balance = route::publish(transaction, import, &versions).await?;
        let findings = Findings {
            counts,
            included_minor,
            balance_before_minor: balance,
            account_version,
            id_conflict_count: matched.id_conflict_count,
            ids_are_stable: matched.ids_are_stable,
        };
        store::review::publish(transaction, import.import_id, findings, self.clock.now()).await
    }

    /// Writes what the review shows after a person changed it, with the verdicts as they are.
    pub(crate) async fn publish_decisions(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<(), Error> {
        let (counts, included_minor) = totals(transaction, import).await?;
        let findings = Findings {
            counts,
            included_minor,
            balance_before_minor: import.totals.balance_before.minor_units,
            account_version: import.account_version,
            id_conflict_count: import.id_conflict_count,
            ids_are_stable: import.ids_are_stable,
        };
        store::review::publish(transaction, import.import_id, findings, self.clock.now()).await
    }
}

/// Counts the rows and notes what each account has of them.
async fn totals(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<(Counts, i64), Error> {
    let target = import.target();
    let counted = store::account::count(transaction, target).await?;
    store::review::totals(transaction, target, import.account_id, &counted).await
}

/// Verdicts that are written by one statement.
const NOTED_MAX: usize = 10_000;

/// Sweeps 3 and 4, group by group over what sweeps 1 and 2 have left; of some amounts only, if
/// given. Returns how many rows resemble something.
pub(super) async fn find_resembling(
    transaction: &mut UserTransaction,
    batch: Batch,
    ids_are_stable: bool,
    amounts: Option<&[i64]>,
) -> Result<usize, Error> {
    let query = Query {
        ids_are_stable,
        days_max: DAYS_MAX.into(),
        amounts,
    };
    let mut groups = Groups::open(transaction, batch, query).await?;
    let (mut count, mut noted) = (0, Vec::new());
    while let Some(group) = groups.next(transaction).await? {
        noted.extend(resembling(group).pairs.into_iter().map(verdict));
        if noted.len() >= NOTED_MAX {
            resemblance::note(transaction, batch, &noted).await?;
            count += noted.len();
            noted.clear();
        }
    }
    resemblance::note(transaction, batch, &noted).await?;
    Ok(count + noted.len())
}

fn resembling(group: Group) -> Found {
    let rows = group.rows.into_iter().map(|row| Row {
        row_number: row.row_number,
        booked_on: row.booked_on,
        payee: payee(&row.counterparty, &row.description),
    });
    let stored = group.stored.into_iter().map(|stored| Stored {
        transaction_id: stored.transaction_id,
        booked_on: stored.booked_on,
        created_at: stored.created_at,
        payee: payee(&stored.counterparty, &stored.description),
        linkable: stored.linkable,
    });
    compare(rows.collect(), stored.collect())
}

fn verdict(pair: Pair) -> resemblance::Resemblance {
    resemblance::Resemblance {
        row_number: pair.row_number,
        transaction_id: pair.transaction_id,
        linked: pair.linked,
        same_payee: pair.same_payee,
        linkable: pair.linkable,
    }
}

/// The account's version now.
pub(super) async fn version(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<i64, Error> {
    account::version(transaction, import.account_id)
        .await?
        .ok_or_else(|| no_account(import))
}

pub(super) fn no_account(import: &Import) -> Error {
    Error::NotFound {
        what: "account",
        id: import.account_id.to_string(),
    }
}

fn opened(import: &Import) -> Opened {
    let auto_confirm = import.auto_confirm
        && import.totals.counts.are_beyond_doubt()
        && import.id_conflict_count == 0
        && import.mapping_problem.is_none()
        && import.gaps.count == 0;
    Opened {
        etag: import.etag,
        auto_confirm,
    }
}

impl Import {
    /// Its rows, as the ledger's intake names them.
    pub(super) fn batch(&self) -> Batch {
        Batch {
            import_id: self.import_id,
            generation: self.etag.generation,
            has_ids: self
                .reading
                .as_ref()
                .is_none_or(|reading| reading.external_id.is_some()),
        }
    }
}
