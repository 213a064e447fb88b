//! What can be changed.

use async_graphql::{Context, ID, InputObject, Object};

use djinn_proto::{imports::v1 as imports, sync::v1 as sync};

use super::{
    account::{Account, CreateAccountInput, UpdateAccountInput},
    error::{Result, required},
    import::{AnswerImportInput, CreateImportInput, Import, RereadImportInput, import},
    row::UpdateImportRowsInput,
    scalar::RequestId,
    session::Session,
    transaction::{CreateTransactionInput, Transaction, UpdateTransactionInput},
};
use crate::domain::{Owner, cost};

/// The root of mutations.
pub(super) struct Mutation;

/// A change to an import that needs nothing but to be asked for.
#[derive(InputObject)]
pub(super) struct ImportInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The import.
    import_id: ID,
}

/// The confirmation of a review.
#[derive(InputObject)]
pub(super) struct ConfirmImportInput {
    /// Makes the call safe to repeat.
    request_id: RequestId,
    /// The import.
    import_id: ID,
    /// The review as it was read.
    etag: String,
}

/// A transaction to delete.
#[derive(InputObject)]
pub(super) struct DeleteTransactionInput {
    /// The transaction.
    transaction_id: ID,
    /// The transaction as it was read; null deletes it whatever it has become.
    etag: Option<String>,
}

/// Fields to give back to rules and banks.
#[derive(InputObject)]
pub(super) struct UnlockTransactionFieldsInput {
    /// The transaction.
    transaction_id: ID,
    /// The transaction as it was read.
    etag: String,
    /// The fields, as `lockedFields` names them; at least one.
    fields: Vec<String>,
}

/// What can be changed. The fields of one document are done one after the other; each is null when
/// it is refused, and those after it are done all the same. Whether a change took effect that was
/// answered with DEADLINE_EXCEEDED or UNAVAILABLE is not known: send it again, with the same
/// `requestId` where there is one.
#[Object]
impl Mutation {
    /// Opens an account.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn create_account(
        &self,
        context: &Context<'_>,
        input: CreateAccountInput,
    ) -> Result<Option<Account>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.create_account(session.deadline(), input.into());
        account(answer.await?.account)
    }

    /// Changes an account. Fails with ETAG_MISMATCH when it has changed since it was read.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn update_account(
        &self,
        context: &Context<'_>,
        input: UpdateAccountInput,
    ) -> Result<Option<Account>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.update_account(session.deadline(), input.into());
        account(answer.await?.account)
    }

    /// Closes an account: it keeps its transactions and takes no new ones. Closing a closed account
    /// changes nothing and succeeds.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn close_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Account>> {
        let session = begin(context)?;
        let asked = sync::CloseAccountRequest { account_id: id.0 };
        let answer = session.calls().close_account(session.deadline(), asked);
        account(answer.await?.account)
    }

    /// Enters a transaction by hand. A statement that brings the same booking later does not double
    /// it silently: the review shows both.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn create_transaction(
        &self,
        context: &Context<'_>,
        input: CreateTransactionInput,
    ) -> Result<Option<Transaction>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.create_transaction(session.deadline(), input.into());
        transaction(answer.await?.transaction)
    }

    /// Changes a transaction. Fails with ETAG_MISMATCH when it has changed since it was read, and
    /// with RECONCILED for the date or amount of a reconciled one, unless `reconciled` is sent as
    /// false.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn update_transaction(
        &self,
        context: &Context<'_>,
        input: UpdateTransactionInput,
    ) -> Result<Option<Transaction>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.update_transaction(session.deadline(), input.into());
        transaction(answer.await?.transaction)
    }

    /// Deletes a transaction for good and answers its id: an import of the same booking leaves it
    /// out unless the review asks for it. Deleting it again succeeds and changes nothing.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn delete_transaction(
        &self,
        context: &Context<'_>,
        input: DeleteTransactionInput,
    ) -> Result<Option<ID>> {
        let session = begin(context)?;
        let asked = sync::DeleteTransactionRequest {
            transaction_id: input.transaction_id.0.clone(),
            etag: input.etag.unwrap_or_default(),
        };
        let answer = session.calls();
        answer.delete_transaction(session.deadline(), asked).await?;
        Ok(Some(input.transaction_id))
    }

    /// Gives fields that were edited by hand back to rules and banks. Their values stay until one
    /// of those writes them. Fields that are not locked are ignored.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn unlock_transaction_fields(
        &self,
        context: &Context<'_>,
        input: UnlockTransactionFieldsInput,
    ) -> Result<Option<Transaction>> {
        let session = begin(context)?;
        let asked = sync::UnlockTransactionFieldsRequest {
            transaction_id: input.transaction_id.0,
            etag: input.etag,
            fields: input.fields,
        };
        let answer = session.calls();
        let answer = answer.unlock_transaction_fields(session.deadline(), asked);
        transaction(answer.await?.transaction)
    }

    /// Begins to import an uploaded file into an account. Answers at once; follow it with the
    /// subscription importProgress.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn create_import(
        &self,
        context: &Context<'_>,
        input: CreateImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.create_import(session.deadline(), input.into());
        import(answer.await?.import)
    }

    /// Answers the questions of an import in ASKING. Answers when that is durable; recognition
    /// follows and may ask again.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn answer_import(
        &self,
        context: &Context<'_>,
        input: AnswerImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.answer_import(session.deadline(), input.try_into()?);
        import(answer.await?.import)
    }

    /// Reads the stored file of an import in REVIEW or ASKING once more, under another mapping.
    /// Answers when that is durable; what was decided about the rows before is gone.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn reread_import(
        &self,
        context: &Context<'_>,
        input: RereadImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.reread_import(session.deadline(), input.try_into()?);
        import(answer.await?.import)
    }

    /// Includes or excludes rows of an import in REVIEW. All changes or none are made.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn update_import_rows(
        &self,
        context: &Context<'_>,
        input: UpdateImportRowsInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let answer = session.calls();
        let answer = answer.update_import_rows(session.deadline(), input.into());
        import(answer.await?.import)
    }

    /// Commits what the review shows, if it is still what `etag` stands for. Answers when the
    /// confirmation is durable; the commit follows.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn confirm_import(
        &self,
        context: &Context<'_>,
        input: ConfirmImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let asked = imports::ConfirmImportRequest {
            import_id: input.import_id.0,
            etag: input.etag,
            request_id: input.request_id.write(),
        };
        let answer = session.calls().confirm_import(session.deadline(), asked);
        import(answer.await?.import)
    }

    /// Ends an import without effect. Possible up to REVIEW. Cancelling a cancelled import changes
    /// nothing and succeeds.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn cancel_import(
        &self,
        context: &Context<'_>,
        input: ImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let asked = imports::CancelImportRequest {
            import_id: input.import_id.0,
            request_id: input.request_id.write(),
        };
        let answer = session.calls().cancel_import(session.deadline(), asked);
        import(answer.await?.import)
    }

    /// Undoes a committed import: removes the transactions it added, except those edited by hand
    /// since. Answers when that is durable. Undoing twice is undoing once.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn revert_import(
        &self,
        context: &Context<'_>,
        input: ImportInput,
    ) -> Result<Option<Import>> {
        let session = begin(context)?;
        let asked = imports::RevertImportRequest {
            import_id: input.import_id.0,
            request_id: input.request_id.write(),
        };
        let answer = session.calls().revert_import(session.deadline(), asked);
        import(answer.await?.import)
    }

    /// Forgets a template and answers its id: the next such statement asks again.
    #[graphql(complexity = "cost::call(child_complexity)")]
    async fn delete_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<ID>> {
        let session = begin(context)?;
        let template_id = id.0.clone();
        let asked = imports::DeleteTemplateRequest { template_id };
        let answer = session.calls();
        answer.delete_template(session.deadline(), asked).await?;
        Ok(Some(id))
    }
}

/// The session, which forgets what it was told before this change.
fn begin<'a>(context: &Context<'a>) -> Result<&'a Session> {
    let session = Session::of(context)?;
    session.forget();
    Ok(session)
}

fn account(account: Option<sync::Account>) -> Result<Option<Account>> {
    Ok(Some(required(account, Owner::Sync)?.try_into()?))
}

fn transaction(transaction: Option<sync::Transaction>) -> Result<Option<Transaction>> {
    Ok(Some(required(transaction, Owner::Sync)?.try_into()?))
}
