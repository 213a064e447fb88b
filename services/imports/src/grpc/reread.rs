//! A person's mapping, and the file read once more under it.

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{Door, body_hash, get, parse};
use crate::{
    Error,
    domain::{
        mapping::{Mapping, Sent},
        review::Etag,
        status::Status,
    },
    steps::{
        Key,
        reread::{RPC, Reread},
        workflow::Word,
    },
    store::{self, import::Import, request},
};

impl Door {
    pub(super) async fn reread(
        &self,
        user: UserId,
        asked: proto::RereadImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let wish = Reread {
            request_id,
            etag: asked.etag,
            mapping: mapping(asked.mapping.as_ref())?,
            answers: parse::answers(asked.answers)?,
        };
        let body_hash = hash(import_id, &wish)?;
        let claim = request::Request {
            rpc: RPC,
            request_id,
            body_hash: &body_hash,
        };
        let now = self.steps.clock.now();
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        let earlier = request::claim(&mut transaction, claim, import_id, now).await?;
        // The same wish again, of an import that went on because of the first one.
        if earlier.is_some() && request::is_taken(&mut transaction, RPC, request_id).await? {
            return Ok(import_id);
        }
        is_open(&import, &wish.etag)?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            let key = Key { user, import_id };
            let word = Word::Reread(wish);
            self.steps.tell(key, &owned, request_id, &word).await?;
        }
        Ok(import_id)
    }
}

fn is_open(import: &Import, etag: &str) -> Result<(), Error> {
    if !matches!(import.status, Status::Review | Status::Asking) {
        let needed = "another mapping can be sent in review and while it asks";
        return Err(Error::WrongStatus {
            status: import.status,
            needed,
        });
    }
    match Etag::parse(etag) {
        Some(etag) if etag == import.etag => Ok(()),
        _ => Err(Error::EtagMismatch),
    }
}

/// What a person says of the columns, as far as it can be judged without the file.
pub(super) fn mapping(asked: Option<&proto::Mapping>) -> Result<Option<Mapping>, Error> {
    let Some(asked) = asked else {
        return Ok(None);
    };
    let columns: Vec<Sent<'_>> = asked
        .columns
        .iter()
        .map(|column| Sent {
            position: column.position,
            role: &column.role,
            format: &column.format,
        })
        .collect();
    let line = asked.header_line;
    Ok(Some(Mapping::parse(
        &asked.encoding,
        &asked.delimiter,
        line,
        &columns,
    )?))
}

/// The hash of a request; maps are in the order of their keys.
fn hash(import_id: Uuid, wish: &Reread) -> Result<[u8; 32], Error> {
    let mapping = written(wish.mapping.as_ref())?;
    let mut parts: Vec<&[u8]> = vec![import_id.as_bytes(), wish.etag.as_bytes(), &mapping];
    for (key, value) in &wish.answers {
        parts.extend([key.as_bytes(), value.as_bytes()]);
    }
    Ok(body_hash(&parts))
}

/// A mapping as the hash of a request takes it; nothing without one.
pub(super) fn written(mapping: Option<&Mapping>) -> Result<Vec<u8>, Error> {
    let written = mapping.map(serde_json::to_vec).transpose();
    Ok(written
        .map_err(|error| Error::Task(error.into()))?
        .unwrap_or_default())
}
