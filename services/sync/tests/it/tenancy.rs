//! Who may call, and that another user's things are as things that do not exist.

use djinn_chassis::testing::{self, Keys};
use djinn_proto::sync::v1::{
    Account, CloseAccountRequest, CreateTransactionRequest, DeleteTransactionRequest,
    GetAccountRequest, GetTransactionRequest, ListAccountsRequest, ListTransactionChangesRequest,
    ListTransactionsRequest, Transaction, UnlockTransactionFieldsRequest, UpdateAccountRequest,
    UpdateTransactionRequest,
};
use pbjson_types::FieldMask;
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use crate::service::{Client, Refused, Service, booking, create, money, refused, request};

fn rename(account_id: &str, etag: &str) -> UpdateAccountRequest {
    UpdateAccountRequest {
        account: Some(Account {
            account_id: account_id.to_owned(),
            etag: etag.to_owned(),
            name: "Mine".to_owned(),
            ..Account::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["name".to_owned()],
        }),
    }
}

/// The refusals of every method, in the order of the proto; creating and listing everything have no
/// id in them.
async fn ask_for(client: &mut Client, id: &str, etag: &str) -> Vec<(&'static str, Refused)> {
    let account_id = id.to_owned();
    let transaction_id = id.to_owned();
    let get = client
        .get_account(GetAccountRequest {
            account_id: account_id.clone(),
        })
        .await;
    let update = client.update_account(rename(id, etag)).await;
    let close = client
        .close_account(CloseAccountRequest {
            account_id: account_id.clone(),
        })
        .await;
    let transaction = client
        .get_transaction(GetTransactionRequest { transaction_id })
        .await;
    let sent = ListTransactionsRequest {
        account_id,
        ..ListTransactionsRequest::default()
    };
    let list = client.list_transactions(sent).await;
    let mut refusals = vec![
        ("GetAccount", refused(get)),
        ("UpdateAccount", refused(update)),
        ("CloseAccount", refused(close)),
        ("GetTransaction", refused(transaction)),
        ("ListTransactions", refused(list)),
    ];
    refusals.extend(ask_to_edit(client, id, etag).await);
    refusals
}

/// The refusals of the methods that edit transactions by hand, and of their histories.
async fn ask_to_edit(client: &mut Client, id: &str, etag: &str) -> Vec<(&'static str, Refused)> {
    let sent = CreateTransactionRequest {
        request_id: Uuid::new_v4().to_string(),
        account_id: id.to_owned(),
        booked_on: "2026-01-31".to_owned(),
        amount: money("EUR", 1),
        description: "Mine".to_owned(),
        ..CreateTransactionRequest::default()
    };
    let create = client.create_transaction(sent).await;
    let sent = UpdateTransactionRequest {
        transaction: Some(Transaction {
            transaction_id: id.to_owned(),
            etag: etag.to_owned(),
            note: "Mine".to_owned(),
            ..Transaction::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["note".to_owned()],
        }),
    };
    let update = client.update_transaction(sent).await;
    let sent = DeleteTransactionRequest {
        transaction_id: id.to_owned(),
        etag: String::new(),
    };
    let delete = client.delete_transaction(sent).await;
    let sent = UnlockTransactionFieldsRequest {
        transaction_id: id.to_owned(),
        etag: etag.to_owned(),
        fields: vec!["note".to_owned()],
    };
    let unlock = client.unlock_transaction_fields(sent).await;
    let sent = ListTransactionChangesRequest {
        transaction_id: id.to_owned(),
        ..ListTransactionChangesRequest::default()
    };
    let changes = client.list_transaction_changes(sent).await;
    vec![
        ("CreateTransaction", refused(create)),
        ("UpdateTransaction", refused(update)),
        ("DeleteTransaction", refused(delete)),
        ("UnlockTransactionFields", refused(unlock)),
        ("ListTransactionChanges", refused(changes)),
    ]
}

#[tokio::test]
async fn another_users_ids_are_as_unknown_ones() {
    let service = Service::start().await;
    let (ann, bob) = (testing::user(), testing::user());
    let mut anns = service.client(ann);
    let account = create(&mut anns, "Giro").await;
    let import_id = Uuid::new_v4();
    let mut entry = booking(&account.account_id, 5);
    entry.import_id = Some(import_id);
    let transaction = service.book(ann, &[entry]).await.remove(0);
    // Bob is no stranger: he has things of his own.
    let mut bobs = service.client(bob);
    create(&mut bobs, "Bob's").await;

    // One of Ann's is gone, and nobody else learns that it was.
    let entries = [booking(&account.account_id, 7)];
    let deleted = service.book(ann, &entries).await.remove(0);
    let sent = DeleteTransactionRequest {
        transaction_id: deleted.clone(),
        etag: String::new(),
    };
    anns.delete_transaction(sent).await.unwrap();

    for theirs in [&account.account_id, &transaction, &deleted] {
        let unknown = Uuid::new_v4().to_string();
        let mut expected = ask_for(&mut bobs, &unknown, &account.etag).await;
        for (method, refused) in &mut expected {
            let found = (refused.code, &*refused.reason);
            assert_eq!(found, (Code::NotFound, "NOT_FOUND"), "{method}");
            refused.message = refused.message.replace(&unknown, theirs);
        }
        assert_eq!(ask_for(&mut bobs, theirs, &account.etag).await, expected);
    }

    // An import's transactions are a filter: nobody's are an empty list.
    for import_id in [import_id, Uuid::new_v4()] {
        let sent = ListTransactionsRequest {
            import_id: import_id.to_string(),
            ..ListTransactionsRequest::default()
        };
        let listed = bobs.list_transactions(sent).await.unwrap().into_inner();
        assert_eq!(listed, Default::default());
    }
    let listed = bobs
        .list_transactions(ListTransactionsRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().transactions, []);
    let listed = bobs.list_accounts(ListAccountsRequest::default()).await;
    let names: Vec<_> = listed.unwrap().into_inner().accounts;
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].name, "Bob's");

    let account_id = account.account_id.clone();
    let untouched = anns.get_account(GetAccountRequest { account_id }).await;
    let untouched = untouched.unwrap().into_inner().account.unwrap();
    assert_eq!(
        (&untouched.name, &untouched.etag),
        (&account.name, &account.etag)
    );
}

/// Page tokens hold a position, not a right.
#[tokio::test]
async fn another_users_page_token_opens_nothing() {
    let service = Service::start().await;
    let mut anns = service.client(testing::user());
    for name in ["a", "b", "c"] {
        create(&mut anns, name).await;
    }
    let sent = ListAccountsRequest {
        page_size: 1,
        ..ListAccountsRequest::default()
    };
    let page_token = anns
        .list_accounts(sent)
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    let mut bobs = service.client(testing::user());
    let sent = ListAccountsRequest {
        page_token,
        ..ListAccountsRequest::default()
    };
    let listed = bobs.list_accounts(sent).await.unwrap().into_inner();
    assert_eq!(listed.accounts, []);
}

#[tokio::test]
async fn no_method_opens_without_a_good_token() {
    let service = Service::start().await;
    let user = testing::user();
    let account = create(&mut service.client(user), "Giro").await;
    let now = testing::clock().now().timestamp();
    let forged = Keys::generate().sign(&json!({
        "iss": testing::ISSUER, "aud": testing::AUDIENCE, "sub": user.to_string(),
        "nbf": now - 5, "exp": now + 600,
    }));
    for (token, reason) in [
        (None, "TOKEN_MISSING"),
        (Some("x".to_owned()), "TOKEN_INVALID"),
        (Some(forged), "TOKEN_INVALID"),
        (
            Some(testing::token_with(user, &json!({"exp": now - 1}))),
            "TOKEN_EXPIRED",
        ),
        (
            Some(testing::token_with(user, &json!({"aud": "other"}))),
            "TOKEN_INVALID",
        ),
        (
            Some(testing::token_with(user, &json!({"iss": "other"}))),
            "TOKEN_INVALID",
        ),
        (
            Some(testing::token_with(user, &json!({"sub": "root"}))),
            "TOKEN_INVALID",
        ),
    ] {
        let mut client = service.client_with(token.as_deref());
        let mut found = ask_for(&mut client, &account.account_id, &account.etag).await;
        let create = client.create_account(request("Mine")).await;
        found.push(("CreateAccount", refused(create)));
        let list = client.list_accounts(ListAccountsRequest::default()).await;
        found.push(("ListAccounts", refused(list)));
        for (method, refused) in found {
            let found = (refused.code, &*refused.reason);
            assert_eq!(found, (Code::Unauthenticated, reason), "{method}");
        }
    }
    assert_eq!(
        service.count("SELECT count(*) FROM ledger.account").await,
        1
    );
}
