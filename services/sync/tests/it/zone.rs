//! The time zone of an account's holder: told, changed, forgotten, and never one that is none.

use djinn_chassis::testing;
use djinn_proto::sync::v1::{Account, CreateAccountRequest, UpdateAccountRequest};
use tonic::{Code, Status};

use crate::service::{Client, Service, refused, request};

async fn tell(client: &mut Client, account: &Account, zone: &str) -> Result<Account, Status> {
    let mut asked = UpdateAccountRequest {
        account: Some(Account {
            time_zone: zone.to_owned(),
            ..account.clone()
        }),
        update_mask: None,
    };
    asked.update_mask.get_or_insert_default().paths = vec!["time_zone".to_owned()];
    let updated = client.update_account(asked).await?;
    Ok(updated.into_inner().account.unwrap())
}

#[tokio::test]
async fn a_time_zone_is_told_and_can_change() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let asked = CreateAccountRequest {
        time_zone: "Europe/Berlin".to_owned(),
        ..request("Giro")
    };
    let created = client.create_account(asked).await.unwrap().into_inner();
    let account = created.account.unwrap();
    assert_eq!(account.time_zone, "Europe/Berlin");
    let moved = tell(&mut client, &account, "Asia/Kolkata").await.unwrap();
    assert_eq!(moved.time_zone, "Asia/Kolkata");
    let forgotten = tell(&mut client, &moved, "").await.unwrap();
    assert_eq!(forgotten.time_zone, "");
}

#[tokio::test]
async fn a_time_zone_that_does_not_exist_is_refused() {
    let service = Service::start().await;
    let mut client = service.client(testing::user());
    let asked = CreateAccountRequest {
        time_zone: "Berlin".to_owned(),
        ..request("Giro")
    };
    let answer = refused(client.create_account(asked).await);
    assert_eq!(answer.code, Code::InvalidArgument);
    assert_eq!(answer.fields(), ["time_zone"]);
    let created = client.create_account(request("Giro")).await.unwrap();
    let account = created.into_inner().account.unwrap();
    let answer = refused(tell(&mut client, &account, "CET+1").await);
    assert_eq!(answer.fields(), ["account.time_zone"]);
}
