//! Another user's ids answer as unknown ids do, in every method and every field.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{self as proto, ImportState};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{Client, World, begin, many, reach, upload};

/// Code, message and details, with the id itself taken out.
fn shape(status: &Status, id: &str) -> (Code, String, usize) {
    (
        status.code(),
        status.message().replace(id, "ID"),
        status.details().len(),
    )
}

async fn every_method(client: &mut Client, import_id: &str) -> Vec<Status> {
    let import_id = import_id.to_owned();
    let request_id = Uuid::new_v4().to_string();
    let etag = "1-1".to_owned();
    vec![
        client
            .get_import(proto::GetImportRequest {
                import_id: import_id.clone(),
            })
            .await
            .unwrap_err(),
        client
            .watch_import(proto::WatchImportRequest {
                import_id: import_id.clone(),
            })
            .await
            .map(|_| ())
            .unwrap_err(),
        client
            .list_import_rows(proto::ListImportRowsRequest {
                import_id: import_id.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err(),
        client
            .update_import_rows(proto::UpdateImportRowsRequest {
                import_id: import_id.clone(),
                etag: etag.clone(),
                changes: vec![proto::ImportRowChange {
                    row_number: 1,
                    included: false,
                    ..proto::ImportRowChange::default()
                }],
            })
            .await
            .unwrap_err(),
        client
            .confirm_import(proto::ConfirmImportRequest {
                import_id: import_id.clone(),
                etag,
                request_id: request_id.clone(),
            })
            .await
            .unwrap_err(),
        client
            .answer_import(proto::AnswerImportRequest {
                import_id: import_id.clone(),
                etag: "1-0".to_owned(),
                answers: [("date".to_owned(), "0:dmy".to_owned())].into(),
                request_id: request_id.clone(),
            })
            .await
            .unwrap_err(),
        client
            .cancel_import(proto::CancelImportRequest {
                import_id: import_id.clone(),
                request_id: request_id.clone(),
            })
            .await
            .unwrap_err(),
        client
            .revert_import(proto::RevertImportRequest {
                import_id,
                request_id,
            })
            .await
            .unwrap_err(),
    ]
}

async fn methods_of_the_review(client: &mut Client, import_id: &str) -> Vec<Status> {
    vec![
        client
            .reread_import(proto::RereadImportRequest {
                import_id: import_id.to_owned(),
                etag: "1-1".to_owned(),
                request_id: Uuid::new_v4().to_string(),
                ..Default::default()
            })
            .await
            .unwrap_err(),
        client
            .download_error_report(proto::DownloadErrorReportRequest {
                import_id: import_id.to_owned(),
            })
            .await
            .map(|_| ())
            .unwrap_err(),
    ]
}

#[tokio::test]
async fn another_users_import_answers_as_an_unknown_one() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let account_id = world.account(owner, "EUR").await;
    let mut mine = world.client(owner);
    let import_id = begin(&mut mine, &many(3), account_id).await;
    reach(&mut mine, &import_id, ImportState::Review).await;
    let mut theirs = world.client(thief);
    let unknown = Uuid::new_v4().to_string();
    let mut found = every_method(&mut theirs, &import_id).await;
    found.extend(methods_of_the_review(&mut theirs, &import_id).await);
    let mut missing = every_method(&mut theirs, &unknown).await;
    missing.extend(methods_of_the_review(&mut theirs, &unknown).await);
    for (found, missing) in found.iter().zip(&missing) {
        assert_eq!(found.code(), Code::NotFound, "{found:?}");
        assert_eq!(shape(found, &import_id), shape(missing, &unknown));
    }
    let listed = theirs
        .list_imports(proto::ListImportsRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.into_inner().imports, []);
    reach(&mut mine, &import_id, ImportState::Review).await;
}

#[tokio::test]
async fn references_inside_writes_are_looked_for_among_the_callers_own() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let (account, own_account) = (
        world.account(owner, "EUR").await,
        world.account(thief, "EUR").await,
    );
    let (mut mine, mut theirs) = (world.client(owner), world.client(thief));
    let upload_id = upload(&mut mine, &many(3)).await.unwrap();
    let own_upload = upload(&mut theirs, &many(3)).await.unwrap();
    let unknown = Uuid::new_v4();
    for (upload_id, account_id, id) in [
        (upload_id.clone(), own_account, upload_id.clone()),
        (unknown.to_string(), own_account, unknown.to_string()),
        (own_upload.clone(), account, account.to_string()),
        (own_upload.clone(), unknown, unknown.to_string()),
    ] {
        let request = proto::CreateImportRequest {
            request_id: Uuid::new_v4().to_string(),
            upload_id,
            account_id: account_id.to_string(),
            auto_confirm: false,
            mapping: None,
        };
        let status = theirs.create_import(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        assert!(status.message().contains(&id), "{status:?}");
    }
    let request = proto::PreviewStatementRequest {
        upload_id,
        ..Default::default()
    };
    let status = theirs
        .preview_statement(request)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_filter_by_anothers_account_answers_as_one_by_an_unknown_account() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let account = world.account(owner, "EUR").await;
    let mut theirs = world.client(thief);
    let mut shapes = Vec::new();
    for account_id in [account, Uuid::new_v4()] {
        let account_id = account_id.to_string();
        let request = proto::ListImportsRequest {
            account_id: account_id.clone(),
            ..Default::default()
        };
        shapes.push(shape(
            &theirs.list_imports(request).await.unwrap_err(),
            &account_id,
        ));
    }
    assert_eq!(shapes[0].0, Code::NotFound);
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test]
async fn another_users_request_id_is_nobodys_business() {
    let world = World::new().await;
    let (one, two) = (testing::user(), testing::user());
    let request_id = Uuid::new_v4();
    let (mut first, mut second) = (world.client(one), world.client(two));
    let file = many(3);
    let a = crate::world::upload_as(&mut first, request_id, "a.csv", &file)
        .await
        .unwrap();
    let b = crate::world::upload_as(&mut second, request_id, "b.csv", &file)
        .await
        .unwrap();
    assert_ne!(a, b);
}

/// An edit of another user's row: the import is as unknown as one that never was, and nothing of it
/// has changed.
#[tokio::test]
async fn another_users_rows_are_not_edited() {
    let world = World::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let account_id = world.account(owner, "EUR").await;
    let mut mine = world.client(owner);
    let mut file = many(30);
    file.extend_from_slice(b"2024-02-31,Rent,-900.50\n");
    let import_id = begin(&mut mine, &file, account_id).await;
    let seen = reach(&mut mine, &import_id, ImportState::Review).await;
    let mut theirs = world.client(thief);
    let unknown = Uuid::new_v4().to_string();
    // A row that can be read, and one that is to be repaired.
    for row_number in [1, 31] {
        let mut shapes = Vec::new();
        for id in [&import_id, &unknown] {
            let change = proto::ImportRowChange {
                row_number,
                booked_on: Some("2024-01-31".to_owned()),
                amount: Some(djinn_proto::common::v1::Money {
                    currency_code: "EUR".to_owned(),
                    minor_units: 1,
                }),
                ..proto::ImportRowChange::default()
            };
            let request = proto::UpdateImportRowsRequest {
                import_id: id.clone(),
                etag: seen.etag.clone(),
                changes: vec![change],
            };
            let status = theirs.update_import_rows(request).await.unwrap_err();
            shapes.push(shape(&status, id));
        }
        assert_eq!(shapes[0].0, Code::NotFound);
        assert_eq!(shapes[0], shapes[1]);
    }
    let now = reach(&mut mine, &import_id, ImportState::Review).await;
    assert_eq!((now.etag, now.counts), (seen.etag, seen.counts));
}
