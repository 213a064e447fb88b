//! Answers given once: check and claim are one statement, claim and work one transaction.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::Error;

/// A request as its repetition must look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// The method.
    pub(crate) rpc: &'static str,
    /// The client's id of it.
    pub(crate) request_id: Uuid,
    /// SHA-256 of its body.
    pub(crate) body_hash: &'a [u8; 32],
}

impl Claim<'_> {
    /// Claims the request for `subject_id`, or returns what an earlier one made. A concurrent claim
    /// of the same id waits here for the other's end.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`] if the earlier one had another body.
    pub(crate) async fn make(
        &self,
        transaction: &mut UserTransaction,
        subject_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, Error> {
        let user = transaction.user_id().uuid();
        let claimed = sqlx::query!(
            "INSERT INTO sync.request \
             (user_id, rpc, request_id, body_hash, subject_id, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (user_id, rpc, request_id) DO NOTHING",
            user,
            self.rpc,
            self.request_id,
            &self.body_hash[..],
            subject_id,
            now,
        )
        .execute(&mut **transaction)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(None);
        }
        let earlier = sqlx::query!(
            "SELECT body_hash, subject_id FROM sync.request \
             WHERE user_id = $1 AND rpc = $2 AND request_id = $3",
            user,
            self.rpc,
            self.request_id,
        )
        .fetch_one(&mut **transaction)
        .await?;
        if earlier.body_hash == self.body_hash[..] {
            Ok(Some(earlier.subject_id))
        } else {
            Err(Error::RequestIdReused {
                request_id: self.request_id,
            })
        }
    }
}
