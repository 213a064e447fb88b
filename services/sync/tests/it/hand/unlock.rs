//! UnlockTransactionFields.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{UnlockTransactionFieldsRequest, UnlockTransactionFieldsResponse};

use super::*;
use crate::service::{Service, create, invalid};

async fn unlock(
    client: &mut Client,
    transaction: &Transaction,
    fields: &[&str],
) -> Result<Response<UnlockTransactionFieldsResponse>, Status> {
    let sent = UnlockTransactionFieldsRequest {
        transaction_id: transaction.transaction_id.clone(),
        etag: transaction.etag.clone(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    client.unlock_transaction_fields(sent).await
}

async fn unlocked(client: &mut Client, transaction: &Transaction, fields: &[&str]) -> Transaction {
    let answer = unlock(client, transaction, fields).await.unwrap();
    answer.into_inner().transaction.unwrap()
}

/// A service with a transaction of which two fields are locked.
async fn locked() -> (Service, Client, Transaction) {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let made = enter(&mut client, entry(&account_id)).await;
    let wanted = with(&made, |t| t.note = "x".to_owned());
    let locked = updated(&mut client, &wanted, &["note", "amount"]).await;
    (service, client, locked)
}

#[tokio::test]
async fn fields_are_given_back_with_their_values() {
    let (_service, mut client, locked) = locked().await;
    let fields = ["note", "description", "reconciled", "note"];
    let found = unlocked(&mut client, &locked, &fields).await;
    let expected = Transaction {
        locked_fields: vec!["amount".to_owned()],
        etag: found.etag.clone(),
        update_time: found.update_time,
        ..locked.clone()
    };
    assert_eq!(found, expected);
    assert_ne!(found.etag, locked.etag);
    let again = updated(&mut client, &found, &["note"]).await;
    assert_eq!(again.locked_fields, ["amount", "note"]);
}

#[tokio::test]
async fn what_is_not_locked_is_ignored() {
    let (service, mut client, locked) = locked().await;
    let versions = "SELECT count(*) FROM ledger.change";
    let before = service.count(versions).await;
    let found = unlocked(&mut client, &locked, &["description", "value_on"]).await;
    assert_eq!(found, locked);
    assert_eq!(service.count(versions).await, before);
}

#[tokio::test]
async fn what_has_changed_since_is_not_unlocked() {
    let (_service, mut client, locked) = locked().await;
    let stale = with(&locked, |t| t.etag = "garbage".to_owned());
    let refused = unlock(&mut client, &stale, &["note"]).await;
    refusal(refused, Code::Aborted, "ETAG_MISMATCH");
    let found = unlocked(&mut client, &locked, &["note"]).await;
    let refused = unlock(&mut client, &locked, &["amount"]).await;
    refusal(refused, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(found.locked_fields, ["amount"]);
}

#[tokio::test]
async fn wrong_requests_name_their_fields() {
    let (_service, mut client, locked) = locked().await;
    let huge = "x".repeat(100_000);
    for (fields, expected) in [
        (&[][..], &["fields"][..]),
        (&["nonsense"], &["fields"]),
        (&["note", "account_id"], &["fields"]),
        (&[&*huge], &["fields"]),
    ] {
        let refused = unlock(&mut client, &locked, fields).await;
        assert_eq!(invalid(refused), expected);
    }
    let nothing = UnlockTransactionFieldsRequest::default();
    let nothing = client.unlock_transaction_fields(nothing).await;
    assert_eq!(invalid(nothing), ["transaction_id", "etag", "fields"]);
    let unknown = with(&locked, |t| t.transaction_id = Uuid::new_v4().to_string());
    let refused = unlock(&mut client, &unknown, &["note"]).await;
    refusal(refused, Code::NotFound, "NOT_FOUND");
    let unchanged = get(&mut client, &locked.transaction_id).await.unwrap();
    assert_eq!(unchanged, locked);
}
