//! What can be read.

use async_graphql::{Context, ID, Object};

use djinn_proto::{imports::v1 as imports, sync::v1 as sync};

use super::{
    account::{Account, AccountState},
    connection::{Connection, Page},
    error::{Result, required},
    import::{Import, ImportState},
    row::{ImportRow, RowVerdict},
    scalar::Date,
    session::Session,
    template::Template,
    transaction::{Transaction, TransactionChange},
};
use crate::domain::{Owner, cost};

/// The root of queries.
pub(super) struct Query;

/// What can be read. Every field is null when it is refused, with an error that says why; the ids
/// of another user are refused with NOT_FOUND exactly as unknown ones.
#[Object]
#[expect(
    clippy::too_many_arguments,
    reason = "the arguments of a method are those of its field"
)]
impl Query {
    /// An account with its balance.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Account>> {
        let account = Session::of(context)?.account(&id).await?;
        Ok(Some(account.try_into()?))
    }

    /// The user's accounts, oldest first.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only those in this state.")] state: Option<AccountState>,
    ) -> Result<Option<Connection<Account>>> {
        let (session, page) = (Session::of(context)?, Page::of(first, after)?);
        let state = state.map(sync::AccountState::from);
        let asked = sync::ListAccountsRequest {
            page_size: page.size,
            page_token: page.token.clone(),
            state: state.unwrap_or_default().into(),
        };
        let answer = session.calls().list_accounts(session.deadline(), asked);
        let answer = answer.await?;
        Ok(Some(page.holds(answer.accounts, answer.next_page_token)?))
    }

    /// A transaction.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn transaction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Transaction>> {
        let transaction = Session::of(context)?.transaction(&id).await?;
        Ok(Some(transaction.try_into()?))
    }

    /// Transactions that fit every filter, newest booking first.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn transactions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only those of this account.")] account_id: Option<ID>,
        #[graphql(desc = "Only those added by this import.")] import_id: Option<ID>,
        #[graphql(desc = "Only those booked on this day or later.")] booked_from: Option<Date>,
        #[graphql(desc = "Only those booked on this day or earlier.")] booked_to: Option<Date>,
        #[graphql(
            desc = "Only those whose description or counterparty holds this text, in any case; at \
                    most 100 characters."
        )]
        text: Option<String>,
    ) -> Result<Option<Connection<Transaction>>> {
        let (session, page) = (Session::of(context)?, Page::of(first, after)?);
        let asked = sync::ListTransactionsRequest {
            page_size: page.size,
            page_token: page.token.clone(),
            account_id: account_id.unwrap_or_default().0,
            import_id: import_id.unwrap_or_default().0,
            booked_from: booked_from.map(Date::write).unwrap_or_default(),
            booked_to: booked_to.map(Date::write).unwrap_or_default(),
            text: text.unwrap_or_default(),
        };
        let answer = session.calls().list_transactions(session.deadline(), asked);
        let answer = answer.await?;
        let page = page.holds(answer.transactions, answer.next_page_token)?;
        Ok(Some(page))
    }

    /// What happened to a transaction, newest first; also to one that was deleted.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn transaction_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The transaction.")] transaction_id: ID,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
    ) -> Result<Option<Connection<TransactionChange>>> {
        let (session, page) = (Session::of(context)?, Page::of(first, after)?);
        let asked = sync::ListTransactionChangesRequest {
            transaction_id: transaction_id.0,
            page_size: page.size,
            page_token: page.token.clone(),
        };
        let answer = session.calls();
        let answer = answer.list_transaction_changes(session.deadline(), asked);
        let answer = answer.await?;
        Ok(Some(page.holds(answer.changes, answer.next_page_token)?))
    }

    /// An import.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn import(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Import>> {
        let import = Session::of(context)?.import(&id).await?;
        Ok(Some(import.try_into()?))
    }

    /// The user's imports, newest first.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn imports(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only those of this account.")] account_id: Option<ID>,
        #[graphql(desc = "Only those in one of these states.")] states: Option<Vec<ImportState>>,
    ) -> Result<Option<Connection<Import>>> {
        let (session, page) = (Session::of(context)?, Page::of(first, after)?);
        let asked = imports::ListImportsRequest {
            page_size: page.size,
            page_token: page.token.clone(),
            account_id: account_id.unwrap_or_default().0,
            states: numbers::<_, imports::ImportState>(states),
        };
        let answer = session.calls().list_imports(session.deadline(), asked);
        let answer = answer.await?;
        Ok(Some(page.holds(answer.imports, answer.next_page_token)?))
    }

    /// The rows of an import in the order of the file, once it has been matched.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn import_rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The import.")] import_id: ID,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only rows with one of these verdicts.")] verdicts: Option<
            Vec<RowVerdict>,
        >,
        #[graphql(desc = "Only rows that a commit adds, or only those it does not.")]
        included: Option<bool>,
        #[graphql(desc = "Only rows that go into this account.")] account_id: Option<ID>,
    ) -> Result<Option<Connection<ImportRow>>> {
        let asked = imports::ListImportRowsRequest {
            import_id: import_id.0,
            verdicts: numbers::<_, imports::RowVerdict>(verdicts),
            included,
            account_id: account_id.unwrap_or_default().0,
            ..imports::ListImportRowsRequest::default()
        };
        rows(context, asked, first, after).await
    }

    /// A template.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Template>> {
        let session = Session::of(context)?;
        let asked = imports::GetTemplateRequest { template_id: id.0 };
        let answer = session.calls().get_template(session.deadline(), asked);
        let template = required(answer.await?.template, Owner::Imports)?;
        Ok(Some(template.try_into()?))
    }

    /// The user's templates, newest first.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn templates(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many to return at most, 1 to 1000; 100 if it is not told.")]
        first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before, with the same other arguments.")]
        after: Option<String>,
        #[graphql(desc = "Only those of this account.")] account_id: Option<ID>,
    ) -> Result<Option<Connection<Template>>> {
        let (session, page) = (Session::of(context)?, Page::of(first, after)?);
        let asked = imports::ListTemplatesRequest {
            page_size: page.size,
            page_token: page.token.clone(),
            account_id: account_id.unwrap_or_default().0,
        };
        let answer = session.calls().list_templates(session.deadline(), asked);
        let answer = answer.await?;
        Ok(Some(page.holds(answer.templates, answer.next_page_token)?))
    }
}

/// A page of rows; `asked` says of what.
pub(super) async fn rows(
    context: &Context<'_>,
    asked: imports::ListImportRowsRequest,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Option<Connection<ImportRow>>> {
    let (session, page) = (Session::of(context)?, Page::of(first, after)?);
    let asked = imports::ListImportRowsRequest {
        page_size: page.size,
        page_token: page.token.clone(),
        ..asked
    };
    let answer = session.calls().list_import_rows(session.deadline(), asked);
    let answer = answer.await?;
    Ok(Some(page.holds(answer.rows, answer.next_page_token)?))
}

/// The values of a filter as the numbers of the proto's enum `P`; none for no filter.
pub(super) fn numbers<T, P: From<T> + Into<i32>>(values: Option<Vec<T>>) -> Vec<i32> {
    let values = values.unwrap_or_default().into_iter();
    values.map(|value| P::from(value).into()).collect()
}
