//! The stored file once more, under another mapping. What a person decided about the rows before
//! belongs to the reading before: it is gone with it, so a review that was edited since it was seen
//! stays as it is.

use uuid::Uuid;

use super::{Key, Steps, find, recognise::Recognised};
use crate::{
    Error,
    domain::{answer::Answers, mapping::Mapping, reading::Refusal, review::Etag, status::Status},
    store::{
        self,
        import::{Change, Failure, Import},
        request,
    },
};

/// What the request of another mapping is filed under.
pub(crate) const RPC: &str = "RereadImport";
/// Staged rows of the reading before that go in one transaction.
const ROWS_PURGED_MAX: i64 = 100_000;

/// A person's wish to have the file read otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// The request it came with.
    pub request_id: Uuid,
    /// The import as it was seen.
    pub etag: String,
    /// What the columns mean.
    pub mapping: Option<Mapping>,
    /// Answers that are known beforehand.
    pub answers: Answers,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The file was read.
    Read(Recognised),
    /// The review was edited since it was seen, and stays.
    Unchanged(Etag),
}

impl Steps {
    /// The activity: `review` or `asking` through `recognising`, one generation on, to `staging` or
    /// `asking`.
    ///
    /// # Errors
    /// When the file cannot be fetched.
    pub async fn reread(&self, key: Key, asked: &Reread) -> Result<Outcome, Error> {
        let mut transaction = self.store.user(key.user).await?;
        store::import::lock(&mut transaction, key.import_id).await?;
        let import = find(&mut transaction, key.import_id).await?;
        let seen = Etag::parse(&asked.etag) == Some(import.etag);
        match import.status {
            Status::Review | Status::Asking if seen => {
                let now = self.clock.now();
                let answers = Change {
                    before: &import.answers_with(&Answers::new()),
                    after: &import.answers_with(&asked.answers),
                };
                let step = import.step(Status::Recognising);
                let mapping = asked.mapping.as_ref();
                store::import::reread(&mut transaction, step, mapping, answers, now).await?;
                request::take(&mut transaction, RPC, asked.request_id, now).await?;
                fail::fail_point!("reread_before_commit", |_| Err(Error::killed()));
                transaction.commit().await?;
                fail::fail_point!("reread_after_commit", |_| Err(Error::killed()));
            }
            Status::Review => {
                self.hand_back(&mut transaction, &import, edited()).await?;
                transaction.commit().await?;
                return Ok(Outcome::Unchanged(import.etag));
            }
            // With another etag an earlier try has moved it on, and goes on here.
            _ => transaction.commit().await?,
        }
        self.purge_earlier(key).await?;
        Ok(Outcome::Read(self.recognise(key).await?))
    }

    /// Rows of readings that count no more. What a crash leaves goes with the import.
    async fn purge_earlier(&self, key: Key) -> Result<(), Error> {
        loop {
            let (mut transaction, import) = self.find(key).await?;
            let target = import.target();
            let done =
                store::staging::purge_earlier(&mut transaction, target, ROWS_PURGED_MAX).await?;
            transaction.commit().await?;
            if done {
                return Ok(());
            }
        }
    }

    /// Leaves out a mapping that the file does not allow: a slip of a person does not end an import
    /// that can be read without.
    pub(super) async fn leave_mapping(
        &self,
        key: Key,
        import: &Import,
        refusal: &Refusal,
    ) -> Result<(), Error> {
        let problem = match &refusal.field {
            Some(field) => format!("{field}: {}", refusal.detail),
            None => refusal.detail.clone(),
        };
        let mut transaction = self.store.user(key.user).await?;
        let (import_id, generation) = (import.import_id, import.etag.generation);
        store::import::leave_mapping(&mut transaction, import_id, generation, &problem).await?;
        Ok(transaction.commit().await?)
    }
}

fn edited() -> Failure {
    Failure {
        reason: "REVIEW_EDITED".to_owned(),
        message: "the review was edited while another mapping was sent; look at it again"
            .to_owned(),
    }
}
