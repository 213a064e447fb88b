//! The report of rows that could not be read, as a stream of bytes.

use djinn_chassis::{auth::UserId, fault};
use djinn_proto::imports::v1 as proto;
use futures::{Stream, StreamExt};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Door, get, parse, review::is_matched};
use crate::{Error, steps::Key};

type Part = Result<proto::DownloadErrorReportResponse, Status>;

impl Door {
    pub(super) async fn report(
        &self,
        user: UserId,
        asked: &proto::DownloadErrorReportRequest,
    ) -> Result<impl Stream<Item = Part> + use<>, Error> {
        let import_id = parse::id("import_id", &asked.import_id)?;
        let mut transaction = self.steps.store.user(user).await?;
        let import = get(&mut transaction, import_id, &asked.import_id).await?;
        transaction.commit().await?;
        if !is_matched(import.status) {
            let needed = "its report can be downloaded once it is in review";
            return Err(Error::WrongStatus {
                status: import.status,
                needed,
            });
        }
        let chunks = self.steps.report(Key { user, import_id }, &import);
        Ok(ReceiverStream::new(chunks).map(|chunk| match chunk {
            Ok(chunk) => Ok(proto::DownloadErrorReportResponse { chunk }),
            Err(error) => Err(fault::status(error)),
        }))
    }
}
