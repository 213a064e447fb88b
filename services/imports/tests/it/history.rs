//! What an import leaves in Temporal: the same few events however large the file, and no rows.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use djinn_temporal::imports::{ImportStatement, workflow_id};
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use crate::world::{World, import, many};

async fn history(import_id: &str) -> String {
    let stack = testing::stack();
    let url = format!("http://{}", stack.temporal_address).parse::<url::Url>().unwrap();
    let connection = Connection::connect(ConnectionOptions::new(url).build()).await.unwrap();
    let options = ClientOptions::new(stack.temporal_namespace.clone()).build();
    let client = Client::new(connection, options).unwrap();
    let handle = client.get_workflow_handle::<ImportStatement>(workflow_id(import_id));
    let history = handle.fetch_history(Default::default());
    String::from_utf8(history.to_json().await.unwrap()).unwrap()
}

#[tokio::test]
async fn events_do_not_grow_with_the_file() {
    let world = World::new().await;
    let user = testing::user();
    let mut counts = Vec::new();
    for rows in [10, 100_000] {
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        let done = import(&mut client, &many(rows), account_id).await;
        assert_eq!(done.state(), ImportState::Committed);
        let history = testing::eventually("the end", crate::world::PATIENCE, async || {
            let history = history(&done.import_id).await;
            history.contains("WORKFLOW_EXECUTION_COMPLETED").then_some(history)
        })
        .await;
        assert!(!history.contains("Shop"), "rows travel through the history");
        counts.push(history.matches("\"eventId\"").count());
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 60, "{counts:?}");
}
