//! What happened to a transaction, newest first, also of one that is gone.
//!
//! The table `ledger.edit` tells of edits. How a transaction came is told by its row, or by what
//! its deletion kept of it; that an undone import took it away is told by its tombstone. Of such
//! a one nothing tells when it came, and so its history does not either.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use futures::TryStreamExt;
use uuid::Uuid;

use super::{Writer, log};
use crate::{
    Error, Version,
    transaction::{self, Source},
};

/// Where the entry of a creation stands: before the first version.
const CREATION: Version = 0;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It came.
    Created,
    /// Fields got other values, or locks.
    Edited,
    /// Fields were given back.
    Unlocked,
    /// It was deleted by hand.
    Deleted,
    /// Its import was undone.
    Reverted,
}

impl Kind {
    /// The kind as the column `kind` spells it, of those that have rows.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Edited => "edited",
            Self::Unlocked => "unlocked",
            Self::Deleted => "deleted",
            Self::Reverted => "reverted",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Edited, Self::Unlocked, Self::Deleted];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A statement file.
    Import,
    /// Whoever edits.
    Writer(Writer),
}

/// One field of an entry; values as text, `None` where there was nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// The name.
    pub field: String,
    /// What it was.
    pub old_value: Option<String>,
    /// What it became.
    pub new_value: Option<String>,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The version of its change, which orders the entries.
    pub version: Version,
    /// What happened.
    pub kind: Kind,
    /// Who did it.
    pub actor: Actor,
    /// Which import, rule, model or connection that was.
    pub reference: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// The fields, in the order of their names.
    pub fields: Vec<FieldChange>,
}

impl Entry {
    fn text_bytes(&self) -> usize {
        let length = |value: &Option<String>| value.as_ref().map_or(0, String::len);
        let fields = self.fields.iter();
        fields
            .map(|change| length(&change.old_value) + length(&change.new_value))
            .sum()
    }
}

/// How much of a history to read at once.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only entries before this one's version.
    pub after: Option<Version>,
    /// How many at most.
    pub entries_max: usize,
    /// How many bytes of text at most; one entry always fits.
    pub bytes_max: usize,
}

/// A part of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where to go on, if there are more.
    pub next: Option<Version>,
}

/// The history of a transaction, if the user has or had it.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
    page: &Page,
) -> Result<Option<History>, Error> {
    let Some(ends) = ends(transaction, transaction_id).await? else {
        return Ok(None);
    };
    let mut filling = Filling {
        page,
        bytes: 0,
        history: History {
            entries: Vec::new(),
            next: None,
        },
    };
    if !filling.take(ends.reverted) {
        return Ok(Some(filling.history));
    }
    if !edits(transaction, transaction_id, &mut filling).await? {
        return Ok(Some(filling.history));
    }
    filling.take(ends.created);
    Ok(Some(filling.history))
}

/// A page that is being filled.
struct Filling<'a> {
    page: &'a Page,
    bytes: usize,
    history: History,
}

impl Filling<'_> {
    /// Adds an entry that belongs on the page; `false` says that the page is full before it.
    fn take(&mut self, entry: Option<Entry>) -> bool {
        let after = self.page.after.unwrap_or(Version::MAX);
        let Some(entry) = entry.filter(|entry| entry.version < after) else {
            return true;
        };
        self.bytes = self.bytes.saturating_add(entry.text_bytes());
        let entries = &mut self.history.entries;
        let full = entries.len() >= self.page.entries_max || self.bytes > self.page.bytes_max;
        if let Some(last) = entries.last().filter(|_| full) {
            self.history.next = Some(last.version);
            return false;
        }
        entries.push(entry);
        true
    }
}

/// The entries that have no rows of their own.
struct Ends {
    created: Option<Entry>,
    reverted: Option<Entry>,
}

/// How the transaction came and went; `None` if the user never had it.
async fn ends(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Option<Ends>, Error> {
    // The row first: one that goes in between is found by its tombstone.
    if let Some(found) = transaction::get(transaction, transaction_id).await? {
        return Ok(Some(Ends {
            created: Some(created(found.source, found.import_id, found.created_at)),
            reverted: None,
        }));
    }
    let user = transaction.user_id().uuid();
    let tombstone = sqlx::query!(
        "SELECT b.cause, b.created_at, c.version FROM ledger.tombstone b \
         JOIN ledger.change c ON c.user_id = b.user_id AND c.change_id = b.change_id \
         WHERE b.user_id = $1 AND b.kind = 'transaction' AND b.subject_id = $2",
        user,
        transaction_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(tombstone) = tombstone else {
        return Ok(None);
    };
    let reverted = (tombstone.cause == "revert").then(|| Entry {
        version: tombstone.version,
        kind: Kind::Reverted,
        actor: Actor::Writer(Writer::User),
        reference: None,
        at: tombstone.created_at,
        fields: Vec::new(),
    });
    let created = remembered(transaction, transaction_id).await?;
    Ok(Some(Ends { created, reverted }))
}

fn created(source: Source, import_id: Option<Uuid>, at: DateTime<Utc>) -> Entry {
    let actor = match source {
        Source::Import => Actor::Import,
        Source::Bank => Actor::Writer(Writer::Provider),
        Source::User => Actor::Writer(Writer::User),
    };
    Entry {
        version: CREATION,
        kind: Kind::Created,
        actor,
        reference: import_id.map(|id| id.to_string()),
        at,
        fields: Vec::new(),
    }
}

/// How a transaction that was deleted by hand once came, as its deletion keeps it.
async fn remembered(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
) -> Result<Option<Entry>, Error> {
    let user = transaction.user_id().uuid();
    let rows = sqlx::query!(
        r#"
        SELECT field, old_value AS "value!" FROM ledger.edit
        WHERE user_id = $1 AND transaction_id = $2 AND kind = 'deleted'
          AND field = ANY($3) AND old_value IS NOT NULL
        "#,
        user,
        transaction_id,
        &[log::CREATE_TIME, log::IMPORT_ID, log::SOURCE].map(str::to_owned),
    )
    .fetch_all(&mut **transaction)
    .await?;
    let value = |field: &str| {
        let row = rows.iter().find(|row| row.field == field);
        row.map(|row| &*row.value)
    };
    let (Some(source), Some(at)) = (value(log::SOURCE), value(log::CREATE_TIME)) else {
        return Ok(None);
    };
    let undecodable = || Error::Undecodable {
        table: "edit",
        column: "old_value",
        id: transaction_id,
    };
    let import_id = value(log::IMPORT_ID).map(Uuid::try_parse).transpose();
    Ok(Some(created(
        Source::parse(source).ok_or_else(undecodable)?,
        import_id.map_err(|_| undecodable())?,
        at.parse().map_err(|_| undecodable())?,
    )))
}

/// Adds the edits, and whether the page has room for more.
async fn edits(
    transaction: &mut UserTransaction,
    transaction_id: Uuid,
    filling: &mut Filling<'_>,
) -> Result<bool, Error> {
    let user = transaction.user_id().uuid();
    // One more than asked for tells whether there are more.
    let limit = i64::try_from(filling.page.entries_max.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows = sqlx::query!(
        r#"
        WITH page AS (
            SELECT c.version, e.change_id
            FROM ledger.edit e
            JOIN ledger.change c ON c.user_id = e.user_id AND c.change_id = e.change_id
            WHERE e.user_id = $1 AND e.transaction_id = $2
              AND ($3::bigint IS NULL OR c.version < $3)
            GROUP BY c.version, e.change_id
            ORDER BY c.version DESC LIMIT $4
        )
        SELECT p.version, e.kind, e.field, e.old_value, e.new_value, e.source, e.reference,
               e.written_at
        FROM page p
        JOIN ledger.edit e
          ON e.user_id = $1 AND e.transaction_id = $2 AND e.change_id = p.change_id
        ORDER BY p.version DESC, e.field
        "#,
        user,
        transaction_id,
        filling.page.after,
        limit,
    )
    .fetch(&mut **transaction);
    let undecodable = |column| Error::Undecodable {
        table: "edit",
        column,
        id: transaction_id,
    };
    let mut open: Option<Entry> = None;
    while let Some(row) = rows.try_next().await? {
        let field = FieldChange {
            field: row.field,
            old_value: row.old_value,
            new_value: row.new_value,
        };
        if let Some(entry) = open.as_mut().filter(|entry| entry.version == row.version) {
            entry.fields.push(field);
            continue;
        }
        let next = Entry {
            version: row.version,
            kind: Kind::parse(&row.kind).ok_or_else(|| undecodable("kind"))?,
            actor: Writer::parse(&row.source)
                .map(Actor::Writer)
                .ok_or_else(|| undecodable("source"))?,
            reference: row.reference,
            at: row.written_at,
            fields: vec![field],
        };
        if !filling.take(open.replace(next)) {
            return Ok(false);
        }
    }
    Ok(filling.take(open))
}
