//! Answers to questions: a person's, on their way into the reading, and what is kept of them for
//! the next statement of the format.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Key, Steps, recognise::Recognised, scan::file_of};
use crate::{
    Error,
    domain::{
        answer::{Answers, Giver},
        heading::Heading,
        review::Etag,
        status::Status,
        template::{Template, name_of},
    },
    store::{
        self,
        import::{Import, Move},
        request,
        template::Earlier,
    },
};

/// What the request of an answer is filed under.
pub(crate) const RPC: &str = "AnswerImport";

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request it came with.
    pub request_id: Uuid,
    /// The questions as they were seen.
    pub etag: String,
    /// A choice for each of them.
    pub answers: Answers,
}

impl Steps {
    /// The activity: `asking` through `recognising`, one generation on, to `staging`, `asking` or
    /// `refused`.
    ///
    /// # Errors
    /// When the file cannot be fetched.
    pub async fn recognise_again(&self, key: Key, answer: &Answer) -> Result<Recognised, Error> {
        let (mut transaction, import) = self.find(key).await?;
        // With another etag an earlier try has moved it on, and what that one found is the answer.
        if import.status == Status::Asking && Etag::parse(&answer.etag) == Some(import.etag) {
            let now = self.clock.now();
            let step = Move {
                import_id: key.import_id,
                generation: import.etag.generation,
                from: Status::Asking,
                to: Status::Recognising,
            };
            let answers = import.answers_with(&answer.answers);
            store::import::answer(&mut transaction, step, &answers, now).await?;
            request::take(&mut transaction, RPC, answer.request_id, now).await?;
            fail::fail_point!("answer_before_commit", |_| Err(Error::killed()));
            transaction.commit().await?;
            fail::fail_point!("answer_after_commit", |_| Err(Error::killed()));
        }
        self.recognise(key).await
    }

    /// Keeps what a person answered for the next statement of this format in this account, in the
    /// transaction that brings the statement into the ledger.
    pub(super) async fn keep_template(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
    ) -> Result<(), Error> {
        let Some(reading) = &import.reading else {
            return Ok(());
        };
        if !reading
            .answers
            .iter()
            .any(|given| given.by == Giver::Person)
        {
            return Ok(());
        }
        let file = file_of(transaction, import.upload_id).await?;
        let template = Template {
            name: name_of(&file.file_name),
            heading: Heading::of(reading),
            answers: import.answers.clone(),
        };
        if !template.is_portable() {
            // Such a header is no bank's; the next file of the kind asks again.
            tracing::info!(import.id = %import.import_id, "a header too large for a template");
            return Ok(());
        }
        let (account_id, now) = (import.account_id, self.clock.now());
        let id = self.clock.id();
        store::template::keep(transaction, id, account_id, &template, Earlier::Kept, now).await?;
        Ok(())
    }
}

impl Import {
    /// What the person has answered so far and answers now. What a template answered is left to
    /// the template.
    pub(super) fn answers_with(&self, now: &Answers) -> Answers {
        let reading = self.reading.iter().flat_map(|reading| &reading.answers);
        let before = reading.filter(|given| given.by == Giver::Person);
        let before = before.map(|given| (given.key.clone(), given.value.clone()));
        before.chain(now.clone()).collect()
    }
}
