//! The number that a bank knows an account by: noted, changed, forgotten, and nobody's twice.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{
    Account, CloseAccountRequest, CreateAccountRequest, UpdateAccountRequest,
};
use tonic::{Code, Status};

use crate::service::{Client, Service, refused, request};

const IBAN: &str = "DE71500105170012345678";

async fn create(client: &mut Client, name: &str, number: &str) -> Result<Account, Status> {
    let asked = CreateAccountRequest {
        number: number.to_owned(),
        ..request(name)
    };
    let created = client.create_account(asked).await?;
    Ok(created.into_inner().account.unwrap())
}

async fn note(client: &mut Client, account: &Account, number: &str) -> Result<Account, Status> {
    let mut asked = UpdateAccountRequest {
        account: Some(Account {
            number: number.to_owned(),
            ..account.clone()
        }),
        update_mask: None,
    };
    asked.update_mask.get_or_insert_default().paths = vec!["number".to_owned()];
    let updated = client.update_account(asked).await?;
    Ok(updated.into_inner().account.unwrap())
}

#[track_caller]
fn taken(answer: Result<Account, Status>) {
    let refused = refused(answer);
    assert_eq!(
        (refused.code, &*refused.reason),
        (Code::AlreadyExists, "NUMBER_TAKEN")
    );
}

#[tokio::test]
async fn a_number_is_kept_without_spaces_and_can_change() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro", " de71 5001 0517 0012 3456 78 ").await;
    let account = account.unwrap();
    assert_eq!(account.number, IBAN);
    let changed = note(&mut client, &account, "12-34-56 12345678")
        .await
        .unwrap();
    assert_eq!(changed.number, "12-34-5612345678");
    assert_ne!(changed.etag, account.etag);
    let forgotten = note(&mut client, &changed, "").await.unwrap();
    assert_eq!(forgotten.number, "");
}

#[tokio::test]
async fn nonsense_is_no_number() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro", "").await.unwrap();
    for number in ["123", "a=b1234", "<script>", "12\u{0}345", &"1".repeat(65)] {
        let refusal = refused(create(&mut client, "Other", number).await);
        assert_eq!(refusal.code, Code::InvalidArgument, "{number:?}");
        assert_eq!(refusal.fields(), ["number"], "{number:?}");
        let refusal = refused(note(&mut client, &account, number).await);
        assert_eq!(refusal.fields(), ["account.number"], "{number:?}");
    }
}

#[tokio::test]
async fn no_two_open_accounts_of_a_user_have_one_number() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let first = create(&mut client, "Giro", IBAN).await.unwrap();
    taken(create(&mut client, "Again", "de71 50010517 0012345678").await);
    let bare = create(&mut client, "Bare", "").await.unwrap();
    create(&mut client, "Bare too", "").await.unwrap();
    taken(note(&mut client, &bare, IBAN).await);
    // What is refused has changed nothing: the etag still serves.
    note(&mut client, &bare, "DE96500105170087654321")
        .await
        .unwrap();
    // Somebody else has the same bank's books, and the user's own account may follow a closed one.
    let mut other = service.client(testing::user());
    create(&mut other, "Giro", IBAN).await.unwrap();
    let account_id = first.account_id.clone();
    client
        .close_account(CloseAccountRequest { account_id })
        .await
        .unwrap();
    create(&mut client, "Successor", IBAN).await.unwrap();
}

#[tokio::test]
async fn of_two_that_take_a_number_at_once_one_gets_it() {
    let service = Service::start().await;
    let user = testing::user();
    let calls = (0..6).map(|number| {
        let mut client = service.client(user);
        async move { create(&mut client, &format!("Giro {number}"), IBAN).await }
    });
    let answers = futures::future::join_all(calls).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 5));
    lost.into_iter().for_each(taken);
}
