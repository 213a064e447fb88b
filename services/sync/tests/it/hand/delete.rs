//! DeleteTransaction: once, twice, and against others.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{GetAccountRequest, ListTransactionsRequest};

use super::*;
use crate::service::{Service, booking, create, invalid};

#[tokio::test]
async fn what_is_deleted_is_gone_and_deleting_again_succeeds() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let id = service
        .book(user, &[booking(&account_id, 5)])
        .await
        .remove(0);
    let read = get(&mut client, &id).await.unwrap();
    let refused = delete(&mut client, &id, "garbage").await;
    refusal(refused, Code::Aborted, "ETAG_MISMATCH");
    delete(&mut client, &id, &read.etag).await.unwrap();
    refusal(get(&mut client, &id).await, Code::NotFound, "NOT_FOUND");
    let listed = client
        .list_transactions(ListTransactionsRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().transactions, []);
    let account = client.get_account(GetAccountRequest { account_id }).await;
    let account = account.unwrap().into_inner().account.unwrap();
    assert_eq!(account.balance, money("EUR", 0));

    let versions = "SELECT count(*) FROM ledger.change";
    let before = service.count(versions).await;
    for etag in ["", &read.etag, "garbage"] {
        delete(&mut client, &id, etag).await.unwrap();
    }
    assert_eq!(service.count(versions).await, before);
    let refused = update(&mut client, &read, &["note"]).await;
    refusal(refused, Code::NotFound, "NOT_FOUND");
    let tombstones = "SELECT count(*) FROM ledger.tombstone WHERE cause = 'user'";
    assert_eq!(service.count(tombstones).await, 1);
}

#[tokio::test]
async fn what_never_was_is_not_found() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    for id in [Uuid::new_v4().to_string(), account_id] {
        let refused = delete(&mut client, &id, "").await;
        refusal(refused, Code::NotFound, "NOT_FOUND");
    }
    for id in ["", "x"] {
        assert_eq!(
            invalid(delete(&mut client, id, "").await),
            ["transaction_id"]
        );
    }
}

/// Eight edits and eight deletions of what all have read: the edits that win come before the
/// deletion, and then no deletion wins.
#[tokio::test]
async fn an_edit_against_a_deletion_leaves_one_winner() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let made = enter(&mut client, entry(&account_id)).await;
    let id = &made.transaction_id;
    let calls = (0..8).map(|number| {
        let (mut client, made) = (service.client(user), made.clone());
        async move {
            let reason = |status| refused(Err::<(), _>(status)).reason;
            if number % 2 == 0 {
                let wanted = with(&made, |t| t.note = "edited".to_owned());
                let edited = update(&mut client, &wanted, &["note"]).await;
                edited.map(|_| "edited").map_err(reason)
            } else {
                let deleted = delete(&mut client, &made.transaction_id, &made.etag).await;
                deleted.map(|_| "deleted").map_err(reason)
            }
        }
    });
    let answers = futures::future::join_all(calls).await;
    let count = |wanted: Result<&str, String>| {
        let found = answers.iter().filter(|answer| **answer == wanted);
        found.count()
    };
    match get(&mut client, id).await {
        Ok(read) => {
            assert_eq!(read.note, "edited");
            assert_eq!(count(Ok("edited")), 1, "{answers:?}");
            assert_eq!(count(Err("ETAG_MISMATCH".to_owned())), 7, "{answers:?}");
        }
        Err(_) => {
            // Deleting what is gone succeeds; editing it does not.
            assert_eq!(count(Ok("deleted")), 4, "{answers:?}");
            assert_eq!(count(Err("NOT_FOUND".to_owned())), 4, "{answers:?}");
        }
    }
}

/// The phone learns of a deletion, and of all that went with it, by the tombstone.
#[tokio::test]
async fn every_row_that_is_written_has_a_version() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let made = enter(&mut client, entry(&account_id)).await;
    let wanted = with(&made, |t| t.note = "x".to_owned());
    updated(&mut client, &wanted, &["note", "amount"]).await;
    let other = enter(&mut client, entry(&account_id)).await;
    updated(&mut client, &other, &["note"]).await;
    delete(&mut client, &made.transaction_id, "").await.unwrap();
    for (sql, expected) in [
        (
            "SELECT count(*) FROM ledger.tombstone JOIN ledger.change USING (user_id, change_id)",
            1,
        ),
        (
            "SELECT count(*) FROM ledger.field_lock JOIN ledger.change USING (user_id, change_id)",
            1,
        ),
        (
            "SELECT count(*) FROM ledger.provenance JOIN ledger.change USING (user_id, change_id)",
            1,
        ),
        (
            "SELECT count(*) FROM ledger.edit e WHERE NOT EXISTS (SELECT FROM ledger.change c \
             WHERE c.user_id = e.user_id AND c.change_id = e.change_id)",
            0,
        ),
        (
            "SELECT count(*) FROM ledger.account a WHERE version = \
             (SELECT max(version) FROM ledger.change)",
            1,
        ),
    ] {
        assert_eq!(service.count(sql).await, expected, "{sql}");
    }
}
