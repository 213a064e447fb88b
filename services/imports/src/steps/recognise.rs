//! How the file reads, decided once and frozen.

use uuid::Uuid;

use djinn_ledger::account::{self, Account};

use super::{
    Key, Steps,
    route::Routed,
    scan::file_of,
    source::{StoredFile, blocking},
};
use crate::{
    Error,
    domain::{
        answer::{Giver, Saved},
        heading::Heading,
        reading::{self, Hints, Recognition, Refusal},
        review::Etag,
        status::Status,
    },
    store::{
        self,
        account::Share,
        import::{Failure, Frozen, Import},
    },
};

/// How far recognition came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// The reading is frozen.
    Ready,
    /// A person must answer the questions that this stands for first.
    Asks(Etag),
    /// Not a statement that can be read.
    Refused,
}

impl Steps {
    /// The activity: `recognising` on to `staging`, `asking` or `refused`.
    ///
    /// # Errors
    /// When the file cannot be fetched.
    pub async fn recognise(&self, key: Key) -> Result<Recognised, Error> {
        loop {
            // Without the mapping that the file does not allow, the next time.
            if let Some(found) = self.look(key).await? {
                return Ok(found);
            }
        }
    }

    /// One look at the file; none when a mapping was left out, so that it reads otherwise now.
    async fn look(&self, key: Key) -> Result<Option<Recognised>, Error> {
        let (mut transaction, import) = self.find(key).await?;
        match import.status {
            Status::Recognising => {}
            Status::Asking => return Ok(Some(Recognised::Asks(import.etag))),
            Status::Refused => return Ok(Some(Recognised::Refused)),
            Status::Staging
            | Status::Matching
            | Status::Review
            | Status::Committing
            | Status::Committed => return Ok(Some(Recognised::Ready)),
            _ => return Err(import.wrong_status()),
        }
        let file = file_of(&mut transaction, import.upload_id).await?;
        let account = account::get(&mut transaction, import.account_id).await?;
        transaction.commit().await?;
        let object_key = file.object_key;
        let read = self
            .read_for(key, &import, account.as_ref(), object_key.clone())
            .await?;
        let routed = match read {
            (Recognition::Ready(reading), template_id) => {
                self.route(key, &import, object_key, reading, template_id)
                    .await?
            }
            (recognition, template_id) => Routed {
                recognition,
                template_id,
                shares: Vec::new(),
            },
        };
        let Routed {
            recognition,
            template_id,
            shares,
        } = routed;
        let frozen = |reading, questions| Frozen {
            reading,
            questions,
            template_id,
        };
        match &recognition {
            Recognition::Ready(reading) => {
                self.freeze(key, &import, frozen(reading, &[]), Some(&shares))
                    .await?;
                Ok(Some(Recognised::Ready))
            }
            Recognition::Asks { reading, questions } => {
                self.freeze(key, &import, frozen(reading, questions), None)
                    .await?;
                Ok(Some(Recognised::Asks(import.etag)))
            }
            Recognition::Refused(refusal) if import.mapping.is_some() => {
                self.leave_mapping(key, &import, refusal).await?;
                Ok(None)
            }
            Recognition::Refused(refusal) => {
                self.refuse(key, &import, refusal).await?;
                Ok(Some(Recognised::Refused))
            }
        }
    }

    /// How an import's file reads, with the person's answers and, for what they leave open, those
    /// of the account's template for such files. Gives the template if it answered anything.
    async fn read_for(
        &self,
        key: Key,
        import: &Import,
        account: Option<&Account>,
        object_key: String,
    ) -> Result<(Recognition, Option<Uuid>), Error> {
        let mut hints = Hints {
            today: self.clock.today(),
            currency: Some(import.currency),
            kind: account.map(|account| account.kind),
            time_zone: account.and_then(|account| account.time_zone.known()),
            answers: import.answers.clone(),
            template: None,
            mapping: import.mapping.clone(),
        };
        let recognition = self.read(object_key.clone(), hints.clone()).await?;
        let Recognition::Asks { reading, .. } = &recognition else {
            return Ok((recognition, None));
        };
        let fingerprint = Heading::of(reading).fingerprint();
        let mut transaction = self.store.user(key.user).await?;
        let found =
            store::template::find(&mut transaction, import.account_id, &fingerprint).await?;
        transaction.commit().await?;
        let Some(kept) = found else {
            return Ok((recognition, None));
        };
        hints.template = Some(Saved {
            name: kept.template.name,
            answers: kept.template.answers,
        });
        let recognition = self.read(object_key, hints).await?;
        let given = recognition.reading().map(|reading| reading.answers.iter());
        let used = given
            .into_iter()
            .flatten()
            .any(|given| given.by == Giver::Template);
        Ok((recognition, used.then_some(kept.template_id)))
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

    /// With the accounts its rows go into it goes on to `staging`, else to `asking`.
    async fn freeze(
        &self,
        key: Key,
        import: &Import,
        frozen: Frozen<'_>,
        shares: Option<&[Share]>,
    ) -> Result<(), Error> {
        let to = match shares {
            Some(_) => Status::Staging,
            None => Status::Asking,
        };
        let mut transaction = self.store.user(key.user).await?;
        store::import::move_on(&mut transaction, import.step(to), self.clock.now()).await?;
        store::import::freeze_reading(&mut transaction, key.import_id, frozen).await?;
        if let Some(shares) = shares {
            store::account::begin(&mut transaction, import.target(), shares).await?;
            store::staging::begin(&mut transaction, import.target()).await?;
        } else {
            let deadline = self.deadline();
            store::import::set_deadline(&mut transaction, key.import_id, deadline).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn refuse(&self, key: Key, import: &Import, refusal: &Refusal) -> Result<(), Error> {
        let mut transaction = self.store.user(key.user).await?;
        let failure = Failure {
            reason: refusal.reason.to_owned(),
            message: refusal.detail.clone(),
        };
        self.end(&mut transaction, import, Status::Refused, Some(failure))
            .await?;
        Ok(transaction.commit().await?)
    }
}
