//! What an edit leaves beside the row: history, locks and provenance. Each is one statement for all
//! fields.

use chrono::{DateTime, SecondsFormat, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::{Author, history::Kind};
use crate::{
    Change, Error,
    transaction::{Field, Transaction},
};

/// When a transaction that is gone was added, as the contract calls the field.
pub(super) const CREATE_TIME: &str = "create_time";

/// The import that added it.
pub(super) const IMPORT_ID: &str = "import_id";

/// Where it came from.
pub(super) const SOURCE: &str = "source";

/// One field of an edit; values as text, `None` where there is nothing.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The name.
    pub(super) field: &'static str,
    /// What it was.
    pub(super) old_value: Option<String>,
    /// What it is now.
    pub(super) new_value: Option<String>,
}

/// An edit that is being written.
pub(super) struct Log<'a> {
    /// The change that carries it.
    pub(super) change: &'a Change,
    /// What it does.
    pub(super) kind: Kind,
    /// The transaction.
    pub(super) transaction_id: Uuid,
    /// Who does it.
    pub(super) author: &'a Author,
    /// When.
    pub(super) now: DateTime<Utc>,
}

impl Log<'_> {
    /// Writes the lines into the history.
    pub(super) async fn write(
        &self,
        transaction: &mut UserTransaction,
        lines: Vec<Line>,
    ) -> Result<(), Error> {
        let user = transaction.user_id().uuid();
        let (mut ids, mut fields) = (Vec::new(), Vec::new());
        let (mut old_values, mut new_values) = (Vec::new(), Vec::new());
        for line in lines {
            ids.push(self.change.next_id());
            fields.push(line.field.to_owned());
            old_values.push(line.old_value);
            new_values.push(line.new_value);
        }
        sqlx::query!(
            r#"
            INSERT INTO ledger.edit (
                user_id, edit_id, transaction_id, kind, field, old_value, new_value, source,
                reference, confidence, change_id, written_at
            )
            SELECT $1, l.edit_id, $2, $3, l.field, l.old_value, l.new_value, $4, $5, $6, $7, $8
            FROM unnest($9::uuid[], $10::text[], $11::text[], $12::text[])
                AS l (edit_id, field, old_value, new_value)
            "#,
            user,
            self.transaction_id,
            self.kind.as_str(),
            self.author.writer.as_str(),
            self.author.reference.as_deref(),
            self.author.confidence,
            self.change.id(),
            self.now,
            &ids,
            &fields,
            &old_values as &[Option<String>],
            &new_values as &[Option<String>],
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Says that these fields have their values from the author.
    pub(super) async fn name_source(
        &self,
        transaction: &mut UserTransaction,
        fields: &[String],
    ) -> Result<(), Error> {
        let user = transaction.user_id().uuid();
        sqlx::query!(
            r#"
            INSERT INTO ledger.provenance (
                user_id, transaction_id, field, source, reference, confidence, change_id,
                written_at
            )
            SELECT $1, $2, field, $4, $5, $6, $7, $8 FROM unnest($3::text[]) AS field
            ON CONFLICT (user_id, transaction_id, field) DO UPDATE
            SET source = excluded.source, reference = excluded.reference,
                confidence = excluded.confidence, change_id = excluded.change_id,
                written_at = excluded.written_at
            "#,
            user,
            self.transaction_id,
            fields,
            self.author.writer.as_str(),
            self.author.reference.as_deref(),
            self.author.confidence,
            self.change.id(),
            self.now,
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Locks these fields. A lock that is there stays as it is.
    pub(super) async fn lock(
        &self,
        transaction: &mut UserTransaction,
        fields: &[String],
    ) -> Result<(), Error> {
        let user = transaction.user_id().uuid();
        sqlx::query!(
            r#"
            INSERT INTO ledger.field_lock (user_id, transaction_id, field, change_id, locked_at)
            SELECT $1, $2, field, $4, $5 FROM unnest($3::text[]) AS field
            ON CONFLICT (user_id, transaction_id, field) DO NOTHING
            "#,
            user,
            self.transaction_id,
            fields,
            self.change.id(),
            self.now,
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

/// All that a transaction was, for the history of one that goes: its fields, and where and when it
/// came from, which afterwards nothing else would tell.
pub(super) fn remains(seen: &Transaction) -> Vec<Line> {
    let line = |field, old_value| Line {
        field,
        old_value,
        new_value: None,
    };
    let create_time = seen.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut lines = vec![
        line("account_id", Some(seen.account_id.to_string())),
        line(CREATE_TIME, Some(create_time)),
        line("external_id", seen.external_id.clone()),
        line(IMPORT_ID, seen.import_id.map(|id| id.to_string())),
        line(SOURCE, Some(seen.source.as_str().to_owned())),
    ];
    // A reconciled one is not deleted, so that field says nothing.
    let fields = Field::ALL.into_iter().filter(|field| field.lockable());
    lines.extend(fields.map(|field| line(field.as_str(), seen.value(field))));
    lines.retain(|line| line.old_value.is_some());
    lines
}
