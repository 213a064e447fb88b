//! What every service of the mesh has: health, reflection, the admin port, and an end.

use std::time::Duration;

use djinn_chassis::testing::{self, Proxy};
use djinn_proto::sync::v1::ListAccountsRequest;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{v1, v1alpha};

use crate::service::{PATIENCE, Service, create, refused};

const NAME: &str = "djinn.sync.v1.LedgerService";

#[tokio::test]
async fn health_and_the_admin_port_need_no_token() {
    let service = Service::start().await;
    let mut health = HealthClient::new(service.channel());
    for name in ["", NAME] {
        let sent = HealthCheckRequest {
            service: name.to_owned(),
        };
        let checked = health.check(sent).await.unwrap().into_inner();
        assert_eq!(checked.status(), ServingStatus::Serving, "{name:?}");
    }
    let (status, _) = testing::get(service.admin, "/livez").await.unwrap();
    assert_eq!(status, 200);
    let (status, _) = testing::get(service.admin, "/metrics").await.unwrap();
    assert_eq!(status, 200);
    service.stop().await;
}

#[tokio::test]
async fn reflection_names_the_service_in_both_versions() {
    let service = Service::start().await;
    let sent = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(service.channel());
    let mut answers = client
        .server_reflection_info(futures::stream::iter([sent]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert!(format!("{answer:?}").contains(NAME), "{answer:?}");

    let sent = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                NAME.to_owned(),
            ),
        ),
    };
    let channel = service.channel();
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let mut answers = client
        .server_reflection_info(futures::stream::iter([sent]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let text = format!("{answer:?}");
    assert!(text.contains("FileDescriptorResponse"), "{text:.200}");
}

/// The service starts and lives without its database, says so, and is well again by itself.
#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let database = testing::database().await;
    let url = database.url("djinn_sync");
    let (_, target) = url.split_once('@').unwrap();
    let (target, _) = target.split_once('/').unwrap();
    let proxy = Proxy::to(target).await;
    let through = url.replace(target, &proxy.address().to_string());
    let service = Service::start_on(database, &through).await;
    let mut client = service.client(testing::user());
    let account = create(&mut client, "Giro").await;

    proxy.cut();
    testing::eventually("not ready", PATIENCE, async || {
        let (status, missing) = testing::get(service.admin, "/readyz").await?;
        (status == 503 && missing.contains("database")).then_some(())
    })
    .await;
    let (status, _) = testing::get(service.admin, "/livez").await.unwrap();
    assert_eq!(status, 200);
    let refused = refused(client.list_accounts(ListAccountsRequest::default()).await);
    assert_eq!(
        (refused.code, &*refused.reason),
        (Code::Unavailable, "DATABASE_UNAVAILABLE")
    );
    assert_eq!(refused.message, "temporarily unavailable, try again");

    proxy.heal();
    service.ready().await;
    let listed = testing::eventually("an answer", Duration::from_secs(20), async || {
        client
            .list_accounts(ListAccountsRequest::default())
            .await
            .ok()
    });
    assert_eq!(listed.await.into_inner().accounts, [account]);
}
