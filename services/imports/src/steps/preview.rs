//! A look into a file without an import: scanned first, then read like an import would.

use djinn_chassis::auth::UserId;
use djinn_ledger::zone::Zone;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Steps,
    scan::{Finding, file_of, infected},
    source::{StoredFile, blocking},
};
use crate::{
    Error,
    domain::{
        answer::Answers,
        gap::{Balances, Gaps},
        mapping::Mapping,
        question::Question,
        reading::{Hints, Reading, Recognition},
        row::{self, Entry},
    },
};

/// Rows that wait to be sent.
const ROWS_AHEAD: usize = 256;

/// What a person says of the file beforehand.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Answers to questions of an earlier preview.
    pub answers: Answers,
    /// What the columns mean.
    pub mapping: Option<Mapping>,
    /// The time zone in which time stamps become days.
    pub time_zone: Zone,
}

/// What a preview shows.
pub struct Preview {
    /// How the file reads; under the first choices while there are questions.
    pub reading: Reading,
    /// What the file leaves open.
    pub questions: Vec<Question>,
    /// Where its balance does not follow, over all rows.
    pub gaps: Gaps,
    /// Its rows, in file order.
    pub rows: mpsc::Receiver<Result<Entry, Error>>,
}

impl Steps {
    /// Scans an upload and shows how it reads, up to `rows_max` rows.
    ///
    /// # Errors
    /// [`Error::FileRefused`] with the reason.
    pub async fn preview(
        &self,
        user: UserId,
        upload_id: Uuid,
        said: Said,
        rows_max: usize,
    ) -> Result<Preview, Error> {
        let mut transaction = self.store.user(user).await?;
        let file = file_of(&mut transaction, upload_id).await?;
        transaction.commit().await?;
        if self.scan_file(user, &file).await? == Finding::Refused {
            return Err(Error::FileRefused {
                reason: "INFECTED",
                detail: infected().message,
            });
        }
        let hints = Hints {
            today: self.clock.today(),
            currency: None,
            kind: None,
            time_zone: said.time_zone.known(),
            answers: said.answers,
            // A preview has no account, and templates belong to one.
            template: None,
            mapping: said.mapping,
        };
        let (reading, questions) = match self.read(file.object_key.clone(), hints).await? {
            Recognition::Ready(reading) => (reading, Vec::new()),
            Recognition::Asks { reading, questions } => (reading, questions),
            Recognition::Refused(refusal) => {
                return Err(match refusal.field {
                    Some(field) => Error::invalid(field, refusal.detail),
                    None => Error::FileRefused {
                        reason: refusal.reason,
                        detail: refusal.detail,
                    },
                });
            }
        };
        let gaps = self
            .follow(file.object_key.clone(), reading.clone())
            .await?;
        let rows = self.send_rows(file.object_key, reading.clone(), rows_max);
        Ok(Preview {
            reading,
            questions,
            gaps,
            rows,
        })
    }

    /// Follows the balance through the whole file, if it has one: a pass of its own, because what
    /// it finds is told before the first row.
    async fn follow(&self, object_key: String, reading: Reading) -> Result<Gaps, Error> {
        if reading.balance.is_none() {
            return Ok(Gaps::default());
        }
        let file = StoredFile::new(self.objects.clone(), object_key);
        blocking(move || {
            let mut balances = Balances::of(&reading);
            for (number, entry) in (1..).zip(row::rows(&file, &reading)?) {
                balances.observe(number, &entry?);
            }
            Ok(balances.end())
        })
        .await
    }

    fn send_rows(
        &self,
        object_key: String,
        reading: Reading,
        rows_max: usize,
    ) -> mpsc::Receiver<Result<Entry, Error>> {
        let (sender, receiver) = mpsc::channel(ROWS_AHEAD);
        let file = StoredFile::new(self.objects.clone(), object_key);
        let failed = sender.clone();
        tokio::spawn(async move {
            let read = blocking(move || {
                for entry in row::rows(&file, &reading)?.take(rows_max) {
                    if sender.blocking_send(Ok(entry?)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            if let Err(error) = read.await {
                // Nobody to tell when the client has gone.
                drop(failed.send(Err(error)).await);
            }
        });
        receiver
    }
}
