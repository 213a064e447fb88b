//! An import, and every change of it that can be seen: the state first, then what is new.

use std::time::Duration;

use djinn_chassis::{auth::UserId, fault, shutdown::Shutdown};
use djinn_proto::imports::v1 as proto;
use futures::{Stream, stream};
use tonic::Status as GrpcStatus;
use uuid::Uuid;

use super::read;
use crate::{Error, steps::Steps};

/// How often a change is looked for: soon enough for a progress bar, and one indexed read of one
/// row.
const LOOK_INTERVAL: Duration = Duration::from_millis(300);

struct Watch {
    steps: Steps,
    user: UserId,
    import_id: Uuid,
    shown: proto::Import,
    shutdown: Shutdown,
    phase: Phase,
}

enum Phase {
    First,
    Changes,
    Over,
}

/// The stream behind `first`. Ends when the import has ended, or with UNAVAILABLE when the service
/// stops: the client calls again and misses nothing.
pub(super) fn watch(
    steps: Steps,
    user: UserId,
    first: proto::Import,
    shutdown: Shutdown,
) -> impl Stream<Item = Result<proto::WatchImportResponse, GrpcStatus>> {
    let import_id = Uuid::try_parse(&first.import_id).unwrap_or_default();
    let watch = Watch {
        steps,
        user,
        import_id,
        shown: first,
        shutdown,
        phase: Phase::First,
    };
    stream::unfold(watch, |mut watch| async {
        let next = match watch.phase {
            Phase::First => Ok(Some(watch.shown.clone())),
            Phase::Changes => watch.change().await,
            Phase::Over => Ok(None),
        };
        let answer = match next {
            Ok(Some(import)) => {
                watch.phase = if has_ended(&import) {
                    Phase::Over
                } else {
                    Phase::Changes
                };
                watch.shown = import.clone();
                Ok(proto::WatchImportResponse {
                    import: Some(import),
                })
            }
            Ok(None) => return None,
            Err(error) => {
                watch.phase = Phase::Over;
                Err(fault::status(error))
            }
        };
        Some((answer, watch))
    })
}

impl Watch {
    async fn change(&self) -> Result<Option<proto::Import>, Error> {
        loop {
            tokio::select! {
                () = self.shutdown.requested() => return Err(Error::Interrupted),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            let mut transaction = self.steps.store.user(self.user).await?;
            let import = read(&mut transaction, self.import_id).await?;
            transaction.commit().await?;
            if import != self.shown {
                return Ok(Some(import));
            }
        }
    }
}

fn has_ended(import: &proto::Import) -> bool {
    import
        .job
        .as_ref()
        .is_some_and(|job| job.end_time.is_some())
}
