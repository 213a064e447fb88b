//! How the file reads, decided once and frozen.

use std::collections::BTreeMap;

use djinn_ledger::account;

use super::{
    Key, Steps,
    scan::file_of,
    source::{StoredFile, blocking},
};
use crate::{
    Error,
    domain::{
        question::Question,
        reading::{self, Hints, Reading, Recognition, Refusal},
        status::Status,
    },
    store::{
        self,
        import::{Failure, Import},
    },
};

/// How far recognition came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// The reading is frozen.
    Ready,
    /// A person must answer first.
    Asks,
    /// Not a statement that can be read.
    Refused,
}

impl Steps {
    /// The activity: `recognising` on to `staging`, `asking` or `refused`.
    ///
    /// # Errors
    /// When the file cannot be fetched.
    pub async fn recognise(&self, key: Key) -> Result<Recognised, Error> {
        let (mut transaction, import) = self.find(key).await?;
        match import.status {
            Status::Recognising => {}
            Status::Asking => return Ok(Recognised::Asks),
            Status::Refused => return Ok(Recognised::Refused),
            Status::Staging
            | Status::Matching
            | Status::Review
            | Status::Committing
            | Status::Committed => return Ok(Recognised::Ready),
            _ => return Err(import.wrong_status()),
        }
        let file = file_of(&mut transaction, import.upload_id).await?;
        let account = account::get(&mut transaction, import.account_id).await?;
        transaction.commit().await?;
        let hints = Hints {
            today: self.clock.today(),
            currency: Some(import.currency),
            kind: account.map(|account| account.kind),
            answers: BTreeMap::new(),
        };
        match self.read(file.object_key, hints).await? {
            Recognition::Ready(reading) => {
                self.freeze(key, &import, &reading, &[], Status::Staging)
                    .await?;
                Ok(Recognised::Ready)
            }
            Recognition::Asks { reading, questions } => {
                self.freeze(key, &import, &reading, &questions, Status::Asking)
                    .await?;
                Ok(Recognised::Asks)
            }
            Recognition::Refused(refusal) => {
                self.refuse(key, &import, refusal).await?;
                Ok(Recognised::Refused)
            }
        }
    }

    /// Works out how a stored file reads.
    pub(crate) async fn read(
        &self,
        object_key: String,
        hints: Hints,
    ) -> Result<Recognition, Error> {
        let file = StoredFile::new(self.objects.clone(), object_key);
        blocking(move || Ok(reading::recognise(&file, &hints)?)).await
    }

    async fn freeze(
        &self,
        key: Key,
        import: &Import,
        reading: &Reading,
        questions: &[Question],
        to: Status,
    ) -> Result<(), Error> {
        let mut transaction = self.store.user(key.user).await?;
        store::import::move_on(&mut transaction, import.step(to), self.clock.now()).await?;
        store::import::freeze_reading(&mut transaction, key.import_id, reading, questions).await?;
        if to == Status::Asking {
            let deadline = self.deadline();
            store::import::set_deadline(&mut transaction, key.import_id, deadline).await?;
        } else {
            store::staging::begin(&mut transaction, import.target()).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn refuse(&self, key: Key, import: &Import, refusal: Refusal) -> Result<(), Error> {
        let mut transaction = self.store.user(key.user).await?;
        let failure = Failure {
            reason: refusal.reason.to_owned(),
            message: refusal.detail,
        };
        self.end(&mut transaction, import, Status::Refused, Some(failure))
            .await?;
        Ok(transaction.commit().await?)
    }
}
