//! Templates: what was answered about statements of one format in one account.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{
    Error,
    domain::{answer::Answers, heading::Heading, template::Template},
};

/// A template that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub template_id: Uuid,
    /// The account it is for.
    pub account_id: Uuid,
    /// What it says.
    pub template: Template,
    /// When it was first kept.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

struct Row {
    template_id: Uuid,
    account_id: Uuid,
    name: String,
    delimiter: String,
    columns: Vec<String>,
    answers: serde_json::Value,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Kept {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let undecodable = |source: Box<dyn std::error::Error + Send + Sync>| Error::Undecodable {
            table: "imports.template",
            id: row.template_id,
            source,
        };
        let delimiter: char = row
            .delimiter
            .parse()
            .map_err(|error: std::char::ParseCharError| undecodable(error.into()))?;
        let answers: Answers =
            serde_json::from_value(row.answers).map_err(|error| undecodable(error.into()))?;
        Ok(Self {
            template_id: row.template_id,
            account_id: row.account_id,
            template: Template {
                name: row.name,
                heading: Heading {
                    delimiter,
                    columns: row.columns,
                },
                answers,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What becomes of answers that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Name and answers are replaced.
    Replaced,
    /// The name stays, and so do answers to questions that were not asked this time.
    Kept,
}

/// Keeps a template for an account, and gives its id: there is one for each heading.
///
/// # Errors
/// As the database answers.
pub async fn keep(
    transaction: &mut UserTransaction,
    new_id: Uuid,
    account_id: Uuid,
    template: &Template,
    earlier: Earlier,
    now: DateTime<Utc>,
) -> Result<Uuid, Error> {
    let user_id = transaction.user_id().uuid();
    let answers = encode(&template.answers)?;
    let fingerprint = template.heading.fingerprint();
    let template_id = sqlx::query_scalar!(
        r#"
        INSERT INTO imports.template AS t
            (user_id, template_id, account_id, name, header_fingerprint, delimiter, columns,
             answers, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        ON CONFLICT (user_id, account_id, header_fingerprint) DO UPDATE
        SET name = CASE WHEN $10 THEN excluded.name ELSE t.name END,
            columns = excluded.columns,
            answers = CASE WHEN $10 THEN excluded.answers ELSE t.answers || excluded.answers END,
            updated_at = excluded.updated_at
        RETURNING template_id
        "#,
        user_id,
        new_id,
        account_id,
        template.name,
        &fingerprint[..],
        template.heading.delimiter.to_string(),
        &template.heading.columns,
        answers,
        now,
        earlier == Earlier::Replaced,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(template_id)
}

fn encode(answers: &Answers) -> Result<serde_json::Value, Error> {
    serde_json::to_value(answers).map_err(|error| Error::Task(error.into()))
}

/// The account's template for a heading.
///
/// # Errors
/// As the database answers.
pub async fn find(
    transaction: &mut UserTransaction,
    account_id: Uuid,
    fingerprint: &[u8; 32],
) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT template_id, account_id, name, delimiter, columns, answers, created_at, updated_at
        FROM imports.template WHERE account_id = $1 AND header_fingerprint = $2
        "#,
        account_id,
        &fingerprint[..],
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Kept::try_from).transpose()
}

/// A template.
///
/// # Errors
/// As the database answers.
pub async fn get(
    transaction: &mut UserTransaction,
    template_id: Uuid,
) -> Result<Option<Kept>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT template_id, account_id, name, delimiter, columns, answers, created_at, updated_at
        FROM imports.template WHERE template_id = $1
        "#,
        template_id,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(Kept::try_from).transpose()
}

/// Which templates to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only of this account.
    pub account_id: Option<Uuid>,
    /// Only older than this one.
    pub before: Option<Uuid>,
}

/// Templates, newest first.
///
/// # Errors
/// As the database answers.
pub async fn list(
    transaction: &mut UserTransaction,
    filter: Filter,
    count_max: i64,
) -> Result<Vec<Kept>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT template_id, account_id, name, delimiter, columns, answers, created_at, updated_at
        FROM imports.template
        WHERE ($1::uuid IS NULL OR account_id = $1) AND ($2::uuid IS NULL OR template_id < $2)
        ORDER BY template_id DESC LIMIT $3
        "#,
        filter.account_id,
        filter.before,
        count_max,
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// Forgets a template; false if there is none.
///
/// # Errors
/// As the database answers.
pub async fn delete(transaction: &mut UserTransaction, template_id: Uuid) -> Result<bool, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM imports.template WHERE template_id = $1",
        template_id
    )
    .execute(&mut **transaction)
    .await?;
    Ok(deleted.rows_affected() == 1)
}
