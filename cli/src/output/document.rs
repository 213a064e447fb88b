//! The JSON documents of `--json`: proto3 JSON inside, one key on the outside.

use djinn_proto::{
    imports::v1::{
        BalanceGap, ExportTemplateResponse, Import, ImportRow, PreviewReading, PreviewRow,
        Question, Reading, Template, Upload,
    },
    sync::v1::{Account, Transaction, TransactionChange},
};
use serde::Serialize;

use crate::error::{Error, Field};

/// An account.
pub(crate) fn account(account: &Account) -> impl Serialize {
    account
}

/// Accounts: `{"accounts":[...]}`.
#[derive(Serialize)]
pub(crate) struct Accounts<'a> {
    /// The accounts, oldest first.
    pub(crate) accounts: &'a [Account],
}

/// An import.
pub(crate) fn import(import: &Import) -> impl Serialize {
    import
}

/// Imports: `{"imports":[...]}`.
#[derive(Serialize)]
pub(crate) struct Imports<'a> {
    /// The imports, newest first.
    pub(crate) imports: &'a [Import],
}

/// Rows: `{"rows":[...]}`.
#[derive(Serialize)]
pub(crate) struct Rows<'a> {
    /// The rows in the order of the file.
    pub(crate) rows: &'a [ImportRow],
}

/// A template.
pub(crate) fn template(template: &Template) -> impl Serialize {
    template
}

/// A template as a file: its bytes in base64.
pub(crate) fn exported(file: &ExportTemplateResponse) -> impl Serialize {
    file
}

/// Templates: `{"templates":[...]}`.
#[derive(Serialize)]
pub(crate) struct Templates<'a> {
    /// The templates, newest first.
    pub(crate) templates: &'a [Template],
}

/// A template that is gone: `{"templateId":".."}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedTemplate<'a> {
    /// Its id.
    pub(crate) template_id: &'a str,
}

/// A report that was written: `{"path":"..","sizeBytes":".."}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The file.
    pub(crate) path: String,
    /// Its size, a string as every 64-bit number.
    pub(crate) size_bytes: String,
}

/// Transactions: `{"transactions":[...]}`.
#[derive(Serialize)]
pub(crate) struct Transactions<'a> {
    /// The transactions, newest booking first.
    pub(crate) transactions: &'a [Transaction],
}

/// A transaction.
pub(crate) fn transaction(transaction: &Transaction) -> impl Serialize {
    transaction
}

/// A transaction and its history: `{"transaction":{...},"changes":[...]}`.
#[derive(Serialize)]
pub(crate) struct TransactionHistory<'a> {
    /// The transaction; null for one that is gone.
    pub(crate) transaction: Option<&'a Transaction>,
    /// What happened to it, newest first.
    pub(crate) changes: &'a [TransactionChange],
}

/// A transaction that was deleted: `{"transactionId":".."}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedTransaction<'a> {
    /// Its id.
    pub(crate) transaction_id: &'a str,
}

/// A preview: `{"upload":{...},"reading":{...},"questions":[...],"rows":[...]}`.
#[derive(Serialize)]
pub(crate) struct Preview<'a> {
    upload: &'a Upload,
    reading: Option<&'a Reading>,
    questions: &'a [Question],
    balance_gaps: &'a [BalanceGap],
    balance_gap_count: i64,
    rows: &'a [PreviewRow],
}

impl<'a> Preview<'a> {
    /// All parts of a preview.
    pub(crate) fn new(
        upload: &'a Upload,
        reading: &'a PreviewReading,
        rows: &'a [PreviewRow],
    ) -> Self {
        Self {
            upload,
            reading: reading.reading.as_ref(),
            questions: &reading.questions,
            balance_gaps: &reading.balance_gaps,
            balance_gap_count: reading.balance_gap_count,
            rows,
        }
    }
}

/// A token: `{"token":"..","user_id":"..","expires_at":".."}`.
#[derive(Serialize)]
pub(crate) struct Token {
    /// The token itself.
    pub(crate) token: String,
    /// The user it speaks for.
    pub(crate) user_id: String,
    /// When it ends, RFC 3339 in UTC.
    pub(crate) expires_at: String,
}

/// A failure: `{"error":{"reason":"..","message":"..","fields":[..]}}`.
#[derive(Serialize)]
pub(crate) struct Failure {
    error: FailureDetail,
}

#[derive(Serialize)]
struct FailureDetail {
    reason: String,
    message: String,
    fields: Vec<Field>,
}

/// What went wrong, for programs.
pub(crate) fn failure(error: &Error) -> Failure {
    Failure {
        error: FailureDetail {
            reason: error.reason(),
            message: error.to_string(),
            fields: error.fields(),
        },
    }
}

#[cfg(test)]
mod tests {
    use djinn_proto::{common::v1::Money, imports::v1::ImportState};

    use super::*;

    #[track_caller]
    fn check(document: &impl Serialize, expected: &str) {
        assert_eq!(serde_json::to_string(document).unwrap(), expected);
    }

    #[test]
    fn lists_are_there_even_when_they_are_empty() {
        check(&Accounts { accounts: &[] }, r#"{"accounts":[]}"#);
        check(&Imports { imports: &[] }, r#"{"imports":[]}"#);
        check(&Rows { rows: &[] }, r#"{"rows":[]}"#);
        check(&Templates { templates: &[] }, r#"{"templates":[]}"#);
        check(
            &DeletedTemplate { template_id: "t" },
            r#"{"templateId":"t"}"#,
        );
        check(
            &Transactions { transactions: &[] },
            r#"{"transactions":[]}"#,
        );
    }

    #[test]
    fn messages_follow_the_rules_of_protobuf() {
        let money = Money {
            currency_code: "EUR".to_owned(),
            minor_units: -1230,
        };
        let transaction = Transaction {
            transaction_id: "t".to_owned(),
            amount: Some(money),
            ..Transaction::default()
        };
        check(
            &Transactions {
                transactions: &[transaction],
            },
            concat!(
                r#"{"transactions":[{"transactionId":"t","#,
                r#""amount":{"currencyCode":"EUR","minorUnits":"-1230"}}]}"#
            ),
        );
        let review = Import {
            import_id: "i".to_owned(),
            state: ImportState::Review.into(),
            ..Import::default()
        };
        check(
            &import(&review),
            r#"{"importId":"i","state":"IMPORT_STATE_REVIEW"}"#,
        );
    }

    #[test]
    fn failures_name_reason_message_and_fields() {
        check(
            &failure(&Error::NoToken),
            concat!(
                r#"{"error":{"reason":"TOKEN_MISSING","#,
                r#""message":"no access token was given","fields":[]}}"#
            ),
        );
    }
}
