//! What fails around an import, and what must be true all the same: every row once, the sum right
//! to the cent, the status true at every moment, no person needed. The table is `docs/faults.md`.
//!
//! A case first proves that its fault has happened (the process died, the line was cut, the server
//! came again), then that the outcome holds: a fault that never came is a failure. [`scene`] is the
//! file, the bystander and the rules; each other module is a part that fails.

mod scene;

mod objects;
mod postgres;
mod scanner;
mod temporal;
mod upload;
mod versions;
mod worker;

use std::time::Duration;

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, Import, ImportState};
use djinn_temporal::imports::SWEEP_ID;

use crate::{
    history,
    world::{Client, World, confirm, reach},
};

/// From a fault to the end of the import. A task whose worker died is given to another after its
/// heartbeat, and what nobody has started waits for the sweep, which runs each minute.
const RECOVERY: Duration = Duration::from_secs(150);

/// Confirms what is shown, as a client does that repeats what may be repeated: the answer may be
/// lost, and for a moment after a death the review is there before its workflow knows of it.
async fn insist(client: &mut Client, review: &Import) {
    testing::eventually("a confirmation that is heard", RECOVERY, async || {
        if confirm(client, review).await.is_ok() {
            return Some(());
        }
        let request = proto::GetImportRequest {
            import_id: review.import_id.clone(),
        };
        let import = client.get_import(request).await.ok()?.into_inner().import?;
        let heard = [ImportState::Committing, ImportState::Committed].contains(&import.state());
        heard.then_some(())
    })
    .await;
}

/// Review, confirmation, ledger.
async fn finish(client: &mut Client, import_id: &str) {
    let review = reach(client, import_id, ImportState::Review).await;
    insist(client, &review).await;
    reach(client, import_id, ImportState::Committed).await;
}

/// Lets the sweep run now, which runs each minute by itself.
async fn sweep(world: &World, temporal: &str) {
    let client = history::temporal(temporal).await;
    let schedule = client.get_schedule_handle(format!("{SWEEP_ID}:{}", world.queue));
    schedule
        .trigger(Default::default(), Default::default())
        .await
        .unwrap();
}
