//! Another mapping for a file that is stored: before there is an import, as it begins, and in
//! review and questions.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{
    self as proto, Import, ImportState, preview_statement_response::Part,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{
    answer::Asked,
    world::{
        Client, PATIENCE, World, ambiguous, begin, cancel, confirm, get, reach, refused, statement,
        upload,
    },
};

/// Two columns of amounts and two of text, of which the header names the wrong ones.
const MISNAMED: &str = "Date,Description,Purpose,Amount,Moved\n\
    2024-01-15,Ref 1,Alpha,1.00,-900.00\n2024-01-16,Ref 2,Beta,-2.00,2500.00\n\
    2024-01-17,Ref 3,Gamma,3.00,-2.80\n";

pub(crate) fn mapping(columns: &[(i32, &str, &str)]) -> Option<proto::Mapping> {
    let columns = columns
        .iter()
        .map(|(position, role, format)| proto::MappedColumn {
            position: *position,
            role: (*role).to_owned(),
            format: (*format).to_owned(),
        });
    Some(proto::Mapping {
        columns: columns.collect(),
        ..proto::Mapping::default()
    })
}

fn right() -> Option<proto::Mapping> {
    mapping(&[
        (2, "ignored", ""),
        (3, "description", ""),
        (4, "ignored", ""),
        (5, "amount", ""),
    ])
}

/// Has the file of an import read once more.
async fn reread(
    client: &mut Client,
    import: &Import,
    mapping: Option<proto::Mapping>,
) -> Result<Import, Status> {
    let request = proto::RereadImportRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        request_id: Uuid::new_v4().to_string(),
        mapping,
        answers: Default::default(),
    };
    Ok(client
        .reread_import(request)
        .await?
        .into_inner()
        .import
        .unwrap())
}

/// The import as soon as it is in this state under another generation.
async fn again(client: &mut Client, before: &Import, state: ImportState) -> Import {
    testing::eventually("another reading", PATIENCE, async || {
        let import = get(client, &before.import_id).await;
        (import.state() == state && import.generation > before.generation).then_some(import)
    })
    .await
}

async fn rows(client: &mut Client, import_id: &str) -> Vec<(String, i64)> {
    let request = proto::ListImportRowsRequest {
        import_id: import_id.to_owned(),
        ..Default::default()
    };
    let rows = client.list_import_rows(request).await.unwrap().into_inner();
    let row = |row: proto::ImportRow| {
        let amount = row.amount.map_or(0, |amount| amount.minor_units);
        (row.description, amount)
    };
    rows.rows.into_iter().map(row).collect()
}

fn read(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    let pair = |(text, amount): &(&str, i64)| ((*text).to_owned(), *amount);
    pairs.iter().map(pair).collect()
}

fn violation(status: &Status) -> (String, Code) {
    let details = status.get_error_details();
    let fields = details
        .bad_request()
        .map(|bad| bad.field_violations.clone());
    let field = fields
        .unwrap_or_default()
        .first()
        .map(|it| it.field.clone());
    (field.unwrap_or_default(), status.code())
}

#[tokio::test]
async fn a_review_is_read_again_and_commits_what_the_mapping_says() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let import_id = begin(&mut client, MISNAMED.as_bytes(), account_id).await;
    let first = reach(&mut client, &import_id, ImportState::Review).await;
    let wrong = read(&[("Ref 1", 100), ("Ref 2", -200), ("Ref 3", 300)]);
    assert_eq!(rows(&mut client, &import_id).await, wrong);
    // A decision belongs to the rows it was made about.
    let decided = client
        .update_import_rows(proto::UpdateImportRowsRequest {
            import_id: import_id.clone(),
            etag: first.etag.clone(),
            changes: vec![proto::ImportRowChange {
                row_number: 1,
                included: false,
                ..proto::ImportRowChange::default()
            }],
        })
        .await
        .unwrap()
        .into_inner()
        .import
        .unwrap();
    let stale = reread(&mut client, &first, right()).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let request = proto::RereadImportRequest {
        import_id: import_id.clone(),
        etag: decided.etag.clone(),
        request_id: Uuid::new_v4().to_string(),
        mapping: right(),
        answers: Default::default(),
    };
    client.reread_import(request.clone()).await.unwrap();
    let review = again(&mut client, &decided, ImportState::Review).await;
    assert_eq!((review.generation, review.etag.as_str()), (2, "2-1"));
    assert_eq!(review.mapping, right());
    assert_eq!(review.warnings, []);
    assert_eq!(review.included_amount.unwrap().minor_units, 159_720);
    assert_eq!(review.counts.unwrap().included_count, 3);
    let found = read(&[("Alpha", -90_000), ("Beta", 250_000), ("Gamma", -280)]);
    assert_eq!(rows(&mut client, &import_id).await, found);
    // The same wish again is the same wish, though the etag is an old one; another is none.
    client.reread_import(request.clone()).await.unwrap();
    let other = proto::RereadImportRequest {
        mapping: None,
        ..request
    };
    refused(
        client.reread_import(other).await,
        Code::AlreadyExists,
        "REQUEST_ID_REUSED",
    );
    assert_eq!(left_over(&world, user, &import_id).await, 0);
    let seen = get(&mut client, &import_id).await;
    assert_eq!(seen.generation, 2);
    confirm(&mut client, &seen).await.unwrap();
    reach(&mut client, &import_id, ImportState::Committed).await;
    assert_eq!(
        world.ledger(user, account_id).await,
        [-90_000, 250_000, -280]
    );
    let late = reread(&mut client, &seen, None).await;
    refused(late, Code::FailedPrecondition, "WRONG_STATE");
}

/// Rows of generations that count no more.
async fn left_over(world: &World, user: djinn_chassis::auth::UserId, import_id: &str) -> i64 {
    let mut transaction = world.as_imports(user).await;
    sqlx::query_scalar(
        "SELECT count(*) FROM imports.staged s JOIN imports.import i USING (import_id) \
         WHERE s.import_id = $1 AND s.generation < i.generation",
    )
    .bind(Uuid::parse_str(import_id).unwrap())
    .fetch_one(&mut *transaction)
    .await
    .unwrap()
}

#[tokio::test]
async fn without_a_mapping_the_file_reads_as_it_did_at_first() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let upload_id = upload(&mut client, MISNAMED.as_bytes()).await.unwrap();
    let request = proto::CreateImportRequest {
        request_id: Uuid::new_v4().to_string(),
        upload_id,
        account_id: account_id.to_string(),
        auto_confirm: false,
        mapping: right(),
    };
    let created = client.create_import(request).await.unwrap().into_inner();
    let import_id = created.import.unwrap().import_id;
    let mapped = reach(&mut client, &import_id, ImportState::Review).await;
    assert_eq!(mapped.mapping, right());
    let found = read(&[("Alpha", -90_000), ("Beta", 250_000), ("Gamma", -280)]);
    assert_eq!(rows(&mut client, &import_id).await, found);
    reread(&mut client, &mapped, None).await.unwrap();
    let review = again(&mut client, &mapped, ImportState::Review).await;
    assert_eq!(review.mapping, None);
    let wrong = read(&[("Ref 1", 100), ("Ref 2", -200), ("Ref 3", 300)]);
    assert_eq!(rows(&mut client, &import_id).await, wrong);
}

#[tokio::test]
async fn a_mapping_that_the_file_does_not_allow_changes_nothing() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let import_id = begin(&mut client, MISNAMED.as_bytes(), account_id).await;
    let first = reach(&mut client, &import_id, ImportState::Review).await;
    reread(&mut client, &first, right()).await.unwrap();
    let good = again(&mut client, &first, ImportState::Review).await;
    let slip = mapping(&[(3, "description", ""), (2, "booked_on", "")]);
    reread(&mut client, &good, slip).await.unwrap();
    let review = again(&mut client, &good, ImportState::Review).await;
    let [warning] = review.warnings.as_slice() else {
        panic!("{:?}", review.warnings);
    };
    assert_eq!(warning.reason, "MAPPING_UNFIT");
    let field = "mapping.columns[1].role";
    assert!(warning.message.contains(field), "{}", warning.message);
    // What was good stays good.
    assert_eq!(review.mapping, right());
    let found = read(&[("Alpha", -90_000), ("Beta", 250_000), ("Gamma", -280)]);
    assert_eq!(rows(&mut client, &import_id).await, found);
    // A slip is forgotten with the next mapping.
    reread(&mut client, &review, right()).await.unwrap();
    let review = again(&mut client, &review, ImportState::Review).await;
    assert_eq!(review.warnings, []);
}

#[tokio::test]
async fn a_new_import_whose_mapping_does_not_fit_waits_for_a_person() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let file = statement(&[
        ("2024-01-15", "Rent", "-900.00"),
        ("2024-01-16", "Pay", "1.00"),
    ]);
    let upload_id = upload(&mut client, &file).await.unwrap();
    let request = |mapping| proto::CreateImportRequest {
        request_id: Uuid::new_v4().to_string(),
        upload_id: upload_id.clone(),
        account_id: account_id.to_string(),
        auto_confirm: true,
        mapping,
    };
    let slip = mapping(&[(9, "amount", "")]);
    let created = client.create_import(request(slip)).await.unwrap();
    let import_id = created.into_inner().import.unwrap().import_id;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    assert_eq!(review.warnings[0].reason, "MAPPING_UNFIT");
    assert_eq!(review.mapping, None);
    // And what one has had read otherwise waits for a look, though all is new.
    let fitting = mapping(&[(3, "amount", "")]);
    reread(&mut client, &review, fitting).await.unwrap();
    let review = again(&mut client, &review, ImportState::Review).await;
    assert!(review.auto_confirm && review.warnings.is_empty());
    cancel(&mut client, &import_id).await.unwrap();
    reach(&mut client, &import_id, ImportState::Cancelled).await;
    // A mapping that fits from the beginning is no reason to wait.
    let fitting = mapping(&[(3, "amount", "")]);
    let created = client.create_import(request(fitting)).await.unwrap();
    let import_id = created.into_inner().import.unwrap().import_id;
    reach(&mut client, &import_id, ImportState::Committed).await;
}

#[tokio::test]
async fn a_question_is_settled_by_a_mapping() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let other = mapping(&[(1, "booked_on", "month, day, year")]);
    reread(&mut asked.client, &asked.import, other)
        .await
        .unwrap();
    let review = asked.reach(ImportState::Review).await;
    assert_eq!((review.generation, review.questions), (2, Vec::new()));
    let format = &review.reading.unwrap().columns[0].format;
    assert_eq!(format, "month, day, year");
    // And asked again without one.
    let before = get(&mut asked.client, &review.import_id).await;
    reread(&mut asked.client, &before, None).await.unwrap();
    let asks = again(&mut asked.client, &before, ImportState::Asking).await;
    assert_eq!(asks.questions.len(), 1);
    let slip = mapping(&[(2, "balance", "")]);
    reread(&mut asked.client, &asks, slip).await.unwrap();
    let still = again(&mut asked.client, &asks, ImportState::Asking).await;
    assert_eq!(still.warnings[0].reason, "MAPPING_UNFIT");
    assert_eq!(still.questions, asks.questions);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let world = World::new().await;
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let import_id = begin(&mut client, MISNAMED.as_bytes(), account_id).await;
    let review = reach(&mut client, &import_id, ImportState::Review).await;
    let upload_id = review.upload.clone().unwrap().upload_id;
    let encoding = |label: &str| {
        Some(proto::Mapping {
            encoding: label.to_owned(),
            ..proto::Mapping::default()
        })
    };
    for (sent, field) in [
        (encoding("klingon"), "mapping.encoding"),
        (mapping(&[(1, "colour", "")]), "mapping.columns[0].role"),
        (
            mapping(&[(1, "ignored", ""), (0, "amount", "")]),
            "mapping.columns[1].position",
        ),
    ] {
        let status = reread(&mut client, &review, sent.clone())
            .await
            .unwrap_err();
        let expected = (field.to_owned(), Code::InvalidArgument);
        assert_eq!(violation(&status), expected);
        let status = look(&mut client, &upload_id, sent).await.unwrap_err();
        assert_eq!(violation(&status), expected);
    }
    assert_eq!(get(&mut client, &import_id).await, review);
    // What only the file can tell, the preview tells at once.
    for (sent, field) in [
        (mapping(&[(2, "booked_on", "")]), "mapping.columns[0].role"),
        (mapping(&[(9, "amount", "")]), "mapping.columns[0].position"),
    ] {
        let status = look(&mut client, &upload_id, sent).await.unwrap_err();
        assert_eq!(
            violation(&status),
            (field.to_owned(), Code::InvalidArgument)
        );
    }
    let reading = look(&mut client, &upload_id, right()).await.unwrap();
    let roles: Vec<_> = reading
        .columns
        .iter()
        .map(|column| (column.position, column.role.as_str()))
        .collect();
    assert_eq!(roles, [(1, "booked_on"), (3, "description"), (5, "amount")]);
}

/// The reading of a preview.
async fn look(
    client: &mut Client,
    upload_id: &str,
    mapping: Option<proto::Mapping>,
) -> Result<proto::Reading, Status> {
    let request = proto::PreviewStatementRequest {
        upload_id: upload_id.to_owned(),
        mapping,
        ..Default::default()
    };
    let mut parts = client.preview_statement(request).await?.into_inner();
    let first = parts.message().await?.unwrap().part;
    let Some(Part::Reading(reading)) = first else {
        unreachable!("{first:?} before the reading")
    };
    Ok(reading.reading.unwrap())
}

#[tokio::test]
async fn a_reading_that_is_killed_goes_on() {
    for point in ["reread_before_commit", "reread_after_commit"] {
        let mut world = World::new().await;
        let user = testing::user();
        let account_id = world.account(user, "EUR").await;
        let mut client = world.client(user);
        let import_id = begin(&mut client, MISNAMED.as_bytes(), account_id).await;
        let first = reach(&mut client, &import_id, ImportState::Review).await;
        world.stop().await;
        let failpoint = format!("{point}=return");
        world.start(&[("FAILPOINTS", &failpoint)]).await;
        let mut client = world.client(user);
        // The call may go down with the process; a wish that is not durable yet is sent again.
        testing::eventually("the end that the wish brings", PATIENCE, async || {
            drop(reread(&mut client, &first, right()).await);
            (!world.lives().await).then_some(())
        })
        .await;
        world.died().await;
        world.start(&[]).await;
        let mut client = world.client(user);
        let review = again(&mut client, &first, ImportState::Review).await;
        assert_eq!(review.generation, 2, "{point}");
        let rows = rows(&mut client, &import_id).await;
        assert_eq!(rows[0], ("Alpha".to_owned(), -90_000), "{point}");
        let new = review.counts.unwrap().new_count;
        assert_eq!(new, 3, "{point}");
    }
}
