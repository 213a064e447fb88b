//! Templates as files: out of one account, into another; and the calls that name a template.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState, Template};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    answer::Asked,
    template::{committed, next_month, templates},
    world::{Templates, World, ambiguous, begin, reach, refused},
};

fn take(account_id: Uuid, content: &[u8]) -> proto::ImportTemplateRequest {
    proto::ImportTemplateRequest {
        request_id: Uuid::new_v4().to_string(),
        account_id: account_id.to_string(),
        content: content.to_vec(),
    }
}

async fn taken(
    client: &mut Templates,
    request: proto::ImportTemplateRequest,
) -> Result<Template, Status> {
    let answer = client.import_template(request).await?;
    Ok(answer.into_inner().template.unwrap())
}

/// A template file for a format of this column.
fn file(column: &str) -> Vec<u8> {
    format!(
        "{{\"djinn_template\":1,\"name\":\"Giro\",\"delimiter\":\";\",\"columns\":[{column:?}],\
         \"answers\":{{\"rows\":\"keep\"}}}}"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_template_travels_as_a_file() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    committed(&mut asked, "0:mdy").await;
    let kept = templates(&world, asked.user).await.remove(0);
    let request = proto::ExportTemplateRequest {
        template_id: kept.template_id.clone(),
    };
    let exported = world.templates(asked.user).export_template(request).await;
    let exported = exported.unwrap().into_inner();
    assert_eq!(exported.file_name, "statement.djinn-template.json");
    let text = String::from_utf8(exported.content.clone()).unwrap();
    for private in [&kept.template_id, &kept.account_id, &asked.user.to_string()] {
        assert!(!text.contains(private.as_str()), "{text}");
    }

    let friend = testing::user();
    let account_id = world.account(friend, "USD").await;
    let mut client = world.templates(friend);
    let given = taken(&mut client, take(account_id, &exported.content))
        .await
        .unwrap();
    assert_eq!(given.header_fingerprint, kept.header_fingerprint);
    assert_eq!(given.answers, kept.answers);
    assert_eq!(given.account_id, account_id.to_string());
    let mut imports = world.client(friend);
    let import_id = begin(&mut imports, &next_month(), account_id).await;
    let review = reach(&mut imports, &import_id, ImportState::Review).await;
    assert_eq!(review.template_id, given.template_id);

    // Once more: it is replaced, not doubled.
    let renamed = text.replace("\"statement\"", "\"Card\"").into_bytes();
    let again = taken(&mut client, take(account_id, &renamed))
        .await
        .unwrap();
    assert_eq!(
        (again.template_id, again.name.as_str()),
        (given.template_id, "Card")
    );
    assert_eq!(templates(&world, friend).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_request_takes_a_template_once() {
    let world = World::new().await;
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.templates(user);
    let request = take(account_id, &file("a"));
    let first = taken(&mut client, request.clone()).await.unwrap();
    let again = taken(&mut client, request.clone()).await.unwrap();
    assert_eq!(first, again);
    let other = proto::ImportTemplateRequest {
        content: file("b"),
        ..request.clone()
    };
    refused(
        taken(&mut client, other).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
    let gone = proto::DeleteTemplateRequest {
        template_id: first.template_id,
    };
    client.delete_template(gone).await.unwrap();
    refused(
        taken(&mut client, request).await,
        Code::NotFound,
        "NOT_FOUND",
    );
    assert_eq!(templates(&world, user).await, []);
}

#[tokio::test]
async fn what_is_no_template_or_has_no_place_is_refused() {
    let world = World::new().await;
    let (user, other) = (testing::user(), testing::user());
    let account_id = world.account(user, "EUR").await;
    let theirs = world.account(other, "EUR").await;
    let mut client = world.templates(user);
    let large = vec![b' '; 64 * 1024 + 1];
    for content in [&b""[..], b"<html>", b"{\"djinn_template\":2}", &large] {
        let refusal = taken(&mut client, take(account_id, content)).await;
        refused(refusal, Code::InvalidArgument, "INVALID_FIELD");
    }
    for unknown in [theirs, Uuid::new_v4()] {
        let refusal = taken(&mut client, take(unknown, &file("a"))).await;
        refused(refusal, Code::NotFound, "NOT_FOUND");
        let request = proto::ListTemplatesRequest {
            account_id: unknown.to_string(),
            ..Default::default()
        };
        let listed = client.list_templates(request).await;
        refused(listed, Code::NotFound, "NOT_FOUND");
    }
    let mut transaction = world.as_sync(user).await;
    sqlx::query("UPDATE ledger.account SET closed_at = now()")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let closed = taken(&mut client, take(account_id, &file("a"))).await;
    refused(closed, Code::FailedPrecondition, "ACCOUNT_CLOSED");
    assert_eq!(templates(&world, user).await, []);
}

#[tokio::test]
async fn templates_come_in_pages_and_by_account() {
    let world = World::new().await;
    let user = testing::user();
    let accounts = [
        world.account(user, "EUR").await,
        world.account(user, "EUR").await,
    ];
    let mut client = world.templates(user);
    let mut made = Vec::new();
    for (index, column) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let request = take(accounts[index % 2], &file(column));
        made.insert(0, taken(&mut client, request).await.unwrap());
    }
    let mut request = proto::ListTemplatesRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = client.list_templates(request.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.templates.len() <= 2);
        listed.extend(page.templates);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, made);
    request.account_id = accounts[1].to_string();
    let other_filter = client.list_templates(request.clone()).await;
    refused(other_filter, Code::InvalidArgument, "INVALID_FIELD");
    request.page_token.clear();
    request.page_size = 0;
    let of_one = client.list_templates(request).await.unwrap().into_inner();
    assert_eq!(of_one.templates, [made[1].clone(), made[3].clone()]);
    let negative = proto::ListTemplatesRequest {
        page_size: -1,
        ..Default::default()
    };
    let refusal = client.list_templates(negative).await;
    refused(refusal, Code::InvalidArgument, "INVALID_FIELD");
}

#[tokio::test]
async fn another_users_template_answers_as_an_unknown_one() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let account_id = world.account(owner, "EUR").await;
    let request = take(account_id, &file("a"));
    let kept = taken(&mut world.templates(owner), request).await.unwrap();
    let mut client = world.templates(thief);
    let mut shapes = Vec::new();
    for template_id in [kept.template_id.clone(), Uuid::new_v4().to_string()] {
        let id = template_id.clone();
        let got = client
            .get_template(proto::GetTemplateRequest { template_id })
            .await;
        let template_id = id.clone();
        let out = client
            .export_template(proto::ExportTemplateRequest { template_id })
            .await;
        let template_id = id.clone();
        let gone = client
            .delete_template(proto::DeleteTemplateRequest { template_id })
            .await;
        let statuses = [got.unwrap_err(), out.unwrap_err(), gone.unwrap_err()];
        shapes.push(statuses.map(|status| {
            let text = status.message().replace(&id, "ID");
            (status.code(), text, status.details().len())
        }));
    }
    assert_eq!(shapes[0], shapes[1]);
    assert!(shapes[0].iter().all(|(code, ..)| *code == Code::NotFound));
    assert_eq!(templates(&world, owner).await, [kept]);
    for template_id in ["", "x"] {
        let request = proto::GetTemplateRequest {
            template_id: template_id.to_owned(),
        };
        let refusal = client.get_template(request).await;
        refused(refusal, Code::InvalidArgument, "INVALID_FIELD");
    }
}
