//! `djinn imports errors`: the rows of an import that could not be read, as CSV.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use uuid::Uuid;

use super::Session;
use crate::{
    client::report::Report,
    error::Error,
    output::{document, note},
};

/// Writes the report to a file, or to stdout.
pub(super) async fn run(
    session: &Session,
    import_id: Uuid,
    output: Option<PathBuf>,
) -> Result<(), Error> {
    let Some(path) = output else {
        if session.output.is_json() {
            return Err(Error::NoOutput);
        }
        let report = session.client.report(import_id.to_string()).await?;
        return copy(report, &mut io::stdout(), Error::Output)
            .await
            .map(drop);
    };
    let failed = |source| Error::Unwritable {
        path: path.clone(),
        source,
    };
    // A file of that name stays until there is something to take its place.
    let report = session.client.report(import_id.to_string()).await?;
    let mut file = File::create(&path).map_err(failed)?;
    let size_bytes = match copy(report, &mut file, failed).await {
        Ok(bytes) => bytes.to_string(),
        Err(error) => {
            // Half a report must not pass for a whole one.
            if let Err(source) = fs::remove_file(&path) {
                note(format_args!("{} is not whole: {source}", path.display()));
            }
            return Err(error);
        }
    };
    let document = document::Report {
        path: path.display().to_string(),
        size_bytes,
    };
    session
        .output
        .result(&document, || format!("Wrote {}", path.display()))
}

async fn copy(
    mut report: Report<'_>,
    out: &mut impl Write,
    failed: impl Fn(io::Error) -> Error,
) -> Result<u64, Error> {
    let mut bytes = 0;
    while let Some(part) = report.next().await? {
        out.write_all(&part).map_err(&failed)?;
        bytes += u64::try_from(part.len()).unwrap_or(u64::MAX);
    }
    out.flush().map_err(&failed)?;
    Ok(bytes)
}
