//! ListTransactionChanges.

use djinn_chassis::{serve::MESSAGE_BYTES_MAX, testing};
use djinn_proto::sync::v1::{
    ListTransactionChangesResponse, TransactionChangeActor as Actor, TransactionChangeKind as Kind,
    UnlockTransactionFieldsRequest,
};
use prost::Message;

use super::*;
use crate::service::{Service, booking, create, invalid};

/// A change in short.
fn told(change: &TransactionChange) -> (Kind, Actor, Vec<String>) {
    let fields = change.fields.iter();
    let fields =
        fields.map(|field| format!("{} {}>{}", field.field, field.old_value, field.new_value));
    (change.kind(), change.actor(), fields.collect())
}

#[tokio::test]
async fn everything_is_told_newest_first_also_of_what_is_gone() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let import_id = Uuid::new_v4();
    let mut entry = booking(&account_id, -1_230);
    entry.import_id = Some(import_id);
    let id = service.book(user, &[entry]).await.remove(0);
    let read = get(&mut client, &id).await.unwrap();
    let wanted = with(&read, |t| {
        t.amount = money("EUR", 5);
        t.note = "mine".to_owned();
        t.reconciled = true;
    });
    let edited = updated(&mut client, &wanted, &["note", "reconciled", "amount"]).await;
    let open = with(&edited, |t| t.reconciled = false);
    let open = updated(&mut client, &open, &["reconciled"]).await;
    let sent = UnlockTransactionFieldsRequest {
        transaction_id: id.clone(),
        etag: open.etag,
        fields: vec!["note".to_owned()],
    };
    client.unlock_transaction_fields(sent).await.unwrap();

    let found = changes(&mut client, &id).await;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let expected = [
        (Kind::Unlocked, Actor::User, texts(&["note >"])),
        (Kind::Edited, Actor::User, texts(&["reconciled true>false"])),
        (
            Kind::Edited,
            Actor::User,
            texts(&["amount -12.30>0.05", "note >mine", "reconciled false>true"]),
        ),
        (Kind::Created, Actor::Import, vec![]),
    ];
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), expected);
    let created = &found[3];
    assert_eq!(created.reference, import_id.to_string());
    assert_eq!(created.change_time, read.create_time);
    assert!(found[..3].iter().all(|change| change.reference.is_empty()));
    assert_eq!(found[2].change_time, edited.update_time);

    delete(&mut client, &id, "").await.unwrap();
    let gone = changes(&mut client, &id).await;
    assert_eq!(gone[1..], found[..]);
    assert_eq!(
        told(&gone[0]),
        (
            Kind::Deleted,
            Actor::User,
            vec![
                format!("account_id {account_id}>"),
                "amount 0.05>".to_owned(),
                "booked_on 2026-01-31>".to_owned(),
                gone[0].fields[3].field.clone() + " " + &gone[0].fields[3].old_value + ">",
                "description REWE>".to_owned(),
                format!("import_id {import_id}>"),
                "note mine>".to_owned(),
                "source import>".to_owned(),
            ]
        )
    );
    assert_eq!(gone[0].fields[3].field, "create_time");
}

#[tokio::test]
async fn an_entered_one_was_created_by_its_user() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let made = enter(&mut client, entry(&account_id)).await;
    let found = changes(&mut client, &made.transaction_id).await;
    assert_eq!(found.len(), 1);
    assert_eq!(told(&found[0]), (Kind::Created, Actor::User, vec![]));
    assert_eq!(found[0].reference, "");
    assert_eq!(found[0].change_time, made.create_time);
}

async fn page(
    client: &mut Client,
    transaction_id: &str,
    page_size: i32,
    page_token: String,
) -> Result<ListTransactionChangesResponse, Status> {
    let sent = ListTransactionChangesRequest {
        transaction_id: transaction_id.to_owned(),
        page_size,
        page_token,
    };
    let page = client.list_transaction_changes(sent).await?;
    Ok(page.into_inner())
}

#[tokio::test]
async fn pages_walk_everything_once() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account_id = create(&mut client, "Giro").await.account_id;
    let mut made = enter(&mut client, entry(&account_id)).await;
    for number in 0..5 {
        made.note = number.to_string();
        made = updated(&mut client, &made, &["note", "description"]).await;
    }
    let id = made.transaction_id;
    let expected = changes(&mut client, &id).await;
    assert_eq!(expected.len(), 6);
    for page_size in [1, 2, 5, 6, 7, 0, 5_000] {
        let (mut walked, mut token) = (Vec::new(), String::new());
        loop {
            let page = page(&mut client, &id, page_size, token).await.unwrap();
            walked.extend(page.changes);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(walked, expected, "{page_size}");
    }
    // A token is good for its own transaction alone.
    let first = page(&mut client, &id, 1, String::new()).await.unwrap();
    let other = enter(&mut client, entry(&account_id)).await.transaction_id;
    for (id, size, token, field) in [
        (&*other, 0, first.next_page_token, "page_token"),
        (&id, 0, "garbage".to_owned(), "page_token"),
        (&id, 0, "A".repeat(1_000_000), "page_token"),
        (&id, -1, String::new(), "page_size"),
        ("", 0, String::new(), "transaction_id"),
    ] {
        let refused = page(&mut client, id, size, token).await;
        assert_eq!(invalid(refused), [field]);
    }
    let unknown = page(&mut client, &Uuid::new_v4().to_string(), 0, String::new()).await;
    refusal(unknown, Code::NotFound, "NOT_FOUND");
}

#[tokio::test]
async fn a_page_fits_a_message_whatever_its_texts() {
    let service = Service::start().await;
    let user = testing::user();
    let mut client = service.client(user);
    let account_id = create(&mut client, "Giro").await.account_id;
    let mut made = enter(&mut client, entry(&account_id)).await;
    // Each edit tells the old note and the new one, of four bytes a character.
    for number in 0..150 {
        made.note = ["🧀", "🥖"][number % 2].repeat(4_000);
        made = updated(&mut client, &made, &["note"]).await;
    }
    let (mut found, mut pages, mut token) = (0, 0, String::new());
    loop {
        let page = page(&mut client, &made.transaction_id, 1_000, token).await;
        let page = page.unwrap();
        assert!(page.encoded_len() < MESSAGE_BYTES_MAX);
        (found, pages) = (found + page.changes.len(), pages + 1);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, 151);
    assert!(pages > 1, "{pages}");
}
