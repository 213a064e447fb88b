//! A person's answers to the questions of an import.

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{Door, body_hash, get, parse};
use crate::{
    Error,
    domain::{
        answer::{self, Answers},
        review::Etag,
        status::Status,
    },
    steps::{
        Key,
        answer::{Answer, RPC},
        workflow::Word,
    },
    store::{self, import::Import, request},
};

impl Door {
    pub(super) async fn answer(
        &self,
        user: UserId,
        asked: proto::AnswerImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let answers = parse::answers(asked.answers)?;
        let body_hash = hash(import_id, &asked.etag, &answers);
        let claim = request::Request {
            rpc: RPC,
            request_id,
            body_hash: &body_hash,
        };
        let now = self.steps.clock.now();
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        let earlier = request::claim(&mut transaction, claim, import_id, now).await?;
        // A repeated answer to an import that went on because of the first one.
        if earlier.is_some() && request::is_taken(&mut transaction, RPC, request_id).await? {
            return Ok(import_id);
        }
        is_asking(&import, &asked.etag)?;
        answer::check(&import.questions, &answers)?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            let key = Key { user, import_id };
            let word = Word::Answer(Answer {
                request_id,
                etag: asked.etag,
                answers,
            });
            self.steps.tell(key, &owned, request_id, &word).await?;
        }
        Ok(import_id)
    }
}

fn is_asking(import: &Import, etag: &str) -> Result<(), Error> {
    let seen = Etag::parse(etag).ok_or(Error::EtagMismatch)?;
    if import.status != Status::Asking {
        let needed = "it asks nothing that could be answered";
        return Err(Error::WrongStatus {
            status: import.status,
            needed,
        });
    }
    if seen != import.etag {
        return Err(Error::EtagMismatch);
    }
    Ok(())
}

/// The hash of a request; the map is in the order of its keys.
fn hash(import_id: Uuid, etag: &str, answers: &Answers) -> [u8; 32] {
    let mut parts: Vec<&[u8]> = vec![import_id.as_bytes(), etag.as_bytes()];
    for (key, value) in answers {
        parts.extend([key.as_bytes(), value.as_bytes()]);
    }
    body_hash(&parts)
}
