//! The review: rows, decisions, and how it ends.

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{Door, body_hash, convert, get, import::account, parse};
use crate::{
    Error,
    domain::{
        page,
        review::{Action, CHANGES_MAX, Etag},
        status::Status,
    },
    steps::{Key, workflow::Word},
    store::{self, import::Import, request},
};

impl Door {
    pub(super) async fn list_rows(
        &self,
        user: UserId,
        asked: &proto::ListImportRowsRequest,
    ) -> Result<proto::ListImportRowsResponse, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let size = parse::page_size(asked.page_size)?;
        let filters = parse::row_filters(asked);
        let mut filter = parse::row_filter(asked)?;
        let key = page::key(&asked.page_token, &filters).map_err(|_| parse::bad_token())?;
        if let Some(key) = key {
            filter.after = key.parse().map_err(|_| parse::bad_token())?;
        }
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        if !is_matched(import.status) {
            let needed = "its rows can be listed once it is in review";
            return Err(Error::WrongStatus {
                status: import.status,
                needed,
            });
        }
        if let Some(account_id) = filter.account_id {
            account(&mut transaction, account_id).await?;
        }
        let target = import.target();
        let mut found = store::review::list(&mut transaction, target, &filter, size + 1).await?;
        let more = parse::cut(&mut found, size);
        let next_page_token = match found.last() {
            Some(last) if more => page::token(&last.row_number.to_string(), &filters),
            _ => String::new(),
        };
        let rows = found.iter().map(convert::row).collect();
        let etag = import.etag.to_string();
        Ok(proto::ListImportRowsResponse {
            rows,
            next_page_token,
            etag,
        })
    }

    pub(super) async fn update_rows(
        &self,
        user: UserId,
        asked: proto::UpdateImportRowsRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        if asked.changes.len() > CHANGES_MAX {
            return Err(Error::too_many_changes(asked.changes.len()));
        }
        let mut transaction = self.steps.store.user(user).await?;
        store::import::lock_for_edit(&mut transaction, import_id).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        in_review(&import, &asked.etag)?;
        let frame = parse::Frame {
            currency: import.currency,
            today: self.steps.clock.today(),
        };
        let changes = parse::changes(&asked.changes, frame)?;
        // What is decided of an edited row is about the row as edited.
        if !changes.edits.is_empty() {
            let edits = &changes.edits;
            self.steps
                .edit_rows(&mut transaction, &import, edits)
                .await?;
        }
        let (rows, actions) = changes.decisions();
        let target = import.target();
        let decided = store::review::decide(&mut transaction, target, &rows, &actions).await?;
        if usize::try_from(decided) != Ok(rows.len()) {
            let problem = "names a row that does not exist, or that cannot be read and is not \
                           repaired; list the rows first";
            return Err(Error::invalid("changes.row_number", problem));
        }
        let links = rows.iter().zip(&actions);
        let links = links.filter_map(|(row, action)| (*action == Action::Link).then_some(*row));
        let links: Vec<i32> = links.collect();
        let refused = store::review::unlinkable(&mut transaction, target, &links).await?;
        if let Some((row_number, resembles)) = refused {
            return Err(parse::unlinkable(row_number, resembles));
        }
        self.steps
            .publish_decisions(&mut transaction, &import)
            .await?;
        transaction.commit().await?;
        Ok(import_id)
    }

    pub(super) async fn confirm(
        &self,
        user: UserId,
        asked: &proto::ConfirmImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let body_hash = body_hash(&[import_id.as_bytes(), asked.etag.as_bytes()]);
        let claim = request::Request {
            rpc: "ConfirmImport",
            request_id,
            body_hash: &body_hash,
        };
        let now = self.steps.clock.now();
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        let earlier = request::claim(&mut transaction, claim, import_id, now).await?;
        // A repeated confirmation of an import that went on because of the first one.
        if earlier.is_some() && is_confirmed(import.status) {
            return Ok(import_id);
        }
        in_review(&import, &asked.etag)?;
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            let key = Key { user, import_id };
            let word = Word::Confirm {
                etag: asked.etag.clone(),
            };
            self.steps.tell(key, &owned, request_id, &word).await?;
        }
        Ok(import_id)
    }

    pub(super) async fn cancel(
        &self,
        user: UserId,
        asked: &proto::CancelImportRequest,
    ) -> Result<Uuid, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let request_id = parse::id("request_id", &asked.request_id)?;
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        if import.status == Status::Cancelled {
            return Ok(import_id);
        }
        if !import.status.can_be_given_up() {
            let needed = "only an import that is not yet being committed can be cancelled";
            return Err(Error::WrongStatus {
                status: import.status,
                needed,
            });
        }
        let owned = store::import::own(&mut transaction, import_id).await?;
        transaction.commit().await?;
        if let Some(owned) = owned {
            // One that was left behind has no workflow yet that could be told.
            self.steps.workflows.start(user, &owned).await?;
            let key = Key { user, import_id };
            self.steps
                .tell(key, &owned, request_id, &Word::Cancel)
                .await?;
        }
        Ok(import_id)
    }
}

fn in_review(import: &Import, etag: &str) -> Result<(), Error> {
    if import.status != Status::Review {
        let needed = "this is possible in review only";
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

/// Whether it went on because of a confirmation.
fn is_confirmed(status: Status) -> bool {
    matches!(
        status,
        Status::Committing | Status::Committed | Status::Reverting | Status::Reverted
    )
}

/// Whether rows have verdicts.
pub(super) fn is_matched(status: Status) -> bool {
    matches!(
        status,
        Status::Review
            | Status::Committing
            | Status::Committed
            | Status::Reverting
            | Status::Reverted
            | Status::Cancelled
            | Status::Expired
            | Status::Failed
    )
}
