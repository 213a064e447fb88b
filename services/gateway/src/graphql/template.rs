//! Templates: what people answered about the statements of an account, kept for the next one.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};

use djinn_proto::imports::v1 as pb;

use super::{
    account::Account,
    answer::Answer,
    error::{Refused, Result},
    scalar::DateTime,
    session::Session,
};
use crate::domain::{Owner, cost};

/// Answers for statements with one header, in one account. They come from committed imports.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Template {
    /// Its id, UUIDv7.
    id: ID,
    /// Id of the account it is for.
    account_id: ID,
    /// Name, for people: that of the file it came from.
    name: String,
    /// SHA-256 over the header's columns, in lower-case hexadecimal.
    header_fingerprint: String,
    /// The names of the columns; none for statements without a header.
    columns: Vec<String>,
    /// The answers, in the order of their keys.
    answers: Vec<Answer>,
    /// When it was first kept.
    create_time: DateTime,
    /// When its answers last changed.
    update_time: DateTime,
}

#[ComplexObject]
impl Template {
    /// The account it is for.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn account(&self, context: &Context<'_>) -> Result<Option<Account>> {
        let account = Session::of(context)?.account(&self.account_id).await?;
        Ok(Some(account.try_into()?))
    }
}

impl TryFrom<pb::Template> for Template {
    type Error = Refused;

    fn try_from(template: pb::Template) -> Result<Self> {
        let owner = Owner::Imports;
        Ok(Self {
            id: template.template_id.into(),
            account_id: template.account_id.into(),
            name: template.name,
            header_fingerprint: template.header_fingerprint,
            columns: template.columns,
            answers: Answer::sorted(template.answers),
            create_time: DateTime::require(template.create_time, owner)?,
            update_time: DateTime::require(template.update_time, owner)?,
        })
    }
}
