//! What can be followed.

use async_graphql::{Context, ID, Subscription as Subscribe};
use futures::{Stream, StreamExt};

use djinn_proto::imports::v1 as pb;

use super::{
    error::{Result, required},
    import::Import,
    session::Session,
};
use crate::domain::{Owner, cost};

/// The root of subscriptions.
pub(super) struct Subscription;

/// What can be followed, by WebSocket at /graphql/ws with the protocol graphql-transport-ws.
#[Subscribe]
impl Subscription {
    /// An import as it is now, then again after every change, until it has ended. Ends with an
    /// error (TOKEN_EXPIRED, SERVER_STOPPING, STREAM_IDLE) before that: subscribe again, nothing
    /// is missed.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn import_progress<'a>(
        &self,
        context: &Context<'a>,
        #[graphql(desc = "The import.")] import_id: ID,
    ) -> Result<impl Stream<Item = Result<Import>> + use<'a>> {
        let session = Session::of(context)?;
        let asked = pb::WatchImportRequest {
            import_id: import_id.0,
        };
        let watching = session.calls().watch_import(asked).await?;
        Ok(watching.map(move |update| {
            // What else is asked of this event is as fresh as the event.
            session.renew();
            required(update?.import, Owner::Imports)?.try_into()
        }))
    }
}
