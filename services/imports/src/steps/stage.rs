//! Rows out of the file into the staging table. One thread reads ahead by one chunk while the other
//! chunk is written; more is never held, however large the file.

use djinn_chassis::clock::Clock;
use djinn_ledger::money::{Currency, Money};
use tokio::{runtime::Handle, sync::mpsc};
use uuid::Uuid;

use super::{
    Key, Steps,
    route::Signpost,
    scan::file_of,
    source::{StoredFile, blocking},
};
use crate::{
    Error,
    domain::{
        fingerprint::fingerprint,
        gap::{Balances, Gaps},
        reading::Reading,
        row::{self, Entry, RejectedRow, StatementRow},
        status::Status,
    },
    store::{
        self,
        import::Import,
        staging::{CHUNK_ROWS_MAX, Chunk, Progress, StagedRow, Target},
    },
};

/// Chunks that are read or wait to be written: one, so that reading and writing overlap. No row of
/// another is read before the writer has taken it.
const CHUNKS_AHEAD: usize = 1;

impl Steps {
    /// The activity: `staging` on to `matching`. Goes on behind the last chunk an earlier try has
    /// committed.
    ///
    /// # Errors
    /// [`Error::Overtaken`] if a successor is at work.
    pub async fn stage(&self, key: Key) -> Result<Progress, Error> {
        let (mut transaction, import) = self.find(key).await?;
        let progress = store::staging::progress(&mut transaction, import.target()).await?;
        match import.status {
            Status::Staging => {}
            Status::Matching | Status::Review | Status::Committing | Status::Committed => {
                return Ok(progress);
            }
            _ => return Err(import.wrong_status()),
        }
        let file = file_of(&mut transaction, import.upload_id).await?;
        let Some(reading) = import.reading.clone() else {
            return Err(import.wrong_status());
        };
        let signpost = Signpost::of(&mut transaction, &import, &reading).await?;
        transaction.commit().await?;
        let file = StoredFile::new(self.objects.clone(), file.object_key);
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let writer = RowWriter {
            target: import.target(),
            signpost,
            clock: self.clock.clone(),
        };
        let reader =
            blocking(move || read_chunks(&file, &reading, &writer, progress.row_count, &sender));
        let (read, written) = tokio::join!(reader, self.write_chunks(key, progress, chunks));
        // A reader stops with the writer, so the writer's error is the cause.
        let progress = written?;
        let gaps = read?;
        self.finish_staging(key, &import, progress, &gaps).await?;
        Ok(progress)
    }

    async fn write_chunks(
        &self,
        key: Key,
        mut progress: Progress,
        mut chunks: mpsc::Receiver<Chunk>,
    ) -> Result<Progress, Error> {
        while let Some(chunk) = chunks.recv().await {
            let mut transaction = self.store.user(key.user).await?;
            let now = self.clock.now();
            progress = store::staging::write(&mut transaction, progress, &chunk, now).await?;
            fail::fail_point!("staging_before_commit", |_| Err(Error::killed()));
            transaction.commit().await?;
            fail::fail_point!("staging_after_commit", |_| Err(Error::killed()));
        }
        Ok(progress)
    }

    async fn finish_staging(
        &self,
        key: Key,
        import: &Import,
        progress: Progress,
        gaps: &Gaps,
    ) -> Result<(), Error> {
        let mut transaction = self.store.user(key.user).await?;
        store::import::move_on(
            &mut transaction,
            import.step(Status::Matching),
            self.clock.now(),
        )
        .await?;
        store::import::note_gaps(&mut transaction, key.import_id, gaps).await?;
        transaction.commit().await?;
        let mut transaction = self.store.user(key.user).await?;
        store::staging::analyze(&mut transaction).await?;
        transaction.commit().await?;
        tracing::info!(import.id = %key.import_id, rows = progress.row_count, "rows staged");
        Ok(())
    }
}

/// Reads behind the first `skip` rows, chunk by chunk, until the file or the receiver ends, and
/// follows the balance of all rows, also of those that an earlier try has staged: so gaps are found
/// across its end, and none is found twice.
fn read_chunks(
    file: &StoredFile,
    reading: &Reading,
    writer: &RowWriter,
    skip: i64,
    sender: &mpsc::Sender<Chunk>,
) -> Result<Gaps, Error> {
    let runtime = Handle::current();
    // Without a receiver the writer has failed and says so itself.
    let Ok(mut room) = runtime.block_on(sender.reserve()) else {
        return Ok(Gaps::default());
    };
    let mut number = 0_i32;
    let mut chunk = Chunk::new(writer.target);
    let mut balances = Balances::of(reading);
    for entry in row::rows(file, reading)? {
        let entry = writer.admit(entry?);
        number = number.saturating_add(1);
        balances.observe(number, &entry);
        if i64::from(number) <= skip {
            continue;
        }
        match writer.stage(number, entry) {
            Ok(row) => chunk.add(&row)?,
            Err(rejected) => chunk.reject(number, rejected),
        }
        if chunk.len() >= CHUNK_ROWS_MAX {
            room.send(std::mem::replace(&mut chunk, Chunk::new(writer.target)));
            match runtime.block_on(sender.reserve()) {
                Ok(next) => room = next,
                Err(_) => return Ok(Gaps::default()),
            }
        }
    }
    if !chunk.is_empty() {
        room.send(chunk);
    }
    Ok(balances.end())
}

/// Turns what the file says into what its accounts can take.
struct RowWriter {
    target: Target,
    signpost: Signpost,
    clock: Clock,
}

impl RowWriter {
    /// What the account cannot take is rejected like what cannot be read.
    fn admit(&self, entry: Entry) -> Entry {
        match entry {
            Entry::Row(row) => match self.place(&row) {
                Ok(_) => Entry::Row(row),
                Err(rejected) => Entry::Rejected(rejected),
            },
            Entry::Rejected(rejected) => Entry::Rejected(rejected),
        }
    }

    /// The account it goes into, and its amount there.
    fn place(&self, row: &StatementRow) -> Result<(Uuid, Money), RejectedRow> {
        let (account_id, currency) = self.signpost.lead(row)?;
        Ok((account_id, money(row, currency)?))
    }

    fn stage(&self, row_number: i32, entry: Entry) -> Result<StagedRow, RejectedRow> {
        let row = match entry {
            Entry::Row(row) => row,
            Entry::Rejected(rejected) => return Err(rejected),
        };
        let (account_id, money) = self.place(&row)?;
        let fingerprint = fingerprint(
            *account_id.as_bytes(),
            row.written_on,
            money,
            &row.description,
            &row.counterparty,
        );
        Ok(StagedRow {
            row_number,
            line: i64::try_from(row.line).unwrap_or(i64::MAX),
            account_id,
            transaction_id: self.clock.id(),
            booked_on: row.booked_on,
            value_on: row.value_on,
            amount_minor: money.minor_units,
            currency_code: money.currency.code().to_owned(),
            description: row.description,
            counterparty: row.counterparty,
            external_id: row.external_id,
            fingerprint,
        })
    }
}

/// An account has one currency: a row in another one is shown, not converted.
fn money(row: &StatementRow, own: Currency) -> Result<Money, RejectedRow> {
    let problem = |reason, detail| RejectedRow {
        line: row.line,
        reason,
        detail,
        original: format!("{} {} {}", row.booked_on, row.amount, row.description),
    };
    if let Some(currency) = row.currency
        && currency != own
    {
        let (own, other) = (own.code(), currency.code());
        let detail = format!(
            "the row is in {other}, the account in {own}; import it into an account in {other}"
        );
        return Err(problem("OTHER_CURRENCY", detail));
    }
    match row.amount.to_minor(own) {
        Ok(minor_units) => Ok(Money {
            currency: own,
            minor_units,
        }),
        Err(error) => Err(problem("BAD_AMOUNT", format!("{}: {error}", row.amount))),
    }
}
