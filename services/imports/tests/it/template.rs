//! Templates: kept from what a person answered, used the next time, seen by nobody else.

use djinn_chassis::{auth::UserId, testing};
use djinn_proto::imports::v1::{self as proto, Import, ImportState, Template};
use sqlx::Connection;
use tonic::Code;
use uuid::Uuid;

use crate::{
    answer::Asked,
    world::{World, ambiguous, begin, cancel, confirm, reach, refused, statement, upload_as},
};

/// Another month of [`ambiguous`].
pub(crate) fn next_month() -> Vec<u8> {
    statement(&[
        ("04/05/2024", "Rent", "-900.50"),
        ("06/04/2024", "Salary", "2500.00"),
        ("05/05/2024", "Books", "-19.00"),
    ])
}

pub(crate) async fn templates(world: &World, user: UserId) -> Vec<Template> {
    let request = proto::ListTemplatesRequest::default();
    let listed = world.templates(user).list_templates(request).await.unwrap();
    listed.into_inner().templates
}

/// Answers, confirms and commits.
pub(crate) async fn committed(asked: &mut Asked, choice: &str) -> Import {
    asked.answer(&[("date", choice)]).await.unwrap();
    let review = asked.reach(ImportState::Review).await;
    confirm(&mut asked.client, &review).await.unwrap();
    asked.reach(ImportState::Committed).await
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:mdy").await;
    let [kept] = <[Template; 1]>::try_from(templates(&world, asked.user).await).unwrap();
    assert_eq!(kept.account_id, asked.account_id.to_string());
    assert_eq!(kept.name, "statement");
    assert_eq!(kept.columns, ["Date", "Description", "Amount"]);
    assert_eq!(
        kept.answers,
        [("date".to_owned(), "0:mdy".to_owned())].into()
    );
    assert_eq!(kept.header_fingerprint.len(), 64);

    let import_id = begin(&mut asked.client, &next_month(), asked.account_id).await;
    let review = reach(&mut asked.client, &import_id, ImportState::Review).await;
    assert_eq!(review.generation, 1);
    assert_eq!(review.template_id, kept.template_id);
    assert_eq!(review.answers, kept.answers);
    let evidence = review.reading.clone().unwrap().evidence;
    let said = "The template \"statement\" answers: The date is in column \"Date\", written \
                month, day, year.";
    assert!(evidence.iter().any(|line| line == said), "{evidence:?}");
    confirm(&mut asked.client, &review).await.unwrap();
    reach(&mut asked.client, &import_id, ImportState::Committed).await;
    // Nobody answered anything new.
    assert_eq!(
        templates(&world, asked.user).await,
        std::slice::from_ref(&kept)
    );

    // Forgotten, the question is asked again.
    let request = proto::DeleteTemplateRequest {
        template_id: kept.template_id,
    };
    let mut client = world.templates(asked.user);
    client.delete_template(request.clone()).await.unwrap();
    refused(
        client.delete_template(request).await,
        Code::NotFound,
        "NOT_FOUND",
    );
    let import_id = begin(&mut asked.client, &next_month(), asked.account_id).await;
    reach(&mut asked.client, &import_id, ImportState::Asking).await;
}

#[tokio::test]
async fn a_template_belongs_to_one_account_of_one_user_and_one_format() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:dmy").await;
    let other_account = world.account(asked.user, "EUR").await;
    let import_id = begin(&mut asked.client, &ambiguous(), other_account).await;
    reach(&mut asked.client, &import_id, ImportState::Asking).await;
    let other_format = String::from_utf8(ambiguous())
        .unwrap()
        .replace("Description", "Text")
        .into_bytes();
    let import_id = begin(&mut asked.client, &other_format, asked.account_id).await;
    reach(&mut asked.client, &import_id, ImportState::Asking).await;
    // Asks, as does everybody else.
    Asked::about(&world, &ambiguous()).await;
}

#[tokio::test]
async fn an_import_that_came_to_nothing_leaves_no_template() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    asked.answer(&[("date", "0:dmy")]).await.unwrap();
    asked.reach(ImportState::Review).await;
    cancel(&mut asked.client, &asked.import.import_id)
        .await
        .unwrap();
    asked.reach(ImportState::Cancelled).await;
    assert_eq!(templates(&world, asked.user).await, []);
    let import_id = begin(&mut asked.client, &ambiguous(), asked.account_id).await;
    reach(&mut asked.client, &import_id, ImportState::Asking).await;
}

/// A new answer about the same format takes the place of the old one, and the name stays.
#[tokio::test]
async fn the_last_answer_counts() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:dmy").await;
    let first = templates(&world, asked.user).await;
    let mut transaction = world.as_imports(asked.user).await;
    // As if an earlier release had meant another column, and asked for something else too.
    sqlx::query(
        "UPDATE imports.template SET name = 'Giro', \
         answers = '{\"date\": \"7:dmy\", \"rows\": \"keep\"}'",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    let file = next_month();
    let upload_id = upload_as(&mut asked.client, Uuid::new_v4(), "Konto 12345.csv", &file)
        .await
        .unwrap();
    let import = crate::world::create(&mut asked.client, &upload_id, asked.account_id)
        .await
        .unwrap();
    asked.import = reach(&mut asked.client, &import.import_id, ImportState::Asking).await;
    assert_eq!(asked.import.template_id, "");
    committed(&mut asked, "0:mdy").await;
    let [kept] = <[Template; 1]>::try_from(templates(&world, asked.user).await).unwrap();
    assert_eq!(kept.template_id, first[0].template_id);
    assert_eq!(kept.name, "Giro");
    let expected = [("date", "0:mdy"), ("rows", "keep")];
    let owned = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(kept.answers, owned.into());
}

/// Part of the questions is answered by the template: the rest is asked, and then it is a person's
/// reading.
#[tokio::test]
async fn a_template_answers_what_it_can() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:dmy").await;
    let file = crate::world::ambiguous_twice();
    let import_id = begin(&mut asked.client, &file, asked.account_id).await;
    asked.import = reach(&mut asked.client, &import_id, ImportState::Asking).await;
    let keys: Vec<_> = asked
        .import
        .questions
        .iter()
        .map(|q| q.key.clone())
        .collect();
    assert_eq!(keys, ["amount", "rows"]);
    assert_eq!(asked.import.answers["date"], "0:dmy");
    assert_ne!(asked.import.template_id, "");
    let rest = [("amount", "signed:2:dot"), ("rows", "leave_out")];
    asked.answer(&rest).await.unwrap();
    let review = asked.reach(ImportState::Review).await;
    assert_eq!((review.answers.len(), review.template_id.as_str()), (3, ""));
    let evidence = review.reading.clone().unwrap().evidence;
    let by = |who: &str| evidence.iter().filter(|line| line.starts_with(who)).count();
    assert_eq!(
        (by("The template"), by("Your answer")),
        (1, 2),
        "{evidence:?}"
    );
    confirm(&mut asked.client, &review).await.unwrap();
    asked.reach(ImportState::Committed).await;
    let [kept] = <[Template; 1]>::try_from(templates(&world, asked.user).await).unwrap();
    assert_eq!(kept.answers.len(), 3);
}

/// Row-level security, on every way into the table that Postgres has.
#[tokio::test]
async fn no_statement_reaches_another_users_template() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:dmy").await;
    let thief = testing::user();
    let mut transaction = world.as_imports(thief).await;
    for query in [
        "SELECT count(*) FROM imports.template",
        "WITH gone AS (DELETE FROM imports.template RETURNING 1) SELECT count(*) FROM gone",
        "WITH renamed AS (UPDATE imports.template SET name = 'x' RETURNING 1) \
         SELECT count(*) FROM renamed",
    ] {
        let count: i64 = sqlx::query_scalar(query)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(count, 0, "{query}");
    }
    let mut copied = Vec::new();
    let mut copy = transaction
        .copy_out_raw("COPY imports.template TO STDOUT")
        .await
        .unwrap();
    while let Some(chunk) = futures::StreamExt::next(&mut copy).await {
        copied.extend_from_slice(&chunk.unwrap());
    }
    drop(copy);
    assert!(copied.is_empty());
    let insert = "INSERT INTO imports.template (user_id, template_id, account_id, name, \
                  header_fingerprint, delimiter, columns, answers, created_at, updated_at) \
                  VALUES ($1, gen_random_uuid(), $2, 'x', sha256('x'), ';', '{}', '{}', now(), \
                  now())";
    let planted = sqlx::query(insert)
        .bind(asked.user.uuid())
        .bind(asked.account_id)
        .execute(&mut *transaction)
        .await;
    assert!(
        planted
            .unwrap_err()
            .to_string()
            .contains("row-level security")
    );
    drop(transaction);
    let mut transaction = world.as_imports(thief).await;
    let copy = transaction
        .copy_in_raw("COPY imports.template FROM STDIN")
        .await;
    let refusal = copy.err().unwrap().to_string();
    assert!(refusal.contains("row-level security"), "{refusal}");
    transaction.ping().await.unwrap();
    assert_eq!(templates(&world, asked.user).await.len(), 1);
}
