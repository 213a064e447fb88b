//! Fields that a person has set before their transaction was added: what that leaves in provenance,
//! locks and history.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Writer, history::Kind};
use crate::{Change, Error, transaction::Field};

/// A field of a person's, with what it would have been without them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reviewed {
    /// The transaction.
    pub(crate) transaction_id: Uuid,
    /// The field.
    pub(crate) field: Field,
    /// What the file says, as text.
    pub(crate) old_value: Option<String>,
    /// What the person says.
    pub(crate) new_value: Option<String>,
}

/// Says that these fields of new transactions are a person's, set in the review of the import.
pub(crate) async fn note_reviewed(
    transaction: &mut UserTransaction,
    change: &Change,
    import_id: Uuid,
    reviewed: &[Reviewed],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = transaction.user_id().uuid();
    let ids: Vec<Uuid> = reviewed.iter().map(|it| it.transaction_id).collect();
    let names = reviewed.iter().map(|it| it.field.as_str().to_owned());
    let fields: Vec<String> = names.collect();
    let reference = import_id.to_string();
    sqlx::query!(
        r#"
        WITH field AS (
            SELECT * FROM unnest($2::uuid[], $3::text[]) AS f (transaction_id, field)
        ),
        locked AS (
            INSERT INTO ledger.field_lock (user_id, transaction_id, field, change_id, locked_at)
            SELECT $1, f.transaction_id, f.field, $6, $7 FROM field f
        )
        INSERT INTO ledger.provenance
            (user_id, transaction_id, field, source, reference, change_id, written_at)
        SELECT $1, f.transaction_id, f.field, $4, $5, $6, $7 FROM field f
        "#,
        user,
        &ids,
        &fields,
        Writer::User.as_str(),
        &reference,
        change.id(),
        now,
    )
    .execute(&mut **transaction)
    .await?;
    let edit_ids: Vec<Uuid> = reviewed.iter().map(|_| change.next_id()).collect();
    let old_values: Vec<Option<String>> = reviewed.iter().map(|it| it.old_value.clone()).collect();
    let new_values: Vec<Option<String>> = reviewed.iter().map(|it| it.new_value.clone()).collect();
    sqlx::query!(
        r#"
        INSERT INTO ledger.edit (
            user_id, edit_id, transaction_id, kind, field, old_value, new_value, source,
            reference, change_id, written_at
        )
        SELECT $1, f.edit_id, f.transaction_id, $2, f.field, f.old_value, f.new_value, $3, $4, $5,
               $6
        FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[])
            AS f (edit_id, transaction_id, field, old_value, new_value)
        "#,
        user,
        Kind::Edited.as_str(),
        Writer::User.as_str(),
        &reference,
        change.id(),
        now,
        &edit_ids,
        &ids,
        &fields,
        &old_values as &[Option<String>],
        &new_values as &[Option<String>],
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
