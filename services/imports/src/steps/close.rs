//! The ends without effect.

use super::{Key, Steps};
use crate::{Error, domain::status::Status, store::import::Failure};

/// How an import ends without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By the user.
    Cancelled,
    /// Nobody confirmed in time.
    Expired,
    /// By a fault of ours.
    Failed(Failure),
}

impl Steps {
    /// The activity: ends the import wherever it stands, and answers where it stands then. An
    /// import that has ended before stays as it ended.
    ///
    /// # Errors
    /// [`Error::Overtaken`] if the import moves at this very moment: the next try sees where to.
    pub async fn close(&self, key: Key, ending: Ending) -> Result<Status, Error> {
        let (mut transaction, import) = self.find(key).await?;
        let (to, failure) = match ending {
            Ending::Cancelled => (Status::Cancelled, None),
            Ending::Expired => (Status::Expired, Some(expired(import.status))),
            Ending::Failed(failure) => (Status::Failed, Some(failure)),
        };
        if !import.status.can_become(to) {
            return Ok(import.status);
        }
        self.end(&mut transaction, &import, to, failure).await?;
        transaction.commit().await?;
        Ok(to)
    }
}

fn expired(status: Status) -> Failure {
    let missed = match status {
        Status::Asking => "answered what the file leaves open",
        _ => "confirmed the import",
    };
    Failure {
        reason: "EXPIRED".to_owned(),
        message: format!("nobody {missed} in time; import the file again"),
    }
}
