//! The work behind both doors: what an RPC and an activity share is written once, here.
//!
//! * [`scan`]: the malware scanner, and what follows a finding.
//! * [`source`]: a stored file as the reader wants it.
//! * [`recognise`], [`answer`], [`stage`], [`matching`], [`commit`], [`close`], [`revert`]: the
//!   steps of an import. Each begins by looking where the import stands: a step whose earlier try
//!   went through, though its report was lost, answers what that try found.
//! * [`route`]: which accounts an import's rows go into.
//! * [`edit`]: rows that a person sets right.
//! * [`receive`]: a file into the object store in one stream. [`chunk`], [`assemble`], [`place`]:
//!   the same in chunks. [`preview`]: a look without an import.
//! * [`sweep`]: what a crash left behind.
//! * [`workflow`]: the way to the import's workflow.
//!
//! Steps speak of the domain and the store, never of protobuf or of Temporal's types for
//! activities.

use std::time::Duration;

use djinn_chassis::{auth::UserId, clock::Clock, objects::Objects, postgres::UserTransaction};
use uuid::Uuid;

use crate::{
    Error,
    domain::status::Status,
    store::{
        self, Store,
        import::{Failure, Import, Move},
        staging::Target,
    },
};

pub mod answer;
mod assemble;
pub mod chunk;
pub mod close;
pub mod commit;
pub mod edit;
pub mod matching;
pub mod place;
pub mod preview;
pub mod receive;
pub mod recognise;
pub mod report;
pub mod reread;
pub mod revert;
mod route;
pub mod scan;
pub mod source;
pub mod stage;
pub mod sweep;
pub mod workflow;

use place::Places;
use scan::Scanner;
use workflow::Workflows;

/// How long the staged rows of an ended import are kept, for whoever looks back at it.
const ROWS_KEPT: chrono::Duration = chrono::Duration::days(30);

/// Which import, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub import_id: Uuid,
}

/// Everything the work needs; cheap to clone.
#[derive(Clone)]
pub struct Steps {
    /// The database.
    pub store: Store,
    /// The object store.
    pub objects: Objects,
    /// The malware scanner.
    pub scanner: Scanner,
    /// Workflows.
    pub workflows: Workflows,
    /// Time and ids.
    pub clock: Clock,
    /// How long a review waits for a person.
    pub review_ttl: Duration,
    /// Places for chunks.
    pub places: Places,
}

impl Steps {
    /// The import, in a transaction of its own user.
    async fn find(&self, key: Key) -> Result<(UserTransaction, Import), Error> {
        let mut transaction = self.store.user(key.user).await?;
        let import = find(&mut transaction, key.import_id).await?;
        Ok((transaction, import))
    }

    /// Ends an import that is at `from`, says why, and notes that its rows may go one day.
    async fn end(
        &self,
        transaction: &mut UserTransaction,
        import: &Import,
        to: Status,
        failure: Option<Failure>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        store::import::move_on(transaction, import.step(to), now).await?;
        if let Some(failure) = failure {
            store::import::note_failure(transaction, import.import_id, &failure).await?;
        }
        store::due::clear(transaction, store::due::Duty::StartImport, import.import_id).await?;
        let purge_at = now + ROWS_KEPT;
        store::due::set(
            transaction,
            store::due::Duty::PurgeRows,
            import.import_id,
            purge_at,
        )
        .await
    }

    /// Until when a review or question that begins now waits.
    fn deadline(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now() + self.review_ttl
    }
}

async fn find(transaction: &mut UserTransaction, import_id: Uuid) -> Result<Import, Error> {
    store::import::get(transaction, import_id)
        .await?
        .ok_or_else(|| Error::NotFound {
            what: "import",
            id: import_id.to_string(),
        })
}

impl Import {
    /// The move from where it stands.
    fn step(&self, to: Status) -> Move {
        let generation = self.etag.generation;
        Move {
            import_id: self.import_id,
            generation,
            from: self.status,
            to,
        }
    }

    /// Its rows.
    pub(crate) fn target(&self) -> Target {
        Target {
            import_id: self.import_id,
            generation: self.etag.generation,
        }
    }

    /// The refusal of a step that comes too early or too late.
    fn wrong_status(&self) -> Error {
        Error::WrongStatus {
            status: self.status,
            needed: "this step does not belong to it",
        }
    }
}
