//! `djinn imports`: looking at imports, confirming and cancelling them.

use djinn_proto::{
    common::v1::Money,
    imports::v1::{ImportRowChange, RowAction},
};

use crate::{
    process::{djinn, file},
    server::Fake,
};

/// A server with one import in REVIEW, its address and the import's id.
async fn review() -> (Fake, String, String) {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let (_folder, path) = file("good.csv", b"x");
    let args = ["--json", "import", &path, "--account", "Main"];
    let document = djinn(&url, &args).await.ended(5).document();
    let import_id = document["importId"].as_str().unwrap().to_owned();
    (fake, url, import_id)
}

#[tokio::test]
async fn imports_are_listed_and_shown() {
    let (_fake, url, import_id) = review().await;
    let listed = djinn(&url, &["--json", "imports", "list"])
        .await
        .ended(0)
        .document();
    assert_eq!(listed["imports"][0]["importId"], *import_id);
    let table = djinn(&url, &["imports", "list"]).await.ended(0).stdout;
    assert!(
        table.contains("good.csv ┆ review ┆    3 ┆        1"),
        "{table}"
    );

    let shown = djinn(&url, &["--json", "imports", "show", &import_id])
        .await
        .ended(0)
        .document();
    assert_eq!(shown["state"], "IMPORT_STATE_REVIEW");
    let text = djinn(&url, &["imports", "show", &import_id])
        .await
        .ended(0)
        .stdout;
    assert!(text.contains("State    review\nEtag     e1\n"), "{text}");

    let unknown = "0190a0a0-0000-7000-8000-000000000009";
    let failed = djinn(&url, &["--json", "imports", "show", unknown])
        .await
        .ended(6);
    assert_eq!(failed.failure()["reason"], "IMPORT_NOT_FOUND");
}

#[tokio::test]
async fn rows_pass_the_filters() {
    let (_fake, url, import_id) = review().await;
    for (flags, expected) in [
        (&[][..], &["1", "2", "3"][..]),
        (&["--verdict", "new,duplicate"], &["1", "2"]),
        (&["--verdict", "invalid"], &["3"]),
        (&["--included", "yes"], &["1"]),
        (&["--included", "no"], &["2", "3"]),
        (&["--verdict", "changed"], &[]),
    ] {
        let args = [&["--json", "imports", "rows", &import_id], flags].concat();
        let document = djinn(&url, &args).await.ended(0).document();
        let rows = document["rows"].as_array().unwrap();
        let numbers: Vec<_> = rows
            .iter()
            .map(|row| row["rowNumber"].as_str().unwrap())
            .collect();
        assert_eq!(numbers, expected, "{flags:?}");
    }
    let table = djinn(&url, &["imports", "rows", &import_id])
        .await
        .ended(0)
        .stdout;
    assert!(
        table.contains("┆ yes ┆ 2025-01-31 ┆ -19.99 ┆ EUR"),
        "{table}"
    );
}

#[tokio::test]
async fn rows_are_added_linked_and_skipped_by_their_numbers() {
    let (fake, url, import_id) = review().await;
    let args = ["--json", "imports", "decide", &import_id];
    let flags = ["--link", "2", "--skip", "1,3"];
    let done = djinn(&url, &[&args[..], &flags].concat()).await.ended(0);
    assert_eq!(done.document()["importId"], *import_id);
    let stale = ["--add", "1", "--etag", "e0"];
    let failed = djinn(&url, &[&args[..], &stale].concat()).await.ended(8);
    assert_eq!(failed.failure()["reason"], "ETAG_MISMATCH");
    djinn(&url, &args).await.ended(2);
    let state = fake.state();
    let [request] = &state.decisions[..] else {
        panic!("{:?}", state.decisions);
    };
    let changes = request.changes.iter();
    let changes: Vec<_> = changes.map(|it| (it.row_number, it.action())).collect();
    assert_eq!(
        changes,
        [
            (2, RowAction::Link),
            (1, RowAction::Skip),
            (3, RowAction::Skip)
        ]
    );
}

#[tokio::test]
async fn a_row_is_set_right_and_given_back() {
    let (fake, url, import_id) = review().await;
    let args = ["--json", "imports", "edit", &import_id, "3"];
    let flags = [
        "--date=2025-02-01",
        "--amount=-12.3",
        "--description=",
        "--value-date=",
        "--reset=counterparty",
    ];
    let done = djinn(&url, &[&args[..], &flags].concat()).await.ended(0);
    assert_eq!(done.document()["importId"], *import_id);
    let stale = ["--amount", "1", "--etag", "e0"];
    let failed = djinn(&url, &[&args[..], &stale].concat()).await.ended(8);
    assert_eq!(failed.failure()["reason"], "ETAG_MISMATCH");
    djinn(&url, &[&args[..], &["--amount", "1.234"]].concat())
        .await
        .ended(2);
    let state = fake.state();
    let [request] = &state.decisions[..] else {
        panic!("{:?}", state.decisions);
    };
    let expected = ImportRowChange {
        row_number: 3,
        booked_on: Some("2025-02-01".to_owned()),
        amount: Some(Money {
            currency_code: "EUR".to_owned(),
            minor_units: -1_230,
        }),
        description: Some(String::new()),
        value_on: Some(String::new()),
        reset_fields: vec!["counterparty".to_owned()],
        ..ImportRowChange::default()
    };
    assert_eq!(
        (&*request.etag, &request.changes[..]),
        ("e1", &[expected][..])
    );
}

#[tokio::test]
async fn the_present_review_is_confirmed_without_an_etag() {
    let (fake, url, import_id) = review().await;
    let done = djinn(&url, &["--json", "imports", "confirm", &import_id])
        .await
        .ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(fake.state().confirmations[0].etag, "e1");
}

#[tokio::test]
async fn another_review_than_the_one_seen_is_a_conflict() {
    let (fake, url, import_id) = review().await;
    let args = ["--json", "imports", "confirm", &import_id, "--etag", "e0"];
    let failed = djinn(&url, &args).await.ended(8);
    assert_eq!(failed.failure()["reason"], "ETAG_MISMATCH");
    assert!(fake.state().confirmations.is_empty());
}

#[tokio::test]
async fn an_import_is_cancelled() {
    let (_fake, url, import_id) = review().await;
    let done = djinn(&url, &["--json", "imports", "cancel", &import_id])
        .await
        .ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_CANCELLED");
}

#[tokio::test]
async fn another_mapping_goes_to_the_review_that_was_seen() {
    let (fake, url, import_id) = review().await;
    let args = [
        "imports",
        "reread",
        &import_id,
        "--etag",
        "e0",
        "--column",
        "3=amount:1.234,56",
        "--column",
        "2=ignored",
        "--delimiter",
        "|",
        "--answer",
        "date=0:dmy",
    ];
    // Nobody is there to confirm what comes of it.
    let shown = djinn(&url, &args).await.ended(5);
    assert!(
        shown.stdout.contains("Review of good.csv"),
        "{}",
        shown.stdout
    );
    let asked = fake.state().reread.clone();
    let [asked] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!((&*asked.import_id, &*asked.etag), (&*import_id, "e0"));
    let mapping = asked.mapping.clone().unwrap();
    assert_eq!(mapping.delimiter, "|");
    let columns: Vec<_> = mapping
        .columns
        .iter()
        .map(|column| (column.position, &*column.role, &*column.format))
        .collect();
    assert_eq!(columns, [(3, "amount", "1.234,56"), (2, "ignored", "")]);
    assert_eq!(asked.answers["date"], "0:dmy");
}

#[tokio::test]
async fn a_report_is_written_whole_or_not_at_all() {
    let (fake, url, import_id) = review().await;
    let printed = djinn(&url, &["imports", "errors", &import_id]).await;
    assert_eq!(printed.ended(0).stdout, "line,reason\r\n2,BAD_DATE\r\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors.csv");
    let name = path.to_str().unwrap();
    let args = ["--json", "imports", "errors", &import_id, "--output", name];
    let document = djinn(&url, &args).await.ended(0).document();
    assert_eq!(document["sizeBytes"], "25");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "line,reason\r\n2,BAD_DATE\r\n"
    );
    let failed = djinn(&url, &["--json", "imports", "errors", &import_id]).await;
    assert_eq!(failed.ended(2).failure()["reason"], "NO_OUTPUT");
    // The file was read otherwise in the middle of it.
    for import in &mut fake.state().imports {
        if let Some(upload) = &mut import.upload {
            upload.file_name = "again.csv".to_owned();
        }
    }
    let failed = djinn(&url, &args).await.ended(8);
    assert_eq!(failed.failure()["reason"], "ETAG_MISMATCH");
    assert!(!path.exists());
}
