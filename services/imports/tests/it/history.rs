//! What an import leaves in Temporal: the same few events however large the file, and no rows.

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use djinn_temporal::imports::{ImportStatement, workflow_id};
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use crate::{
    answer::Asked,
    world::{World, confirm, import, many},
};

/// A client of the Temporal at this address.
pub(crate) async fn temporal(address: &str) -> Client {
    let url = format!("http://{address}").parse::<url::Url>().unwrap();
    let connection = Connection::connect(ConnectionOptions::new(url).build())
        .await
        .unwrap();
    let options = ClientOptions::new(testing::stack().temporal_namespace.clone()).build();
    Client::new(connection, options).unwrap()
}

/// The events of the import's workflow, as text.
async fn history(import_id: &str) -> Vec<String> {
    history_at(&testing::stack().temporal_address, import_id).await
}

/// As [`history`], of a Temporal that may be a test's own.
pub(crate) async fn history_at(address: &str, import_id: &str) -> Vec<String> {
    let client = temporal(address).await;
    let handle = client.get_workflow_handle::<ImportStatement>(workflow_id(import_id));
    let events = handle
        .fetch_history(Default::default())
        .into_events()
        .await
        .unwrap();
    events
        .iter()
        .map(|event| format!("{:?}", event.attributes))
        .collect()
}

/// Rows that leave the order of day and month open, the amounts in order of neither.
fn open_dates(count: usize) -> Vec<u8> {
    let mut file = String::from("Date,Description,Amount\n");
    for row in 0..count {
        let (left, right) = (row * 7 % 12 + 1, row * 5 % 12 + 1);
        file.push_str(&format!("{left:02}/{right:02}/2024,Shop {row},-{row}.50\n"));
    }
    file.into_bytes()
}

#[tokio::test]
async fn a_question_and_its_answer_are_a_few_events_however_large_the_file() {
    let world = World::new().await;
    let mut counts = Vec::new();
    for rows in [10, 50_000] {
        let mut asked = Asked::about(&world, &open_dates(rows)).await;
        asked.answer(&[("date", "0:dmy")]).await.unwrap();
        let review = asked.reach(ImportState::Review).await;
        confirm(&mut asked.client, &review).await.unwrap();
        asked.reach(ImportState::Committed).await;
        let events = testing::eventually("the end", crate::world::PATIENCE, async || {
            let events = history(&review.import_id).await;
            events
                .last()?
                .contains("WorkflowExecutionCompleted")
                .then_some(events)
        })
        .await;
        assert!(!events.iter().any(|event| event.contains("Shop")));
        counts.push(events.len());
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 75, "{counts:?}");
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
        let events = testing::eventually("the end", crate::world::PATIENCE, async || {
            let events = history(&done.import_id).await;
            events
                .last()?
                .contains("WorkflowExecutionCompleted")
                .then_some(events)
        })
        .await;
        assert!(
            !events.iter().any(|event| event.contains("Shop")),
            "rows in the history"
        );
        counts.push(events.len());
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 60, "{counts:?}");
}
