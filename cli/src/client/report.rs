//! The report of rows that could not be read, as it comes.

use djinn_proto::imports::v1::{DownloadErrorReportRequest, DownloadErrorReportResponse};
use tonic::Streaming;

use super::Client;
use crate::error::Error;

/// A report that is being sent.
pub(crate) struct Report<'a> {
    client: &'a Client,
    chunks: Streaming<DownloadErrorReportResponse>,
}

impl Client {
    /// Begins to download the report of an import.
    pub(crate) async fn report(&self, import_id: String) -> Result<Report<'_>, Error> {
        let request = DownloadErrorReportRequest { import_id };
        // Tried again only until it begins: what was written cannot be taken back.
        let chunks = self
            .retry(async || {
                let mut imports = self.imports.clone();
                let answer = imports.download_error_report(request.clone()).await;
                Ok(answer.map_err(|status| self.error(status))?.into_inner())
            })
            .await?;
        Ok(Report {
            client: self,
            chunks,
        })
    }
}

impl Report<'_> {
    /// The next part; none behind the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let part = self.chunks.message().await;
        let part = part.map_err(|status| self.client.error(status))?;
        Ok(part.map(|part| part.chunk))
    }
}
