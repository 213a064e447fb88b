//! Undoing a committed import.

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{Door, body_hash, get, parse};
use crate::{
    Error,
    store::{self, request},
};

impl Door {
    pub(super) async fn revert(
        &self,
        user: UserId,
        asked: &proto::RevertImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let body_hash = body_hash(&[import_id.as_bytes()]);
        let claim = request::Request {
            rpc: "RevertImport",
            request_id,
            body_hash: &body_hash,
        };
        let now = self.steps.clock.now();
        let mut transaction = self.steps.store.user(user).await?;
        // First, so that an id that is not the caller's claims nothing.
        get(&mut transaction, import_id, &asked.import_id).await?;
        if let Some(first) = request::claim(&mut transaction, claim, import_id, now).await? {
            return Ok(first);
        }
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        let begins = self.steps.begin_revert(&mut transaction, &import).await?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if begins
            && let Some(owned) = owned
            && let Err(error) = self.steps.workflows.start_revert(user, &owned).await
        {
            // Accepted is accepted: the duty is durable and the sweep starts it.
            tracing::warn!(import.id = %import_id, %error, "revert left to the sweep");
        }
        Ok(import_id)
    }
}
